/* Proving what this guest is, again and again: when the next appraisal is due, its keys, its
 * requests. It knows nothing of connections: the session carries the bodies. */
#ifndef MUSTER_AGENT_APPRAISAL_H
#define MUSTER_AGENT_APPRAISAL_H

#include "agent/metadata_source.h"
#include "agent/tee.h"
#include "lib/crypto/cert.h"
#include "lib/model/message.h"

/* Who we are; borrowed for the appraisal's life. */
struct appraisal_guest {
    struct uuid instance;
    const struct key *link_key;
    struct cert *const *roots; /* the ones we trust: current and next */
    size_t root_count;
    struct tee *tee;
    const struct metadata_source *metadata; /* NULL: no documents */
    int64_t boot; /* boot generation: changes with each boot of the machine */
    int64_t retry_first_seconds;
    int64_t retry_most_seconds;
};

/* The sealing key under the last verdict, and the one of the appraisal under way. */
enum { KEY_CURRENT, KEY_PENDING, APPRAISAL_KEYS };

struct appraisal {
    const struct appraisal_guest *guest;
    struct key *keys[APPRAISAL_KEYS];
    bool trusted;   /* as the last verdict said */
    int64_t due_ms; /* clock_monotonic_ms */
    int64_t begun_ms;
    bool demanded; /* since it began: the controller wishes another one */
    int failures;  /* in a row */
    int agains;    /* challenges that were too old, in a row */
    int silences;  /* of the metadata service, in a row */
    uint8_t nonce[NONCE_SIZE];
    struct bytes evidence;
    int64_t part;
    int64_t parts;
};

void appraisal_init(struct appraisal *a, const struct appraisal_guest *guest);
void appraisal_done(struct appraisal *a);

bool appraisal_is_due(const struct appraisal *a);
void appraisal_hurry(struct appraisal *a); /* due now, unless it is waiting after failures */
/* The controller wishes it: due now, or when the one under way is done; at most once a second. */
void appraisal_demand(struct appraisal *a);

/* A new sealing key, and the body of attest-begin. */
enum outcome appraisal_begin(struct appraisal *a, struct bytes *out_request, struct error *err);

/* The challenge came: evidence over it, and the body of its first part. ERR_DENIED "wrong-root"
 * when it speaks for a root that this guest does not trust. */
enum outcome appraisal_challenged(struct appraisal *a, struct span reply, struct bytes *out_request,
                                  struct error *err);

/* A part was answered: the body of the next part; none when it was the verdict, which is then in
 * `out_verdict` and obeyed here. */
enum outcome appraisal_answered(struct appraisal *a, struct span reply, struct bytes *out_request,
                                struct verdict_notice *out_verdict, struct error *err);

/* It came to nothing: wait, longer each time, with full jitter. */
void appraisal_failed(struct appraisal *a, const struct error *why);

/* Others come first: again after so long and a little, so that those who were told the same do not
 * come together. What it holds stands meanwhile, and it is no failure. */
void appraisal_put_off(struct appraisal *a, int64_t after_ms);

/* The connection was lost in the middle: begin anew on the next one. The pending key stays until
 * then, for the verdict may have been given and its secrets be on their way. */
void appraisal_interrupted(struct appraisal *a);

#endif
