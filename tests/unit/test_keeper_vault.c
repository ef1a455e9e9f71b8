/* R6, R99: secrets are made in the keeper, and what leaves it for the database is ciphertext under
 * a label that cannot be changed. */
#include "keeper/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keeper/makers.h"
#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

struct world {
    char *folder;
    struct kek *kek;
    struct secret_label label;
    uint8_t salt[SEAL_SALT_SIZE];
    struct locked plain;
    struct bytes record;
};

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    void *folder = NULL;
    assert_int_equal(scratch_open(&folder), 0);
    w->folder = folder;
    OWNED(mem_drop) char *path = scratch_path(w->folder, "kek");
    assert_ok(kek_file_create(path, REALM_PRODUCTION, &err));
    assert_ok(kek_file_open(path, REALM_PRODUCTION, &w->kek, &err));
    w->label = (struct secret_label){.secret = uuid_new(),
                                     .name = "db-password",
                                     .version = 4,
                                     .kind = SECRET_OPAQUE,
                                     .scope = SCOPE_INSTANCE,
                                     .grant = "db",
                                     .anchor = {7}};
    random_fill(w->salt, sizeof w->salt);
    assert_ok(locked_new(16, &w->plain, &err));
    memcpy(w->plain.at, "correct horse ba", 16);
    assert_ok(vault_close(w->kek, &w->label, w->salt, &w->plain, &w->record, &err));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    void *folder = w->folder;
    kek_close(w->kek);
    locked_done(&w->plain);
    bytes_done(&w->record);
    assert_int_equal(scratch_close(&folder), 0);
    mem_drop(state);
    return 0;
}

static enum outcome open_it(struct world *w, struct span record, struct error *err)
{
    struct secret_label label;
    uint8_t salt[SEAL_SALT_SIZE];
    OWNED(locked_done) struct locked plain = {0};
    return vault_open(w->kek, record, &label, salt, &plain, err);
}

static void a_record_gives_back_what_was_put_in(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secret_label label = {0};
    uint8_t salt[SEAL_SALT_SIZE];
    OWNED(locked_done) struct locked plain = {0};
    assert_ok(vault_open(w->kek, bytes_span(&w->record), &label, salt, &plain, &err));
    assert_memory_equal(&label, &w->label, sizeof label);
    assert_memory_equal(salt, w->salt, sizeof salt);
    assert_int_equal(plain.len, w->plain.len);
    assert_memory_equal(plain.at, w->plain.at, plain.len);
}

static void a_record_holds_no_plaintext(void **state)
{
    struct world *w = *state;
    assert_null(memmem(w->record.at, w->record.len, "correct horse", 13));
    assert_null(memmem(w->record.at, w->record.len, w->salt, sizeof w->salt));
}

static void every_changed_or_missing_byte_is_noticed(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < w->record.len; i++) {
        w->record.at[i] ^= 1;
        assert_int_not_equal(open_it(w, bytes_span(&w->record), NULL), OK);
        w->record.at[i] ^= 1;
        assert_int_not_equal(open_it(w, SPAN(w->record.at, i), NULL), OK);
    }
}

static void another_key_encryption_key_opens_nothing(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(w->folder, "other");
    OWNED(kek_drop) struct kek *ours = w->kek;
    w->kek = NULL;
    assert_ok(kek_file_create(path, REALM_PRODUCTION, &err));
    assert_ok(kek_file_open(path, REALM_PRODUCTION, &w->kek, &err));
    assert_fails(open_it(w, bytes_span(&w->record), &err), ERR_DENIED, "record-not-ours");
}

/* The data key of one record does not open the ciphertext of another. */
static void halves_of_two_records_do_not_go_together(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes other = {0};
    assert_ok(vault_close(w->kek, &w->label, w->salt, &w->plain, &other, &err));
    assert_int_equal(other.len, w->record.len);
    memcpy(other.at + other.len - 40, w->record.at + other.len - 40, 40);
    assert_fails(open_it(w, bytes_span(&other), &err), ERR_DENIED, "record-not-ours");
}

static void opaque_secrets_are_32_random_bytes(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(locked_done) struct locked a = {0};
    OWNED(locked_done) struct locked b = {0};
    char *public = NULL;
    assert_ok(make_secret(SECRET_OPAQUE, &a, &public, &err));
    assert_null(public);
    assert_ok(make_secret(SECRET_OPAQUE, &b, &public, &err));
    assert_int_equal(a.len, 32);
    assert_memory_not_equal(a.at, b.at, 32);
}

/* OpenSSH itself must take the key and find the same public half. */
static void openssh_reads_a_host_key(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(locked_done) struct locked key = {0};
    OWNED(mem_drop) char *public = NULL;
    OWNED(mem_drop) char *path = scratch_path(w->folder, "host_key");
    OWNED(text_done) struct text command = {0};
    char line[256] = "";
    assert_ok(make_secret(SECRET_SSH_HOST_KEY, &key, &public, &err));
    assert_memory_equal(public, "ssh-ed25519 ", 12);
    assert_ok(file_write(path, locked_span(&key), 0600, &err));
    text_addf(&command, "ssh-keygen -y -P '' -f '%s' 2>/dev/null", path);
    FILE *pipe = popen(text_str(&command), "r");
    assert_non_null(pipe);
    bool read = fgets(line, sizeof line, pipe) != NULL;
    if (pclose(pipe) == 127 << 8) {
        print_message("ssh-keygen is not installed\n");
        skip();
    }
    assert_true(read);
    assert_memory_equal(line, public, strlen(public));
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_record_gives_back_what_was_put_in),
        IN_WORLD(a_record_holds_no_plaintext),
        IN_WORLD(every_changed_or_missing_byte_is_noticed),
        IN_WORLD(another_key_encryption_key_opens_nothing),
        IN_WORLD(halves_of_two_records_do_not_go_together),
        cmocka_unit_test(opaque_secrets_are_32_random_bytes),
        IN_WORLD(openssh_reads_a_host_key),
    };
    return cmocka_run_group_tests_name("keeper vault", tests, NULL, NULL);
}
