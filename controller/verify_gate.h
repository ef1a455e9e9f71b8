/* Questions about evidence have the lowest priority: one is worked on at a time, so that an
 * appraisal waits behind one opinion at most, a few wait, and more are refused at once, so that
 * the API's threads stay free for everything else. */
#ifndef MUSTER_CONTROLLER_VERIFY_GATE_H
#define MUSTER_CONTROLLER_VERIFY_GATE_H

#include <stdint.h>

#include "lib/base/error.h"

enum { VERIFY_WAIT_MS = 10000 };

struct verify_gate;
struct verify_gate *verify_gate_new(int64_t most); /* who works and who waits, together */
void verify_gate_free(struct verify_gate *gate);

/* One's turn, or ERR_THROTTLED "verify-busy": too many are here, or the one before takes too long.
 */
enum outcome verify_gate_enter(struct verify_gate *gate, struct error *err);
void verify_gate_leave(struct verify_gate *gate);

#endif
