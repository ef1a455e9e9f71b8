#include "cli/account_explain.h"

#include "cli/arguments.h"
#include "drivers/driver.h"

static enum outcome read_headers(const json_t *headers, struct http_answer *out, struct error *err)
{
    const char *name;
    const json_t *value;
    json_object_foreach (json_looked_at(headers), name, value) {
        if (!json_is_string(value))
            return fail_at(err, ERR_INVALID, NULL, "/response/headers",
                           "/response/headers: '%.40s' is no text", name);
        http_answer_put_header(out, name, json_string_value(value));
    }
    return OK;
}

static enum outcome read_answer(const json_t *response, struct http_answer *out, struct error *err)
{
    int64_t status;
    const char *body;
    json_t *headers = json_object_get(response, "headers");
    TRY(json_get_int(response, "/response", "status", 100, 599, &status, err));
    TRY(json_get_text_or(response, "/response", "body", EXPLAINED_FILE_MAX, "", &body, err));
    if (headers != NULL) {
        TRY(json_get_object(response, "/response", "headers", &headers, err));
        TRY(read_headers(headers, out, err));
    }
    out->status = (int)status;
    bytes_add(&out->body, span_of_text(body));
    return OK;
}

static enum outcome driver_named(const json_t *value, const struct driver **out, struct error *err)
{
    const char *cloud;
    int id;
    TRY(json_get_text(value, "", "cloud", 32, &cloud, err));
    TRY(name_parse(&account_driver_names, cloud, &id, err));
    const struct account account = {.driver = (enum account_driver)id};
    return driver_of(&account, out, err);
}

static json_t *tell(const struct reading *reading)
{
    json_t *out = json_object();
    json_t *sightings = json_array();
    json_t *notices = json_array();
    for (size_t i = 0; i < reading->sightings.count; i++)
        json_add_new(sightings, record_to_json(&sighting_record, &reading->sightings.at[i]));
    for (size_t i = 0; i < reading->notices.count; i++)
        json_add_new(notices, record_to_json(&notice_record, &reading->notices.at[i]));
    if (reading->refused) {
        json_put_text(out, "class", name_of(&cloud_error_names, (int)reading->kind));
        json_put_text(out, "text", reading->error.text);
    } else {
        json_put_new(out, "class", json_null());
    }
    json_put_bool(out, "retry", reading->refused && cloud_error_is_repeatable(reading->kind));
    json_put_new(out, "sightings", sightings);
    json_put_new(out, "notices", notices);
    return out;
}

enum outcome account_explain(const char *file, json_t **out, struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(json_drop) json_t *value = NULL;
    OWNED(http_answer_done) struct http_answer answer = {0};
    OWNED(reading_done) struct reading reading = {0};
    const struct driver *driver;
    const char *operation;
    json_t *response;
    TRY(argument_file(file, EXPLAINED_FILE_MAX, &content, err));
    TRY(json_parse(bytes_span(&content), EXPLAINED_FILE_MAX, &value, err));
    TRY(driver_named(value, &driver, err));
    TRY(json_get_text(value, "", "operation", 128, &operation, err));
    TRY(json_get_object(value, "", "response", &response, err));
    TRY(read_answer(response, &answer, err));
    TRY(driver->read(operation, &answer, &reading, err));
    *out = tell(&reading);
    return OK;
}
