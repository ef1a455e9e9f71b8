/* Access tokens: how one is asked for, and the one we have, which is renewed before it ends. The
 * token stays in locked memory and is never logged. */
#ifndef MUSTER_DRIVERS_GCP_GCP_TOKEN_H
#define MUSTER_DRIVERS_GCP_GCP_TOKEN_H

#include "drivers/gcp/gcp_credentials.h"
#include "drivers/rest.h"

#define GCP_SCOPE "https://www.googleapis.com/auth/cloud-platform"

enum {
    GCP_TOKEN_MAX = 16 * 1024,
    GCP_TOKEN_SECONDS = 3600,      /* what we ask for, and the most that we believe */
    GCP_TOKEN_EARLY_SECONDS = 225, /* as Google's own clients; its metadata server keeps a token
                                      until five minutes before its end */
};

struct gcp_token {
    struct locked bearer; /* "Bearer ...", NUL-terminated; empty: none yet */
    int64_t renew_ms;     /* monotonic, as the next: the clock on the wall may be wrong */
    int64_t until_ms;
    bool is_fresh; /* nobody was shown it before */
};

/* The header's value, a loan until the next call. Asks for a new token when it is time; while that
 * fails the old one serves until it ends. A token that was not to be had is `auth`, `throttle` or
 * `server-error`: nothing else has been asked of the cloud yet. */
enum outcome gcp_token_get(struct gcp_token *token, const struct gcp_credentials *who,
                           struct http *http, const char **out, struct error *err);
void gcp_token_forget(struct gcp_token *token); /* the cloud did not take it */
void gcp_token_done(struct gcp_token *token);

/* Pure parts. */
enum outcome gcp_token_form(const struct gcp_credentials *who, struct moment now,
                            struct span subject, struct form *out, struct error *err);
void gcp_token_impersonation(struct text *out);
/* {"access_token", "expires_in"}, or {"accessToken", "expireTime"} as of `now`. */
enum outcome gcp_token_read(struct span body, struct moment now, struct locked *out_bearer,
                            int64_t *out_seconds, struct error *err);

#endif
