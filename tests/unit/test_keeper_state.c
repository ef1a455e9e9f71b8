/* The keeper's memory: what it has seen it never forgets, and nobody rewrites it. */
#include "lib/model/keeper_state.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/random.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

struct world {
    char *folder;
    char *path;
    struct kek *kek;
    struct keeper_state *state;
};

static void reopen(struct world *w)
{
    struct error err = {0};
    keeper_state_drop(&w->state);
    assert_ok(keeper_state_open(w->path, w->kek, &w->state, &err));
}

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    void *folder = NULL;
    assert_int_equal(scratch_open(&folder), 0);
    w->folder = folder;
    w->path = scratch_path(w->folder, "state");
    OWNED(mem_drop) char *kek = scratch_path(w->folder, "kek");
    assert_ok(kek_file_create(kek, REALM_SIMULATION, &err));
    assert_ok(kek_file_open(kek, REALM_SIMULATION, &w->kek, &err));
    assert_ok(keeper_state_create(w->path, w->kek, 1, &err));
    reopen(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    void *folder = w->folder;
    keeper_state_close(w->state);
    kek_close(w->kek);
    free(w->path);
    assert_int_equal(scratch_close(&folder), 0);
    mem_drop(state);
    return 0;
}

static const uint8_t one[SHA256_SIZE] = {1};
static const uint8_t two[SHA256_SIZE] = {2};

static void a_new_memory_is_empty_and_is_not_made_twice(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct uuid secret = uuid_new();
    assert_int_equal(keeper_state_serial(w->state), 0);
    assert_int_equal(keeper_state_version(w->state, &secret), 0);
    assert_int_equal(keeper_state_create(w->path, w->kek, 1, &err), ERR_CONFLICT);
}

static void what_was_raised_stays_raised(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct uuid secret = uuid_new();
    struct uuid other = uuid_new();
    assert_ok(keeper_state_raise_charter(w->state, 7, one, &err));
    assert_ok(keeper_state_raise_charter(w->state, 7, one, &err)); /* the same again is fine */
    assert_ok(keeper_state_raise_version(w->state, &secret, 3, &err));
    assert_ok(keeper_state_raise_version(w->state, &other, 1, &err));
    assert_ok(keeper_state_destroy(w->state, two, &err));
    for (int round = 0; round < 2; round++) {
        assert_int_equal(keeper_state_serial(w->state), 7);
        assert_int_equal(keeper_state_version(w->state, &secret), 3);
        assert_int_equal(keeper_state_version(w->state, &other), 1);
        assert_true(keeper_state_is_destroyed(w->state, two));
        assert_false(keeper_state_is_destroyed(w->state, one));
        assert_fails(keeper_state_raise_charter(w->state, 6, one, &err), ERR_DENIED,
                     "charter-serial");
        assert_fails(keeper_state_raise_charter(w->state, 7, two, &err), ERR_DENIED,
                     "charter-serial");
        assert_fails(keeper_state_raise_version(w->state, &secret, 2, &err), ERR_DENIED,
                     "version-too-low");
        reopen(w);
    }
}

static void every_one_of_many_secrets_is_remembered(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct uuid secrets[200];
    for (size_t i = 0; i < countof(secrets); i++) {
        secrets[i] = uuid_new();
        assert_ok(keeper_state_raise_version(w->state, &secrets[i], (int64_t)i + 1, &err));
    }
    reopen(w);
    for (size_t i = 0; i < countof(secrets); i++)
        assert_int_equal(keeper_state_version(w->state, &secrets[i]), (int64_t)i + 1);
}

/* From nothing too: a new secret begins low. */
static void no_version_jumps_far_above_the_last(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct uuid secret = uuid_new();
    static const int64_t far[] = {KEEPER_VERSION_STEP + 1, INT32_MAX, INT64_MAX};
    for (size_t i = 0; i < countof(far); i++)
        assert_fails(keeper_state_raise_version(w->state, &secret, far[i], &err), ERR_DENIED,
                     "version-jump");
    assert_int_equal(keeper_state_version(w->state, &secret), 0);
    assert_ok(keeper_state_raise_version(w->state, &secret, KEEPER_VERSION_STEP, &err));
    assert_ok(keeper_state_raise_version(w->state, &secret, 2 * KEEPER_VERSION_STEP, &err));
    reopen(w);
    assert_fails(keeper_state_raise_version(w->state, &secret, 3 * KEEPER_VERSION_STEP + 1, &err),
                 ERR_DENIED, "version-jump");
}

static struct bytes content_of(const char *path)
{
    struct error err = {0};
    struct bytes content = {0};
    assert_ok(file_read(path, KEEPER_STATE_SIZE_MAX, &content, &err));
    return content;
}

static void fill(struct world *w)
{
    struct error err = {0};
    struct uuid secret = uuid_new();
    assert_ok(keeper_state_raise_charter(w->state, 7, one, &err));
    assert_ok(keeper_state_raise_version(w->state, &secret, 3, &err));
    keeper_state_drop(&w->state);
}

static void a_line_torn_by_a_crash_is_dropped_and_the_next_one_fits(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    fill(w);
    OWNED(bytes_done) struct bytes whole = content_of(w->path);
    size_t last = whole.len - 1;
    while (whole.at[last - 1] != '\n')
        last--;
    for (size_t len = last; len < whole.len; len += 7) {
        assert_ok(file_write(w->path, SPAN(whole.at, len), 0600, &err));
        reopen(w);
        assert_int_equal(keeper_state_serial(w->state), 7);
        assert_ok(keeper_state_raise_charter(w->state, 8, two, &err));
        reopen(w);
        assert_int_equal(keeper_state_serial(w->state), 8);
        keeper_state_drop(&w->state);
    }
}

static void every_changed_byte_of_a_whole_line_is_noticed(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    fill(w);
    OWNED(bytes_done) struct bytes whole = content_of(w->path);
    for (size_t i = 0; i + 1 < whole.len; i++) {
        whole.at[i] ^= 1;
        assert_ok(file_write(w->path, bytes_span(&whole), 0600, &err));
        assert_int_not_equal(keeper_state_open(w->path, w->kek, &w->state, NULL), OK);
        assert_null(w->state);
        whole.at[i] ^= 1;
    }
}

static void lines_neither_leave_nor_change_places(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    fill(w);
    OWNED(bytes_done) struct bytes whole = content_of(w->path);
    OWNED(bytes_done) struct bytes without = {0};
    const uint8_t *first = memchr(whole.at, '\n', whole.len);
    size_t head = (size_t)(first - whole.at) + 1;
    const uint8_t *second = memchr(first + 1, '\n', whole.len - head);
    size_t middle = (size_t)(second - whole.at) + 1;
    bytes_add(&without, SPAN(whole.at, head));
    bytes_add(&without, SPAN(whole.at + middle, whole.len - middle));
    assert_ok(file_write(w->path, bytes_span(&without), 0600, &err));
    assert_fails(keeper_state_open(w->path, w->kek, &w->state, &err), ERR_INVALID, "state-damaged");
    bytes_add(&without, SPAN(whole.at + head, middle - head));
    assert_ok(file_write(w->path, bytes_span(&without), 0600, &err));
    assert_fails(keeper_state_open(w->path, w->kek, &w->state, &err), ERR_INVALID, "state-damaged");
}

static void another_deployments_memory_does_not_open(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(kek_drop) struct kek *other = NULL;
    OWNED(mem_drop) char *path = scratch_path(w->folder, "other-kek");
    keeper_state_drop(&w->state);
    assert_ok(kek_file_create(path, REALM_SIMULATION, &err));
    assert_ok(kek_file_open(path, REALM_SIMULATION, &other, &err));
    assert_fails(keeper_state_open(w->path, other, &w->state, &err), ERR_DENIED, "does-not-open");
}

static void only_one_keeper_holds_it_at_a_time(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct keeper_state *second = NULL;
    assert_fails(keeper_state_open(w->path, w->kek, &second, &err), ERR_CONFLICT, "state-in-use");
}

static void a_memory_that_is_not_there_is_said_so(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct keeper_state *none = NULL;
    OWNED(mem_drop) char *path = scratch_path(w->folder, "nowhere");
    assert_fails(keeper_state_open(path, w->kek, &none, &err), ERR_NOT_FOUND, "state-missing");
}

/* A line in a file that is gone would be forgotten with it, so it is not answered for; and what
 * needs no new line has no memory behind it either. */
static void nothing_is_remembered_in_a_file_that_was_taken_away(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct uuid secret = uuid_new();
    assert_ok(keeper_state_raise_version(w->state, &secret, 3, &err));
    assert_int_equal(unlink(w->path), 0);
    assert_fails(keeper_state_raise_charter(w->state, 7, one, &err), ERR_DENIED, "state-missing");
    assert_fails(keeper_state_raise_version(w->state, &secret, 4, &err), ERR_DENIED,
                 "state-missing");
    assert_ok(keeper_state_create(w->path, w->kek, 1, &err));
    assert_fails(keeper_state_raise_version(w->state, &secret, 3, &err), ERR_DENIED,
                 "state-missing");
    assert_int_equal(keeper_state_serial(w->state), 0);
}

/* A bound on the size of files, as a disk that is full: the last line goes out in part or not at
 * all. */
static void after_a_failed_write_nothing_is_released(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct uuid secret = uuid_new();
    struct rlimit before;
    assert_ok(keeper_state_raise_version(w->state, &secret, 3, &err));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit full = {.rlim_cur = 400, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    enum outcome outcome = keeper_state_raise_version(w->state, &secret, 4, &err);
    for (int64_t version = 5; outcome == OK && version < 20; version++)
        outcome = keeper_state_raise_version(w->state, &secret, version, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(outcome, ERR_INTERNAL);
    assert_string_equal(err.code, "state-broken");
    int64_t floor = keeper_state_version(w->state, &secret);
    assert_fails(keeper_state_raise_version(w->state, &secret, floor, &err), ERR_INTERNAL,
                 "state-broken");
    reopen(w);
    assert_int_equal(keeper_state_version(w->state, &secret), floor);
    assert_ok(keeper_state_raise_version(w->state, &secret, floor + 1, &err));
}

/* The key, and the MAC of the last line. */
static void take_state_key(struct world *w, struct span file, struct locked *out,
                           uint8_t mac[static SHA256_SIZE])
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes wrapped = {0};
    static const char label[] = "muster-state-key-v1";
    const size_t skip = strlen("muster-state-1 ");
    const uint8_t *end = memchr(file.at, '\n', file.len);
    const uint8_t *last = file.at + file.len - 1;
    size_t len = (size_t)(end - file.at) - 2 * SHA256_SIZE - 1;
    assert_ok(base64_decode(SPAN(file.at + skip, len - skip), &wrapped, &err));
    assert_ok(kek_unwrap(w->kek, SPAN_OF(label), bytes_span(&wrapped), out, &err));
    char hex[2 * SHA256_SIZE + 1] = "";
    memcpy(hex, last - 2 * SHA256_SIZE, 2 * SHA256_SIZE);
    assert_ok(hex_decode_exact(hex, mac, SHA256_SIZE, &err));
}

/* As the keeper writes it, but for the waiting: a thief has more time. */
static void fill_up(struct world *w)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes file = content_of(w->path);
    OWNED(locked_done) struct locked key = {0};
    uint8_t mac[SHA256_SIZE];
    keeper_state_drop(&w->state);
    take_state_key(w, bytes_span(&file), &key, mac);
    while (file.len + 150 < KEEPER_STATE_SIZE_MAX - (1 << 20)) {
        uint8_t chained[SHA256_SIZE + 64];
        char hex[2 * SHA256_SIZE + 1];
        struct uuid secret = uuid_new();
        memcpy(chained, mac, sizeof mac);
        int len = snprintf((char *)chained + sizeof mac, 64, "version %s 1", uuid_text(&secret).at);
        digest_hmac(DIGEST_SHA256, locked_span(&key), SPAN(chained, sizeof mac + (size_t)len), mac);
        hex_encode(SPAN_OF(mac), hex);
        bytes_add(&file, SPAN(chained + sizeof mac, (size_t)len));
        bytes_add(&file, span_of_text(" "));
        bytes_add(&file, span_of_text(hex));
        bytes_add(&file, span_of_text("\n"));
    }
    assert_ok(file_write(w->path, bytes_span(&file), 0600, &err));
    reopen(w);
}

static void a_memory_that_was_filled_still_opens_and_takes_charters(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct uuid known = uuid_new();
    assert_ok(keeper_state_raise_version(w->state, &known, 1, &err));
    fill_up(w);
    enum outcome outcome = OK;
    for (int i = 0; i < 3 && outcome == OK; i++) {
        struct uuid secret = uuid_new();
        outcome = keeper_state_raise_version(w->state, &secret, 1, &err);
    }
    assert_int_equal(outcome, ERR_INTERNAL);
    assert_string_equal(err.code, "state-full");
    assert_ok(keeper_state_raise_version(w->state, &known, 1, &err));
    assert_ok(keeper_state_raise_charter(w->state, 7, one, &err));
    assert_ok(keeper_state_destroy(w->state, two, &err));
    reopen(w);
    assert_int_equal(keeper_state_serial(w->state), 7);
}

static void a_memory_begun_anew_takes_no_charter_below_the_least(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    keeper_state_drop(&w->state);
    assert_int_equal(unlink(w->path), 0);
    assert_ok(keeper_state_create(w->path, w->kek, 8, &err));
    reopen(w);
    assert_fails(keeper_state_check_charter(w->state, 7, one, &err), ERR_DENIED, "charter-serial");
    assert_ok(keeper_state_raise_charter(w->state, 8, one, &err));
    reopen(w);
    assert_int_equal(keeper_state_serial(w->state), 8);
    assert_fails(keeper_state_check_charter(w->state, 8, two, &err), ERR_DENIED, "charter-serial");
}

/* ---- the key-encryption key ---- */

static void a_wrapped_key_opens_with_its_label_only(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes wrapped = {0};
    OWNED(locked_done) struct locked plain = {0};
    assert_ok(kek_wrap(w->kek, span_of_text("a"), span_of_text("key"), &wrapped, &err));
    assert_fails(kek_unwrap(w->kek, span_of_text("b"), bytes_span(&wrapped), &plain, &err),
                 ERR_DENIED, "does-not-open");
    assert_ok(kek_unwrap(w->kek, span_of_text("a"), bytes_span(&wrapped), &plain, &err));
    assert_memory_equal(plain.at, "key", 3);
}

static void a_key_file_of_another_realm_mode_or_shape_is_refused(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct kek *none = NULL;
    OWNED(mem_drop) char *path = scratch_path(w->folder, "kek");
    assert_fails(kek_file_open(path, REALM_PRODUCTION, &none, &err), ERR_DENIED, "kek-realm");
    OWNED(bytes_done) struct bytes content = content_of(path);
    assert_ok(file_write(path, bytes_span(&content), 0640, &err));
    assert_fails(kek_file_open(path, REALM_SIMULATION, &none, &err), ERR_DENIED,
                 "file-not-private");
    for (size_t len = 0; len < content.len; len++) {
        assert_ok(file_write(path, SPAN(content.at, len), 0600, &err));
        assert_fails(kek_file_open(path, REALM_SIMULATION, &none, &err), ERR_INVALID,
                     "kek-damaged");
    }
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_new_memory_is_empty_and_is_not_made_twice),
        IN_WORLD(what_was_raised_stays_raised),
        IN_WORLD(every_one_of_many_secrets_is_remembered),
        IN_WORLD(no_version_jumps_far_above_the_last),
        IN_WORLD(a_line_torn_by_a_crash_is_dropped_and_the_next_one_fits),
        IN_WORLD(every_changed_byte_of_a_whole_line_is_noticed),
        IN_WORLD(lines_neither_leave_nor_change_places),
        IN_WORLD(another_deployments_memory_does_not_open),
        IN_WORLD(only_one_keeper_holds_it_at_a_time),
        IN_WORLD(a_memory_that_is_not_there_is_said_so),
        IN_WORLD(nothing_is_remembered_in_a_file_that_was_taken_away),
        IN_WORLD(after_a_failed_write_nothing_is_released),
        IN_WORLD(a_memory_that_was_filled_still_opens_and_takes_charters),
        IN_WORLD(a_memory_begun_anew_takes_no_charter_below_the_least),
        IN_WORLD(a_wrapped_key_opens_with_its_label_only),
        IN_WORLD(a_key_file_of_another_realm_mode_or_shape_is_refused),
    };
    return cmocka_run_group_tests_name("keeper state", tests, NULL, NULL);
}
