/* Evidence from the hardware: configfs-tsm as a tree of plain files, with the test as the kernel
 * (trust.md section 4; facts/attestation.md section 4). */
#include "agent/tee.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/json.h"
#include "tests/support/fake_tsm.h"
#include "tests/support/test.h"

static char tree[] = "/tmp/muster-tee-XXXXXX";
static const struct evidence_binding asked = {.digest = {1, 2, 3}};

static enum outcome ask(struct evidence *out, struct error *err)
{
    const struct tsm_wish wish = {.report_data = asked.digest, .privlevel = -1};
    return tsm_report(&fake_tsm_files, fake_tsm.tree, &wish, out, err);
}

static void a_report_is_asked_for_with_all_64_bytes_written_once(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence got = {0};
    assert_ok(ask(&got, &err));
    assert_int_equal(fake_tsm.writes, 1);
    assert_true(span_equal(bytes_span(&fake_tsm.asked), SPAN_OF(asked.digest)));
    assert_int_equal(got.report.len, TEE_REPORT_SIZE);
    assert_memory_equal(got.report.at + 0x50, asked.digest, BINDING_SIZE);
    assert_int_equal(got.cert_table.len, 4096);
}

static void a_privilege_level_is_asked_for_where_it_is_set(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence usual = {0};
    OWNED(evidence_done) struct evidence got = {0};
    const struct tsm_wish wish = {.report_data = asked.digest, .privlevel = 2};
    assert_ok(ask(&usual, &err));
    assert_string_equal(fake_tsm.privlevel, "");
    assert_ok(tsm_report(&fake_tsm_files, fake_tsm.tree, &wish, &got, &err));
    assert_string_equal(fake_tsm.privlevel, "2");
    assert_string_equal(fake_tsm.service_provider, "");
}

static void an_empty_certificate_table_is_fine(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence got = {0};
    fake_tsm.certs_size = 0;
    assert_ok(ask(&got, &err));
    assert_int_equal(got.cert_table.len, 0);
}

static void a_disturbed_request_is_begun_again_in_a_new_folder(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence got = {0};
    fake_tsm.disturbances = 2;
    assert_ok(ask(&got, &err));
    assert_int_equal(fake_tsm.folders_made, 3);
}

static void endless_disturbance_is_given_up(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence got = {0};
    fake_tsm.disturbances = 1000;
    assert_fails(ask(&got, &err), ERR_CONFLICT, "tsm-disturbed");
    assert_int_equal(fake_tsm.folders_made, TSM_ATTEMPTS);
    assert_int_equal(got.report.len, 0);
}

static void passing_troubles_are_tried_again(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int number;
    } troubles[] = {
        {"inblob", EBUSY}, {"outblob", EWOULDBLOCK}, {"outblob", EINVAL}, {"auxblob", EWOULDBLOCK}};
    for (size_t i = 0; i < countof(troubles); i++) {
        struct error err = {0};
        OWNED(evidence_done) struct evidence got = {0};
        fake_tsm.file = troubles[i].file;
        fake_tsm.number = troubles[i].number;
        fake_tsm.times = 1;
        assert_ok(ask(&got, &err));
        fake_tsm.times = 1000;
        assert_fails(ask(&got, &err), ERR_CONFLICT, "tsm-disturbed");
    }
}

static void lasting_troubles_are_told_at_once_by_their_own_code(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int number;
        enum outcome outcome;
        const char *code;
    } troubles[] = {
        {"outblob", EFBIG, ERR_INVALID, "tsm-too-large"},
        {"outblob", ENOTTY, ERR_DENIED, "vmpck-disabled"},
        {"outblob", ETIMEDOUT, ERR_THROTTLED, "tsm-throttled"},
        {"outblob", EIO, ERR_INTERNAL, "tsm-failed"},
        {"inblob", EACCES, ERR_DENIED, "tsm-denied"},
        {"mkdir", ENXIO, ERR_NOT_FOUND, "tsm-missing"},
        {"mkdir", ENOENT, ERR_NOT_FOUND, "tsm-missing"},
        {"mkdir", EPERM, ERR_DENIED, "tsm-denied"},
    };
    for (size_t i = 0; i < countof(troubles); i++) {
        struct error err = {0};
        OWNED(evidence_done) struct evidence got = {0};
        fake_tsm.file = troubles[i].file;
        fake_tsm.number = troubles[i].number;
        fake_tsm.times = 1;
        assert_fails(ask(&got, &err), troubles[i].outcome, troubles[i].code);
        assert_int_equal(fake_tsm.times, 0);
    }
}

static void another_provider_is_refused_before_anything_is_written(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence got = {0};
    fake_tsm.provider = "tdx_guest\n";
    assert_fails(ask(&got, &err), ERR_INVALID, "tsm-wrong-provider");
    assert_int_equal(fake_tsm.writes, 0);
}

static void an_endless_report_is_cut_off(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence got = {0};
    fake_tsm.report_size = TEE_REPORT_SIZE + 2;
    assert_fails(ask(&got, &err), ERR_INVALID, "tsm-too-large");
    fake_tsm.report_size = TEE_REPORT_SIZE;
    fake_tsm.certs_size = TEE_CERTS_MAX + 1;
    assert_fails(ask(&got, &err), ERR_INVALID, "tsm-too-large");
}

static void a_machine_without_the_hardware_says_so_at_start(void **state)
{
    (void)state;
    struct error err = {0};
    struct tee *tee = NULL;
    const struct tee_places places = {.tsm_path = "/nonexistent", .socket = ""};
    assert_fails(tee_open("snp", &places, &tee, &err), ERR_NOT_FOUND, "tsm-missing");
    assert_fails(tee_open("sgx", &places, &tee, &err), ERR_INVALID, "unknown-tee");
    assert_null(tee);
}

#ifdef MUSTER_SIMULATION
/* ---- the simulator ----------------------------------------------------------------------------
 */

static struct {
    char path[64];
    int listener;
    const char *say; /* NULL: the right answer */
    struct bytes heard;
} simulator;

static void *simulate_once(void *unused)
{
    (void)unused;
    int fd = accept(simulator.listener, NULL, NULL);
    uint8_t byte;
    while (read(fd, &byte, 1) == 1 && byte != '\n')
        bytes_add_u8(&simulator.heard, byte);
    OWNED(text_done) struct text line = {0};
    if (simulator.say != NULL) {
        text_add(&line, simulator.say);
    } else {
        uint8_t report[TEE_REPORT_SIZE] = {2};
        text_add(&line, "{\"report\":\"");
        text_add_base64(&line, SPAN_OF(report));
        text_add(&line, "\",\"cert_table\":\"AAAA\"}\n");
    }
    if (write(fd, line.at, line.len) < 0)
        close(fd);
    close(fd);
    return NULL;
}

static enum outcome ask_simulator(const char *say, struct evidence *out, struct error *err)
{
    snprintf(simulator.path, sizeof simulator.path, "%s/psp", tree);
    unlink(simulator.path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", simulator.path);
    simulator.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(simulator.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(simulator.listener, 1), 0);
    simulator.say = say;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, simulate_once, NULL), 0);
    const struct tee_places places = {.tsm_path = "", .socket = simulator.path};
    OWNED(tee_drop) struct tee *tee = NULL;
    enum outcome outcome = tee_open("simulated", &places, &tee, err);
    assert_int_equal(outcome, OK);
    assert_int_equal(tee_kind(tee), EVIDENCE_SIMULATED);
    outcome = tee_prove(tee, &asked, out, err);
    pthread_join(thread, NULL);
    close(simulator.listener);
    unlink(simulator.path);
    return outcome;
}

static void the_simulator_is_asked_in_one_line(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence got = {0};
    assert_ok(ask_simulator(NULL, &got, &err));
    assert_int_equal(got.report.len, TEE_REPORT_SIZE);
    assert_int_equal(got.cert_table.len, 3);
    OWNED(json_drop) json_t *heard = NULL;
    assert_ok(json_parse(bytes_span(&simulator.heard), 4096, &heard, &err));
    uint8_t written[BINDING_SIZE];
    assert_ok(json_get_hex(heard, "", "report_data", written, sizeof written, &err));
    assert_memory_equal(written, asked.digest, BINDING_SIZE);
    bytes_done(&simulator.heard);
}

static void bad_answers_of_the_simulator_are_errors(void **state)
{
    (void)state;
    static const struct {
        const char *say;
        enum outcome outcome;
    } cases[] = {
        {"", ERR_UNREACHABLE},
        {"{\"report\":\"AAAA\"}", ERR_UNREACHABLE},
        {"{\"report\":\"AAAA\"}\n", ERR_INVALID},
        {"{\"report\":5}\n", ERR_INVALID},
        {"{}\n", ERR_INVALID},
        {"\n", ERR_INVALID},
        {"{\"error\":\"not now\"}\n", ERR_CONFLICT},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err = {0};
        OWNED(evidence_done) struct evidence got = {0};
        assert_int_equal(ask_simulator(cases[i].say, &got, &err), cases[i].outcome);
        assert_int_equal(got.report.len, 0);
        bytes_done(&simulator.heard);
    }
}

static void no_simulator_is_unreachable(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evidence_done) struct evidence got = {0};
    OWNED(tee_drop) struct tee *tee = NULL;
    const struct tee_places places = {.tsm_path = "", .socket = "/nonexistent/psp"};
    assert_ok(tee_open("simulated", &places, &tee, &err));
    assert_fails(tee_prove(tee, &asked, &got, &err), ERR_UNREACHABLE, "unreachable");
    assert_false(tee_is_lost(tee));
}

#endif

int main(void)
{
    if (mkdtemp(tree) == NULL)
        return 99;
#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, fake_tsm_set_up, fake_tsm_tear_down)
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(a_report_is_asked_for_with_all_64_bytes_written_once),
        KERNEL_TEST(a_privilege_level_is_asked_for_where_it_is_set),
        KERNEL_TEST(an_empty_certificate_table_is_fine),
        KERNEL_TEST(a_disturbed_request_is_begun_again_in_a_new_folder),
        KERNEL_TEST(endless_disturbance_is_given_up),
        KERNEL_TEST(passing_troubles_are_tried_again),
        KERNEL_TEST(lasting_troubles_are_told_at_once_by_their_own_code),
        KERNEL_TEST(another_provider_is_refused_before_anything_is_written),
        KERNEL_TEST(an_endless_report_is_cut_off),
        cmocka_unit_test(a_machine_without_the_hardware_says_so_at_start),
#ifdef MUSTER_SIMULATION
        cmocka_unit_test(the_simulator_is_asked_in_one_line),
        cmocka_unit_test(bad_answers_of_the_simulator_are_errors),
        cmocka_unit_test(no_simulator_is_unreachable),
#endif
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(tree);
    return failed;
}
