/* A keeper that seals and a guest that opens, without anything between them. */
#ifndef MUSTER_TESTS_SEALED_H
#define MUSTER_TESTS_SEALED_H

#include "lib/crypto/seal.h"

struct sealed {
    struct key *root_key;
    struct cert *root;
    struct key *signer;
    struct cert *signer_cert;
    struct key *sealing_key;
    struct seal_header header;
    struct seal_expected expected;
};

int sealed_set_up(void **state, enum key_kind sealing);
int sealed_tear_down(void **state);

struct bytes sealed_text(struct sealed *w, const char *payload);
enum outcome sealed_open(struct sealed *w, struct span envelope, struct error *err);

#endif
