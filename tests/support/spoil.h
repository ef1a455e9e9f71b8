/* One thing about guest or challenge that is not what was challenged for: evidence that is made
 * then answers something else. */
#ifndef MUSTER_TESTS_SPOIL_H
#define MUSTER_TESTS_SPOIL_H

#include "tests/support/deployment.h"

typedef void spoil_fn(struct guest *g, struct challenge *c);

spoil_fn spoil_nonce;
spoil_fn spoil_root;
spoil_fn spoil_sealing;
spoil_fn spoil_link;
spoil_fn spoil_instance;
spoil_fn spoil_kind;

#endif
