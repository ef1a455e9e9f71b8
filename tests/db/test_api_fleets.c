/* The API of fleets, of what they are made of, and of requests that come twice. */
#include "controller/http_request.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "db/fleet_store.h"
#include "tests/support/ask.h"
#include "tests/support/database.h"
#include "tests/support/test.h"

/* ---- fleets ---------------------------------------------------------------------------------- */

static void a_fleet_is_added_scaled_and_removed(void **state)
{
    (void)state;
    OWNED(told_done) struct told added = ask("POST", "/v1/fleets", FLEET("web", "3"));
    assert_told(added, 201);
    assert_string_equal(added.reply.location, "/v1/fleets/web");
    assert_string_equal(added.reply.etag, "\"1\"");
    assert_true(ask_fake.woken > 0);
    OWNED(told_done) struct told scaled = ask("PUT", "/v1/fleets/web", "{\"desired\":5}");
    assert_told(scaled, 200);
    assert_int_equal(json_integer_value(json_object_get(scaled.body, "desired")), 5);
    assert_string_equal(told_member(scaled.body, "size"), "m6a.large");
    ask_does("DELETE", "/v1/fleets/web", NULL, 202);
}

static void a_fleet_twice_or_of_unknown_things_is_refused(void **state)
{
    (void)state;
    ask_does("POST", "/v1/fleets", FLEET("twice", "0"), 201);
    OWNED(told_done) struct told again = ask("POST", "/v1/fleets", FLEET("twice", "0"));
    assert_problem(again, 409, "exists");
    assert_string_equal(again.where, "/name");
    assert_null(strstr(told_member(again.body, "detail"), "constraint"));
    OWNED(told_done)
    struct told lost = ask(
        "POST", "/v1/fleets",
        "{\"name\":\"lost\",\"desired\":1,\"account\":\"none\",\"image\":\"stock\",\"size\":\"s\","
        "\"policy\":\"web\"}");
    assert_problem(lost, 422, "no-such-reference");
    assert_string_equal(lost.where, "/account");
    ask_refused("PUT", "/v1/fleets/twice", "{\"image\":\"none\"}", 422, "no-such-reference",
                "/image");
    ask_refused("POST", "/v1/fleets",
                "{\"name\":\"lost\",\"desired\":1,\"places\":[{\"account\":\"none\"}],"
                "\"image\":\"stock\",\"size\":\"s\",\"policy\":\"web\"}",
                422, "no-such-reference", "/places");
    ask_refused("POST", "/v1/accounts", ASK_ACCOUNT, 409, "exists", "/name");
    ask_refused("POST", "/v1/images", ASK_IMAGE, 409, "exists", "/name");
    ask_does("POST", "/v1/images", "{\"name\":\"blue\",\"driver\":\"azure\",\"ref\":\"x\"}", 201);
    ask_refused("PUT", "/v1/fleets/twice", "{\"image\":\"blue\"}", 422, "other-cloud", "/image");
    ask_refused(
        "POST", "/v1/accounts",
        "{\"name\":\"odd\",\"driver\":\"aws\",\"region\":\"r\",\"endpoint\":\"gopher://x y\","
        "\"credentials\":{\"source\":\"environment\"}}",
        422, "bad-endpoint", "/endpoint");
    ask_refused("POST", "/v1/fleets", FLEET("many", "10001"), 422, "out-of-range", "/desired");
    ask_refused("PUT", "/v1/fleets/twice", "{\"name\":\"other\"}", 422, "name-is-fixed", "/name");
    ask_refused("PUT", "/v1/fleets/twice", "{\"count\":3}", 422, "unknown-member", "/count");
    ask_refused("GET", "/v1/fleets/absent", NULL, 404, "not-found", "");
}

static void if_match_refuses_what_was_meant_for_an_older_state(void **state)
{
    (void)state;
    ask_does("POST", "/v1/fleets", FLEET("tagged", "1"), 201);
    struct ask with = {.authorization = ask_tokens[CALLER_OPERATOR], .if_match = "\"1\""};
    OWNED(told_done)
    struct told first = ask_with(&with, "PUT", "/v1/fleets/tagged", "{\"desired\":2}");
    assert_told(first, 200);
    assert_string_equal(first.reply.etag, "\"2\"");
    OWNED(told_done)
    struct told late = ask_with(&with, "PUT", "/v1/fleets/tagged", "{\"desired\":3}");
    assert_problem(late, 412, "changed-meanwhile");
    OWNED(told_done) struct told gone = ask_with(&with, "DELETE", "/v1/fleets/tagged", NULL);
    assert_problem(gone, 412, "changed-meanwhile");
    with.if_match = "W/\"2\"";
    OWNED(told_done)
    struct told weak = ask_with(&with, "PUT", "/v1/fleets/tagged", "{\"desired\":3}");
    assert_problem(weak, 400, "bad-request");
}

static void a_dry_run_says_what_would_be_and_changes_nothing(void **state)
{
    (void)state;
    OWNED(told_done) struct told told = ask("POST", "/v1/fleets?dry_run=true", FLEET("dry", "4"));
    assert_told(told, 200);
    assert_true(json_is_true(json_object_get(told.body, "dry_run")));
    assert_int_equal(json_integer_value(json_object_get(told.body, "launch")), 4);
    const json_t *missing = json_object_get(told.body, "missing");
    assert_string_equal(json_string_value(json_array_get(missing, 0)), "policy:web");
    assert_string_equal(json_string_value(json_array_get(missing, 1)), "secret:web-key");
    ask_does("GET", "/v1/fleets/dry", NULL, 404);
    ask_does("POST", "/v1/fleets", FLEET("dry", "1"), 201);
    ask_instance("dry");
    OWNED(told_done) struct told less = ask("DELETE", "/v1/fleets/dry?dry_run=true", NULL);
    assert_int_equal(json_integer_value(json_object_get(less.body, "retire")), 1);
    ask_does("PUT", "/v1/fleets/dry?dry_run=true", "{\"desired\":9}", 200);
    OWNED(told_done) struct told still = ask("GET", "/v1/fleets/dry", NULL);
    assert_int_equal(json_integer_value(json_object_get(still.body, "desired")), 1);
    ask_refused("POST", "/v1/fleets?dry_run=maybe", FLEET("dry", "1"), 400, "bad-parameter",
                "?dry_run");
}

static void the_status_counts_phases_trust_levels_and_age(void **state)
{
    (void)state;
    ask_does("POST", "/v1/fleets", FLEET("counted", "2"), 201);
    struct instance proven = ask_instance("counted");
    ask_instance("counted");
    ask_verdict(&proven);
    OWNED(told_done) struct told told = ask("GET", "/v1/fleets/counted/status", NULL);
    assert_told(told, 200);
    const json_t *trust = json_object_get(told.body, "trust");
    assert_int_equal(json_integer_value(json_object_get(trust, "trusted")), 1);
    assert_int_equal(json_integer_value(json_object_get(trust, "unknown")), 1);
    assert_int_equal(json_integer_value(json_object_get(trust, "stale")), 0);
    const json_t *phases = json_object_get(told.body, "phases");
    assert_int_equal(json_integer_value(json_object_get(phases, "requested")), 2);
    assert_null(json_object_get(phases, "terminated")); /* it would only ever grow */
    const json_t *levels = json_object_get(told.body, "levels");
    assert_int_equal(json_integer_value(json_object_get(levels, "L1")), 1);
    assert_true(json_is_true(json_object_get(told.body, "simulated")));
    json_int_t age = json_integer_value(json_object_get(told.body, "oldest_verdict_age_seconds"));
    assert_in_range(age, 29, 90);
}

/* ---- once only ------------------------------------------------------------------------------- */

static void the_same_key_gets_the_first_answer_and_another_request_is_refused(void **state)
{
    (void)state;
    struct ask with = {.authorization = ask_tokens[CALLER_OPERATOR], .key = "make-once"};
    OWNED(told_done) struct told first = ask_with(&with, "POST", "/v1/fleets", FLEET("once", "2"));
    OWNED(told_done) struct told again = ask_with(&with, "POST", "/v1/fleets", FLEET("once", "2"));
    assert_told(first, 201);
    assert_told(again, 201);
    assert_true(json_equal(first.body, again.body));
    assert_string_equal(again.reply.location, "/v1/fleets/once");
    assert_string_equal(again.reply.etag, first.reply.etag);
    OWNED(told_done) struct told other = ask_with(&with, "POST", "/v1/fleets", FLEET("once", "3"));
    assert_problem(other, 422, "key-reused");
    const char *wet = "/v1/fleets?dry_run=false";
    with.key = "make-once-wet";
    OWNED(told_done) struct told real = ask_with(&with, "POST", wet, FLEET("wet", "1"));
    OWNED(told_done) struct told real_again = ask_with(&with, "POST", wet, FLEET("wet", "1"));
    assert_told(real, 201);
    assert_told(real_again, 201);
    with.key = "make-once";
    with.authorization = ask_tokens[CALLER_ADMIN];
    OWNED(told_done)
    struct told stranger = ask_with(&with, "POST", "/v1/fleets", FLEET("once", "2"));
    assert_problem(stranger, 409, "exists");
}

/* What failed is not remembered: the next one is a first one. */
static void a_key_whose_request_failed_may_be_used_again(void **state)
{
    (void)state;
    struct ask with = {.authorization = ask_tokens[CALLER_OPERATOR], .key = "second-try"};
    ask_fake.outcome = ERR_UNREACHABLE;
    ask_fake.code = "no-keeper";
    const char *secret = "{\"name\":\"retried\",\"kind\":\"opaque\",\"grant_name\":\"g\"}";
    OWNED(told_done) struct told failed = ask_with(&with, "POST", "/v1/secrets", secret);
    assert_problem(failed, 503, "no-keeper");
    ask_fake.outcome = OK;
    OWNED(told_done) struct told made = ask_with(&with, "POST", "/v1/secrets", secret);
    assert_told(made, 201);
    OWNED(told_done) struct told again = ask_with(&with, "POST", "/v1/secrets", secret);
    assert_told(again, 201);
    assert_int_equal(ask_fake.generated, 2);
}

/* ---- lists, accounts, images ----------------------------------------------------------------- */

static void lists_come_in_pages_that_fit_together(void **state)
{
    (void)state;
    static const char *const names[] = {"page-a", "page-b", "page-c"};
    ask_does("POST", "/v1/fleets", FLEET("page-a", "0"), 201);
    ask_does("POST", "/v1/fleets", FLEET("page-b", "0"), 201);
    ask_does("POST", "/v1/fleets", FLEET("page-c", "0"), 201);
    size_t seen = 0;
    char target[256] = "/v1/fleets?limit=1";
    for (int pages = 0; target[0] != '\0'; pages++) {
        assert_true(pages < 100);
        OWNED(told_done) struct told told = ask("GET", target, NULL);
        assert_told(told, 200);
        const json_t *item = json_array_get(json_object_get(told.body, "items"), 0);
        for (size_t i = 0; i < countof(names); i++)
            seen += strcmp(told_member(item, "name"), names[i]) == 0;
        const char *cursor = told_member(told.body, "cursor");
        snprintf(target, sizeof target, cursor[0] != '\0' ? "/v1/fleets?limit=1&cursor=%s" : "%s",
                 cursor);
    }
    assert_int_equal(seen, countof(names));
}

/* Somebody else's change is not committed yet when ours begins: ours waits, and comes on top. */
static void *change_surge(void *told)
{
    *(struct told *)told = ask("PUT", "/v1/fleets/crowded", "{\"surge\":7}");
    return NULL;
}

static void changes_at_one_time_both_happen(void **state)
{
    (void)state;
    struct error err = {0};
    pthread_t other;
    bool woken;
    OWNED(told_done) struct told told = {0};
    OWNED(fleet_done) struct fleet fleet = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    ask_does("POST", "/v1/fleets", FLEET("crowded", "1"), 201);
    assert_ok(fleet_store_find(ask_db, PROJECT_DEFAULT, "crowded", &fleet, &err));
    OWNED(db_drop) struct db *waiter = database_open();
    assert_ok(transaction_begin(ask_db, &tx, &err));
    fleet.desired = 5;
    assert_ok(fleet_store_update(ask_db, PROJECT_DEFAULT, &fleet, 0, "token:test", NULL, &err));
    assert_int_equal(pthread_create(&other, NULL, change_surge, &told), 0);
    assert_ok(db_wait(waiter, 300, &woken, &err)); /* it stands in the queue by now */
    assert_ok(transaction_commit(&tx, &err));
    pthread_join(other, NULL);
    assert_told(told, 200);
    assert_int_equal(json_integer_value(json_object_get(told.body, "surge")), 7);
    assert_int_equal(json_integer_value(json_object_get(told.body, "desired")), 5);
}

static void accounts_and_images_in_use_are_kept(void **state)
{
    (void)state;
    ask_does("POST", "/v1/fleets", FLEET("user", "0"), 201);
    OWNED(told_done) struct told account = ask("DELETE", "/v1/accounts/acme", NULL);
    assert_problem(account, 409, "in-use");
    assert_string_equal(account.where, "");
    OWNED(told_done) struct told image = ask("DELETE", "/v1/images/stock", NULL);
    assert_problem(image, 409, "in-use");
    ask_does("POST", "/v1/images", "{\"name\":\"spare\",\"driver\":\"aws\",\"ref\":\"ami-1\"}",
             201);
    ask_does("DELETE", "/v1/images/spare", NULL, 200);
    ask_does("GET", "/v1/images/spare", NULL, 404);
}

/* ---- accounts and images change too ---------------------------------------------------------- */

static void an_account_changes_by_members_and_only_from_the_state_that_was_meant(void **state)
{
    (void)state;
    struct ask with = {.authorization = ask_tokens[CALLER_OPERATOR], .if_match = "\"1\""};
    const char *spec = "{\"name\":\"roving\",\"driver\":\"aws\",\"region\":\"eu-west-1\","
                       "\"zone\":\"eu-west-1a\",\"credentials\":{\"source\":\"environment\"}}";
    ask_does("POST", "/v1/accounts", spec, 201);
    OWNED(told_done)
    struct told first =
        ask_with(&with, "PUT", "/v1/accounts/roving", "{\"region\":\"eu-west-2\",\"zone\":\"\"}");
    assert_told(first, 200);
    assert_string_equal(first.reply.etag, "\"2\"");
    OWNED(told_done)
    struct told late = ask_with(&with, "PUT", "/v1/accounts/roving", "{\"owner\":\"x\"}");
    assert_problem(late, 412, "changed-meanwhile");
    OWNED(told_done) struct told shown = ask("GET", "/v1/accounts/roving", NULL);
    assert_string_equal(shown.reply.etag, "\"2\"");
    assert_string_equal(told_member(shown.body, "region"), "eu-west-2");
    assert_string_equal(told_member(shown.body, "owner"), "muster");
    ask_refused("PUT", "/v1/accounts/roving", "{\"name\":\"x\"}", 422, "name-is-fixed", "/name");
    ask_refused("PUT", "/v1/accounts/roving", "{\"driver\":\"gcp\",\"project\":\"p-1\"}", 409,
                "driver-is-fixed", "/driver");
    ask_refused("PUT", "/v1/accounts/roving", "{\"colour\":1}", 422, "unknown-member", "/colour");
    ask_refused("PUT", "/v1/accounts/nobody", "{}", 404, "not-found", "");
    OWNED(told_done) struct told kept = ask_with(&with, "DELETE", "/v1/accounts/roving", NULL);
    assert_problem(kept, 412, "changed-meanwhile");
    with.if_match = "\"2\"";
    OWNED(told_done) struct told gone = ask_with(&with, "DELETE", "/v1/accounts/roving", NULL);
    assert_told(gone, 200);
}

/* They would be looked for where they are not, taken for vanished, and never ended. */
static void an_account_with_machines_stays_where_it_is(void **state)
{
    (void)state;
    ask_does("POST", "/v1/fleets", FLEET("staying", "1"), 201);
    ask_instance("staying");
    ask_refused("PUT", "/v1/accounts/acme", "{\"region\":\"eu-west-2\"}", 409, "in-use", "/region");
    ask_refused("PUT", "/v1/accounts/acme", "{\"endpoint\":\"https://x.example\"}", 409, "in-use",
                "/endpoint");
    ask_refused("PUT", "/v1/accounts/acme", "{\"owner\":\"x\"}", 409, "in-use", "/owner");
    ask_does("PUT", "/v1/accounts/acme", "{\"zone\":\"eu-west-1a\"}", 200);
}

#define CLOUDY                                                                                     \
    "{\"name\":\"cloudy\",\"driver\":\"azure\",\"region\":\"westeurope\",\"subscription\":\"5a\"," \
    "\"resource_group\":\"fleet\",\"credentials\":{\"source\":\"environment\"}}"
#define GOOGLED                                                                                    \
    "{\"name\":\"googled\",\"driver\":\"gcp\",\"region\":\"us-central1\",\"project\":\"p-1\","     \
    "\"credentials\":{\"source\":\"environment\"}}"

/* The same where a cloud has more places than regions. */
static void an_account_with_machines_stays_in_its_group_and_its_project(void **state)
{
    (void)state;
    struct error err = {0};
    ask_does("POST", "/v1/accounts", CLOUDY, 201);
    ask_does("POST", "/v1/accounts", GOOGLED, 201);
    ask_does("PUT", "/v1/accounts/cloudy", "{\"resource_group\":\"first\"}", 200);
    ask_does("POST", "/v1/fleets", FLEET("grouped", "2"), 201);
    const struct instance one = ask_instance("grouped");
    ask_instance("grouped");
    assert_ok(
        db_script(ask_db, "UPDATE instances SET account = 'cloudy' WHERE fleet = 'grouped'", &err));
    OWNED(text_done) struct text other = {0};
    text_addf(&other, "UPDATE instances SET account = 'googled' WHERE id = '%s'",
              uuid_text(&one.id).at);
    assert_ok(db_script(ask_db, text_str(&other), &err));
    ask_refused("PUT", "/v1/accounts/cloudy", "{\"resource_group\":\"other\"}", 409, "in-use",
                "/resource_group");
    ask_refused("PUT", "/v1/accounts/cloudy", "{\"subscription\":\"5b\"}", 409, "in-use",
                "/subscription");
    ask_refused("PUT", "/v1/accounts/googled", "{\"project\":\"p-2\"}", 409, "in-use", "/project");
}

static void an_image_changes_by_members_and_is_audited(void **state)
{
    (void)state;
    struct error err = {0};
    struct ask with = {.authorization = ask_tokens[CALLER_OPERATOR], .if_match = "\"1\""};
    ask_does("POST", "/v1/images",
             "{\"name\":\"moving\",\"driver\":\"aws\",\"ref\":\"ami-1\",\"boot_mode\":\"uefi\"}",
             201);
    OWNED(told_done)
    struct told first = ask_with(&with, "PUT", "/v1/images/moving", "{\"ref\":\"ami-2\"}");
    assert_told(first, 200);
    assert_string_equal(first.reply.etag, "\"2\"");
    assert_string_equal(told_member(first.body, "ref"), "ami-2");
    assert_string_equal(told_member(first.body, "boot_mode"), "uefi");
    OWNED(told_done)
    struct told late = ask_with(&with, "PUT", "/v1/images/moving", "{\"ref\":\"ami-3\"}");
    assert_problem(late, 412, "changed-meanwhile");
    ask_refused("PUT", "/v1/images/moving", "{\"driver\":\"gcp\"}", 409, "driver-is-fixed",
                "/driver");
    ask_refused("PUT", "/v1/images/moving", "{\"epoch\":9}", 422, "read-only-member", "/epoch");
    OWNED(audit_entry_list_done) struct audit_entry_list trail = {0};
    assert_ok(audit_store_trace(ask_db, "image:moving", 10, &trail, &err));
    assert_int_equal(trail.count, 2);
    assert_string_equal(trail.at[1].verb, "image.changed");
    OWNED(told_done) struct told kept = ask_with(&with, "DELETE", "/v1/images/moving", NULL);
    assert_problem(kept, 412, "changed-meanwhile");
    ask_does("DELETE", "/v1/images/moving", NULL, 200);
}

#define QUIET(test) cmocka_unit_test_setup(test, ask_quiet)

/* By hand: whose it is, and that what its list lacks is gone. */
static void an_accounts_hold_is_shown_and_ended_by_a_word(void **state)
{
    (void)state;
    struct error err = {0};
    ask_refused("POST", "/v1/accounts/acme/confirm", "{\"vanished\":true}", 409, "not-held", "");
    ask_refused("POST", "/v1/accounts/none/confirm", "{\"vanished\":true}", 404, "not-found", "");
    ask_refused("POST", "/v1/accounts/acme/confirm", "{\"cloud_account\":\"a b\"}", 422,
                "bad-account", "/cloud_account");
    assert_ok(db_script(ask_db,
                        "INSERT INTO account_holds (project, account, kind, text) "
                        "SELECT project, name, 'many-vanished', 'its list lacks them' "
                        "FROM accounts WHERE name = 'acme'",
                        &err));
    OWNED(told_done)
    struct told told = ask("POST", "/v1/accounts/acme/confirm", "{\"vanished\":true}");
    assert_told(told, 200);
    const json_t *held = json_array_get(json_object_get(told.body, "held"), 0);
    assert_string_equal(told_member(held, "kind"), "many-vanished");
    assert_string_equal(told_member(held, "believed_by"), "token:admin");
    OWNED(told_done)
    struct told named =
        ask("POST", "/v1/accounts/acme/confirm", "{\"cloud_account\":\"123456789012\"}");
    assert_told(named, 200);
    assert_string_equal(told_member(named.body, "cloud_account"), "123456789012");
    assert_ok(db_script(ask_db,
                        "DELETE FROM account_holds;"
                        "UPDATE accounts SET spec = spec - 'cloud_account'",
                        &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUIET(an_accounts_hold_is_shown_and_ended_by_a_word),
        QUIET(a_fleet_is_added_scaled_and_removed),
        QUIET(a_fleet_twice_or_of_unknown_things_is_refused),
        QUIET(if_match_refuses_what_was_meant_for_an_older_state),
        QUIET(a_dry_run_says_what_would_be_and_changes_nothing),
        QUIET(the_status_counts_phases_trust_levels_and_age),
        QUIET(the_same_key_gets_the_first_answer_and_another_request_is_refused),
        QUIET(a_key_whose_request_failed_may_be_used_again),
        QUIET(lists_come_in_pages_that_fit_together),
        QUIET(an_account_changes_by_members_and_only_from_the_state_that_was_meant),
        QUIET(an_account_with_machines_stays_where_it_is),
        QUIET(an_account_with_machines_stays_in_its_group_and_its_project),
        QUIET(an_image_changes_by_members_and_is_audited),
        QUIET(changes_at_one_time_both_happen),
        QUIET(accounts_and_images_in_use_are_kept),
    };
    return cmocka_run_group_tests_name("api_fleets", tests, ask_open, ask_close);
}
