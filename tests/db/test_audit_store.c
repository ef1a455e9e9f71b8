#include "db/audit_store.h"

#include <pthread.h>
#include <stdio.h>

#include "tests/support/one_database.h"
#include "tests/support/test.h"

static void say(const char *object)
{
    struct error err;
    OWNED(json_drop)
    json_t *detail = json_pack("{s:i,s:f,s:s}", "n", 7, "part", 0.1, "text", "\xc3\xbc \"quoted\"");
    OWNED(transaction_end) struct transaction tx = {0};
    assert_ok(transaction_begin(db, &tx, &err));
    assert_ok(audit_store_add(db, "default", "test", "thing.done", object, detail, NULL, &err));
    assert_ok(transaction_commit(&tx, &err));
}

static void seal_all(struct db *own)
{
    struct error err;
    int64_t sealed = 1;
    while (sealed > 0)
        assert_ok(audit_store_seal(own, &sealed, &err));
}

static void what_is_sealed_verifies(void **state)
{
    (void)state;
    struct error err;
    int64_t checked = 0;
    for (int i = 0; i < 1200; i++)
        say("thing:1");
    seal_all(db);
    assert_ok(audit_store_verify(db, &checked, &err));
    assert_int_equal(checked, 1200);
}

static void an_entry_without_its_change_does_not_exist(void **state)
{
    (void)state;
    struct error err;
    {
        OWNED(transaction_end) struct transaction tx = {0};
        assert_ok(transaction_begin(db, &tx, &err));
        assert_ok(
            audit_store_add(db, "default", "test", "thing.undone", "thing:2", NULL, NULL, &err));
    }
    OWNED(audit_entry_list_done) struct audit_entry_list trace = {0};
    assert_ok(audit_store_trace(db, "thing:2", 10, &trace, &err));
    assert_int_equal(trace.count, 0);
    assert_fails(audit_store_add(db, "default", "test", "thing.undone", "x", NULL, NULL, &err),
                 ERR_INTERNAL, "no-transaction");
}

static void *seal_in_thread(void *unused)
{
    (void)unused;
    struct db *own = database_open();
    seal_all(own);
    db_close(own);
    return NULL;
}

static void several_sealers_make_one_chain(void **state)
{
    (void)state;
    struct error err;
    int64_t checked = 0;
    for (int i = 0; i < 100; i++)
        say("thing:3");
    pthread_t threads[3];
    for (size_t i = 0; i < countof(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, seal_in_thread, NULL), 0);
    for (size_t i = 0; i < countof(threads); i++)
        pthread_join(threads[i], NULL);
    assert_ok(audit_store_verify(db, &checked, &err));
    assert_int_equal(checked, 1300);
}

static void a_list_goes_on_after_a_number(void **state)
{
    (void)state;
    struct error err;
    OWNED(audit_entry_list_done) struct audit_entry_list page = {0};
    assert_ok(audit_store_list(db, "default", 10, 5, &page, &err));
    assert_int_equal(page.count, 5);
    assert_int_equal(page.at[0].number, 11);
    OWNED(audit_entry_list_done) struct audit_entry_list none = {0};
    assert_ok(audit_store_list(db, "another", 0, 5, &none, &err));
    assert_int_equal(none.count, 0);
}

static void entries_are_never_changed_nor_removed(void **state)
{
    (void)state;
    struct error err;
    const char *const tries[] = {
        "UPDATE audit SET actor = 'nobody' WHERE number = 5",
        "UPDATE audit SET number = number + 100000",
        "DELETE FROM audit WHERE number = 5",
        "TRUNCATE audit CASCADE",
    };
    for (size_t i = 0; i < countof(tries); i++)
        assert_fails(db_script(db, tries[i], &err), ERR_INVALID, "bad-value");
}

/* A thief with the database can switch the trigger off, but not make the chain fit. */
static void a_forged_entry_breaks_the_chain(void **state)
{
    (void)state;
    struct error err;
    int64_t checked = 0;
    assert_ok(db_script(db, "ALTER TABLE audit DISABLE TRIGGER USER", &err));
    assert_ok(db_script(db, "UPDATE audit SET actor = 'nobody' WHERE number = 5", &err));
    assert_fails(audit_store_verify(db, &checked, &err), ERR_DENIED, "audit-hash");
    assert_ok(db_script(db, "UPDATE audit SET actor = 'test' WHERE number = 5", &err));
    assert_ok(audit_store_verify(db, &checked, &err));
    assert_ok(db_script(db, "DELETE FROM audit WHERE number = 700", &err));
    assert_fails(audit_store_verify(db, &checked, &err), ERR_DENIED, "audit-number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_verifies),
        cmocka_unit_test(an_entry_without_its_change_does_not_exist),
        cmocka_unit_test(several_sealers_make_one_chain),
        cmocka_unit_test(a_list_goes_on_after_a_number),
        cmocka_unit_test(entries_are_never_changed_nor_removed),
        cmocka_unit_test(a_forged_entry_breaks_the_chain),
    };
    return cmocka_run_group_tests(tests, one_database_open, one_database_close);
}
