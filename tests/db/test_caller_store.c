#include "db/caller_store.h"

#include <string.h>

#include "tests/support/one_database.h"
#include "tests/support/test.h"

static struct caller caller_of(const char *label, char token[static CALLER_TOKEN_MAX])
{
    struct error err;
    struct caller caller = {0};
    assert_ok(caller_make("default", CALLER_OPERATOR, label, &caller, token, &err));
    return caller;
}

static void a_token_is_found_by_its_hash_and_its_text_is_nowhere(void **state)
{
    (void)state;
    struct error err;
    char token[CALLER_TOKEN_MAX];
    struct caller caller = caller_of("ops", token), found = {0};
    assert_ok(caller_store_add(db, &caller, "test:me", &err));
    assert_ok(caller_store_find(db, caller.hash, &found, &err));
    assert_string_equal(found.label, "ops");
    assert_int_equal(found.role, CALLER_OPERATOR);
    OWNED(json_drop) json_t *shown = record_to_json(&caller_record, &found);
    OWNED(mem_drop) char *printed = json_print(shown);
    assert_null(strstr(printed, "hash"));
    assert_int_equal(strncmp(token, "muster_", 7), 0);
}

static void a_revoked_or_expired_token_is_not_found(void **state)
{
    (void)state;
    struct error err;
    char token[CALLER_TOKEN_MAX];
    struct caller late = caller_of("late", token), gone = caller_of("gone", token), found;
    late.expires = moment_add_seconds(clock_now(), -1);
    assert_ok(caller_store_add(db, &late, "test:me", &err));
    assert_ok(caller_store_add(db, &gone, "test:me", &err));
    assert_fails(caller_store_find(db, late.hash, &found, &err), ERR_NOT_FOUND, "not-found");
    int64_t count = 0;
    assert_ok(caller_store_revoke(db, "default", "gone", "test:me", &count, &err));
    assert_int_equal(count, 1);
    assert_fails(caller_store_revoke(db, "default", "gone", "test:me", &count, &err), ERR_NOT_FOUND,
                 "not-found");
    assert_fails(caller_store_find(db, gone.hash, &found, &err), ERR_NOT_FOUND, "not-found");
}

static void a_label_that_is_no_name_is_refused(void **state)
{
    (void)state;
    struct error err;
    struct caller caller;
    char token[CALLER_TOKEN_MAX];
    assert_fails(caller_make("default", CALLER_ADMIN, "two words", &caller, token, &err),
                 ERR_INVALID, "bad-name");
}

static void a_request_that_comes_twice_gets_the_first_answer(void **state)
{
    (void)state;
    struct error err;
    int64_t status = 0;
    struct repeat repeat = {.project = "default", .actor = "token:ops", .key = "k1"};
    OWNED(json_drop) json_t *answer = NULL;
    OWNED(json_drop) json_t *first = json_pack("{s:i}", "n", 7);
    memset(repeat.request, 1, sizeof repeat.request);
    assert_ok(caller_store_repeat_begin(db, &repeat, &status, &answer, &err));
    assert_null(answer);
    assert_fails(caller_store_repeat_begin(db, &repeat, &status, &answer, &err), ERR_CONFLICT,
                 "in-progress");
    assert_ok(caller_store_repeat_end(db, &repeat, 201, first, &err));
    assert_ok(caller_store_repeat_begin(db, &repeat, &status, &answer, &err));
    assert_int_equal(status, 201);
    assert_true(json_equal(answer, first));
}

static void the_key_of_one_request_is_refused_for_another(void **state)
{
    (void)state;
    struct error err;
    int64_t status = 0;
    struct repeat repeat = {.project = "default", .actor = "token:ops", .key = "k2"};
    OWNED(json_drop) json_t *answer = NULL;
    assert_ok(caller_store_repeat_begin(db, &repeat, &status, &answer, &err));
    repeat.request[0] = 1;
    assert_fails(caller_store_repeat_begin(db, &repeat, &status, &answer, &err), ERR_INVALID,
                 "key-reused");
    repeat.actor = "token:other";
    assert_ok(caller_store_repeat_begin(db, &repeat, &status, &answer, &err));
    assert_null(answer);
}

static void what_came_to_nothing_may_come_again(void **state)
{
    (void)state;
    struct error err;
    int64_t status = 0;
    struct repeat repeat = {.project = "default", .actor = "token:ops", .key = "k3"};
    OWNED(json_drop) json_t *answer = NULL;
    assert_ok(caller_store_repeat_begin(db, &repeat, &status, &answer, &err));
    assert_ok(caller_store_repeat_forget(db, &repeat, &err));
    assert_ok(caller_store_repeat_begin(db, &repeat, &status, &answer, &err));
    assert_null(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_found_by_its_hash_and_its_text_is_nowhere),
        cmocka_unit_test(a_revoked_or_expired_token_is_not_found),
        cmocka_unit_test(a_label_that_is_no_name_is_refused),
        cmocka_unit_test(a_request_that_comes_twice_gets_the_first_answer),
        cmocka_unit_test(the_key_of_one_request_is_refused_for_another),
        cmocka_unit_test(what_came_to_nothing_may_come_again),
    };
    return cmocka_run_group_tests_name("caller_store", tests, one_database_open,
                                       one_database_close);
}
