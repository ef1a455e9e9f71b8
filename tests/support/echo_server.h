/* The controller's HTTP server with an owner that says what it heard, and a client that sends it
 * what it likes. */
#ifndef MUSTER_TESTS_ECHO_SERVER_H
#define MUSTER_TESTS_ECHO_SERVER_H

#include <string.h>

#include "controller/http_server.h"

enum { ECHO_WAIT_MS = 10000, ECHO_BODY_MOST = 1000 };

struct http_owner echo_owner(void);
struct http_server_settings echo_settings(void); /* impatient, with small bounds */
struct http_server *echo_open(const struct http_server_settings *settings);

int echo_dial(const struct http_server *server);
void echo_say(int s, const char *text);
char *echo_hear_all(int s); /* until the other side closes; closes too */
char *echo_ask(const struct http_server *server, const char *request);

#define HEAD_END "Host: a\r\nConnection: close\r\n\r\n"

#define assert_status(heard, status)                                                               \
    do {                                                                                           \
        if (strncmp((heard), "HTTP/1.1 " status, 12) != 0)                                         \
            fail_msg("not %s: %.300s", status, (heard));                                           \
    } while (0)

#endif
