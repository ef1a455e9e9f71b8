/* The emulator's own server certificate, made anew with each start: some clients speak TLS only. */
#ifndef MUSTER_EMULATOR_TLS_H
#define MUSTER_EMULATOR_TLS_H

#include "emulator/http_face.h"

struct tls {
    char *key; /* PEM, as all three */
    char *certificate;
    char *authority; /* what clients are to trust */
};

enum outcome tls_make(struct tls *out, struct error *err);
void tls_done(struct tls *tls);

#endif
