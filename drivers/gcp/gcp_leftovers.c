#include "drivers/gcp/gcp_leftovers.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"

enum { TOKEN_MAX_LEN = 2048 };

static const struct {
    const char *collection; /* NULL: there is no such thing by itself */
    const char *scopes;
    const char *scope; /* the member that says where it is */
    const char *kind;
    const char *states[2]; /* of what nothing uses */
} facts[LEFTOVER_KIND_COUNT] = {
    [LEFTOVER_DISK] = {"disks", "zones", "zone", "compute#diskAggregatedList", {"READY", "FAILED"}},
    [LEFTOVER_ADDRESS] =
        {"addresses", "regions", "region", "compute#addressAggregatedList", {"RESERVED"}},
};

bool gcp_has_leftovers(enum leftover_kind kind)
{
    return facts[kind].collection != NULL;
}

static void begin(struct gcp_call *out, const char *method, const struct account *account)
{
    *out = (struct gcp_call){.method = method};
    text_add(&out->path, "compute/v1/projects/");
    text_add_percent(&out->path, span_of_text(account->project));
}

void gcp_list_left(const struct account *account, enum leftover_kind kind, const char *page_token,
                   struct gcp_call *out)
{
    OWNED(text_done) struct text filter = {0};
    gcp_filter_owner(account->owner, &filter);
    begin(out, "GET", account);
    text_addf(&out->path, "/aggregated/%s?filter=", facts[kind].collection);
    text_add_percent(&out->path, text_span(&filter));
    text_addf(&out->path, "&maxResults=%d&returnPartialSuccess=true", GCP_LEFT_PAGE_SIZE);
    if (page_token[0] != '\0') {
        text_add(&out->path, "&pageToken=");
        text_add_percent(&out->path, span_of_text(page_token));
    }
}

void gcp_discard(const struct account *account, enum leftover_kind kind,
                 const struct gcp_place *place, struct gcp_call *out)
{
    begin(out, "DELETE", account);
    text_addf(&out->path, "/%s/%s/%s/%s", facts[kind].scopes, place->zone, facts[kind].collection,
              place->name);
}

/* ---- answers ------------------------------------------------------------------------------- */

static enum outcome unreadable(struct error *err, const char *why)
{
    return cloud_fail(err, CLOUD_AMBIGUOUS, "the answer %s", why);
}

static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* What follows the last slash of a URL: Google names things by where they are. */
static const char *last_of(const char *url)
{
    const char *slash = strrchr(url, '/');
    return slash != NULL ? slash + 1 : url;
}

static bool is_here(enum leftover_kind kind, const char *scope, const char *region)
{
    return kind == LEFTOVER_DISK ? gcp_zone_is_in(scope, region) : strcmp(scope, region) == 0;
}

static bool is_left(enum leftover_kind kind, const json_t *item)
{
    const json_t *users = json_object_get(item, "users");
    if (users != NULL && (!json_is_array(users) || json_array_size(users) > 0))
        return false;
    for (size_t i = 0; i < countof(facts[kind].states) && facts[kind].states[i] != NULL; i++)
        if (strcmp(facts[kind].states[i], word(item, "status")) == 0)
            return true;
    return false;
}

static const char *label(const json_t *labels, const char *tag)
{
    char key[GCP_NAME_SIZE];
    gcp_label_key(tag, key);
    return word(labels, key);
}

static bool read_left(enum leftover_kind kind, const struct account *account, const json_t *item,
                      struct leftover_list *out)
{
    static const char *const tags[] = {TAG_INSTANCE, TAG_FLEET, TAG_TOKEN};
    const json_t *labels = json_object_get(item, "labels");
    const char *name = word(item, "name");
    const char *scope = last_of(word(item, facts[kind].scope));
    struct leftover made = {.kind = kind};
    if (!json_is_object(item))
        return false;
    if (strcmp(label(labels, TAG_OWNER), account->owner) != 0)
        return true;
    if (!gcp_name_is_valid(name) || !gcp_name_is_valid(scope))
        return false;
    if (!is_here(kind, scope, account->region) || !is_left(kind, item))
        return true;
    if (out->count == LEFTOVERS_MAX)
        return false;
    snprintf(made.ref, sizeof made.ref, "%s/%s", scope, name);
    text_clip(made.state_word, sizeof made.state_word, word(item, "status"));
    text_clip(made.zone, sizeof made.zone, kind == LEFTOVER_DISK ? scope : "");
    for (size_t i = 0; i < countof(tags); i++)
        leftover_tag(&made, tags[i], label(labels, tags[i]));
    *leftover_list_add(out) = made;
    return true;
}

/* "zones/us-central1-a"; one whose name we cannot read may be ours. */
static bool may_be_ours(enum leftover_kind kind, const json_t *scope, const char *region)
{
    return !json_is_string(scope) || is_here(kind, last_of(json_string_value(scope)), region);
}

static bool has_lost_some(enum leftover_kind kind, const json_t *root, const char *region)
{
    size_t i;
    json_t *scope;
    json_array_foreach (json_object_get(root, "unreachables"), i, scope)
        if (may_be_ours(kind, scope, region))
            return true;
    return false;
}

static bool read_scope(enum leftover_kind kind, const struct account *account, const json_t *holder,
                       struct leftover_list *out)
{
    const json_t *list = json_object_get(holder, facts[kind].collection);
    const char *code = word(json_object_get(holder, "warning"), "code");
    size_t i;
    json_t *item;
    if (!json_is_object(holder) || (list != NULL && !json_is_array(list)))
        return false;
    out->partial |= strcmp(code, "UNREACHABLE") == 0;
    json_array_foreach (json_looked_at(list), i, item)
        if (!read_left(kind, account, item, out))
            return false;
    return true;
}

enum outcome gcp_read_left(enum leftover_kind kind, const struct account *account, struct span body,
                           struct leftover_list *out, struct text *next_token, struct error *err)
{
    OWNED(json_drop) json_t *root = NULL;
    const char *name;
    json_t *holder;
    if (json_parse(body, HTTP_ANSWER_MAX, &root, NULL) != OK)
        return unreadable(err, "is no JSON");
    const json_t *items = json_object_get(root, "items"); /* absent when there are none */
    const json_t *token = json_object_get(root, "nextPageToken");
    if (strcmp(word(root, "kind"), facts[kind].kind) != 0 ||
        (items != NULL && !json_is_object(items)))
        return unreadable(err, "is no such list");
    out->partial |= has_lost_some(kind, root, account->region);
    json_object_foreach (json_looked_at(items), name, holder)
        if (is_here(kind, last_of(name), account->region) &&
            !read_scope(kind, account, holder, out))
            return unreadable(err, "names one too many, or one we cannot read");
    text_done(next_token);
    if (token == NULL)
        return OK;
    if (!json_is_string(token) || json_string_length(token) > TOKEN_MAX_LEN)
        return unreadable(err, "has a page token we cannot hold");
    text_add(next_token, json_string_value(token));
    return OK;
}
