#include "controller/orphans.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/crypto/digest.h"
#include "lib/model/message.h"

struct orphan {
    uint8_t key[SHA256_SIZE]; /* of account and name */
    uint8_t like[SHA256_SIZE];
    char account[ORPHAN_ACCOUNT_SIZE];
    int64_t round;
};

static void digest_words(const char *one, const char *other, uint8_t out[static SHA256_SIZE])
{
    struct digest_run run;
    digest_start(&run, DIGEST_SHA256);
    digest_more(&run, SPAN(one, strlen(one) + 1));
    digest_more(&run, span_of_text(other));
    digest_end(&run, out);
}

void orphans_done(struct orphans *orphans)
{
    size_t at = 0;
    if (orphans->known == NULL)
        return;
    for (struct orphan *one; (one = map_next(orphans->known, &at)) != NULL;)
        free(one);
    map_free(orphans->known);
    *orphans = (struct orphans){0};
}

void orphans_begin(struct orphans *orphans)
{
    if (orphans->known == NULL)
        orphans->known = map_new(SHA256_SIZE);
    orphans->round++;
}

bool orphans_note(struct orphans *orphans, const char *account, const struct sighting *seen)
{
    uint8_t key[SHA256_SIZE], like[SHA256_SIZE];
    digest_words(account, seen->ref, key);
    digest_words(name_of(&machine_state_names, (int)seen->state), seen->client_token, like);
    struct orphan *one = map_get(orphans->known, key);
    bool is_new = one == NULL;
    if (is_new) {
        one = NEW(struct orphan);
        memcpy(one->key, key, sizeof one->key);
        error_ignore(text_copy(one->account, sizeof one->account, account, "account", NULL));
        map_put(orphans->known, key, one);
    }
    bool changed = is_new || memcmp(one->like, like, sizeof like) != 0;
    memcpy(one->like, like, sizeof like);
    one->round = orphans->round;
    return changed;
}

void orphans_keep(struct orphans *orphans, const char *account)
{
    size_t at = 0;
    for (struct orphan *one; (one = map_next(orphans->known, &at)) != NULL;)
        if (strcmp(one->account, account) == 0)
            one->round = orphans->round;
}

int64_t orphans_end(struct orphans *orphans)
{
    size_t at = 0, gone = 0;
    OWNED(mem_drop)
    struct orphan **list = mem_new(map_count(orphans->known) + 1, sizeof(struct orphan *));
    for (struct orphan *one; (one = map_next(orphans->known, &at)) != NULL;)
        if (one->round != orphans->round)
            list[gone++] = one;
    for (size_t i = 0; i < gone; i++)
        free(map_take(orphans->known, list[i]->key));
    return (int64_t)map_count(orphans->known);
}
