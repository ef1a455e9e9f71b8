/* What a call costs: processor time of this thread and the most memory it held at once. The heap is
 * counted by standing before malloc(), so OpenSSL, jansson and libcbor are in it. */
#ifndef MUSTER_TESTS_COST_H
#define MUSTER_TESTS_COST_H

#include <stdbool.h>
#include <stddef.h>

struct cost {
    double cpu_ms;
    size_t peak_bytes;
};

typedef void cost_fn(void *context);

/* False in builds that measure something else: sanitizers, no optimiser. */
bool cost_is_measurable(void);

/* The least of three calls, for what others on the machine do is not the call's; the first of them
 * warms what is loaded once. */
struct cost cost_of(cost_fn *call, void *context);

#endif
