/* The built `muster fleet check`, `muster catalogue check` and `sign`: offline, with rule and
 * source.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

enum { WORDS_MAX = 16 };

/* `line` is split at blanks; what begins with '@' is a file of the folder. */
static struct ran muster(const char *folder, const char *line)
{
    const char *argv[WORDS_MAX + 2] = {"cli/muster"};
    char paths[WORDS_MAX][256];
    OWNED(mem_drop) char *copy = mem_text(line);
    char *rest = NULL;
    size_t count = 1;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        assert_true(count < WORDS_MAX);
        snprintf(paths[count], sizeof paths[count], "%s/%s", folder, word + 1);
        argv[count] = word[0] == '@' ? paths[count] : word;
        count++;
    }
    return run(argv);
}

static void put(const char *folder, const char *name, const char *text)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(folder, name);
    assert_ok(file_write(path, span_of_text(text), 0600, &err));
}

#define FLEET_OF(size, more)                                                                       \
    "{\"name\":\"web\",\"desired\":3,\"account\":\"acme\",\"image\":\"stock\",\"size\":\"" size    \
    "\",\"policy\":\"web\"" more "}"

static int open_files(void **state)
{
    if (scratch_open(state) != 0)
        return -1;
    const char *folder = *state;
    put(folder, "good.json", FLEET_OF("m6a.large", ""));
    put(folder, "large.json", FLEET_OF("m6a.12xlarge", ""));
    put(folder, "both.json", FLEET_OF("m6a.xlarge", ",\"features\":[\"snp\",\"enclaves\"]"));
    put(folder, "parents.json",
        FLEET_OF("m5.2xlarge", ",\"features\":[\"enclaves\"],\"enclaves\":{\"vcpus\":2,"
                               "\"count\":3}"));
    put(folder, "crowded.json",
        FLEET_OF("m5.2xlarge", ",\"features\":[\"enclaves\"],\"enclaves\":{\"vcpus\":2,"
                               "\"count\":4}"));
    put(folder, "halves.json",
        FLEET_OF("m5.xlarge", ",\"features\":[\"enclaves\"],\"enclaves\":{\"vcpus\":1}"));
    put(folder, "rooms.json", FLEET_OF("m5.xlarge", ",\"enclaves\":{\"vcpus\":2}"));
    put(folder, "spread.json",
        "{\"name\":\"web\",\"desired\":3,\"image\":\"stock\",\"size\":\"m6a.large\","
        "\"policy\":\"web\",\"places\":[{\"account\":\"acme\",\"zones\":[\"us-east-2a\","
        "\"us-east-2b\"]},{\"account\":\"blue\",\"size\":\"Standard_DC2es_v5\"}]}");
    put(folder, "blue.json",
        "{\"name\":\"blue\",\"driver\":\"azure\",\"region\":\"westeurope\","
        "\"subscription\":\"00000000-0000-0000-0000-000000000001\",\"resource_group\":\"g\","
        "\"credentials\":{\"source\":\"environment\"}}");
    put(folder, "account.json",
        "{\"name\":\"acme\",\"driver\":\"aws\",\"region\":\"us-east-2\","
        "\"credentials\":{\"source\":\"environment\"}}");
    put(folder, "other.json",
        "{\"name\":\"other\",\"driver\":\"aws\",\"region\":\"us-east-2\","
        "\"credentials\":{\"source\":\"environment\"}}");
    put(folder, "image.json",
        "{\"name\":\"stock\",\"driver\":\"aws\",\"ref\":\"ami-1\",\"boot_mode\":\"legacy-bios\","
        "\"os\":{\"name\":\"ubuntu\",\"version\":\"24.04\"}}");
    put(folder, "shouted.json", FLEET_OF("M6A.large", ""));
    put(folder, "fit.json",
        "{\"name\":\"stock\",\"driver\":\"aws\",\"ref\":\"ami-1\",\"boot_mode\":\"uefi\","
        "\"os\":{\"name\":\"ubuntu\",\"version\":\"24.04\"}}");
    put(folder, "wish.json", "{\"cloud\":\"azure\",\"size\":\"DC2es_v5\",\"features\":[\"snp\"]}");
    put(folder, "dedicated.json",
        "{\"cloud\":\"aws\",\"size\":\"m6a.large\",\"features\":[\"snp\",\"dedicated-host\"]}");
    put(folder, "edition.json",
        "{\"edition\":\"ours\",\"version\":1,\"issued\":\"2026-12-01T00:00:00Z\",\"title\":\"t\","
        "\"rules\":[{\"id\":\"our-sizes\",\"kind\":\"sizes\",\"cloud\":\"aws\","
        "\"sure\":\"model\",\"says\":\"s\",\"source\":\"our list\","
        "\"valid_from\":\"2026-01-01T00:00:00Z\",\"sizes\":{\"r6a.large\":{}}}]}");
    OWNED(text_done) struct text line = {0};
    text_addf(&line, "keeper init --dir %s/made --realm simulation", folder);
    OWNED(ran_done) struct ran ran = muster(folder, text_str(&line));
    return ran.exit_code;
}

static bool says(const struct bytes *text, const char *words)
{
    return text->len > 0 && memmem(text->at, text->len, words, strlen(words)) != NULL;
}

static void expect(const char *folder, const char *line, int exit_code, const char *said)
{
    OWNED(ran_done) struct ran ran = muster(folder, line);
    if (ran.exit_code != exit_code || (!says(&ran.out, said) && !says(&ran.err, said)))
        fail_msg("%s: %d: %.*s%.*s", line, ran.exit_code, (int)ran.out.len,
                 (const char *)ran.out.at, (int)ran.err.len, (const char *)ran.err.at);
}

/* R38, R160: what the enclaves of a parent need, before it is launched. */
static void parents_of_enclaves_are_checked_with_what_they_hold(void **state)
{
    static const struct {
        const char *line;
        int exit_code;
        const char *said;
    } rows[] = {
        {"fleet check @parents.json --account @account.json", 0, "not refused"},
        {"fleet check @crowded.json --account @account.json", 3, "ne-x86-parent-keeps"},
        {"fleet check @halves.json --account @account.json", 3, "ne-x86-whole-cores"},
        {"fleet check @rooms.json --account @account.json", 2, "only a fleet with the feature"},
        {"fleet check @parents.json --account @blue-too.json", 3, "azure-no-enclaves"},
    };
    put(*state, "blue-too.json",
        "{\"name\":\"acme\",\"driver\":\"azure\",\"region\":\"westeurope\","
        "\"subscription\":\"00000000-0000-0000-0000-000000000001\",\"resource_group\":\"g\","
        "\"credentials\":{\"source\":\"environment\"}}");
    for (size_t i = 0; i < countof(rows); i++)
        expect(*state, rows[i].line, rows[i].exit_code, rows[i].said);
}

/* R1, R158, R160: exit code 3, rule and source. */
static void a_specification_is_checked_without_a_controller(void **state)
{
    static const struct {
        const char *line;
        int exit_code;
        const char *said;
    } rows[] = {
        {"fleet check @good.json --account @account.json", 0, "not refused, with what stands"},
        {"fleet check @good.json --account @account.json --image @fit.json", 0,
         "nothing speaks against it"},
        {"fleet check @large.json --account @account.json", 3, "snp-sizes"},
        {"fleet check @large.json --account @account.json --edition seed-2025", 3,
         "whitepaper, Appendix A"},
        {"fleet check @both.json --account @account.json", 3, "snp-no-enclaves"},
        {"fleet check @good.json --account @account.json --image @image.json", 3, "snp-boot-mode"},
        {"fleet check @good.json --account @account.json --edition @edition.json", 3, "our-sizes"},
        {"fleet check @good.json", 2, "--account"},
        {"fleet check @good.json --account @other.json", 2, "no account other"},
        {"fleet check @spread.json --account @account.json --account @blue.json", 3,
         "azure-snp-sizes"},
        {"fleet check @spread.json --account @account.json --account @blue.json --edition "
         "seed-2025",
         0, "acme us-east-2b"},
        {"fleet check @spread.json --account @account.json", 2, "of blue is needed"},
        {"fleet check @account.json --account @account.json", 2, "unknown member"},
        {"fleet check @good.json --account @account.json --edition seed-1999", 2, "seed-1999"},
        {"fleet check @absent.json --account @account.json", 2, "absent.json"},
        {"fleet check", 2, "usage"},
        {"fleet check @good.json --account @account.json -o xml", 2, "json or table"},
        {"fleet", 2, "which?"},
        {"catalogue check @wish.json", 3, "azure-snp-sizes"},
        {"catalogue check @wish.json --edition seed-2025", 0, "seed-2025 says nothing of it"},
        {"catalogue check @dedicated.json --at 2026-01-01T00:00:00Z", 3, "snp-no-dedicated-host"},
        {"catalogue check @dedicated.json --at 2026-12-01T00:00:00Z", 0, "not refused"},
        {"catalogue check @dedicated.json --at 2026-12-01T00:00:00Z --edition seed-2025", 3,
         "snp-no-dedicated-host"},
        {"fleet check @shouted.json --account @account.json", 3,
         "M6A.large is not one of these sizes, m6a.large is"},
        {"fleet check @large.json --account @account.json", 3, "3 findings"},
        {"catalogue check @account.json", 2, "account.json: /"},
        {"catalogue check @account.json", 2, "unknown member"},
        {"catalogue", 2, "which?"},
    };
    for (size_t i = 0; i < countof(rows); i++)
        expect(*state, rows[i].line, rows[i].exit_code, rows[i].said);
}

static void json_is_for_programs(void **state)
{
    OWNED(ran_done)
    struct ran ran = muster(*state, "fleet check @large.json --account @account.json -o json");
    struct error err = {0};
    OWNED(json_drop) json_t *answer = NULL;
    const struct span printed = span_of_text((const char *)ran.out.at);
    assert_ok(json_parse(printed, 1 << 20, &answer, &err));
    assert_int_equal(ran.exit_code, 3);
    assert_string_equal(json_string_value(json_object_get(answer, "result")), "refused");
    const json_t *place = json_array_get(json_object_get(answer, "places"), 0);
    const json_t *finding = json_array_get(json_object_get(place, "findings"), 0);
    assert_string_equal(json_string_value(json_object_get(finding, "rule")), "snp-sizes");
    assert_true(json_string_length(json_object_get(finding, "source")) > 10);
}

static void an_edition_is_signed_and_counts_under_its_signers(void **state)
{
    const char *folder = *state;
#define SIGN "catalogue sign --file @edition.json --key @made/charter/key.pem --out @edition.jws"
#define CHECK "catalogue check @dedicated.json --edition @edition.jws"
    OWNED(ran_done) struct ran ran = muster(folder, SIGN);
    assert_int_equal(ran.exit_code, 0);
    expect(folder, CHECK " --signers @made/controller/signers.json", 3, "our-sizes");
    expect(folder, CHECK, 3, "our-sizes");
    expect(folder, "catalogue sign --signed @edition.jws --key @made/charter/key.pem --out @x.jws",
           1, "signed already");
    expect(folder, "catalogue sign --file @wish.json --key @made/charter/key.pem --out @x.jws", 2,
           "unknown member");
    expect(folder, "catalogue sign --file @edition.json --key @made/charter/key.pem", 2, "--out");
    expect(folder, "charter show --file @edition.jws --signers @made/controller/signers.json", 3,
           "");
}

/* Anybody finds what a rule is by its name. */
static void a_rule_is_explained(void **state)
{
    expect(*state, "explain snp-no-enclaves", 0, "Hibernation and Nitro Enclaves");
    expect(*state, "explain gcp-snp-zones", 0, "Zones that are known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_specification_is_checked_without_a_controller),
        cmocka_unit_test(parents_of_enclaves_are_checked_with_what_they_hold),
        cmocka_unit_test(json_is_for_programs),
        cmocka_unit_test(an_edition_is_signed_and_counts_under_its_signers),
        cmocka_unit_test(a_rule_is_explained),
    };
    return cmocka_run_group_tests_name("cli_catalogue", tests, open_files, scratch_close);
}
