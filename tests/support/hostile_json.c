#include "tests/support/hostile.h"

#include <stdio.h>
#include <string.h>

#include "lib/attest/evidence.h"
#include "lib/attest/hcl_report.h"
#include "lib/attest/nitro_document.h"
#include "lib/attest/thim.h"
#include "lib/model/charter.h"
#include "lib/model/policy.h"
#include "tests/support/test.h"

void hostile_text(struct bytes *out, const char *text)
{
    bytes_add(out, span_of_text(text));
}

void hostile_fill(struct bytes *out, const char *unit, size_t most)
{
    while (out->len + strlen(unit) <= most)
        hostile_text(out, unit);
}

void hostile_filled(struct bytes *out, const char *before, const char *unit, const char *after,
                    size_t most)
{
    hostile_text(out, before);
    hostile_fill(out, unit, most - strlen(after));
    hostile_text(out, after);
}

/* An object of as many members, each with this value. */
static void members_of(struct bytes *out, const char *value, size_t most)
{
    char member[64];
    hostile_text(out, "{");
    for (unsigned i = 0; out->len + 40 < most; i++) {
        snprintf(member, sizeof member, "\"%x\":%s,", i, value);
        hostile_text(out, member);
    }
    hostile_text(out, "\"\":0}");
}

/* As many items as are taken, which is fewer than a MiB has room for. */
static void taken(struct bytes *out, const char *before, const char *unit, size_t items,
                  const char *after)
{
    OWNED(json_drop) json_t *value = NULL;
    struct error err = {0};
    hostile_text(out, before);
    for (size_t i = 2; i + items <= JSON_ITEMS_MAX; i += items)
        hostile_text(out, unit);
    hostile_text(out, after);
    assert_ok(json_parse(bytes_span(out), MIB, &value, &err));
}

void json_nested_a_million_deep(struct bytes *out)
{
    hostile_fill(out, "[", MIB);
}

void json_of_numbers(struct bytes *out)
{
    hostile_filled(out, "[", "0,", "0]", MIB);
}

void json_of_objects(struct bytes *out)
{
    hostile_filled(out, "[", "{},", "0]", MIB);
}

void json_of_members(struct bytes *out)
{
    members_of(out, "\"\"", MIB);
}

void json_of_as_many_numbers_as_are_taken(struct bytes *out)
{
    taken(out, "[", "0,", 1, "0]");
}

void json_of_as_many_strings_as_are_taken(struct bytes *out)
{
    taken(out, "[", "\"\",", 1, "0]");
}

void json_of_as_many_objects_as_are_taken(struct bytes *out)
{
    taken(out, "[", "{},", 2, "0]");
}

void json_of_as_many_full_objects_as_are_taken(struct bytes *out)
{
    taken(out, "[", "{\"\":{}},", 3, "0]");
}

void json_of_as_many_lists_as_are_taken(struct bytes *out)
{
    taken(out, "[", "[],", 2, "0]");
}

void json_of_as_many_members_as_are_taken(struct bytes *out)
{
    members_of(out, "\"\"", (JSON_ITEMS_MAX - 2) * 9);
    taken(out, "", "", JSON_ITEMS_MAX, "");
}

void json_of_one_member_again_and_again(struct bytes *out)
{
    hostile_filled(out, "{\"a\":0,", "\"b\":0,", "\"c\":0}", MIB);
}

void json_of_one_long_string(struct bytes *out)
{
    hostile_filled(out, "\"", "\\u0041", "\"", MIB);
}

void json_of_one_long_number(struct bytes *out)
{
    hostile_fill(out, "9", MIB);
}

void json_of_a_gigabyte(struct bytes *out)
{
    bytes_add_room(out, 1 << 30);
}

void policy_of_sets(struct bytes *out)
{
    hostile_filled(out, "{\"snp\":{\"measurement\":[", "\"00\",", "\"00\"]}}", POLICY_JSON_MAX);
}

void policy_of_members(struct bytes *out)
{
    members_of(out, "{}", POLICY_JSON_MAX);
}

void charter_of_policies(struct bytes *out)
{
    hostile_filled(out, "{\"policies\":[", "{},", "{}]}", CHARTER_SIZE_MAX);
}

void claims_of_keys(struct bytes *out)
{
    hostile_filled(out, "{\"keys\":[", "{},", "{}]}", HCL_REPORT_MAX);
}

void evidence_of_certificates(struct bytes *out)
{
    hostile_filled(out, "{\"kind\":\"snp\",\"report\":\"\",\"ca\":[", "\"AA==\",", "\"AA==\"]}",
                   EVIDENCE_JSON_MAX);
}

void thim_of_members(struct bytes *out)
{
    members_of(out, "\"\"", THIM_ANSWER_MAX);
}

/* ---- CBOR ----------------------------------------------------------------------------------- */

void cbor_nested_a_million_deep(struct bytes *out)
{
    hostile_fill(out, "\x81", MIB);
}

void cbor_that_declares_two_to_the_30th(struct bytes *out)
{
    static const uint8_t list[] = {0x9b, 0, 0, 0, 0, 0x40, 0, 0, 0};
    bytes_add(out, SPAN_OF(list));
    hostile_fill(out, "\x9b", NITRO_DOCUMENT_MAX);
}

/* A document around this payload: what stands before the payload is as it should be. */
static void document_around(struct bytes *out, struct span payload)
{
    static const uint8_t head[] = {0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0, 0x59};
    bytes_add(out, SPAN_OF(head));
    bytes_add_u16be(out, (uint16_t)payload.len);
    bytes_add(out, payload);
    bytes_add_u8(out, 0x58);
    bytes_add_u8(out, COSE_SIGNATURE_SIZE);
    bytes_add_room(out, COSE_SIGNATURE_SIZE);
}

void document_nested_as_deep_as_it_goes(struct bytes *out)
{
    OWNED(bytes_done) struct bytes payload = {0};
    hostile_fill(&payload, "\xa1", COSE_PAYLOAD_MAX);
    document_around(out, bytes_span(&payload));
}

void document_of_registers_without_end(struct bytes *out)
{
    OWNED(bytes_done) struct bytes payload = {0};
    hostile_text(&payload, "\xbf\x64pcrs\xbf");
    hostile_fill(&payload, "\x18\x20", COSE_PAYLOAD_MAX);
    document_around(out, bytes_span(&payload));
}

void document_with_two_to_the_30th_registers(struct bytes *out)
{
    static const uint8_t pcrs[] = {0xa1, 0x64, 'p', 'c', 'r', 's', 0xba, 0x40, 0, 0, 0};
    document_around(out, SPAN_OF(pcrs));
}
