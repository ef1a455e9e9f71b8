/* The API of notices: paged, filtered, and of one's own project only. */
#include "controller/http_request.h"

#include <stdio.h>
#include <string.h>

#include "db/notice_store.h"
#include "tests/support/ask.h"
#include "tests/support/test.h"

static void run(const char *script)
{
    struct error err = {0};
    assert_ok(db_script(ask_db, script, &err));
}

/* A machine of the fleet with so many notices, an hour apart, the first at an hour. */
static struct instance told_of(const char *fleet, int count)
{
    struct error err = {0};
    struct instance instance = ask_instance(fleet);
    struct notice_changes changes;
    OWNED(text_done) struct text script = {0};
    OWNED(text_done) struct text said = {0};
    text_addf(&script,
              "UPDATE instances SET client_token = 't-%s', cloud_ref = 'i-%s' WHERE id = '%s'",
              uuid_text(&instance.id).at, uuid_text(&instance.id).at, uuid_text(&instance.id).at);
    run(text_str(&script));
    for (int i = count; i > 0; i--)
        text_addf(&said,
                  "%s{\"ref\":\"i-%s\",\"kind\":\"instance-stop\",\"event\":\"event-%d\","
                  "\"not_before\":\"%s\",\"is_ours_to_time\":false}",
                  said.len > 0 ? "," : "[", uuid_text(&instance.id).at, i,
                  moment_text(moment_add_seconds(clock_now(), 3600 * i)).at);
    text_add(&said, "]");
    const struct account_place place = {.project = "default", .name = "acme"};
    const struct notice_look look = {.place = &place, .said = text_str(&said)};
    assert_ok(notice_store_look(ask_db, &look, "watch:test", &changes, &err));
    assert_int_equal(changes.given, count);
    return instance;
}

static size_t listed(const char *query)
{
    OWNED(text_done) struct text target = {0};
    text_addf(&target, "/v1/notices%s", query);
    OWNED(told_done) struct told told = ask("GET", text_str(&target), NULL);
    assert_told(told, 200);
    return json_array_size(json_object_get(told.body, "items"));
}

static void notices_are_filtered(void **state)
{
    (void)state;
    char query[96];
    const struct instance a = told_of("shop", 2);
    told_of("shop", 1);
    told_of("till", 1);
    assert_int_equal(listed("?fleet=shop"), 3);
    assert_int_equal(listed("?fleet=nobody"), 0);
    assert_int_equal(listed("?fleet=till&account=acme"), 1);
    assert_int_equal(listed("?fleet=till&account=other"), 0);
    snprintf(query, sizeof query, "?instance=%s", uuid_text(&a.id).at);
    assert_int_equal(listed(query), 2);
    run("UPDATE notices SET ended = now() WHERE event = 'event-1'");
    assert_int_equal(listed("?fleet=shop"), 1);
    assert_int_equal(listed("?fleet=shop&ended=true"), 3);
    ask_refused("GET", "/v1/notices?instance=i-1", NULL, 400, "bad-parameter", "?instance");
    ask_refused("GET", "/v1/notices?ended=perhaps", NULL, 400, "bad-parameter", "?ended");
}

/* What begins first comes first, each once, whatever the page. */
static void notices_come_in_pages_the_next_first(void **state)
{
    (void)state;
    enum { COUNT = 7 };
    char cursor[NOTICE_CURSOR_SIZE] = "", last[48] = "";
    size_t shown = 0;
    told_of("paged", COUNT);
    do {
        OWNED(text_done) struct text target = {0};
        text_addf(&target, "/v1/notices?fleet=paged&limit=2%s%s",
                  cursor[0] != '\0' ? "&cursor=" : "", cursor);
        OWNED(told_done) struct told told = ask("GET", text_str(&target), NULL);
        assert_told(told, 200);
        size_t i;
        json_t *item;
        json_array_foreach (json_object_get(told.body, "items"), i, item) {
            const char *begins = told_member(item, "begins");
            assert_true(strcmp(begins, last) > 0);
            snprintf(last, sizeof last, "%s", begins);
            shown++;
        }
        snprintf(cursor, sizeof cursor, "%s", told_member(told.body, "cursor"));
    } while (cursor[0] != '\0');
    assert_int_equal(shown, COUNT);
}

static void a_cursor_of_ones_own_making_is_refused(void **state)
{
    (void)state;
    static const char *const made[] = {
        "",
        "x",
        "n",
        "nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* at no time */
        "n__________8AAAAAAAAAAAAAAAAAAAAA", /* before 1970 */
        "nf_________8AAAAAAAAAAAAAAAAAAAAA", /* when there are no dates any more */
        "iAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    for (size_t i = 0; i < countof(made); i++) {
        OWNED(text_done) struct text target = {0};
        text_addf(&target, "/v1/notices?cursor=%s", made[i]);
        ask_refused("GET", text_str(&target), NULL, 400, "bad-cursor", "?cursor");
    }
}

static void one_notice_shows_its_history(void **state)
{
    (void)state;
    told_of("single", 1);
    OWNED(told_done) struct told list = ask("GET", "/v1/notices?fleet=single", NULL);
    const json_t *item = json_array_get(json_object_get(list.body, "items"), 0);
    assert_null(json_object_get(item, "history"));
    char path[96];
    snprintf(path, sizeof path, "/v1/notices/%s", told_member(item, "id"));
    OWNED(told_done) struct told told = ask("GET", path, NULL);
    assert_told(told, 200);
    const json_t *history = json_object_get(told.body, "history");
    assert_int_equal(json_array_size(history), 1);
    assert_string_equal(told_member(json_array_get(history, 0), "change"), "given");
    ask_refused("GET", "/v1/notices/00000000-0000-4000-8000-000000000000", NULL, 404, "not-found",
                "");
}

static void another_projects_notices_are_not_there(void **state)
{
    (void)state;
    told_of("hidden", 1);
    OWNED(told_done) struct told list = ask("GET", "/v1/notices?fleet=hidden", NULL);
    char path[96];
    snprintf(path, sizeof path, "/v1/notices/%s",
             told_member(json_array_get(json_object_get(list.body, "items"), 0), "id"));
    run("INSERT INTO projects (name) VALUES ('other') ON CONFLICT DO NOTHING;"
        "INSERT INTO accounts (id, project, name, driver, spec) SELECT gen_random_uuid(), 'other', "
        "name, driver, spec FROM accounts WHERE name = 'acme' ON CONFLICT DO NOTHING;"
        "UPDATE notices SET project = 'other' WHERE instance IN "
        "(SELECT id FROM instances WHERE fleet = 'hidden')");
    assert_int_equal(listed("?fleet=hidden"), 0);
    OWNED(told_done) struct told told = ask("GET", path, NULL);
    assert_told(told, 404);
}

static void a_fleet_and_its_instances_show_what_comes(void **state)
{
    (void)state;
    ask_does("POST", "/v1/fleets", FLEET("warned", "0"), 201);
    OWNED(told_done) struct told before = ask("GET", "/v1/fleets/warned/status", NULL);
    const json_t *none = json_object_get(before.body, "notices");
    assert_int_equal(json_integer_value(json_object_get(none, "count")), 0);
    assert_null(json_object_get(none, "next"));
    const struct instance instance = told_of("warned", 3);
    OWNED(told_done) struct told status = ask("GET", "/v1/fleets/warned/status", NULL);
    const json_t *sum = json_object_get(status.body, "notices");
    assert_int_equal(json_integer_value(json_object_get(sum, "count")), 3);
    assert_int_equal(json_integer_value(json_object_get(sum, "instances")), 1);
    char path[96];
    snprintf(path, sizeof path, "/v1/instances/%s", uuid_text(&instance.id).at);
    OWNED(told_done) struct told told = ask("GET", path, NULL);
    const json_t *of_one = json_object_get(told.body, "notices");
    assert_int_equal(json_integer_value(json_object_get(of_one, "count")), 3);
    assert_string_equal(told_member(of_one, "next"), told_member(sum, "next"));
}

#define QUIET(test) cmocka_unit_test_setup(test, ask_quiet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUIET(notices_are_filtered),
        QUIET(notices_come_in_pages_the_next_first),
        QUIET(a_cursor_of_ones_own_making_is_refused),
        QUIET(one_notice_shows_its_history),
        QUIET(another_projects_notices_are_not_there),
        QUIET(a_fleet_and_its_instances_show_what_comes),
    };
    return cmocka_run_group_tests_name("notices api", tests, ask_open, ask_close);
}
