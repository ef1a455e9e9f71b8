/* What the readers of a charter's parts share; nobody else includes it. */
#ifndef MUSTER_MODEL_CHARTER_INSIDE_H
#define MUSTER_MODEL_CHARTER_INSIDE_H

#include "lib/model/charter.h"

struct charter_path {
    char at[ERROR_WHERE_SIZE];
};
struct charter_path charter_below(const char *path, const char *name);
/* ERR_INVALID "bad-charter". */
enum outcome charter_bad(struct error *err, const char *where, const char *what);

enum outcome charter_read_names(const json_t *object, const char *path, const char *name,
                                bool may_be_any, struct charter_names *out, struct error *err);
enum outcome charter_read_word(const json_t *object, const char *path, const char *name,
                               const struct names *names, int *out, struct error *err);

/* After the policies, which both name. */
enum outcome charter_read_grants(const json_t *whole, struct charter *out, struct error *err);
enum outcome charter_read_parties(const json_t *whole, struct charter *out, struct error *err);

enum outcome charter_read_clouds(const json_t *whole, struct charter *out, struct error *err);
void charter_clouds_done(struct charter_clouds *clouds);

#endif
