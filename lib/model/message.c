#include "lib/model/message.h"

#include <stdio.h>
#include <string.h>

static const char *const verb_words[] = {"hello",    "attest-begin", "evidence", "heartbeat",
                                         "attest",   "secret",       "forget",   "challenge",
                                         "appraise", "generate",     "release",  "charter",
                                         "status",   "opinion",      "passport"};
const struct names verb_names = NAMES("verb", verb_words);
_Static_assert(countof(verb_words) == VERB_COUNT);

static const char *const role_words[] = {"agent", "keeper"};
const struct names link_role_names = NAMES("role", role_words);
_Static_assert(countof(role_words) == LINK_ROLE_COUNT);

#define OPTIONAL .flags = FIELD_OPTIONAL

/* clang-format off */
static const struct field hello_fields[] = {
    FIELD(hello, protocol, FIELD_INT, .least = 1, .most = 1000),
    FIELD(hello, role, FIELD_NAME, .names = &link_role_names),
    FIELD(hello, instance, FIELD_UUID, OPTIONAL),
    FIELD(hello, ticket, FIELD_TEXT, OPTIONAL),
    FIELD(hello, epoch, FIELD_INT, .least = 0, .most = INT64_MAX, OPTIONAL),
    FIELD(hello, boot_id, FIELD_HEX, OPTIONAL),
    FIELD(hello, realm, FIELD_TEXT, OPTIONAL),
    FIELD(hello, charter_serial, FIELD_INT, .least = 0, .most = INT64_MAX, OPTIONAL),
    FIELD(hello, signer, FIELD_STRING, OPTIONAL),
    FIELD(hello, jwks, FIELD_STRING, OPTIONAL),
    FIELD(hello, version, FIELD_TEXT, OPTIONAL),
};
const struct record hello_record = RECORD(hello, hello_fields);

static const struct field hello_reply_fields[] = {
    FIELD(hello_reply, trust, FIELD_TEXT, OPTIONAL),
    FIELD(hello_reply, epoch, FIELD_INT, .least = 0, .most = INT64_MAX),
    FIELD(hello_reply, heartbeat_seconds, FIELD_INT, .least = 1, .most = 3600),
};
const struct record hello_reply_record = RECORD(hello_reply, hello_reply_fields);

static const struct field attest_begin_fields[] = {
    FIELD(attest_begin, kind, FIELD_NAME, .names = &evidence_kind_names),
    FIELD(attest_begin, sealing_key, FIELD_BYTES),
};
const struct record attest_begin_record = RECORD(attest_begin, attest_begin_fields);

static const struct field challenge_fields[] = {
    FIELD(challenge, nonce, FIELD_HEX),
    FIELD(challenge, root_key, FIELD_HEX),
    FIELD(challenge, expires_seconds, FIELD_INT, .least = 1, .most = 3600),
};
const struct record challenge_record = RECORD(challenge, challenge_fields);

static const struct field evidence_part_fields[] = {
    FIELD(evidence_part, nonce, FIELD_HEX),
    FIELD(evidence_part, part, FIELD_INT, .least = 0, .most = EVIDENCE_PARTS_MAX - 1),
    FIELD(evidence_part, parts, FIELD_INT, .least = 1, .most = EVIDENCE_PARTS_MAX),
    FIELD(evidence_part, data, FIELD_BYTES),
};
const struct record evidence_part_record = RECORD(evidence_part, evidence_part_fields);

static const struct field verdict_notice_fields[] = {
    FIELD(verdict_notice, verdict, FIELD_TEXT),
    FIELD(verdict_notice, reason, FIELD_TEXT),
    FIELD(verdict_notice, level, FIELD_TEXT, OPTIONAL),
    FIELD(verdict_notice, valid_until, FIELD_MOMENT, OPTIONAL),
    FIELD(verdict_notice, reattest_seconds, FIELD_INT, .least = 0, .most = 86400),
};
const struct record verdict_notice_record = RECORD(verdict_notice, verdict_notice_fields);

static const struct field heartbeat_fields[] = {
    FIELD(heartbeat, seq, FIELD_INT, .least = 0, .most = INT64_MAX),
    FIELD(heartbeat, load, FIELD_INT, .least = 0, .most = INT32_MAX),
};
const struct record heartbeat_record = RECORD(heartbeat, heartbeat_fields);

static const struct field attest_wish_fields[] = {
    FIELD(attest_wish, why, FIELD_TEXT),
};
const struct record attest_wish_record = RECORD(attest_wish, attest_wish_fields);

static const struct field secret_delivery_fields[] = {
    FIELD(secret_delivery, delivery, FIELD_UUID),
    FIELD(secret_delivery, secret, FIELD_TEXT),
    FIELD(secret_delivery, envelope, FIELD_BYTES),
};
const struct record secret_delivery_record = RECORD(secret_delivery, secret_delivery_fields);

static const struct field secret_loaded_fields[] = {
    FIELD(secret_loaded, loaded, FIELD_BOOL),
    FIELD(secret_loaded, check, FIELD_HEX),
};
const struct record secret_loaded_record = RECORD(secret_loaded, secret_loaded_fields);

static const struct field secret_forget_fields[] = {
    FIELD(secret_forget, delivery, FIELD_UUID),
    FIELD(secret_forget, secret, FIELD_TEXT),
    FIELD(secret_forget, order, FIELD_BYTES),
};
const struct record secret_forget_record = RECORD(secret_forget, secret_forget_fields);

static const struct field forget_done_fields[] = {
    FIELD(forget_done, done, FIELD_BOOL),
};
const struct record forget_done_record = RECORD(forget_done, forget_done_fields);

static const struct field challenge_wish_fields[] = {
    FIELD(challenge_wish, kind, FIELD_NAME, .names = &evidence_kind_names),
    FIELD(challenge_wish, instance, FIELD_UUID),
    FIELD(challenge_wish, link_key, FIELD_HEX),
    FIELD(challenge_wish, sealing_key, FIELD_BYTES),
};
const struct record challenge_wish_record = RECORD(challenge_wish, challenge_wish_fields);

static const struct field appraise_wish_fields[] = {
    FIELD(appraise_wish, nonce, FIELD_HEX),
    FIELD(appraise_wish, instance, FIELD_UUID),
    FIELD(appraise_wish, policy, FIELD_TEXT),
    FIELD(appraise_wish, image, FIELD_TEXT, OPTIONAL),
    FIELD(appraise_wish, declared_region, FIELD_TEXT, OPTIONAL),
    FIELD(appraise_wish, declared_machine, FIELD_TEXT, OPTIONAL),
    FIELD(appraise_wish, evidence, FIELD_BYTES, .flags = FIELD_HIDDEN | FIELD_APART),
    FIELD(appraise_wish, crl, FIELD_BYTES, OPTIONAL),
};
const struct record appraise_wish_record = RECORD(appraise_wish, appraise_wish_fields);

static const struct field appraise_reply_fields[] = {
    FIELD(appraise_reply, token, FIELD_STRING),
    FIELD(appraise_reply, claims, FIELD_JSON),
    FIELD(appraise_reply, checks, FIELD_JSON),
    FIELD(appraise_reply, issued, FIELD_MOMENT),
    FIELD(appraise_reply, expires, FIELD_MOMENT),
    FIELD(appraise_reply, testimony, FIELD_STRING, OPTIONAL),
    FIELD(appraise_reply, testimony_cert, FIELD_BYTES, OPTIONAL),
};
const struct record appraise_reply_record = RECORD(appraise_reply, appraise_reply_fields);

static const struct field appraise_answer_fields[] = {
    FIELD(appraise_answer, token, FIELD_STRING),
    FIELD(appraise_answer, claims, FIELD_PRINTED),
    FIELD(appraise_answer, checks, FIELD_PRINTED),
    FIELD(appraise_answer, issued, FIELD_MOMENT),
    FIELD(appraise_answer, expires, FIELD_MOMENT),
    FIELD(appraise_answer, testimony, FIELD_STRING, OPTIONAL),
    FIELD(appraise_answer, testimony_cert, FIELD_BYTES, OPTIONAL),
};
const struct record appraise_answer_record = RECORD(appraise_answer, appraise_answer_fields);

static const struct field opinion_wish_fields[] = {
    FIELD(opinion_wish, policy, FIELD_TEXT, OPTIONAL),
    FIELD(opinion_wish, appraisal, FIELD_JSON, OPTIONAL),
    FIELD(opinion_wish, evidence, FIELD_BYTES),
    FIELD(opinion_wish, nonce, FIELD_BYTES, OPTIONAL),
    FIELD(opinion_wish, link_key, FIELD_BYTES, OPTIONAL),
    FIELD(opinion_wish, crl, FIELD_BYTES, OPTIONAL),
};
const struct record opinion_wish_record = RECORD(opinion_wish, opinion_wish_fields);

static const struct field opinion_reply_fields[] = {
    FIELD(opinion_reply, token, FIELD_STRING),
    FIELD(opinion_reply, verdict, FIELD_JSON),
};
const struct record opinion_reply_record = RECORD(opinion_reply, opinion_reply_fields);

static const struct field generate_wish_fields[] = {
    FIELD(generate_wish, secret, FIELD_UUID),
    FIELD(generate_wish, name, FIELD_TEXT),
    FIELD(generate_wish, version, FIELD_INT, .least = 1, .most = INT32_MAX),
    FIELD(generate_wish, kind, FIELD_TEXT),
    FIELD(generate_wish, scope, FIELD_TEXT),
    FIELD(generate_wish, grant, FIELD_TEXT),
    FIELD(generate_wish, anchor, FIELD_HEX, OPTIONAL),
};
const struct record generate_wish_record = RECORD(generate_wish, generate_wish_fields);

static const struct field generate_reply_fields[] = {
    FIELD(generate_reply, record, FIELD_BYTES),
    FIELD(generate_reply, check, FIELD_HEX),
    FIELD(generate_reply, public, FIELD_STRING, OPTIONAL),
};
const struct record generate_reply_record = RECORD(generate_reply, generate_reply_fields);

static const struct field release_wish_fields[] = {
    FIELD(release_wish, delivery, FIELD_UUID),
    FIELD(release_wish, instance, FIELD_UUID),
    FIELD(release_wish, secret, FIELD_UUID),
    FIELD(release_wish, name, FIELD_TEXT),
    FIELD(release_wish, version, FIELD_INT, .least = 1, .most = INT32_MAX),
    FIELD(release_wish, sequence, FIELD_INT, .least = 1, .most = INT64_MAX),
    FIELD(release_wish, record, FIELD_BYTES),
    FIELD(release_wish, token, FIELD_STRING),
    FIELD(release_wish, fleet, FIELD_TEXT),
};
const struct record release_wish_record = RECORD(release_wish, release_wish_fields);

static const struct field release_reply_fields[] = {
    FIELD(release_reply, envelope, FIELD_BYTES),
    FIELD(release_reply, check, FIELD_HEX),
};
const struct record release_reply_record = RECORD(release_reply, release_reply_fields);

static const struct field passport_ask_fields[] = {
    FIELD(passport_ask, relying_party, FIELD_TEXT),
    FIELD(passport_ask, nonce, FIELD_HEX),
    FIELD(passport_ask, link_key, FIELD_BYTES),
};
const struct record passport_ask_record = RECORD(passport_ask, passport_ask_fields);

static const struct field passport_answer_fields[] = {
    FIELD(passport_answer, envelope, FIELD_BYTES),
};
const struct record passport_answer_record = RECORD(passport_answer, passport_answer_fields);

static const struct field passport_wish_fields[] = {
    FIELD(passport_wish, instance, FIELD_UUID),
    FIELD(passport_wish, relying_party, FIELD_TEXT),
    FIELD(passport_wish, nonce, FIELD_HEX),
    FIELD(passport_wish, link_key, FIELD_BYTES),
    FIELD(passport_wish, token, FIELD_STRING),
};
const struct record passport_wish_record = RECORD(passport_wish, passport_wish_fields);

static const struct field passport_reply_fields[] = {
    FIELD(passport_reply, envelope, FIELD_BYTES),
    FIELD(passport_reply, id, FIELD_UUID),
    FIELD(passport_reply, expires, FIELD_MOMENT),
};
const struct record passport_reply_record = RECORD(passport_reply, passport_reply_fields);

static const struct field charter_wish_fields[] = {
    FIELD(charter_wish, jws, FIELD_STRING),
};
const struct record charter_wish_record = RECORD(charter_wish, charter_wish_fields);

static const struct field charter_reply_fields[] = {
    FIELD(charter_reply, serial, FIELD_INT, .least = 1, .most = INT64_MAX),
};
const struct record charter_reply_record = RECORD(charter_reply, charter_reply_fields);

static const struct field keeper_status_fields[] = {
    FIELD(keeper_status, boot_id, FIELD_HEX),
    FIELD(keeper_status, realm, FIELD_TEXT),
    FIELD(keeper_status, charter_serial, FIELD_INT, .least = 0, .most = INT64_MAX),
    FIELD(keeper_status, charter_expires, FIELD_MOMENT, OPTIONAL),
    FIELD(keeper_status, appraisals, FIELD_INT),
    FIELD(keeper_status, releases, FIELD_INT),
    FIELD(keeper_status, passports, FIELD_INT),
    FIELD(keeper_status, refusals, FIELD_INT),
    FIELD(keeper_status, probe_seconds, FIELD_INT, OPTIONAL),
    FIELD(keeper_status, probe_samples, FIELD_INT, OPTIONAL),
    FIELD(keeper_status, probes_held, FIELD_INT, OPTIONAL),
    FIELD(keeper_status, probes_wrong, FIELD_INT, OPTIONAL),
    FIELD(keeper_status, probes_accepted, FIELD_INT, OPTIONAL),
    FIELD(keeper_status, probed, FIELD_MOMENT, OPTIONAL),
    FIELD(keeper_status, fault_kind, FIELD_TEXT, OPTIONAL),
    FIELD(keeper_status, fault_alteration, FIELD_TEXT, OPTIONAL),
    FIELD(keeper_status, fault_code, FIELD_TEXT, OPTIONAL),
    FIELD(keeper_status, fault_at, FIELD_MOMENT, OPTIONAL),
    FIELD(keeper_status, halted, FIELD_BOOL, OPTIONAL),
    FIELD(keeper_status, halt, FIELD_INT, OPTIONAL),
};
const struct record keeper_status_record = RECORD(keeper_status, keeper_status_fields);
/* clang-format on */

enum outcome message_parse(struct span body, enum verb *verb, json_t **out, struct error *err)
{
    OWNED(json_drop) json_t *message = NULL;
    TRY(json_parse(body, MESSAGE_BODY_MAX, &message, err));
    const char *word;
    TRY(json_get_text(message, "", "do", 32, &word, err));
    int value;
    TRY(name_parse(&verb_names, word, &value, err));
    *verb = (enum verb)value;
    json_object_del(message, "do");
    *out = TAKE(message);
    return OK;
}

/* ---- bytes behind the JSON ------------------------------------------------------------------ */

static const struct field *field_apart(const struct record *record)
{
    for (size_t i = 0; record != NULL && i < record->count; i++)
        if ((record->fields[i].flags & FIELD_APART) != 0)
            return &record->fields[i];
    return NULL;
}

enum outcome message_parse_whole(struct span body, enum verb *verb, json_t **out,
                                 struct span *out_apart, struct error *err)
{
    const uint8_t *end = body.len > 0 ? memchr(body.at, '\0', body.len) : NULL;
    const size_t len = end != NULL ? (size_t)(end - body.at) : body.len;
    *out_apart = end != NULL ? span_part(body, len + 1, body.len) : (struct span){0};
    return message_parse(span_part(body, 0, len), verb, out, err);
}

enum outcome message_take_apart(const struct record *record, struct span apart, void *object,
                                struct error *err)
{
    const struct field *field = field_apart(record);
    if (field == NULL && apart.at != NULL)
        return fail_code(err, ERR_INVALID, "malformed", "%zu bytes behind the JSON", apart.len);
    if (field != NULL && apart.at == NULL) {
        char where[ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "/%s", field->name);
        return fail_at(err, ERR_INVALID, "missing-member", where, "%s: missing", where);
    }
    if (field != NULL)
        bytes_add(field_of(field, object), apart);
    return OK;
}

/* ---- printing ------------------------------------------------------------------------------- */

static void print(const struct members *body, struct bytes *out)
{
    struct text text = {0};
    members_print(body, &text);
    bytes_done(out);
    *out = text_take_bytes(&text);
}

void message_print(enum verb verb, const struct record *record, const void *object,
                   struct bytes *out)
{
    OWNED(members_done) struct members body = {0};
    if (record != NULL)
        members_record(&body, record, object);
    members_text(&body, "do", name_of(&verb_names, (int)verb));
    print(&body, out);
    const struct field *apart = field_apart(record);
    if (apart == NULL)
        return;
    bytes_add_u8(out, '\0');
    bytes_add(out, bytes_span(field_in(apart, object)));
}

void message_print_reply(const struct record *record, const void *object, struct bytes *out)
{
    OWNED(members_done) struct members body = {0};
    if (record != NULL)
        members_record(&body, record, object);
    print(&body, out);
}

enum outcome message_parse_reply(struct span body, const struct record *record, void *object,
                                 struct error *err)
{
    static const char *const none[] = {NULL};
    OWNED(json_drop) json_t *reply = NULL;
    TRY(json_parse(body, MESSAGE_BODY_MAX, &reply, err));
    if (record == NULL)
        return json_only(reply, "", none, err);
    return record_from_json(record, reply, "", object, err);
}

static void put_problem(const struct error *problem, struct members *out)
{
    members_text(out, "outcome", outcome_name(problem->outcome));
    members_text(out, "code", problem->code);
    /* Either may quote bytes of the other side that are not UTF-8. */
    bool where_clean = text_is_clean(span_of_text(problem->where));
    members_text(out, "where", where_clean ? problem->where : "");
    bool clean = text_is_clean(span_of_text(problem->text));
    members_text(out, "text", clean ? problem->text : "(message is not clean text)");
}

void message_print_problem(const struct error *problem, struct bytes *out)
{
    OWNED(members_done) struct members body = {0};
    put_problem(problem, &body);
    print(&body, out);
}

void message_print_slot(int64_t after_ms, struct bytes *out)
{
    struct error slot = {0};
    error_ignore(fail_code(&slot, ERR_THROTTLED, "slot", "others come first: again in %lld ms",
                           (long long)after_ms));
    OWNED(members_done) struct members body = {0};
    put_problem(&slot, &body);
    members_int(&body, "after_ms", after_ms);
    print(&body, out);
}

int64_t message_parse_slot(struct span body)
{
    OWNED(json_drop) json_t *problem = NULL;
    const char *code;
    int64_t after_ms;
    if (json_parse(body, 4096, &problem, NULL) != OK ||
        json_get_text(problem, "", "code", ERROR_CODE_SIZE - 1, &code, NULL) != OK ||
        strcmp(code, "slot") != 0 ||
        json_get_int(problem, "", "after_ms", 0, INT64_MAX, &after_ms, NULL) != OK)
        return -1;
    return after_ms < SLOT_MOST_MS ? after_ms : SLOT_MOST_MS;
}

static enum outcome outcome_of(const char *word)
{
    for (int i = OK + 1; i < OUTCOME_COUNT; i++)
        if (strcmp(outcome_name((enum outcome)i), word) == 0)
            return (enum outcome)i;
    return ERR_INTERNAL;
}

enum outcome message_parse_problem(struct span body, struct error *err)
{
    OWNED(json_drop) json_t *problem = NULL;
    const char *word;
    const char *code;
    const char *where;
    const char *text;
    TRY(json_parse(body, 4096, &problem, err));
    TRY(json_get_text(problem, "", "outcome", 32, &word, err));
    TRY(json_get_text(problem, "", "code", ERROR_CODE_SIZE - 1, &code, err));
    TRY(json_get_text(problem, "", "where", ERROR_WHERE_SIZE - 1, &where, err));
    TRY(json_get_text(problem, "", "text", ERROR_TEXT_SIZE - 1, &text, err));
    return fail_at(err, outcome_of(word), code, where, "%s", text);
}
