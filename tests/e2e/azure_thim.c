/* The chip's certificates from Azure's host: with them a keeper needs nobody else, without them
 * evidence goes all the same, whatever the host answers (lib/attest/thim.h). */
#include <string.h>

#include "lib/attest/cert_table.h"
#include "lib/base/file.h"
#include "lib/crypto/x509_make.h"
#include "tests/support/azure_machine.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static const struct evidence_binding asked = {.digest = {1, 2, 3}, .nonce = {4, 5, 6}};

static struct azure_host thim;

static int set_up(void **state)
{
    assert_int_equal(azure_machine_set_up(state), 0);
    azure_host_start(&thim);
    return 0;
}

static int tear_down(void **state)
{
    azure_host_done(&thim);
    return azure_machine_tear_down(state);
}

/* ---- what the host says ---------------------------------------------------------------------- */

static void say_certificates(uint64_t tcb, const char *before)
{
    OWNED(mem_drop) char *answer = azure_host_certificates(tcb, before);
    fake_http_say(thim.host, 200, answer);
}

/* Twice, for a host that was of no help is not asked again at once. */
static void expect_without(int64_t most_seconds)
{
    azure_machine.places.thim_seconds = most_seconds;
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    for (int i = 0; i < 2; i++) {
        OWNED(evidence_done) struct evidence e = {0};
        struct error err = {0};
        assert_ok(tee_prove(tee, &asked, &e, &err));
        assert_int_equal(e.ek.len, 0);
        assert_int_equal(e.ca_count, 0);
        assert_string_equal(azure_machine_judge(&e, &asked), "ok");
    }
}

/* ---- with them ------------------------------------------------------------------------------- */

static void the_hosts_certificates_are_all_that_a_keeper_needs(void **state)
{
    (void)state;
    struct error err = {0};
    say_certificates(azure_machine_tcb(), "");
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    assert_null(fake_http_heard(thim.host, 0)); /* not at start */
    for (int i = 0; i < 2; i++) {
        OWNED(evidence_done) struct evidence e = {0};
        assert_ok(tee_prove(tee, &asked, &e, &err));
        assert_true(e.ek.len > 0);
        assert_int_equal(e.ca_count, 2);
        assert_int_equal(e.cert_table.len, 0);
        assert_string_equal(azure_machine_judge(&e, &asked), "ok");
    }
    const char *heard = fake_http_heard(thim.host, 0);
    assert_non_null(strstr(heard, "GET /metadata/THIM/amd/certification HTTP/1.1\r\n"));
    assert_non_null(strcasestr(heard, "\r\nmetadata: true\r\n"));
    assert_null(fake_http_heard(thim.host, 1)); /* it keeps them */
}

static void a_host_that_knows_a_new_tcb_is_asked_again(void **state)
{
    (void)state;
    struct error err = {0};
    clock_freeze(clock_at_seconds(SIMULATOR_TODAY));
    clock_advance_ms(1);
    say_certificates(azure_machine_tcb() + 1, "");
    say_certificates(azure_machine_tcb(), "");
    OWNED(tee_drop) struct tee *tee = azure_machine_open();
    OWNED(evidence_done) struct evidence first = {0};
    OWNED(evidence_done) struct evidence soon = {0};
    OWNED(evidence_done) struct evidence later = {0};
    assert_ok(tee_prove(tee, &asked, &first, &err));
    assert_int_equal(first.ek.len, 0); /* another TCB's */
    clock_advance_ms(59 * 1000);
    assert_ok(tee_prove(tee, &asked, &soon, &err));
    assert_int_equal(soon.ek.len, 0); /* and asked a moment ago */
    clock_advance_ms(2 * 1000);
    assert_ok(tee_prove(tee, &asked, &later, &err));
    assert_true(later.ek.len > 0);
    clock_thaw();
}

/* ---- without --------------------------------------------------------------------------------- */

static void a_host_that_is_of_no_help_stops_no_evidence(void **state)
{
    (void)state;
    OWNED(mem_drop) char *certificate = azure_host_certificates(azure_machine_tcb(), "");
    const struct {
        int status;
        const char *body;
    } answers[] = {
        {404, certificate},
        {500, ""},
        {301, ""},
        {0, ""}, /* hangs up */
        {200, ""},
        {200, "garbage"},
        {200, "{}"},
        {200, "{\"vcekCert\":\"a\",\"certificateChain\":\"b\",\"tcbm\":\"db18000000000004\"}"},
    };
    for (size_t i = 0; i < countof(answers); i++) {
        fake_http_say(thim.host, answers[i].status, answers[i].body);
        expect_without(5);
        assert_non_null(fake_http_heard(thim.host, (unsigned)i));
        assert_null(fake_http_heard(thim.host, (unsigned)i + 1)); /* once a minute */
    }
}

static void certificates_that_are_none_or_too_many_are_left_out(void **state)
{
    (void)state;
    OWNED(mem_drop) char *good = azure_host_certificates(azure_machine_tcb(), "");
    OWNED(mem_drop) char *spoiled = mem_text(good);
    OWNED(bytes_done) struct bytes first = {0};
    struct error err = {0};
    struct cert_table table;
    memcpy(strstr(spoiled, "MII"), "!!!", 3);
    fake_http_say(thim.host, 200, spoiled);
    expect_without(5);
    assert_ok(cert_table_read(bytes_span(&azure_machine.paravisor.table), &table, &err));
    pem_add_certificate(&first, cert_table_find(&table, TABLE_ASK));
    bytes_add_u8(&first, 0);
    say_certificates(azure_machine_tcb(), (const char *)first.at); /* two keys */
    expect_without(5);
    assert_non_null(fake_http_heard(thim.host, 1));
}

static void an_answer_without_end_is_cut_off(void **state)
{
    (void)state;
    OWNED(mem_drop) char *huge = mem_new(1, 200 * 1024 + 1);
    memset(huge, ' ', 200 * 1024);
    fake_http_say(thim.host, 200, huge);
    expect_without(5);
    assert_non_null(fake_http_heard(thim.host, 0));
}

static void expect_without_in_time(const char *program, const char *url, int64_t most_seconds)
{
    const int64_t before = clock_monotonic_ms();
    azure_machine.places.thim_program = program;
    azure_machine.places.thim_url = url;
    expect_without(most_seconds);
    assert_true(clock_monotonic_ms() - before < 10 * 1000);
}

static void a_host_that_does_not_answer_costs_what_the_setting_says(void **state)
{
    (void)state;
    struct error err = {0};
    static const char trickles[] = "#!/bin/sh\nwhile printf x; do sleep 0.1; done\n";
    OWNED(mem_drop) char *script = scratch_path(azure_machine.folder, "trickles");
    assert_ok(file_write(script, span_of_text(trickles), 0700, &err));
    expect_without_in_time("/bin/sleep", "60", 1);
    expect_without_in_time(script, "x", 1);
}

static void a_program_that_is_not_there_or_talks_without_end_stops_no_evidence(void **state)
{
    (void)state;
    expect_without_in_time("/nonexistent", "x", 30);
    expect_without_in_time("/usr/bin/yes", "x", 30);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_hosts_certificates_are_all_that_a_keeper_needs),
        T(a_host_that_knows_a_new_tcb_is_asked_again),
        T(a_host_that_is_of_no_help_stops_no_evidence),
        T(certificates_that_are_none_or_too_many_are_left_out),
        T(an_answer_without_end_is_cut_off),
        T(a_host_that_does_not_answer_costs_what_the_setting_says),
        T(a_program_that_is_not_there_or_talks_without_end_stops_no_evidence),
    };
    return cmocka_run_group_tests_name("azure thim", tests, simulator_set_up, simulator_tear_down);
}
