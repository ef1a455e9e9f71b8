#include "controller/auth.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "db/caller_store.h"
#include "lib/base/log.h"
#include "lib/crypto/random.h"

enum { BUCKETS = 1024 };

/* Addresses share buckets by a keyed digest, so the table is bounded and nobody can choose whose
 * budget to eat up. */
struct auth_guard {
    pthread_mutex_t lock;
    uint8_t key[SHA256_SIZE];
    struct {
        int64_t spent_until_ms; /* each bad token moves it on; far ahead means too many */
    } buckets[BUCKETS];
};

struct auth_guard *auth_guard_new(void)
{
    struct auth_guard *guard = NEW(struct auth_guard);
    pthread_mutex_init(&guard->lock, NULL);
    random_fill(guard->key, sizeof guard->key);
    return guard;
}

void auth_guard_free(struct auth_guard *guard)
{
    if (guard == NULL)
        return;
    pthread_mutex_destroy(&guard->lock);
    free(guard);
}

static bool within_budget(struct auth_guard *guard, const char *address)
{
    uint8_t hash[SHA256_SIZE];
    digest_hmac(DIGEST_SHA256, SPAN_OF(guard->key), span_of_text(address), hash);
    size_t bucket = (size_t)(hash[0] << 8 | hash[1]) % BUCKETS;
    int64_t now = clock_monotonic_ms();
    const int64_t most = (int64_t)AUTH_BAD_TOKENS_AT_ONCE * AUTH_BAD_TOKEN_EVERY_MS;
    pthread_mutex_lock(&guard->lock);
    int64_t *until = &guard->buckets[bucket].spent_until_ms;
    if (*until < now)
        *until = now;
    bool within = *until + AUTH_BAD_TOKEN_EVERY_MS <= now + most;
    if (within)
        *until += AUTH_BAD_TOKEN_EVERY_MS;
    pthread_mutex_unlock(&guard->lock);
    return within;
}

static enum outcome audit_bad_token(struct db *db, const char *project, const char *address,
                                    struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    char actor[AUDIT_ACTOR_SIZE];
    snprintf(actor, sizeof actor, "stranger:%s", address);
    TRY(transaction_begin(db, &tx, err));
    TRY(audit_store_add(db, project, actor, "token.refused", "api", NULL, NULL, err));
    return transaction_commit(&tx, err);
}

static enum outcome refuse(struct auth_guard *guard, struct db *db, const char *project,
                           const char *address, struct error *err)
{
    if (!within_budget(guard, address))
        return fail_code(err, ERR_THROTTLED, "too-many-attempts",
                         "too many bad tokens from this address");
    LOG(WARN, "token.refused", TEXT("address", address));
    TRY(audit_bad_token(db, project, address, err));
    return fail_code(err, ERR_DENIED, "unauthenticated", "this token is not known here");
}

enum outcome auth_caller(struct auth_guard *guard, struct db *db, const char *project,
                         const char *header, const char *address, struct caller *out,
                         struct error *err)
{
    static const char scheme[] = "Bearer ";
    if (header == NULL)
        return fail_code(err, ERR_DENIED, "unauthenticated", "an Authorization header is needed");
    if (strncasecmp(header, scheme, sizeof scheme - 1) != 0)
        return fail_code(err, ERR_DENIED, "unauthenticated", "only bearer tokens are taken");
    const char *token = header + sizeof scheme - 1;
    if (strlen(token) >= CALLER_TOKEN_MAX)
        return refuse(guard, db, project, address, err);
    uint8_t hash[SHA256_SIZE];
    caller_hash(token, hash);
    enum outcome found = caller_store_find(db, hash, out, err);
    return found == ERR_NOT_FOUND ? refuse(guard, db, project, address, err) : found;
}

enum outcome auth_require(const struct caller *caller, unsigned may, struct error *err)
{
    if ((may & 1U << caller->role) == 0)
        return fail_code(err, ERR_DENIED, "role-missing", "the role %s may not do this",
                         name_of(&caller_role_names, (int)caller->role));
    return OK;
}
