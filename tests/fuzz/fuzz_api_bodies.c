/* The bodies that the API takes, each read by everything that reads one. */
#include "lib/model/account.h"
#include "lib/model/fleet.h"
#include "lib/model/image.h"
#include "lib/model/secret.h"
#include "tests/fuzz/fuzz.h"

/* What was taken must be printable, and taken again as it was printed. */
static void fleet_round(const json_t *body)
{
    OWNED(fleet_done) struct fleet fleet = {0}, again = {0};
    if (fleet_from_json(body, &fleet, NULL) != OK)
        return;
    OWNED(json_drop) json_t *shown = fleet_to_json(&fleet);
    json_object_del(shown, "epoch");
    if (fleet_from_json(shown, &again, NULL) != OK)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(json_drop) json_t *body = NULL;
    OWNED(account_done) struct account account = {0};
    OWNED(image_done) struct image image = {0};
    struct secret secret = {0};
    if (json_parse(SPAN(data, size), 1 << 20, &body, NULL) != OK)
        return 0;
    fleet_round(body);
    error_ignore(account_from_json(body, "", &account, NULL));
    error_ignore(image_from_json(body, &image, NULL));
    error_ignore(secret_from_json(body, &secret, NULL));
    return 0;
}
