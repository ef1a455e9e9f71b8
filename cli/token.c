#include "cli/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "lib/base/names.h"
#include "lib/crypto/jwks.h"
#include "lib/crypto/token.h"
#include "lib/model/token_types.h"

enum { ROOTS_MAX = 4, PEM_MAX = 64 * 1024, JWKS_FILE_MAX = 1 << 20 };

struct token_wish {
    struct argument_list roots;
    const char *jwks, *audience, *at, *token;
};

/* What others may be shown, and whose key signs it. */
static const struct kind {
    const char *typ;
    enum cert_role role;
    const char *audience; /* NULL: whoever asks says it */
    bool simulated;
} kinds[] = {
    {OPINION_TYP, ROLE_KEEPER_OPINION, OPINION_AUDIENCE, false},
    {SIMULATED_OPINION_TYP, ROLE_KEEPER_OPINION, OPINION_AUDIENCE, true},
    {PASSPORT_TYP, ROLE_KEEPER_PASSPORT, NULL, false},
    {SIMULATED_PASSPORT_TYP, ROLE_KEEPER_PASSPORT, NULL, true},
};

struct roots {
    size_t count;
    struct cert *at[ROOTS_MAX];
};

static void roots_done(struct roots *roots)
{
    for (size_t i = 0; i < roots->count; i++)
        cert_free(roots->at[i]);
}

/* ---- reading ------------------------------------------------------------------------------ */

static enum outcome read_roots(const struct token_wish *wish, struct roots *out, struct error *err)
{
    for (size_t i = 0; i < wish->roots.count; i++) {
        OWNED(bytes_done) struct bytes pem = {0};
        size_t added = 0;
        TRY(argument_file(wish->roots.at[i], PEM_MAX, &pem, err));
        TRY(cert_list_from_pem(bytes_span(&pem), out->at + out->count, ROOTS_MAX - out->count,
                               &added, err));
        out->count += added;
    }
    return OK;
}

/* As a controller serves it, or as the root signed it. */
static enum outcome read_keys(const struct token_wish *wish, const struct roots *roots,
                              struct moment at, struct jwks *out, struct error *err)
{
    OWNED(bytes_done) struct bytes file = {0};
    OWNED(json_drop) json_t *json = NULL;
    TRY(argument_file(wish->jwks, JWKS_FILE_MAX, &file, err));
    if (file.len > 0 && file.at[0] == '{') {
        TRY(json_parse(bytes_span(&file), JWKS_FILE_MAX, &json, err));
        return jwks_read(json, roots->at, roots->count, at, out, err);
    }
    while (file.len > 0 && file.at[file.len - 1] == '\n')
        file.len--;
    return jwks_open(bytes_span(&file), roots->at, roots->count, at, out, err);
}

static enum outcome read_token(const struct token_wish *wish, struct bytes *out, struct error *err)
{
    TRY(argument_file(wish->token, TOKEN_SIZE_MAX, out, err));
    while (out->len > 0 && out->at[out->len - 1] == '\n')
        out->len--;
    return OK;
}

/* ---- checking ----------------------------------------------------------------------------- */

static enum outcome find_kind(const char *typ, const struct kind **out, struct error *err)
{
    if (strcmp(typ, VERDICT_TYP) == 0 || strcmp(typ, SIMULATED_VERDICT_TYP) == 0)
        return fail_code(err, ERR_DENIED, "verdict-not-for-others",
                         "a verdict is for the keeper that signed it, and nobody else");
    for (size_t i = 0; i < countof(kinds); i++) {
        if (strcmp(kinds[i].typ, typ) != 0)
            continue;
        *out = &kinds[i];
        return OK;
    }
    return fail_code(err, ERR_DENIED, "token-type", "neither an opinion nor a passport: '%s'", typ);
}

static enum outcome find_key(const struct jwks *keys, const char *kid, const struct kind *kind,
                             const struct cert **out, struct error *err)
{
    *out = jwks_find(keys, kid);
    if (*out == NULL)
        return fail_code(err, ERR_DENIED, "key-unknown", "no key is called %s", kid);
    if (cert_claimed_role(*out) != kind->role)
        return fail_code(err, ERR_DENIED, "wrong-role", "a %s key signs no %s",
                         name_of(&cert_role_names, (int)cert_claimed_role(*out)), kind->typ);
    return OK;
}

static enum outcome check_time(const json_t *claims, struct moment at, struct error *err)
{
    const int64_t most = INT64_C(1) << 40;
    int64_t issued, expires, begins;
    TRY(json_get_int(claims, "", "iat", 0, most, &issued, err));
    TRY(json_get_int(claims, "", "exp", 0, most, &expires, err));
    TRY(json_get_int_or(claims, "", "nbf", 0, most, issued, &begins, err));
    if (moment_seconds(at) >= expires)
        return fail_code(err, ERR_DENIED, "token-expired", "expired %s",
                         moment_text(clock_at_seconds(expires)).at);
    if (moment_seconds(at) < begins)
        return fail_code(err, ERR_DENIED, "token-not-yet-valid", "counts from %s",
                         moment_text(clock_at_seconds(begins)).at);
    return OK;
}

static enum outcome check_audience(const json_t *claims, const struct kind *kind,
                                   const struct token_wish *wish, struct error *err)
{
    const char *wanted = wish->audience != NULL ? wish->audience : kind->audience;
    const char *audience;
    if (wanted == NULL)
        return fail(err, ERR_INVALID, "a passport is for somebody: --audience says whom");
    TRY(json_get_text(claims, "", "aud", 1024, &audience, err));
    if (strcmp(audience, wanted) != 0)
        return fail_code(err, ERR_DENIED, "token-audience", "for '%s', not for '%s'", audience,
                         wanted);
    return OK;
}

static void show(const struct kind *kind, const char *kid, json_t *claims)
{
    OWNED(json_drop) json_t *shown = json_object();
    json_put_text(shown, "typ", kind->typ);
    json_put_bool(shown, "simulated", kind->simulated);
    json_put_text(shown, "kid", kid);
    json_put_text(shown, "role", name_of(&cert_role_names, (int)kind->role));
    json_put_new(shown, "claims", json_incref(claims));
    OWNED(mem_drop) char *text = json_print_pretty(shown);
    puts(text);
}

static enum outcome judge(const struct token_wish *wish, struct span token, const struct jwks *keys,
                          struct moment at, struct error *err)
{
    char typ[TOKEN_TYP_SIZE], kid[TOKEN_KID_SIZE];
    const struct kind *kind = NULL;
    const struct cert *cert = NULL;
    OWNED(key_drop) struct key *key = NULL;
    OWNED(json_drop) json_t *claims = NULL;
    TRY(token_claimed(token, typ, kid, err));
    TRY(find_kind(typ, &kind, err));
    TRY(find_key(keys, kid, kind, &cert, err));
    TRY(cert_key(cert, &key, err));
    TRY(token_verify(token, kind->typ, key, &claims, err));
    TRY(check_audience(claims, kind, wish, err));
    TRY(check_time(claims, at, err));
    show(kind, kid, claims);
    return OK;
}

static enum outcome verify(const struct token_wish *wish, struct error *err)
{
    OWNED(roots_done) struct roots roots = {0};
    OWNED(jwks_done) struct jwks keys = {0};
    OWNED(bytes_done) struct bytes token = {0};
    char typ[TOKEN_TYP_SIZE];
    const struct kind *kind = NULL;
    struct moment at = clock_now();
    if (wish->at != NULL)
        TRY(moment_parse(wish->at, &at, err));
    TRY(read_token(wish, &token, err));
    TRY(token_claimed_typ(bytes_span(&token), typ, err));
    TRY(find_kind(typ, &kind, err)); /* before anybody looks for a verdict's key */
    TRY(read_roots(wish, &roots, err));
    TRY(read_keys(wish, &roots, at, &keys, err));
    return judge(wish, bytes_span(&token), &keys, at, err);
}

static enum outcome read_words(int argc, char **argv, struct token_wish *out, struct error *err)
{
    const struct argument table[] = {
        {"--root", .list = &out->roots},
        {"--jwks", .text = &out->jwks},
        {"--audience", .text = &out->audience},
        {"--at", .text = &out->at},
    };
    const bool named = argc > 3 && argv[argc - 1][0] != '-';
    if (argc < 2 || strcmp(argv[1], "verify") != 0)
        return fail(err, ERR_INVALID, "muster token verify ... is what there is");
    out->token = named ? argv[argc - 1] : NULL;
    TRY(arguments_read(named ? argc - 1 : argc, argv, 2, table, countof(table), err));
    if (out->token == NULL || out->roots.count == 0 || out->jwks == NULL)
        return fail(err, ERR_INVALID, "--root, --jwks and the file of a token are needed");
    return OK;
}

int token_main(int argc, char **argv)
{
    struct error err = {0};
    struct token_wish wish = {0};
    enum outcome outcome = read_words(argc, argv, &wish, &err);
    if (outcome == OK)
        outcome = verify(&wish, &err);
    return outcome == OK ? 0 : command_failed(&err);
}
