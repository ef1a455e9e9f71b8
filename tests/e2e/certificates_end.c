/* Ninety days pass: the keeper says that its certificate is over, and goes on with a renewed one;
 * and who has another root makes no certificate that counts (trust.md section 3). */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/keeper_renew.h"
#include "lib/base/file.h"
#include "lib/crypto/cert_life.h"
#include "lib/crypto/jwks.h"
#include "lib/model/charter.h"
#include "tests/support/deployment.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

enum { DAY = 86400 };

/* ---- scenery ------------------------------------------------------------------------------ */

static void days_pass(int64_t days)
{
    clock_advance_ms(days * DAY * 1000);
}

/* A charter lives 30 days, so every jump needs a new one. */
static void charter_for_now(struct deployment *d)
{
    struct error err = {0};
    json_put_moment(d->charter, "issued", clock_now());
    json_put_moment(d->charter, "expires", moment_add_seconds(clock_now(), INT64_C(30) * DAY));
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
}

static void restart(struct deployment *d)
{
    deployment_stop_keeper(d);
    deployment_start_keeper(d);
}

static enum outcome renew(struct deployment *d, const char *role, bool new_key, struct error *err)
{
    struct keeper_renew wish = {.folder = d->folder, .days = 90, .new_key = new_key};
    struct renewals done = {0};
    if (role != NULL)
        wish.roles = (struct argument_list){1, {role}};
    return keeper_renew(&wish, &done, err);
}

static void read_file(const struct deployment *d, const char *name, struct bytes *out)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(d->folder, name);
    bytes_done(out);
    assert_ok(file_read(path, 65536, out, &err));
}

static void write_file(const struct deployment *d, const char *name, struct span content)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(d->folder, name);
    struct stat st;
    mode_t mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0600;
    assert_ok(file_write(path, content, mode, &err));
}

static void copy_file(const struct deployment *from, struct deployment *to, const char *name)
{
    OWNED(bytes_wipe) struct bytes content = {0};
    read_file(from, name, &content);
    write_file(to, name, bytes_span(&content));
}

static void lose(const struct deployment *d, const char *name)
{
    OWNED(mem_drop) char *path = scratch_path(d->folder, name);
    assert_int_equal(unlink(path), 0);
}

/* Every file that renewing might touch, one after the other. */
static void all_files(const struct deployment *d, struct bytes *out)
{
    static const char *const names[] = {"controller/cert.pem",    "controller/key.pem",
                                        "keeper/link-cert.pem",   "keeper/link-key.pem",
                                        "keeper/sign-cert.pem",   "keeper/sign-key.pem",
                                        "keeper/import-cert.pem", "keeper/import-key.pem"};
    bytes_done(out);
    for (size_t i = 0; i < countof(names); i++) {
        OWNED(bytes_wipe) struct bytes content = {0};
        read_file(d, names[i], &content);
        bytes_add(out, bytes_span(&content));
    }
}

static void is_refused_and_changes_nothing(struct deployment *d, enum outcome outcome,
                                           const char *code)
{
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes before = {0};
    OWNED(bytes_wipe) struct bytes after = {0};
    all_files(d, &before);
    assert_fails(renew(d, NULL, false, &err), outcome, code);
    all_files(d, &after);
    assert_true(span_equal(bytes_span(&before), bytes_span(&after)));
}

static struct cert *cert_in(const struct deployment *d, const char *name)
{
    struct error err = {0};
    struct cert *cert = NULL;
    OWNED(bytes_done) struct bytes pem = {0};
    read_file(d, name, &pem);
    assert_ok(cert_from_pem(bytes_span(&pem), &cert, &err));
    return cert;
}

/* ---- the end ------------------------------------------------------------------------------ */

static void past_its_end_a_keeper_signs_nothing_and_says_why(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge challenge;
    struct release_reply reply = {0};
    struct keeper_status status = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(stored_done) struct stored s = {0};
    OWNED(stored_done) struct stored late = {0};
    days_pass(89);
    charter_for_now(d);
    assert_ok(guest_attest(d, &g, &err));
    assert_ok(stored_make(d, "proven", NULL, &s, &err));
    clock_advance_ms(INT64_C(3600) * 23 * 1000);
    assert_ok(guest_attest(d, &g, &err));
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(d, &g, &challenge, &err));
    guest_evidence(d, &g, &challenge, &evidence);
    clock_advance_ms(INT64_C(3600) * 1000);
    struct release_wish wish = release_wish_of(&g, &s);
    assert_fails(release_ask(d, &wish, &reply, &err), ERR_DENIED, "keeper-cert-expired");
    assert_fails(guest_appraise(d, &g, &challenge, &evidence, &err), ERR_DENIED,
                 "keeper-cert-expired");
    assert_fails(guest_challenge(d, &g, &challenge, &err), ERR_DENIED, "keeper-cert-expired");
    assert_fails(stored_make(d, "proven", NULL, &late, &err), ERR_DENIED, "keeper-cert-expired");
    charter_for_now(d); /* narrowing must not wait for a certificate */
    assert_ok(deployment_ask(d, VERB_STATUS, NULL, NULL, &keeper_status_record, &status, &err));
    struct keeper *again = NULL;
    deployment_stop_keeper(d);
    assert_fails(keeper_open(d->keeper_folder, 64, &again, &err), ERR_DENIED, "cert-expired");
}

static void a_renewed_keeper_is_the_same_keeper(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct release_reply reply = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(stored_done) struct stored s = {0};
    days_pass(80);
    charter_for_now(d);
    assert_ok(guest_attest(d, &g, &err));
    assert_ok(stored_make(d, "proven", NULL, &s, &err));
    assert_ok(renew(d, NULL, false, &err));
    restart(d);
    struct release_wish wish = release_wish_of(&g, &s); /* by a verdict from before */
    assert_ok(release_ask(d, &wish, &reply, &err));
    record_done(&release_reply_record, &reply);
    days_pass(80);
    charter_for_now(d);
    assert_ok(guest_attest(d, &g, &err));
    assert_int_equal(keeper_signing_term(d->keeper).until.us,
                     moment_add_seconds(clock_now(), INT64_C(10) * DAY).us / SECONDS_US *
                         SECONDS_US);
}

static void without_a_certificate_for_opinions_it_does_all_else(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct opinion_reply reply = {0};
    struct opinion_wish wish = {.policy = ""};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(bytes_wipe) struct bytes sign_key = {0};
    bytes_add(&wish.evidence, span_of_text("{}"));
    days_pass(60);
    assert_ok(renew(d, "keeper-sign", false, &err));
    days_pass(40);
    restart(d);
    charter_for_now(d);
    assert_ok(guest_attest(d, &g, &err));
    assert_fails(deployment_ask(d, VERB_OPINION, &opinion_wish_record, &wish, &opinion_reply_record,
                                &reply, &err),
                 ERR_DENIED, "no-opinion-key");
    record_done(&opinion_wish_record, &wish);
    /* Nor with the key that signs verdicts. */
    struct keeper *again = NULL;
    read_file(d, "keeper/sign-key.pem", &sign_key);
    write_file(d, "keeper/opinion-key.pem", bytes_span(&sign_key));
    lose(d, "keeper/opinion-cert.pem");
    assert_ok(renew(d, "keeper-opinion", false, &err));
    deployment_stop_keeper(d);
    assert_fails(keeper_open(d->keeper_folder, 64, &again, &err), ERR_INVALID, "wrong-key");
}

static void also_when_it_is_over_already(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    days_pass(200);
    assert_ok(renew(d, NULL, false, &err));
    restart(d);
    charter_for_now(d);
    assert_ok(guest_attest(d, &g, &err));
}

/* ---- the new ones ------------------------------------------------------------------------- */

static void old_and_new_are_good_at_once_and_for_the_same_key_names_and_realm(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    static const struct {
        const char *file;
        enum cert_role role;
    } rows[] = {{"controller/cert.pem", ROLE_CONTROLLER},
                {"keeper/link-cert.pem", ROLE_KEEPER_LINK},
                {"keeper/sign-cert.pem", ROLE_KEEPER_SIGN},
                {"keeper/import-cert.pem", ROLE_KEEPER_IMPORT}};
    struct cert *before[countof(rows)];
    for (size_t i = 0; i < countof(rows); i++)
        before[i] = cert_in(d, rows[i].file);
    days_pass(60);
    assert_ok(renew(d, NULL, false, &err));
    for (size_t i = 0; i < countof(rows); i++) {
        OWNED(cert_drop) struct cert *after = cert_in(d, rows[i].file);
        struct cert_names old_names = {0}, new_names = {0};
        uint8_t old_key[SHA256_SIZE], new_key[SHA256_SIZE];
        assert_ok(cert_check_role(before[i], rows[i].role, &d->root, 1, clock_now(), &err));
        assert_ok(cert_check_role(after, rows[i].role, &d->root, 1, clock_now(), &err));
        assert_int_equal(moment_seconds_between(cert_not_after(before[i]), cert_not_after(after)),
                         60 * DAY);
        cert_spki_sha256(before[i], old_key);
        cert_spki_sha256(after, new_key);
        assert_memory_equal(old_key, new_key, sizeof old_key);
        assert_ok(cert_names_of(before[i], &old_names, &err));
        assert_ok(cert_names_of(after, &new_names, &err));
        assert_int_equal(old_names.count, rows[i].role == ROLE_CONTROLLER ? 2 : 0);
        assert_memory_equal(&old_names, &new_names, sizeof old_names);
        cert_free(before[i]);
    }
    enum realm realm;
    OWNED(cert_drop) struct cert *root = cert_in(d, "keeper/root.pem");
    assert_ok(cert_realm(root, &realm, &err));
    assert_int_equal(realm, REALM_SIMULATION);
}

static void only_the_named_role_is_renewed(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    days_pass(1);
    assert_ok(renew(d, "keeper-link", false, &err));
    OWNED(cert_drop) struct cert *link = cert_in(d, "keeper/link-cert.pem");
    OWNED(cert_drop) struct cert *sign = cert_in(d, "keeper/sign-cert.pem");
    assert_int_equal(moment_seconds_between(cert_not_after(sign), cert_not_after(link)), DAY);
}

/* Where only the certificates were brought to the root. */
static void no_private_key_need_travel(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes key = {0};
    read_file(d, "keeper/sign-key.pem", &key);
    lose(d, "keeper/sign-key.pem");
    days_pass(80);
    assert_ok(renew(d, "keeper-sign", false, &err));
    write_file(d, "keeper/sign-key.pem", bytes_span(&key));
    restart(d);
}

static void a_lost_certificate_is_made_again_for_its_key(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    lose(d, "keeper/sign-cert.pem");
    assert_ok(renew(d, "keeper-sign", false, &err));
    restart(d);
    lose(d, "controller/cert.pem"); /* nothing says what it named */
    assert_fails(renew(d, "controller", false, &err), ERR_INVALID, "invalid");
}

static void a_new_key_counts_once_the_charter_names_it(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge challenge;
    struct release_reply reply = {0};
    uint8_t key[SHA256_SIZE];
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(stored_done) struct stored s = {0};
    assert_ok(guest_attest(d, &g, &err));
    assert_ok(stored_make(d, "proven", NULL, &s, &err));
    assert_ok(renew(d, "keeper-sign", true, &err));
    OWNED(cert_drop) struct cert *cert = cert_in(d, "keeper/sign-cert.pem");
    restart(d);
    assert_fails(guest_challenge(d, &g, &challenge, &err), ERR_DENIED, "keeper-not-chartered");
    cert_spki_sha256(cert, key);
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(key));
    json_add_new(json_object_get(d->charter, "keepers"), json_string(hex));
    charter_for_now(d);
    struct release_wish wish = release_wish_of(&g, &s); /* the old key's verdict */
    assert_fails(release_ask(d, &wish, &reply, &err), ERR_DENIED, "verdict-key");
    assert_ok(guest_attest(d, &g, &err));
    wish = release_wish_of(&g, &s);
    assert_ok(release_ask(d, &wish, &reply, &err));
    record_done(&release_reply_record, &reply);
}

/* The three states that a crash can leave. */
static void interrupted_anywhere_the_key_that_is_there_has_its_certificate(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes old_key = {0};
    OWNED(bytes_wipe) struct bytes new_key = {0};
    OWNED(bytes_done) struct bytes old_cert = {0};
    OWNED(bytes_done) struct bytes both = {0};
    read_file(d, "keeper/sign-key.pem", &old_key);
    read_file(d, "keeper/sign-cert.pem", &old_cert);
    assert_ok(renew(d, "keeper-sign", true, &err));
    read_file(d, "keeper/sign-key.pem", &new_key);
    read_file(d, "keeper/sign-cert.pem", &both);
    assert_false(span_equal(bytes_span(&old_key), bytes_span(&new_key)));
    restart(d);
    bytes_add(&both, bytes_span(&old_cert));
    write_file(d, "keeper/sign-cert.pem", bytes_span(&both));
    restart(d);
    write_file(d, "keeper/sign-key.pem", bytes_span(&old_key));
    restart(d);
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    assert_ok(guest_attest(d, &g, &err)); /* it is the key that the charter names */
    assert_ok(renew(d, "keeper-sign", false, &err));
    restart(d);
    assert_ok(guest_attest(d, &g, &err));
}

/* ---- who may not -------------------------------------------------------------------------- */

/* ---- the list of keys for others ----------------------------------------------------------------
 */

static size_t listed(const struct deployment *d, enum cert_role role)
{
    struct error err = {0};
    size_t count = 0;
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(bytes_done) struct bytes jwt = {0};
    OWNED(cert_drop) struct cert *root = NULL;
    OWNED(jwks_done) struct jwks set = {0};
    read_file(d, "root/cert.pem", &pem);
    read_file(d, "keeper/jwks.jwt", &jwt);
    assert_ok(cert_from_pem(bytes_span(&pem), &root, &err));
    assert_ok(jwks_open(bytes_span(&jwt), &root, 1, clock_now(), &set, &err));
    for (size_t i = 0; i < set.count; i++)
        count += cert_claimed_role(set.certs[i]) == role;
    return count;
}

static enum outcome withdraw(struct deployment *d, const char *role, struct error *err)
{
    const struct keeper_renew wish = {
        .folder = d->folder, .days = 90, .new_key = true, .withdraw = true, .roles = {1, {role}}};
    struct renewals done = {0};
    return keeper_renew(&wish, &done, err);
}

/* However often; what is withdrawn makes room too. */
static void a_stolen_key_leaves_the_list_at_once(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    assert_ok(renew(d, "keeper-passport", true, &err));
    assert_int_equal(listed(d, ROLE_KEEPER_PASSPORT), 2);
    for (int i = 0; i < 12; i++)
        assert_ok(withdraw(d, "keeper-passport", &err));
    assert_int_equal(listed(d, ROLE_KEEPER_PASSPORT), 1);
    assert_int_equal(listed(d, ROLE_KEEPER_OPINION), 1);
    restart(d);
    struct keeper_renew without = {.folder = d->folder, .days = 90, .withdraw = true};
    struct renewals done = {0};
    assert_fails(keeper_renew(&without, &done, &err), ERR_INVALID, "invalid");
}

static void another_root_renews_nothing(void **state)
{
    struct deployment *d = *state;
    struct deployment *other = deployment_make(REALM_SIMULATION, true);
    copy_file(other, d, "root/key.pem");
    is_refused_and_changes_nothing(d, ERR_INVALID, "wrong-key");
    copy_file(other, d, "root/cert.pem");
    is_refused_and_changes_nothing(d, ERR_DENIED, "wrong-root");
    deployment_free(other);
}

static void a_root_of_the_other_realm_renews_nothing(void **state)
{
    struct deployment *d = *state;
    struct deployment *other = deployment_make(REALM_PRODUCTION, false);
    copy_file(other, d, "root/key.pem");
    copy_file(other, d, "root/cert.pem");
    is_refused_and_changes_nothing(d, ERR_DENIED, "realm-mismatch");
    /* Even where somebody put it beside as the next one. */
    OWNED(bytes_done) struct bytes pem = {0};
    read_file(other, "root/cert.pem", &pem);
    write_file(d, "keeper/next-root.pem", bytes_span(&pem));
    is_refused_and_changes_nothing(d, ERR_DENIED, "realm-mismatch");
    deployment_free(other);
}

static void the_next_root_renews_what_knows_it(void **state)
{
    struct deployment *d = *state;
    struct deployment *next = deployment_make(REALM_SIMULATION, true);
    struct error err = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    read_file(next, "root/cert.pem", &pem);
    write_file(d, "keeper/next-root.pem", bytes_span(&pem));
    copy_file(next, d, "root/key.pem");
    copy_file(next, d, "root/cert.pem");
    assert_ok(renew(d, "keeper-sign", false, &err));
    assert_fails(renew(d, "controller", false, &err), ERR_DENIED, "wrong-root");
    restart(d);
    deployment_free(next);
}

/* Neither what it signed nor what it certified counts for anybody. */
static void the_list_of_a_root_that_is_no_more_is_begun_anew(void **state)
{
    struct deployment *d = *state;
    struct deployment *next = deployment_make(REALM_SIMULATION, true);
    struct error err = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    read_file(next, "root/cert.pem", &pem);
    write_file(d, "keeper/root.pem", bytes_span(&pem));
    copy_file(next, d, "root/key.pem");
    copy_file(next, d, "root/cert.pem");
    assert_ok(renew(d, "keeper-opinion", false, &err));
    assert_int_equal(listed(d, ROLE_KEEPER_OPINION), 1);
    assert_int_equal(listed(d, ROLE_KEEPER_PASSPORT), 0);
    assert_ok(renew(d, "keeper-passport", false, &err));
    assert_int_equal(listed(d, ROLE_KEEPER_PASSPORT), 1);
    deployment_free(next);
}

static void what_is_missing_is_said_and_nothing_changed(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes key = {0};
    read_file(d, "root/key.pem", &key);
    lose(d, "root/key.pem");
    is_refused_and_changes_nothing(d, ERR_NOT_FOUND, "not-found");
    write_file(d, "root/key.pem", bytes_span(&key));
    OWNED(mem_drop) char *path = scratch_path(d->folder, "root/key.pem");
    assert_int_equal(chmod(path, 0644), 0);
    is_refused_and_changes_nothing(d, ERR_DENIED, "file-not-private");
    assert_int_equal(chmod(path, 0600), 0);
    /* The last of the four: the first three must not have been written. */
    OWNED(bytes_wipe) struct bytes before = {0};
    OWNED(bytes_wipe) struct bytes after = {0};
    lose(d, "keeper/import-key.pem");
    lose(d, "keeper/import-cert.pem");
    days_pass(1);
    read_file(d, "controller/cert.pem", &before);
    assert_fails(renew(d, NULL, false, &err), ERR_NOT_FOUND, "not-found");
    read_file(d, "controller/cert.pem", &after);
    assert_true(span_equal(bytes_span(&before), bytes_span(&after)));
    assert_fails(renew(d, "keeper-import", true, &err), ERR_NOT_FOUND, "not-found");
}

static void a_key_of_another_role_is_not_certified(void **state)
{
    struct deployment *d = *state;
    OWNED(bytes_wipe) struct bytes content = {0};
    read_file(d, "keeper/link-key.pem", &content);
    write_file(d, "keeper/sign-key.pem", bytes_span(&content));
    is_refused_and_changes_nothing(d, ERR_INVALID, "wrong-key");
    read_file(d, "keeper/link-cert.pem", &content);
    write_file(d, "keeper/sign-cert.pem", bytes_span(&content));
    is_refused_and_changes_nothing(d, ERR_INVALID, "wrong-role");
}

#define IN(test) cmocka_unit_test_setup_teardown(test, deployment_open, deployment_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(past_its_end_a_keeper_signs_nothing_and_says_why),
        IN(a_renewed_keeper_is_the_same_keeper),
        IN(without_a_certificate_for_opinions_it_does_all_else),
        IN(also_when_it_is_over_already),
        IN(old_and_new_are_good_at_once_and_for_the_same_key_names_and_realm),
        IN(only_the_named_role_is_renewed),
        IN(no_private_key_need_travel),
        IN(a_lost_certificate_is_made_again_for_its_key),
        IN(a_new_key_counts_once_the_charter_names_it),
        IN(interrupted_anywhere_the_key_that_is_there_has_its_certificate),
        IN(a_stolen_key_leaves_the_list_at_once),
        IN(another_root_renews_nothing),
        IN(a_root_of_the_other_realm_renews_nothing),
        IN(the_next_root_renews_what_knows_it),
        IN(the_list_of_a_root_that_is_no_more_is_begun_anew),
        IN(what_is_missing_is_said_and_nothing_changed),
        IN(a_key_of_another_role_is_not_certified),
    };
    return cmocka_run_group_tests_name("certificates end", tests, NULL, NULL);
}
