/* An HTTP server of one thread that says what the test told it to, in order, and remembers what it
 * was asked. */
#ifndef MUSTER_TESTS_FAKE_HTTP_H
#define MUSTER_TESTS_FAKE_HTTP_H

struct fake_http;

struct fake_http *fake_http_start(void);
void fake_http_stop(struct fake_http *server);

const char *fake_http_url(const struct fake_http *server); /* "http://127.0.0.1:PORT" */

/* The next answer. A status of 0 hangs up instead. */
void fake_http_say(struct fake_http *server, int status, const char *body);

/* With more headers, each "Name: value\r\n". */
void fake_http_say_with(struct fake_http *server, int status, const char *headers,
                        const char *body);

/* The n-th request as it came, head and body, or NULL. */
const char *fake_http_heard(struct fake_http *server, unsigned n);

#endif
