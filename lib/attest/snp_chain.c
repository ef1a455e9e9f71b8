#include "lib/attest/snp_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

/* SHA-256 of the DER of ARK-Milan, ARK-Genoa and ARK-Turin. */
static const char *const amd_pins[] = {
    "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
    "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
    "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
};

struct snp_roots {
    bool custom;
    struct x509_list given; /* custom roots, which need not come again with the evidence */
};

const struct snp_roots *snp_roots_amd(void)
{
    static const struct snp_roots amd;
    return &amd;
}

bool snp_roots_are_custom(const struct snp_roots *roots)
{
    return roots->custom;
}

void snp_roots_free(struct snp_roots *roots)
{
    if (roots == NULL)
        return;
    x509_list_done(&roots->given);
    free(roots);
}

static bool is_ark_name(const char *name)
{
    return strncmp(name, "ARK-", 4) == 0;
}

enum outcome snp_roots_custom(const struct span *blobs, size_t count, struct snp_roots **out,
                              struct error *err)
{
    OWNED(snp_roots_drop) struct snp_roots *made = NEW(struct snp_roots);
    made->custom = true;
    for (size_t i = 0; i < count; i++)
        TRY(x509_list_read(&made->given, blobs[i], err));
    for (size_t i = 0; i < made->given.count; i++) {
        const struct x509 *root = made->given.at[i];
        if (!is_ark_name(x509_subject(root)))
            return fail_code(err, ERR_INVALID, "malformed", "%s is not the name of a root",
                             x509_subject(root));
        if (x509_check_issued(root, root, err) != OK)
            return fail_code(err, ERR_INVALID, "malformed", "%s is not a self-signed root",
                             x509_subject(root));
    }
    *out = TAKE(made);
    return OK;
}

static bool is_pinned(const struct snp_roots *roots, const struct x509 *ark)
{
    if (roots->custom) {
        for (size_t i = 0; i < roots->given.count; i++)
            if (span_equal(x509_der(roots->given.at[i]), x509_der(ark)))
                return true;
        return false;
    }
    uint8_t hash[SHA256_SIZE];
    x509_sha256(ark, hash);
    for (size_t i = 0; i < countof(amd_pins); i++) {
        uint8_t pin[SHA256_SIZE];
        if (hex_decode_exact(amd_pins[i], pin, sizeof pin, NULL) == OK &&
            memcmp(pin, hash, sizeof pin) == 0)
            return true;
    }
    return false;
}

/* The key's certificate and everything that may be above it. */
struct found {
    struct x509_list ek;
    struct x509_list ca;
};

static void found_done(struct found *found)
{
    x509_list_done(&found->ek);
    x509_list_done(&found->ca);
}

static enum outcome read_table(const struct snp_bundle *bundle, struct snp_endorsements *e,
                               struct found *found, struct error *err)
{
    struct cert_table table;
    TRY(cert_table_read(bundle->cert_table, &table, err));
    e->has_table = true;
    e->table = cert_table_to_json(&table);
    struct span ek =
        cert_table_find(&table, bundle->wanted == SIGNER_VLEK ? TABLE_VLEK : TABLE_VCEK);
    if (ek.len == 0)
        ek = cert_table_find(&table, bundle->wanted == SIGNER_VLEK ? TABLE_VCEK : TABLE_VLEK);
    if (ek.len > 0 && bundle->ek.len == 0)
        TRY(x509_list_read(&found->ek, ek, err));
    const enum cert_table_kind above[] = {TABLE_ASK, TABLE_ARK};
    for (size_t i = 0; i < countof(above); i++) {
        const struct span blob = cert_table_find(&table, above[i]);
        if (blob.len > 0)
            TRY(x509_list_read(&found->ca, blob, err));
    }
    return OK;
}

static enum outcome read_all(const struct snp_bundle *bundle, struct snp_endorsements *e,
                             struct found *found, struct error *err)
{
    if (bundle->ek.len > 0)
        TRY(x509_list_read(&found->ek, bundle->ek, err));
    for (size_t i = 0; i < bundle->ca_count; i++)
        TRY(x509_list_read(&found->ca, bundle->ca[i], err));
    if (bundle->cert_table.len > 0)
        TRY(read_table(bundle, e, found, err));
    if (found->ek.count > 1)
        return fail_code(err, ERR_INVALID, "malformed",
                         "%zu certificates where one VCEK or VLEK "
                         "belongs",
                         found->ek.count);
    return OK;
}

static struct x509 *find_issuer(const struct x509_list *list, const char *name,
                                const struct x509 *child, struct error *why)
{
    error_fill(why, ERR_DENIED, "chain-untrusted", "", "no certificate of %s was given", name);
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(x509_subject(list->at[i]), name) == 0 &&
            x509_check_issued(list->at[i], child, why) == OK)
            return list->at[i];
    return NULL;
}

/* Roots that came with the evidence are only compared; where none came the custom ones stand in. */
static const struct x509_list *arks_among(const struct x509_list *ca, const struct snp_roots *roots)
{
    for (size_t i = 0; i < ca->count; i++)
        if (is_ark_name(x509_subject(ca->at[i])))
            return ca;
    return &roots->given;
}

static struct x509 *find_ark(const struct x509_list *list, const char *name, const struct x509 *ca,
                             const struct snp_roots *roots, struct error *why)
{
    error_fill(why, ERR_DENIED, "chain-untrusted", "", "no certificate of %s was given", name);
    for (size_t i = 0; i < list->count; i++) {
        struct x509 *ark = list->at[i];
        if (strcmp(x509_subject(ark), name) != 0)
            continue;
        if (!is_pinned(roots, ark))
            error_fill(why, ERR_DENIED, "chain-untrusted", "", "this %s is not a pinned root",
                       name);
        else if (x509_check_issued(ark, ark, why) == OK && x509_check_issued(ark, ca, why) == OK)
            return ark;
    }
    return NULL;
}

static enum outcome find_authority(const struct x509_list *list, enum snp_line line,
                                   enum snp_signer signer, const struct snp_roots *roots,
                                   struct snp_authority *out, struct error *err)
{
    char ca_name[X509_NAME_SIZE], ark_name[X509_NAME_SIZE];
    snp_ca_name(signer, line, ca_name);
    snprintf(ark_name, sizeof ark_name, "ARK-%s", name_of(&snp_line_names, (int)line));
    for (size_t i = 0; i < list->count; i++) {
        struct x509 *ca = list->at[i];
        if (strcmp(x509_subject(ca), ca_name) != 0)
            continue;
        struct x509 *ark = find_ark(list, ark_name, ca, roots, err);
        if (ark == NULL)
            return ERR_DENIED;
        *out = (struct snp_authority){x509_share(ca), x509_share(ark)};
        return OK;
    }
    return fail_code(err, ERR_DENIED, "chain-untrusted", "no certificate of %s was given", ca_name);
}

void snp_authority_done(struct snp_authority *authority)
{
    x509_free(authority->ca);
    x509_free(authority->ark);
    *authority = (struct snp_authority){0};
}

enum outcome snp_authority_read(struct span in, enum snp_line line, enum snp_signer signer,
                                const struct snp_roots *roots, struct snp_authority *out,
                                struct error *err)
{
    struct x509_list list = {0};
    enum outcome outcome = x509_list_read(&list, in, err);
    if (outcome == OK && list.count != 2)
        outcome = fail_code(err, ERR_INVALID, "malformed", "%zu certificates, not two", list.count);
    if (outcome == OK)
        outcome = find_authority(&list, line, signer, roots, out, err);
    x509_list_done(&list);
    return outcome;
}

static void build_chain(struct snp_endorsements *e, const struct x509_list *given,
                        const struct snp_roots *roots)
{
    struct error why = {0};
    if (e->facts.line == LINE_UNKNOWN) {
        finding_set(&e->chain, REASON_CHAIN_UNTRUSTED, "%s is issued by %s, which issues none",
                    x509_subject(e->ek), x509_issuer(e->ek));
        return;
    }
    char name[X509_NAME_SIZE];
    snp_ca_name(e->facts.signer, e->facts.line, name);
    struct x509 *ca = find_issuer(given, name, e->ek, &why);
    struct x509 *ark = NULL;
    if (ca != NULL) {
        snprintf(name, sizeof name, "ARK-%s", name_of(&snp_line_names, (int)e->facts.line));
        ark = find_ark(arks_among(given, roots), name, ca, roots, &why);
    }
    if (ark == NULL) {
        finding_set(&e->chain, REASON_CHAIN_UNTRUSTED, "%.180s", why.text);
        return;
    }
    finding_set(&e->chain, REASON_OK, "%s, %s, %s", x509_subject(ark), x509_subject(ca),
                x509_subject(e->ek));
    e->ca = x509_share(ca);
    e->ark = x509_share(ark);
}

static void note_crl(struct snp_endorsements *e, enum crl_state state, const char *detail)
{
    if (state <= e->crl_state)
        return;
    e->crl_state = state;
    snprintf(e->crl_detail, sizeof e->crl_detail, "%.180s", detail);
}

static void read_crl(struct snp_endorsements *e, struct span in)
{
    struct error why = {0};
    OWNED(crl_drop) struct crl *crl = NULL;
    if (crl_from_bytes(in, &crl, &why) != OK) {
        note_crl(e, CRL_BROKEN, why.text);
        return;
    }
    if (!crl_is_from(crl, e->ark)) {
        note_crl(e, CRL_FOREIGN, "the list is from another root");
        return;
    }
    if (crl_check(crl, e->ark, &why) != OK) {
        note_crl(e, CRL_BROKEN, why.text);
        return;
    }
    note_crl(e, CRL_GOOD, "");
    if (crl_lists(crl, e->ca) || crl_lists(crl, e->ark))
        e->revoked = true;
    if (crl_this_update(crl).us > e->crl_this_update.us) {
        e->crl_this_update = crl_this_update(crl);
        e->crl_next_update = crl_next_update(crl);
    }
}

struct snp_endorsements *snp_endorse(const struct snp_bundle *bundle, const struct snp_roots *roots)
{
    struct error why = {0};
    struct snp_endorsements *e = NEW(struct snp_endorsements);
    e->owners = 1;
    e->custom_roots = roots->custom;
    OWNED(found_done) struct found found = {0};
    if (read_all(bundle, e, &found, &why) != OK)
        finding_set(&e->format, REASON_MALFORMED, "%.180s", why.text);
    if (found.ek.count != 1)
        return e;
    e->ek = x509_share(found.ek.at[0]);
    snp_ek_read(e->ek, &e->facts, &e->extensions);
    if (!e->facts.signer_known)
        return e;
    build_chain(e, &found.ca, roots);
    for (size_t i = 0; i < bundle->crl_count && e->ark != NULL; i++)
        read_crl(e, bundle->crl[i]);
    if (p384_from_cert(e->ek, &e->verifier, &why) != OK)
        e->verifier = NULL;
    return e;
}

struct snp_endorsements *snp_endorsements_share(struct snp_endorsements *e)
{
    e->owners++;
    return e;
}

void snp_endorsements_free(struct snp_endorsements *e)
{
    if (e == NULL || --e->owners > 0)
        return;
    x509_free(e->ek);
    x509_free(e->ca);
    x509_free(e->ark);
    p384_free(e->verifier);
    json_decref(e->table);
    free(e);
}

struct cached {
    struct snp_endorsements *e;
    uint64_t used;
};

struct snp_cache {
    const struct snp_roots *roots;
    uint64_t turn;
    size_t room;
    size_t count;
    struct cached *at;
};

struct snp_cache *snp_cache_new(const struct snp_roots *roots, size_t room)
{
    struct snp_cache *cache = NEW(struct snp_cache);
    cache->roots = roots;
    cache->room = room > 0 ? room : 1;
    cache->at = mem_new(cache->room, sizeof *cache->at);
    return cache;
}

void snp_cache_free(struct snp_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < cache->count; i++)
        snp_endorsements_free(cache->at[i].e);
    free(cache->at);
    free(cache);
}

const struct snp_roots *snp_cache_roots(const struct snp_cache *cache)
{
    return cache->roots;
}

static void hash_span(struct digest_run *run, struct span in)
{
    const uint64_t len = in.len;
    digest_more(run, SPAN(&len, sizeof len));
    if (in.len > 0)
        digest_more(run, in);
}

static void bundle_key(const struct snp_bundle *b, uint8_t out[static SHA256_SIZE])
{
    const uint64_t shape[] = {b->ca_count, b->crl_count, b->wanted};
    struct digest_run run;
    digest_start(&run, DIGEST_SHA256);
    hash_span(&run, SPAN_OF(shape));
    hash_span(&run, b->ek);
    hash_span(&run, b->cert_table);
    for (size_t i = 0; i < b->ca_count; i++)
        hash_span(&run, b->ca[i]);
    for (size_t i = 0; i < b->crl_count; i++)
        hash_span(&run, b->crl[i]);
    digest_end(&run, out);
}

static struct cached *slot_for_new(struct snp_cache *cache)
{
    if (cache->count < cache->room)
        return &cache->at[cache->count++];
    struct cached *oldest = &cache->at[0];
    for (size_t i = 1; i < cache->count; i++)
        if (cache->at[i].used < oldest->used)
            oldest = &cache->at[i];
    snp_endorsements_free(oldest->e);
    return oldest;
}

struct snp_endorsements *snp_cache_get(struct snp_cache *cache, const struct snp_bundle *bundle)
{
    uint8_t key[SHA256_SIZE];
    bundle_key(bundle, key);
    cache->turn++;
    for (size_t i = 0; i < cache->count; i++)
        if (memcmp(cache->at[i].e->key, key, sizeof key) == 0) {
            cache->at[i].used = cache->turn;
            return snp_endorsements_share(cache->at[i].e);
        }
    struct snp_endorsements *e = snp_endorse(bundle, cache->roots);
    memcpy(e->key, key, sizeof key);
    if (e->ark != NULL)
        *slot_for_new(cache) = (struct cached){snp_endorsements_share(e), cache->turn};
    return e;
}
