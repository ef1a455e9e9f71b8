/* `muster charter lint` and `muster charter diff`: what to know before signing a charter. */
#ifndef MUSTER_CLI_CHARTER_REVIEW_H
#define MUSTER_CLI_CHARTER_REVIEW_H

#include "lib/base/json.h"

enum { EXIT_OBJECTED = 3 };

/* A draft (.json) or what was signed (.jws), told apart by its content. `out_signatures` is 0 for a
 * draft; signatures are counted, not checked. */
enum outcome charter_document_read(const char *path, json_t **out, size_t *out_signatures,
                                   struct error *err);

enum outcome charter_review_lint(int argc, char **argv, int *exit_code, struct error *err);
enum outcome charter_review_diff(int argc, char **argv, int *exit_code, struct error *err);

#endif
