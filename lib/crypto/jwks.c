#include "lib/crypto/jwks.h"

#include <string.h>

#include "lib/base/names.h"
#include "lib/crypto/jwk.h"
#include "lib/crypto/token.h"

void jwks_done(struct jwks *set)
{
    for (size_t i = 0; i < set->count; i++)
        cert_free(set->certs[i]);
    *set = (struct jwks){0};
}

bool jwks_takes(enum cert_role role)
{
    return role == ROLE_KEEPER_OPINION || role == ROLE_KEEPER_PASSPORT;
}

/* ---- the set ------------------------------------------------------------------------------ */

static bool same_key(const struct cert *a, const struct cert *b)
{
    uint8_t left[SHA256_SIZE], right[SHA256_SIZE];
    cert_spki_sha256(a, left);
    cert_spki_sha256(b, right);
    return memcmp(left, right, sizeof left) == 0;
}

static void drop_at(struct jwks *set, size_t at)
{
    cert_free(set->certs[at]);
    memmove(&set->certs[at], &set->certs[at + 1], (--set->count - at) * sizeof set->certs[0]);
}

static void drop_over(struct jwks *set, struct moment now)
{
    for (size_t i = set->count; i-- > 0;)
        if (cert_not_after(set->certs[i]).us <= now.us)
            drop_at(set, i);
}

enum outcome jwks_add(struct jwks *set, struct cert *cert, struct moment now, struct error *err)
{
    const struct moment until = cert_not_after(cert);
    drop_over(set, now);
    if (until.us <= now.us)
        return OK;
    for (size_t i = set->count; i-- > 0;) {
        if (!same_key(set->certs[i], cert))
            continue;
        if (cert_not_after(set->certs[i]).us >= until.us)
            return OK;
        drop_at(set, i);
    }
    if (set->count == JWKS_KEYS_MAX)
        return fail_code(err, ERR_CONFLICT, "jwks-full", "%d keys still count; the first ends %s",
                         JWKS_KEYS_MAX, moment_text(cert_not_after(set->certs[0])).at);
    set->certs[set->count++] = cert_share(cert);
    return OK;
}

struct cert *jwks_find(const struct jwks *set, const char *kid)
{
    for (size_t i = 0; i < set->count; i++) {
        OWNED(key_drop) struct key *key = NULL;
        char thumbprint[JWK_THUMBPRINT_SIZE];
        if (cert_key(set->certs[i], &key, NULL) == OK &&
            jwk_thumbprint(key, thumbprint, NULL) == OK && strcmp(thumbprint, kid) == 0)
            return set->certs[i];
    }
    return NULL;
}

/* ---- printing ----------------------------------------------------------------------------- */

enum outcome jwks_key_to_json(const struct cert *cert, json_t **out, struct error *err)
{
    char kid[JWK_THUMBPRINT_SIZE];
    OWNED(key_drop) struct key *key = NULL;
    OWNED(bytes_done) struct bytes der = {0};
    OWNED(json_drop) json_t *jwk = NULL;
    json_t *chain = json_array();
    TRY(cert_key(cert, &key, err));
    enum outcome outcome = jwk_of(key, &jwk, err);
    if (outcome == OK)
        json_put_new(jwk, "x5c", chain);
    else
        json_decref(chain);
    TRY(outcome);
    TRY(jwk_thumbprint(key, kid, err));
    TRY(cert_to_der(cert, &der, err));
    OWNED(mem_drop) char *encoded = base64_of(bytes_span(&der));
    json_add_new(chain, json_string(encoded));
    json_put_text(jwk, "kid", kid);
    json_put_text(jwk, "use", "sig");
    json_put_text(jwk, "alg", jwk_algorithm(key));
    json_put_text(jwk, "muster_role", name_of(&cert_role_names, (int)cert_claimed_role(cert)));
    *out = TAKE(jwk);
    return OK;
}

static void put_deployment(json_t *claims, const struct key *root_key)
{
    uint8_t fingerprint[SHA256_SIZE];
    OWNED(text_done) struct text urn = {0};
    key_fingerprint(root_key, fingerprint);
    text_add(&urn, "urn:muster:deployment:");
    text_add_hex(&urn, SPAN_OF(fingerprint));
    json_put_text(claims, "iss", text_str(&urn));
    json_put_text(claims, "sub", text_str(&urn));
}

enum outcome jwks_sign(const struct jwks *set, const struct key *root_key, struct moment now,
                       char **out, struct error *err)
{
    OWNED(json_drop) json_t *claims = json_object();
    json_t *keys = json_array();
    struct moment until = now;
    json_put_new(claims, "keys", keys);
    put_deployment(claims, root_key);
    for (size_t i = 0; i < set->count; i++) {
        json_t *key;
        TRY(jwks_key_to_json(set->certs[i], &key, err));
        json_add_new(keys, key);
        if (cert_not_after(set->certs[i]).us > until.us)
            until = cert_not_after(set->certs[i]);
    }
    json_put_int(claims, "iat", moment_seconds(now));
    json_put_int(claims, "exp", moment_seconds(until));
    TRY(token_sign(root_key, JWKS_TYP, claims, out, err));
    if (strlen(*out) <= JWKS_SIZE_MAX)
        return OK;
    mem_drop(out);
    return fail_code(err, ERR_CONFLICT, "jwks-full", "the set of keys is too long");
}

/* ---- reading ------------------------------------------------------------------------------ */

static enum outcome malformed(struct error *err, const char *what)
{
    return fail_code(err, ERR_INVALID, "jwks-malformed", "set of keys: %s", what);
}

static enum outcome read_cert(const json_t *key, struct cert **out, struct error *err)
{
    OWNED(bytes_done) struct bytes der = {0};
    json_t *chain;
    if (json_get_array(key, "", "x5c", 1, &chain, NULL) != OK || json_array_size(chain) != 1)
        return malformed(err, "a key without its one certificate");
    const char *encoded = json_string_value(json_array_get(chain, 0));
    if (encoded == NULL || base64_decode(span_of_text(encoded), &der, NULL) != OK ||
        cert_from_der(bytes_span(&der), out, NULL) != OK)
        return malformed(err, "what stands for a certificate is none");
    return OK;
}

/* Nothing of a key counts but what is certified. */
static enum outcome take_key(const json_t *key, struct cert *const *roots, size_t root_count,
                             struct moment now, struct jwks *out, struct error *err)
{
    OWNED(cert_drop) struct cert *cert = NULL;
    OWNED(json_drop) json_t *certified = NULL;
    TRY(read_cert(key, &cert, err));
    const enum cert_role role = cert_claimed_role(cert);
    if (!jwks_takes(role))
        return fail_code(err, ERR_DENIED, "wrong-role", "a key of role %s in a set of keys",
                         name_of(&cert_role_names, (int)role));
    if (cert_not_after(cert).us <= now.us)
        return OK;
    TRY(cert_check_role(cert, role, roots, root_count, now, err));
    if (jwks_key_to_json(cert, &certified, NULL) != OK || !json_equal(certified, key))
        return malformed(err, "a key is not what its certificate says");
    return jwks_add(out, cert, now, err);
}

enum outcome jwks_read(const json_t *document, struct cert *const *roots, size_t root_count,
                       struct moment now, struct jwks *out, struct error *err)
{
    OWNED(jwks_done) struct jwks made = {0};
    json_t *keys;
    if (json_get_array(document, "", "keys", JWKS_KEYS_MAX, &keys, NULL) != OK)
        return malformed(err, "no list of keys");
    size_t i;
    const json_t *key;
    json_array_foreach (keys, i, key)
        TRY(take_key(key, roots, root_count, now, &made, err));
    *out = made;
    made = (struct jwks){0};
    return OK;
}

static enum outcome verify(struct span jwt, struct cert *const *roots, size_t root_count,
                           json_t **out, struct error *err)
{
    for (size_t i = 0; i < root_count; i++) {
        struct error why = {0};
        OWNED(key_drop) struct key *key = NULL;
        TRY(cert_key(roots[i], &key, err));
        enum outcome outcome = token_verify(jwt, JWKS_TYP, key, out, &why);
        if (outcome == ERR_DENIED && strcmp(why.code, "token-key") == 0)
            continue;
        if (outcome != OK && err != NULL)
            *err = why;
        return outcome;
    }
    return fail_code(err, ERR_DENIED, "wrong-root", "not signed by the deployment root");
}

enum outcome jwks_open(struct span jwt, struct cert *const *roots, size_t root_count,
                       struct moment now, struct jwks *out, struct error *err)
{
    OWNED(json_drop) json_t *claims = NULL;
    if (jwt.len > JWKS_SIZE_MAX)
        return malformed(err, "too long");
    TRY(verify(jwt, roots, root_count, &claims, err));
    return jwks_read(claims, roots, root_count, now, out, err);
}
