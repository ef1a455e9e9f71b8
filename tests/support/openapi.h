/* Holds answers to controller/openapi.json: a status that is not named, a member that is not
 * listed, a word that is not among the words fails the test. */
#ifndef MUSTER_TESTS_OPENAPI_H
#define MUSTER_TESTS_OPENAPI_H

#include "lib/base/json.h"

/* `document` is the whole openapi.json; `method` in upper case. */
void assert_answer_is_documented(const json_t *document, const char *method, const char *pattern,
                                 int status, const char *content_type, const json_t *body);

#endif
