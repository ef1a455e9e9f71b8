/* The built `muster verify` of the other kinds of evidence: nitro, eventlog and snp-azure. Every
 * sample gets its verdict, its reason and its exit code, and wrong arguments one line. */
#include <stdio.h>
#include <string.h>

#include "tests/support/line.h"
#include "tests/support/manifest.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

/* ---- the samples ---------------------------------------------------------------------------- */

struct kind {
    const char *command;
    const char *folder; /* of the samples */
    void (*add)(struct line *line, const json_t *test_case, const char *scratch);
    const char *needs; /* the file without which there is nothing to ask */
    enum manifest_reason how;
    size_t cases;
};

static bool answer_is_right(const struct ran *ran, const struct kind *kind, const json_t *test_case)
{
    struct error err = {0};
    OWNED(json_drop) json_t *answer = NULL;
    if (json_parse(span_of_text((const char *)ran->out.at), 1 << 20, &answer, &err) != OK)
        return false;
    const char *verdict = member_text(answer, "verdict");
    const char *reason = member_text(answer, "reason");
    if (verdict == NULL || reason == NULL)
        return false;
    const bool trusted = strcmp(verdict, "trusted") == 0;
    return (trusted || strcmp(verdict, "rejected") == 0) && ran->exit_code == (trusted ? 0 : 3) &&
           json_array_size(json_object_get(answer, "checks")) > 0 &&
           case_has_answer(test_case, kind->how, trusted, reason,
                           json_object_get(answer, "claims"));
}

static void every_sample_gets_its_answer(const struct kind *kind, const char *scratch)
{
    OWNED(text_done) struct text path = {0};
    text_addf(&path, "%s/manifest.json", kind->folder);
    OWNED(json_drop) json_t *manifest = vectors_json(text_str(&path));
    size_t asked = 0;
    size_t i;
    json_t *test_case;
    json_array_foreach (json_object_get(manifest, "cases"), i, test_case) {
        if (json_object_get(json_object_get(test_case, "files"), kind->needs) == NULL)
            continue;
        OWNED(line_done) struct line line = line_of(kind->command);
        kind->add(&line, test_case, scratch);
        OWNED(ran_done) struct ran ran = run_line(&line);
        if (!answer_is_right(&ran, kind, test_case))
            fail_msg("%s: exit %d, %s%s", member_text(test_case, "name"), ran.exit_code,
                     (const char *)ran.out.at, (const char *)ran.err.at);
        asked++;
    }
    assert_true(asked >= kind->cases);
}

static void add_nitro(struct line *line, const json_t *test_case, const char *scratch)
{
    const json_t *files = json_object_get(test_case, "files");
    line_add_file(line, "--document", "nitro", files, "document");
    if (strcmp(member_text(test_case, "trust"), "aws") != 0) /* whose root is built in */
        line_add_file(line, "--root", "nitro", files, "root");
    line_add_policy(line, scratch, "nitro", test_case);
    line_add_text(line, "--at", test_case, "verify_time");
}

/* What the TPM held: with the case itself, or among the fields where they came from a TPM. */
static void add_eventlog(struct line *line, const json_t *test_case, const char *scratch)
{
    const json_t *fields = json_object_get(json_object_get(test_case, "expect"), "fields");
    const char *source = member_text(fields, "pcr_source");
    const json_t *pcrs = json_object_get(test_case, "pcrs");
    if (pcrs == NULL && source != NULL && strcmp(source, "tpm") == 0)
        pcrs = json_object_get(fields, "pcrs");
    line_add_file(line, "--log", "eventlog", json_object_get(test_case, "files"), "log");
    if (pcrs != NULL)
        line_add_json(line, "--pcrs", scratch, pcrs);
}

static void add_azure(struct line *line, const json_t *test_case, const char *scratch)
{
    static const char *const options[][2] = {
        {"hcl", "--hcl"},
        {"quote_msg", "--quote-msg"},
        {"quote_sig", "--quote-sig"},
        {"pcrs", "--pcrs"},
        {"vcek", "--ek"},
        {"ask", "--ca"},
        {"ark", "--ca"},
    };
    const json_t *files = json_object_get(test_case, "files");
    for (size_t i = 0; i < countof(options); i++)
        line_add_file(line, options[i][1], "azure", files, options[i][0]);
    line_add_policy(line, scratch, "azure", test_case);
    line_add_text(line, "--nonce", test_case, "nonce");
    line_add_text(line, "--at", test_case, "verify_time");
}

static void every_nitro_sample_gets_its_answer_and_exit_code(void **state)
{
    static const struct kind nitro = {"cli/muster verify nitro", "nitro", add_nitro, "document",
                                      REASON_ACCEPTABLE,         117};
    if (vectors_folder() == NULL)
        skip();
    every_sample_gets_its_answer(&nitro, *state);
}

static void every_boot_log_gets_its_answer_and_exit_code(void **state)
{
    static const struct kind eventlog = {
        "cli/muster verify eventlog", "eventlog", add_eventlog, "log", REASON_EXACT, 23};
    if (vectors_folder() == NULL)
        skip();
    every_sample_gets_its_answer(&eventlog, *state);
}

static void every_azure_sample_gets_its_answer_and_exit_code(void **state)
{
    static const struct kind azure = {
        "cli/muster verify snp-azure", "azure", add_azure, "hcl", REASON_EXACT, 46};
    if (vectors_folder() == NULL)
        skip();
    every_sample_gets_its_answer(&azure, *state);
}

/* ---- wrong arguments ------------------------------------------------------------------------ */

static void wrong_arguments_exit_with_2_and_one_line(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "cli/muster verify nitro",
        "cli/muster verify nitro --document",
        "cli/muster verify nitro --document /nowhere/at/all",
        "cli/muster verify nitro --document /dev/zero",
        "cli/muster verify nitro --document /etc/hostname --document /etc/hostname",
        "cli/muster verify nitro --document /etc/hostname --root /etc/hostname",
        "cli/muster verify nitro --document /etc/hostname --at yesterday",
        "cli/muster verify nitro --document /etc/hostname --expect /etc/hostname",
        "cli/muster verify nitro --document /etc/hostname --log /etc/hostname",
        "cli/muster verify eventlog",
        "cli/muster verify eventlog --log",
        "cli/muster verify eventlog --log /nowhere/at/all",
        "cli/muster verify eventlog --log /dev/zero",
        "cli/muster verify eventlog --log /etc/hostname --pcrs /etc/hostname",
        "cli/muster verify eventlog --log /etc/hostname --pcrs /nowhere/at/all",
        "cli/muster verify eventlog --log /etc/hostname --at 2026-01-01T00:00:00Z",
        "cli/muster verify snp-azure",
        "cli/muster verify snp-azure --hcl",
        "cli/muster verify snp-azure --hcl /nowhere/at/all",
        "cli/muster verify snp-azure --hcl /etc/hostname --quote-msg /etc/hostname",
        "cli/muster verify snp-azure --hcl /etc/hostname --quote-sig /etc/hostname",
        "cli/muster verify snp-azure --hcl /etc/hostname --nonce 0g",
        "cli/muster verify snp-azure --hcl /etc/hostname --pcrs /etc/hostname",
        "cli/muster verify snp-azure --hcl /etc/hostname --report /etc/hostname",
        "cli/muster verify snp-azure --hcl /etc/hostname --root /etc/hostname",
    };
    for (size_t i = 0; i < countof(lines); i++)
        assert_used_wrongly(lines[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_nitro_sample_gets_its_answer_and_exit_code),
        cmocka_unit_test(every_boot_log_gets_its_answer_and_exit_code),
        cmocka_unit_test(every_azure_sample_gets_its_answer_and_exit_code),
        cmocka_unit_test(wrong_arguments_exit_with_2_and_one_line),
    };
    return cmocka_run_group_tests_name("cli_verify_kinds", tests, scratch_open, scratch_close);
}
