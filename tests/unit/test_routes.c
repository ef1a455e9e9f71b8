#include "controller/routes.h"

#include <stdio.h>
#include <string.h>

#include "controller/api.h"
#include "lib/base/json.h"
#include "tests/support/test.h"

/* ---- finding ------------------------------------------------------------------------------- */

struct found {
    enum outcome outcome;
    const struct route *route;
    const char *args[REQUEST_ARGS_MAX];
    char allow[96];
    struct http_target target;
    struct error err;
};

static void found_done(struct found *f)
{
    http_target_done(&f->target);
}

static struct found find(const char *method, const char *path)
{
    struct error err = {0};
    struct found f = {0};
    assert_ok(http_target_parse(path, &f.target, &err));
    f.outcome = route_find(method, &f.target, &f.route, f.args, f.allow, sizeof f.allow, &f.err);
    return f;
}

static void a_path_leads_to_its_row_and_names_what_stands_in_braces(void **state)
{
    (void)state;
    OWNED(found_done) struct found f = find("GET", "/v1/fleets/web/status");
    assert_int_equal(f.outcome, OK);
    assert_string_equal(f.route->pattern, "/v1/fleets/{name}/status");
    assert_string_equal(f.args[0], "web");
}

static void paths_that_are_longer_shorter_or_other_are_not_found(void **state)
{
    (void)state;
    static const char *const paths[] = {"/",          "/v1",
                                        "/v1/fleet",  "/v1/fleets/a/b",
                                        "/v2/fleets", "/v1/fleets/a/status/x",
                                        "/healthz/x", "/HEALTHZ"};
    for (size_t i = 0; i < countof(paths); i++) {
        OWNED(found_done) struct found f = find("GET", paths[i]);
        assert_int_equal(f.outcome, ERR_NOT_FOUND);
        assert_string_equal(f.err.code, "no-such-route");
    }
}

static void another_method_is_told_which_there_are(void **state)
{
    (void)state;
    OWNED(found_done) struct found f = find("PATCH", "/v1/fleets/web");
    assert_int_equal(f.outcome, ERR_INVALID);
    assert_string_equal(f.err.code, "wrong-method");
    assert_string_equal(f.allow, "HEAD, GET, PUT, DELETE, OPTIONS");
}

static void a_parameter_that_a_route_does_not_know_is_refused_by_name(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(found_done) struct found good = find("GET", "/v1/instances?fleet=a&limit=3");
    assert_ok(route_check_query(good.route, &good.target, &err));
    static const char *const bad[] = {"/v1/instances?flee=a", "/v1/instances?fleets=a",
                                      "/v1/fleets/a?dry_run=true", "/healthz?a=b"};
    for (size_t i = 0; i < countof(bad); i++) {
        OWNED(found_done) struct found f = find("GET", bad[i]);
        assert_fails(route_check_query(f.route, &f.target, &err), ERR_INVALID, "unknown-parameter");
        assert_int_equal(err.where[0], '?');
    }
}

/* ---- the table and openapi.json say the same ------------------------------------------------ */

static json_t *document(void)
{
    struct error err = {0};
    json_t *doc = NULL;
    assert_ok(json_parse(span_of_text(openapi_json), 1 << 20, &doc, &err));
    return doc;
}

static const json_t *operation(const json_t *doc, const struct route *route)
{
    char method[8] = "";
    for (size_t i = 0; i < sizeof method - 1 && route->method[i] != '\0'; i++)
        method[i] = (char)(route->method[i] | 0x20);
    const json_t *path = json_object_get(json_object_get(doc, "paths"), route->pattern);
    return json_object_get(path, method);
}

static void every_route_is_in_the_document(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *doc = document();
    for (size_t i = 0; i < route_count; i++)
        if (operation(doc, &routes[i]) == NULL)
            fail_msg("%s %s is not in openapi.json", routes[i].method, routes[i].pattern);
}

static bool has_route(const char *method, const char *pattern)
{
    for (size_t i = 0; i < route_count; i++)
        if (strcasecmp(routes[i].method, method) == 0 && strcmp(routes[i].pattern, pattern) == 0)
            return true;
    return false;
}

static void everything_in_the_document_is_served(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *doc = document();
    const char *pattern, *method;
    json_t *path, *item;
    json_object_foreach (json_object_get(doc, "paths"), pattern, path)
        json_object_foreach (path, method, item)
            if (strcmp(method, "parameters") != 0 && !has_route(method, pattern))
                fail_msg("%s %s is in openapi.json and not served", method, pattern);
}

static void the_document_names_the_roles_of_every_route(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *doc = document();
    for (size_t i = 0; i < route_count; i++) {
        const json_t *roles = json_object_get(operation(doc, &routes[i]), "x-muster-roles");
        unsigned may = 0;
        size_t at;
        json_t *word;
        json_array_foreach (json_looked_at(roles), at, word) {
            struct error err = {0};
            int role = 0;
            assert_ok(name_parse(&caller_role_names, json_string_value(word), &role, &err));
            may |= 1U << role;
        }
        if (may != routes[i].may)
            fail_msg("%s %s: other roles than in the table", routes[i].method, routes[i].pattern);
    }
}

/* The names of query parameters, as the table has them. */
static void add_query(const json_t *doc, const json_t *op, struct text *out)
{
    static const char shared[] = "#/components/parameters/";
    const json_t *named = json_object_get(json_object_get(doc, "components"), "parameters");
    size_t at;
    json_t *parameter;
    json_array_foreach (json_object_get(op, "parameters"), at, parameter) {
        const char *ref = json_string_value(json_object_get(parameter, "$ref"));
        if (ref != NULL && strncmp(ref, shared, sizeof shared - 1) == 0)
            parameter = json_object_get(named, ref + sizeof shared - 1);
        const char *in = json_string_value(json_object_get(parameter, "in"));
        if (in == NULL || strcmp(in, "query") != 0)
            continue;
        text_add(out, out->len > 0 ? " " : "");
        text_add(out, json_string_value(json_object_get(parameter, "name")));
    }
}

static void the_document_names_the_parameters_of_every_route(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *doc = document();
    for (size_t i = 0; i < route_count; i++) {
        OWNED(text_done) struct text names = {0};
        add_query(doc, operation(doc, &routes[i]), &names);
        assert_string_equal(text_str(&names), routes[i].query);
    }
}

static void the_words_of_states_are_those_of_the_model(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *doc = document();
    static const struct {
        const char *schema;
        const struct names *names;
    } rows[] = {{"Phase", &phase_names}, {"Trust", &trust_names}};
    for (size_t i = 0; i < countof(rows); i++) {
        const json_t *schema = json_object_get(
            json_object_get(json_object_get(doc, "components"), "schemas"), rows[i].schema);
        const json_t *words = json_object_get(schema, "enum");
        assert_int_equal(json_array_size(words), rows[i].names->count);
        for (size_t w = 0; w < rows[i].names->count; w++)
            assert_string_equal(json_string_value(json_array_get(words, w)),
                                rows[i].names->words[w]);
    }
}

static void only_health_and_the_document_are_for_anybody(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++)
        if (routes[i].may == MAY_ANYBODY)
            assert_true(strncmp(routes[i].pattern, "/v1/", 4) != 0 &&
                        strcmp(routes[i].method, "GET") == 0);
}

/* To ask what is to be thought of evidence changes nothing, although it takes a body. */
static bool only_asks(const struct route *route)
{
    return strcmp(route->pattern, "/v1/verify") == 0;
}

static void viewers_and_auditors_change_nothing(void **state)
{
    (void)state;
    const unsigned onlookers = 1U << CALLER_VIEWER | 1U << CALLER_AUDITOR | 1U << CALLER_APPROVER;
    for (size_t i = 0; i < route_count; i++)
        if (strcmp(routes[i].method, "GET") != 0 && !only_asks(&routes[i]))
            assert_int_equal(routes[i].may & onlookers, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_leads_to_its_row_and_names_what_stands_in_braces),
        cmocka_unit_test(paths_that_are_longer_shorter_or_other_are_not_found),
        cmocka_unit_test(another_method_is_told_which_there_are),
        cmocka_unit_test(a_parameter_that_a_route_does_not_know_is_refused_by_name),
        cmocka_unit_test(every_route_is_in_the_document),
        cmocka_unit_test(everything_in_the_document_is_served),
        cmocka_unit_test(the_document_names_the_roles_of_every_route),
        cmocka_unit_test(the_document_names_the_parameters_of_every_route),
        cmocka_unit_test(the_words_of_states_are_those_of_the_model),
        cmocka_unit_test(only_health_and_the_document_are_for_anybody),
        cmocka_unit_test(viewers_and_auditors_change_nothing),
    };
    return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
