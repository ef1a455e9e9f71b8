/* Secure boot and what was started: from proven events alone, and only as the firmware said it. */
#include "lib/attest/boot_facts.h"

#include <string.h>

#include "lib/attest/event_judge.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

/* ---- a made-up log --------------------------------------------------------------------------- */

static void add_u16(struct bytes *out, uint16_t value)
{
    bytes_add_u8(out, (uint8_t)value);
    bytes_add_u8(out, (uint8_t)(value >> 8));
}

/* With the banks SHA-1 and SHA-256. */
static void add_header(struct bytes *log)
{
    static const char signature[] = "Spec ID Event03";
    OWNED(bytes_done) struct bytes spec = {0};
    bytes_add(&spec, SPAN_OF(signature));
    bytes_add_u32le(&spec, 0);
    bytes_add_u32le(&spec, 0x02000200);
    bytes_add_u32le(&spec, 2);
    add_u16(&spec, 0x0004);
    add_u16(&spec, SHA1_SIZE);
    add_u16(&spec, 0x000b);
    add_u16(&spec, SHA256_SIZE);
    bytes_add_u8(&spec, 0);
    bytes_add_u32le(log, 0);
    bytes_add_u32le(log, EV_NO_ACTION);
    bytes_add_room(log, SHA1_SIZE);
    bytes_add_u32le(log, (uint32_t)spec.len);
    bytes_add(log, bytes_span(&spec));
}

static void add_digest(struct bytes *log, enum digest_kind kind, uint16_t algorithm,
                       struct span measured)
{
    uint8_t hash[DIGEST_SIZE_MAX];
    digest(kind, measured, hash);
    add_u16(log, algorithm);
    bytes_add(log, SPAN(hash, digest_size(kind)));
}

struct line {
    uint32_t pcr, type;
    struct span said;
    struct span measured;
    bool only_sha1;
};

static void add_line(struct bytes *log, const struct line *line)
{
    bytes_add_u32le(log, line->pcr);
    bytes_add_u32le(log, line->type);
    bytes_add_u32le(log, line->only_sha1 ? 1 : 2);
    add_digest(log, DIGEST_SHA1, 0x0004, line->measured);
    if (!line->only_sha1)
        add_digest(log, DIGEST_SHA256, 0x000b, line->measured);
    bytes_add_u32le(log, (uint32_t)line->said.len);
    bytes_add(log, line->said);
}

/* UEFI_VARIABLE_DATA of the global namespace. */
static void variable(struct bytes *out, const char *name, struct span value)
{
    static const uint8_t global[16] = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
                                       0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c};
    bytes_add(out, SPAN_OF(global));
    bytes_add_u32le(out, (uint32_t)strlen(name));
    bytes_add_u32le(out, 0);
    bytes_add_u32le(out, (uint32_t)value.len);
    bytes_add_u32le(out, 0);
    for (const char *at = name; *at != '\0'; at++)
        add_u16(out, (uint8_t)*at);
    bytes_add(out, value);
}

/* Word by word: on, off, none (an empty value), long, other (a name), guid, wrong (says on,
 * measured off), sha1 (on, in that bank alone), pcr6 (on, elsewhere), separator, bad-separator,
 * debug, stop (the log breaks off). */
static void add_word(struct bytes *log, const char *word)
{
    OWNED(bytes_done) struct bytes on = {0};
    OWNED(bytes_done) struct bytes other = {0};
    variable(&on, "SecureBoot", span_of_text("\1"));
    variable(&other, "SecureBoot", (struct span){.at = (const uint8_t *)"\0\0", .len = 1});
    struct line line = {.pcr = 7,
                        .type = EV_EFI_VARIABLE_DRIVER_CONFIG,
                        .said = bytes_span(&on),
                        .measured = bytes_span(&on)};
    if (strcmp(word, "off") == 0)
        line.said = line.measured = bytes_span(&other);
    if (strcmp(word, "wrong") == 0)
        line.measured = bytes_span(&other);
    if (strcmp(word, "sha1") == 0)
        line.only_sha1 = true;
    if (strcmp(word, "pcr6") == 0)
        line.pcr = 6;
    if (strcmp(word, "guid") == 0)
        on.at[0] ^= 1;
    if (strcmp(word, "none") == 0 || strcmp(word, "long") == 0 || strcmp(word, "other") == 0) {
        bytes_done(&other);
        variable(&other, word[0] == 'o' ? "SecureBooT" : "SecureBoot",
                 word[0] == 'n'   ? (struct span){0}
                 : word[0] == 'l' ? span_of_text("\1\1")
                                  : span_of_text("\1"));
        line.said = line.measured = bytes_span(&other);
    }
    if (strstr(word, "separator") != NULL) {
        line.type = EV_SEPARATOR;
        line.said = (struct span){.at = (const uint8_t *)"\0\0\0\0", .len = 4};
        line.measured = word[0] == 'b' ? span_of_text("error") : line.said;
    }
    if (strcmp(word, "debug") == 0) {
        line.type = EV_EFI_ACTION;
        line.said = line.measured = span_of_text("UEFI Debug Mode");
    }
    if (strcmp(word, "relabelled-off") == 0) {
        line.type = 0x800000e0; /* EV_EFI_VARIABLE_AUTHORITY, whose data may be anything */
        line.said = (struct span){0};
        line.measured = bytes_span(&other);
    }
    if (strcmp(word, "relabelled-separator") == 0) {
        line.type = 0x800000e0;
        line.said = (struct span){0};
        line.measured = SPAN((const uint8_t *)"\0\0\0\0", 4);
    }
    if (strcmp(word, "stop") == 0)
        bytes_add_u8(log, 7);
    else
        add_line(log, &line);
}

static void make_log(const char *const *words, struct bytes *log)
{
    bytes_done(log);
    add_header(log);
    for (; *words != NULL; words++)
        add_word(log, *words);
}

/* ---- secure boot ----------------------------------------------------------------------------- */

static void secure_boot_is_what_the_firmware_said_before_it_handed_over(void **state)
{
    (void)state;
    static const struct {
        const char *words[5];
        enum secure_boot want;
    } cases[] = {
        {{"on", "separator"}, SECURE_BOOT_ON},
        {{"on", "on", "separator"}, SECURE_BOOT_ON},
        {{"off", "separator"}, SECURE_BOOT_OFF},
        {{"none", "separator"}, SECURE_BOOT_OFF},
        {{"long", "separator"}, SECURE_BOOT_OFF},
        {{"other", "on", "separator"}, SECURE_BOOT_ON},
        /* nobody said it, or nobody of weight */
        {{"separator"}, SECURE_BOOT_UNKNOWN},
        {{"other", "separator"}, SECURE_BOOT_UNKNOWN},
        {{"guid", "separator"}, SECURE_BOOT_UNKNOWN},
        {{"wrong", "separator"}, SECURE_BOOT_UNKNOWN},
        {{"pcr6", "separator"}, SECURE_BOOT_UNKNOWN},
        {{"sha1", "separator"}, SECURE_BOOT_UNKNOWN},
        /* whoever runs later can extend the register too */
        {{"separator", "on"}, SECURE_BOOT_UNKNOWN},
        {{"off", "separator", "on"}, SECURE_BOOT_OFF},
        {{"on", "separator", "off"}, SECURE_BOOT_ON},
        /* it never handed over, or says so without proof */
        {{"on"}, SECURE_BOOT_UNKNOWN},
        {{"on", "bad-separator"}, SECURE_BOOT_UNKNOWN},
        /* two words of one firmware */
        {{"off", "on", "separator"}, SECURE_BOOT_UNKNOWN},
        {{"on", "off", "separator"}, SECURE_BOOT_UNKNOWN},
        {{"on", "off", "on", "separator"}, SECURE_BOOT_UNKNOWN},
        {{"debug", "on", "separator"}, SECURE_BOOT_OFF},
        {{"on", "separator", "stop"}, SECURE_BOOT_UNKNOWN},
        {{"relabelled-off", "relabelled-separator", "on", "separator"}, SECURE_BOOT_UNKNOWN},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(bytes_done) struct bytes log = {0};
        OWNED(boot_facts_done) struct boot_facts facts = {0};
        make_log(cases[i].words, &log);
        boot_facts_read(bytes_span(&log), BANK_SHA256, &facts);
        if (facts.secure_boot != cases[i].want)
            fail_msg("case %zu: %s", i, name_of(&secure_boot_names, (int)facts.secure_boot));
    }
}

static void every_cut_of_a_log_says_nothing_or_the_same(void **state)
{
    (void)state;
    static const char *const words[] = {"on", "separator", "debug", NULL};
    OWNED(bytes_done) struct bytes log = {0};
    make_log(words, &log);
    for (size_t len = 0; len <= log.len; len++) {
        OWNED(boot_facts_done) struct boot_facts facts = {0};
        boot_facts_read(SPAN(log.at, len), BANK_SHA256, &facts);
        assert_int_not_equal(facts.secure_boot, SECURE_BOOT_OFF);
    }
}

/* ---- what was started ------------------------------------------------------------------------ */

static void components(struct bytes *log)
{
    const struct line lines[] = {
        {.pcr = 4,
         .type = EV_EFI_BOOT_SERVICES_APPLICATION,
         .said = span_of_text("a path that nobody measured"),
         .measured = span_of_text("shim")},
        {.pcr = 8,
         .type = EV_IPL,
         .said = span_of_text("grub_cmd: linux /vmlinuz ro"),
         .measured = span_of_text("linux /vmlinuz ro")},
        {.pcr = 8,
         .type = EV_IPL,
         .said = span_of_text("grub_cmd: linux /vmlinuz quiet"),
         .measured = span_of_text("linux /vmlinuz init=/bin/sh")},
        {.pcr = 9,
         .type = EV_IPL,
         .said = span_of_text("/vmlinuz"),
         .measured = span_of_text("a kernel")},
    };
    add_header(log);
    for (size_t i = 0; i < countof(lines); i++)
        add_line(log, &lines[i]);
}

static void components_have_words_only_where_the_words_were_measured(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes log = {0};
    OWNED(boot_facts_done) struct boot_facts facts = {0};
    components(&log);
    boot_facts_read(bytes_span(&log), BANK_SHA256, &facts);
    assert_int_equal(json_array_size(facts.components), 2);
    const json_t *loader = json_array_get(facts.components, 0);
    const json_t *command = json_array_get(facts.components, 1);
    assert_null(json_object_get(loader, "text"));
    assert_int_equal(json_string_length(json_object_get(loader, "digest")), 2 * SHA256_SIZE);
    assert_string_equal(json_string_value(json_object_get(command, "text")), "linux /vmlinuz ro");
}

/* ---- genuine logs ---------------------------------------------------------------------------- */

static void judge_sample(const char *name, bool with_registers, struct verdict *out)
{
    struct error err = {0};
    OWNED(json_drop) json_t *manifest = vectors_json("eventlog/manifest.json");
    OWNED(bytes_done) struct bytes log = {0};
    OWNED(mem_drop) struct pcr_set *registers = NEW(struct pcr_set);
    char path[256];
    size_t i;
    json_t *test_case;
    json_array_foreach (json_object_get(manifest, "cases"), i, test_case) {
        if (strcmp(json_string_value(json_object_get(test_case, "name")), name) != 0)
            continue;
        const json_t *files = json_object_get(test_case, "files");
        const json_t *fields = json_object_get(json_object_get(test_case, "expect"), "fields");
        snprintf(path, sizeof path, "eventlog/%s",
                 json_string_value(json_object_get(files, "log")));
        log = vectors_read(path);
        assert_ok(pcr_set_from_json(json_object_get(fields, "pcrs"), registers, &err));
    }
    assert_true(log.len > 0);
    event_judge(bytes_span(&log), with_registers ? registers : NULL, out);
}

static void assert_sample(const char *name, const char *secure_boot)
{
    OWNED(verdict_done) struct verdict with = {0}, without = {0};
    judge_sample(name, true, &with);
    judge_sample(name, false, &without);
    const json_t *said = json_object_get(with.claims, "secure_boot");
    assert_string_equal(json_string_value(said), secure_boot);
    assert_true(json_is_true(json_object_get(with.claims, "secure_boot_proven")));
    assert_true(json_is_false(json_object_get(without.claims, "secure_boot_proven")));
    assert_true(json_array_size(json_object_get(with.claims, "boot_components")) > 0);
}

/* The second is called one with secure boot, and its variable says that it is off. */
static void genuine_logs_say_it_and_registers_prove_it(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    assert_sample("gcp-rhel8", "on");
    assert_sample("gcp-ubuntu2404-snp", "off");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secure_boot_is_what_the_firmware_said_before_it_handed_over),
        cmocka_unit_test(every_cut_of_a_log_says_nothing_or_the_same),
        cmocka_unit_test(components_have_words_only_where_the_words_were_measured),
        cmocka_unit_test(genuine_logs_say_it_and_registers_prove_it),
    };
    return cmocka_run_group_tests_name("boot_facts", tests, NULL, NULL);
}
