#include "keeper/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "keeper/inside.h"
#include "lib/base/fault.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/crypto/jwks.h"

enum { PEM_SIZE_MAX = 64 * 1024, CHAINS_KEPT = 64 };

static char *path_in(const char *folder, const char *name)
{
    OWNED(text_done) struct text path = {0};
    text_addf(&path, "%s/%s", folder, name);
    return text_take(&path);
}

static enum outcome read_in(const char *folder, const char *name, bool private, struct bytes *out,
                            struct error *err)
{
    OWNED(mem_drop) char *path = path_in(folder, name);
    return private ? file_read_private(path, PEM_SIZE_MAX, out, err)
                   : file_read(path, PEM_SIZE_MAX, out, err);
}

static enum outcome read_cert(const char *folder, const char *name, struct cert **out,
                              struct error *err)
{
    OWNED(bytes_done) struct bytes pem = {0};
    TRY(read_in(folder, name, false, &pem, err));
    return cert_from_pem(bytes_span(&pem), out, err);
}

static enum outcome open_roots(struct keeper *k, const char *folder, struct error *err)
{
    TRY(read_cert(folder, "root.pem", &k->roots[0], err));
    k->root_count = 1;
    cert_spki_sha256(k->roots[0], k->deployment);
    TRY(cert_realm(k->roots[0], &k->realm, err));
    enum outcome next = read_cert(folder, "next-root.pem", &k->roots[1], err);
    if (next == ERR_NOT_FOUND)
        return OK;
    TRY(next);
    k->root_count = 2;
    enum realm realm;
    TRY(cert_realm(k->roots[1], &realm, err));
    if (realm != k->realm)
        return fail_code(err, ERR_DENIED, "realm-mismatch", "the next root is of another realm");
    return OK;
}

/* A key whose certificate says that it is for this role. */
static enum outcome open_role(const struct keeper *k, const char *folder, enum cert_role role,
                              const char *cert_name, const char *key_name, struct cert **out_cert,
                              struct key **out_key, struct error *err)
{
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(bytes_done) struct bytes certs = {0};
    OWNED(cert_drop) struct cert *cert = NULL;
    OWNED(key_drop) struct key *key = NULL;
    uint8_t certified[SHA256_SIZE];
    uint8_t own[SHA256_SIZE];
    TRY(read_in(folder, cert_name, false, &certs, err));
    TRY(read_in(folder, key_name, true, &pem, err));
    TRY(key_from_private_pem(bytes_span(&pem), &key, err));
    TRY(cert_of_key(bytes_span(&certs), key, &cert, err));
    TRY(cert_check_role(cert, role, k->roots, k->root_count, clock_now(), err));
    key_fingerprint(key, own);
    cert_spki_sha256(cert, certified);
    if (memcmp(certified, own, sizeof certified) != 0)
        return fail_code(err, ERR_INVALID, "wrong-key", "%s is not %s's", key_name, cert_name);
    *out_cert = TAKE(cert);
    *out_key = TAKE(key);
    return OK;
}

static enum outcome open_signer(struct keeper *k, const char *folder, struct error *err)
{
    TRY(open_role(k, folder, ROLE_KEEPER_SIGN, "sign-cert.pem", "sign-key.pem", &k->signer_cert,
                  &k->signer, err));
    key_fingerprint(k->signer, k->signer_key);
    OWNED(bytes_done) struct bytes shown = {0};
    TRY(cert_to_pem(k->signer_cert, &shown, err));
    bytes_add_u8(&shown, 0);
    k->signer_pem = mem_text((const char *)shown.at);
    return OK;
}

/* Whoever has none, or an old one, does all else that a keeper does. */
static enum outcome open_spare_signer(struct keeper *k, const char *folder, enum cert_role role,
                                      const char *cert_name, const char *key_name,
                                      struct cert **out_cert, struct key **out_key,
                                      struct error *err)
{
    struct error why = {0};
    enum outcome outcome = open_role(k, folder, role, cert_name, key_name, out_cert, out_key, &why);
    if (outcome == OK && key_equal(*out_key, k->signer))
        return fail_code(err, ERR_INVALID, "wrong-key", "%s needs a key of its own",
                         name_of(&cert_role_names, (int)role));
    if (outcome == OK || outcome == ERR_NOT_FOUND)
        return OK;
    if (strcmp(why.code, "cert-expired") != 0) {
        *err = why;
        return outcome;
    }
    log_error(role == ROLE_KEEPER_OPINION ? "opinions.off" : "passports.off", &why);
    return OK;
}

static enum outcome open_spare_signers(struct keeper *k, const char *folder, struct error *err)
{
    TRY(open_spare_signer(k, folder, ROLE_KEEPER_OPINION, "opinion-cert.pem", "opinion-key.pem",
                          &k->opinion_cert, &k->opinion_signer, err));
    TRY(open_spare_signer(k, folder, ROLE_KEEPER_PASSPORT, "passport-cert.pem", "passport-key.pem",
                          &k->passport_cert, &k->passport_signer, err));
    if (k->opinion_signer != NULL && k->passport_signer != NULL &&
        key_equal(k->opinion_signer, k->passport_signer))
        return fail_code(err, ERR_INVALID, "wrong-key", "opinions and passports by one key");
    return OK;
}

/* For controllers, who show it to everybody; without it nobody outside can check what it signs. */
static enum outcome open_jwks(struct keeper *k, const char *folder, struct error *err)
{
    struct error why = {0};
    OWNED(bytes_done) struct bytes jwt = {0};
    OWNED(jwks_done) struct jwks set = {0};
    enum outcome outcome = read_in(folder, "jwks.jwt", false, &jwt, err);
    if (outcome == ERR_NOT_FOUND)
        return OK;
    TRY(outcome);
    if (jwks_open(bytes_span(&jwt), k->roots, k->root_count, clock_now(), &set, &why) != OK) {
        log_error("jwks.off", &why);
        return OK;
    }
    bytes_add_u8(&jwt, 0);
    k->jwks = mem_text((const char *)jwt.at);
    return OK;
}

static enum outcome open_memory(struct keeper *k, const char *folder, struct error *err)
{
    OWNED(mem_drop) char *kek_path = path_in(folder, "kek");
    OWNED(bytes_done) struct bytes signers = {0};
    k->state_path = path_in(folder, "state");
    TRY(kek_file_open(kek_path, k->realm, &k->kek, err));
    TRY(read_in(folder, "signers.json", false, &signers, err));
    TRY(charter_signers_parse(bytes_span(&signers), &k->signers, err));
    enum outcome outcome = keeper_state_open(k->state_path, k->kek, &k->state, &k->state_why);
    if (outcome == OK || outcome == ERR_NOT_FOUND)
        return OK;
    if (err != NULL)
        *err = k->state_why;
    return outcome;
}

/* Where there is no setting, nobody can turn it on: a simulator's root in a production folder is
 * either a mistake or an attack. Empty when there is none. */
static enum outcome read_simulator_root(struct keeper *k, const char *folder, const char *name,
                                        struct bytes *out, struct error *err)
{
    enum outcome outcome = read_in(folder, name, false, out, err);
    if (outcome == ERR_NOT_FOUND)
        return OK;
    TRY(outcome);
    if (k->realm != REALM_SIMULATION)
        return fail_code(err, ERR_DENIED, "simulator-in-production",
                         "a production keeper knows no simulator's root");
    return charter_root_hashes(bytes_span(out), &k->simulator_hashes, err);
}

static enum outcome open_simulator(struct keeper *k, const char *folder, struct error *err)
{
    OWNED(bytes_done) struct bytes chips = {0};
    OWNED(bytes_done) struct bytes enclaves = {0};
    TRY(read_simulator_root(k, folder, "simulator-root.pem", &chips, err));
    TRY(read_simulator_root(k, folder, "simulator-nitro-root.pem", &enclaves, err));
    if (chips.len > 0) {
        const struct span blob = bytes_span(&chips);
        TRY(snp_roots_custom(&blob, 1, &k->simulator_roots, err));
        k->simulator = snp_cache_new(k->simulator_roots, CHAINS_KEPT);
    }
    k->nitro = enclaves.len > 0 ? (struct nitro_roots){0} : nitro_roots_aws;
    return enclaves.len > 0 ? nitro_roots_add(&k->nitro, bytes_span(&enclaves), err) : OK;
}

/* The charter as accepted before. Remembered here too, for a crash may have come between the file
 * and the memory. */
static enum outcome open_charter(struct keeper *k, const char *folder, struct error *err)
{
    OWNED(bytes_done) struct bytes jws = {0};
    OWNED(charter_drop) struct charter *charter = NULL;
    k->charter_path = path_in(folder, "charter.jws");
    enum outcome outcome = file_read(k->charter_path, CHARTER_SIZE_MAX, &jws, err);
    if (outcome == ERR_NOT_FOUND)
        return OK;
    TRY(outcome);
    TRY(charter_open(bytes_span(&jws), &k->signers, &charter, err));
    if (charter->realm != k->realm)
        return fail_code(err, ERR_DENIED, "realm-mismatch", "the charter is of another realm");
    if (k->state != NULL)
        TRY(keeper_state_raise_charter(k->state, charter->serial, charter->digest, err));
    k->charter = TAKE(charter);
    return OK;
}

enum outcome keeper_open(const char *folder, int64_t challenges_most, struct keeper **out,
                         struct error *err)
{
    OWNED(keeper_drop) struct keeper *k = NEW(struct keeper);
    TRY(open_roots(k, folder, err));
    TRY(open_signer(k, folder, err));
    TRY(open_spare_signers(k, folder, err));
    TRY(open_jwks(k, folder, err));
    TRY(open_memory(k, folder, err));
    TRY(open_simulator(k, folder, err));
    TRY(open_charter(k, folder, err));
    k->amd = snp_cache_new(snp_roots_amd(), CHAINS_KEPT);
    k->instances = map_new(sizeof(struct uuid));
    k->nonces = nonces_new((size_t)challenges_most);
    *out = TAKE(k);
    return OK;
}

static void free_instances(struct map *instances)
{
    size_t at = 0;
    void *known;
    while (instances != NULL && (known = map_next(instances, &at)) != NULL)
        free(known);
    map_free(instances);
}

struct known_instance *keeper_know(struct keeper *k, const struct uuid *instance)
{
    struct known_instance *known = map_get(k->instances, instance);
    if (known == NULL) {
        known = NEW(struct known_instance);
        (void)map_put(k->instances, instance, known);
    }
    return known;
}

void keeper_close(struct keeper *k)
{
    if (k == NULL)
        return;
    for (size_t i = 0; i < k->root_count; i++)
        cert_free(k->roots[i]);
    key_free(k->signer);
    cert_free(k->signer_cert);
    free(k->signer_pem);
    key_free(k->opinion_signer);
    cert_free(k->opinion_cert);
    key_free(k->passport_signer);
    cert_free(k->passport_cert);
    free(k->jwks);
    kek_close(k->kek);
    keeper_state_close(k->state);
    free(k->state_path);
    charter_signers_done(&k->signers);
    charter_free(k->charter);
    free(k->charter_path);
    nonces_free(k->nonces);
    snp_cache_free(k->amd);
    snp_cache_free(k->simulator);
    snp_roots_free(k->simulator_roots);
    bytes_done(&k->simulator_hashes);
    free_instances(k->instances);
    probes_done(&k->probes);
    free(k);
}

enum outcome keeper_need_state(const struct keeper *k, struct error *err)
{
    if (k->state == NULL)
        return fail_code(err, ERR_DENIED, "state-missing",
                         "without its state file the keeper releases nothing: %s",
                         k->state_why.text);
    return OK;
}

enum outcome keeper_check_halt(const struct keeper *k, struct error *err)
{
    const bool remembered = k->state != NULL && keeper_state_is_halted(k->state);
    if (k->halted || remembered)
        return fail_code(err, ERR_DENIED, "probes-accepted",
                         "what must not pass did pass: halt %lld",
                         remembered ? (long long)keeper_state_halts(k->state) : 0LL);
    return OK;
}

static enum outcome names_us(const struct keeper *k, const struct charter *charter,
                             struct error *err)
{
    if (!charter_values_have(&charter->keepers, SPAN_OF(k->signer_key)))
        return fail_code(err, ERR_DENIED, "keeper-not-chartered",
                         "the charter does not name this keeper's key");
    return OK;
}

/* What it signed afterwards nobody would take; better that it says so. */
enum outcome keeper_may_sign(const struct cert *cert, struct error *err)
{
    struct moment until = cert_not_after(cert);
    if (clock_now().us >= until.us)
        return fail_code(err, ERR_DENIED, "keeper-cert-expired", "the %s certificate expired %s",
                         name_of(&cert_role_names, (int)cert_claimed_role(cert)),
                         moment_text(until).at);
    return OK;
}

enum outcome keeper_charter(const struct keeper *k, const struct charter **out, struct error *err)
{
    if (k->charter == NULL)
        return fail_code(err, ERR_DENIED, "no-charter", "no charter was accepted yet");
    TRY(charter_check(k->charter, k->realm, clock_now(), err));
    TRY(names_us(k, k->charter, err));
    TRY(keeper_may_sign(k->signer_cert, err));
    *out = k->charter;
    return OK;
}

/* The file first, then the memory, then use: wherever a crash comes, the next start finds a file
 * that is not behind the memory. */
static enum outcome keep_charter(struct keeper *k, const struct charter *charter, struct span jws,
                                 struct error *err)
{
    TRY(keeper_state_check_charter(k->state, charter->serial, charter->digest, err));
    TRY(file_write(k->charter_path, jws, 0600, err));
    FAULT("keeper-charter-written", err);
    return keeper_state_raise_charter(k->state, charter->serial, charter->digest, err);
}

enum outcome keeper_take_charter(struct keeper *k, const struct charter_wish *wish,
                                 struct charter_reply *out, struct error *err)
{
    OWNED(charter_drop) struct charter *charter = NULL;
    struct span jws = span_of_text(wish->jws);
    TRY(keeper_need_state(k, err));
    TRY(charter_open(jws, &k->signers, &charter, err));
    TRY(charter_check(charter, k->realm, clock_now(), err));
    TRY(names_us(k, charter, err));
    TRY(keep_charter(k, charter, jws, err));
    if (k->charter == NULL || memcmp(k->charter->digest, charter->digest, SHA256_SIZE) != 0)
        probes_hurry(&k->probes); /* the same one again is no reason to work */
    charter_free(k->charter);
    k->charter = TAKE(charter);
    out->serial = k->charter->serial;
    LOG(INFO, "charter.accepted", INT("serial", out->serial));
    return OK;
}

struct cert_term keeper_signing_term(const struct keeper *k)
{
    return cert_term_of(k->signer_cert);
}

size_t keeper_spare_terms(const struct keeper *k, struct cert_term out[static KEEPER_SPARE_TERMS])
{
    const struct cert *const certs[] = {k->opinion_cert, k->passport_cert};
    size_t count = 0;
    for (size_t i = 0; i < countof(certs); i++)
        if (certs[i] != NULL)
            out[count++] = cert_term_of(certs[i]);
    return count;
}

void keeper_hello(const struct keeper *k, struct hello *out)
{
    *out = (struct hello){.protocol = KEEPER_PROTOCOL, .role = LINK_ROLE_KEEPER};
    memcpy(out->boot_id, nonces_boot_id(k->nonces), sizeof out->boot_id);
    error_ignore(text_copy(out->realm, sizeof out->realm, name_of(&realm_names, (int)k->realm),
                           "/realm", NULL));
    error_ignore(text_copy(out->version, sizeof out->version, PACKAGE_VERSION, "/version", NULL));
    out->charter_serial = k->charter != NULL ? k->charter->serial : 0;
    out->signer = mem_text(k->signer_pem);
    out->jwks = k->jwks != NULL ? mem_text(k->jwks) : NULL;
}
