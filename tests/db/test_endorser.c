/* Fetching endorsements from a service that behaves, and from one that does not; and what that
 * means for machines that are trusted already. The service, the keeper and the hardware are the
 * simulator's, the database is real, the clock is the test's. */
#include "controller/endorser.h"

#include <stdlib.h>
#include <string.h>

#include "controller/endorsing.h"
#include "emulator/kds_face.h"
#include "lib/base/metrics.h"
#include "lib/crypto/x509_make.h"
#include "tests/support/database.h"
#include "tests/support/deployment.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static struct db *db;
static struct deployment *d;
static struct kds_face kds;
static struct face *face;
static char url[64];
static char *roots_file;
static struct endorser *endorser;

static void serve(void *context, const struct face_request *request, struct face_answer *out)
{
    kds_face_answer(context, request, out);
}

static void open_endorser(const char *base_url)
{
    struct error err = {0};
    const struct endorser_settings settings = {
        .database = database_url(), .base_url = base_url, .roots_file = roots_file};
    endorser_close(endorser);
    assert_ok(endorser_open(&settings, &endorser, &err));
}

static int open_all(void **state)
{
    struct error err = {0};
    int64_t port;
    void *made = NULL;
    (void)state;
    if (deployment_open(&made) != 0)
        return 1;
    d = made;
    db = database_open();
    kds_face_init(&kds, d->psp);
    assert_ok(face_open(0, serve, &kds, &face, &port, &err));
    snprintf(url, sizeof url, "http://127.0.0.1:%lld", (long long)port);
    roots_file = scratch_path(d->folder, "simulator.pem");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    void *made = d;
    endorser_close(TAKE(endorser));
    face_close(face);
    kds_face_done(&kds);
    db_close(db);
    free(roots_file);
    return deployment_close(&made);
}

static void set_mode(const char *word, int64_t delay_ms, int64_t retry_after)
{
    struct error err = {0};
    OWNED(json_drop) json_t *wish = json_object();
    json_put_text(wish, "mode", word);
    json_put_int(wish, "delay_ms", delay_ms);
    json_put_int(wish, "retry_after_seconds", retry_after);
    assert_ok(kds_face_set(&kds, wish, &err));
}

static int start_anew(void **state)
{
    (void)state;
    struct error err = {0};
    set_mode("well", 0, 0);
    kds.asked = kds.answered = 0;
    assert_ok(db_script(db, "TRUNCATE endorsements, endorsement_misses", &err));
    open_endorser(url);
    return 0;
}

/* ---- asking -----------------------------------------------------------------------------------
 */

struct answer {
    int times;
    enum outcome outcome;
    struct error why;
};

static void answered(void *context, enum outcome outcome, const struct error *why)
{
    struct answer *answer = context;
    answer->times++;
    answer->outcome = outcome;
    if (outcome != OK)
        answer->why = *why;
}

static struct guest make_guest(uint8_t chip)
{
    struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    memset(g.wish.chip_id, chip, sizeof g.wish.chip_id);
    return g;
}

/* The VCEK of a chip that has signed once. */
static struct kds_item item_of(uint8_t chip)
{
    struct error err = {0};
    struct snp_report report;
    struct kds_item item;
    struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
    OWNED(bytes_done) struct bytes raw = {0};
    memset(wish.chip_id, chip, sizeof wish.chip_id);
    assert_ok(psp_report(d->psp, &wish, &raw, NULL, &err));
    assert_ok(snp_report_read(bytes_span(&raw), &report, &err));
    assert_true(kds_vcek_of(&report, report.reported_tcb, &item));
    return item;
}

static void want(const struct kds_item *item, struct answer *answer)
{
    *answer = (struct answer){0};
    endorser_want(endorser, item, 1, ENDORSER_WAIT_MS, answered, answer);
}

/* Steps, and moves the clock when there is nothing to do, for so long. */
static void pass(int64_t ms)
{
    while (ms > 0) {
        int64_t wait_ms = endorser_step(endorser);
        if (wait_ms > ms)
            wait_ms = ms;
        clock_advance_ms(wait_ms);
        ms -= wait_ms;
    }
    endorser_step(endorser);
}

static bool is_kept(const struct kds_item *item)
{
    struct error err = {0};
    bool there = false;
    char name[KDS_NAME_SIZE];
    kds_name(item, name);
    assert_ok(endorsement_store_has(db, name, &there, &err));
    return there;
}

static void a_key_is_fetched_once_for_all_who_wait_and_then_never_again(void **state)
{
    (void)state;
    struct answer first, second, third;
    const struct kds_item item = item_of(1);
    want(&item, &first);
    want(&item, &second);
    pass(1000);
    assert_int_equal(first.times, 1);
    assert_int_equal(second.times, 1);
    assert_int_equal(first.outcome, OK);
    assert_int_equal(second.outcome, OK);
    assert_true(is_kept(&item));
    assert_int_equal(kds.asked, 2); /* the chain came first */
    want(&item, &third);
    pass(1000);
    assert_int_equal(third.times, 1);
    assert_int_equal(kds.asked, 2);
}

static void the_service_is_asked_no_faster_than_it_bears(void **state)
{
    (void)state;
    struct answer answers[40] = {0};
    for (size_t i = 0; i < countof(answers); i++) {
        const struct kds_item item = item_of((uint8_t)(100 + i));
        want(&item, &answers[i]);
    }
    pass(10000);
    assert_true(kds.asked <= 4 + 10000 / 2500 + 1);
    pass(100000);
    assert_true(kds.asked >= 40);
    for (size_t i = 0; i < countof(answers); i++)
        assert_int_equal(answers[i].times, 1);
}

static void a_throttling_service_is_let_alone_as_long_as_it_says(void **state)
{
    (void)state;
    struct answer answer, later;
    const struct kds_item item = item_of(2);
    set_mode("429", 0, 600);
    want(&item, &answer);
    pass(30000);
    assert_int_equal(kds.asked, 1);
    assert_int_equal(answer.outcome, ERR_UNREACHABLE);
    assert_string_equal(answer.why.code, "endorsement-unavailable");
    set_mode("well", 0, 0);
    pass(500000);
    assert_int_equal(kds.asked, 1);
    pass(80000);
    assert_true(is_kept(&item)); /* nobody waited any longer, and still it was fetched */
    want(&item, &later);
    pass(1000);
    assert_int_equal(later.outcome, OK);
}

static void a_broken_or_dark_service_is_asked_less_and_less(void **state)
{
    (void)state;
    static const char *const modes[] = {"500", "dark"};
    for (size_t i = 0; i < countof(modes); i++) {
        struct answer answer;
        start_anew(NULL);
        const struct kds_item item = item_of((uint8_t)(3 + i));
        set_mode(modes[i], 0, 0);
        want(&item, &answer);
        pass(3600000);
        assert_int_equal(answer.times, 1);
        assert_string_equal(answer.why.code, "endorsement-unavailable");
        assert_in_range(kds.asked, 2, 16);
        assert_false(is_kept(&item));
    }
}

static void a_slow_service_is_waited_for(void **state)
{
    (void)state;
    struct answer answer;
    const struct kds_item item = item_of(6);
    set_mode("slow", 100, 0);
    want(&item, &answer);
    pass(1000);
    assert_int_equal(answer.outcome, OK);
    assert_true(is_kept(&item));
}

static void a_wrong_certificate_is_not_kept_and_not_asked_for_again_at_once(void **state)
{
    (void)state;
    struct answer chain, answer, again;
    const struct kds_item item = item_of(7);
    const struct kds_item above = kds_chain_of(LINE_MILAN, SIGNER_VCEK);
    want(&above, &chain);
    pass(1000);
    assert_int_equal(chain.outcome, OK);
    set_mode("wrong-certificate", 0, 0);
    want(&item, &answer);
    pass(1000);
    assert_int_equal(answer.outcome, ERR_DENIED);
    assert_string_equal(answer.why.code, "endorsement-wrong");
    assert_false(is_kept(&item));
    const int64_t asked = kds.asked;
    want(&item, &again);
    pass(1000);
    assert_string_equal(again.why.code, "endorsement-wrong");
    assert_int_equal(kds.asked, asked);
    set_mode("well", 0, 0);
    pass(600000);
    want(&item, &again);
    pass(1000);
    assert_int_equal(again.outcome, OK);
}

static void a_foreign_chain_is_not_kept(void **state)
{
    (void)state;
    struct answer answer;
    const struct kds_item item = item_of(8);
    const struct kds_item above = kds_chain_of(LINE_MILAN, SIGNER_VCEK);
    set_mode("wrong-certificate", 0, 0);
    want(&item, &answer);
    pass(1000);
    assert_int_equal(answer.outcome, ERR_DENIED);
    assert_string_equal(answer.why.code, "endorsement-untrusted");
    assert_false(is_kept(&above));
}

static void what_the_maker_does_not_have_is_remembered(void **state)
{
    (void)state;
    struct answer answer;
    struct kds_item item = item_of(9);
    item.hwid[0] = 0xee;
    want(&item, &answer);
    pass(1000);
    assert_int_equal(answer.outcome, ERR_NOT_FOUND);
    assert_string_equal(answer.why.code, "endorsement-missing");
    const int64_t asked = kds.asked;
    open_endorser(url); /* also by the next controller */
    want(&item, &answer);
    pass(1000);
    assert_int_equal(answer.outcome, ERR_NOT_FOUND);
    pass(1000);
    assert_true(kds.asked <= asked + 1); /* the list of the line, perhaps */
}

static void switched_off_it_asks_nobody_and_takes_imports(void **state)
{
    (void)state;
    struct error err = {0};
    struct answer answer;
    const struct kds_item item = item_of(10);
    const struct kds_item above = kds_chain_of(LINE_MILAN, SIGNER_VCEK);
    OWNED(bytes_done) struct bytes vcek = {0};
    OWNED(bytes_done) struct bytes chain = {0};
    open_endorser(ENDORSEMENTS_OFF);
    want(&item, &answer);
    pass(5000);
    assert_string_equal(answer.why.code, "endorsement-unavailable");
    assert_int_equal(kds.asked, 0);
    assert_ok(psp_vcek(d->psp, LINE_MILAN, item.hwid, item.tcb, &vcek, &err));
    pem_add_certificate(&chain, psp_ca(d->psp, LINE_MILAN, SIGNER_VCEK));
    pem_add_certificate(&chain, psp_ark(d->psp, LINE_MILAN));
    const struct snp_roots *roots = endorser_roots(endorser);
    assert_fails(endorsement_take(db, roots, &item, bytes_span(&vcek), FROM_IMPORT, &err),
                 ERR_CONFLICT, "endorsement-chain-missing");
    assert_ok(endorsement_take(db, roots, &above, bytes_span(&chain), FROM_IMPORT, &err));
    assert_ok(endorsement_take(db, roots, &item, bytes_span(&vcek), FROM_IMPORT, &err));
    want(&item, &answer);
    pass(1000);
    assert_int_equal(answer.outcome, OK);
}

static void lists_are_looked_at_daily_and_one_that_grows_old_is_told(void **state)
{
    (void)state;
    struct answer answer;
    const struct kds_item above = kds_chain_of(LINE_MILAN, SIGNER_VCEK);
    const struct kds_item crl = kds_crl_of(LINE_MILAN);
    want(&above, &answer);
    pass(180000);
    assert_true(is_kept(&crl));
    assert_int_equal(metric_get(METRIC_CRL_STALE), 0);
    const int64_t asked = kds.asked;
    pass(23 * 3600000);
    assert_int_equal(kds.asked, asked);
    pass(2 * 3600000);
    assert_int_equal(kds.asked, asked + 1);
    set_mode("dark", 0, 0);
    clock_advance_ms(INT64_C(31) * 86400000);
    pass(120000);
    assert_int_equal(metric_get(METRIC_CRL_STALE), 1);
    assert_true(metric_get(METRIC_CRL_AGE) > 31 * 86400);
}

/* ---- evidence ---------------------------------------------------------------------------------
 */

static void strip(struct bytes *evidence)
{
    struct error err = {0};
    OWNED(json_drop) json_t *object = NULL;
    assert_ok(json_parse(bytes_span(evidence), EVIDENCE_BYTES_MAX, &object, &err));
    json_object_del(object, "cert_table");
    OWNED(mem_drop) char *text = json_print(object);
    bytes_done(evidence);
    bytes_add(evidence, span_of_text(text));
}

static void complete(const struct bytes *evidence, struct endorsing *out)
{
    struct error err = {0};
    assert_ok(endorsing_complete(db, endorser_roots(endorser), bytes_span(evidence), out, &err));
}

/* As the desk does it: from the cache, else from the service, then to the keeper. */
static void attest_bare(struct guest *g, const char *verdict)
{
    struct error err = {0};
    struct challenge challenge;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(endorsing_done) struct endorsing e = {0};
    assert_ok(guest_challenge(d, g, &challenge, &err));
    guest_evidence(d, g, &challenge, &evidence);
    strip(&evidence);
    complete(&evidence, &e);
    if (e.wanted_count > 0) {
        struct answer answer = {0};
        endorser_want(endorser, e.wanted, e.wanted_count, ENDORSER_WAIT_MS, answered, &answer);
        pass(20000);
        assert_int_equal(answer.times, 1);
        endorsing_done(&e);
        complete(&evidence, &e);
    }
    assert_ok(guest_appraise(d, g, &challenge, &e.evidence, &err));
    assert_string_equal(json_string_value(json_object_get(g->verdict.claims, "verdict")), verdict);
}

static void evidence_without_certificates_is_made_whole(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = make_guest(20);
    attest_bare(&g, "trusted");
    assert_int_equal(kds.answered, 3); /* chain, key and list */
}

static void what_the_evidence_brought_itself_comes_first(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = make_guest(21);
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(endorsing_done) struct endorsing e = {0};
    assert_ok(guest_challenge(d, &g, &challenge, &err));
    guest_evidence(d, &g, &challenge, &evidence);
    complete(&evidence, &e);
    assert_false(e.essential);
    assert_int_equal(e.wanted_count, 1); /* the list */
    assert_true(span_equal(bytes_span(&e.evidence), bytes_span(&evidence)));
    assert_int_equal(kds.asked, 0);
}

/* A host may hand out what it had before its last update. */
static void a_table_with_the_key_of_another_tcb_counts_as_none(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = make_guest(22);
    OWNED(guest_done) struct guest old = make_guest(22);
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(bytes_done) struct bytes stale = {0};
    OWNED(json_drop) json_t *mine = NULL;
    OWNED(json_drop) json_t *theirs = NULL;
    OWNED(endorsing_done) struct endorsing e = {0};
    old.wish.tcb.part[TCB_SNP]--;
    assert_ok(guest_challenge(d, &old, &challenge, &err));
    guest_evidence(d, &old, &challenge, &stale);
    assert_ok(guest_challenge(d, &g, &challenge, &err));
    guest_evidence(d, &g, &challenge, &evidence);
    assert_ok(json_parse(bytes_span(&evidence), EVIDENCE_BYTES_MAX, &mine, &err));
    assert_ok(json_parse(bytes_span(&stale), EVIDENCE_BYTES_MAX, &theirs, &err));
    json_object_set(mine, "cert_table", json_object_get(theirs, "cert_table"));
    OWNED(mem_drop) char *text = json_print(mine);
    bytes_done(&evidence);
    bytes_add(&evidence, span_of_text(text));
    complete(&evidence, &e);
    assert_true(e.essential);
    assert_int_equal(e.wanted[0].what, KDS_VCEK);
    struct answer answer = {0};
    endorser_want(endorser, e.wanted, e.wanted_count, ENDORSER_WAIT_MS, answered, &answer);
    pass(10000);
    endorsing_done(&e);
    complete(&evidence, &e);
    assert_ok(guest_appraise(d, &g, &challenge, &e.evidence, &err));
    assert_string_equal(json_string_value(json_object_get(g.verdict.claims, "verdict")), "trusted");
}

static void the_key_of_a_coming_tcb_is_there_before_it_is_reported(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = make_guest(23);
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(endorsing_done) struct endorsing e = {0};
    g.wish.coming = 2;
    assert_ok(guest_challenge(d, &g, &challenge, &err));
    guest_evidence(d, &g, &challenge, &evidence);
    complete(&evidence, &e);
    assert_true(e.is_coming);
    endorser_prefetch(endorser, &e.coming);
    pass(10000);
    set_mode("dark", 0, 0);
    g.wish.tcb.part[TCB_SNP] += 2;
    g.wish.coming = 0;
    attest_bare(&g, "trusted");
}

static void other_realms_and_what_cannot_be_read_go_on_as_they_came(void **state)
{
    (void)state;
    struct error err = {0};
    static const char *const texts[] = {"", "{}", "not json",
                                        "{\"kind\":\"snp\",\"report\":\"AAAA\"}",
                                        "{\"kind\":\"simulated\",\"report\":\"AAAA\"}"};
    for (size_t i = 0; i < countof(texts); i++) {
        OWNED(endorsing_done) struct endorsing e = {0};
        assert_ok(
            endorsing_complete(db, endorser_roots(endorser), span_of_text(texts[i]), &e, &err));
        assert_true(span_equal(bytes_span(&e.evidence), span_of_text(texts[i])));
        assert_int_equal(e.wanted_count, 0);
    }
}

/* The issue's own words: an outage never turns a running trusted machine with cached endorsements
 * into a rejected one. */
static void six_hours_of_darkness_reject_nobody_who_was_trusted(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = make_guest(24);
    attest_bare(&g, "trusted");
    set_mode("dark", 0, 0);
    const int64_t answered_before = kds.answered;
    for (int minutes = 0; minutes < 6 * 60; minutes += 10) {
        pass(600000);
        attest_bare(&g, "trusted");
        if (minutes % 60 == 0)
            open_endorser(url); /* a restart forgets nothing */
    }
    assert_int_equal(kds.answered, answered_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_key_is_fetched_once_for_all_who_wait_and_then_never_again,
                               start_anew),
        cmocka_unit_test_setup(the_service_is_asked_no_faster_than_it_bears, start_anew),
        cmocka_unit_test_setup(a_throttling_service_is_let_alone_as_long_as_it_says, start_anew),
        cmocka_unit_test_setup(a_broken_or_dark_service_is_asked_less_and_less, start_anew),
        cmocka_unit_test_setup(a_slow_service_is_waited_for, start_anew),
        cmocka_unit_test_setup(a_wrong_certificate_is_not_kept_and_not_asked_for_again_at_once,
                               start_anew),
        cmocka_unit_test_setup(a_foreign_chain_is_not_kept, start_anew),
        cmocka_unit_test_setup(what_the_maker_does_not_have_is_remembered, start_anew),
        cmocka_unit_test_setup(switched_off_it_asks_nobody_and_takes_imports, start_anew),
        cmocka_unit_test_setup(evidence_without_certificates_is_made_whole, start_anew),
        cmocka_unit_test_setup(what_the_evidence_brought_itself_comes_first, start_anew),
        cmocka_unit_test_setup(a_table_with_the_key_of_another_tcb_counts_as_none, start_anew),
        cmocka_unit_test_setup(the_key_of_a_coming_tcb_is_there_before_it_is_reported, start_anew),
        cmocka_unit_test_setup(other_realms_and_what_cannot_be_read_go_on_as_they_came, start_anew),
        cmocka_unit_test_setup(six_hours_of_darkness_reject_nobody_who_was_trusted, start_anew),
        cmocka_unit_test_setup(lists_are_looked_at_daily_and_one_that_grows_old_is_told,
                               start_anew),
    };
    return cmocka_run_group_tests_name("endorser", tests, open_all, close_all);
}
