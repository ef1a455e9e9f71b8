/* The guest's end of a delivery: what it refuses, and what is left behind (trust.md sections 7, 8).
 */
#include "agent/secrets.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "lib/crypto/seal.h"
#include "tests/support/test.h"

struct world {
    char base[64];
    char folder[96];
    char hooks[96];
    struct key *root_key;
    struct cert *root;
    struct key *signer;
    struct cert *signer_cert;
    struct key *sealing[SEALING_KEYS_MAX];
    struct uuid instance;
    struct secrets *secrets;
    struct seal_header header; /* of the next envelope; all well */
};

static struct cert *certify(struct world *w, enum cert_role role)
{
    struct error err = {0};
    struct cert *cert = NULL;
    assert_ok(cert_make_role(w->root_key, w->root, w->signer, role, NULL, 0, clock_now(), 30, &cert,
                             &err));
    return cert;
}

static void next_header(struct world *w)
{
    struct seal_header *h = &w->header;
    h->delivery = uuid_new();
    h->sequence++;
    random_fill(h->salt, sizeof h->salt);
}

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    snprintf(w->base, sizeof w->base, "/tmp/muster-secrets-XXXXXX");
    assert_non_null(mkdtemp(w->base));
    snprintf(w->folder, sizeof w->folder, "%s/secrets", w->base);
    snprintf(w->hooks, sizeof w->hooks, "%s/hooks", w->base);
    assert_ok(folder_make(w->hooks, 0700, &err));
    assert_ok(key_generate(KEY_P384, &w->root_key, &err));
    assert_ok(cert_make_root(w->root_key, REALM_SIMULATION, clock_now(), &w->root, &err));
    assert_ok(key_generate(KEY_P256, &w->signer, &err));
    w->signer_cert = certify(w, ROLE_KEEPER_SIGN);
    assert_ok(key_generate(KEY_P256, &w->sealing[0], &err));
    w->instance = uuid_new();
    const struct secrets_places places = {
        .folder = w->folder, .allow_non_tmpfs = true, .hooks_dir = w->hooks, .hook_seconds = 10};
    const struct secrets_guest guest = {
        .instance = w->instance, .roots = &w->root, .root_count = 1};
    assert_ok(secrets_open(&places, &guest, &w->secrets, &err));

    struct seal_header *h = &w->header;
    snprintf(h->purpose, sizeof h->purpose, "%s", SEAL_PURPOSE_SECRET);
    cert_spki_sha256(w->root, h->deployment);
    h->instance = w->instance;
    key_fingerprint(w->sealing[0], h->sealing_key);
    h->secret = uuid_new();
    snprintf(h->name, sizeof h->name, "web-key");
    snprintf(h->kind, sizeof h->kind, "opaque");
    h->version = 3;
    snprintf(h->grant, sizeof h->grant, "web");
    h->verdict = uuid_new();
    h->sequence = 10;
    next_header(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", w->base);
    int result = system(command);
    secrets_close(w->secrets);
    key_free(w->root_key);
    cert_free(w->root);
    key_free(w->signer);
    cert_free(w->signer_cert);
    for (size_t i = 0; i < SEALING_KEYS_MAX; i++)
        key_free(w->sealing[i]);
    free(w);
    return result;
}

static struct secret_delivery sealed(struct world *w, const char *plain)
{
    struct error err = {0};
    struct secret_delivery d = {.delivery = w->header.delivery};
    snprintf(d.secret, sizeof d.secret, "%s", w->header.name);
    assert_ok(seal_to(w->sealing[0], &w->header, span_of_text(plain), w->signer, w->signer_cert,
                      &d.envelope, &err));
    return d;
}

static void delivery_done(struct secret_delivery *d)
{
    record_done(&secret_delivery_record, d);
}

static enum outcome wait_for(struct world *w, struct secrets_job *job, struct error *err)
{
    enum outcome result = OK;
    int64_t deadline = clock_monotonic_ms() + 20000;
    while (!secrets_job_ended(w->secrets, job, &result, err)) {
        assert_true(clock_monotonic_ms() < deadline);
        poll(NULL, 0, 2); /* between two looks; the wait is for the hook's end */
    }
    return result;
}

static enum outcome deliver(struct world *w, const struct secret_delivery *d,
                            struct secrets_job *job, struct error *err)
{
    TRY(secrets_deliver(w->secrets, d, w->sealing, job, err));
    return wait_for(w, job, err);
}

static void path_of(const struct world *w, const char *name, char out[static 256])
{
    snprintf(out, 256, "%s/%s", w->folder, name);
}

static void assert_holds(const struct world *w, const char *name, const char *content)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes got = {0};
    char path[256];
    path_of(w, name, path);
    assert_ok(file_read(path, 4096, &got, &err));
    assert_true(span_equal(bytes_span(&got), span_of_text(content)));
}

static int files_in(const char *folder)
{
    int count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* The envelope as the header now is must be refused with this code, and leave nothing. */
static void assert_refused(struct world *w, const char *message_name, const char *code)
{
    struct error err = {0};
    OWNED(delivery_done) struct secret_delivery d = sealed(w, "refused");
    struct secrets_job job;
    int before = files_in(w->folder);
    snprintf(d.secret, sizeof d.secret, "%s", message_name);
    assert_fails(deliver(w, &d, &job, &err), ERR_DENIED, code);
    assert_int_equal(files_in(w->folder), before);
}

static void a_secret_is_put_by_name_for_its_owner_only(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets_job job;
    OWNED(delivery_done) struct secret_delivery d = sealed(w, "hunter2");
    assert_ok(deliver(w, &d, &job, &err));
    assert_holds(w, "web-key", "hunter2");
    char path[256];
    struct stat st;
    path_of(w, "web-key", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0400);
    assert_int_equal(stat(w->folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    uint8_t check[SHA256_SIZE];
    seal_check(SPAN_OF(w->header.salt), span_of_text("hunter2"), check);
    assert_true(job.loaded.loaded);
    assert_memory_equal(job.loaded.check, check, sizeof check);
    assert_int_equal(secrets_sequence(w->secrets), w->header.sequence);
}

static void a_new_version_replaces_the_old_one_and_leaves_no_trace(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets_job job;
    OWNED(delivery_done) struct secret_delivery first = sealed(w, "one");
    assert_ok(deliver(w, &first, &job, &err));
    next_header(w);
    w->header.version++;
    OWNED(delivery_done) struct secret_delivery second = sealed(w, "two");
    assert_ok(deliver(w, &second, &job, &err));
    assert_holds(w, "web-key", "two");
    assert_int_equal(files_in(w->folder), 1);
}

static void the_same_delivery_twice_is_answered_from_memory(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets_job job;
    struct secrets_job again;
    OWNED(delivery_done) struct secret_delivery d = sealed(w, "once");
    assert_ok(deliver(w, &d, &job, &err));
    char path[256];
    path_of(w, "web-key", path);
    assert_int_equal(unlink(path), 0);
    assert_ok(deliver(w, &d, &again, &err));
    assert_memory_equal(again.loaded.check, job.loaded.check, SHA256_SIZE);
    assert_int_equal(files_in(w->folder), 0);
}

static void a_replayed_envelope_under_another_delivery_is_refused(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets_job job;
    OWNED(delivery_done) struct secret_delivery d = sealed(w, "once");
    assert_ok(deliver(w, &d, &job, &err));
    d.delivery = uuid_new();
    assert_fails(deliver(w, &d, &job, &err), ERR_DENIED, "old-sequence");
}

static void an_older_sequence_is_refused(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets_job job;
    OWNED(delivery_done) struct secret_delivery d = sealed(w, "now");
    assert_ok(deliver(w, &d, &job, &err));
    next_header(w);
    w->header.sequence -= 5;
    assert_refused(w, "web-key", "old-sequence");
    assert_holds(w, "web-key", "now");
}

static void a_lower_version_is_refused_whatever_its_sequence(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets_job job;
    OWNED(delivery_done) struct secret_delivery d = sealed(w, "three");
    assert_ok(deliver(w, &d, &job, &err));
    next_header(w);
    w->header.version = 2;
    assert_refused(w, "web-key", "old-version");
    assert_holds(w, "web-key", "three");
    next_header(w);
    w->header.version = 3;
    OWNED(delivery_done) struct secret_delivery same = sealed(w, "three");
    assert_ok(deliver(w, &same, &job, &err));
}

static void an_envelope_for_another_instance_is_refused(void **state)
{
    struct world *w = *state;
    w->header.instance = uuid_new();
    assert_refused(w, "web-key", "wrong-instance");
}

static void an_envelope_under_another_root_is_refused(void **state)
{
    struct world *w = *state;
    random_fill(w->header.deployment, sizeof w->header.deployment);
    assert_refused(w, "web-key", "wrong-deployment");
}

static void an_envelope_sealed_to_another_key_is_refused(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets_job job;
    OWNED(delivery_done) struct secret_delivery d = sealed(w, "lost");
    OWNED(key_drop) struct key *other = NULL;
    assert_ok(key_generate(KEY_P256, &other, &err));
    struct key *const others[SEALING_KEYS_MAX] = {other, NULL};
    assert_fails(secrets_deliver(w->secrets, &d, others, &job, &err), ERR_DENIED,
                 "envelope-not-ours");
    struct key *const none[SEALING_KEYS_MAX] = {NULL, NULL};
    assert_fails(secrets_deliver(w->secrets, &d, none, &job, &err), ERR_DENIED,
                 "envelope-not-ours");
    struct key *const both[SEALING_KEYS_MAX] = {other, w->sealing[0]};
    assert_ok(secrets_deliver(w->secrets, &d, both, &job, &err));
}

static void only_a_keepers_signature_counts(void **state)
{
    struct world *w = *state;
    static const enum cert_role others[] = {ROLE_CONTROLLER, ROLE_KEEPER_LINK, ROLE_KEEPER_IMPORT};
    for (size_t i = 0; i < countof(others); i++) {
        cert_free(w->signer_cert);
        w->signer_cert = certify(w, others[i]);
        assert_refused(w, "web-key", "wrong-role");
    }
}

static void a_keeper_of_another_deployment_is_refused(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(cert_drop) struct cert *root = NULL;
    assert_ok(key_generate(KEY_P384, &key, &err));
    assert_ok(cert_make_root(key, REALM_SIMULATION, clock_now(), &root, &err));
    cert_free(w->signer_cert);
    w->signer_cert = NULL;
    assert_ok(cert_make_role(key, root, w->signer, ROLE_KEEPER_SIGN, NULL, 0, clock_now(), 30,
                             &w->signer_cert, &err));
    assert_refused(w, "web-key", "wrong-root");
}

static void a_name_that_is_a_path_is_refused(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"../evil", "/etc/shadow", "a/b", ".", "..", "A", "a b"};
    for (size_t i = 0; i < countof(names); i++) {
        snprintf(w->header.name, sizeof w->header.name, "%s", names[i]);
        next_header(w);
        struct error err = {0};
        struct secrets_job job;
        OWNED(bytes_done) struct bytes envelope = {0};
        /* Where the keeper's own side already refuses to make such a thing there is no attack. */
        if (seal_to(w->sealing[0], &w->header, span_of_text("x"), w->signer, w->signer_cert,
                    &envelope, &err) != OK)
            continue;
        OWNED(delivery_done)
        struct secret_delivery d = {.delivery = w->header.delivery,
                                    .envelope = bytes_copy(bytes_span(&envelope))};
        snprintf(d.secret, sizeof d.secret, "%s", names[i]);
        assert_true(deliver(w, &d, &job, &err) != OK);
        assert_int_equal(files_in(w->folder), 0);
    }
}

static void an_envelope_under_another_name_or_delivery_is_refused(void **state)
{
    struct world *w = *state;
    assert_refused(w, "db-key", "wrong-name");
    struct error err = {0};
    struct secrets_job job;
    OWNED(delivery_done) struct secret_delivery d = sealed(w, "x");
    d.delivery = uuid_new();
    assert_fails(deliver(w, &d, &job, &err), ERR_DENIED, "wrong-delivery");
}

static void an_order_to_forget_is_no_secret_and_the_reverse(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets_job job;
    snprintf(w->header.purpose, sizeof w->header.purpose, "%s", SEAL_PURPOSE_FORGET);
    assert_refused(w, "web-key", "wrong-purpose");
    snprintf(w->header.purpose, sizeof w->header.purpose, "%s", SEAL_PURPOSE_SECRET);
    OWNED(delivery_done) struct secret_delivery d = sealed(w, "x");
    struct secret_forget order = {.delivery = d.delivery, .order = d.envelope};
    snprintf(order.secret, sizeof order.secret, "%s", d.secret);
    assert_fails(secrets_forget(w->secrets, &order, w->sealing, &job, &err), ERR_DENIED,
                 "wrong-purpose");
}

static void a_signed_order_removes_the_secret(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets_job job;
    OWNED(delivery_done) struct secret_delivery d = sealed(w, "soon gone");
    assert_ok(deliver(w, &d, &job, &err));
    next_header(w);
    snprintf(w->header.purpose, sizeof w->header.purpose, "%s", SEAL_PURPOSE_FORGET);
    OWNED(delivery_done) struct secret_delivery o = sealed(w, "");
    struct secret_forget order = {.delivery = o.delivery, .order = o.envelope};
    snprintf(order.secret, sizeof order.secret, "%s", o.secret);
    assert_ok(secrets_forget(w->secrets, &order, w->sealing, &job, &err));
    assert_ok(wait_for(w, &job, &err));
    assert_int_equal(files_in(w->folder), 0);
    assert_ok(secrets_forget(w->secrets, &order, w->sealing, &job, &err));
}

static void every_changed_byte_is_noticed(void **state)
{
    struct world *w = *state;
    OWNED(delivery_done) struct secret_delivery d = sealed(w, "whole");
    for (size_t i = 0; i < d.envelope.len; i += 7) {
        struct error err = {0};
        struct secrets_job job;
        d.envelope.at[i] ^= 0x20;
        if (deliver(w, &d, &job, &err) == OK)
            fail_msg("byte %zu of %zu does not matter", i, d.envelope.len);
        d.envelope.at[i] ^= 0x20;
    }
    assert_int_equal(files_in(w->folder), 0);
    assert_int_equal(secrets_sequence(w->secrets), 0);
}

static void junk_and_too_much_are_refused(void **state)
{
    struct world *w = *state;
    static const size_t sizes[] = {0, 1, 100, SEAL_ENVELOPE_MAX + 1};
    for (size_t i = 0; i < countof(sizes); i++) {
        struct error err = {0};
        struct secrets_job job;
        OWNED(delivery_done)
        struct secret_delivery d = {.delivery = uuid_new(), .secret = "web-key"};
        if (sizes[i] > 0)
            random_fill(bytes_add_room(&d.envelope, sizes[i]), sizes[i]);
        assert_fails(deliver(w, &d, &job, &err), ERR_INVALID, "envelope-malformed");
    }
}

static void write_hook(struct world *w, const char *script)
{
    struct error err = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/web-key", w->hooks);
    assert_ok(file_write(path, span_of_text(script), 0700, &err));
}

static void loaded_is_said_only_after_the_hook_went_well(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets_job job;
    char script[256];
    snprintf(script, sizeof script, "#!/bin/sh\ncat %s/web-key >%s/seen\n", w->folder, w->base);
    write_hook(w, script);
    OWNED(delivery_done) struct secret_delivery d = sealed(w, "for the hook");
    assert_ok(deliver(w, &d, &job, &err));
    OWNED(bytes_done) struct bytes seen = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/seen", w->base);
    assert_ok(file_read(path, 64, &seen, &err));
    assert_true(span_equal(bytes_span(&seen), span_of_text("for the hook")));

    write_hook(w, "#!/bin/sh\nexit 1\n");
    next_header(w);
    OWNED(delivery_done) struct secret_delivery e = sealed(w, "unused");
    assert_fails(deliver(w, &e, &job, &err), ERR_CONFLICT, "hook-failed");
    /* It is not remembered as loaded either. */
    assert_fails(deliver(w, &e, &job, &err), ERR_DENIED, "old-sequence");
}

static void a_folder_that_others_may_enter_is_refused(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets *s = NULL;
    assert_int_equal(chmod(w->folder, 0755), 0);
    const struct secrets_guest guest = {
        .instance = w->instance, .roots = &w->root, .root_count = 1};
    struct secrets_places places = {
        .folder = w->folder, .allow_non_tmpfs = true, .hooks_dir = w->hooks, .hook_seconds = 10};
    assert_fails(secrets_open(&places, &guest, &s, &err), ERR_DENIED, "secrets-dir-not-private");
    char link[128];
    snprintf(link, sizeof link, "%s/link", w->base);
    assert_int_equal(chmod(w->folder, 0700), 0);
    assert_int_equal(symlink(w->folder, link), 0);
    places.folder = link;
    assert_int_equal(secrets_open(&places, &guest, &s, &err), ERR_INVALID);
}

static void secrets_do_not_go_to_a_disk(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets *s = NULL;
    const struct secrets_guest guest = {
        .instance = w->instance, .roots = &w->root, .root_count = 1};
    /* /proc is no tmpfs anywhere, and neither is the source tree's folder on a disk. */
    const struct secrets_places places = {
        .folder = "/proc/self/task", .hooks_dir = w->hooks, .hook_seconds = 10};
    assert_int_equal(secrets_open(&places, &guest, &s, &err), ERR_DENIED);
    assert_null(s);
}

static void the_number_of_secrets_is_bounded(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct secrets_job job;
    for (int i = 0; i <= SECRETS_MAX; i++) {
        next_header(w);
        w->header.secret = uuid_new();
        snprintf(w->header.name, sizeof w->header.name, "s%d", i);
        OWNED(delivery_done) struct secret_delivery d = sealed(w, "x");
        if (i < SECRETS_MAX)
            assert_ok(deliver(w, &d, &job, &err));
        else
            assert_fails(deliver(w, &d, &job, &err), ERR_THROTTLED, "too-many-secrets");
    }
    assert_int_equal(files_in(w->folder), SECRETS_MAX);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_secret_is_put_by_name_for_its_owner_only),
        T(a_new_version_replaces_the_old_one_and_leaves_no_trace),
        T(the_same_delivery_twice_is_answered_from_memory),
        T(a_replayed_envelope_under_another_delivery_is_refused),
        T(an_older_sequence_is_refused),
        T(a_lower_version_is_refused_whatever_its_sequence),
        T(an_envelope_for_another_instance_is_refused),
        T(an_envelope_under_another_root_is_refused),
        T(an_envelope_sealed_to_another_key_is_refused),
        T(only_a_keepers_signature_counts),
        T(a_keeper_of_another_deployment_is_refused),
        T(a_name_that_is_a_path_is_refused),
        T(an_envelope_under_another_name_or_delivery_is_refused),
        T(an_order_to_forget_is_no_secret_and_the_reverse),
        T(a_signed_order_removes_the_secret),
        T(every_changed_byte_is_noticed),
        T(junk_and_too_much_are_refused),
        T(loaded_is_said_only_after_the_hook_went_well),
        T(a_folder_that_others_may_enter_is_refused),
        T(secrets_do_not_go_to_a_disk),
        T(the_number_of_secrets_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
