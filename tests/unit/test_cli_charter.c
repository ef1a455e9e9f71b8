/* The built `muster charter`: writing and signing charters offline, and what it will not take. */
#include <stdio.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/text.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

enum { WORDS_MAX = 12 };

/* `line` is split at blanks. */
static struct ran run_line(const char *line)
{
    const char *argv[WORDS_MAX + 1] = {0};
    OWNED(mem_drop) char *copy = mem_text(line);
    char *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        assert_true(count < WORDS_MAX);
        argv[count++] = word;
    }
    return run(argv);
}

/* A deployment of its own, made once; *state is the folder it stands in. */
static int open_deployment(void **state)
{
    char line[1024];
    if (scratch_open(state) != 0)
        return -1;
    const char *folder = *state;
    snprintf(line, sizeof line, "cli/muster keeper init --dir %s/made --realm simulation", folder);
    OWNED(ran_done) struct ran ran = run_line(line);
    return ran.exit_code;
}

static struct ran charter(const char *folder, const char *verb, const char *more)
{
    OWNED(text_done) struct text line = {0};
    text_addf(&line, "cli/muster charter %s --file %s/made/charter/charter.json %s", verb, folder,
              more);
    return run_line(text_str(&line));
}

static json_t *read_charter(const char *folder)
{
    struct error err = {0};
    char path[512];
    json_t *json = NULL;
    OWNED(bytes_done) struct bytes text = {0};
    snprintf(path, sizeof path, "%s/made/charter/charter.json", folder);
    assert_ok(file_read(path, 1 << 20, &text, &err));
    assert_ok(json_parse(bytes_span(&text), 1 << 20, &json, &err));
    return json;
}

static void edits_raise_the_serial_and_change_what_they_name(void **state)
{
    const char *folder = *state;
    static const char chip[] = "\"1111111111111111111111111111111111111111111111111111111111111111"
                               "1111111111111111111111111111111111111111111111111111111111111111\"";
    char more[512];
    snprintf(more, sizeof more, "--set /custody/keeper=\"on-premises\" --set /deny/chips/-=%s",
             chip);
    OWNED(json_drop) json_t *before = read_charter(folder);
    OWNED(ran_done) struct ran ran = charter(folder, "edit", more);
    OWNED(json_drop) json_t *after = read_charter(folder);
    assert_int_equal(ran.exit_code, 0);
    assert_int_equal(json_integer_value(json_object_get(after, "serial")),
                     json_integer_value(json_object_get(before, "serial")) + 1);
    assert_int_equal(json_array_size(json_object_get(json_object_get(after, "deny"), "chips")),
                     json_array_size(json_object_get(json_object_get(before, "deny"), "chips")) +
                         1);
}

/* One line of complaint, exit code 2, and the charter as it was. */
static void assert_untouched(const char *folder, const char *more)
{
    OWNED(json_drop) json_t *before = read_charter(folder);
    OWNED(ran_done) struct ran ran = charter(folder, "edit", more);
    OWNED(json_drop) json_t *after = read_charter(folder);
    const char *said = (const char *)ran.err.at;
    if (ran.exit_code != 2 || strncmp(said, "muster: ", 8) != 0)
        fail_msg("'%s': exit %d, %s", more, ran.exit_code, said);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    assert_true(json_equal(before, after));
}

static void edits_that_lead_nowhere_change_nothing(void **state)
{
    static const char *const edits[] = {
        "--set /deny/chips/x/y=1", /* a list has no members */
        "--set /deny/chips/0=1",
        "--set /deny/chips=1",
        "--set /serial/x=1",
        "--set serial=1",
        "--set /serial",
        "--set /=1",
        "--set //=1",
        "--set /policies/=1",
        "--set /policies/x={",
        "--set /policies/x={\"a\":1,\"a\":1}",
        "--set /unknown=1",
        "--remove /realm",
        "--days 0",
        "--days 31",
        "--bogus x",
    };
    for (size_t i = 0; i < countof(edits); i++)
        assert_untouched(*state, edits[i]);
}

static void assert_code(const char *line, int exit_code)
{
    OWNED(ran_done) struct ran ran = run_line(line);
    if (ran.exit_code != exit_code)
        fail_msg("'%s': exit %d, %s", line, ran.exit_code, (const char *)ran.err.at);
}

/* In the lines, @ is the folder. */
static void files_that_cannot_be_used_are_wrong_arguments(void **state)
{
    const char *folder = *state;
    static const char *const lines[] = {
        "cli/muster charter edit --file @/nowhere",
        "cli/muster charter edit --file @",
        "cli/muster charter sign --file @/nowhere --key k --out o",
        "cli/muster charter sign --signed @/nowhere --key k --out o",
        "cli/muster charter sign --file @/made/charter/charter.json --key @/nowhere --out o",
        "cli/muster charter sign --file @/made/charter/charter.json "
        "--key @/made/controller/root.pem --out o",
        "cli/muster charter show --file @/nowhere",
        "cli/muster charter show --file @/made/charter/charter.json",
    };
    for (size_t i = 0; i < countof(lines); i++) {
        OWNED(text_done) struct text line = {0};
        for (const char *at = lines[i]; *at != '\0'; at++) {
            if (*at == '@') {
                text_add(&line, folder);
            } else {
                text_add_span(&line, SPAN(at, 1));
            }
        }
        assert_code(text_str(&line), 2);
    }
}

static void what_was_signed_is_shown_with_its_signatures(void **state)
{
    const char *folder = *state;
    char line[2048];
    OWNED(json_drop) json_t *want = read_charter(folder);
    snprintf(line, sizeof line, "--key %s/made/charter/key.pem --out %s/charter.jws", folder,
             folder);
    OWNED(ran_done) struct ran sign = charter(folder, "sign", line);
    assert_int_equal(sign.exit_code, 0);
    snprintf(line, sizeof line,
             "cli/muster charter show --file %s/charter.jws --signers %s/made/keeper/signers.json",
             folder, folder);
    OWNED(ran_done) struct ran show = run_line(line);
    struct error err = {0};
    OWNED(json_drop) json_t *have = NULL;
    assert_int_equal(show.exit_code, 0);
    assert_ok(json_parse(span_of_text((const char *)show.out.at), 1 << 20, &have, &err));
    assert_true(json_equal(want, have));
    assert_non_null(strstr((const char *)show.err.at, "1 signature"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_raise_the_serial_and_change_what_they_name),
        cmocka_unit_test(edits_that_lead_nowhere_change_nothing),
        cmocka_unit_test(files_that_cannot_be_used_are_wrong_arguments),
        cmocka_unit_test(what_was_signed_is_shown_with_its_signatures),
    };
    return cmocka_run_group_tests_name("cli_charter", tests, open_deployment, scratch_close);
}
