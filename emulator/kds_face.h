/* The key distribution service of the simulated chip maker: what kdsintf.amd.com serves, for chips
 * that have signed here, and the ways in which such a service fails, on request. */
#ifndef MUSTER_EMULATOR_KDS_FACE_H
#define MUSTER_EMULATOR_KDS_FACE_H

#include <pthread.h>

#include "emulator/http_face.h"
#include "emulator/psp.h"
#include "lib/base/json.h"

enum kds_mode {
    KDS_WELL,
    KDS_THROTTLING, /* 429 with Retry-After */
    KDS_FAILING,    /* 500 */
    KDS_WRONG,      /* the certificate of another TCB, as for a wrong question */
    KDS_SLOW,       /* well, after delay_ms */
    KDS_DARK,       /* the connection is cut */
    KDS_MODE_COUNT
};
extern const struct names kds_mode_names; /* "well", "429", "500", "wrong-certificate", ... */

struct kds_face {
    struct psp *psp;
    pthread_mutex_t lock; /* over what follows */
    enum kds_mode mode;
    int64_t delay_ms;
    int64_t retry_after_seconds;
    int64_t asked;    /* requests so far */
    int64_t answered; /* of these, with what was asked for */
};

void kds_face_init(struct kds_face *face, struct psp *psp);
void kds_face_done(struct kds_face *face);

bool kds_face_is_for(const struct face_request *request);
void kds_face_answer(struct kds_face *face, const struct face_request *request,
                     struct face_answer *out);

/* {"mode": WORD, "delay_ms": N, "retry_after_seconds": N} */
enum outcome kds_face_set(struct kds_face *face, const json_t *wish, struct error *err);
json_t *kds_face_to_json(struct kds_face *face);

#endif
