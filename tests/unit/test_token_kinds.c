/* Every kind of token that anybody signs here, offered to everybody who reads one, and all signed
 * with the very key that the reader looks for: so the kind alone keeps them apart (trust.md section
 * 6). Nobody takes another's. */
#include <stdlib.h>
#include <string.h>

#include "agent/passports.h"
#include "cli/token.h"
#include "keeper/claims.h"
#include "lib/base/file.h"
#include "lib/crypto/jwks.h"
#include "lib/model/bundle.h"
#include "lib/model/destroy_order.h"
#include "lib/model/reset_order.h"
#include "lib/model/resume_order.h"
#include "lib/model/testimony.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static const char *const typs[] = {
    VERDICT_TYP,       SIMULATED_VERDICT_TYP,
    OPINION_TYP,       SIMULATED_OPINION_TYP,
    PASSPORT_TYP,      SIMULATED_PASSPORT_TYP,
    TESTIMONY_TYP,     SIMULATED_TESTIMONY_TYP,
    JWKS_TYP,          BUNDLE_TYP,
    PROOF_TYP,         CHARTER_TYP,
    RESET_ORDER_TYP,   RESUME_ORDER_TYP,
    DESTROY_ORDER_TYP, "JWT",
};

static struct key *key, *root_key;
static struct cert *root, *opinion, *passport;

static int set_up(void **state)
{
    struct error err = {0};
    const struct moment now = clock_at_seconds(moment_seconds(clock_now()));
    assert_ok(key_generate(KEY_P256, &key, &err));
    assert_ok(key_generate(KEY_P384, &root_key, &err));
    assert_ok(cert_make_root(root_key, REALM_SIMULATION, now, &root, &err));
    assert_ok(
        cert_make_role(root_key, root, key, ROLE_KEEPER_OPINION, NULL, 0, now, 90, &opinion, &err));
    assert_ok(cert_make_role(root_key, root, key, ROLE_KEEPER_PASSPORT, NULL, 0, now, 90, &passport,
                             &err));
    return scratch_open(state);
}

static int tear_down(void **state)
{
    key_drop(&key);
    key_drop(&root_key);
    cert_drop(&root);
    cert_drop(&opinion);
    cert_drop(&passport);
    return scratch_close(state);
}

/* What any reader of claims would like to see, as far as one object can please them all. */
static json_t *claims_for_all(void)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes der = {0};
    const int64_t now = moment_seconds(clock_now());
    json_t *claims = json_object();
    assert_ok(cert_to_der(opinion, &der, &err));
    json_put_text(claims, "iss", "muster-keeper");
    json_put_text(claims, "aud", "muster-opinion");
    json_put_int(claims, "iat", now);
    json_put_int(claims, "exp", now + 300);
    json_put_new(claims, "keys", json_array());
    json_put_base64(claims, "certificate", bytes_span(&der));
    return claims;
}

static char *token_of(const struct key *signer, const char *typ)
{
    struct error err = {0};
    char *token = NULL;
    OWNED(json_drop) json_t *claims = claims_for_all();
    assert_ok(token_sign(signer, typ, claims, &token, &err));
    return token;
}

static char *set_of(const char *typ)
{
    struct error err = {0};
    OWNED(mem_drop) char *bare = NULL;
    char *set = NULL;
    token_set_make(span_of_text("{}"), &bare);
    assert_ok(token_set_sign(span_of_text(bare), typ, key, &set, &err));
    return set;
}

static bool is_one_of(const char *typ, const char *one, const char *other)
{
    return strcmp(typ, one) == 0 || strcmp(typ, other) == 0;
}

/* ---- what keepers and controllers read ------------------------------------------------------- */

static void verdicts_are_read_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(typs); i++) {
        struct error err = {0};
        struct verdict_token token = {0};
        OWNED(mem_drop) char *text = token_of(key, typs[i]);
        assert_int_not_equal(verdict_token_read(span_of_text(text), key, REALM_SIMULATION,
                                                clock_now(), &token, &err),
                             OK);
        const bool ours = is_one_of(typs[i], VERDICT_TYP, SIMULATED_VERDICT_TYP);
        const bool by_name = is_one_of(err.code, "verdict-type", "opinion-not-verdict") ||
                             strcmp(err.code, "passport-not-verdict") == 0;
        assert_int_equal(by_name, !ours);
    }
}

static void testimonies_are_read_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(typs); i++) {
        struct error err = {0};
        struct testimony told = {0};
        OWNED(mem_drop) char *text = token_of(key, typs[i]);
        assert_int_not_equal(testimony_read(span_of_text(text), key, &told, &err), OK);
        assert_string_equal(err.code, is_one_of(typs[i], TESTIMONY_TYP, SIMULATED_TESTIMONY_TYP)
                                          ? "testimony-malformed"
                                          : "token-type");
    }
}

static void sets_of_keys_are_read_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(typs); i++) {
        struct error err = {0};
        OWNED(jwks_done) struct jwks set = {0};
        OWNED(mem_drop) char *text = token_of(root_key, typs[i]);
        enum outcome outcome = jwks_open(span_of_text(text), &root, 1, clock_now(), &set, &err);
        if (strcmp(typs[i], JWKS_TYP) == 0)
            assert_ok(outcome);
        else
            assert_fails(outcome, ERR_DENIED, "token-type");
    }
}

static void bundles_are_read_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(typs); i++) {
        struct error err = {0};
        struct bundle bundle = {0};
        OWNED(mem_drop) char *text = token_of(key, typs[i]);
        assert_int_not_equal(bundle_open(span_of_text(text), &bundle, &err), OK);
        assert_string_equal(err.code,
                            strcmp(typs[i], BUNDLE_TYP) == 0 ? "bundle-format" : "bundle-seal");
    }
}

/* ---- what people sign ------------------------------------------------------------------------ */

struct opened {
    const char *typ;
    enum outcome (*open)(struct span jws, const struct charter_signers *signers, struct error *err);
};

static enum outcome open_charter(struct span jws, const struct charter_signers *signers,
                                 struct error *err)
{
    struct charter *charter = NULL;
    return charter_open(jws, signers, &charter, err);
}

static enum outcome open_reset(struct span jws, const struct charter_signers *signers,
                               struct error *err)
{
    struct reset_order order = {0};
    return reset_order_open(jws, signers, &order, err);
}

static enum outcome open_resume(struct span jws, const struct charter_signers *signers,
                                struct error *err)
{
    struct resume_order order = {0};
    return resume_order_open(jws, signers, &order, err);
}

static enum outcome open_destroy(struct span jws, const struct charter_signers *signers,
                                 struct error *err)
{
    struct destroy_order order = {0};
    return destroy_order_open(jws, signers, &order, err);
}

/* Two are pinned, for an order takes two people; who has signed is counted after what. */
static void what_people_signed_is_read_as_what_they_signed(void **state)
{
    (void)state;
    static const struct opened kinds[] = {{CHARTER_TYP, open_charter},
                                          {RESET_ORDER_TYP, open_reset},
                                          {RESUME_ORDER_TYP, open_resume},
                                          {DESTROY_ORDER_TYP, open_destroy}};
    struct error err = {0};
    OWNED(key_drop) struct key *other = NULL;
    assert_ok(key_generate(KEY_P256, &other, &err));
    const struct charter_signers signers = {.threshold = 1, .count = 2, .keys = {key, other}};
    for (size_t k = 0; k < countof(kinds); k++)
        for (size_t i = 0; i < countof(typs); i++) {
            OWNED(mem_drop) char *set = set_of(typs[i]);
            OWNED(mem_drop) char *compact = token_of(key, typs[i]);
            err = (struct error){0};
            assert_int_not_equal(kinds[k].open(span_of_text(set), &signers, &err), OK);
            assert_int_equal(strcmp(err.code, "token-type") == 0,
                             strcmp(kinds[k].typ, typs[i]) != 0);
            assert_fails(kinds[k].open(span_of_text(compact), &signers, &err), ERR_INVALID,
                         "token-malformed");
        }
}

/* ---- what others read ------------------------------------------------------------------------ */

static void put(const char *folder, const char *name, struct span content)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(folder, name);
    assert_ok(file_write(path, content, 0600, &err));
}

static void put_keys(const char *folder, struct cert *cert)
{
    struct error err = {0};
    OWNED(jwks_done) struct jwks set = {0};
    OWNED(mem_drop) char *jwt = NULL;
    OWNED(bytes_done) struct bytes pem = {0};
    assert_ok(jwks_add(&set, cert, clock_now(), &err));
    assert_ok(jwks_sign(&set, root_key, clock_now(), &jwt, &err));
    assert_ok(cert_to_pem(root, &pem, &err));
    put(folder, "jwks", span_of_text(jwt));
    put(folder, "root", bytes_span(&pem));
}

static int token_verified(const char *folder)
{
    OWNED(mem_drop) char *root_path = scratch_path(folder, "root");
    OWNED(mem_drop) char *jwks_path = scratch_path(folder, "jwks");
    OWNED(mem_drop) char *token_path = scratch_path(folder, "token");
    const char *const words[] = {"token",   "verify",     "--root",         root_path, "--jwks",
                                 jwks_path, "--audience", "muster-opinion", token_path};
    char *argv[countof(words) + 1] = {0};
    for (size_t i = 0; i < countof(words); i++)
        argv[i] = mem_text(words[i]);
    int code = token_main((int)countof(words), argv);
    for (size_t i = 0; i < countof(words); i++)
        free(argv[i]);
    return code;
}

static void others_take_only_what_the_key_is_certified_for(void **state)
{
    const char *folder = *state;
    const struct {
        struct cert *cert;
        const char *typ, *simulated;
    } readers[] = {{opinion, OPINION_TYP, SIMULATED_OPINION_TYP},
                   {passport, PASSPORT_TYP, SIMULATED_PASSPORT_TYP}};
    for (size_t r = 0; r < countof(readers); r++) {
        put_keys(folder, readers[r].cert);
        for (size_t i = 0; i < countof(typs); i++) {
            OWNED(mem_drop) char *text = token_of(key, typs[i]);
            put(folder, "token", span_of_text(text));
            const bool ours = is_one_of(typs[i], readers[r].typ, readers[r].simulated);
            assert_int_equal(token_verified(folder), ours ? 0 : 3);
        }
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(verdicts_are_read_and_nothing_else),
        T(testimonies_are_read_and_nothing_else),
        T(sets_of_keys_are_read_and_nothing_else),
        T(bundles_are_read_and_nothing_else),
        T(what_people_signed_is_read_as_what_they_signed),
        T(others_take_only_what_the_key_is_certified_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
