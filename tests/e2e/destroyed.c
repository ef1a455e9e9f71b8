/* Declared destroyed by as many people as sign a charter, a machine or a key gets nothing any more;
 * whoever else declares it is refused (trust.md section 5). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/model/destroy_order.h"
#include "lib/model/reset_order.h"
#include "tests/support/deployment.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

enum { SECOND, STRANGER, KEYS };

struct ruin {
    struct deployment *d;
    struct key *keys[KEYS]; /* beside the deployment's own */
    struct guest guest;
    struct stored secret;
    char *anchor; /* of the guest, in hex */
    char *link_key;
    struct destroy_order order; /* to change, sign and give */
};

/* ---- scenery ------------------------------------------------------------------------------ */

static void pin(struct ruin *r, int threshold)
{
    struct error err = {0};
    OWNED(json_drop) json_t *json = json_object();
    json_t *keys = json_array();
    const struct key *all[] = {r->d->charter_key, r->keys[SECOND]};
    for (size_t i = 0; i < countof(all); i++) {
        OWNED(bytes_done) struct bytes pem = {0};
        assert_ok(key_to_public_pem(all[i], &pem, &err));
        json_add_new(keys, json_stringn((const char *)pem.at, pem.len));
    }
    json_put_int(json, "threshold", threshold);
    json_put_new(json, "keys", keys);
    OWNED(mem_drop) char *text = json_print(json);
    OWNED(mem_drop) char *path = scratch_path(r->d->keeper_folder, "signers.json");
    assert_ok(file_write(path, span_of_text(text), 0644, &err));
}

static void restart(struct ruin *r)
{
    deployment_stop_keeper(r->d);
    deployment_start_keeper(r->d);
}

static void read_keeper(struct ruin *r)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(cert_drop) struct cert *cert = NULL;
    OWNED(mem_drop) char *path = scratch_path(r->d->keeper_folder, "sign-cert.pem");
    assert_ok(file_read(path, 4096, &pem, &err));
    assert_ok(cert_from_pem(bytes_span(&pem), &cert, &err));
    cert_spki_sha256(cert, r->order.keeper);
}

static void name(struct ruin *r, const char *anchor, const char *guest_key)
{
    json_decref(r->order.anchors);
    json_decref(r->order.guest_keys);
    r->order.anchors = anchor != NULL ? json_pack("[s]", anchor) : json_array();
    r->order.guest_keys = guest_key != NULL ? json_pack("[s]", guest_key) : json_array();
}

static char *claim(const struct ruin *r, const char *word)
{
    const char *value = json_string_value(json_object_get(r->guest.verdict.claims, word));
    assert_non_null(value);
    return mem_text(value);
}

static int set_up(void **state)
{
    struct error err = {0};
    struct ruin *r = NEW(struct ruin);
    void *d = NULL;
    assert_int_equal(deployment_open(&d), 0);
    r->d = d;
    for (size_t i = 0; i < KEYS; i++)
        assert_ok(key_generate(KEY_P256, &r->keys[i], &err));
    r->guest = guest_make(PSP_DIRECT_BOOT, 5);
    assert_ok(guest_attest(r->d, &r->guest, &err));
    assert_ok(stored_make(r->d, "proven", NULL, &r->secret, &err));
    r->anchor = claim(r, "anchor");
    r->link_key = claim(r, "link_key");
    r->order = (struct destroy_order){
        .destroy = 1,
        .realm = REALM_SIMULATION,
        .issued = clock_now(),
        .expires = moment_add_seconds(clock_now(), 86400),
    };
    read_keeper(r);
    name(r, r->anchor, NULL);
    pin(r, 1);
    restart(r);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct ruin *r = *state;
    void *d = r->d;
    for (size_t i = 0; i < KEYS; i++)
        key_free(r->keys[i]);
    guest_done(&r->guest);
    stored_done(&r->secret);
    record_done(&destroy_order_record, &r->order);
    free(r->anchor);
    free(r->link_key);
    free(r);
    return deployment_close(&d);
}

/* The order as it stands, signed as `typ` by one or two keys. */
static char *sign_as(const struct ruin *r, const char *typ, const struct key *a,
                     const struct key *b)
{
    OWNED(json_drop) json_t *json = record_to_json(&destroy_order_record, &r->order);
    return deployment_sign_as(json, typ, a, b);
}

static enum outcome release(struct ruin *r, struct error *err)
{
    struct release_reply reply = {0};
    struct release_wish wish = release_wish_of(&r->guest, &r->secret);
    enum outcome outcome = release_ask(r->d, &wish, &reply, err);
    record_done(&release_reply_record, &reply);
    return outcome;
}

static void still_gets_its_secret(struct ruin *r)
{
    struct error err = {0};
    assert_ok(release(r, &err));
}

static void gets_nothing(struct ruin *r)
{
    struct error err = {0};
    assert_fails(release(r, &err), ERR_DENIED, "anchor-destroyed");
}

/* Not of what it proved either, to anybody. */
static void gets_no_passport(struct ruin *r)
{
    struct error err = {0};
    struct passport_reply reply = {0};
    struct passport_wish wish = {
        .instance = r->guest.instance, .relying_party = "vault", .token = r->guest.token};
    assert_fails(deployment_ask(r->d, VERB_PASSPORT, &passport_wish_record, &wish,
                                &passport_reply_record, &reply, &err),
                 ERR_INVALID, "missing-member");
    assert_ok(key_to_spki(r->guest.link_key, &wish.link_key, &err));
    wish.nonce[0] = 1;
    assert_fails(deployment_ask(r->d, VERB_PASSPORT, &passport_wish_record, &wish,
                                &passport_reply_record, &reply, &err),
                 ERR_DENIED, "anchor-destroyed");
    bytes_done(&wish.link_key);
}

static void refused(struct ruin *r, const char *jws, enum outcome outcome, const char *code)
{
    struct error err = {0};
    struct destroyed done;
    assert_fails(keeper_destroy(r->d->keeper, span_of_text(jws), &done, &err), outcome, code);
    assert_int_equal(done.now, 0);
    still_gets_its_secret(r);
    restart(r);
    still_gets_its_secret(r);
}

static void refused_as_it_stands(struct ruin *r, enum outcome outcome, const char *code)
{
    OWNED(mem_drop) char *jws = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, NULL);
    refused(r, jws, outcome, code);
}

static void obeyed(struct ruin *r, const char *jws, int64_t now, int64_t before)
{
    struct error err = {0};
    struct destroyed done;
    assert_ok(keeper_destroy(r->d->keeper, span_of_text(jws), &done, &err));
    assert_int_equal(done.now, now);
    assert_int_equal(done.before, before);
}

/* ---- who may not -------------------------------------------------------------------------- */

static void a_stranger_destroys_nothing(void **state)
{
    struct ruin *r = *state;
    OWNED(mem_drop) char *jws = sign_as(r, DESTROY_ORDER_TYP, r->keys[STRANGER], NULL);
    refused(r, jws, ERR_DENIED, "too-few-signatures");
}

static void where_a_charter_takes_two_so_does_an_order(void **state)
{
    struct ruin *r = *state;
    struct error err = {0};
    OWNED(mem_drop) char *one = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, NULL);
    OWNED(mem_drop)
    char *stranger = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, r->keys[STRANGER]);
    OWNED(mem_drop)
    char *two = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, r->keys[SECOND]);
    OWNED(mem_drop) char *path = scratch_path(r->d->keeper_folder, "charter.jws");
    struct destroyed done;
    assert_int_equal(unlink(path), 0); /* signed by one; destroying needs no charter */
    pin(r, 2);
    restart(r);
    assert_fails(keeper_destroy(r->d->keeper, span_of_text(one), &done, &err), ERR_DENIED,
                 "too-few-signatures");
    assert_fails(keeper_destroy(r->d->keeper, span_of_text(stranger), &done, &err), ERR_DENIED,
                 "too-few-signatures");
    assert_int_equal(done.now, 0);
    obeyed(r, two, 1, 0);
}

static void one_person_twice_is_one_person(void **state)
{
    struct ruin *r = *state;
    struct error err = {0};
    struct destroyed done;
    OWNED(mem_drop) char *one = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, NULL);
    OWNED(mem_drop) char *again = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, NULL);
    OWNED(json_drop) json_t *set = json_loads(one, 0, NULL);
    OWNED(json_drop) json_t *more = json_loads(again, 0, NULL);
    OWNED(mem_drop) char *path = scratch_path(r->d->keeper_folder, "charter.jws");
    json_array_extend(json_object_get(set, "signatures"), json_object_get(more, "signatures"));
    OWNED(mem_drop) char *twice = json_print(set);
    assert_int_equal(unlink(path), 0);
    pin(r, 2);
    restart(r);
    assert_fails(keeper_destroy(r->d->keeper, span_of_text(twice), &done, &err), ERR_DENIED,
                 "too-few-signatures");
}

static void a_signature_for_something_else_is_none_for_this(void **state)
{
    struct ruin *r = *state;
    OWNED(mem_drop) char *charter = sign_as(r, CHARTER_TYP, r->d->charter_key, NULL);
    OWNED(mem_drop) char *reset = sign_as(r, RESET_ORDER_TYP, r->d->charter_key, NULL);
    refused(r, charter, ERR_DENIED, "token-type");
    refused(r, reset, ERR_DENIED, "token-type");
}

static void an_order_is_neither_a_charter_nor_a_reset(void **state)
{
    struct ruin *r = *state;
    struct error err = {0};
    OWNED(mem_drop)
    char *jws = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, r->keys[SECOND]);
    struct charter_wish wish = {.jws = jws};
    struct charter_reply reply;
    int64_t least = 0;
    assert_fails(deployment_ask(r->d, VERB_CHARTER, &charter_wish_record, &wish,
                                &charter_reply_record, &reply, &err),
                 ERR_DENIED, "token-type");
    OWNED(mem_drop) char *path = scratch_path(r->d->keeper_folder, "state");
    assert_int_equal(unlink(path), 0);
    restart(r);
    assert_fails(keeper_reset(r->d->keeper, span_of_text(jws), &least, &err), ERR_DENIED,
                 "token-type");
}

static void an_order_changed_after_it_was_signed_is_refused(void **state)
{
    struct ruin *r = *state;
    OWNED(mem_drop) char *good = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, NULL);
    name(r, NULL, r->link_key);
    OWNED(mem_drop) char *other = sign_as(r, DESTROY_ORDER_TYP, r->keys[STRANGER], NULL);
    OWNED(json_drop) json_t *set = json_loads(good, 0, NULL);
    OWNED(json_drop) json_t *more = json_loads(other, 0, NULL);
    json_object_set(set, "payload", json_object_get(more, "payload"));
    OWNED(mem_drop) char *forged = json_print(set);
    refused(r, forged, ERR_DENIED, "bad-signature");
}

static void an_order_counts_for_its_keeper_realm_and_days_only(void **state)
{
    struct ruin *r = *state;
    struct error err = {0};
    struct destroyed done;
    r->order.keeper[0] ^= 1;
    refused_as_it_stands(r, ERR_DENIED, "order-keeper");
    r->order.keeper[0] ^= 1;
    r->order.realm = REALM_PRODUCTION;
    refused_as_it_stands(r, ERR_DENIED, "order-realm");
    r->order.realm = REALM_SIMULATION;
    const struct moment issued = r->order.issued;
    r->order.issued = moment_add_seconds(clock_now(), 3600);
    refused_as_it_stands(r, ERR_DENIED, "order-not-yet-valid");
    r->order.issued = issued;
    OWNED(mem_drop) char *late = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, NULL);
    clock_advance_ms(INT64_C(2) * 86400 * 1000);
    assert_fails(keeper_destroy(r->d->keeper, span_of_text(late), &done, &err), ERR_DENIED,
                 "order-expired");
}

static void an_order_that_names_nothing_or_everybody_is_none(void **state)
{
    struct ruin *r = *state;
    static const char zero[] = "0000000000000000000000000000000000000000000000000000000000000000";
    name(r, NULL, NULL);
    refused_as_it_stands(r, ERR_INVALID, "bad-order");
    name(r, zero, NULL); /* what every guest without an anchor shows */
    refused_as_it_stands(r, ERR_INVALID, "bad-order");
    name(r, r->anchor, "12ab");
    refused_as_it_stands(r, ERR_INVALID, "bad-order");
    json_decref(r->order.anchors);
    r->order.anchors = json_pack("{s:i}", r->anchor, 1);
    refused_as_it_stands(r, ERR_INVALID, "bad-order");
    name(r, NULL, NULL);
    for (int i = 0; i <= DESTROY_ORDER_MOST; i++)
        json_array_append_new(r->order.anchors, json_string(r->anchor));
    refused_as_it_stands(r, ERR_INVALID, "bad-order");
    name(r, r->anchor, NULL);
    r->order.expires = moment_add_seconds(r->order.issued, INT64_C(86400) * 30);
    refused_as_it_stands(r, ERR_INVALID, "bad-order");
}

/* ---- and who may -------------------------------------------------------------------------- */

static void a_destroyed_machine_gets_nothing_whatever_comes_after(void **state)
{
    struct ruin *r = *state;
    struct error err = {0};
    OWNED(mem_drop) char *jws = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, NULL);
    still_gets_its_secret(r);
    obeyed(r, jws, 1, 0);
    gets_nothing(r);
    gets_no_passport(r);
    restart(r);
    gets_nothing(r);
    assert_ok(guest_attest(r->d, &r->guest, &err));
    assert_string_equal(json_string_value(json_object_get(r->guest.verdict.claims, "reason")),
                        "anchor-destroyed");
    deployment_raise_serial(r->d);
    assert_ok(deployment_apply(r->d, &err)); /* a charter that says nothing of it */
    gets_nothing(r);
    OWNED(guest_done) struct guest other = guest_make(PSP_DIRECT_BOOT, 6);
    assert_ok(guest_attest(r->d, &other, &err));
    struct release_reply reply = {0};
    struct release_wish wish = release_wish_of(&other, &r->secret);
    assert_ok(release_ask(r->d, &wish, &reply, &err));
    record_done(&release_reply_record, &reply);
}

static void so_does_a_destroyed_key_and_its_machine_comes_back_with_another(void **state)
{
    struct ruin *r = *state;
    struct error err = {0};
    name(r, NULL, r->link_key);
    OWNED(mem_drop) char *jws = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, NULL);
    obeyed(r, jws, 1, 0);
    gets_nothing(r);
    OWNED(guest_done) struct guest booted = guest_make(PSP_DIRECT_BOOT, 5);
    assert_ok(guest_attest(r->d, &booted, &err));
    struct release_reply reply = {0};
    struct release_wish wish = release_wish_of(&booted, &r->secret);
    assert_ok(release_ask(r->d, &wish, &reply, &err));
    record_done(&release_reply_record, &reply);
}

static void the_same_order_again_changes_nothing(void **state)
{
    struct ruin *r = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes before = {0};
    OWNED(bytes_done) struct bytes after = {0};
    OWNED(mem_drop) char *path = scratch_path(r->d->keeper_folder, "state");
    name(r, r->anchor, r->link_key);
    json_array_append_new(r->order.anchors, json_string(r->anchor));
    OWNED(mem_drop) char *jws = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, NULL);
    obeyed(r, jws, 2, 1);
    assert_ok(file_read(path, 65536, &before, &err));
    obeyed(r, jws, 0, 3);
    restart(r);
    obeyed(r, jws, 0, 3);
    assert_ok(file_read(path, 65536, &after, &err));
    assert_true(span_equal(bytes_span(&before), bytes_span(&after)));
}

static void without_a_memory_nothing_is_destroyed(void **state)
{
    struct ruin *r = *state;
    struct error err = {0};
    struct destroyed done;
    OWNED(mem_drop) char *jws = sign_as(r, DESTROY_ORDER_TYP, r->d->charter_key, NULL);
    OWNED(mem_drop) char *path = scratch_path(r->d->keeper_folder, "state");
    assert_int_equal(unlink(path), 0);
    assert_fails(keeper_destroy(r->d->keeper, span_of_text(jws), &done, &err), ERR_DENIED,
                 "state-missing");
    restart(r);
    assert_fails(keeper_destroy(r->d->keeper, span_of_text(jws), &done, &err), ERR_DENIED,
                 "state-missing");
}

#define IN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(a_stranger_destroys_nothing),
        IN(where_a_charter_takes_two_so_does_an_order),
        IN(one_person_twice_is_one_person),
        IN(a_signature_for_something_else_is_none_for_this),
        IN(an_order_is_neither_a_charter_nor_a_reset),
        IN(an_order_changed_after_it_was_signed_is_refused),
        IN(an_order_counts_for_its_keeper_realm_and_days_only),
        IN(an_order_that_names_nothing_or_everybody_is_none),
        IN(a_destroyed_machine_gets_nothing_whatever_comes_after),
        IN(so_does_a_destroyed_key_and_its_machine_comes_back_with_another),
        IN(the_same_order_again_changes_nothing),
        IN(without_a_memory_nothing_is_destroyed),
    };
    return cmocka_run_group_tests_name("destroyed", tests, NULL, NULL);
}
