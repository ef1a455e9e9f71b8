/* The built `muster verify` and `muster measure` against files that are not what their option says:
 * empty, a gigabyte, of another kind, claiming what is not there; and against clocks and policies
 * that cannot be. Each kind of evidence, every file. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "tests/support/line.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

/* clang-format off */
#define SNP   "cli/muster verify snp --report @/snp/reports/milan-v3-aci.bin "
#define AZURE "cli/muster verify snp-azure --hcl @/azure/cases/milan-v3-coco-a/hcl.bin "
#define VTPM  "cli/muster verify snp-vtpm --report @/snp/reports/milan-v3-aci.bin "
#define NITRO "cli/muster verify nitro --document @/nitro/docs/evervault-prod-2023-01.cbor "
#define QUOTE "@/azure/cases/milan-v3-coco-a/quote"

/* A command that lacks one file ("@" is the folder of the samples), and what it says of an empty one:
 * a certificate of no bytes is none. */
static const struct {
    const char *line;
    const char *empty;
} openings[] = {
    {"cli/muster verify snp --report",                         "malformed"},
    {SNP "--ek",                                               "cert-missing"},
    {SNP "--ek @/snp/ek/milan-v3-aci.der --ca",                "malformed"},
    {SNP "--cert-table",                                       "cert-missing"},
    {"cli/muster verify snp-azure --hcl",                      "malformed"},
    {AZURE "--ek",                                             "cert-missing"},
    {AZURE "--quote-sig " QUOTE ".sig --quote-msg",            "cert-missing"},
    {AZURE "--quote-msg " QUOTE ".msg --quote-sig",            "cert-missing"},
    {"cli/muster verify snp-vtpm --report",                    "malformed"},
    {VTPM "--ek",                                              "cert-missing"},
    {VTPM "--quote-sig " QUOTE ".sig --quote-msg",             "cert-missing"},
    {VTPM "--quote-msg " QUOTE ".msg --quote-sig",             "cert-missing"},
    {VTPM "--ak",                                              "cert-missing"},
    {VTPM "--ak-cert",                                         "cert-missing"},
    {VTPM "--manifest",                                        "cert-missing"},
    {VTPM "--document",                                        "cert-missing"},
    {VTPM "--event-log",                                       "cert-missing"},
    {"cli/muster verify nitro --document",                     "malformed"},
    {"cli/muster verify eventlog --log",                       "malformed"},
    {"cli/muster measure --vcpus 1 --vmm ec2 --ovmf",          "malformed"},
};

/* What must be JSON, or roots: unusable is not a verdict. */
static const char *const usable[] = {
    SNP "--expect", SNP "--policy", SNP "--root",
    AZURE "--expect", AZURE "--policy", AZURE "--pcrs", AZURE "--root",
    VTPM "--expect", VTPM "--policy", VTPM "--pcrs", VTPM "--root", VTPM "--document-root",
    NITRO "--expect", NITRO "--policy", NITRO "--root",
    "cli/muster verify eventlog --log @/eventlog/logs/gcp-ubuntu2404-snp.bin --pcrs",
};
/* clang-format on */

/* `begin` with the samples' folder in it, and the file at its end. */
static void with_file(char line[static 2048], const char *begin, const char *path)
{
    OWNED(text_done) struct text made = {0};
    for (const char *at = begin; *at != '\0'; at++)
        if (*at == '@')
            text_add(&made, vectors_folder());
        else
            text_addf(&made, "%c", *at);
    snprintf(line, 2048, "%s %s", text_str(&made), path);
}

static void write_file(const char *folder, const char *name, struct span content, char *path)
{
    struct error err = {0};
    snprintf(path, 512, "%s/%s", folder, name);
    assert_ok(file_write(path, content, 0600, &err));
}

/* Exit code 3 with that reason: in the answer of verify, on standard error of measure. */
static void assert_refused(const char *line, const char *reason)
{
    OWNED(ran_done) struct ran ran = run_text(line);
    char want[64];
    const bool verdict = strstr(line, " verify ") != NULL;
    snprintf(want, sizeof want, verdict ? "\n  \"reason\": \"%s\"" : "muster: %s: ", reason);
    if (ran.exit_code != 3 ||
        strstr((const char *)(verdict ? ran.out.at : ran.err.at), want) == NULL)
        fail_msg("%s: exit code %d, %.300s%.300s", line, ran.exit_code, (const char *)ran.out.at,
                 (const char *)ran.err.at);
}

static void an_empty_file_is_refused_whatever_it_should_be(void **state)
{
    char path[512];
    char line[2048];
    if (vectors_folder() == NULL)
        skip();
    write_file(*state, "empty", SPAN("", 0), path);
    for (size_t i = 0; i < countof(openings); i++) {
        with_file(line, openings[i].line, path);
        assert_refused(line, openings[i].empty);
    }
    for (size_t i = 0; i < countof(usable); i++) {
        with_file(line, usable[i], path);
        assert_used_wrongly(line);
    }
}

static void a_gigabyte_is_refused_unread_whatever_it_should_be(void **state)
{
    char path[512];
    char line[2048];
    if (vectors_folder() == NULL)
        skip();
    write_file(*state, "large", SPAN("x", 1), path);
    assert_int_equal(truncate(path, 1 << 30), 0);
    for (size_t i = 0; i < countof(openings); i++) {
        with_file(line, openings[i].line, path);
        assert_used_wrongly(line);
    }
    for (size_t i = 0; i < countof(usable); i++) {
        with_file(line, usable[i], path);
        assert_used_wrongly(line);
    }
}

static void a_folder_is_no_file_whatever_it_should_be(void **state)
{
    char line[2048];
    if (vectors_folder() == NULL)
        skip();
    for (size_t i = 0; i < countof(openings); i++) {
        with_file(line, openings[i].line, *state);
        assert_used_wrongly(line);
    }
}

/* A genuine file of every kind at the place of every other. */
static void a_file_of_another_kind_is_malformed(void **state)
{
    (void)state;
    static const char *const genuine[] = {"snp/reports/milan-v3-aci.bin",
                                          "snp/ek/milan-v3-aci.der",
                                          "snp/certs/milan/ask.der",
                                          "azure/cases/milan-v3-coco-a/hcl.bin",
                                          "nitro/docs/evervault-prod-2023-01.cbor",
                                          "eventlog/logs/gcp-ubuntu2404-snp.bin",
                                          "azure/cases/milan-v3-coco-a/quote.msg",
                                          "azure/cases/milan-v3-coco-a/pcrs.json"};
    static const char *const mains[][2] = {{"cli/muster verify snp --report", "snp/reports"},
                                           {"cli/muster verify snp-azure --hcl", "hcl.bin"},
                                           {"cli/muster verify nitro --document", "nitro/docs"},
                                           {"cli/muster verify eventlog --log", "eventlog/logs"},
                                           {"cli/muster measure --vcpus 1 --vmm ec2 --ovmf", "-"}};
    const char *v = vectors_folder();
    if (v == NULL)
        skip();
    for (size_t i = 0; i < countof(mains); i++)
        for (size_t j = 0; j < countof(genuine); j++) {
            char line[2048];
            if (strstr(genuine[j], mains[i][1]) != NULL)
                continue;
            snprintf(line, sizeof line, "%s %s/%s", mains[i][0], v, genuine[j]);
            assert_refused(line, "malformed");
        }
}

static void cbor_nested_a_million_deep_is_malformed(void **state)
{
    char path[512];
    char line[2048];
    OWNED(bytes_done) struct bytes deep = {0};
    memset(bytes_add_room(&deep, 1000000), 0x81, 1000000);
    write_file(*state, "deep.cbor", bytes_span(&deep), path);
    with_file(line, "cli/muster verify nitro --document", path);
    assert_refused(line, "malformed");
}

static void cbor_that_declares_two_to_the_30th_elements_is_malformed(void **state)
{
    static const uint8_t claims[][9] = {
        {0x9b, 0, 0, 0, 0, 0x40, 0, 0, 0}, /* a list, a map, bytes and text */
        {0xbb, 0, 0, 0, 0, 0x40, 0, 0, 0}, {0x5b, 0, 0, 0, 0, 0x40, 0, 0, 0},
        {0x7b, 0, 0, 0, 0, 0x40, 0, 0, 0}, {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    };
    for (size_t i = 0; i < countof(claims); i++) {
        char path[512];
        char line[2048];
        write_file(*state, "declares.cbor", SPAN_OF(claims[i]), path);
        with_file(line, "cli/muster verify nitro --document", path);
        assert_refused(line, "malformed");
    }
}

/* After its true header an event of so much data. */
static void an_event_log_that_claims_4_gb_is_malformed(void **state)
{
    if (vectors_folder() == NULL)
        skip();
    char path[512];
    char line[2048];
    OWNED(bytes_done) struct bytes log = vectors_read("eventlog/logs/gcp-ubuntu2404-snp.bin");
    bytes_add_u32le(&log, 0);
    bytes_add_u32le(&log, 4);
    bytes_add_u32le(&log, 0);
    bytes_add_u32le(&log, UINT32_MAX);
    write_file(*state, "claims.log", bytes_span(&log), path);
    with_file(line, "cli/muster verify eventlog --log", path);
    assert_refused(line, "malformed");
}

static void a_clock_before_2020_or_after_2100_trusts_no_kind(void **state)
{
    (void)state;
    static const char *const times[][2] = {{"1970-01-01T00:00:00Z", "cert-not-yet-valid"},
                                           {"2019-12-31T23:59:59Z", "cert-not-yet-valid"},
                                           {"2100-01-01T00:00:00Z", "cert-expired"},
                                           {"9999-12-31T23:59:59Z", "cert-expired"}};
    if (vectors_folder() == NULL)
        skip();
    for (size_t i = 0; i < countof(times); i++) {
        char line[2048];
        with_file(line, NITRO "--at", times[i][0]);
        assert_refused(line, times[i][1]);
        with_file(line,
                  AZURE "--ek @/azure/cases/milan-v3-coco-a/vcek.der "
                        "--ca @/azure/certs/milan/ask.der --ca @/azure/certs/milan/ark.der --at",
                  times[i][0]);
        assert_refused(line, times[i][1]);
    }
}

/* An unknown member, a floor that no processor has, a value of another size: before any verdict. */
static void a_policy_that_cannot_be_is_used_wrongly(void **state)
{
    static const char *const bad[] = {
        "{\"snp\":{\"measurement\":\"any\"},\"new\":1}",
        "{\"snp\":{\"measurement\":\"any\",\"new\":1}}",
        "{\"snp\":{\"min_tcb\":{\"Milan\":{\"snp\":256}}}}",
        "{\"snp\":{\"min_tcb\":{\"Milan\":{\"snp\":-1}}}}",
        "{\"snp\":{\"min_tcb\":{\"Milan\":{\"fmc\":1}}}}",
        "{\"snp\":{\"min_tcb\":{\"Naples\":{\"snp\":1}}}}",
        "{\"snp\":{\"max_vmpl\":4}}",
        "{\"snp\":{\"measurement\":[\"00\"]}}",
        "{\"snp\":{\"measurement\":\"any\"},\"snp\":{\"measurement\":\"any\"}}",
        "{\"nitro\":{\"pcrs\":{\"32\":\"00\"}}}",
        "{\"nitro\":{\"pcrs\":{\"0\":\"00\"}}}",
        "{\"nitro\":{\"new\":1}}",
        "{\"nitro\":{\"max_age_seconds\":-1}}",
        "{\"azure\":{\"pcrs\":{\"24\":\"00\"}}}",
        "{\"azure\":{\"new\":1}}",
        "[]",
        "7",
    };
    static const char *const commands[] = {SNP "--policy", AZURE "--policy", NITRO "--policy"};
    char path[512];
    char line[2048];
    if (vectors_folder() == NULL)
        skip();
    for (size_t i = 0; i < countof(bad); i++) {
        write_file(*state, "policy.json", span_of_text(bad[i]), path);
        with_file(line, commands[i % countof(commands)], path);
        assert_used_wrongly(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_is_refused_whatever_it_should_be),
        cmocka_unit_test(a_gigabyte_is_refused_unread_whatever_it_should_be),
        cmocka_unit_test(a_folder_is_no_file_whatever_it_should_be),
        cmocka_unit_test(a_file_of_another_kind_is_malformed),
        cmocka_unit_test(cbor_nested_a_million_deep_is_malformed),
        cmocka_unit_test(cbor_that_declares_two_to_the_30th_elements_is_malformed),
        cmocka_unit_test(an_event_log_that_claims_4_gb_is_malformed),
        cmocka_unit_test(a_clock_before_2020_or_after_2100_trusts_no_kind),
        cmocka_unit_test(a_policy_that_cannot_be_is_used_wrongly),
    };
    return cmocka_run_group_tests_name("cli_bad_input", tests, scratch_open, scratch_close);
}
