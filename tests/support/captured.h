/* Requests that real clients of the clouds sent: does ours say what theirs said? */
#ifndef MUSTER_TESTS_CAPTURED_H
#define MUSTER_TESTS_CAPTURED_H

#include "lib/base/json.h"

/* "../shared/vectors/clouds/CLOUD/requests/FILE.json". The caller releases it. */
json_t *captured_request(const char *cloud, const char *file);

/* Whatever the real one says, ours says too; ours may say more. `but_for`: paths as "/tags" of what
 * is not compared, up to NULL. Fails the test where they differ. */
void assert_says_as_much(const json_t *theirs, const json_t *ours, const char *const *but_for);

/* The request as it came, "GET /path HTTP/1.1" and so on, is the real one: method, path, query and
 * headers. A slash at the path's end says nothing, and neither does the type of a body where there
 * is none. */
void assert_sent_alike(const json_t *theirs, const char *heard);

/* "../shared/vectors/clouds/CLOUD/responses/FILE.json": the JSON in its body. */
json_t *recorded_answer(const char *cloud, const char *file);

/* Ours has no member that the real one has not, and every one of the same type. */
void assert_says_no_more(const json_t *ours, const json_t *theirs);

#endif
