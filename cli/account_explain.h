/* `muster account explain`: one answer of a cloud, as its driver reads it; needs no cloud and no
 * account. */
#ifndef MUSTER_CLI_ACCOUNT_EXPLAIN_H
#define MUSTER_CLI_ACCOUNT_EXPLAIN_H

#include "lib/base/json.h"

enum { EXPLAINED_FILE_MAX = 64 * 1024 * 1024 };

/* ANSWER.json: {"cloud", "operation", "response": {"status", "headers": {}, "body": text}}; what
 * else is in it is for people. Gives {"class": word | null, "retry", "sightings", "notices"}, and
 * with a class {"text"}. */
enum outcome account_explain(const char *file, json_t **out, struct error *err);

#endif
