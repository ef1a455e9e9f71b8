/* The JSON bodies of the link's frames: every message, the claims of a verdict, and the order that
 * ends a halt. */
#include <stdlib.h>
#include <string.h>

#include "keeper/claims.h"
#include "lib/model/message.h"
#include "lib/model/resume_order.h"
#include "tests/fuzz/fuzz.h"

static const struct record *const records[] = {
    &hello_record,           &hello_reply_record,    &attest_begin_record,    &challenge_record,
    &evidence_part_record,   &verdict_notice_record, &heartbeat_record,       &attest_wish_record,
    &secret_delivery_record, &secret_loaded_record,  &challenge_wish_record,  &appraise_wish_record,
    &appraise_reply_record,  &generate_wish_record,  &generate_reply_record,  &release_wish_record,
    &release_reply_record,   &charter_wish_record,   &charter_reply_record,   &keeper_status_record,
    &verdict_claims_record,  &passport_ask_record,   &passport_answer_record, &passport_wish_record,
    &passport_reply_record,  &resume_order_record,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    union {
        struct appraise_reply largest; /* for its alignment */
        uint8_t bytes[4096];
    } object;
    enum verb verb;
    struct span apart;
    OWNED(json_drop) json_t *body = NULL;
    error_ignore(message_parse_problem(SPAN(data, size), NULL));
    if (message_parse_slot(SPAN(data, size)) > SLOT_MOST_MS)
        abort();
    struct resume_order order;
    error_ignore(resume_order_parse(SPAN(data, size), &order, NULL));
    if (message_parse_whole(SPAN(data, size), &verb, &body, &apart, NULL) != OK)
        return 0;
    for (size_t i = 0; i < countof(records); i++) {
        if (records[i]->size > sizeof object)
            continue;
        memset(&object, 0, sizeof object);
        if (message_take_apart(records[i], apart, &object, NULL) == OK &&
            record_from_json(records[i], body, "", &object, NULL) == OK)
            record_done(records[i], &object);
    }
    return 0;
}
