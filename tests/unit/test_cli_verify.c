/* The built `muster verify snp`: options, exit codes, every sample, and input nobody should send
 * (R76: without any service). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tests/support/line.h"
#include "tests/support/manifest.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

static void add_files(struct line *line, const json_t *files)
{
    static const char *const options[][2] = {
        {"report", "--report"}, {"ek", "--ek"},  {"cert_table", "--cert-table"},
        {"ark", "--ca"},        {"ask", "--ca"}, {"asvk", "--ca"},
        {"crl", "--crl"},
    };
    for (size_t i = 0; i < countof(options); i++)
        line_add_file(line, options[i][1], "snp", files, options[i][0]);
}

static void add_root(struct line *line, const json_t *test_case)
{
    static const char *const roots[][2] = {
        {"synthetic/Milan", "synthetic/certs/milan/ark.der"},
        {"synthetic/Turin", "synthetic/certs/turin/ark.der"},
    };
    const char *trust = member_text(test_case, "trust");
    for (size_t i = 0; i < countof(roots) && trust != NULL; i++)
        if (strcmp(trust, roots[i][0]) == 0)
            line_add_vector(line, "--root", "snp", roots[i][1]);
}

static bool text_is(const json_t *object, const char *name, const char *want)
{
    const char *have = json_string_value(json_object_get(object, name));
    return have != NULL && strcmp(have, want) == 0;
}

static bool answer_is_right(const struct ran *ran, const json_t *test_case)
{
    struct error err = {0};
    const json_t *expect = json_object_get(test_case, "expect");
    const bool trusted = text_is(expect, "verdict", "ok");
    const char *reason = trusted ? "ok" : json_string_value(json_object_get(expect, "reason"));
    const bool synthetic =
        strncmp(json_string_value(json_object_get(test_case, "name")), "syn-", 4) == 0;
    OWNED(json_drop) json_t *answer = NULL;
    if (json_parse(span_of_text((const char *)ran->out.at), 1 << 20, &answer, &err) != OK)
        return false;
    return ran->exit_code == (trusted ? 0 : 3) && text_is(answer, "reason", reason) &&
           text_is(answer, "verdict", trusted ? "trusted" : "rejected") &&
           text_is(answer, "roots", synthetic ? "custom" : "built-in") &&
           json_array_size(json_object_get(answer, "checks")) > 0;
}

static void every_sample_gets_its_answer_and_exit_code(void **state)
{
    if (vectors_folder() == NULL)
        skip();
    const char *folder = *state;
    OWNED(json_drop) json_t *manifest = vectors_json("snp/manifest.json");
    size_t i;
    json_t *test_case;
    json_array_foreach (json_object_get(manifest, "cases"), i, test_case) {
        OWNED(line_done) struct line line = line_of("cli/muster verify snp");
        add_files(&line, json_object_get(test_case, "files"));
        add_root(&line, test_case);
        line_add_policy(&line, folder, "snp", test_case);
        line_add_text(&line, "--at", test_case, "verify_time");
        OWNED(ran_done) struct ran ran = run_line(&line);
        if (!answer_is_right(&ran, test_case))
            fail_msg("%s: exit %d, %s", json_string_value(json_object_get(test_case, "name")),
                     ran.exit_code, (const char *)ran.out.at);
    }
}

static void wrong_arguments_exit_with_2_and_one_line(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "cli/muster",
        "cli/muster nothing",
        "cli/muster verify",
        "cli/muster verify nothing",
        "cli/muster verify snp",
        "cli/muster verify snp --report",
        "cli/muster verify snp --report /nowhere/at/all",
        "cli/muster verify snp --report /dev/zero",
        "cli/muster verify snp --report /",
        "cli/muster verify snp --report /etc/hostname --report /etc/hostname",
        "cli/muster verify snp --report /etc/hostname --bogus",
        "cli/muster verify snp --report /etc/hostname --at yesterday",
        "cli/muster verify snp --report /etc/hostname --expect /etc/hostname",
        "cli/muster verify snp --report /etc/hostname --expect /etc/hostname --policy "
        "/etc/hostname",
        "cli/muster verify snp --report /etc/hostname --root /etc/hostname",
        "cli/muster bench",
        "cli/muster bench nothing",
        "cli/muster bench verify-snp --report /etc/hostname --seconds 0",
        "cli/muster account test",
        "cli/muster account test --file",
        "cli/muster account test --file /nowhere",
        "cli/muster account test --file /nowhere --wait 0",
        "cli/muster account test --file /nowhere --file /nowhere",
        "cli/muster account test --file /nowhere -o xml",
    };
    for (size_t i = 0; i < countof(lines); i++)
        assert_used_wrongly(lines[i]);
}

static void options_take_their_value_either_way(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "cli/muster verify snp --report=/nowhere/at/all",
        "cli/muster charter show --file=/nowhere/at/all",
        "cli/muster account test --file=/nowhere/at/all --wait=5 --output=json",
    };
    for (size_t i = 0; i < countof(lines); i++) {
        OWNED(ran_done) struct ran ran = run_text(lines[i]);
        assert_int_equal(ran.exit_code, 2);
        assert_non_null(strstr((const char *)ran.err.at, "opening /nowhere/at/all"));
    }
}

static void help_and_version_are_there_for_every_command(void **state)
{
    (void)state;
    static const char *const lines[] = {"cli/muster --help", "cli/muster --version",
                                        "cli/muster verify --help", "cli/muster bench -h",
                                        "cli/muster verify snp --help"};
    for (size_t i = 0; i < countof(lines); i++) {
        OWNED(ran_done) struct ran ran = run_text(lines[i]);
        assert_int_equal(ran.exit_code, 0);
        assert_true(strncmp((const char *)ran.out.at, "muster", 6) == 0);
    }
}

static void answer_that_cannot_be_written_is_a_failure(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "cli/muster --help >/dev/full 2>&-",           "cli/muster --version >/dev/full 2>&-",
        "cli/muster verify --help >/dev/full 2>&-",    "cli/muster explain revoked >/dev/full 2>&-",
        "cli/muster machines -o json >/dev/full 2>&-",
    };
    const char *build = getenv("MUSTER_BUILD");
    for (size_t i = 0; i < countof(lines); i++) {
        char line[1024];
        snprintf(line, sizeof line, "%s/%s", build != NULL ? build : ".", lines[i]);
        const int status = system(line);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
            fail_msg("'%s' gives %d", lines[i], status);
    }
}

static void write_scratch(const char *folder, const char *name, struct span content, char *path)
{
    struct error err = {0};
    snprintf(path, 512, "%s/%s", folder, name);
    assert_ok(file_write(path, content, 0600, &err));
}

static void report_of_a_gigabyte_is_refused_without_reading_it(void **state)
{
    const char *folder = *state;
    char path[512];
    char line[1024];
    write_scratch(folder, "large", SPAN("x", 1), path);
    assert_int_equal(truncate(path, 1 << 30), 0);
    snprintf(line, sizeof line, "cli/muster verify snp --report %s", path);
    assert_used_wrongly(line);
    snprintf(line, sizeof line, "cli/muster verify snp --report /etc/hostname --ca %s", path);
    assert_used_wrongly(line);
}

/* What is quoted of a file stays one line and leaves the terminal alone. */
static void what_a_file_says_cannot_play_with_the_terminal(void **state)
{
    const char *folder = *state;
    static const char *const hostile[] = {"{\"snp\":{\"\\u001b[31mred\":1}}",
                                          "{\"snp\":{\"two\\nlines\":1}}",
                                          "{\"snp\":{\"\xc2\x9bm\":1}}", "\x1b[31m", ""};
    char path[512];
    char line[1024];
    for (size_t i = 0; i < countof(hostile); i++) {
        write_scratch(folder, "hostile", span_of_text(hostile[i]), path);
        snprintf(line, sizeof line, "cli/muster verify snp --report /etc/hostname --expect %s",
                 path);
        assert_used_wrongly(line);
        OWNED(ran_done) struct ran ran = run_text(line);
        for (size_t at = 0; at < ran.err.len && ran.err.at[at] != '\0'; at++)
            assert_true(ran.err.at[at] >= 0x20 || ran.err.at[at] == '\n');
        assert_null(strstr((const char *)ran.err.at, "wrong arguments"));
    }
}

static void assert_reason(const char *text, const char *reason)
{
    struct error err = {0};
    OWNED(ran_done) struct ran ran = run_text(text);
    OWNED(json_drop) json_t *answer = NULL;
    assert_ok(json_parse(span_of_text((const char *)ran.out.at), 1 << 20, &answer, &err));
    assert_string_equal(json_string_value(json_object_get(answer, "reason")), reason);
    assert_int_equal(ran.exit_code, 3);
}

static void files_of_the_wrong_kind_are_rejected_not_crashed_on(void **state)
{
    if (vectors_folder() == NULL)
        skip();
    const char *folder = *state;
    char path[512];
    char line[2048];
    const char *v = vectors_folder();
    write_scratch(folder, "empty", SPAN("", 0), path);
    snprintf(line, sizeof line, "cli/muster verify snp --report %s", path);
    assert_reason(line, "malformed");
    snprintf(line, sizeof line, "cli/muster verify snp --report %s/snp/ek/milan-v3-aci.der", v);
    assert_reason(line, "malformed");
    snprintf(line, sizeof line,
             "cli/muster verify snp --report %s/snp/reports/milan-v3-aci.bin "
             "--ek %s/snp/reports/milan-v3-aci.bin",
             v, v);
    assert_reason(line, "malformed");
    snprintf(line, sizeof line,
             "cli/muster verify snp --report %s/snp/reports/milan-v3-aci.bin "
             "--ek %s/snp/ek/milan-v3-aci.der --ca %s",
             v, v, path);
    assert_reason(line, "malformed");
}

static void ten_thousand_certificates_are_refused(void **state)
{
    if (vectors_folder() == NULL)
        skip();
    const char *folder = *state;
    OWNED(bytes_done) struct bytes one = vectors_read("snp/certs/milan/vcek_cert_chain.pem");
    OWNED(bytes_done) struct bytes many = {0};
    for (int i = 0; i < 5000; i++)
        bytes_add(&many, bytes_span(&one));
    char path[512];
    char line[2048];
    const char *v = vectors_folder();
    write_scratch(folder, "many.pem", bytes_span(&many), path);
    snprintf(line, sizeof line,
             "cli/muster verify snp --report %s/snp/reports/milan-v3-aci.bin --ca %s", v, path);
    assert_used_wrongly(line);
    write_scratch(folder, "some.pem", span_part(bytes_span(&many), 0, one.len * 60), path);
    snprintf(line, sizeof line,
             "cli/muster verify snp --report %s/snp/reports/milan-v3-aci.bin --ca %s", v, path);
    assert_reason(line, "malformed");
}

static void clock_outside_its_century_is_never_trusted(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    static const char *const times[][2] = {{"1970-01-01T00:00:00Z", "cert-not-yet-valid"},
                                           {"2019-12-31T23:59:59Z", "cert-not-yet-valid"},
                                           {"2100-01-01T00:00:00Z", "cert-expired"},
                                           {"9999-12-31T23:59:59Z", "cert-expired"}};
    const char *v = vectors_folder();
    for (size_t i = 0; i < countof(times); i++) {
        char line[2048];
        snprintf(line, sizeof line,
                 "cli/muster verify snp --report %s/snp/reports/milan-v3-aci.bin "
                 "--ek %s/snp/ek/milan-v3-aci.der --ca %s/snp/certs/milan/vcek_cert_chain.pem "
                 "--at %s",
                 v, v, v, times[i][0]);
        assert_reason(line, times[i][1]);
    }
}

static void chain_with_carriage_returns_is_read(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    char line[2048];
    const char *v = vectors_folder();
    snprintf(line, sizeof line,
             "cli/muster verify snp --report %s/snp/reports/turin-v5-oak.bin "
             "--ek %s/snp/ek/turin-v5-oak.der --ca %s/snp/certs/turin/vcek_cert_chain.crlf.pem "
             "--at 2025-07-20T12:00:00Z",
             v, v, v);
    OWNED(ran_done) struct ran ran = run_text(line);
    assert_int_equal(ran.exit_code, 0);
}

/* As `openssl s_client -showcerts` writes it: "0 s:CN = ..." before each certificate. */
static void chain_with_a_number_before_it_is_read(void **state)
{
    if (vectors_folder() == NULL)
        skip();
    char line[2048];
    char path[512];
    const char *v = vectors_folder();
    OWNED(bytes_done) struct bytes chain = vectors_read("snp/certs/turin/vcek_cert_chain.crlf.pem");
    OWNED(bytes_done) struct bytes numbered = bytes_copy(span_of_text("0 s:CN = SEV-Turin\n"));
    bytes_add(&numbered, bytes_span(&chain));
    write_scratch(*state, "numbered.pem", bytes_span(&numbered), path);
    snprintf(line, sizeof line,
             "cli/muster verify snp --report %s/snp/reports/turin-v5-oak.bin "
             "--ek %s/snp/ek/turin-v5-oak.der --ca %s --at 2025-07-20T12:00:00Z",
             v, v, path);
    OWNED(ran_done) struct ran ran = run_text(line);
    assert_int_equal(ran.exit_code, 0);
}

static void bench_prints_its_figure(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    char line[2048];
    const char *v = vectors_folder();
    snprintf(line, sizeof line,
             "cli/muster bench verify-snp --report %s/snp/reports/milan-v3-aci.bin "
             "--ek %s/snp/ek/milan-v3-aci.der --ca %s/snp/certs/milan/ask.der "
             "--ca %s/snp/certs/milan/ark.der --at 2026-02-08T12:00:00Z --seconds 1",
             v, v, v, v);
    OWNED(ran_done) struct ran ran = run_text(line);
    double rate = 0;
    assert_int_equal(ran.exit_code, 0);
    assert_int_equal(sscanf((const char *)ran.out.at, "verifications_per_second %lf\n", &rate), 1);
    assert_true(rate > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_gets_its_answer_and_exit_code),
        cmocka_unit_test(wrong_arguments_exit_with_2_and_one_line),
        cmocka_unit_test(options_take_their_value_either_way),
        cmocka_unit_test(help_and_version_are_there_for_every_command),
        cmocka_unit_test(answer_that_cannot_be_written_is_a_failure),
        cmocka_unit_test(report_of_a_gigabyte_is_refused_without_reading_it),
        cmocka_unit_test(what_a_file_says_cannot_play_with_the_terminal),
        cmocka_unit_test(files_of_the_wrong_kind_are_rejected_not_crashed_on),
        cmocka_unit_test(ten_thousand_certificates_are_refused),
        cmocka_unit_test(clock_outside_its_century_is_never_trusted),
        cmocka_unit_test(chain_with_carriage_returns_is_read),
        cmocka_unit_test(chain_with_a_number_before_it_is_read),
        cmocka_unit_test(bench_prints_its_figure),
    };
    return cmocka_run_group_tests_name("cli_verify", tests, scratch_open, scratch_close);
}
