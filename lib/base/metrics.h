/* Counters and gauges for /metrics (Prometheus text format 0.0.4). Rows stand in one table in
 * metrics.c: name, help, kind. Adding is one relaxed atomic; nothing locks. */
#ifndef MUSTER_BASE_METRICS_H
#define MUSTER_BASE_METRICS_H

#include <stdint.h>

#include "lib/base/text.h"

enum metric {
    METRIC_LAUNCHES,
    METRIC_TERMINATIONS,
    METRIC_CLOUD_CALLS,
    METRIC_CLOUD_ERRORS,
    METRIC_CLOUD_REQUESTS,
    METRIC_CLOUD_THROTTLES,
    METRIC_CLOUD_PACED,
    METRIC_VERDICTS_TRUSTED,
    METRIC_VERDICTS_REJECTED,
    METRIC_RELEASES,
    METRIC_RELEASES_REFUSED,
    METRIC_PASSPORTS,
    METRIC_HEARTBEATS,
    METRIC_AGENTS_CONNECTED,
    METRIC_KEEPERS_CONNECTED,
    METRIC_LINK_ACCEPTED,
    METRIC_LINK_REFUSED,
    METRIC_LINK_CLOSED,
    METRIC_HTTP_REQUESTS,
    METRIC_HTTP_ERRORS,
    METRIC_AUDIT_UNSEALED,
    METRIC_WORKER_FAILURES,
    METRIC_ORPHANS,
    METRIC_ORPHANS_LISTED,
    METRIC_ORPHANS_OLDEST,
    METRIC_NOTICES,
    METRIC_NOTICES_NEAR,
    METRIC_CERTIFICATE,
    METRIC_ENDORSEMENTS_ASKED,
    METRIC_ENDORSEMENTS_REFUSED,
    METRIC_ENDORSEMENTS_WAITING,
    METRIC_CRL_AGE,
    METRIC_CRL_STALE,
    METRIC_SLOTS_TAKEN,
    METRIC_SLOTS_WAITING,
    METRIC_SLOTS_PUT_OFF,
    METRIC_PROBES_HELD,
    METRIC_PROBES_WRONG,
    METRIC_PROBES_ACCEPTED,
    METRIC_COUNT
};

void metric_add(enum metric metric, int64_t n);
void metric_set(enum metric metric, int64_t value);
int64_t metric_get(enum metric metric);
/* muster_alarms{code="..."}: every code that was ever set, so that one that is over shows 0. */
void metric_set_alarms(const char *code, int64_t count);
void metrics_print(struct text *out);

#endif
