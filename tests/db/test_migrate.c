#include "db/migrate.h"

#include <pthread.h>
#include <string.h>

#include "db/case_store.h"
#include "db/db_row.h"
#include "db/statement.h"
#include "lib/model/caller.h"
#include "lib/model/delivery.h"
#include "lib/model/distrust.h"
#include "lib/model/image.h"
#include "tests/support/database.h"
#include "tests/support/test.h"

static void *migrate_once(void *out_outcome)
{
    struct error err;
    struct db *db = database_open_empty();
    *(enum outcome *)out_outcome = migrate(db, &err);
    db_close(db);
    return NULL;
}

static void two_controllers_that_start_at_once_migrate_once(void **state)
{
    (void)state;
    database_empty_url();
    pthread_t threads[4];
    enum outcome outcomes[4];
    for (size_t i = 0; i < countof(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, migrate_once, &outcomes[i]), 0);
    for (size_t i = 0; i < countof(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(outcomes[i], OK);
    }
    struct error err;
    OWNED(db_drop) struct db *db = database_open_empty();
    OWNED(rows_drop) struct rows *rows = NULL;
    assert_ok(db_run(db, SQL_MIGRATION_LIST, NO_PARAMS, &rows, &err));
    assert_int_equal(rows_count(rows), migration_count);
}

static void *unlock_soon(void *holder)
{
    struct error err;
    assert_ok(
        db_script(holder, "SELECT pg_sleep(0.3); SELECT pg_advisory_unlock(1836413812, 1)", &err));
    return NULL;
}

/* A migration may take longer than any statement of ours may otherwise. */
static void a_controller_waits_for_anothers_migration(void **state)
{
    (void)state;
    struct error err;
    pthread_t thread;
    OWNED(db_drop) struct db *holder = database_open_empty();
    OWNED(db_drop) struct db *db = database_open_empty();
    assert_ok(db_script(holder, "SELECT pg_advisory_lock(1836413812, 1)", &err));
    assert_ok(db_script(db, "SET lock_timeout = '50ms'; SET statement_timeout = '100ms'", &err));
    assert_int_equal(pthread_create(&thread, NULL, unlock_soon, holder), 0);
    assert_ok(migrate(db, &err));
    pthread_join(thread, NULL);
}

static void a_migration_with_another_text_is_refused(void **state)
{
    (void)state;
    struct error err;
    OWNED(db_drop) struct db *db = database_open_empty();
    assert_ok(migrate(db, &err));
    assert_ok(db_script(db, "UPDATE migrations SET checksum = sha256('other')", &err));
    assert_fails(migrate(db, &err), ERR_CONFLICT, "migration-changed");
}

static void a_newer_database_is_refused(void **state)
{
    (void)state;
    struct error err;
    OWNED(db_drop) struct db *db = database_open();
    assert_ok(db_script(db, "INSERT INTO migrations VALUES ('9999_future', '')", &err));
    assert_fails(migrate(db, &err), ERR_CONFLICT, "database-newer");
    assert_ok(db_script(db, "DELETE FROM migrations WHERE name = '9999_future'", &err));
    assert_ok(migrate(db, &err));
}

static void every_statement_can_be_prepared(void **state)
{
    (void)state;
    struct error err;
    OWNED(db_drop) struct db *db = database_open();
    for (int i = 0; i < SQL_COUNT; i++)
        assert_ok(db_prepare(db, (enum sql)i, &err));
}

/* The words of a CHECK constraint, in the order of its text. */
static void assert_same_words(struct db *db, const char *constraint, const struct names *names)
{
    struct error err;
    OWNED(rows_drop) struct rows *rows = NULL;
    assert_ok(db_run(db, SQL_CONSTRAINT_TEXT, PARAMS(p_text(constraint)), &rows, &err));
    if (rows_count(rows) != 1)
        fail_msg("no constraint %s", constraint);
    OWNED(mem_drop) char *text = rows_text(rows, 0, 0);
    size_t words = 0;
    for (const char *at = strchr(text, '\''); at != NULL; at = strchr(at, '\'')) {
        char word[64] = "";
        size_t len = strcspn(at + 1, "'");
        memcpy(word, at + 1, len);
        at += len + 2;
        int value;
        if (name_parse(names, word, &value, &err) != OK)
            fail_msg("%s: '%s' is not in the C table", constraint, word);
        words++;
    }
    if (words != names->count)
        fail_msg("%s has %zu words, the C table %zu", constraint, words, names->count);
}

static void constraints_use_the_words_of_the_model(void **state)
{
    (void)state;
    OWNED(db_drop) struct db *db = database_open();
    assert_same_words(db, "instances_phase_check", &phase_names);
    assert_same_words(db, "instances_trust_check", &trust_names);
    assert_same_words(db, "instances_wanted_check", &wanted_names);
    assert_same_words(db, "instances_intent_check", &intent_names);
    assert_same_words(db, "images_provider_execution_check", &provider_execution_names);
    assert_same_words(db, "secrets_kind_check", &secret_kind_names);
    assert_same_words(db, "secrets_scope_check", &secret_scope_names);
    assert_same_words(db, "secrets_origin_check", &secret_origin_names);
    assert_same_words(db, "secret_versions_state_check", &version_state_names);
    assert_same_words(db, "deliveries_state_check", &delivery_state_names);
    assert_same_words(db, "tokens_role_check", &caller_role_names);
    assert_same_words(db, "charters_realm_check", &realm_names);
    assert_same_words(db, "keepers_realm_check", &realm_names);
    assert_same_words(db, "distrusts_what_check", &distrust_kind_names);
    assert_same_words(db, "cases_state_check", &case_state_names);
    assert_same_words(db, "verdicts_hardware_check", &source_names);
    assert_same_words(db, "verdicts_software_check", &source_names);
    assert_same_words(db, "verdicts_identity_check", &source_names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_controllers_that_start_at_once_migrate_once),
        cmocka_unit_test(a_controller_waits_for_anothers_migration),
        cmocka_unit_test(a_migration_with_another_text_is_refused),
        cmocka_unit_test(a_newer_database_is_refused),
        cmocka_unit_test(every_statement_can_be_prepared),
        cmocka_unit_test(constraints_use_the_words_of_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
