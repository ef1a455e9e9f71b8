/* Named places where a test build (`--enable-faults`) may fail or die. In other builds FAULT() is
 * nothing. MUSTER_FAULT=name:act[:n] sets one: act is `fail`, `die` (as kill -9 would) or `hang`;
 * n is the hit that acts, 1 by default. */
#ifndef MUSTER_BASE_FAULT_H
#define MUSTER_BASE_FAULT_H

#include "lib/base/error.h"

#ifdef MUSTER_FAULTS
/* MUSTER_FAULT=check-NAME:blind: this check of an appraisal, or deny list of a charter, sees
 * nothing wrong, ever. What then still passes all tests is a check that no test needs
 * (tests/campaigns/mutation). */
bool fault_blinds(const char *check);
enum outcome fault_hit(const char *name, struct error *err);
#define FAULT(name, err) TRY(fault_hit((name), (err)))
#else
#define FAULT(name, err) ((void)0)
#define fault_blinds(check) false
#endif

#endif
