/* Fetching endorsements from a service that behaves, and from one that does not. */
#include "controller/endorser.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "lib/base/metrics.h"
#include "lib/crypto/x509_make.h"
#include "tests/support/fake_http.h"
#include "tests/support/kds_world.h"
#include "tests/support/test.h"

static void a_key_is_fetched_once_for_all_who_wait_and_then_never_again(void **state)
{
    (void)state;
    struct kds_answer first, second, third;
    const struct kds_item item = kds_world_item(1);
    kds_world_want(&item, &first);
    kds_world_want(&item, &second);
    kds_world_pass(1000);
    assert_int_equal(first.times, 1);
    assert_int_equal(second.times, 1);
    assert_int_equal(first.outcome, OK);
    assert_int_equal(second.outcome, OK);
    assert_true(kds_world_keeps(&item));
    assert_int_equal(kds_world_asked(), 2); /* the chain came first */
    kds_world_want(&item, &third);
    kds_world_pass(1000);
    assert_int_equal(third.times, 1);
    assert_int_equal(kds_world_asked(), 2);
}

static void the_service_is_asked_no_faster_than_it_bears(void **state)
{
    (void)state;
    struct kds_answer answers[40] = {0};
    for (size_t i = 0; i < countof(answers); i++) {
        const struct kds_item item = kds_world_item((uint8_t)(100 + i));
        kds_world_want(&item, &answers[i]);
    }
    kds_world_pass(10000);
    assert_true(kds_world_asked() <= 4 + 10000 / 2500 + 1);
    kds_world_pass(100000);
    assert_true(kds_world_asked() >= 40);
    for (size_t i = 0; i < countof(answers); i++)
        assert_int_equal(answers[i].times, 1);
}

/* A list serves all who wait, so a keeper is not asked without it while their keys come. */
static void the_list_of_a_line_comes_before_the_keys_of_its_chips(void **state)
{
    (void)state;
    static struct kds_answer answers[20];
    const struct kds_item crl = kds_crl_of(LINE_MILAN);
    for (size_t i = 0; i < countof(answers); i++) {
        const struct kds_item items[] = {kds_world_item((uint8_t)(1 + i)),
                                         kds_chain_of(LINE_MILAN, SIGNER_VCEK), crl};
        kds_world_wants(items, countof(items), &answers[i]);
    }
    kds_world_pass(4000);
    assert_true(kds_world_keeps(&crl));
    kds_world_pass(100000);
    for (size_t i = 0; i < countof(answers); i++) {
        const struct kds_item item = kds_world_item((uint8_t)(1 + i));
        assert_true(kds_world_keeps(&item));
    }
}

/* A guest that makes up a new chip every round takes no more than its share. */
static void whoever_came_first_is_served_whatever_comes_after(void **state)
{
    (void)state;
    struct kds_answer first[10];
    static struct kds_answer made_up[200];
    for (size_t i = 0; i < countof(first); i++) {
        const struct kds_item item = kds_world_item((uint8_t)(1 + i));
        kds_world_want(&item, &first[i]);
    }
    for (size_t i = 0; i < countof(made_up); i++) {
        const struct kds_item item = kds_world_item((uint8_t)(20 + i));
        kds_world_want(&item, &made_up[i]);
        if (i % 10 == 0) /* as an agent does, again and again */
            for (size_t n = 0; n < countof(first); n++) {
                const struct kds_item mine = kds_world_item((uint8_t)(1 + n));
                kds_world_want(&mine, &first[n]);
            }
        kds_world_pass(2500);
    }
    for (size_t i = 0; i < countof(first); i++) {
        const struct kds_item item = kds_world_item((uint8_t)(1 + i));
        assert_true(kds_world_keeps(&item));
    }
}

static void a_throttling_service_is_let_alone_as_long_as_it_says(void **state)
{
    (void)state;
    struct kds_answer answer, later;
    const struct kds_item item = kds_world_item(2);
    kds_world_mode("429", 0, 600);
    kds_world_want(&item, &answer);
    kds_world_pass(30000);
    assert_int_equal(kds_world_asked(), 1);
    assert_int_equal(answer.outcome, ERR_UNREACHABLE);
    assert_string_equal(answer.why.code, "endorsement-unavailable");
    kds_world_mode("well", 0, 0);
    kds_world_pass(500000);
    assert_int_equal(kds_world_asked(), 1);
    kds_world_pass(80000);
    assert_true(kds_world_keeps(&item)); /* nobody waited any longer, and still it was fetched */
    kds_world_want(&item, &later);
    kds_world_pass(1000);
    assert_int_equal(later.outcome, OK);
}

static void a_broken_or_dark_service_is_asked_less_and_less(void **state)
{
    (void)state;
    static const char *const modes[] = {"500", "dark"};
    for (size_t i = 0; i < countof(modes); i++) {
        struct kds_answer answer;
        kds_world_anew(NULL);
        const struct kds_item item = kds_world_item((uint8_t)(3 + i));
        kds_world_mode(modes[i], 0, 0);
        kds_world_want(&item, &answer);
        kds_world_pass(3600000);
        assert_int_equal(answer.times, 1);
        assert_string_equal(answer.why.code, "endorsement-unavailable");
        assert_in_range(kds_world_asked(), 2, 16);
        assert_false(kds_world_keeps(&item));
    }
}

static void a_slow_service_is_waited_for(void **state)
{
    (void)state;
    struct kds_answer answer;
    const struct kds_item item = kds_world_item(6);
    kds_world_mode("slow", 100, 0);
    kds_world_want(&item, &answer);
    kds_world_pass(1000);
    assert_int_equal(answer.outcome, OK);
    assert_true(kds_world_keeps(&item));
}

static void a_wrong_certificate_is_not_kept_and_not_asked_for_again_at_once(void **state)
{
    (void)state;
    struct kds_answer chain, answer, again;
    const struct kds_item item = kds_world_item(7);
    const struct kds_item above = kds_chain_of(LINE_MILAN, SIGNER_VCEK);
    kds_world_want(&above, &chain);
    kds_world_pass(1000);
    assert_int_equal(chain.outcome, OK);
    kds_world_mode("wrong-certificate", 0, 0);
    kds_world_want(&item, &answer);
    kds_world_pass(1000);
    assert_int_equal(answer.outcome, ERR_DENIED);
    assert_string_equal(answer.why.code, "endorsement-wrong");
    assert_false(kds_world_keeps(&item));
    const int64_t asked = kds_world_asked();
    kds_world_want(&item, &again);
    kds_world_pass(1000);
    assert_string_equal(again.why.code, "endorsement-wrong");
    assert_int_equal(kds_world_asked(), asked);
    kds_world_mode("well", 0, 0);
    kds_world_pass(600000);
    kds_world_want(&item, &again);
    kds_world_pass(1000);
    assert_int_equal(again.outcome, OK);
}

static void a_foreign_chain_is_not_kept(void **state)
{
    (void)state;
    struct kds_answer answer;
    const struct kds_item item = kds_world_item(8);
    const struct kds_item above = kds_chain_of(LINE_MILAN, SIGNER_VCEK);
    kds_world_mode("wrong-certificate", 0, 0);
    kds_world_want(&item, &answer);
    kds_world_pass(1000);
    assert_int_equal(answer.outcome, ERR_DENIED);
    assert_string_equal(answer.why.code, "endorsement-untrusted");
    assert_false(kds_world_keeps(&above));
    const int64_t asked = kds_world_asked();
    kds_world_want(&item, &answer);
    kds_world_pass(1000);
    assert_string_equal(answer.why.code, "endorsement-untrusted");
    assert_int_equal(kds_world_asked(), asked); /* nor asked for again at once */
}

/* Whoever stands at that address. */
static void no_answer_of_a_stranger_is_kept_or_followed(void **state)
{
    (void)state;
    OWNED(text_done) struct text huge = {0};
    while (huge.len <= KDS_ANSWER_MAX)
        text_add(&huge, "-----BEGIN CERTIFICATE-----\n");
    const struct {
        int status;
        const char *body;
        const char *code;
    } rows[] = {
        {200, "<html>sign in to the hotel's network</html>", "endorsement-malformed"},
        {200, "", "endorsement-malformed"},
        {200, text_str(&huge), "endorsement-unavailable"},
        {302, "moved", "endorsement-unavailable"},
        {401, "who are you", "endorsement-unavailable"},
        {0, "", "endorsement-unavailable"},
        {404, "none", "endorsement-unavailable"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct kds_answer answer;
        const struct kds_item item = kds_world_item((uint8_t)(40 + i));
        struct fake_http *stranger = fake_http_start();
        kds_world_anew(NULL);
        kds_world_endorser(fake_http_url(stranger));
        fake_http_say(stranger, rows[i].status, rows[i].body);
        kds_world_want(&item, &answer);
        kds_world_pass(1);
        kds_world_pass(ENDORSER_WAIT_MS);
        assert_int_equal(answer.times, 1);
        assert_int_not_equal(answer.outcome, OK);
        assert_string_equal(answer.why.code, rows[i].code);
        assert_non_null(strstr(fake_http_heard(stranger, 0), "GET /vcek/v1/Milan/cert_chain HTTP"));
        assert_false(kds_world_keeps(&item));
        kds_world_endorser(kds_world.url);
        fake_http_stop(stranger);
    }
}

static void what_the_maker_does_not_have_is_remembered(void **state)
{
    (void)state;
    struct kds_answer answer;
    struct kds_item item = kds_world_item(9);
    item.hwid[0] = 0xee;
    kds_world_want(&item, &answer);
    kds_world_pass(1000);
    assert_int_equal(answer.outcome, ERR_NOT_FOUND);
    assert_string_equal(answer.why.code, "endorsement-missing");
    const int64_t asked = kds_world_asked();
    kds_world_endorser(kds_world.url); /* also by the next controller */
    kds_world_want(&item, &answer);
    kds_world_pass(1000);
    assert_int_equal(answer.outcome, ERR_NOT_FOUND);
    kds_world_pass(1000);
    assert_true(kds_world_asked() <= asked + 1); /* the list of the line, perhaps */
}

/* It may have been wrong. */
static void what_was_missing_is_asked_for_again_after_minutes(void **state)
{
    (void)state;
    struct kds_answer answer;
    struct kds_item item = kds_world_item(11);
    item.hwid[0] = 0xef;
    kds_world_want(&item, &answer);
    kds_world_pass(100 * 1000); /* the list of the line came too */
    const int64_t asked = kds_world_asked();
    kds_world_pass(400 * 1000);
    kds_world_want(&item, &answer);
    kds_world_pass(5000);
    assert_int_equal(kds_world_asked(), asked + 1);
    kds_world_pass(400 * 1000); /* said twice, it holds longer */
    kds_world_want(&item, &answer);
    kds_world_pass(5000);
    assert_int_equal(kds_world_asked(), asked + 1);
}

/* Guests that make up chips and leave fill the house; who comes then is let in all the same. */
static void whom_nobody_waits_for_any_more_makes_room(void **state)
{
    (void)state;
    static struct kds_answer gone[2100], answer;
    struct kds_item item = kds_world_item(12);
    kds_world_mode("429", 0, 600);
    for (size_t i = 0; i < countof(gone); i++) {
        struct kds_item made_up = item;
        memcpy(made_up.hwid, &i, sizeof i);
        kds_world_want(&made_up, &gone[i]);
    }
    assert_string_equal(gone[2099].why.code, "endorsement-unavailable");
    clock_advance_ms(ENDORSER_WAIT_MS);
    kds_world_want(&item, &answer);
    assert_int_equal(answer.times, 0);
    kds_world_mode("well", 0, 0);
    kds_world_pass(ENDORSER_WAIT_MS / 2);
    assert_int_equal(answer.outcome, OK);
    assert_true(kds_world_keeps(&item));
}

static void a_database_that_fails_is_not_laid_at_the_services_door(void **state)
{
    (void)state;
    struct error err = {0};
    struct kds_answer answer;
    const struct kds_item item = kds_world_item(13);
    assert_ok(db_script(kds_world.db, "ALTER TABLE endorsement_misses RENAME TO lost", &err));
    for (int i = 0; i < 20; i++) {
        kds_world_want(&item, &answer);
        kds_world_pass(10000);
    }
    assert_int_equal(kds_world_asked(), 0);
    assert_ok(db_script(kds_world.db, "ALTER TABLE lost RENAME TO endorsement_misses", &err));
    kds_world_want(&item, &answer);
    kds_world_pass(6000); /* no back-off has grown */
    assert_int_equal(answer.outcome, OK);
}

static void two_controllers_together_ask_no_faster_than_the_service_bears(void **state)
{
    (void)state;
    static struct kds_answer answers[40];
    struct endorser *first = TAKE(kds_world.endorser);
    kds_world_endorser(kds_world.url);
    struct endorser *second = kds_world.endorser;
    for (size_t i = 0; i < countof(answers); i++) {
        const struct kds_item item = kds_world_item((uint8_t)(50 + i));
        kds_world.endorser = i % 2 == 0 ? first : second;
        kds_world_want(&item, &answers[i]);
    }
    for (int i = 0; i < 20; i++) {
        kds_world.endorser = i % 2 == 0 ? first : second;
        kds_world_pass(500);
    }
    assert_in_range(kds_world_asked(), 4, 4 + 10000 / ENDORSEMENT_TURN_MS + 2);
    kds_world.endorser = second;
    endorser_close(first);
}

static void switched_off_it_asks_nobody_and_takes_imports(void **state)
{
    (void)state;
    struct error err = {0};
    struct kds_answer answer;
    const struct kds_item item = kds_world_item(10);
    const struct kds_item above = kds_chain_of(LINE_MILAN, SIGNER_VCEK);
    OWNED(bytes_done) struct bytes vcek = {0};
    OWNED(bytes_done) struct bytes chain = {0};
    kds_world_endorser(ENDORSEMENTS_OFF);
    kds_world_want(&item, &answer);
    kds_world_pass(5000);
    assert_string_equal(answer.why.code, "endorsement-unavailable");
    assert_int_equal(kds_world_asked(), 0);
    assert_ok(psp_vcek(kds_world.deployment->psp, LINE_MILAN, item.hwid, item.tcb, &vcek, &err));
    pem_add_certificate(&chain, psp_ca(kds_world.deployment->psp, LINE_MILAN, SIGNER_VCEK));
    pem_add_certificate(&chain, psp_ark(kds_world.deployment->psp, LINE_MILAN));
    const struct snp_roots *roots = endorser_roots(kds_world.endorser);
    assert_fails(endorsement_take(kds_world.db, roots, &item, bytes_span(&vcek), FROM_IMPORT, &err),
                 ERR_CONFLICT, "endorsement-chain-missing");
    assert_ok(endorsement_take(kds_world.db, roots, &above, bytes_span(&chain), FROM_IMPORT, &err));
    assert_ok(endorsement_take(kds_world.db, roots, &item, bytes_span(&vcek), FROM_IMPORT, &err));
    kds_world_want(&item, &answer);
    kds_world_pass(1000);
    assert_int_equal(answer.outcome, OK);
}

static void lists_are_looked_at_daily_and_one_that_grows_old_is_told(void **state)
{
    (void)state;
    struct kds_answer answer;
    const struct kds_item above = kds_chain_of(LINE_MILAN, SIGNER_VCEK);
    const struct kds_item crl = kds_crl_of(LINE_MILAN);
    kds_world_want(&above, &answer);
    kds_world_pass(180000);
    assert_true(kds_world_keeps(&crl));
    assert_int_equal(metric_get(METRIC_CRL_STALE), 0);
    const int64_t asked = kds_world_asked();
    kds_world_pass(23 * 3600000);
    assert_int_equal(kds_world_asked(), asked);
    kds_world_pass(2 * 3600000);
    assert_int_equal(kds_world_asked(),
                     asked + 2); /* the list, and the chain, which may change too */
    kds_world_mode("dark", 0, 0);
    clock_advance_ms(INT64_C(31) * 86400000);
    kds_world_pass(120000);
    assert_int_equal(metric_get(METRIC_CRL_STALE), 1);
    assert_true(metric_get(METRIC_CRL_AGE) > 31 * 86400);
}

/* ---- threads ------------------------------------------------------------------------------- */

enum { ASKERS = 4, ASKS = 8 };

struct asker {
    pthread_t thread;
    const struct kds_item *items;
    int answers; /* under `counting`, like the next */
    int good;
};
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t counted = PTHREAD_COND_INITIALIZER;

static void count(void *context, enum outcome outcome, const struct error *why)
{
    struct asker *asker = context;
    (void)why;
    pthread_mutex_lock(&counting);
    asker->good += outcome == OK;
    asker->answers++;
    pthread_cond_signal(&counted);
    pthread_mutex_unlock(&counting);
}

/* Until all were answered, or for ten seconds. */
static void wait_for_answers(const struct asker *askers)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&counting);
    for (int i = 0, late = 0; i < ASKERS && late == 0; i++)
        while (askers[i].answers < ASKS && late == 0)
            late = pthread_cond_timedwait(&counted, &counting, &until);
    pthread_mutex_unlock(&counting);
}

static void *ask_many(void *context)
{
    struct asker *asker = context;
    for (int i = 0; i < ASKS; i++)
        endorser_want(kds_world.endorser, &asker->items[i % 2], 1, ENDORSER_WAIT_MS, count, asker);
    return NULL;
}

/* Every question is answered once, also those that are open when it ends. */
static void many_threads_ask_the_one_that_fetches(void **state)
{
    (void)state;
    struct error err = {0};
    struct asker askers[ASKERS] = {0};
    const struct kds_item items[] = {kds_world_item(30), kds_world_item(31)};
    assert_ok(endorser_start(kds_world.endorser, &err));
    for (int i = 0; i < ASKERS; i++) {
        askers[i].items = items;
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_many, &askers[i]), 0);
    }
    for (int i = 0; i < ASKERS; i++)
        pthread_join(askers[i].thread, NULL);
    wait_for_answers(askers);
    endorser_close(TAKE(kds_world.endorser));
    for (int i = 0; i < ASKERS; i++) {
        assert_int_equal(askers[i].answers, ASKS);
        assert_int_equal(askers[i].good, ASKS);
    }
    assert_int_equal(kds_world_answered(), 3);
}

static void what_is_open_at_the_end_is_answered(void **state)
{
    (void)state;
    struct error err = {0};
    struct asker asker = {0};
    const struct kds_item item = kds_world_item(32);
    kds_world_mode("429", 0, 600);
    assert_ok(endorser_start(kds_world.endorser, &err));
    endorser_want(kds_world.endorser, &item, 1, ENDORSER_WAIT_MS, count, &asker);
    endorser_close(TAKE(kds_world.endorser));
    assert_int_equal(asker.answers, 1);
    assert_int_equal(asker.good, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ANEW(a_key_is_fetched_once_for_all_who_wait_and_then_never_again),
        ANEW(the_service_is_asked_no_faster_than_it_bears),
        ANEW(the_list_of_a_line_comes_before_the_keys_of_its_chips),
        ANEW(whoever_came_first_is_served_whatever_comes_after),
        ANEW(a_throttling_service_is_let_alone_as_long_as_it_says),
        ANEW(a_broken_or_dark_service_is_asked_less_and_less),
        ANEW(a_slow_service_is_waited_for),
        ANEW(a_wrong_certificate_is_not_kept_and_not_asked_for_again_at_once),
        ANEW(a_foreign_chain_is_not_kept),
        ANEW(no_answer_of_a_stranger_is_kept_or_followed),
        ANEW(what_the_maker_does_not_have_is_remembered),
        ANEW(what_was_missing_is_asked_for_again_after_minutes),
        ANEW(whom_nobody_waits_for_any_more_makes_room),
        ANEW(a_database_that_fails_is_not_laid_at_the_services_door),
        ANEW(two_controllers_together_ask_no_faster_than_the_service_bears),
        ANEW(switched_off_it_asks_nobody_and_takes_imports),
        ANEW(many_threads_ask_the_one_that_fetches),
        ANEW(what_is_open_at_the_end_is_answered),
        ANEW(lists_are_looked_at_daily_and_one_that_grows_old_is_told),
    };
    return cmocka_run_group_tests_name("endorser", tests, kds_world_open, kds_world_close);
}
