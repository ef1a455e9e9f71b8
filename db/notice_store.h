/* What clouds say that they will do to the hosts of our machines, as the watch heard it. */
#ifndef MUSTER_DB_NOTICE_STORE_H
#define MUSTER_DB_NOTICE_STORE_H

#include "db/account_store.h"
#include "db/db_row.h"
#include "lib/model/instance.h"

enum {
    NOTICES_OF_MACHINE = 64, /* heard of one machine in a look; and of those that ended, kept */
    NOTICE_CHANGES = 8,      /* of one notice; more are heard once an hour */
};
#define NOTICE_LATEST INT64_C(253402300799) /* the last second of the year 9999 */

/* One look at an account. `said` is what its cloud says: an array of {"ref", "kind", "event",
 * "status", "not_before", "not_after", "deadline", "is_ours_to_time", "text"}, as JSON text. */
struct notice_look {
    const struct account_place *place;
    const char *said;
    bool whole; /* what is not in it has ended */
};
struct notice_changes {
    int64_t given, changed, ended;
};
/* One statement, however much was said. Each change has its history and its audit entry with it. */
enum outcome notice_store_look(struct db *db, const struct notice_look *look, const char *actor,
                               struct notice_changes *out, struct error *err);

struct notice_row {
    struct uuid id;
    struct uuid instance;
    char fleet[NAME_SIZE];
    char account[NAME_SIZE];
    char cloud[NAME_SIZE];
    char region[NAME_SIZE];
    char zone[NAME_SIZE];
    char ref[CLOUD_REF_SIZE];
    char event[96]; /* the cloud's id of it; may be empty */
    char kind[48];  /* this and the status as the cloud spells them */
    char status[32];
    struct moment begins; /* not_before; of one that does not say so, when it was first heard */
    struct moment not_before;
    struct moment not_after;
    struct moment deadline;
    bool is_ours_to_time;
    char text[256];
    struct moment first_seen;
    struct moment given; /* once more, when it had ended before */
    struct moment changed;
    int64_t changes;
    struct moment ended;
};
extern const struct record notice_row_record;
RECORD_LIST(notice_row);

enum { NOTICE_CURSOR_SIZE = 64 };

/* NULL, "" or zero means any. What begins first comes first. */
struct notice_filter {
    const char *project; /* required */
    const char *fleet, *account;
    struct uuid instance;
    bool with_ended;
    int64_t limit;      /* 1..1000 */
    const char *cursor; /* opaque; ERR_INVALID "bad-cursor" */
};
/* `out_cursor` is "" when there is no further page. */
enum outcome notice_store_list(struct db *db, const struct notice_filter *filter,
                               struct notice_row_list *out,
                               char out_cursor[static NOTICE_CURSOR_SIZE], struct error *err);
enum outcome notice_store_find(struct db *db, const char *project, const struct uuid *id,
                               struct notice_row *out, struct error *err);

struct notice_change {
    int64_t id;
    struct moment at;
    char change[8]; /* "given" | "changed" | "ended" */
    char status[32];
    struct moment not_before;
    struct moment not_after;
    struct moment deadline;
    int64_t audit;
};
extern const struct record notice_change_record;
RECORD_LIST(notice_change);
/* The last ones first. */
enum outcome notice_store_history(struct db *db, const struct uuid *id, int64_t limit,
                                  struct notice_change_list *out, struct error *err);

/* What stands for a fleet's machines. */
struct notice_sum {
    int64_t count;
    int64_t instances;
    struct moment next; /* when the first of them begins; may be past */
};
enum outcome notice_store_of_fleet(struct db *db, const char *project, const char *fleet,
                                   struct notice_sum *out, struct error *err);
/* Over all projects; near is what begins soon for machines that are still there. */
enum outcome notice_store_count(struct db *db, int64_t *out_count, int64_t *out_near,
                                struct error *err);

#endif
