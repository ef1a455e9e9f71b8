#include "controller/settings.h"

#include <stdio.h>
#include <string.h>

#define ROW(member, key, kind, ...) SETTING(musterd_settings, member, key, kind, __VA_ARGS__)

/* clang-format off */
const struct setting musterd_settings_table[] = {
    ROW(database, "database", SETTING_TEXT, NULL,
        .help = "PostgreSQL, as libpq takes it: postgresql://host/name or key=value words"),
    ROW(project, "project", SETTING_TEXT, "default",
        .help = "the project whose charter keepers are offered, and of strangers in the audit trail"),
    ROW(api_listen, "api-listen", SETTING_TEXT, "127.0.0.1:8443",
        .help = "address:port of the API (HTTPS); port 0 takes any"),
    ROW(link_listen, "link-listen", SETTING_TEXT, "0.0.0.0:8444",
        .help = "address:port where agents and keepers dial in; port 0 takes any"),
    ROW(link_url, "link-url", SETTING_TEXT, "",
        .help = "what user-data tells agents to dial; empty: tls+tcp:// and link-listen"),
    ROW(cert_file, "cert-file", SETTING_TEXT, NULL,
        .help = "this controller's certificate under the deployment root (PEM)"),
    ROW(key_file, "key-file", SETTING_TEXT, NULL,
        .help = "its private key (PEM), readable by its owner only"),
    ROW(root_file, "root-file", SETTING_TEXT, NULL,
        .help = "the deployment root or roots, current and next (PEM)"),
    ROW(endorsements, "endorsements", SETTING_TEXT, "https://kdsintf.amd.com",
        .help = "where the chip maker's certificates are fetched; off: only what is imported counts"),
    ROW(endorsement_roots, "endorsement-roots", SETTING_TEXT, "",
        .help = "roots of a simulated chip maker (PEM), for simulated evidence; empty: AMD's"),
    ROW(endorsement_ca, "endorsement-ca", SETTING_TEXT, "",
        .help = "whom to trust as endorsements (PEM), for a mirror; empty: the system's"),
    ROW(catalogue_signers, "catalogue-signers", SETTING_TEXT, "",
        .help = "who may sign editions of the catalogue (the keeper's signers.json); empty: nobody"),
    ROW(api_threads, "api-threads", SETTING_INT, "4", .least = 1, .most = 64,
        .help = "requests of the API that are worked on at once, each with a database connection"),
    ROW(api_connections, "api-connections", SETTING_INT, "512", .least = 4, .most = 10000,
        .help = "connections to the API at once"),
    ROW(api_per_address, "api-per-address", SETTING_INT, "64", .least = 1, .most = 10000,
        .help = "of these, from one address"),
    ROW(verify_most, "verify-most", SETTING_INT, "2", .least = 1, .most = 64,
        .help = "questions about evidence at once: one is worked on, the others wait"),
    ROW(heartbeat_seconds, "heartbeat-seconds", SETTING_INT, "30", .least = 1, .most = 3600,
        .help = "how often an agent says that it is there"),
    ROW(keeper_seconds, "keeper-seconds", SETTING_INT, "30", .least = 1, .most = 3600,
        .help = "how often a keeper is asked how it is; silent for two such times is an alarm"),
    ROW(appraisals_at_once, "appraisals-at-once", SETTING_INT, "128", .least = 1, .most = 10000,
        .help = "appraisals under way at once for each keeper that answers, over all controllers"),
    ROW(appraisals_per_second, "appraisals-per-second", SETTING_INT, "500", .least = 1, .most = 100000,
        .help = "of these, how many may begin in a second; machines wait for their turn"),
    ROW(probe_seconds, "probe-seconds", SETTING_INT, "60", .least = 1, .most = 3600,
        .help = "about how often a keeper is asked what it must refuse"),
    ROW(workers, "workers", SETTING_INT, "4", .least = 1, .most = 64,
        .help = "threads that drive clouds, each with a database connection"),
    ROW(lease_seconds, "lease-seconds", SETTING_INT, "120", .least = 5, .most = 3600,
        .help = "how long a worker has a row for itself; longer than any call to a cloud"),
    ROW(watch_seconds, "watch-seconds", SETTING_INT, "30", .least = 1, .most = 3600,
        .help = "between two looks at what the clouds say runs: a quarter of it while things change, twice when none does"),
    ROW(catalogue_seconds, "catalogue-seconds", SETTING_INT, "21600", .least = 1, .most = 604800,
        .help = "between two comparisons of the catalogue with what a cloud says it offers"),
    ROW(leftover_seconds, "leftover-seconds", SETTING_INT, "3600", .least = 60, .most = 604800,
        .help = "between two questions to a cloud what machines left behind: disks, addresses, interfaces"),
    ROW(vanish_hold_seconds, "vanish-hold-seconds", SETTING_INT, "900", .least = 1, .most = 86400,
        .help = "how long most of an account's machines must be missing before they are taken for gone"),
    ROW(retain_days, "retain-days", SETTING_INT, "90", .least = 0, .most = 36500,
        .help = "how long the details of what is over are kept; 0: for ever"),
    ROW(retain_verdicts_days, "retain-verdicts-days", SETTING_INT, "90", .least = 0, .most = 36500,
        .help = "how long verdicts and evidence of what lives on are kept; 0: for ever"),
    ROW(agents_most, "agents-most", SETTING_INT, "20000", .least = 1, .most = 200000,
        .help = "connections on the link at once"),
    ROW(link_per_address, "link-per-address", SETTING_INT, "512", .least = 1, .most = 200000,
        .help = "of these, from one address"),
    ROW(stop_seconds, "stop-seconds", SETTING_INT, "20", .least = 1, .most = 600,
        .help = "how long a clean stop may take before the process just ends"),
};
/* clang-format on */
const size_t musterd_settings_count = countof(musterd_settings_table);

enum outcome listen_parse(const char *text, const char *where, struct listen_at *out,
                          struct error *err)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;
    const char *from = text;
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        from++;
        len -= 2;
    }
    struct listen_at made = {0};
    if (len == 0 || len >= sizeof made.address ||
        number_parse(colon + 1, 0, 65535, &made.port, NULL) != OK)
        return fail_at(err, ERR_INVALID, "bad-setting", where, "%s: '%.80s' is not address:port",
                       where, text);
    memcpy(made.address, from, len);
    *out = made;
    return OK;
}

static enum outcome check(const struct musterd_settings *s, struct error *err)
{
    struct listen_at at;
    TRY(listen_parse(s->api_listen, "api-listen", &at, err));
    TRY(listen_parse(s->link_listen, "link-listen", &at, err));
    if (!text_is_name(s->project))
        return fail_at(err, ERR_INVALID, "bad-setting", "project", "project: not a name");
    size_t url = strlen(s->endorsements);
    if (strcmp(s->endorsements, "off") != 0 && ((strncmp(s->endorsements, "https://", 8) != 0 &&
                                                 strncmp(s->endorsements, "http://", 7) != 0) ||
                                                s->endorsements[url - 1] == '/'))
        return fail_at(err, ERR_INVALID, "bad-setting", "endorsements",
                       "endorsements: neither off nor a URL without a slash at its end");
    if (s->api_per_address > s->api_connections)
        return fail_at(err, ERR_INVALID, "bad-setting", "api-per-address",
                       "api-per-address is more than api-connections");
    return OK;
}

enum outcome musterd_settings_read(const char *path, struct musterd_settings *out,
                                   struct error *err)
{
    TRY(config_read(path, musterd_settings_table, musterd_settings_count, out, err));
    if (check(out, err) != OK)
        return error_context(err, "%s", path);
    return OK;
}

void musterd_settings_done(struct musterd_settings *settings)
{
    config_done(musterd_settings_table, musterd_settings_count, settings);
}

struct service_settings musterd_service_settings(const struct musterd_settings *s)
{
    return (struct service_settings){
        .database = s->database,
        .link_listen = s->link_listen,
        .link_url = s->link_url,
        .cert_file = s->cert_file,
        .key_file = s->key_file,
        .root_file = s->root_file,
        .project = s->project,
        .endorsements = s->endorsements,
        .endorsement_roots = s->endorsement_roots,
        .endorsement_ca = s->endorsement_ca,
        .catalogue_seconds = s->catalogue_seconds,
        .leftover_seconds = s->leftover_seconds,
        .vanish_hold_seconds = s->vanish_hold_seconds,
        .heartbeat_seconds = s->heartbeat_seconds,
        .keeper_seconds = s->keeper_seconds,
        .appraisals_at_once = s->appraisals_at_once,
        .appraisals_per_second = s->appraisals_per_second,
        .probe_seconds = s->probe_seconds,
        .workers = s->workers,
        .lease_seconds = s->lease_seconds,
        .watch_seconds = s->watch_seconds,
        .retain_days = s->retain_days,
        .retain_verdicts_days = s->retain_verdicts_days,
        .agents_most = s->agents_most,
        .per_address_most = s->link_per_address,
    };
}
