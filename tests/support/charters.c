#include "tests/support/charters.h"

#include <string.h>

#include "tests/support/test.h"

#define HEX_16(c) c c c c c c c c c c c c c c c c
#define HEX_48(c) HEX_16(c) HEX_16(c) HEX_16(c)

static const char sound[] =
    "{\"charter\":1,\"realm\":\"production\",\"serial\":7,"
    "\"issued\":\"2026-11-23T00:00:00Z\",\"expires\":\"2026-12-20T00:00:00Z\","
    "\"policies\":{"
    "\"web\":{\"snp\":{\"require_crl\":true},\"references\":[\"direct\"],\"valid_seconds\":3600}},"
    "\"references\":{"
    "\"direct\":{\"measurement\":[\"" HEX_48(
        "11") "\"],\"measured_boot\":true,"
              "\"anchor\":\"host-data\",\"provider_execution\":\"off\"}},"
              "\"grants\":{"
              "\"key\":{\"policies\":[\"web\"],\"least_level\":\"L1\",\"accounts\":\"any\","
              "\"regions\":\"any\",\"fleets\":\"any\",\"scope\":\"fleet\",\"kind\":\"opaque\","
              "\"origin\":\"generate\",\"max_verdict_age_seconds\":3600},"
              "\"host\":{\"policies\":[\"web\"],\"least_level\":\"L1\",\"accounts\":\"any\","
              "\"regions\":\"any\",\"fleets\":[\"web\"],\"scope\":\"instance\","
              "\"kind\":\"ssh-host-key\",\"origin\":\"generate\",\"max_verdict_age_seconds\":600}},"
              "\"tcb_floors\":{\"Genoa\":{\"bl\":10,\"snp\":27,\"ucode\":88},"
              "\"Turin\":{\"fmc\":1,\"bl\":1,\"tee\":1,\"snp\":4,\"ucode\":81}},"
              "\"deny\":{\"chips\":[],\"measurements\":[],\"anchors\":[],\"guest_keys\":[]},"
              "\"keepers\":[\"" HEX_16("33")
                  HEX_16("33") "\"],\"relying_parties\":{},"
                               "\"custody\":{\"keeper\":\"on-premises\",\"kek\":\"file\"}}";

json_t *charter_sound(void)
{
    json_t *json = json_loads(sound, 0, NULL);
    assert_non_null(json);
    return json;
}

struct moment charter_sound_day(void)
{
    struct error err = {0};
    struct moment day;
    assert_ok(moment_parse("2026-11-24T12:00:00Z", &day, &err));
    return day;
}

void charter_change(json_t *charter, const char *pointer, const char *value)
{
    char step[64];
    const char *slash;
    pointer++;
    while ((slash = strchr(pointer, '/')) != NULL) {
        assert_true((size_t)(slash - pointer) < sizeof step);
        memcpy(step, pointer, (size_t)(slash - pointer));
        step[slash - pointer] = '\0';
        if (json_object_get(charter, step) == NULL)
            json_put_new(charter, step, json_object());
        charter = json_object_get(charter, step);
        pointer = slash + 1;
    }
    if (value == NULL) {
        assert_int_equal(json_object_del(charter, pointer), 0);
        return;
    }
    json_t *parsed = json_loads(value, JSON_DECODE_ANY, NULL);
    assert_non_null(parsed);
    json_put_new(charter, pointer, parsed);
}
