/* Firmware files built here, one thing wrong in each, and what must move a launch digest (R69).
 */
#include "lib/attest/launch_digest.h"

#include <string.h>

#include "lib/attest/firmware.h"
#include "lib/attest/id_block.h"
#include "tests/support/made_firmware.h"
#include "tests/support/test.h"

static enum outcome parse(const struct firmware_wish *wish, struct firmware *out, struct error *err)
{
    static uint8_t image[FIRMWARE_MADE_SIZE];
    firmware_make(wish, image);
    return firmware_parse(SPAN_OF(image), UINT64_C(1) << 32, out, err);
}

/* ---- firmware ------------------------------------------------------------------------------ */

static void a_firmware_is_read_as_it_was_built(void **state)
{
    (void)state;
    struct error err = {0};
    struct firmware firmware;
    const struct firmware_wish wish = firmware_wish_usual();
    assert_ok(parse(&wish, &firmware, &err));
    assert_int_equal(firmware.gpa, (UINT64_C(1) << 32) - FIRMWARE_MADE_SIZE);
    assert_int_equal(firmware.section_count, 5);
    assert_int_equal(firmware.sections[1].kind, SECTION_SECRETS);
    assert_int_equal(firmware.hash_table_gpa, 0x810c00);
    assert_int_equal(firmware.reset_eip, 0x80b004);
    assert_false(firmware.has_svsm_info);
    assert_true(firmware_has(&firmware, SECTION_KERNEL_HASHES));
}

static void assert_malformed(const struct firmware_wish *wish)
{
    struct error err = {0};
    struct firmware firmware;
    assert_fails(parse(wish, &firmware, &err), ERR_DENIED, "malformed");
}

static void whatever_lies_beyond_the_file_or_makes_no_sense_is_malformed(void **state)
{
    (void)state;
    struct firmware_wish wish = firmware_wish_usual();
    wish.metadata_version = 2;
    assert_malformed(&wish);
    static const uint32_t from_ends[] = {0, 15, FIRMWARE_MADE_SIZE + 1, UINT32_MAX};
    for (size_t i = 0; i < countof(from_ends); i++) {
        wish = firmware_wish_usual();
        wish.metadata_from_end = from_ends[i];
        assert_malformed(&wish);
    }
    static const uint32_t counts[] = {6000, 0x15555555, UINT32_MAX};
    for (size_t i = 0; i < countof(counts); i++) {
        wish = firmware_wish_usual();
        wish.claimed_count = counts[i];
        assert_malformed(&wish);
    }
    wish = firmware_wish_usual();
    wish.reset_twice = true;
    assert_malformed(&wish);
}

static void a_section_that_is_no_pages_or_too_much_or_unknown_is_malformed(void **state)
{
    (void)state;
    static const uint32_t bad[][3] = {
        {0x800000, 0, 1},          /* empty */
        {0x800000, 0x1001, 1},     /* no whole pages */
        {0x800001, 0x1000, 1},     /* not at a page */
        {0xfffff000, 0x2000, 1},   /* over 4 GiB */
        {0, 0x10001000, 1},        /* more than any firmware has */
        {0x800000, 0x1000, 5},     /* unknown */
        {0x800000, 0x1000, 0x110}, /* unknown, known in its low byte */
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct firmware_wish wish = firmware_wish_usual();
        memcpy(wish.sections[2], bad[i], sizeof bad[i]);
        assert_malformed(&wish);
    }
}

static void a_file_that_is_not_whole_pages_is_malformed(void **state)
{
    (void)state;
    static uint8_t image[FIRMWARE_MADE_SIZE];
    const struct firmware_wish wish = firmware_wish_usual();
    struct firmware firmware;
    struct error err = {0};
    firmware_make(&wish, image);
    static const size_t sizes[] = {0, 1, 32, 4095, FIRMWARE_MADE_SIZE - 1};
    for (size_t i = 0; i < countof(sizes); i++)
        assert_fails(firmware_parse(SPAN(image, sizes[i]), UINT64_C(1) << 32, &firmware, &err),
                     ERR_DENIED, "malformed");
    assert_fails(firmware_parse(SPAN_OF(image), FIRMWARE_MADE_SIZE - 1, &firmware, &err),
                 ERR_DENIED, "malformed");
}

static void every_cut_and_every_flipped_byte_of_the_table_ends_in_an_answer(void **state)
{
    (void)state;
    static uint8_t image[FIRMWARE_MADE_SIZE];
    const struct firmware_wish wish = firmware_wish_usual();
    struct firmware firmware;
    firmware_make(&wish, image);
    for (size_t i = FIRMWARE_MADE_SIZE - METADATA_FROM_END; i < FIRMWARE_MADE_SIZE; i++)
        for (int bit = 0; bit < 8; bit++) {
            struct error err = {0};
            image[i] ^= (uint8_t)(1 << bit);
            if (firmware_parse(SPAN_OF(image), UINT64_C(1) << 32, &firmware, &err) != OK)
                assert_string_equal(err.code, "malformed");
            image[i] ^= (uint8_t)(1 << bit);
        }
}

/* ---- the digest ---------------------------------------------------------------------------- */

struct bench {
    uint8_t image[FIRMWARE_MADE_SIZE];
    struct kernel_hashes hashes;
    struct launch launch;
};

static void bench_start(struct bench *b, const struct firmware_wish *wish)
{
    firmware_make(wish, b->image);
    kernel_hashes_of(span_of_text("kernel"), span_of_text("initrd"), "quiet", &b->hashes);
    b->launch = (struct launch){
        .ovmf = SPAN_OF(b->image),
        .vmm = VMM_QEMU,
        .vcpus = 2,
        .cpuid = 0xa00f11,
        .guest_features = 1,
        .kernel = &b->hashes,
    };
}

static void measure(const struct launch *launch, uint8_t out[static LAUNCH_DIGEST_SIZE])
{
    struct error err = {0};
    struct launch_result result;
    assert_ok(launch_digest(launch, &result, &err));
    memcpy(out, result.digest, LAUNCH_DIGEST_SIZE);
}

static void whatever_the_guest_would_start_with_moves_the_digest(void **state)
{
    (void)state;
    static struct bench b;
    const struct firmware_wish wish = firmware_wish_usual();
    enum { CHANGES = 9 };
    uint8_t seen[CHANGES + 1][LAUNCH_DIGEST_SIZE];
    struct kernel_hashes other;
    for (int change = 0; change <= CHANGES; change++) {
        bench_start(&b, &wish);
        switch (change) {
        case 1:
            b.launch.vcpus = 3;
            break;
        case 2:
            b.launch.cpuid = 0xa10f10;
            break;
        case 3:
            b.launch.guest_features = 0x21;
            break;
        case 4:
            b.launch.vmm = VMM_EC2;
            break;
        case 5:
            b.launch.vmm = VMM_GCE;
            break;
        case 6:
            b.launch.kernel = NULL;
            break;
        case 7:
            b.image[0] ^= 1;
            break;
        case 8:
            kernel_hashes_of(span_of_text("kernel"), span_of_text("initrd"), "quiet2", &other);
            b.launch.kernel = &other;
            break;
        case 9:
            kernel_hashes_of(span_of_text("kernel"), span_of_text("initrD"), "quiet", &other);
            b.launch.kernel = &other;
            break;
        default:
            break;
        }
        measure(&b.launch, seen[change]);
        for (int before = 0; before < change; before++)
            assert_memory_not_equal(seen[change], seen[before], LAUNCH_DIGEST_SIZE);
    }
}

static void the_digest_of_the_pages_stands_for_the_pages(void **state)
{
    (void)state;
    static struct bench b;
    const struct firmware_wish wish = firmware_wish_usual();
    struct error err = {0};
    struct launch_result whole, again;
    bench_start(&b, &wish);
    assert_ok(launch_digest(&b.launch, &whole, &err));
    b.image[0] ^= 1; /* no longer looked at */
    b.launch.ovmf_digest = whole.ovmf_digest;
    assert_ok(launch_digest(&b.launch, &again, &err));
    assert_memory_equal(whole.digest, again.digest, sizeof whole.digest);
}

static void a_kernel_needs_a_section_for_its_hashes(void **state)
{
    (void)state;
    static struct bench b;
    struct error err = {0};
    struct launch_result result;
    struct firmware_wish wish = firmware_wish_usual();
    wish.section_count = 4;
    bench_start(&b, &wish);
    assert_fails(launch_digest(&b.launch, &result, &err), ERR_DENIED, "no-kernel-hashes-section");
    b.launch.kernel = NULL;
    assert_ok(launch_digest(&b.launch, &result, &err));
}

static void hide(struct bench *b, const uint8_t guid[16])
{
    uint8_t *at = memmem(b->image, sizeof b->image, guid, 16);
    assert_non_null(at);
    at[0] ^= 1;
}

static void assert_says(const struct launch *launch, const char *says)
{
    struct error err = {0};
    struct launch_result result;
    assert_fails(launch_digest(launch, &result, &err), ERR_DENIED, "malformed");
    if (strstr(err.text, says) == NULL)
        fail_msg("'%s' is not '%s'", err.text, says);
}

/* A section for the hashes, and nothing that says where in it they go; no vector for more vCPUs. */
static void what_a_launch_needs_of_the_firmware_must_be_there(void **state)
{
    (void)state;
    static const uint8_t hash_table[16] = {0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
                                           0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54};
    static const uint8_t reset_block[16] = {0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
                                            0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e};
    static struct bench b;
    struct error err = {0};
    struct launch_result result;
    const struct firmware_wish wish = firmware_wish_usual();
    bench_start(&b, &wish);
    hide(&b, hash_table);
    assert_says(&b.launch, "no place for the hashes of a kernel");
    bench_start(&b, &wish);
    hide(&b, reset_block);
    b.launch.vcpus = 2;
    assert_says(&b.launch, "the firmware does not say where further vCPUs start");
    b.launch.vcpus = 1;
    assert_ok(launch_digest(&b.launch, &result, &err));
    bench_start(&b, &wish);
    b.launch.kernel = NULL;
    b.launch.svsm = SPAN_OF(b.image);
    b.launch.ovmf_vars_size = 1;
    assert_says(&b.launch, "no room for variables below the firmware");
    b.launch.ovmf_vars_size = 0;
    assert_says(&b.launch, "the SVSM does not say where it starts");
}

static void an_svsm_without_room_or_entry_is_malformed(void **state)
{
    (void)state;
    static struct bench b;
    struct error err = {0};
    struct launch_result result;
    const struct firmware_wish wish = firmware_wish_usual();
    bench_start(&b, &wish);
    b.launch.kernel = NULL;
    b.launch.svsm = SPAN_OF(b.image); /* an OVMF has no SVSM info */
    assert_fails(launch_digest(&b.launch, &result, &err), ERR_DENIED, "malformed");
    b.launch.ovmf_vars_size = UINT64_C(1) << 40;
    assert_fails(launch_digest(&b.launch, &result, &err), ERR_DENIED, "malformed");
    b.launch.ovmf_vars_size = 1;
    assert_fails(launch_digest(&b.launch, &result, &err), ERR_DENIED, "malformed");
}

static void an_id_key_is_a_p384_one(void **state)
{
    (void)state;
    struct error err = {0};
    uint8_t digest[SHA384_SIZE];
    OWNED(key_drop) struct key *right = NULL;
    OWNED(key_drop) struct key *wrong = NULL;
    assert_ok(key_generate(KEY_P384, &right, &err));
    assert_ok(key_generate(KEY_P256, &wrong, &err));
    assert_ok(id_key_digest(right, digest, &err));
    assert_fails(id_key_digest(wrong, digest, &err), ERR_INVALID, "unsupported-key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_firmware_is_read_as_it_was_built),
        cmocka_unit_test(whatever_lies_beyond_the_file_or_makes_no_sense_is_malformed),
        cmocka_unit_test(a_section_that_is_no_pages_or_too_much_or_unknown_is_malformed),
        cmocka_unit_test(a_file_that_is_not_whole_pages_is_malformed),
        cmocka_unit_test(every_cut_and_every_flipped_byte_of_the_table_ends_in_an_answer),
        cmocka_unit_test(whatever_the_guest_would_start_with_moves_the_digest),
        cmocka_unit_test(the_digest_of_the_pages_stands_for_the_pages),
        cmocka_unit_test(a_kernel_needs_a_section_for_its_hashes),
        cmocka_unit_test(what_a_launch_needs_of_the_firmware_must_be_there),
        cmocka_unit_test(an_svsm_without_room_or_entry_is_malformed),
        cmocka_unit_test(an_id_key_is_a_p384_one),
    };
    return cmocka_run_group_tests_name("launch_digest", tests, NULL, NULL);
}
