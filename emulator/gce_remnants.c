/* Disks and addresses as Compute Engine shows them, and their end. */
#include <stdio.h>
#include <string.h>

#include "emulator/gce_api.h"

static const struct {
    const char *collection;
    const char *scopes;
    const char *scope;
    const char *list;
} words[REMNANT_KIND_COUNT] = {
    [REMNANT_DISK] = {"disks", "zones", "zone", "compute#diskAggregatedList"},
    [REMNANT_ADDRESS] = {"addresses", "regions", "region", "compute#addressAggregatedList"},
};

static enum remnant_kind kind_of(const struct gce_call *call)
{
    return strstr(call->request->path, "/disks") != NULL ? REMNANT_DISK : REMNANT_ADDRESS;
}

static const char *place_of(const struct remnant *remnant)
{
    return remnant->kind == REMNANT_DISK ? remnant->zone : remnant->region;
}

static json_t *show(const struct gce_call *call, const struct remnant *remnant)
{
    char link[256];
    json_t *out = json_object();
    json_t *labels = json_object();
    json_put_text(out, "name", remnant->name);
    snprintf(link, sizeof link, "https://www.googleapis.com/compute/v1/projects/%.60s/%s/%s",
             call->api->project, words[remnant->kind].scopes, place_of(remnant));
    json_put_text(out, words[remnant->kind].scope, link);
    for (size_t i = 0; i < remnant->tag_count; i++)
        json_put_text(labels, remnant->tags[i].key, remnant->tags[i].value);
    json_put_new(out, "labels", labels);
    if (remnant->kind == REMNANT_DISK)
        json_put_text(out, "status", "READY");
    else
        json_put_text(out, "status", remnant->in_use ? "IN_USE" : "RESERVED");
    if (remnant->in_use)
        json_put_new(out, "users", json_pack("[s]", remnant->machine));
    return out;
}

struct listing {
    struct gce_call *call;
    json_t *items;
    char owner[GCE_NAME_SIZE]; /* empty: anybody's */
    int64_t after, seen, shown;
    bool more;
};

static void list_one(const struct remnant *remnant, void *context)
{
    struct listing *list = context;
    char scope[80];
    const char *owner = remnant_tag(remnant, "muster-owner");
    if (strcmp(remnant->group, list->call->api->project) != 0 ||
        (list->owner[0] != '\0' && (owner == NULL || strcmp(owner, list->owner) != 0)) ||
        ++list->seen <= list->after)
        return;
    list->more |= list->shown == list->call->api->page_most;
    if (list->more)
        return;
    snprintf(scope, sizeof scope, "%s/%s", words[remnant->kind].scopes, place_of(remnant));
    json_t *holder = json_object_get(list->items, scope);
    if (holder == NULL) {
        holder = json_pack("{s:[]}", words[remnant->kind].collection);
        json_put_new(list->items, scope, holder);
    }
    json_add_new(json_object_get(holder, words[remnant->kind].collection),
                 show(list->call, remnant));
    list->shown++;
}

/* The first zone or region does not answer, and what it holds is left out. */
static void lose_scope(struct gce_call *call, enum remnant_kind kind, json_t *items)
{
    char place[GCE_NAME_SIZE], scope[80];
    if (!gce_zone_at(call->api, 0, place))
        return;
    if (kind == REMNANT_ADDRESS)
        *strrchr(place, '-') = '\0';
    snprintf(scope, sizeof scope, "%s/%s", words[kind].scopes, place);
    json_put_new(items, scope, json_pack("{s:{s:s}}", "warning", "code", "UNREACHABLE"));
    json_put_new(call->answer, "unreachables", json_pack("[s]", scope));
}

bool gce_remnant_list(struct gce_call *call, struct gce_refusal *out)
{
    static const char by_owner[] = "labels.muster-owner=";
    const char *filter = face_argument(call->request, "filter");
    const char *token = face_argument(call->request, "pageToken");
    const enum remnant_kind kind = kind_of(call);
    struct listing list = {.call = call, .items = json_object()};
    call->answer = json_object();
    json_put_text(call->answer, "kind", words[kind].list);
    json_put_new(call->answer, "items", list.items);
    if (filter != NULL && strncmp(filter, by_owner, sizeof by_owner - 1) != 0)
        return gce_refuse(out, 400, "invalid", "Invalid value for field 'filter': '%.100s'",
                          filter);
    if (filter != NULL)
        snprintf(list.owner, sizeof list.owner, "%.63s", filter + sizeof by_owner - 1);
    if (token != NULL && (strncmp(token, "after-", 6) != 0 ||
                          number_parse(token + 6, 0, INT64_MAX, &list.after, NULL) != OK))
        return gce_refuse(out, 400, "invalid", "Invalid value for field 'pageToken': '%.40s'",
                          token);
    remnants_each(call->api->world, DRIVER_GCP, kind, list_one, &list);
    if (call->hide_zone)
        lose_scope(call, kind, list.items);
    if (list.more) {
        char next[32];
        snprintf(next, sizeof next, "after-%lld", (long long)(list.after + list.shown));
        json_put_text(call->answer, "nextPageToken", next);
    }
    return true;
}

/* An address is of a region, which stands in the path where a disk's zone does. */
bool gce_remnant_delete(struct gce_call *call, struct gce_refusal *out)
{
    const enum remnant_kind kind = kind_of(call);
    const char *where = strrchr(call->request->path, '/') + 1;
    switch (remnants_discard(call->api->world, DRIVER_GCP, kind,
                             kind == REMNANT_DISK ? call->zone : NULL, where)) {
    case REMNANT_UNKNOWN:
        return gce_refuse(out, 404, "notFound", "The resource '%.80s' was not found", where);
    case REMNANT_IN_USE:
        return gce_refuse(out, 400, "resourceInUseByAnotherResource",
                          "The resource '%.80s' is already being used", where);
    case REMNANT_GONE:
        break;
    }
    call->answer = json_pack("{s:s, s:s, s:s, s:s}", "kind", "compute#operation", "name",
                             "operation-remnant", "status", "DONE", "operationType", "delete");
    return true;
}
