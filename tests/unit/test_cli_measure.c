/* The built `muster measure`: every sample of the manifest, options, exit codes, bad files (R30,
 * R79: the reference value is worked out, not taken on trust). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "tests/support/line.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void add_text(struct line *line, const char *option, const json_t *object, const char *name)
{
    const char *value = text_of(object, name);
    if (value == NULL)
        return;
    line_add(line, option);
    line_add(line, value);
}

static void add_number(struct line *line, const char *option, const json_t *object,
                       const char *name)
{
    const json_t *value = json_object_get(object, name);
    char text[24];
    if (!json_is_integer(value))
        return;
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    line_add(line, option);
    line_add(line, text);
}

static struct line launch_line(const json_t *test_case)
{
    const json_t *files = json_object_get(test_case, "files");
    struct line line = line_of("cli/muster measure");
    line_add_file(&line, "--ovmf", "measure", files, "ovmf");
    line_add_file(&line, "--kernel", "measure", files, "kernel");
    line_add_file(&line, "--initrd", "measure", files, "initrd");
    line_add_file(&line, "--svsm", "measure", files, "svsm");
    add_number(&line, "--vcpus", test_case, "vcpus");
    add_number(&line, "--ovmf-vars-size", test_case, "ovmf_vars_size");
    add_text(&line, "--vmm", test_case, "vmm");
    add_text(&line, "--vcpu-type", test_case, "vcpu_type");
    add_text(&line, "--guest-features", test_case, "guest_features");
    add_text(&line, "--append", test_case, "append");
    add_text(&line, "--ovmf-hash", test_case, "ovmf_hash");
    add_text(&line, "--ec2-rdx", test_case, "ec2_rdx");
    return line;
}

static struct line id_block_line(const json_t *test_case)
{
    const json_t *files = json_object_get(test_case, "files");
    struct line line = line_of("cli/muster measure id-block");
    add_text(&line, "--launch-digest", test_case, "launch_digest");
    add_text(&line, "--policy", test_case, "policy");
    add_number(&line, "--guest-svn", test_case, "guest_svn");
    line_add_file(&line, "--id-key", "measure", files, "id_key");
    line_add_file(&line, "--author-key", "measure", files, "author_key");
    return line;
}

static char *expected_output(const json_t *expect)
{
    static const char *const names[] = {"id_block", "id_key_digest", "author_key_digest"};
    OWNED(text_done) struct text out = {0};
    if (text_of(expect, "digest") != NULL)
        text_addf(&out, "%s\n", text_of(expect, "digest"));
    for (size_t i = 0; i < countof(names); i++)
        if (text_of(expect, names[i]) != NULL)
            text_addf(&out, "%s %s\n", names[i], text_of(expect, names[i]));
    return text_take(&out);
}

static void check_case(const json_t *test_case)
{
    const json_t *expect = json_object_get(test_case, "expect");
    const char *reason = text_of(expect, "reason");
    OWNED(line_done)
    struct line line = strcmp(text_of(test_case, "mode"), "id-block") == 0
                           ? id_block_line(test_case)
                           : launch_line(test_case);
    OWNED(ran_done) struct ran ran = run_line(&line);
    OWNED(mem_drop) char *want = expected_output(expect);
    OWNED(text_done) struct text said = {0};
    text_addf(&said, "muster: %s: ", reason != NULL ? reason : "");
    const bool refused =
        strncmp((const char *)ran.err.at, text_str(&said), strlen(text_str(&said))) == 0;
    if (strcmp((const char *)ran.out.at, reason == NULL ? want : "") != 0 ||
        ran.exit_code != (reason == NULL ? 0 : 3) || refused != (reason != NULL))
        fail_msg("%s: exit %d, %s%s", text_of(test_case, "name"), ran.exit_code,
                 (const char *)ran.out.at, (const char *)ran.err.at);
}

static void every_sample_gives_the_digest_or_the_reason_of_its_manifest(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *manifest = vectors_json("measure/manifest.json");
    size_t i;
    json_t *test_case;
    json_array_foreach (json_object_get(manifest, "cases"), i, test_case)
        check_case(test_case);
    assert_true(i >= 23);
}

static void with_json_all_inputs_and_parts_are_named(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    struct error err = {0};
    OWNED(json_drop) json_t *manifest = vectors_json("measure/manifest.json");
    const json_t *first = json_array_get(json_object_get(manifest, "cases"), 0);
    OWNED(line_done) struct line line = launch_line(first);
    line_add(&line, "-o");
    line_add(&line, "json");
    OWNED(ran_done) struct ran ran = run_line(&line);
    OWNED(json_drop) json_t *answer = NULL;
    assert_ok(json_parse(span_of_text((const char *)ran.out.at), 1 << 16, &answer, &err));
    assert_string_equal(text_of(answer, "launch_digest"),
                        text_of(json_object_get(first, "expect"), "digest"));
    assert_string_equal(text_of(answer, "vcpu_sig"), "0x800f12");
    assert_string_equal(text_of(answer, "guest_features"), "0x21");
    assert_int_equal(strlen(text_of(json_object_get(answer, "direct_boot"), "kernel_sha256")), 64);
}

static void wrong_arguments_exit_with_2_and_one_line(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "cli/muster measure",
        "cli/muster measure --vcpus 1",
        "cli/muster measure --ovmf /nowhere --vcpus 1 --vcpu-sig 0x800f12",
        "cli/muster measure --ovmf /dev/zero --vcpus 1 --vcpu-sig 0x800f12",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1",
        "cli/muster measure --ovmf /etc/hostname --vcpus none --vcpu-sig 1",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1025 --vcpu-sig 1",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1 --vcpu-sig 0x",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1 --vcpu-sig -1",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1 --vcpu-sig 100000000",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1 --vcpu-type Pentium",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1 --vcpu-type EPYC-Milan-v",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1 --vcpu-type EPYC --vcpu-sig 1",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1 --vmm xen",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1 --vmm ec2 --append x",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1 --vmm ec2 --ovmf-hash 00",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1 --vmm ec2 --ovmf-vars-size 4096",
        "cli/muster measure --ovmf /etc/hostname --vcpus 1 --vmm ec2 -o yaml",
        "cli/muster measure id-block --policy 0x30000 --guest-svn 0 --id-key /etc/hostname",
        "cli/muster measure id-block --launch-digest 00 --policy 0 --guest-svn 0 --id-key x",
    };
    for (size_t i = 0; i < countof(lines); i++)
        assert_used_wrongly(lines[i]);
}

/* What excludes or needs each other is said in these words, before any file is looked at. */
static void wrong_combinations_are_named(void **state)
{
    (void)state;
    static const char *const lines[][2] = {
        {"cli/muster measure --vcpus 1", "--ovmf FILE and --vcpus N must be there"},
        {"cli/muster measure --ovmf /nowhere --vcpus 1 --vcpu-sig 1 --svsm /nowhere "
         "--ovmf-vars-size 0 --kernel /nowhere",
         "an SVSM measures no kernel"},
        {"cli/muster measure --ovmf /nowhere --vcpus 1 --vcpu-sig 1 --svsm /nowhere",
         "--svsm and --ovmf-vars-size need each other"},
        {"cli/muster measure id-block --policy 0x30000 --guest-svn 0 --id-key /nowhere",
         "--launch-digest, --policy, --guest-svn and --id-key must be there"},
    };
    for (size_t i = 0; i < countof(lines); i++) {
        OWNED(ran_done) struct ran ran = run_text(lines[i][0]);
        assert_int_equal(ran.exit_code, 2);
        if (strstr((const char *)ran.err.at, lines[i][1]) == NULL)
            fail_msg("%s: %s", lines[i][0], (const char *)ran.err.at);
    }
}

static void an_empty_svsm_is_refused(void **state)
{
    (void)state;
    const char *v = vectors_folder();
    char line[2048];
    if (v == NULL)
        skip();
    snprintf(line, sizeof line,
             "cli/muster measure --ovmf %s/measure/fixtures/ovmf_AmdSev_suffix.bin --vcpus 1 "
             "--vcpu-sig 1 --svsm %s/measure/fixtures/empty --ovmf-vars-size 0",
             v, v);
    OWNED(ran_done) struct ran ran = run_text(line);
    assert_int_equal(ran.exit_code, 3);
    assert_non_null(strstr((const char *)ran.err.at, "muster: malformed: an SVSM of 0 bytes"));
}

static void a_firmware_of_zero_vcpus_is_used_wrongly(void **state)
{
    (void)state;
    assert_used_wrongly("cli/muster measure --ovmf /etc/hostname --vcpus 0 --vmm ec2");
}

static void a_file_that_is_no_firmware_is_refused_with_its_reason(void **state)
{
    (void)state;
    OWNED(ran_done)
    struct ran ran = run_text("cli/muster measure --ovmf cli/muster --vcpus 1 "
                              "--vmm ec2");
    assert_int_equal(ran.exit_code, 3);
    assert_string_equal((const char *)ran.out.at, "");
    assert_non_null(strstr((const char *)ran.err.at, "muster: malformed: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_gives_the_digest_or_the_reason_of_its_manifest),
        cmocka_unit_test(with_json_all_inputs_and_parts_are_named),
        cmocka_unit_test(wrong_arguments_exit_with_2_and_one_line),
        cmocka_unit_test(wrong_combinations_are_named),
        cmocka_unit_test(an_empty_svsm_is_refused),
        cmocka_unit_test(a_firmware_of_zero_vcpus_is_used_wrongly),
        cmocka_unit_test(a_file_that_is_no_firmware_is_refused_with_its_reason),
    };
    return cmocka_run_group_tests_name("cli_measure", tests, NULL, NULL);
}
