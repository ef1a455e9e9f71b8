#include "emulator/gce_api.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "emulator/wire.h"

bool gce_refuse(struct gce_refusal *out, int status, const char *reason, const char *format, ...)
{
    *out = (struct gce_refusal){.status = status};
    snprintf(out->reason, sizeof out->reason, "%s", reason);
    va_list args;
    va_start(args, format);
    vsnprintf(out->message, sizeof out->message, format, args);
    va_end(args);
    if (!text_is_clean(span_of_text(out->message))) /* a quotation was cut inside a character */
        snprintf(out->message, sizeof out->message, "%s", reason);
    return false;
}

static void say(struct face_answer *out, const json_t *value)
{
    OWNED(mem_drop) char *text = json_print(value);
    text_done(&out->body);
    text_add(&out->body, text);
}

void gce_say_refusal(const struct gce_refusal *why, struct face_answer *out)
{
    static const struct {
        const char *reason;
        const char *domain;
    } domains[] = {{"rateLimitExceeded", "usageLimits"}, {"quotaExceeded", "usageLimits"}};
    const char *domain = "global";
    for (size_t i = 0; i < countof(domains); i++)
        if (strcmp(domains[i].reason, why->reason) == 0)
            domain = domains[i].domain;
    OWNED(json_drop)
    json_t *body = json_pack("{s:{s:i, s:s, s:[{s:s, s:s, s:s}]}}", "error", "code", why->status,
                             "message", why->message, "errors", "message", why->message, "domain",
                             domain, "reason", why->reason);
    out->status = why->status;
    say(out, body);
}

/* Faults that refuse before anything is done. A throttle comes with either status. */
static bool refuse_by_mischief(const struct gce_call *call, const struct gce_action *action,
                               const struct prank *prank, struct gce_refusal *out)
{
    const enum fault fault = prank->fault;
    static const char many[] = "Quota exceeded for quota metric 'Queries' and limit 'Queries per "
                               "minute' of service 'compute.googleapis.com'.";
    if (fault == FAULT_THROTTLE)
        return gce_refuse(out, strcmp(action->method, "GET") == 0 ? 403 : 429, "rateLimitExceeded",
                          many);
    if (fault == FAULT_QUOTA)
        return gce_refuse(out, 403, "quotaExceeded",
                          "Quota 'N2D_CPUS' exceeded. Limit: 8.0 in region.");
    if (fault == FAULT_AUTH)
        return gce_refuse(out, 403, "forbidden", "Required '%s' permission for 'projects/%s'",
                          prank->permission[0] != '\0' ? prank->permission : action->permission,
                          call->api->project);
    if (fault == FAULT_SERVER_ERROR)
        return gce_refuse(out, 503, "backendError", "Backend Error");
    return true;
}

static void perform(struct gce_call *call, const struct gce_action *action,
                    const struct prank *prank, struct face_answer *out)
{
    struct gce_refusal why;
    call->hide_fresh = prank->fault == FAULT_HIDDEN;
    call->hide_zone = prank->fault == FAULT_PARTIAL;
    call->leaves = prank->fault == FAULT_LEFT_BEHIND;
    call->no_capacity = prank->fault == FAULT_CAPACITY;
    call->no_support = prank->fault == FAULT_UNSUPPORTED;
    call->take_back = prank->fault == FAULT_LATE_CAPACITY;
    if (refuse_by_mischief(call, action, prank, &why) && action->run(call, &why))
        say(out, call->answer);
    else
        gce_say_refusal(&why, out);
    json_decref(call->answer);
    call->answer = NULL;
    wire_spoils(prank, out);
    if (prank->fault == FAULT_LATE_ERROR) {
        gce_refuse(&why, 500, "internalError", "Internal error");
        gce_say_refusal(&why, out);
    }
}

/* An operation that is waited for is looked at again and again, with the world free in between. */
static void wait_on(struct gce_call *call, const struct gce_action *action,
                    const struct prank *prank, struct face_answer *out)
{
    enum { STEP_MS = 5, STEP_MOST_MS = 100 };
    const int64_t until = clock_monotonic_ms() + call->wait_ms;
    int64_t step = STEP_MS;
    for (bool ending = false; call->wait_ms > 0 && !ending && clock_monotonic_ms() < until;) {
        pthread_mutex_unlock(&call->api->world->lock);
        ending = face_pause(call->request, step);
        pthread_mutex_lock(&call->api->world->lock);
        step = step * 2 < STEP_MOST_MS ? step * 2 : STEP_MOST_MS;
        call->wait_ms = 0;
        perform(call, action, prank, out);
    }
}

static void act(struct gce_call *call, const struct gce_action *action, struct face_answer *out)
{
    struct world *world = call->api->world;
    pthread_mutex_lock(&world->lock);
    const struct prank prank = world_prank(world, DRIVER_GCP, action->name);
    if (prank.fault != FAULT_NONE)
        ledger_note(world->ledger, "fault",
                    &(struct ledger_line){.cloud = "gcp",
                                          .action = action->name,
                                          .name = call->name,
                                          .detail = name_of(&fault_names, (int)prank.fault)});
    if (!wire_breaks(&prank, out)) {
        perform(call, action, &prank, out);
        if (prank.fault == FAULT_DOUBLED)
            perform(call, action, &prank, out);
        wait_on(call, action, &prank, out);
    }
    pthread_mutex_unlock(&world->lock);
}

/* ---- which call ----------------------------------------------------------------------------- */

/* "zones/{zone}/instances/{name}/stop" fits the path, which tells zone and name. */
static bool path_fits(const char *pattern, const char *path, struct gce_call *call)
{
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        char *into = strncmp(pattern, "{zone}", 6) == 0 ? call->zone : call->name;
        size_t len = strcspn(path, "/");
        if (len == 0 || len >= GCE_NAME_SIZE)
            return false;
        memcpy(into, path, len);
        into[len] = '\0';
        path += len;
        pattern = strchr(pattern, '}') + 1;
    }
    return *path == '\0';
}

static const struct gce_action *find_action(struct gce_call *call, const char *path)
{
    for (size_t i = 0; i < gce_action_count; i++) {
        call->zone[0] = call->name[0] = '\0';
        if (strcmp(gce_actions[i].method, call->request->method) == 0 &&
            path_fits(gce_actions[i].path, path, call))
            return &gce_actions[i];
    }
    return NULL;
}

/* The call asked for, by somebody who may; NULL with the reason why not. */
static const struct gce_action *understand(struct gce_call *call, struct gce_refusal *why)
{
    const struct face_request *request = call->request;
    const char *path = request->path + strlen(GCE_PREFIX);
    size_t len = strcspn(path, "/");
    if (!gce_token_check(call->api, request, why))
        return NULL;
    if (strlen(call->api->project) != len || strncmp(path, call->api->project, len) != 0) {
        gce_refuse(why, 404, "notFound", "The resource 'projects/%.*s' was not found", (int)len,
                   path);
        return NULL;
    }
    const struct gce_action *action = path[len] == '/' ? find_action(call, path + len + 1) : NULL;
    if (action == NULL)
        gce_refuse(why, 404, "notFound", "The requested URL %.100s was not found", request->path);
    else if (call->zone[0] != '\0' && !gce_zone_is_known(call->api, call->zone))
        return gce_refuse(why, 404, "notFound", "The resource 'projects/%s/zones/%s' was not found",
                          call->api->project, call->zone),
               NULL;
    return action;
}

/* To calls that take none the Node client sends `""`: only an object is looked at. */
static bool read_body(struct gce_call *call, struct gce_refusal *why)
{
    const struct span body = call->request->body;
    if (body.len == 0 || body.at[0] != '{')
        return true;
    if (json_parse(body, FACE_BODY_MAX, &call->body, NULL) != OK)
        return gce_refuse(why, 400, "parseError", "Parse Error");
    return true;
}

static void answer_compute(const struct gce_api *api, const struct face_request *request,
                           struct face_answer *out)
{
    struct gce_call call = {.api = api, .request = request};
    struct gce_refusal why;
    const struct gce_action *action = understand(&call, &why);
    if (action == NULL || !read_body(&call, &why))
        gce_say_refusal(&why, out);
    else
        act(&call, action, out);
    json_decref(call.body);
}

static bool begins(const char *path, const char *prefix)
{
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

bool gce_api_is_for(const struct face_request *request)
{
    return begins(request->path, GCE_PREFIX) || begins(request->path, GCE_IMPERSONATION) ||
           strcmp(request->path, "/token") == 0 || strcmp(request->path, GCE_EXCHANGE) == 0 ||
           strcmp(request->path, GCE_METADATA) == 0;
}

void gce_api_answer(const struct gce_api *api, const struct face_request *request,
                    struct face_answer *out)
{
    out->content_type = "application/json; charset=UTF-8";
    if (begins(request->path, GCE_PREFIX))
        answer_compute(api, request, out);
    else if (begins(request->path, GCE_IMPERSONATION))
        gce_impersonate_answer(api, request, out);
    else if (strcmp(request->path, GCE_EXCHANGE) == 0)
        gce_exchange_answer(api, request, out);
    else if (strcmp(request->path, "/token") == 0)
        gce_token_answer(api, request, out);
    else
        gce_metadata_answer(api, request, out);
}
