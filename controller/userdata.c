#include "controller/userdata.h"

#include <string.h>

#include "drivers/driver.h"
#include "lib/base/json.h"

void launch_ticket_key(struct span private_key_pem, uint8_t out[static SHA256_SIZE])
{
    digest_hkdf(private_key_pem, span_of_text("muster"), span_of_text("launch tickets v1"), out,
                SHA256_SIZE);
}

void launch_ticket_make(const uint8_t key[static SHA256_SIZE], const struct uuid *instance,
                        struct launch_ticket *out)
{
    uint8_t raw[SHA256_SIZE];
    digest_hmac(DIGEST_SHA256, SPAN(key, SHA256_SIZE), uuid_span(instance), raw);
    OWNED(mem_drop) char *text = base64url_of(SPAN_OF(raw));
    *out = (struct launch_ticket){0};
    memcpy(out->text, text, TICKET_TEXT_SIZE - 1);
    digest(DIGEST_SHA256, span_of_text(out->text), out->hash);
    explicit_bzero(raw, sizeof raw);
    explicit_bzero(text, TICKET_TEXT_SIZE - 1);
}

static json_t *split(const char *controllers)
{
    json_t *list = json_array();
    for (const char *at = controllers; *at != '\0';) {
        size_t len = strcspn(at, ", ");
        if (len > 0)
            json_add_new(list, json_stringn(at, len));
        at += len + strspn(at + len, ", ");
    }
    return list;
}

enum outcome userdata_make(const char *controllers, struct span root_pem,
                           const struct uuid *instance, const struct launch_ticket *ticket,
                           struct bytes *out, struct error *err)
{
    OWNED(json_drop) json_t *told = json_object();
    json_t *list = split(controllers);
    size_t count = json_array_size(list);
    json_put_new(told, "controllers", list);
    if (count == 0 || count > USERDATA_CONTROLLERS_MOST)
        return fail_code(err, ERR_INVALID, "bad-setting",
                         "guests are told of %zu controllers, not of 1 to %d", count,
                         USERDATA_CONTROLLERS_MOST);
    json_put_int(told, "muster", 1);
    json_put_span(told, "root", root_pem);
    json_put_uuid(told, "instance", instance);
    json_put_text(told, "ticket", ticket->text);
    OWNED(mem_drop) char *printed = json_print(told);
    if (strlen(printed) > USER_DATA_MAX)
        return fail_code(err, ERR_INVALID, "too-large", "user-data of %zu bytes", strlen(printed));
    bytes_add(out, span_of_text(printed));
    return OK;
}
