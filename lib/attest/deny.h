/* What the deny lists of a charter are asked about evidence: the same for whoever judges it. */
#ifndef MUSTER_ATTEST_DENY_H
#define MUSTER_ATTEST_DENY_H

#include "lib/attest/evidence.h"
#include "lib/model/charter.h"

/* For charter_check_denied(); all but the guest's key, which evidence does not name. */
struct charter_case deny_case(const struct evidence_facts *facts, const struct verdict *verdict);

#endif
