#include "db/db.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db_row.h"
#include "lib/crypto/random.h"
#include "tests/support/one_database.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static enum outcome put(struct db *on, const char *key, const json_t *value, struct error *err)
{
    return db_run(on, SQL_SETTING_PUT, PARAMS(p_text(key), p_json(value)), NULL, err);
}

static size_t settings(const char *key)
{
    struct error err;
    OWNED(rows_drop) struct rows *rows = NULL;
    assert_ok(db_run(db, SQL_SETTING_FIND, PARAMS(p_text(key)), &rows, &err));
    return rows_count(rows);
}

static void what_is_committed_is_there_and_what_is_not_is_gone(void **state)
{
    (void)state;
    struct error err;
    OWNED(json_drop) json_t *value = json_integer(7);
    {
        OWNED(transaction_end) struct transaction tx = {0};
        assert_ok(transaction_begin(db, &tx, &err));
        assert_ok(put(db, "lost", value, &err));
    }
    {
        OWNED(transaction_end) struct transaction tx = {0};
        assert_ok(transaction_begin(db, &tx, &err));
        assert_ok(put(db, "kept", value, &err));
        assert_ok(transaction_commit(&tx, &err));
    }
    assert_int_equal(settings("lost"), 0);
    assert_int_equal(settings("kept"), 1);
    assert_false(db_in_transaction(db));
}

static void an_inner_transaction_commits_with_the_outer_one(void **state)
{
    (void)state;
    struct error err;
    OWNED(json_drop) json_t *value = json_integer(7);
    {
        OWNED(transaction_end) struct transaction outer = {0}, inner = {0};
        assert_ok(transaction_begin(db, &outer, &err));
        assert_ok(transaction_begin(db, &inner, &err));
        assert_ok(put(db, "inner", value, &err));
        assert_ok(transaction_commit(&inner, &err));
        assert_true(db_in_transaction(db));
    }
    assert_int_equal(settings("inner"), 0);
}

static void an_inner_transaction_that_gives_up_dooms_the_outer_one(void **state)
{
    (void)state;
    struct error err;
    OWNED(json_drop) json_t *value = json_integer(7);
    OWNED(transaction_end) struct transaction outer = {0};
    assert_ok(transaction_begin(db, &outer, &err));
    assert_ok(put(db, "outer", value, &err));
    {
        OWNED(transaction_end) struct transaction inner = {0};
        assert_ok(transaction_begin(db, &inner, &err));
    }
    assert_fails(transaction_commit(&outer, &err), ERR_CONFLICT, "rolled-back");
    transaction_end(&outer);
    assert_int_equal(settings("outer"), 0);
}

static void a_change_outside_a_transaction_is_refused(void **state)
{
    (void)state;
    struct error err;
    OWNED(json_drop) json_t *value = json_integer(7);
    assert_fails(put(db, "key", value, &err), ERR_INTERNAL, "no-transaction");
}

static void a_wrong_number_of_parameters_is_refused(void **state)
{
    (void)state;
    struct error err;
    assert_fails(db_run(db, SQL_SETTING_FIND, NO_PARAMS, NULL, &err), ERR_INTERNAL,
                 "wrong-parameters");
}

static void break_connection(struct db *victim)
{
    struct error err;
    OWNED(db_drop) struct db *killer = database_open();
    char text[96];
    snprintf(text, sizeof text, "SELECT pg_terminate_backend(%d, 5000)", db_backend_pid(victim));
    assert_ok(db_script(killer, text, &err));
}

/* A server that goes without a word: whoever writes to it then only hears that the pipe is broken.
 */
struct relay {
    char *folder;
    int listener;
    pid_t child;
};

static volatile sig_atomic_t leaving;

static void leave(int number)
{
    (void)number;
    leaving = 1;
}

static void relay_bytes(int one, int other)
{
    struct pollfd fds[] = {{.fd = one, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    char data[4096];
    while (!leaving && poll(fds, 2, 50) >= 0)
        for (int i = 0; i < 2; i++) {
            ssize_t n = fds[i].revents != 0 ? read(fds[i].fd, data, sizeof data) : 0;
            if (fds[i].revents != 0 && (n <= 0 || write(fds[1 - i].fd, data, (size_t)n) != n))
                return;
        }
}

static int socket_at(const char *folder, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(out->sun_path, sizeof out->sun_path, "%.80s/.s.PGSQL.5432", folder);
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static void relay_run(struct relay *relay)
{
    fflush(NULL);
    relay->child = fork();
    if (relay->child != 0)
        return;
    static const char notice[] = "N\0\0\0\33SWARNING\0C57P01\0Mgoes\0";
    struct sigaction action = {.sa_handler = leave};
    sigaction(SIGUSR1, &action, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (!leaving) {
        char home[80] = "";
        struct sockaddr_un server;
        const char *at = strstr(database_url(), "host=");
        sscanf(at != NULL ? at : "", "host=%79[^&]", home);
        int client = accept(relay->listener, NULL, NULL), fd = socket_at(home, &server);
        if (client >= 0 && connect(fd, (struct sockaddr *)&server, sizeof server) == 0)
            relay_bytes(client, fd);
        if (leaving && write(client, notice, sizeof notice) < 0)
            _exit(1);
        close(client);
        close(fd);
    }
    _exit(0);
}

static void relay_kill(struct relay *relay)
{
    kill(relay->child, SIGUSR1);
    assert_int_equal(waitpid(relay->child, NULL, 0), relay->child);
}

static struct db *relay_open(struct relay *relay)
{
    struct error err;
    struct db *through = NULL;
    void *folder = NULL;
    struct sockaddr_un here;
    char url[256], name[64] = "";
    scratch_open(&folder);
    *relay = (struct relay){.folder = folder};
    relay->listener = socket_at(folder, &here);
    assert_int_equal(bind(relay->listener, (struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(listen(relay->listener, 8), 0);
    relay_run(relay);
    sscanf(database_url(), "postgresql:///%63[^?]", name);
    snprintf(url, sizeof url, "postgresql:///%s?host=%s&user=muster", name, relay->folder);
    assert_ok(db_open(url, &through, &err));
    return through;
}

static void relay_close(struct relay *relay)
{
    void *folder = relay->folder;
    relay_kill(relay);
    close(relay->listener);
    scratch_close(&folder);
}

static void a_server_that_goes_without_a_word_costs_no_later_call(void **state)
{
    (void)state;
    struct error err;
    struct relay relay;
    OWNED(db_drop) struct db *through = relay_open(&relay);
    OWNED(rows_drop) struct rows *rows = NULL;
    const struct params which = PARAMS(p_text("nothing"));
    assert_ok(db_run(through, SQL_SETTING_FIND, which, &rows, &err));
    relay_kill(&relay);
    relay_run(&relay);
    rows_drop(&rows);
    assert_ok(db_run(through, SQL_SETTING_FIND, which, &rows, &err));
    relay_kill(&relay);
    relay_run(&relay);
    struct transaction tx = {0};
    assert_ok(transaction_begin(through, &tx, &err));
    relay_kill(&relay);
    relay_run(&relay);
    assert_fails(transaction_commit(&tx, &err), ERR_AMBIGUOUS, "commit-unknown");
    transaction_end(&tx);
    assert_ok(transaction_begin(through, &tx, &err));
    assert_ok(transaction_commit(&tx, &err));
    relay_close(&relay);
}

static void a_read_survives_a_broken_connection(void **state)
{
    (void)state;
    int before = db_backend_pid(db);
    break_connection(db);
    assert_int_equal(settings("nothing"), 0);
    assert_int_not_equal(db_backend_pid(db), before);
}

static void a_transaction_can_begin_on_a_broken_connection(void **state)
{
    (void)state;
    struct error err;
    break_connection(db);
    OWNED(transaction_end) struct transaction tx = {0};
    assert_ok(transaction_begin(db, &tx, &err));
    assert_ok(transaction_commit(&tx, &err));
}

static void a_transaction_whose_connection_breaks_is_lost_as_a_whole(void **state)
{
    (void)state;
    struct error err;
    OWNED(json_drop) json_t *value = json_integer(7);
    {
        OWNED(transaction_end) struct transaction tx = {0};
        assert_ok(transaction_begin(db, &tx, &err));
        assert_ok(put(db, "first", value, &err));
        break_connection(db);
        assert_fails(put(db, "second", value, &err), ERR_UNREACHABLE, "database-unreachable");
        /* Not silently on a new connection: */
        assert_int_not_equal(put(db, "second", value, &err), OK);
    }
    assert_int_equal(settings("first") + settings("second"), 0);
}

static void a_connection_that_breaks_in_commit_leaves_it_open_what_happened(void **state)
{
    (void)state;
    struct error err;
    OWNED(transaction_end) struct transaction tx = {0};
    assert_ok(transaction_begin(db, &tx, &err));
    break_connection(db);
    assert_fails(transaction_commit(&tx, &err), ERR_AMBIGUOUS, "commit-unknown");
    assert_int_equal(settings("nothing"), 0);
}

static enum outcome find_edition(struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    return db_run(db, SQL_CATALOGUE_EDITION_FIND, PARAMS(p_text("none")), &rows, err);
}

/* As a newer musterd does, that starts while this one runs. */
static void a_table_gets_a_column(const char *name)
{
    struct error err;
    OWNED(db_drop) struct db *newer = database_open();
    OWNED(text_done) struct text change = {0};
    text_addf(&change, "ALTER TABLE catalogue_editions ADD COLUMN %s text", name);
    assert_ok(db_script(newer, text_str(&change), &err));
}

static void newer_does(const char *change)
{
    struct error err;
    OWNED(db_drop) struct db *newer = database_open();
    assert_ok(db_script(newer, change, &err));
}

/* Another controller may do it, so whoever asked goes there. */
static void what_a_newer_release_took_away_is_said_to_be_so(void **state)
{
    (void)state;
    struct error err;
    assert_ok(find_edition(&err));
    newer_does("ALTER TABLE catalogue_editions RENAME TO catalogue_versions");
    assert_fails(find_edition(&err), ERR_UNREACHABLE, "database-newer");
    newer_does("ALTER TABLE catalogue_versions RENAME TO catalogue_editions");
    assert_ok(find_edition(&err));
    newer_does("ALTER TABLE catalogue_editions RENAME edition TO version_name");
    assert_fails(find_edition(&err), ERR_UNREACHABLE, "database-newer");
    newer_does("ALTER TABLE catalogue_editions RENAME version_name TO edition");
    assert_ok(find_edition(&err));
}

static void a_newer_release_may_change_tables_under_prepared_statements(void **state)
{
    (void)state;
    struct error err;
    assert_ok(find_edition(&err));
    a_table_gets_a_column("newer");
    assert_ok(find_edition(&err));
    a_table_gets_a_column("newest");
    {
        OWNED(transaction_end) struct transaction tx = {0};
        assert_ok(transaction_begin(db, &tx, &err));
        assert_fails(find_edition(&err), ERR_CONFLICT, "try-again");
        assert_true(db_try_again(&err));
        assert_int_not_equal(transaction_commit(&tx, &err), OK);
    }
    OWNED(transaction_end) struct transaction again = {0};
    assert_ok(transaction_begin(db, &again, &err));
    assert_ok(find_edition(&err));
    assert_ok(transaction_commit(&again, &err));
}

static void nobody_there_is_unreachable(void **state)
{
    (void)state;
    struct error err;
    struct db *none = NULL;
    assert_fails(db_open("postgresql:///x?host=/nonexistent", &none, &err), ERR_UNREACHABLE,
                 "database-unreachable");
}

static void two_transactions_in_each_others_way_are_worth_repeating(void **state)
{
    (void)state;
    struct error err;
    OWNED(db_drop) struct db *other = database_open();
    OWNED(json_drop) json_t *value = json_integer(7);
    OWNED(transaction_end) struct transaction a = {0}, b = {0};
    assert_ok(db_script(other, "SET lock_timeout = '50ms'", &err));
    assert_ok(transaction_begin(db, &a, &err));
    assert_ok(transaction_begin(other, &b, &err));
    assert_ok(put(db, "both", value, &err));
    assert_fails(put(other, "both", value, &err), ERR_CONFLICT, "try-again");
    assert_true(db_try_again(&err));
}

static void every_kind_of_value_comes_back_as_it_went(void **state)
{
    (void)state;
    struct error err;
    struct uuid id = uuid_new();
    struct moment when = {INT64_C(1795392000123456)};
    uint8_t raw[5] = {0, 1, 0xfe, '\\', '\''};
    OWNED(json_drop) json_t *value = json_pack("{s:[i,b,n]}", "a", -5, 1);
    OWNED(rows_drop) struct rows *rows = NULL;
    const char *text = "it's \\ \"quoted\", {braced} and \xc3\xbc";
    assert_ok(db_run(db, SQL_ECHO,
                     PARAMS(p_text(text), p_int(INT64_MIN), p_bool(true), p_uuid(&id),
                            p_moment(when), p_bytes(SPAN_OF(raw)), p_json(value)),
                     &rows, &err));
    OWNED(mem_drop) char *back = rows_text(rows, 0, 0);
    assert_string_equal(back, text);
    assert_true(rows_int(rows, 0, 1) == INT64_MIN);
    assert_true(rows_bool(rows, 0, 2));
    struct uuid id_back = rows_uuid(rows, 0, 3);
    assert_true(uuid_equal(&id_back, &id));
    assert_true(rows_moment(rows, 0, 4).us == when.us);
    assert_true(span_equal(rows_bytes(rows, 0, 5), SPAN_OF(raw)));
    OWNED(json_drop) json_t *value_back = rows_json(rows, 0, 6);
    assert_true(json_equal(value_back, value));
}

static void nothing_comes_back_as_nothing(void **state)
{
    (void)state;
    struct error err;
    OWNED(rows_drop) struct rows *rows = NULL;
    assert_ok(db_run(db, SQL_ECHO,
                     PARAMS(p_text(""), p_null(), p_null(), p_uuid(&(struct uuid){0}),
                            p_moment((struct moment){0}), p_bytes((struct span){0}), p_json(NULL)),
                     &rows, &err));
    for (int column = 0; column < 7; column++)
        assert_true(rows_is_null(rows, 0, column));
    assert_true(moment_is_none(rows_moment(rows, 0, 4)));
    assert_null(rows_json(rows, 0, 6));
}

static void arrays_keep_their_order_and_their_holes(void **state)
{
    (void)state;
    struct error err;
    struct uuid ids[2] = {uuid_new(), uuid_new()};
    int64_t numbers[2] = {-1, 1};
    struct moment moments[2] = {{0}, {INT64_C(1795392000000001)}};
    uint8_t hexes[2][4] = {{1, 2, 3, 4}, {0xff, 0, 0, 0}};
    static const char *const words[] = {"one", "two"};
    const struct names names = NAMES("word", words);
    int values[2] = {1, 0};
    OWNED(rows_drop) struct rows *rows = NULL;
    assert_ok(db_run(db, SQL_ECHO_ARRAYS,
                     PARAMS(p_uuids(ids, 2), p_ints(numbers, 2), p_moments(moments, 2),
                            p_hexes(hexes[0], 2, 4), p_names(&names, values, 2)),
                     &rows, &err));
    assert_int_equal(rows_count(rows), 2);
    for (size_t i = 0; i < 2; i++) {
        struct uuid id = rows_uuid(rows, i, 0);
        assert_true(uuid_equal(&id, &ids[i]));
        assert_int_equal(rows_int(rows, i, 1), numbers[i]);
        assert_int_equal(rows_moment(rows, i, 2).us, moments[i].us);
        assert_true(span_equal(rows_bytes(rows, i, 3), SPAN_OF(hexes[i])));
        OWNED(mem_drop) char *word = rows_text(rows, i, 4);
        assert_string_equal(word, words[values[i]]);
    }
}

static void a_sleeper_is_woken_when_the_waker_commits(void **state)
{
    (void)state;
    struct error err;
    bool woken = true;
    OWNED(db_drop) struct db *sleeper = database_open();
    assert_ok(db_listen(sleeper, &err));
    OWNED(transaction_end) struct transaction tx = {0};
    assert_ok(transaction_begin(db, &tx, &err));
    assert_ok(db_wake(db, &err));
    assert_ok(db_wait(sleeper, 20, &woken, &err));
    assert_false(woken);
    assert_ok(transaction_commit(&tx, &err));
    assert_ok(db_wait(sleeper, 5000, &woken, &err));
    assert_true(woken);
}

static void a_sleeper_whose_connection_broke_looks_again(void **state)
{
    (void)state;
    struct error err;
    bool woken = false;
    OWNED(db_drop) struct db *sleeper = database_open();
    assert_ok(db_listen(sleeper, &err));
    break_connection(sleeper);
    while (!woken)
        error_ignore(db_wait(sleeper, 100, &woken, &err));
    OWNED(transaction_end) struct transaction tx = {0};
    assert_ok(transaction_begin(db, &tx, &err));
    assert_ok(db_wake(db, &err));
    assert_ok(transaction_commit(&tx, &err));
    assert_ok(db_wait(sleeper, 5000, &woken, &err));
    assert_true(woken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_committed_is_there_and_what_is_not_is_gone),
        cmocka_unit_test(an_inner_transaction_commits_with_the_outer_one),
        cmocka_unit_test(an_inner_transaction_that_gives_up_dooms_the_outer_one),
        cmocka_unit_test(a_change_outside_a_transaction_is_refused),
        cmocka_unit_test(a_wrong_number_of_parameters_is_refused),
        cmocka_unit_test(a_read_survives_a_broken_connection),
        cmocka_unit_test(a_server_that_goes_without_a_word_costs_no_later_call),
        cmocka_unit_test(a_transaction_can_begin_on_a_broken_connection),
        cmocka_unit_test(a_transaction_whose_connection_breaks_is_lost_as_a_whole),
        cmocka_unit_test(a_connection_that_breaks_in_commit_leaves_it_open_what_happened),
        cmocka_unit_test(a_newer_release_may_change_tables_under_prepared_statements),
        cmocka_unit_test(what_a_newer_release_took_away_is_said_to_be_so),
        cmocka_unit_test(nobody_there_is_unreachable),
        cmocka_unit_test(two_transactions_in_each_others_way_are_worth_repeating),
        cmocka_unit_test(every_kind_of_value_comes_back_as_it_went),
        cmocka_unit_test(nothing_comes_back_as_nothing),
        cmocka_unit_test(arrays_keep_their_order_and_their_holes),
        cmocka_unit_test(a_sleeper_is_woken_when_the_waker_commits),
        cmocka_unit_test(a_sleeper_whose_connection_broke_looks_again),
    };
    return cmocka_run_group_tests(tests, one_database_open, one_database_close);
}
