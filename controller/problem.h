/* Problem documents (RFC 9457): how every error of the API looks. */
#ifndef MUSTER_CONTROLLER_PROBLEM_H
#define MUSTER_CONTROLLER_PROBLEM_H

#include "lib/base/json.h"

/* The status of an error: its code's own, where it has one, else its outcome's. */
int problem_status(const struct error *err);
const char *problem_title(int status);

/* {"type","title","status","code","detail","where"?,"request"} and the members of `more` (NULL:
 * none); what is internal is told to the log and not to the asker. */
void problem_print(const struct error *err, int status, const char *request, const json_t *more,
                   struct bytes *out);

/* The same for whoever asked, without words that name our database or our insides: those are for
 * the log. */
struct error problem_outward(const struct error *err);
/* An error may quote bytes of a caller or a cloud that are not text, or half a character. */
void problem_put_text(json_t *problem, const char *name, const char *value);

#endif
