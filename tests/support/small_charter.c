#include "tests/support/small_charter.h"

#include <string.h>

#include "tests/support/test.h"

static const char template[] =
    "{\"charter\":1,\"realm\":\"simulation\",\"serial\":7,"
    "\"issued\":\"2026-11-23T00:00:00Z\",\"expires\":\"2026-12-20T00:00:00Z\","
    "\"policies\":{\"web\":{\"snp\":{},\"references\":[\"direct\",\"stock\"],"
    "\"valid_seconds\":3600}},"
    "\"references\":{"
    "\"direct\":{\"measurement\":[\"11111111111111111111111111111111111111111111111111111111111111"
    "1111111111111111111111111111111111\"],\"measured_boot\":true,\"anchor\":\"host-data\","
    "\"provider_execution\":\"off\"},"
    "\"stock\":{\"measurement\":[\"2222222222222222222222222222222222222222222222222222222222222222"
    "22222222222222222222222222222222\"],\"measured_boot\":false,\"anchor\":\"none\","
    "\"provider_execution\":\"on\"}},"
    "\"grants\":{"
    "\"web-key\":{\"policies\":[\"web\"],\"least_level\":\"L1\",\"accounts\":\"any\","
    "\"regions\":\"any\",\"fleets\":\"any\",\"scope\":\"fleet\",\"kind\":\"opaque\","
    "\"origin\":\"generate\",\"max_verdict_age_seconds\":3600,\"allow_unproven_software\":true},"
    "\"host\":{\"policies\":[\"web\"],\"least_level\":\"L1\",\"accounts\":\"any\","
    "\"regions\":[\"us-east-1\"],\"fleets\":[\"web\"],\"scope\":\"instance\","
    "\"kind\":\"ssh-host-key\",\"origin\":\"generate\",\"max_verdict_age_seconds\":600}},"
    "\"tcb_floors\":{},"
    "\"deny\":{\"chips\":[],\"measurements\":[],\"anchors\":[],\"guest_keys\":[]},"
    "\"keepers\":[],\"relying_parties\":{\"bao\":" PARTY(
        "\"https://bao\"", "[\"web\"]", "L2",
        "120") "},"
               "\"custody\":{\"keeper\":\"on-premises\",\"kek\":\"file\"},\"simulator_roots\":[]}";

struct charter *small_charter_parsed(const json_t *json)
{
    struct error err = {0};
    struct charter *charter = NULL;
    OWNED(mem_drop) char *text = json_print(json);
    assert_ok(charter_parse(span_of_text(text), &charter, &err));
    return charter;
}

json_t *small_charter(void)
{
    json_t *json = json_loads(template, 0, NULL);
    assert_non_null(json);
    return json;
}

json_t *small_charter_parent(json_t *json, const char *path, const char **last)
{
    char step[64];
    const char *slash;
    while ((slash = strchr(path, '/')) != NULL) {
        memcpy(step, path, (size_t)(slash - path));
        step[slash - path] = '\0';
        json = json_object_get(json, step);
        path = slash + 1;
    }
    *last = path;
    return json;
}
