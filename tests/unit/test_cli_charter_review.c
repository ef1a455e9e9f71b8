/* The built `muster charter lint` and `diff`: exit codes, and the same findings for people and
 * programs. */
#include <stdio.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tests/support/charters.h"
#include "tests/support/line.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

/* In the scratch folder; the caller frees the path. */
static char *put(const char *folder, const char *name, const json_t *json)
{
    struct error err = {0};
    char *path = scratch_path(folder, name);
    OWNED(mem_drop) char *text = json_print(json);
    assert_ok(file_write(path, span_of_text(text), 0644, &err));
    return path;
}

static struct ran lint(const char *path, const char *more)
{
    struct line line = line_of("cli/muster charter lint --at 2026-11-24T12:00:00Z");
    line_add(&line, "--file");
    line_add(&line, path);
    if (more != NULL)
        line_add(&line, more);
    struct ran ran = run_line(&line);
    line_done(&line);
    return ran;
}

static void lint_lets_a_sound_charter_pass_and_stops_at_an_error(void **state)
{
    OWNED(json_drop) json_t *charter = charter_sound();
    OWNED(mem_drop) char *sound = put(*state, "sound.json", charter);
    charter_change(charter, "/policies/web/snp/allow_debug", "true");
    OWNED(mem_drop) char *debug = put(*state, "debug.json", charter);
    OWNED(ran_done) struct ran good = lint(sound, NULL);
    OWNED(ran_done) struct ran bad = lint(debug, NULL);
    OWNED(ran_done) struct ran json = lint(debug, "-o=json");
    assert_int_equal(good.exit_code, 0);
    assert_non_null(strstr((const char *)good.out.at, "negligible-merit"));
    assert_int_equal(bad.exit_code, 3);
    assert_non_null(strstr((const char *)bad.out.at, "error   debug-allowed at "
                                                     "/policies/web/snp/allow_debug\n"));
    assert_int_equal(json.exit_code, 3);
    OWNED(json_drop) json_t *findings = json_loads((const char *)json.out.at, 0, NULL);
    assert_int_equal(json_array_size(findings), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(findings, 0), "code")),
                        "debug-allowed");
}

static void lint_knows_the_regions_of_the_clouds(void **state)
{
    OWNED(json_drop) json_t *charter = charter_sound();
    charter_change(charter, "/deny/regions", "[\"us-east-2\",\"canadacentral\",\"europe-west4\"]");
    OWNED(mem_drop) char *known = put(*state, "known.json", charter);
    charter_change(charter, "/deny/regions", "[\"us-east-2\",\"canada-central\"]");
    OWNED(mem_drop) char *misspelled = put(*state, "misspelled.json", charter);
    OWNED(ran_done) struct ran good = lint(known, NULL);
    OWNED(ran_done) struct ran warned = lint(misspelled, NULL);
    assert_null(strstr((const char *)good.out.at, "denies-unknown-region"));
    assert_non_null(strstr((const char *)warned.out.at, "denies-unknown-region at /deny/regions"));
    assert_non_null(strstr((const char *)warned.out.at, "(canada-central)"));
    assert_int_equal(warned.exit_code, 0);
}

static void every_finding_is_explained(void **state)
{
    (void)state;
    OWNED(ran_done) struct ran ran = run_text("cli/muster explain negligible-merit");
    assert_int_equal(ran.exit_code, 0);
}

/* What was signed is reviewed like a draft, and the pinned keys say how many must sign. */
static void lint_reads_what_was_signed(void **state)
{
    struct error err = {0};
    const char *folder = *state;
    OWNED(text_done) struct text line = {0};
    text_addf(&line, "cli/muster keeper init --dir %s/made --realm simulation", folder);
    OWNED(ran_done) struct ran made = run_text(text_str(&line));
    OWNED(text_done) struct text sign = {0};
    text_addf(&sign,
              "cli/muster charter sign --file %s/made/charter/charter.json --key "
              "%s/made/charter/key.pem --out %s/charter.jws",
              folder, folder, folder);
    OWNED(ran_done) struct ran signed_ran = run_text(text_str(&sign));
    assert_int_equal(signed_ran.exit_code, 0);
    OWNED(text_done) struct text look = {0};
    text_addf(&look,
              "cli/muster charter lint -o json --file %s/charter.jws --signers "
              "%s/made/keeper/signers.json",
              folder, folder);
    OWNED(ran_done) struct ran ran = run_text(text_str(&look));
    OWNED(json_drop) json_t *findings = NULL;
    assert_ok(json_parse(span_of_text((const char *)ran.out.at), 1 << 20, &findings, &err));
    assert_int_equal(ran.exit_code, 0);
    assert_string_equal(json_string_value(json_object_get(json_array_get(findings, 0), "code")),
                        "threshold-one");
    static const char *const news[][2] = {{"charter.jws", "1 signature: enough"},
                                          {"made/charter/charter.json", "0 signatures: too few"}};
    for (size_t i = 0; i < countof(news); i++) {
        OWNED(text_done) struct text compare = {0};
        text_addf(&compare,
                  "cli/muster charter diff %s/made/charter/charter.json %s/%s --signers "
                  "%s/made/keeper/signers.json",
                  folder, folder, news[i][0], folder);
        OWNED(ran_done) struct ran same = run_text(text_str(&compare));
        assert_int_equal(same.exit_code, 0);
        assert_non_null(strstr((const char *)same.out.at, "0 widen, 0 narrow"));
        assert_non_null(strstr((const char *)same.out.at, news[i][1]));
    }
}

static void what_is_no_charter_is_a_wrong_argument(void **state)
{
    OWNED(mem_drop) char *list = scratch_path(*state, "list.json");
    struct error err = {0};
    assert_ok(file_write(list, span_of_text("[]"), 0644, &err));
    OWNED(ran_done) struct ran ran = lint(list, NULL);
    assert_int_equal(ran.exit_code, 2);
    assert_used_wrongly("cli/muster charter lint");
    assert_used_wrongly("cli/muster charter lint --file nowhere.json");
    assert_used_wrongly("cli/muster charter lint --file nowhere.json -o yaml");
}

static struct ran diff(const char *was, const char *is, const char *more)
{
    struct line line = line_of("cli/muster charter diff");
    line_add(&line, was);
    line_add(&line, is);
    if (more != NULL)
        line_add(&line, more);
    struct ran ran = run_line(&line);
    line_done(&line);
    return ran;
}

static void diff_says_which_way_each_change_goes(void **state)
{
    OWNED(json_drop) json_t *charter = charter_sound();
    OWNED(mem_drop) char *was = put(*state, "was.json", charter);
    charter_change(charter, "/grants/key/fleets", "[\"web\"]");
    charter_change(charter, "/policies/web/snp/require_crl", "false");
    OWNED(mem_drop) char *is = put(*state, "is.json", charter);
    OWNED(ran_done) struct ran human = diff(was, is, NULL);
    OWNED(ran_done) struct ran json = diff(was, is, "-o=json");
    const char *text = (const char *)human.out.at;
    assert_int_equal(human.exit_code, 0);
    assert_non_null(strstr(text, "narrows /grants/key/fleets\n"));
    assert_non_null(strstr(text, "widens  /policies/web/snp/require_crl\n"));
    assert_non_null(strstr(text, "1 widen, 1 narrow"));
    OWNED(json_drop) json_t *answer = json_loads((const char *)json.out.at, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(answer, "widens")), 1);
    assert_int_equal(json_array_size(json_object_get(answer, "changes")), 2);
}

static void diff_compares_only_charters(void **state)
{
    OWNED(json_drop) json_t *charter = charter_sound();
    OWNED(mem_drop) char *sound = put(*state, "sound.json", charter);
    charter_change(charter, "/surprise", "1");
    OWNED(mem_drop) char *strange = put(*state, "strange.json", charter);
    OWNED(ran_done) struct ran ran = diff(sound, strange, NULL);
    OWNED(ran_done) struct ran back = diff(strange, sound, NULL);
    assert_int_equal(ran.exit_code, 2);
    assert_int_equal(back.exit_code, 2);
    assert_used_wrongly("cli/muster charter diff");
    assert_used_wrongly("cli/muster charter diff one.json");
    assert_used_wrongly("cli/muster charter diff nowhere.json nowhere.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lint_lets_a_sound_charter_pass_and_stops_at_an_error,
                                        scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(lint_knows_the_regions_of_the_clouds, scratch_open,
                                        scratch_close),
        cmocka_unit_test(every_finding_is_explained),
        cmocka_unit_test_setup_teardown(lint_reads_what_was_signed, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(diff_says_which_way_each_change_goes, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(diff_compares_only_charters, scratch_open, scratch_close),
        cmocka_unit_test_setup_teardown(what_is_no_charter_is_a_wrong_argument, scratch_open,
                                        scratch_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
