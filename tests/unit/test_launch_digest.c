/* Firmware files built here, one thing wrong in each, and what must move a launch digest. */
#include "lib/attest/launch_digest.h"

#include <string.h>

#include "lib/attest/firmware.h"
#include "tests/support/test.h"

/* ---- a firmware, built from its end backwards ---------------------------------------------- */

enum { IMAGE = 8192, METADATA_FROM_END = 1024 };

static const uint8_t footer_guid[] = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
                                      0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};
static const uint8_t hash_guid[] = {0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
                                    0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54};
static const uint8_t reset_guid[] = {0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
                                     0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e};
static const uint8_t metadata_guid[] = {0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
                                        0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc};

struct wish {
    uint32_t sections[8][3]; /* address, size, kind */
    uint32_t section_count;
    uint32_t metadata_version;
    uint32_t metadata_from_end;
    bool reset_twice;
    uint32_t claimed_count; /* 0: the true one */
};

static struct wish usual_wish(void)
{
    return (struct wish){
        .sections = {{0x800000, 0x2000, 1},
                     {0x80d000, 0x1000, 2},
                     {0x80e000, 0x1000, 3},
                     {0x80f000, 0x1000, 4},
                     {0x810000, 0x1000, 0x10}},
        .section_count = 5,
        .metadata_version = 1,
        .metadata_from_end = METADATA_FROM_END,
    };
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* In front of what is there; gives the new start. */
static uint8_t *put_entry(uint8_t *before, const uint8_t *guid, struct span data)
{
    const size_t size = data.len + 18;
    memcpy(before - 16, guid, 16);
    before[-18] = (uint8_t)size;
    before[-17] = (uint8_t)(size >> 8);
    memcpy(before - size, data.at, data.len);
    return before - size;
}

static void build(const struct wish *wish, uint8_t image[static IMAGE])
{
    uint8_t number[8] = {0};
    memset(image, 0x90, IMAGE);
    uint8_t *const end = image + IMAGE - 32;
    uint8_t *at = end - 18;
    put_u32(number, 0x810c00);
    put_u32(number + 4, 0x400);
    at = put_entry(at, hash_guid, SPAN(number, 8));
    put_u32(number, 0x80b004);
    at = put_entry(at, reset_guid, SPAN(number, 4));
    if (wish->reset_twice)
        at = put_entry(at, reset_guid, SPAN(number, 4));
    put_u32(number, wish->metadata_from_end);
    at = put_entry(at, metadata_guid, SPAN(number, 4));
    memcpy(end - 16, footer_guid, 16);
    const size_t table = (size_t)(end - at);
    end[-18] = (uint8_t)table;
    end[-17] = (uint8_t)(table >> 8);
    uint8_t *metadata = image + IMAGE - METADATA_FROM_END;
    memcpy(metadata, "ASEV", 4);
    const uint32_t count = wish->claimed_count > 0 ? wish->claimed_count : wish->section_count;
    put_u32(metadata + 4, 16 + count * 12);
    put_u32(metadata + 8, wish->metadata_version);
    put_u32(metadata + 12, count);
    for (size_t i = 0; i < wish->section_count; i++)
        for (size_t j = 0; j < 3; j++)
            put_u32(metadata + 16 + i * 12 + j * 4, wish->sections[i][j]);
}

static enum outcome parse(const struct wish *wish, struct firmware *out, struct error *err)
{
    static uint8_t image[IMAGE];
    build(wish, image);
    return firmware_parse(SPAN_OF(image), UINT64_C(1) << 32, out, err);
}

/* ---- firmware ------------------------------------------------------------------------------ */

static void a_firmware_is_read_as_it_was_built(void **state)
{
    (void)state;
    struct error err = {0};
    struct firmware firmware;
    const struct wish wish = usual_wish();
    assert_ok(parse(&wish, &firmware, &err));
    assert_int_equal(firmware.gpa, (UINT64_C(1) << 32) - IMAGE);
    assert_int_equal(firmware.section_count, 5);
    assert_int_equal(firmware.sections[1].kind, SECTION_SECRETS);
    assert_int_equal(firmware.hash_table_gpa, 0x810c00);
    assert_int_equal(firmware.reset_eip, 0x80b004);
    assert_false(firmware.has_svsm_info);
    assert_true(firmware_has(&firmware, SECTION_KERNEL_HASHES));
}

static void assert_malformed(const struct wish *wish)
{
    struct error err = {0};
    struct firmware firmware;
    assert_fails(parse(wish, &firmware, &err), ERR_DENIED, "malformed");
}

static void whatever_lies_beyond_the_file_or_makes_no_sense_is_malformed(void **state)
{
    (void)state;
    struct wish wish = usual_wish();
    wish.metadata_version = 2;
    assert_malformed(&wish);
    static const uint32_t from_ends[] = {0, 15, IMAGE + 1, UINT32_MAX};
    for (size_t i = 0; i < countof(from_ends); i++) {
        wish = usual_wish();
        wish.metadata_from_end = from_ends[i];
        assert_malformed(&wish);
    }
    static const uint32_t counts[] = {6000, 0x15555555, UINT32_MAX};
    for (size_t i = 0; i < countof(counts); i++) {
        wish = usual_wish();
        wish.claimed_count = counts[i];
        assert_malformed(&wish);
    }
    wish = usual_wish();
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
        struct wish wish = usual_wish();
        memcpy(wish.sections[2], bad[i], sizeof bad[i]);
        assert_malformed(&wish);
    }
}

static void a_file_that_is_not_whole_pages_is_malformed(void **state)
{
    (void)state;
    static uint8_t image[IMAGE];
    const struct wish wish = usual_wish();
    struct firmware firmware;
    struct error err = {0};
    build(&wish, image);
    static const size_t sizes[] = {0, 1, 32, 4095, IMAGE - 1};
    for (size_t i = 0; i < countof(sizes); i++)
        assert_fails(firmware_parse(SPAN(image, sizes[i]), UINT64_C(1) << 32, &firmware, &err),
                     ERR_DENIED, "malformed");
    assert_fails(firmware_parse(SPAN_OF(image), IMAGE - 1, &firmware, &err), ERR_DENIED,
                 "malformed");
}

static void every_cut_and_every_flipped_byte_of_the_table_ends_in_an_answer(void **state)
{
    (void)state;
    static uint8_t image[IMAGE];
    const struct wish wish = usual_wish();
    struct firmware firmware;
    build(&wish, image);
    for (size_t i = IMAGE - METADATA_FROM_END; i < IMAGE; i++)
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
    uint8_t image[IMAGE];
    struct kernel_hashes hashes;
    struct launch launch;
};

static void bench_start(struct bench *b, const struct wish *wish)
{
    build(wish, b->image);
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
    const struct wish wish = usual_wish();
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
    const struct wish wish = usual_wish();
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
    struct wish wish = usual_wish();
    wish.section_count = 4;
    bench_start(&b, &wish);
    assert_fails(launch_digest(&b.launch, &result, &err), ERR_DENIED, "no-kernel-hashes-section");
    b.launch.kernel = NULL;
    assert_ok(launch_digest(&b.launch, &result, &err));
}

static void an_svsm_without_room_or_entry_is_malformed(void **state)
{
    (void)state;
    static struct bench b;
    struct error err = {0};
    struct launch_result result;
    const struct wish wish = usual_wish();
    bench_start(&b, &wish);
    b.launch.kernel = NULL;
    b.launch.svsm = SPAN_OF(b.image); /* an OVMF has no SVSM info */
    assert_fails(launch_digest(&b.launch, &result, &err), ERR_DENIED, "malformed");
    b.launch.ovmf_vars_size = UINT64_C(1) << 40;
    assert_fails(launch_digest(&b.launch, &result, &err), ERR_DENIED, "malformed");
    b.launch.ovmf_vars_size = 1;
    assert_fails(launch_digest(&b.launch, &result, &err), ERR_DENIED, "malformed");
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
        cmocka_unit_test(an_svsm_without_room_or_entry_is_malformed),
    };
    return cmocka_run_group_tests_name("launch_digest", tests, NULL, NULL);
}
