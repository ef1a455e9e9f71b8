/* The controller's API from the outside: a call is a method, a path and a JSON body, and an answer
 * that is not a success is an error with the server's own code. */
#ifndef MUSTER_CLI_CLIENT_H
#define MUSTER_CLI_CLIENT_H

#include "cli/options.h"
#include "lib/base/json.h"

struct client;

/* ERR_INVALID "no-server" when nobody said where the controller is. Options are borrowed. */
enum outcome client_open(const struct cli_options *options, struct client **out, struct error *err);
void client_close(struct client *client);
DROP(client_drop, struct client, client_close)

/* `path` begins with '/' and is encoded already; `body` may be NULL. *out is NULL for an answer
 * without content. Writes carry an idempotency key of their own, so that one repeated by hand after
 * "ambiguous" is a second request, and one repeated by the network is not. */
enum outcome client_call(struct client *client, const char *method, const char *path,
                         const json_t *body, json_t **out, struct error *err);

/* GET of bytes that are not ours to read. */
enum outcome client_fetch(struct client *client, const char *path, struct bytes *out,
                          struct error *err);

/* GET of a list: follows the cursors and gives all items, `most` at most (0: all). */
enum outcome client_list(struct client *client, const char *path, int64_t most, json_t **out_items,
                         struct error *err);

#endif
