/* Boot logs: every sample gives the verdict, the reason and the claims of its manifest, and what a
 * log says counts only where it was measured (R27, R73, R105, R108). */
#include "lib/attest/event_judge.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/cases.h"
#include "tests/support/manifest.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

/* ---- the samples ---------------------------------------------------------------------------- */

/* What the TPM held: with the case itself, or among the fields where they came from a TPM. */
static const json_t *registers_of(const json_t *test_case)
{
    const json_t *fields = json_object_get(json_object_get(test_case, "expect"), "fields");
    const char *source = member_text(fields, "pcr_source");
    if (json_object_get(test_case, "pcrs") != NULL)
        return json_object_get(test_case, "pcrs");
    return source != NULL && strcmp(source, "tpm") == 0 ? json_object_get(fields, "pcrs") : NULL;
}

static struct bytes read_log(const json_t *test_case)
{
    char path[256];
    snprintf(path, sizeof path, "eventlog/%s",
             member_text(json_object_get(test_case, "files"), "log"));
    return vectors_read(path);
}

static bool case_is_right(const json_t *test_case)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes log = read_log(test_case);
    OWNED(mem_drop) struct pcr_set *pcrs = NEW(struct pcr_set);
    OWNED(verdict_done) struct verdict v = {0};
    const json_t *registers = registers_of(test_case);
    if (registers != NULL)
        assert_ok(pcr_set_from_json(registers, pcrs, &err));
    event_judge(bytes_span(&log), registers != NULL ? pcrs : NULL, &v);
    return case_has_verdict(test_case, REASON_EXACT, &v);
}

static void every_sample_gives_the_verdict_reason_and_claims_of_its_manifest(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    assert_true(manifest_assert_right("eventlog/manifest.json", case_is_right) >= 23);
}

/* ---- a log made here ------------------------------------------------------------------------ */

static void add_u16(struct bytes *out, uint16_t value)
{
    bytes_add_u8(out, (uint8_t)value);
    bytes_add_u8(out, (uint8_t)(value >> 8));
}

static void add_header(struct bytes *log, uint32_t algorithms)
{
    static const char signature[] = "Spec ID Event03";
    OWNED(bytes_done) struct bytes spec = {0};
    bytes_add(&spec, SPAN_OF(signature));
    bytes_add_u32le(&spec, 0);
    bytes_add_u32le(&spec, 0x02000200);
    bytes_add_u32le(&spec, algorithms);
    add_u16(&spec, 0x000b);
    add_u16(&spec, SHA256_SIZE);
    bytes_add_u8(&spec, 0);
    bytes_add_u32le(log, 0);
    bytes_add_u32le(log, EV_NO_ACTION);
    bytes_add_room(log, SHA1_SIZE);
    bytes_add_u32le(log, (uint32_t)spec.len);
    bytes_add(log, bytes_span(&spec));
}

static void add_event(struct bytes *log, uint32_t pcr, uint32_t type, const char *measured,
                      const char *said)
{
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, span_of_text(measured), hash);
    bytes_add_u32le(log, pcr);
    bytes_add_u32le(log, type);
    bytes_add_u32le(log, 1);
    add_u16(log, 0x000b);
    bytes_add(log, SPAN_OF(hash));
    bytes_add_u32le(log, (uint32_t)strlen(said));
    bytes_add(log, span_of_text(said));
}

static void try_log(const struct bytes *log, enum reason want, const char *test)
{
    OWNED(verdict_done) struct verdict v = {0};
    event_judge(bytes_span(log), NULL, &v);
    case_words(name_of(&reason_names, (int)v.reason), name_of(&reason_names, (int)want), test);
}

#define assert_reason(log, want) try_log((log), (want), __func__)

static void a_register_is_the_hash_of_what_it_was_and_what_came(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes log = {0};
    OWNED(mem_drop) struct event_replay *replay = NEW(struct event_replay);
    uint8_t joined[2 * SHA256_SIZE] = {0};
    uint8_t want[SHA256_SIZE];
    add_header(&log, 1);
    add_event(&log, 4, EV_ACTION, "go", "go");
    assert_ok(event_log_replay(bytes_span(&log), replay, &err));
    digest(DIGEST_SHA256, span_of_text("go"), joined + SHA256_SIZE);
    digest(DIGEST_SHA256, SPAN_OF(joined), want);
    assert_memory_equal(replay->banks[BANK_SHA256].value[4], want, sizeof want);
    assert_true(replay->banks[BANK_SHA256].has[4]);
    assert_false(replay->banks[BANK_SHA256].has[5]);
    assert_int_equal(replay->banks[BANK_SHA256].value[17][0], 0xff); /* dynamic registers */
    assert_int_equal(replay->events, 2);
}

static void a_startup_locality_is_where_register_0_begins(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes log = {0};
    OWNED(mem_drop) struct event_replay *replay = NEW(struct event_replay);
    static const uint8_t locality[] = "StartupLocality\0\3";
    add_header(&log, 1);
    bytes_add_u32le(&log, 0);
    bytes_add_u32le(&log, EV_NO_ACTION);
    bytes_add_u32le(&log, 0);
    bytes_add_u32le(&log, sizeof locality - 1);
    bytes_add(&log, SPAN(locality, sizeof locality - 1));
    assert_ok(event_log_replay(bytes_span(&log), replay, &err));
    assert_int_equal(replay->banks[BANK_SHA256].value[0][SHA256_SIZE - 1], 3);
}

static void what_an_event_says_must_be_what_it_measured(void **state)
{
    (void)state;
    static const struct {
        uint32_t pcr, type;
        const char *measured, *said;
        enum reason want;
    } cases[] = {
        {7, EV_SEPARATOR, "zero", "zero", REASON_OK},
        {7, EV_SEPARATOR, "zero", "one", REASON_EVENT_DIGEST_MISMATCH},
        {5, EV_EFI_ACTION, "boot", "b00t", REASON_EVENT_DIGEST_MISMATCH},
        {7, EV_EFI_VARIABLE_DRIVER_CONFIG, "SecureBoot=1", "SecureBoot=0",
         REASON_EVENT_DIGEST_MISMATCH},
        {8, EV_IPL, "linux /vmlinuz", "grub_cmd: linux /vmlinuz", REASON_OK},
        {8, EV_IPL, "linux /vmlinuz", "grub_cmd linux /vmlinuz", REASON_OK},
        {8, EV_IPL, "linux /vmlinuz", "grub_cmd: linux /vmlinuz init=/x",
         REASON_EVENT_DIGEST_MISMATCH},
        {8, EV_IPL, "linux /vmlinuz", "note: linux /vmlinuz", REASON_EVENT_DIGEST_MISMATCH},
        {9, EV_IPL, "the file's bytes", "/vmlinuz", REASON_OK},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(bytes_done) struct bytes log = {0};
        add_header(&log, 1);
        add_event(&log, cases[i].pcr, cases[i].type, cases[i].measured, cases[i].said);
        assert_reason(&log, cases[i].want);
    }
}

static void types_are_counted_and_those_beyond_64_together(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes log = {0};
    OWNED(verdict_done) struct verdict v = {0};
    add_header(&log, 1);
    for (uint32_t i = 0; i < 100; i++)
        add_event(&log, 4, 0x1000 + i, "go", "went");
    add_event(&log, 4, 0x1000, "go", "went");
    event_judge(bytes_span(&log), NULL, &v);
    const json_t *types = json_object_get(v.claims, "event_types");
    assert_int_equal(json_object_size(types), 65);
    assert_int_equal(json_integer_value(json_object_get(types, "0x1000")), 2);
    assert_int_equal(json_integer_value(json_object_get(types, "other")), 36);
}

static void what_no_firmware_writes_is_malformed(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes none = {0};
    assert_reason(&none, REASON_MALFORMED);
    OWNED(bytes_done) struct bytes more = {0};
    add_header(&more, 2); /* names two, has one */
    assert_reason(&more, REASON_MALFORMED);
    OWNED(bytes_done) struct bytes beyond = {0};
    add_header(&beyond, 1);
    add_event(&beyond, PCR_COUNT, EV_ACTION, "x", "x");
    assert_reason(&beyond, REASON_MALFORMED);
    OWNED(bytes_done) struct bytes huge = {0};
    add_header(&huge, 1);
    add_event(&huge, 1, EV_ACTION, "x", "x");
    memset(huge.at + huge.len - 5, 0xff, 4); /* the length of its data */
    assert_reason(&huge, REASON_MALFORMED);
}

static void every_cut_of_a_log_ends_in_an_answer(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes log = {0};
    add_header(&log, 1);
    add_event(&log, 8, EV_IPL, "a", "grub_cmd: a");
    add_event(&log, 7, EV_SEPARATOR, "b", "b");
    for (size_t len = 0; len < log.len; len++) {
        OWNED(verdict_done) struct verdict v = {0};
        OWNED(bytes_done) struct bytes part = bytes_copy(SPAN(log.at, len));
        event_judge(bytes_span(&part), NULL, &v);
        assert_true(v.reason == REASON_OK || v.reason == REASON_MALFORMED);
    }
}

static void registers_are_read_strictly(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]",
        "{\"md5\":{}}",
        "{\"sha256\":[]}",
        "{\"sha256\":{\"24\":\"00\"}}",
        "{\"sha256\":{\"00\":\"00\"}}",
        "{\"sha256\":{\"0\":\"00\"}}",
        "{\"sha256\":{\"0\":1}}",
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        OWNED(mem_drop) struct pcr_set *pcrs = NEW(struct pcr_set);
        OWNED(json_drop) json_t *json = json_loads(bad[i], 0, NULL);
        assert_non_null(json);
        assert_int_equal(pcr_set_from_json(json, pcrs, &err), ERR_INVALID);
    }
}

static void no_register_at_all_proves_nothing(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes log = {0};
    OWNED(mem_drop) struct pcr_set *pcrs = NEW(struct pcr_set);
    OWNED(verdict_done) struct verdict v = {0};
    add_header(&log, 1);
    event_judge(bytes_span(&log), pcrs, &v);
    assert_int_equal(v.reason, REASON_PCR_MISMATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASES(every_sample_gives_the_verdict_reason_and_claims_of_its_manifest),
        cmocka_unit_test(a_register_is_the_hash_of_what_it_was_and_what_came),
        cmocka_unit_test(a_startup_locality_is_where_register_0_begins),
        CASES(what_an_event_says_must_be_what_it_measured),
        cmocka_unit_test(types_are_counted_and_those_beyond_64_together),
        CASES(what_no_firmware_writes_is_malformed),
        cmocka_unit_test(every_cut_of_a_log_ends_in_an_answer),
        cmocka_unit_test(registers_are_read_strictly),
        cmocka_unit_test(no_register_at_all_proves_nothing),
    };
    return cmocka_run_group_tests_name("event_log", tests, NULL, NULL);
}
