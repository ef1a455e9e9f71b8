#include "agent/userdata.h"

#include <stdio.h>
#include <string.h>

static bool is_controller(const char *url)
{
    static const char scheme[] = "tls+tcp://";
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    const char *host = url + sizeof scheme - 1;
    const char *colon = strrchr(host, ':');
    int64_t port;
    if (colon == NULL || colon == host || number_parse(colon + 1, 1, 65535, &port, NULL) != OK)
        return false;
    size_t host_len = (size_t)(colon - host);
    return strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") >=
           host_len;
}

static enum outcome take_controllers(const json_t *in, struct userdata *out, struct error *err)
{
    json_t *list;
    TRY(json_get_array(in, "", "controllers", CONTROLLERS_MAX, &list, err));
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        char where[ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "/controllers/%zu", i);
        const char *url = json_string_value(item);
        if (url == NULL || !is_controller(url))
            return fail_at(err, ERR_INVALID, "bad-controller", where,
                           "%s: not of the form tls+tcp://host:port", where);
        TRY(text_copy(out->controllers[i], CONTROLLER_TEXT_MAX, url, where, err));
    }
    out->controller_count = json_array_size(list);
    if (out->controller_count == 0)
        return fail_at(err, ERR_INVALID, "bad-controller", "/controllers",
                       "user-data names no controller");
    return OK;
}

static enum outcome take_ticket(const json_t *in, struct userdata *out, struct error *err)
{
    const char *ticket;
    TRY(json_get_text_or(in, "", "ticket", TICKET_SIZE - 1, "", &ticket, err));
    OWNED(bytes_wipe) struct bytes raw = {0};
    if (ticket[0] != '\0' &&
        (base64url_decode(span_of_text(ticket), &raw, NULL) != OK || raw.len != 32))
        return fail_at(err, ERR_INVALID, "bad-ticket", "/ticket",
                       "/ticket: not base64url of 32 bytes");
    return text_copy(out->ticket, TICKET_SIZE, ticket, "/ticket", err);
}

static enum outcome take_all(const json_t *in, struct userdata *out, struct error *err)
{
    int64_t version;
    const char *root;
    TRY(json_get_int(in, "", "muster", 1, 1, &version, err));
    TRY(take_controllers(in, out, err));
    TRY(json_get_text_or(in, "", "root", 16384, "", &root, err));
    TRY(json_get_uuid(in, "", "instance", &out->instance, err));
    TRY(take_ticket(in, out, err));
    if (uuid_is_zero(&out->instance))
        return fail_at(err, ERR_INVALID, "bad-instance", "/instance", "/instance: all zero");
    bytes_add(&out->root, span_of_text(root));
    return OK;
}

enum outcome userdata_parse(struct span json, struct userdata *out, struct error *err)
{
    OWNED(json_drop) json_t *in = NULL;
    OWNED(userdata_done) struct userdata made = {0};
    TRY(json_parse(json, USERDATA_MAX, &in, err));
    if (!json_is_object(in))
        return fail(err, ERR_INVALID, "user-data is not a JSON object");
    TRY(take_all(in, &made, err));
    *out = made;
    made = (struct userdata){0};
    return OK;
}

void userdata_done(struct userdata *u)
{
    bytes_done(&u->root);
    explicit_bzero(u->ticket, sizeof u->ticket);
}
