#include "lib/base/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *kind;
    const char *help;
} table[] = {
    /* clang-format off */
    [METRIC_LAUNCHES]          = {"muster_launches_total", "counter", "Cloud machines launched."},
    [METRIC_TERMINATIONS]      = {"muster_terminations_total", "counter", "Cloud machines terminated."},
    [METRIC_CLOUD_CALLS]       = {"muster_cloud_calls_total", "counter", "Calls to cloud APIs."},
    [METRIC_CLOUD_ERRORS]      = {"muster_cloud_errors_total", "counter", "Calls to cloud APIs that failed."},
    [METRIC_CLOUD_REQUESTS]    = {"muster_cloud_requests_total", "counter", "Requests sent to clouds, each page of a list one."},
    [METRIC_CLOUD_THROTTLES]   = {"muster_cloud_throttles_total", "counter", "Requests that a cloud refused as too many."},
    [METRIC_CLOUD_PACED]       = {"muster_cloud_paced_total", "counter", "Requests put off, so as to keep within a cloud's limits."},
    [METRIC_VERDICTS_TRUSTED]  = {"muster_verdicts_trusted_total", "counter", "Appraisals that ended trusted."},
    [METRIC_VERDICTS_REJECTED] = {"muster_verdicts_rejected_total", "counter", "Appraisals that ended rejected."},
    [METRIC_RELEASES]          = {"muster_releases_total", "counter", "Secrets sealed to a guest."},
    [METRIC_RELEASES_REFUSED]  = {"muster_releases_refused_total", "counter", "Releases the keeper refused."},
    [METRIC_PASSPORTS]         = {"muster_passports_total", "counter", "Passports issued to guests."},
    [METRIC_HEARTBEATS]        = {"muster_heartbeats_total", "counter", "Heartbeats received."},
    [METRIC_AGENTS_CONNECTED]  = {"muster_agents_connected", "gauge", "Agents on the link now."},
    [METRIC_KEEPERS_CONNECTED] = {"muster_keepers_connected", "gauge", "Keepers on the link now."},
    [METRIC_LINK_ACCEPTED]     = {"muster_link_accepted_total", "counter", "Link connections accepted."},
    [METRIC_LINK_REFUSED]      = {"muster_link_refused_total", "counter", "Link connections refused before a valid hello."},
    [METRIC_LINK_CLOSED]       = {"muster_link_closed_total", "counter", "Link connections closed."},
    [METRIC_HTTP_REQUESTS]     = {"muster_http_requests_total", "counter", "API requests."},
    [METRIC_HTTP_ERRORS]       = {"muster_http_errors_total", "counter", "API requests answered with 4xx or 5xx."},
    [METRIC_AUDIT_UNSEALED]    = {"muster_audit_unsealed", "gauge", "Audit entries not yet chained."},
    [METRIC_WORKER_FAILURES]   = {"muster_worker_failures_total", "counter", "Worker steps that failed."},
    [METRIC_ORPHANS]           = {"muster_orphans", "gauge", "Cloud machines with our tag and no row, at the last look."},
    [METRIC_ORPHANS_LISTED]    = {"muster_orphans_listed", "gauge", "Machines, disks, addresses and interfaces with our tag that no row stands for."},
    [METRIC_ORPHANS_OLDEST]    = {"muster_orphans_oldest_seconds", "gauge", "How long the oldest of these is listed."},
    [METRIC_NOTICES]           = {"muster_notices", "gauge", "Notices that clouds gave of maintenance to hosts and that stand."},
    [METRIC_NOTICES_NEAR]      = {"muster_notices_near", "gauge", "Of these, those that begin within two days and whose machine is still there."},
    [METRIC_CERTIFICATE]       = {"muster_certificate_expires_seconds", "gauge", "Seconds until the certificate that this controller was started with expires."},
    [METRIC_ENDORSEMENTS_ASKED]   = {"muster_endorsements_asked_total", "counter", "Requests to the chip maker's key distribution service."},
    [METRIC_ENDORSEMENTS_REFUSED] = {"muster_endorsements_refused_total", "counter", "Endorsements the maker did not have, or that were not what was asked for."},
    [METRIC_ENDORSEMENTS_WAITING] = {"muster_endorsements_waiting", "gauge", "Endorsements still to be fetched."},
    [METRIC_CRL_AGE]              = {"muster_crl_age_seconds", "gauge", "Age of the oldest revocation list in use, from its own date."},
    [METRIC_CRL_STALE]            = {"muster_crl_stale", "gauge", "Lines in use without a revocation list, or with one whose update is due."},
    [METRIC_SLOTS_TAKEN]          = {"muster_slots_taken", "gauge", "Appraisals under way on this controller."},
    [METRIC_SLOTS_WAITING]        = {"muster_slots_waiting", "gauge", "Agents that wait for their turn to prove themselves."},
    [METRIC_SLOTS_PUT_OFF]        = {"muster_slots_put_off_total", "counter", "Requests to begin an appraisal that were told to come again later."},
    [METRIC_PROBES_HELD]       = {"muster_probes_held_total", "counter", "Probes of keepers, their own and ours, that were refused with the right code."},
    [METRIC_PROBES_WRONG]      = {"muster_probes_wrong_total", "counter", "Probes of keepers that were refused with another code."},
    [METRIC_PROBES_ACCEPTED]   = {"muster_probes_accepted_total", "counter", "Probes of keepers that were accepted: nothing is worse."},
    /* clang-format on */
};
_Static_assert(countof(table) == METRIC_COUNT);

static _Atomic int64_t values[METRIC_COUNT];

void metric_add(enum metric metric, int64_t n)
{
    atomic_fetch_add_explicit(&values[metric], n, memory_order_relaxed);
}

void metric_set(enum metric metric, int64_t value)
{
    atomic_store_explicit(&values[metric], value, memory_order_relaxed);
}

int64_t metric_get(enum metric metric)
{
    return atomic_load_explicit(&values[metric], memory_order_relaxed);
}

/* Far more than there are codes of alarms. */
enum { ALARM_CODES_MOST = 64 };

static struct {
    pthread_mutex_t lock;
    size_t count;
    struct {
        char code[ERROR_CODE_SIZE];
        int64_t count;
    } at[ALARM_CODES_MOST];
} alarms = {.lock = PTHREAD_MUTEX_INITIALIZER};

void metric_set_alarms(const char *code, int64_t count)
{
    size_t i = 0;
    pthread_mutex_lock(&alarms.lock);
    while (i < alarms.count && strcmp(alarms.at[i].code, code) != 0)
        i++;
    if (i < ALARM_CODES_MOST) {
        snprintf(alarms.at[i].code, sizeof alarms.at[i].code, "%s", code);
        alarms.at[i].count = count;
        alarms.count = i < alarms.count ? alarms.count : i + 1;
    }
    pthread_mutex_unlock(&alarms.lock);
}

static void print_alarms(struct text *out)
{
    text_add(out, "# HELP muster_alarms Alarms that stand, by code.\n# TYPE muster_alarms gauge\n");
    pthread_mutex_lock(&alarms.lock);
    for (size_t i = 0; i < alarms.count; i++)
        text_addf(out, "muster_alarms{code=\"%s\"} %lld\n", alarms.at[i].code,
                  (long long)alarms.at[i].count);
    pthread_mutex_unlock(&alarms.lock);
}

void metrics_print(struct text *out)
{
    print_alarms(out);
    for (size_t i = 0; i < METRIC_COUNT; i++)
        text_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", table[i].name, table[i].help,
                  table[i].name, table[i].kind, table[i].name, (long long)metric_get(i));
}
