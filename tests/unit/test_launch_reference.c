/* One firmware under every size and host: each value is the launch digest of that size and host,
 * and the built `muster image add` prints them as a reference that a charter takes (R68). */
#include "lib/attest/launch_reference.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/model/charter.h"
#include "tests/support/charters.h"
#include "tests/support/line.h"
#include "tests/support/made_firmware.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

static uint8_t image[FIRMWARE_MADE_SIZE];

static struct reference_wish wish_of(enum vmm vmm)
{
    const struct firmware_wish usual = firmware_wish_usual();
    firmware_make(&usual, image);
    return (struct reference_wish){
        .launch = {.ovmf = SPAN_OF(image), .vmm = vmm},
        .vcpu_count = 3,
        .vcpus = {1, 2, 64},
        .cpuid_count = 2,
        .cpuids = {0xa00f11, 0xa10f10},
        .feature_count = 2,
        .features = {1, 0x21},
    };
}

static void assert_right(const struct reference_wish *wish, const struct reference_value *value)
{
    struct error err = {0};
    struct launch_result result;
    struct launch launch = wish->launch;
    launch.vcpus = value->vcpus;
    launch.cpuid = value->cpuid;
    launch.guest_features = value->guest_features;
    launch.ec2_rdx = value->ec2_rdx;
    assert_ok(launch_digest(&launch, &result, &err));
    assert_memory_equal(result.digest, value->digest, LAUNCH_DIGEST_SIZE);
}

static void every_value_is_the_launch_digest_of_its_size_and_host(void **state)
{
    (void)state;
    static const struct {
        enum vmm vmm;
        size_t count;
    } cases[] = {{VMM_QEMU, 3 * 2 * 2}, {VMM_EC2, 3 * 2 * 2}, {VMM_GCE, 3 * 2}};
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err = {0};
        static struct reference_values values;
        values.count = 0;
        const struct reference_wish wish = wish_of(cases[i].vmm);
        assert_ok(reference_values_add(&wish, &values, &err));
        assert_int_equal(values.count, cases[i].count);
        for (size_t j = 0; j < values.count; j++) {
            assert_right(&wish, &values.at[j]);
            for (size_t k = 0; k < j; k++)
                assert_memory_not_equal(values.at[j].digest, values.at[k].digest,
                                        LAUNCH_DIGEST_SIZE);
        }
        assert_ok(reference_values_add(&wish, &values, &err)); /* the same file again */
        assert_int_equal(values.count, cases[i].count);
    }
}

static void more_values_than_a_policy_takes_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    static struct reference_values values;
    struct reference_wish wish = wish_of(VMM_EC2);
    wish.vcpu_count = REFERENCE_LIST_MAX;
    for (int i = 0; i < REFERENCE_LIST_MAX; i++)
        wish.vcpus[i] = i + 1;
    wish.feature_count = 3;
    wish.features[2] = 5;
    assert_fails(reference_values_add(&wish, &values, &err), ERR_INVALID, "too-many-values");
}

/* R158: exactly these sixteen. */
static void ec2_has_sixteen_sizes(void **state)
{
    (void)state;
    static const char *const not_these[] = {"m6a.12xlarge", "c6a.24xlarge", "r6a.8xlarge",
                                            "m5.large",     "m6a",          ""};
    for (size_t i = 0; i < countof(not_these); i++)
        assert_null(ec2_size_find(not_these[i]));
    assert_int_equal(ec2_size_find("c6a.16xlarge")->vcpus, 64);
    assert_int_equal(ec2_size_find("r6a.large")->vcpus, 2);
}

/* ---- the command ---- */

static int open_firmware(void **state)
{
    struct error err = {0};
    if (scratch_open(state) != 0)
        return -1;
    OWNED(mem_drop) char *path = scratch_path(*state, "ovmf.fd");
    OWNED(mem_drop) char *kernel = scratch_path(*state, "kernel");
    (void)wish_of(VMM_QEMU);
    assert_ok(file_write(path, SPAN_OF(image), 0644, &err));
    assert_ok(file_write(kernel, span_of_text("a kernel"), 0644, &err));
    return 0;
}

static struct ran add_image(const char *folder, const char *more)
{
    OWNED(text_done) struct text text = {0};
    text_addf(&text, "cli/muster image add --ovmf %s/ovmf.fd", folder);
    struct line line = line_of(text_str(&text));
    struct line words = line_of(more);
    for (size_t i = 0; i < words.count; i++) {
        OWNED(text_done) struct text word = {0};
        const char *at = strchr(words.words[i], '@'); /* the folder */
        text_add_span(&word, SPAN(words.words[i], at != NULL ? (size_t)(at - words.words[i])
                                                             : strlen(words.words[i])));
        if (at != NULL)
            text_addf(&word, "%s%s", folder, at + 1);
        line_add(&line, text_str(&word));
    }
    line_done(&words);
    struct ran ran = run_line(&line);
    line_done(&line);
    return ran;
}

static void assert_a_charter_takes(const char *reference)
{
    struct error err = {0};
    OWNED(json_drop) json_t *charter = charter_sound();
    OWNED(charter_drop) struct charter *parsed = NULL;
    charter_change(charter, "/references/made", reference);
    charter_change(charter, "/policies/web/references", "[\"made\"]");
    OWNED(mem_drop) char *text = json_print(charter);
    assert_ok(charter_parse(span_of_text(text), &parsed, &err));
}

static void an_image_on_ec2_has_a_value_for_every_size(void **state)
{
    OWNED(ran_done) struct ran ran = add_image(*state, "--vmm ec2");
    assert_int_equal(ran.exit_code, 0);
    OWNED(json_drop) json_t *reference = json_loads((const char *)ran.out.at, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(reference, "measurement")), 14);
    assert_true(json_is_false(json_object_get(reference, "measured_boot")));
    assert_string_equal(json_string_value(json_object_get(reference, "provider_execution")), "on");
    assert_a_charter_takes((const char *)ran.out.at);

    OWNED(ran_done)
    struct ran few =
        add_image(*state, "--vmm ec2 --sizes m6a.large,c6a.large,c6a.16xlarge -o json");
    OWNED(json_drop) json_t *answer = json_loads((const char *)few.out.at, 0, NULL);
    const json_t *values = json_object_get(answer, "values");
    assert_int_equal(json_array_size(values), 4);
    assert_string_equal(json_string_value(json_object_get(json_array_get(values, 3), "ec2_rdx")),
                        "0x0");
    assert_int_equal(json_array_size(json_object_get(json_array_get(values, 3), "sizes")), 1);
}

/* What `muster measure` says of one size stands in the reference of all. */
static void the_reference_holds_what_measure_says(void **state)
{
    OWNED(ran_done)
    struct ran ran = add_image(*state, "--vcpus 1,2,4 --vcpu-type EPYC-Milan --vcpu-type EPYC-v4 "
                                       "--kernel @/kernel --anchor host-data "
                                       "--provider-execution off");
    assert_int_equal(ran.exit_code, 0);
    OWNED(json_drop) json_t *reference = json_loads((const char *)ran.out.at, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(reference, "measurement")), 6);
    assert_true(json_is_true(json_object_get(reference, "measured_boot")));
    assert_a_charter_takes((const char *)ran.out.at);
    OWNED(text_done) struct text line = {0};
    text_addf(&line,
              "cli/muster measure --ovmf %s/ovmf.fd --vcpus 4 --vcpu-type EPYC-v4 --kernel "
              "%s/kernel",
              (const char *)*state, (const char *)*state);
    OWNED(ran_done) struct ran measured = run_text(text_str(&line));
    assert_int_equal(measured.exit_code, 0);
    char hex[97];
    snprintf(hex, sizeof hex, "%.96s", (const char *)measured.out.at);
    assert_non_null(strstr((const char *)ran.out.at, hex));
}

/* Digests that another implementation worked out of the same firmware. */
static void references_hold_the_samples_digests(void **state)
{
    (void)state;
    static const struct {
        const char *more, *firmware, *digest;
    } cases[] = {
        {"--vmm ec2", "ovmf_AmdSev_suffix.bin",
         "45160b0bd6416da62b6cefb16afa8437d8d49d1d29428cf0f16373a4ef2911df1f7e01bf05a3d7ec3dd66090d"
         "24f59c7"},
        {"--vmm gce --vcpus 2,16", "ovmf_AmdSev_suffix.bin",
         "f826b9ed45136c630b7424d5cd3b94f92b9419d7c9a045a6eb4b0e5e7c062e11b52b36c401c0ffc2f91b42841"
         "8e5a98a"},
        {"--vcpus 64,2 --vcpu-type EPYC-Milan --vcpu-type EPYC-Genoa", "ovmf_AmdSev_suffix.bin",
         "32df9b55c0bc2b977397baf14860a0fb0992c4beb3e1a9691260a0b46848c9626843ef47f12b4d24d57a0c5a5"
         "32c1afd"},
    };
    const char *folder = vectors_folder();
    if (folder == NULL)
        skip();
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(text_done) struct text text = {0};
        text_addf(&text, "cli/muster image add --ovmf %s/measure/fixtures/%s %s", folder,
                  cases[i].firmware, cases[i].more);
        OWNED(ran_done) struct ran ran = run_text(text_str(&text));
        assert_int_equal(ran.exit_code, 0);
        assert_non_null(strstr((const char *)ran.out.at, cases[i].digest));
    }
}

/* The pages of the firmware are hashed once, the SVSM's for every count: both samples must come. */
static void an_svsm_is_measured_for_every_count(void **state)
{
    (void)state;
    const char *folder = vectors_folder();
    if (folder == NULL)
        skip();
    OWNED(text_done) struct text text = {0};
    text_addf(
        &text,
        "cli/muster image add --ovmf %s/measure/fixtures/svsm_ovmf.fd --svsm "
        "%s/measure/fixtures/svsm.bin --ovmf-vars-size 540672 --vcpus 2,4 --vcpu-type EPYC-v4",
        folder, folder);
    OWNED(ran_done) struct ran ran = run_text(text_str(&text));
    const char *out = (const char *)ran.out.at;
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(out, "27d154c27b7b359c935e250ec6fee72aa0ae8c1225e3b0e1cf46a9567e938066d7"
                                "d6f94bbdc4a857818bdb79277a44b2"));
    assert_non_null(strstr(out, "9b94745036aafddf4f7f8b00c7513abb5b7703178cb95aaa57928bd963d68d3bfc"
                                "b715d6019b9167ee2517b11b0d9be7"));
}

static void what_makes_no_sense_is_refused(void **state)
{
    static const struct {
        const char *more;
        int exit_code;
    } cases[] = {
        {"", 2},
        {"--vcpus 1", 2}, /* QEMU: which vCPU? */
        {"--vmm gce", 2}, /* how many? */
        {"--vmm ec2 --sizes m5.large", 2},
        {"--vmm ec2 --sizes m6a.large,", 2},
        {"--vmm ec2 --sizes m6a.large --vcpus 2", 2},
        {"--vmm gce --sizes m6a.large", 2},
        {"--vmm gce --vcpus 0", 2},
        {"--vmm gce --vcpus 1,x", 2},
        {"--vmm gce --vcpus 1025", 2},
        {"--vmm gce --vcpus 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", 2},
        {"--vmm gce --vcpus 1 --anchor host-data", 2},
        {"--vmm gce --vcpus 1 --anchor vtpm", 2},
        {"--vmm gce --vcpus 1 --provider-execution perhaps", 2},
        {"--vmm gce --vcpus 1 --kernel @/kernel", 2},
        {"--vmm gce --vcpus 1 --initrd @/kernel", 2},
        {"--vmm gce --vcpus 1 --guest-features x", 2},
        {"--vmm gce --vcpus 1 --ovmf @/nowhere", 2},
        {"--vmm gce --vcpus 1 --ovmf @/kernel", 3},
        {"--vmm gce --vcpus 1 -o table", 2},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(ran_done) struct ran ran = add_image(*state, cases[i].more);
        if (ran.exit_code != cases[i].exit_code)
            fail_msg("'%s': exit %d, %s", cases[i].more, ran.exit_code, (const char *)ran.err.at);
    }
    assert_used_wrongly("cli/muster image");
    assert_used_wrongly("cli/muster image add");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_the_launch_digest_of_its_size_and_host),
        cmocka_unit_test(more_values_than_a_policy_takes_are_refused),
        cmocka_unit_test(ec2_has_sixteen_sizes),
        cmocka_unit_test_setup_teardown(an_image_on_ec2_has_a_value_for_every_size, open_firmware,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(the_reference_holds_what_measure_says, open_firmware,
                                        scratch_close),
        cmocka_unit_test(references_hold_the_samples_digests),
        cmocka_unit_test(an_svsm_is_measured_for_every_count),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused, open_firmware,
                                        scratch_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
