#include "controller/routes.h"

#include <stdio.h>
#include <string.h>

#include "controller/api.h"

#define FLEET "/v1/fleets/{name}"
#define INSTANCE "/v1/instances/{id}"
#define VERDICT "/v1/verdicts/{id}"
#define PAGE "limit cursor"

/* clang-format off */
const struct route routes[] = {
    {"GET",    "/healthz",               MAY_ANYBODY,           health_alive,         "", 0},
    {"GET",    "/readyz",                MAY_ANYBODY,           health_ready,         "", 0},
    {"GET",    "/metrics",               MAY_READ,              health_metrics,       "", 0},
    {"GET",    "/openapi.json",          MAY_ANYBODY,           health_openapi,       "", 0},
    {"GET",    "/.well-known/jwks.json", MAY_ANYBODY,           keys_show,            "", 0},

    {"GET",    "/v1/accounts",           MAY_READ,              accounts_list,        PAGE, 0},
    {"POST",   "/v1/accounts",           MAY_OPERATE,           accounts_add,         "", 0},
    {"GET",    "/v1/accounts/{name}",    MAY_READ,              accounts_show,        "", 0},
    {"PUT",    "/v1/accounts/{name}",    MAY_OPERATE,           accounts_change,      "", 0},
    {"DELETE", "/v1/accounts/{name}",    MAY_OPERATE,           accounts_remove,      "", 0},
    {"POST",   "/v1/accounts/{name}/confirm", MAY_OPERATE,      accounts_confirm,     "", 0},
    {"GET",    "/v1/images",             MAY_READ,              images_list,          PAGE, 0},
    {"POST",   "/v1/images",             MAY_OPERATE,           images_add,           "", 0},
    {"GET",    "/v1/images/{name}",      MAY_READ,              images_show,          "", 0},
    {"PUT",    "/v1/images/{name}",      MAY_OPERATE,           images_change,        "", 0},
    {"DELETE", "/v1/images/{name}",      MAY_OPERATE,           images_remove,        "", 0},

    {"GET",    "/v1/alarms",             MAY_READ,              alarms_list,          "", 0},
    {"GET",    "/v1/keepers",            MAY_READ,              keepers_list,         "", 0},
    {"GET",    "/v1/probes",             MAY_READ,              probes_list,          "", 0},
    {"DELETE", "/v1/keepers/{name}",     MAY_SECURE,            keepers_forget,       "", 0},

    {"GET",    "/v1/catalogue",          MAY_READ,              catalogue_show,       "edition", 0},
    {"PUT",    "/v1/catalogue",          MAY_SECURE,            catalogue_change,     "dry_run", 0},
    {"GET",    "/v1/catalogue/rules",    MAY_READ,              catalogue_rules,      "edition", 0},
    {"GET",    "/v1/catalogue/editions", MAY_READ,              catalogue_editions,   "", 0},
    {"GET",    "/v1/catalogue/drift",    MAY_READ,              catalogue_drift,      PAGE, 0},

    {"GET",    "/v1/charter",            MAY_READ,              charter_show,         "", 0},
    {"POST",   "/v1/charter",            MAY_SECURE,            charter_apply,        "", ROUTE_OUTSIDE},
    {"POST",   "/v1/charter/plan",       MAY_SECURE,            charter_rehearse,     "at", ROUTE_OUTSIDE},
    {"POST",   "/v1/policies/{name}/plan", MAY_SECURE,          policies_plan,        "at", ROUTE_OUTSIDE},

    {"GET",    "/v1/notices",            MAY_READ,              notices_list,
     "fleet account instance ended " PAGE, 0},
    {"GET",    "/v1/notices/{id}",       MAY_READ,              notices_show,         "", 0},

    {"GET",    "/v1/orphans",            MAY_READ,              orphans_list,         "", 0},
    {"POST",   "/v1/orphans/{id}/remove", MAY_OPERATE,          orphans_remove,       "", 0},

    {"GET",    "/v1/cases",              MAY_READ,              cases_list,           "state", 0},
    {"GET",    "/v1/cases/{id}",         MAY_READ,              cases_show,           "", 0},
    {"POST",   "/v1/cases/{id}/accept",  MAY_SECURE,            cases_accept,         "at", ROUTE_OUTSIDE},
    {"POST",   "/v1/cases/{id}/dismiss", MAY_SECURE,            cases_dismiss,        "", 0},

    {"GET",    "/v1/distrust",           MAY_READ,              distrusts_list,       "", 0},
    {"POST",   "/v1/distrust",           MAY_SECURE,            distrust_propose,     "dry_run", ROUTE_OUTSIDE},
    {"GET",    "/v1/distrust/{id}",      MAY_READ,              distrusts_show,       "", 0},

    {"GET",    "/v1/fleets",             MAY_READ,              fleets_list,          PAGE, 0},
    {"POST",   "/v1/fleets",             MAY_OPERATE,           fleets_add,           "dry_run", 0},
    {"GET",    FLEET,                    MAY_READ,              fleets_show,          "", 0},
    {"PUT",    FLEET,                    MAY_OPERATE,           fleets_change,        "dry_run", 0},
    {"DELETE", FLEET,                    MAY_OPERATE,           fleets_remove,        "dry_run", 0},
    {"GET",    FLEET "/status",          MAY_READ,              fleets_status,        "", 0},

    {"GET",    "/v1/instances",          MAY_READ,              instances_list,
     "fleet account cloud region phase trust reason terminated " PAGE, 0},
    {"GET",    INSTANCE,                 MAY_READ,              instances_show,       "", 0},
    {"GET",    INSTANCE "/verdicts",     MAY_READ,              instances_verdicts,   PAGE, 0},
    {"POST",   INSTANCE "/attest",       MAY_OPERATE_OR_SECURE, instances_attest,     "", ROUTE_OUTSIDE},
    {"POST",   INSTANCE "/terminate",    MAY_OPERATE,           instances_terminate,  "", 0},

    {"GET",    VERDICT,                  MAY_READ,              verdicts_show,        "", 0},
    {"GET",    VERDICT "/evidence",      MAY_AUDIT,             verdicts_evidence,    "", 0},
    {"GET",    VERDICT "/bundle",        MAY_AUDIT,             verdicts_bundle,      "", 0},

    {"GET",    "/v1/tcb",                MAY_READ,              tcb_list,             "by", 0},
    {"POST",   "/v1/tcb/plan",           MAY_SECURE,            tcb_plan,             "at", ROUTE_OUTSIDE},
    {"POST",   "/v1/verify",             MAY_READ,              verify_any,           "", ROUTE_OUTSIDE},

    {"GET",    "/v1/secrets",            MAY_READ,              secrets_list,         PAGE, 0},
    {"POST",   "/v1/secrets",            MAY_OPERATE_OR_SECURE, secrets_generate,     "", ROUTE_OUTSIDE},
    {"GET",    "/v1/secrets/{name}",     MAY_READ,              secrets_show,         "", 0},

    {"GET",    "/v1/endorsements",       MAY_READ,              endorsements_list,    PAGE, 0},
    {"POST",   "/v1/endorsements",       MAY_SECURE,            endorsements_import,  "", 0},
    {"GET",    "/v1/endorsements/{name}", MAY_READ,             endorsements_show,    "", 0},

    {"GET",    "/v1/audit",              MAY_AUDIT,             audit_list,           "after limit cursor", 0},
};
/* clang-format on */
const size_t route_count = countof(routes);

/* Walks pattern and segments side by side; fills `args` as it goes. */
static bool matches(const char *pattern, const struct http_target *target,
                    const char *args[static REQUEST_ARGS_MAX])
{
    size_t arg = 0, i = 0;
    for (const char *at = pattern; *at == '/'; i++) {
        size_t len = strcspn(++at, "/");
        if (i == target->segment_count)
            return false;
        const char *segment = target->segments[i];
        if (at[0] == '{' && arg < REQUEST_ARGS_MAX)
            args[arg++] = segment;
        else if (strlen(segment) != len || memcmp(segment, at, len) != 0)
            return false;
        at += len;
    }
    return i == target->segment_count;
}

static void add_method(char *allow, size_t size, const char *method)
{
    size_t used = strlen(allow);
    if (used < size)
        snprintf(allow + used, size - used, "%s%s", used > 0 ? ", " : "", method);
}

enum outcome route_find(const char *method, const struct http_target *target,
                        const struct route **out, const char *args[static REQUEST_ARGS_MAX],
                        char *allow, size_t allow_size, struct error *err)
{
    allow[0] = '\0';
    for (size_t i = 0; i < route_count; i++) {
        if (!matches(routes[i].pattern, target, args))
            continue;
        if (strcmp(routes[i].method, method) == 0) {
            *out = &routes[i];
            return OK;
        }
        if (strcmp(routes[i].method, "GET") == 0)
            add_method(allow, allow_size, "HEAD");
        add_method(allow, allow_size, routes[i].method);
    }
    if (allow[0] == '\0')
        return fail_code(err, ERR_NOT_FOUND, "no-such-route", "nothing is served under this path");
    add_method(allow, allow_size, "OPTIONS");
    return fail_code(err, ERR_INVALID, "wrong-method", "%.16s is not served here, only %s", method,
                     allow);
}

/* Is `word` one of the words of `list`? */
static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
        size_t here = strcspn(at, " ");
        if (here == len && memcmp(at, word, len) == 0)
            return true;
        at += here;
    }
    return false;
}

enum outcome route_check_query(const struct route *route, const struct http_target *target,
                               struct error *err)
{
    for (size_t i = 0; i < target->query_count; i++) {
        const char *name = target->query[i].name;
        if (has_word(route->query, name))
            continue;
        char where[ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "?%s", name);
        return fail_at(err, ERR_INVALID, "unknown-parameter", where,
                       "there is no such parameter here");
    }
    return OK;
}
