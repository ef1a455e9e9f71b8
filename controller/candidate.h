/* The charter in force as the next one, to be changed in one thing, looked at and signed by people
 * (`muster charter sign`): what the plans of policies, floors, distrust and cases give out. */
#ifndef MUSTER_CONTROLLER_CANDIDATE_H
#define MUSTER_CONTROLLER_CANDIDATE_H

#include "controller/http_request.h"
#include "controller/charter_plan.h"

/* The charter in force itself. NULL: there is none, or none that this build can read. */
enum outcome candidate_in_force(struct request *r, struct charter **out, struct error *err);

/* A serial higher, dated from now on; `expires` none: as long as a charter may live. ERR_CONFLICT
 * "no-charter" when there is none in force; ERR_INVALID "bad-parameter" when it would live too
 * long. */
enum outcome candidate_next(struct request *r, struct moment expires, json_t **out,
                            struct error *err);

/* ?at=TIME, not in the past; none when it is not said. */
enum outcome candidate_read_at(struct request *r, struct moment *out, struct error *err);

/* Its plan, with the candidate itself as "charter". */
enum outcome candidate_plan(struct request *r, json_t *content, const char *policy,
                            struct charter_plan *out, struct error *err);

#endif
