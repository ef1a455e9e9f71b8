#include "cli/keeper_init.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/keeper_recovery.h"
#include "lib/base/file.h"
#include "lib/crypto/jwks.h"
#include "lib/crypto/kek.h"
#include "lib/model/charter.h"
#include "lib/model/keeper_state.h"

enum { SIMULATOR_ROOT_MAX = 64 * 1024, SIGNER_MAX = 16 * 1024, PRIVATE = 0600, PUBLIC = 0644 };

/* What one run makes and needs again. */
struct making {
    const struct keeper_init *init;
    struct moment now;
    struct key *root_key;
    struct cert *root;
    struct key *charter_key;
    char *signers; /* signers.json */
    struct recovery_certs recovery;
    uint8_t signer[SHA256_SIZE]; /* keeper-sign's key */
    struct bytes simulator_root;
    struct jwks jwks;
};

static void making_done(struct making *m)
{
    key_free(m->root_key);
    cert_free(m->root);
    key_free(m->charter_key);
    free(m->signers);
    recovery_certs_done(&m->recovery);
    bytes_done(&m->simulator_root);
    jwks_done(&m->jwks);
}

static char *path_to(const struct making *m, const char *folder, const char *name)
{
    OWNED(text_done) struct text path = {0};
    text_addf(&path, "%s/%s/%s", m->init->folder, folder, name);
    return text_take(&path);
}

static enum outcome put(const struct making *m, const char *folder, const char *name,
                        struct span content, mode_t mode, struct error *err)
{
    OWNED(mem_drop) char *path = path_to(m, folder, name);
    return file_create(path, content, mode, err);
}

static enum outcome put_cert(const struct making *m, const char *folder, const char *name,
                             const struct cert *cert, struct error *err)
{
    OWNED(bytes_done) struct bytes pem = {0};
    TRY(cert_to_pem(cert, &pem, err));
    return put(m, folder, name, bytes_span(&pem), PUBLIC, err);
}

static enum outcome put_key(const struct making *m, const char *folder, const char *name,
                            const struct key *key, struct error *err)
{
    OWNED(bytes_wipe) struct bytes pem = {0};
    TRY(key_to_private_pem(key, &pem, err));
    return put(m, folder, name, bytes_span(&pem), PRIVATE, err);
}

static enum outcome check_empty(const struct making *m, struct error *err)
{
    static const char *const folders[] = {"root",  "keeper",  "controller",
                                          "agent", "charter", "recovery"};
    for (size_t i = 0; i < countof(folders); i++) {
        OWNED(mem_drop) char *path = path_to(m, folders[i], "");
        if (access(path, F_OK) == 0)
            return fail_code(err, ERR_CONFLICT, "already-there", "%s is there already", path);
        if (strcmp(folders[i], "recovery") != 0 || m->recovery.count > 0)
            TRY(folder_make(path, 0700, err));
    }
    return OK;
}

static enum outcome read_simulator_root(struct making *m, struct error *err)
{
    if (m->init->simulator_root == NULL)
        return OK;
    if (m->init->realm != REALM_SIMULATION)
        return fail_code(err, ERR_DENIED, "simulator-in-production",
                         "a production keeper takes no simulator's root");
    return file_read(m->init->simulator_root, SIMULATOR_ROOT_MAX, &m->simulator_root, err);
}

static enum outcome make_root(struct making *m, struct error *err)
{
    TRY(key_generate(KEY_P384, &m->root_key, err));
    TRY(cert_make_root(m->root_key, m->init->realm, m->now, &m->root, err));
    TRY(put_key(m, "root", "key.pem", m->root_key, err));
    TRY(put_cert(m, "root", "cert.pem", m->root, err));
    TRY(put_cert(m, "keeper", "root.pem", m->root, err));
    TRY(put_cert(m, "controller", "root.pem", m->root, err));
    return put_cert(m, "agent", "root.pem", m->root, err);
}

/* clang-format off */
const struct role_files role_files[ROLE_FILES] = {
    {ROLE_CONTROLLER,      "controller", "key.pem",          "cert.pem"},
    {ROLE_KEEPER_LINK,     "keeper",     "link-key.pem",     "link-cert.pem"},
    {ROLE_KEEPER_SIGN,     "keeper",     "sign-key.pem",     "sign-cert.pem"},
    {ROLE_KEEPER_IMPORT,   "keeper",     "import-key.pem",   "import-cert.pem"},
    {ROLE_KEEPER_OPINION,  "keeper",     "opinion-key.pem",  "opinion-cert.pem"},
    {ROLE_KEEPER_PASSPORT, "keeper",     "passport-key.pem", "passport-cert.pem"},
};
/* clang-format on */

static enum outcome make_role(struct making *m, const struct role_files *files, struct error *err)
{
    static const char *const localhost[] = {"localhost", "127.0.0.1"};
    const struct argument_list *given = &m->init->controller_names;
    bool named = files->role == ROLE_CONTROLLER;
    OWNED(key_drop) struct key *key = NULL;
    OWNED(cert_drop) struct cert *cert = NULL;
    TRY(key_generate(KEY_P256, &key, err));
    TRY(cert_make_role(m->root_key, m->root, key, files->role,
                       given->count > 0 ? given->at : localhost,
                       !named             ? 0
                       : given->count > 0 ? given->count
                                          : countof(localhost),
                       m->now, ROLE_CERT_DAYS_MAX, &cert, err));
    if (files->role == ROLE_KEEPER_SIGN)
        cert_spki_sha256(cert, m->signer);
    if (jwks_takes(files->role))
        TRY(jwks_add(&m->jwks, cert, m->now, err));
    TRY(put_key(m, files->folder, files->key, key, err));
    return put_cert(m, files->folder, files->cert, cert, err);
}

static enum outcome make_jwks(const struct making *m, struct error *err)
{
    OWNED(mem_drop) char *signed_set = NULL;
    TRY(jwks_sign(&m->jwks, m->root_key, m->now, &signed_set, err));
    return put(m, "keeper", "jwks.jwt", span_of_text(signed_set), PUBLIC, err);
}

/* In the simulation realm nothing is lost with the key. */
static enum outcome read_recovery(struct making *m, struct error *err)
{
    TRY(recovery_certs_read(&m->init->recovery, &m->recovery, err));
    if (m->recovery.count == 0 && m->init->realm == REALM_PRODUCTION)
        return fail_code(err, ERR_INVALID, "recovery-keys",
                         "the key of a production keeper needs recovery certificates");
    return OK;
}

static enum outcome make_recovery(const struct making *m, const char *kek_path, struct error *err)
{
    struct recovery_files files = {0};
    if (m->recovery.count == 0)
        return OK;
    TRY(recovery_files_make(kek_path, &m->recovery, &files, err));
    OWNED(bytes_done) struct bytes wrapped = files.wrapped;
    OWNED(text_done) struct text line = {0};
    text_addf(&line, "%s\n", files.fingerprint);
    TRY(put(m, "recovery", "kek.cms", bytes_span(&wrapped), PUBLIC, err));
    return put(m, "recovery", "kek.sha256", text_span(&line), PUBLIC, err);
}

static enum outcome make_memory(const struct making *m, struct error *err)
{
    OWNED(mem_drop) char *kek_path = path_to(m, "keeper", "kek");
    OWNED(mem_drop) char *state_path = path_to(m, "keeper", "state");
    OWNED(kek_drop) struct kek *kek = NULL;
    TRY(kek_file_create(kek_path, m->init->realm, err));
    TRY(kek_file_open(kek_path, m->init->realm, &kek, err));
    TRY(make_recovery(m, kek_path, err));
    TRY(keeper_state_create(state_path, kek, 1, err));
    if (m->simulator_root.len == 0)
        return OK;
    return put(m, "keeper", "simulator-root.pem", bytes_span(&m->simulator_root), PUBLIC, err);
}

static enum outcome pin_key(const struct key *key, json_t *keys, struct error *err)
{
    OWNED(bytes_done) struct bytes pem = {0};
    TRY(key_to_public_pem(key, &pem, err));
    json_add_new(keys, json_stringn((const char *)pem.at, pem.len));
    return OK;
}

static enum outcome pin_given(const struct making *m, json_t *keys, struct error *err)
{
    for (size_t i = 0; i < m->init->signers.count; i++) {
        OWNED(bytes_done) struct bytes pem = {0};
        OWNED(key_drop) struct key *key = NULL;
        TRY(file_read(m->init->signers.at[i], SIGNER_MAX, &pem, err));
        TRY(key_from_public_pem(bytes_span(&pem), &key, err));
        TRY(pin_key(key, keys, err));
    }
    return OK;
}

/* Read back as the keeper will: a key twice or of another kind fails here and not at its start. */
static enum outcome choose_signers(struct making *m, struct error *err)
{
    OWNED(json_drop) json_t *signers = json_object();
    OWNED(charter_signers_done) struct charter_signers read = {0};
    json_t *keys = json_array();
    json_put_int(signers, "threshold", m->init->threshold);
    json_put_new(signers, "keys", keys);
    TRY(key_generate(KEY_P256, &m->charter_key, err));
    TRY(pin_key(m->charter_key, keys, err));
    TRY(pin_given(m, keys, err));
    m->signers = json_print_pretty(signers);
    return charter_signers_parse(span_of_text(m->signers), &read, err);
}

static enum outcome put_signers(const struct making *m, struct error *err)
{
    TRY(put_key(m, "charter", "key.pem", m->charter_key, err));
    TRY(put(m, "controller", "signers.json", span_of_text(m->signers), PUBLIC, err));
    return put(m, "keeper", "signers.json", span_of_text(m->signers), PUBLIC, err);
}

static json_t *hex_list(struct span values)
{
    json_t *list = json_array();
    for (size_t at = 0; at < values.len; at += SHA256_SIZE) {
        OWNED(mem_drop) char *hex = hex_of(SPAN(values.at + at, SHA256_SIZE));
        json_add_new(list, json_string(hex));
    }
    return list;
}

/* Allows nothing yet: policies, references and grants are the owner's to write. */
static json_t *charter_to_start_from(const struct making *m, struct span simulator_hashes)
{
    json_t *charter = json_object();
    json_t *deny = json_object();
    json_t *custody = json_object();
    static const char *const lists[] = {"chips",    "measurements", "anchors", "guest_keys",
                                        "products", "regions",      "signers"};
    for (size_t i = 0; i < countof(lists); i++)
        json_put_new(deny, lists[i], json_array());
    json_put_text(custody, "keeper", "on-premises");
    json_put_text(custody, "kek", "file");
    json_put_int(charter, "charter", 1);
    json_put_text(charter, "realm", name_of(&realm_names, (int)m->init->realm));
    json_put_int(charter, "serial", 1);
    json_put_moment(charter, "issued", m->now);
    json_put_moment(charter, "expires",
                    moment_add_seconds(m->now, INT64_C(86400) * CHARTER_DAYS_MAX));
    json_put_new(charter, "policies", json_object());
    json_put_new(charter, "references", json_object());
    json_put_new(charter, "grants", json_object());
    json_put_new(charter, "tcb_floors", json_object());
    json_put_new(charter, "deny", deny);
    json_put_new(charter, "keepers", hex_list(SPAN_OF(m->signer)));
    json_put_new(charter, "relying_parties", json_object());
    json_put_new(charter, "custody", custody);
    if (simulator_hashes.len > 0)
        json_put_new(charter, "simulator_roots", hex_list(simulator_hashes));
    return charter;
}

static enum outcome make_charter(const struct making *m, struct error *err)
{
    OWNED(bytes_done) struct bytes hashes = {0};
    if (m->simulator_root.len > 0)
        TRY(charter_root_hashes(bytes_span(&m->simulator_root), &hashes, err));
    OWNED(json_drop) json_t *charter = charter_to_start_from(m, bytes_span(&hashes));
    OWNED(mem_drop) char *text = json_print_pretty(charter);
    return put(m, "charter", "charter.json", span_of_text(text), PUBLIC, err);
}

static enum outcome make_settings(const struct making *m, struct error *err)
{
    const struct argument_list *controllers = &m->init->controllers;
    OWNED(text_done) struct text conf = {0};
    text_addf(&conf, "# muster-keeper: see doc/keeper.md\nfolder = %s/keeper\ncontrollers = ",
              m->init->folder);
    for (size_t i = 0; i < controllers->count; i++)
        text_addf(&conf, "%s%s", i > 0 ? " " : "", controllers->at[i]);
    if (controllers->count == 0)
        text_add(&conf, "tls+tcp://127.0.0.1:7443");
    text_add(&conf, "\n");
    return put(m, "keeper", "keeper.conf", text_span(&conf), PUBLIC, err);
}

enum outcome keeper_init(const struct keeper_init *init, struct error *err)
{
    OWNED(making_done) struct making m = {.init = init, .now = clock_now()};
    m.now = clock_at_seconds(moment_seconds(m.now));
    TRY(read_simulator_root(&m, err));
    TRY(choose_signers(&m, err));
    TRY(read_recovery(&m, err));
    TRY(check_empty(&m, err));
    TRY(make_root(&m, err));
    for (size_t i = 0; i < ROLE_FILES; i++)
        TRY(make_role(&m, &role_files[i], err));
    TRY(make_jwks(&m, err));
    TRY(make_memory(&m, err));
    TRY(put_signers(&m, err));
    TRY(make_charter(&m, err));
    return make_settings(&m, err);
}
