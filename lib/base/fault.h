/* Named places where a test build (`--enable-faults`) may fail or die. In other builds FAULT() is
 * nothing. MUSTER_FAULT=name:act[:n] sets one: act is `fail`, `die` (as kill -9 would) or `hang`;
 * n is the hit that acts, 1 by default. */
#ifndef MUSTER_BASE_FAULT_H
#define MUSTER_BASE_FAULT_H

#include "lib/base/error.h"

#ifdef MUSTER_FAULTS
enum outcome fault_hit(const char *name, struct error *err);
#define FAULT(name, err) TRY(fault_hit((name), (err)))
#else
#define FAULT(name, err) ((void)0)
#endif

#endif
