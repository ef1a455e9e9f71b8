/* The keeper's memory is gone: it releases nothing until two people say from which charter on, and
 * whoever else asks is refused (trust.md section 5). R112. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/model/reset_order.h"
#include "tests/support/deployment.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

enum { SECOND, THIRD, STRANGER, KEYS };

struct loss {
    struct deployment *d;
    struct key *keys[KEYS]; /* beside the deployment's own */
    uint8_t keeper[SHA256_SIZE];
    struct reset_order order; /* to change, sign and give */
};

/* ---- scenery ------------------------------------------------------------------------------ */

static void pin(struct loss *l, int threshold, size_t others)
{
    struct error err = {0};
    OWNED(json_drop) json_t *json = json_object();
    json_t *keys = json_array();
    const struct key *all[] = {l->d->charter_key, l->keys[SECOND], l->keys[THIRD]};
    for (size_t i = 0; i < 1 + others; i++) {
        OWNED(bytes_done) struct bytes pem = {0};
        assert_ok(key_to_public_pem(all[i], &pem, &err));
        json_add_new(keys, json_stringn((const char *)pem.at, pem.len));
    }
    json_put_int(json, "threshold", threshold);
    json_put_new(json, "keys", keys);
    OWNED(mem_drop) char *text = json_print(json);
    OWNED(mem_drop) char *path = scratch_path(l->d->keeper_folder, "signers.json");
    assert_ok(file_write(path, span_of_text(text), 0644, &err));
}

static void restart(struct loss *l)
{
    deployment_stop_keeper(l->d);
    deployment_start_keeper(l->d);
}

static void lose_the_memory(struct loss *l)
{
    OWNED(mem_drop) char *path = scratch_path(l->d->keeper_folder, "state");
    assert_int_equal(unlink(path), 0);
    restart(l);
}

static void read_keeper(struct loss *l)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(cert_drop) struct cert *cert = NULL;
    OWNED(mem_drop) char *path = scratch_path(l->d->keeper_folder, "sign-cert.pem");
    assert_ok(file_read(path, 4096, &pem, &err));
    assert_ok(cert_from_pem(bytes_span(&pem), &cert, &err));
    cert_spki_sha256(cert, l->keeper);
}

static int set_up(void **state)
{
    struct error err = {0};
    struct loss *l = NEW(struct loss);
    void *d = NULL;
    assert_int_equal(deployment_open(&d), 0);
    l->d = d;
    for (size_t i = 0; i < KEYS; i++)
        assert_ok(key_generate(KEY_P256, &l->keys[i], &err));
    read_keeper(l);
    l->order = (struct reset_order){
        .state_reset = 1,
        .realm = REALM_SIMULATION,
        .least_serial = 1,
        .issued = clock_now(),
        .expires = moment_add_seconds(clock_now(), 86400),
    };
    memcpy(l->order.keeper, l->keeper, sizeof l->keeper);
    pin(l, 1, 2);
    lose_the_memory(l);
    *state = l;
    return 0;
}

static int tear_down(void **state)
{
    struct loss *l = *state;
    void *d = l->d;
    for (size_t i = 0; i < KEYS; i++)
        key_free(l->keys[i]);
    free(l);
    return deployment_close(&d);
}

/* The order as it stands, signed as `typ` by two keys; NULL: by one. */
static char *sign_as(const struct loss *l, const char *typ, const struct key *a,
                     const struct key *b)
{
    OWNED(json_drop) json_t *json = record_to_json(&reset_order_record, &l->order);
    return deployment_sign_as(json, typ, a, b);
}

static enum outcome give(struct loss *l, const char *jws, struct error *err)
{
    int64_t least = 0;
    enum outcome outcome = keeper_reset(l->d->keeper, span_of_text(jws), &least, err);
    if (outcome == OK)
        assert_int_equal(least, l->order.least_serial);
    return outcome;
}

static void refused(struct loss *l, const char *jws, const char *code)
{
    struct error err = {0};
    assert_fails(give(l, jws, &err), ERR_DENIED, code);
    OWNED(mem_drop) char *path = scratch_path(l->d->keeper_folder, "state");
    assert_int_not_equal(access(path, F_OK), 0);
}

static void refused_as_it_stands(struct loss *l, const char *code)
{
    OWNED(mem_drop) char *jws = sign_as(l, RESET_ORDER_TYP, l->d->charter_key, l->keys[SECOND]);
    refused(l, jws, code);
}

static void accepted(struct loss *l)
{
    struct error err = {0};
    OWNED(mem_drop) char *jws = sign_as(l, RESET_ORDER_TYP, l->d->charter_key, l->keys[SECOND]);
    assert_ok(give(l, jws, &err));
}

/* ---- who may not -------------------------------------------------------------------------- */

static void one_person_is_not_enough(void **state)
{
    struct loss *l = *state;
    OWNED(mem_drop) char *one = sign_as(l, RESET_ORDER_TYP, l->d->charter_key, NULL);
    refused(l, one, "too-few-signatures");
}

static void a_stranger_is_not_the_second_person(void **state)
{
    struct loss *l = *state;
    OWNED(mem_drop)
    char *jws = sign_as(l, RESET_ORDER_TYP, l->d->charter_key, l->keys[STRANGER]);
    refused(l, jws, "too-few-signatures");
}

/* ECDSA gives another signature each time, so two of one key are two different ones. */
static void one_person_twice_is_one_person(void **state)
{
    struct loss *l = *state;
    OWNED(mem_drop) char *one = sign_as(l, RESET_ORDER_TYP, l->d->charter_key, NULL);
    OWNED(mem_drop) char *again = sign_as(l, RESET_ORDER_TYP, l->d->charter_key, NULL);
    OWNED(json_drop) json_t *set = json_loads(one, 0, NULL);
    OWNED(json_drop) json_t *more = json_loads(again, 0, NULL);
    json_array_extend(json_object_get(set, "signatures"), json_object_get(more, "signatures"));
    OWNED(mem_drop) char *twice = json_print(set);
    refused(l, twice, "too-few-signatures");
}

static void two_signatures_for_a_charter_are_none_for_an_order(void **state)
{
    struct loss *l = *state;
    OWNED(mem_drop) char *jws = sign_as(l, CHARTER_TYP, l->d->charter_key, l->keys[SECOND]);
    refused(l, jws, "token-type");
}

static void an_order_is_no_charter(void **state)
{
    struct loss *l = *state;
    struct error err = {0};
    OWNED(mem_drop) char *jws = sign_as(l, RESET_ORDER_TYP, l->d->charter_key, l->keys[SECOND]);
    accepted(l);
    restart(l);
    struct charter_wish wish = {.jws = jws};
    struct charter_reply reply;
    assert_fails(deployment_ask(l->d, VERB_CHARTER, &charter_wish_record, &wish,
                                &charter_reply_record, &reply, &err),
                 ERR_DENIED, "token-type");
}

static void where_one_key_is_pinned_nobody_can(void **state)
{
    struct loss *l = *state;
    pin(l, 1, 0);
    restart(l);
    refused_as_it_stands(l, "too-few-signers");
}

static void where_a_charter_takes_three_so_does_an_order(void **state)
{
    struct loss *l = *state;
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(l->d->keeper_folder, "charter.jws");
    OWNED(mem_drop) char *three = NULL;
    assert_int_equal(unlink(path), 0); /* signed by one */
    pin(l, 3, 2);
    restart(l);
    refused_as_it_stands(l, "too-few-signatures");
    OWNED(mem_drop) char *two = sign_as(l, RESET_ORDER_TYP, l->d->charter_key, l->keys[SECOND]);
    assert_ok(token_set_sign(span_of_text(two), RESET_ORDER_TYP, l->keys[THIRD], &three, &err));
    assert_ok(give(l, three, &err));
}

static void an_order_changed_after_it_was_signed_is_refused(void **state)
{
    struct loss *l = *state;
    l->order.least_serial = 9;
    OWNED(mem_drop) char *good = sign_as(l, RESET_ORDER_TYP, l->d->charter_key, l->keys[SECOND]);
    l->order.least_serial = 1;
    OWNED(mem_drop) char *lower = sign_as(l, RESET_ORDER_TYP, l->keys[STRANGER], NULL);
    OWNED(json_drop) json_t *set = json_loads(good, 0, NULL);
    OWNED(json_drop) json_t *other = json_loads(lower, 0, NULL);
    json_object_set(set, "payload", json_object_get(other, "payload"));
    OWNED(mem_drop) char *forged = json_print(set);
    refused(l, forged, "bad-signature");
}

static void an_order_counts_for_its_keeper_realm_and_days_only(void **state)
{
    struct loss *l = *state;
    const struct reset_order good = l->order;
    l->order.keeper[0] ^= 1;
    refused_as_it_stands(l, "order-keeper");
    l->order = good;
    l->order.realm = REALM_PRODUCTION;
    refused_as_it_stands(l, "order-realm");
    l->order = good;
    l->order.issued = moment_add_seconds(clock_now(), 3600);
    refused_as_it_stands(l, "order-not-yet-valid");
    l->order = good;
    clock_advance_ms(INT64_C(1000) * 86400);
    refused_as_it_stands(l, "order-expired");
}

static void an_order_for_a_month_is_none(void **state)
{
    struct loss *l = *state;
    struct error err = {0};
    l->order.expires = moment_add_seconds(l->order.issued, INT64_C(86400) * 30);
    OWNED(mem_drop) char *jws = sign_as(l, RESET_ORDER_TYP, l->d->charter_key, l->keys[SECOND]);
    assert_fails(give(l, jws, &err), ERR_INVALID, "bad-order");
}

static void a_memory_that_is_there_is_not_reset(void **state)
{
    struct loss *l = *state;
    struct error err = {0};
    accepted(l);
    restart(l);
    OWNED(mem_drop) char *jws = sign_as(l, RESET_ORDER_TYP, l->d->charter_key, l->keys[SECOND]);
    assert_fails(give(l, jws, &err), ERR_CONFLICT, "state-there");
}

/* ---- and then ----------------------------------------------------------------------------- */

static void after_the_order_and_a_restart_secrets_go_out_again(void **state)
{
    struct loss *l = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(stored_done) struct stored s = {0};
    struct release_reply reply = {0};
    assert_fails(stored_make(l->d, "proven", NULL, &s, &err), ERR_DENIED, "state-missing");
    accepted(l);
    assert_fails(stored_make(l->d, "proven", NULL, &s, &err), ERR_DENIED, "state-missing");
    restart(l);
    assert_ok(guest_attest(l->d, &g, &err));
    assert_ok(stored_make(l->d, "proven", NULL, &s, &err));
    struct release_wish wish = release_wish_of(&g, &s);
    assert_ok(release_ask(l->d, &wish, &reply, &err));
    record_done(&release_reply_record, &reply);
}

static void a_charter_below_the_least_is_gone_and_does_not_come_back(void **state)
{
    struct loss *l = *state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    l->order.least_serial = 4; /* serial 1 is in force */
    accepted(l);
    restart(l);
    assert_fails(guest_challenge(l->d, &g, &challenge, &err), ERR_DENIED, "no-charter");
    assert_fails(deployment_apply(l->d, &err), ERR_DENIED, "charter-serial");
    json_object_set_new(l->d->charter, "serial", json_integer(3));
    assert_fails(deployment_apply(l->d, &err), ERR_DENIED, "charter-serial");
    deployment_raise_serial(l->d);
    assert_ok(deployment_apply(l->d, &err));
    assert_ok(guest_attest(l->d, &g, &err));
}

#define IN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(one_person_is_not_enough),
        IN(a_stranger_is_not_the_second_person),
        IN(one_person_twice_is_one_person),
        IN(two_signatures_for_a_charter_are_none_for_an_order),
        IN(an_order_is_no_charter),
        IN(where_one_key_is_pinned_nobody_can),
        IN(where_a_charter_takes_three_so_does_an_order),
        IN(an_order_changed_after_it_was_signed_is_refused),
        IN(an_order_counts_for_its_keeper_realm_and_days_only),
        IN(an_order_for_a_month_is_none),
        IN(a_memory_that_is_there_is_not_reset),
        IN(after_the_order_and_a_restart_secrets_go_out_again),
        IN(a_charter_below_the_least_is_gone_and_does_not_come_back),
    };
    return cmocka_run_group_tests_name("memory lost", tests, NULL, NULL);
}
