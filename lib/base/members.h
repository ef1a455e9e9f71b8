/* A JSON object printed as it is made, with no tree in between: the values are written one after
 * the other, and put in the order of their names at the end. The bytes are json_print()'s. */
#ifndef MUSTER_BASE_MEMBERS_H
#define MUSTER_BASE_MEMBERS_H

#include "lib/base/record.h"

/* Those of any record, and some beside them. */
enum { MEMBERS_BESIDE = 8, MEMBERS_MAX = RECORD_FIELDS_MAX + MEMBERS_BESIDE };

/* Zero-initialise; release with members_done (also for OWNED). Names are borrowed and need no
 * escape; each comes once. More than MEMBERS_MAX end the process. */
struct members {
    struct text values;
    size_t count;
    struct members_item {
        const char *name;
        size_t name_len;
        size_t from, len; /* in `values` */
    } at[MEMBERS_MAX];
};

void members_done(struct members *m);

void members_text(struct members *m, const char *name, const char *value); /* clean UTF-8 */
void members_int(struct members *m, const char *name, int64_t value);
void members_bool(struct members *m, const char *name, bool value);
void members_uuid(struct members *m, const char *name, const struct uuid *value);
void members_moment(struct members *m, const char *name, struct moment value); /* null when none */
void members_hex(struct members *m, const char *name, struct span value);
void members_base64(struct members *m, const char *name, struct span value);
void members_json(struct members *m, const char *name, const json_t *value);
void members_printed(struct members *m, const char *name, struct span json); /* as it is */
void members_object(struct members *m, const char *name, const struct members *value);
/* Whatever record_to_json() makes of it. */
void members_record(struct members *m, const struct record *record, const void *object);

void members_print(const struct members *m, struct text *out);

#endif
