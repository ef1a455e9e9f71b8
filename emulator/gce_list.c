/* Reading: one machine, those of a zone, those of all zones. */
#include <stdio.h>
#include <string.h>

#include "emulator/gce_api.h"

enum { PAGE_MOST = 500, FRESH_SECONDS = 60 };

static bool is_seen(const struct gce_call *call, const struct machine *machine)
{
    if (machine->cloud != DRIVER_GCP || machine->state == VM_TERMINATED ||
        strcmp(machine->group, call->api->project) != 0)
        return false;
    return !call->hide_fresh ||
           moment_seconds_between(machine->launched, clock_now()) > FRESH_SECONDS;
}

struct machine *gce_find(const struct gce_call *call, struct gce_refusal *out)
{
    const struct world *world = call->api->world;
    for (size_t i = world->count; i-- > 0;) {
        struct machine *machine = world->machines[i];
        if (is_seen(call, machine) && strcmp(machine->zone, call->zone) == 0 &&
            (strcmp(machine->name, call->name) == 0 || strcmp(machine->ref, call->name) == 0))
            return machine;
    }
    gce_refuse(out, 404, "notFound",
               "The resource 'projects/%s/zones/%s/instances/%s' was not found", call->api->project,
               call->zone, call->name);
    return NULL;
}

bool gce_get(struct gce_call *call, struct gce_refusal *out)
{
    const struct machine *machine = gce_find(call, out);
    if (machine != NULL)
        call->answer = gce_show_machine(call->api, machine);
    return machine != NULL;
}

/* ---- filters -------------------------------------------------------------------------------- */

enum { TERM_SIZE = 256 };

static const char *value_of(const struct machine *machine, const char *field)
{
    if (strncmp(field, "labels.", 7) == 0)
        return machine_tag(machine, field + 7);
    if (strcmp(field, "name") == 0)
        return machine->name;
    return strcmp(field, "id") == 0 ? machine->ref : NULL;
}

static bool field_is_known(const char *field)
{
    return strncmp(field, "labels.", 7) == 0 || strcmp(field, "name") == 0 ||
           strcmp(field, "id") == 0;
}

/* "field = value", perhaps in brackets and quotes; cut in place. False when it is no such thing. */
static bool cut_term(char *term, char **field, char **value)
{
    term += strspn(term, " (");
    for (size_t len = strlen(term); len > 0 && strchr(" )", term[len - 1]) != NULL;)
        term[--len] = '\0';
    char *equals = strchr(term, '=');
    if (equals == NULL || equals == term)
        return false;
    *value = equals + 1 + strspn(equals + 1, " \"");
    for (size_t len = strlen(*value); len > 0 && strchr(" \"", (*value)[len - 1]) != NULL;)
        (*value)[--len] = '\0';
    *equals = '\0';
    for (size_t len = strlen(term); len > 0 && term[len - 1] == ' ';)
        term[--len] = '\0';
    *field = term;
    return field_is_known(term);
}

/* Any of the terms between ORs; with no machine only: can it be understood? */
static bool passes(const char *filter, const struct machine *machine)
{
    bool any = false;
    for (const char *at = filter; at != NULL;) {
        char term[TERM_SIZE], *field, *value;
        const char * or = strstr(at, " OR ");
        size_t len = or != NULL ? (size_t)(or -at) : strlen(at);
        if (len >= sizeof term)
            return false;
        memcpy(term, at, len);
        term[len] = '\0';
        if (!cut_term(term, &field, &value))
            return false;
        const char *said = machine != NULL ? value_of(machine, field) : value;
        any |= said != NULL && strcmp(said, value) == 0;
        at = or != NULL ? or +4 : NULL;
    }
    return any;
}

/* ---- pages ---------------------------------------------------------------------------------- */

struct page {
    const char *filter; /* NULL: none */
    int64_t after;      /* ordinal */
    int64_t size;
    int64_t next; /* 0: this is the last */
};

static bool read_page(const struct gce_call *call, struct page *page, struct gce_refusal *out)
{
    const char *size = face_argument(call->request, "maxResults");
    const char *token = face_argument(call->request, "pageToken");
    *page = (struct page){.filter = face_argument(call->request, "filter"), .size = PAGE_MOST};
    if (page->filter != NULL && page->filter[0] == '\0')
        page->filter = NULL;
    if (size != NULL && number_parse(size, 0, PAGE_MOST, &page->size, NULL) != OK)
        return gce_refuse(out, 400, "invalid", "Invalid value for field 'maxResults': '%.40s'",
                          size);
    if (page->size > call->api->page_most || page->size == 0)
        page->size = call->api->page_most;
    if (token != NULL && token[0] != '\0' &&
        (strncmp(token, "after-", 6) != 0 ||
         number_parse(token + 6, 0, INT64_MAX, &page->after, NULL) != OK))
        return gce_refuse(out, 400, "invalid", "Invalid value for field 'pageToken': '%.40s'",
                          token);
    if (page->filter != NULL && !passes(page->filter, NULL))
        return gce_refuse(out, 400, "invalid", "Invalid value for field 'filter': '%.100s'",
                          page->filter);
    return true;
}

/* Hands each machine of the page to `put`. */
static void walk(struct gce_call *call, struct page *page,
                 void (*put)(struct gce_call *, const struct machine *, json_t *), json_t *into)
{
    const struct world *world = call->api->world;
    int64_t shown = 0, last = 0;
    for (size_t i = 0; i < world->count; i++) {
        const struct machine *machine = world->machines[i];
        if (machine->ordinal <= page->after || !is_seen(call, machine) ||
            (call->zone[0] != '\0' && strcmp(machine->zone, call->zone) != 0) ||
            (page->filter != NULL && !passes(page->filter, machine)))
            continue;
        if (shown++ == page->size) {
            page->next = last;
            return;
        }
        put(call, machine, into);
        last = machine->ordinal;
    }
}

static void begin_list(struct gce_call *call, const char *kind, const char *path)
{
    OWNED(text_done) struct text link = {0};
    text_addf(&link, "https://www.googleapis.com/compute/v1/projects/%s/%s", call->api->project,
              path);
    call->answer = json_object();
    json_put_text(call->answer, "kind", kind);
    json_put_text(call->answer, "id", path);
    json_put_text(call->answer, "selfLink", text_str(&link));
}

static void put_next(struct gce_call *call, const struct page *page)
{
    char token[32];
    snprintf(token, sizeof token, "after-%lld", (long long)page->next);
    if (page->next > 0)
        json_put_text(call->answer, "nextPageToken", token);
}

static void put_plain(struct gce_call *call, const struct machine *machine, json_t *into)
{
    json_add_new(into, gce_show_machine(call->api, machine));
}

bool gce_list(struct gce_call *call, struct gce_refusal *out)
{
    struct page page;
    char path[96];
    if (!read_page(call, &page, out))
        return false;
    json_t *items = json_array();
    walk(call, &page, put_plain, items);
    snprintf(path, sizeof path, "zones/%s/instances", call->zone);
    begin_list(call, "compute#instanceList", path);
    if (json_array_size(items) > 0) /* an empty list has no items at all */
        json_put_new(call->answer, "items", json_incref(items));
    json_decref(items);
    put_next(call, &page);
    return true;
}

/* ---- all zones ------------------------------------------------------------------------------ */

static json_t *warning(const char *code, const char *scope)
{
    char message[160];
    snprintf(message, sizeof message, "%s for scope '%s' on this page.",
             strcmp(code, "UNREACHABLE") == 0 ? "No answer" : "There are no results", scope);
    return json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "code", code, "message", message, "data", "key",
                     "scope", "value", scope);
}

static void put_scoped(struct gce_call *call, const struct machine *machine, json_t *into)
{
    char scope[80];
    snprintf(scope, sizeof scope, "zones/%s", machine->zone);
    json_t *holder = json_object_get(into, scope);
    json_t *list = json_object_get(holder, "instances");
    if (list == NULL) {
        json_object_clear(holder);
        list = json_array();
        json_put_new(holder, "instances", list);
    }
    json_add_new(list, gce_show_machine(call->api, machine));
}

/* A zone that does not answer is named, and what it holds is left out. */
static void lose_zone(struct gce_call *call, json_t *items, const char *zone)
{
    char scope[80];
    snprintf(scope, sizeof scope, "zones/%s", zone);
    json_t *holder = json_object();
    json_put_new(holder, "warning", warning("UNREACHABLE", scope));
    json_put_new(items, scope, holder);
    OWNED(text_done) struct text whole = {0};
    text_addf(&whole, "projects/%s/%s", call->api->project, scope);
    json_put_new(call->answer, "unreachables", json_pack("[s]", text_str(&whole)));
}

bool gce_list_aggregated(struct gce_call *call, struct gce_refusal *out)
{
    struct page page;
    char zone[GCE_NAME_SIZE];
    if (!read_page(call, &page, out))
        return false;
    json_t *items = json_object();
    for (size_t n = 0; gce_zone_at(call->api, n, zone); n++) {
        char scope[80];
        snprintf(scope, sizeof scope, "zones/%s", zone);
        json_t *holder = json_object();
        json_put_new(holder, "warning", warning("NO_RESULTS_ON_PAGE", scope));
        json_put_new(items, scope, holder);
    }
    walk(call, &page, put_scoped, items);
    begin_list(call, "compute#instanceAggregatedList", "aggregated/instances");
    if (call->hide_zone && gce_zone_at(call->api, 0, zone))
        lose_zone(call, items, zone);
    json_put_new(call->answer, "items", items);
    put_next(call, &page);
    return true;
}
