/* Heartbeats: buffered by the caller, written as one statement. */
#include "db/instance_store.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct field fields[] = {
    FIELD(beat, instance,  FIELD_UUID),
    FIELD(beat, last_seen, FIELD_MOMENT),
    FIELD(beat, seq,       FIELD_INT),
    FIELD(beat, load,      FIELD_INT),
};
/* clang-format on */
static const struct record beat_record = RECORD(beat, fields);

/* By instance, so that all batches lock in one order; the newest of one instance last. */
static int by_instance(const void *a, const void *b)
{
    const struct beat *x = a, *y = b;
    int order = memcmp(x->instance.at, y->instance.at, sizeof x->instance.at);
    if (order != 0)
        return order;
    return x->last_seen.us < y->last_seen.us ? -1 : x->last_seen.us > y->last_seen.us;
}

enum outcome instance_store_beats(struct db *db, struct beat *beats, size_t count,
                                  struct error *err)
{
    if (count > BEATS_MAX)
        return fail_code(err, ERR_INVALID, "too-many", "%zu heartbeats at once", count);
    struct uuid ids[BEATS_MAX];
    struct moment seen[BEATS_MAX];
    int64_t seqs[BEATS_MAX], loads[BEATS_MAX];
    size_t n = 0;
    qsort(beats, count, sizeof *beats, by_instance);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && uuid_equal(&beats[i].instance, &beats[i + 1].instance))
            continue; /* the next one is newer, and a statement may touch a row once */
        ids[n] = beats[i].instance;
        seen[n] = beats[i].last_seen;
        seqs[n] = beats[i].seq;
        loads[n++] = beats[i].load;
    }
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_BEATS_NEED_NO_FLUSH, NO_PARAMS, NULL, err));
    TRY(db_run(db, SQL_BEATS_PUT,
               PARAMS(p_uuids(ids, n), p_moments(seen, n), p_ints(seqs, n), p_ints(loads, n)), NULL,
               err));
    return transaction_commit(&tx, err);
}

enum outcome instance_store_last_beat(struct db *db, const struct uuid *id, struct beat *out,
                                      struct error *err)
{
    return db_one(db, SQL_BEAT_FIND, PARAMS(p_uuid(id)), &beat_record, out, "heartbeat", err);
}

enum outcome instance_store_silent(struct db *db, int64_t seconds, int64_t limit,
                                   struct instance_list *out, struct error *err)
{
    void *list = NULL;
    size_t count = 0;
    TRY(db_all(db, SQL_INSTANCE_SILENT, PARAMS(p_int(seconds), p_int(limit)), &instance_record,
               &list, &count, err));
    *out = (struct instance_list){list, count};
    return OK;
}
