#include "tests/support/front_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/alarm_store.h"
#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "tests/support/database.h"
#include "tests/support/fixtures.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

struct front front;
int64_t front_keeper_seconds, front_probe_seconds, front_at_once, front_per_second;

/* ---- the controller -------------------------------------------------------------------------- */

static char *write_file(const char *name, const struct bytes *content)
{
    struct error err = {0};
    char *path = scratch_path(front.folder, name);
    assert_ok(file_write(path, bytes_span(content), 0600, &err));
    return path;
}

static void write_identity(void)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes cert = {0}, key = {0}, root = {0};
    OWNED(credential_done)
    struct credential own = credential_make(&front.there.root, ROLE_CONTROLLER,
                                            moment_add_seconds(clock_now(), -3600), 30);
    assert_ok(cert_to_pem(own.cert, &cert, &err));
    assert_ok(key_to_private_pem(own.key, &key, &err));
    assert_ok(cert_to_pem(front.there.root.cert, &root, &err));
    front.cert_file = write_file("cert.pem", &cert);
    front.key_file = write_file("key.pem", &key);
    front.root_file = write_file("root.pem", &root);
}

static void start(void)
{
    struct error err = {0};
    assert_ok(service_start(&front.settings, &front.service, &err));
    snprintf(front.there.url, sizeof front.there.url, "tls+tcp://127.0.0.1:%d",
             service_link_port(front.service));
}

int front_open(void **state)
{
    struct error err = {0};
    void *folder = NULL;
    (void)state;
    scratch_open(&folder);
    front = (struct front){.folder = folder, .there.root = root_make()};
    write_identity();
    front.db = database_open();
    assert_ok(db_script(front.db, "TRUNCATE instances, fleets, keepers, charters CASCADE", &err));
    front.settings = (struct service_settings){
        .database = database_url(),
        .link_listen = "127.0.0.1:0",
        .link_url = "",
        .cert_file = front.cert_file,
        .key_file = front.key_file,
        .root_file = front.root_file,
        .project = PROJECT_DEFAULT,
        .heartbeat_seconds = 30,
        .keeper_seconds = front_keeper_seconds,
        .probe_seconds = front_probe_seconds,
        .appraisals_at_once = front_at_once,
        .appraisals_per_second = front_per_second,
        .workers = 1,
        .lease_seconds = 60,
        .watch_seconds = 3600,
        .agents_most = 100,
        .per_address_most = 100,
    };
    start();
    return 0;
}

static void stop(void)
{
    assert_true(service_stop(front.service, FRONT_STOP_MS));
    front.service = NULL;
}

int front_close(void **state)
{
    (void)state;
    void *folder = front.folder;
    caller_close(&front.keeper);
    stop();
    root_done(&front.there.root);
    db_close(front.db);
    free(front.cert_file);
    free(front.key_file);
    free(front.root_file);
    return scratch_close(&folder);
}

void front_restart(void)
{
    caller_close(&front.keeper);
    stop();
    start();
}

/* ---- talking --------------------------------------------------------------------------------- */

static struct link_event *next_frame(struct caller *caller)
{
    struct link_event *event = caller_event(caller);
    if (event->kind == LINK_CLOSED)
        fail_msg("closed: %s: %s", event->why.code, event->why.text);
    return event;
}

static uint64_t say(struct caller *caller, enum verb verb, const struct record *record,
                    const void *object)
{
    struct error err = {0};
    uint64_t id = link_id_new();
    OWNED(bytes_done) struct bytes body = {0};
    message_print(verb, record, object, &body);
    assert_ok(link_send(caller->peer, FRAME_REQUEST, id, bytes_span(&body), &err));
    return id;
}

/* The answer to `id`; what else the controller asks meanwhile (a charter, evidence) is not heard.
 */
static enum outcome hear(struct caller *caller, uint64_t id, const struct record *record, void *out,
                         struct error *err)
{
    for (;;) {
        OWNED(link_event_drop) struct link_event *event = next_frame(caller);
        if (event->id != id || event->kind != LINK_FRAME)
            continue;
        if (event->type == FRAME_PROBLEM)
            return message_parse_problem(bytes_span(&event->body), err);
        return message_parse_reply(bytes_span(&event->body), record, out, err);
    }
}

void front_keeper_answers(uint64_t id, const struct record *record, const void *object)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes body = {0};
    message_print_reply(record, object, &body);
    assert_ok(link_send(front.keeper.peer, FRAME_REPLY, id, bytes_span(&body), &err));
}

static void keeper_is_well(uint64_t id)
{
    struct keeper_status status = front.told;
    strcpy(status.realm, "simulation");
    status.charter_serial = front.keeper_serial;
    memcpy(status.boot_id, front.keeper_boot, sizeof status.boot_id);
    front_keeper_answers(id, &keeper_status_record, &status);
}

/* What the controller asks of the keeper next, but for how it is: that is answered here. */
uint64_t front_keeper_asked(enum verb wanted, const struct record *record, void *out)
{
    struct error err = {0};
    for (;;) {
        OWNED(link_event_drop) struct link_event *event = next_frame(&front.keeper);
        OWNED(json_drop) json_t *message = NULL;
        enum verb verb;
        struct span apart;
        assert_ok(message_parse_whole(bytes_span(&event->body), &verb, &message, &apart, &err));
        if (verb == VERB_STATUS)
            keeper_is_well(event->id);
        if (verb != wanted)
            continue;
        if (record != NULL) {
            assert_ok(message_take_apart(record, apart, out, &err));
            assert_ok(record_from_json(record, message, "", out, &err));
        }
        return event->id;
    }
}

static struct caller dial(struct link_identity *identity)
{
    struct link_settings settings = caller_settings(&front.there);
    struct caller caller = caller_open(&settings, identity);
    caller_opened(&caller);
    return caller;
}

enum outcome front_keeper_says(uint8_t boot, int64_t protocol, const char *version,
                               struct error *err)
{
    struct hello_reply reply = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(credential_done)
    struct credential signer = credential_make(&front.there.root, ROLE_KEEPER_SIGN,
                                               moment_add_seconds(clock_now(), -3600), 30);
    struct hello hello = {.protocol = protocol, .role = LINK_ROLE_KEEPER};
    caller_close(&front.keeper);
    front.keeper = dial(identity_make(&front.there.root, ROLE_KEEPER_LINK));
    assert_int_equal(cert_to_pem(signer.cert, &pem, err), OK);
    bytes_add(&pem, SPAN("", 1));
    memset(front.keeper_boot, boot, sizeof front.keeper_boot);
    memcpy(hello.boot_id, front.keeper_boot, sizeof hello.boot_id);
    strcpy(hello.realm, "simulation");
    hello.charter_serial = front.keeper_serial = 1;
    hello.signer = mem_text((const char *)pem.at);
    hello.jwks = front.jwks != NULL ? mem_text(front.jwks) : NULL;
    snprintf(hello.version, sizeof hello.version, "%s", version);
    uint64_t id = say(&front.keeper, VERB_HELLO, &hello_record, &hello);
    record_done(&hello_record, &hello);
    return hear(&front.keeper, id, &hello_reply_record, &reply, err);
}

void front_keeper(uint8_t boot, const char *version)
{
    struct error err = {0};
    assert_ok(front_keeper_says(boot, KEEPER_PROTOCOL, version, &err));
}

void front_keeper_obeys(int64_t serial)
{
    struct charter_wish wish = {0};
    const struct charter_reply reply = {.serial = serial};
    uint64_t asked = front_keeper_asked(VERB_CHARTER, &charter_wish_record, &wish);
    record_done(&charter_wish_record, &wish);
    front_keeper_answers(asked, &charter_reply_record, &reply);
    front.keeper_serial = serial;
}

void front_keeper_says_how_it_is(void)
{
    front_keeper_asked(VERB_STATUS, NULL, NULL);
}

/* ---- guests ---------------------------------------------------------------------------------- */

struct visitor visitor_open(void)
{
    struct error err = {0};
    struct visitor v = {0};
    OWNED(credential_done) struct credential own = credential_guest();
    key_fingerprint(own.key, v.link_key);
    assert_ok(key_generate(KEY_P256, &v.sealing, &err));
    v.caller = dial(identity_of(&own, &front.there.root));
    return v;
}

void visitor_done(struct visitor *v)
{
    caller_close(&v->caller);
    key_drop(&v->sealing);
}

struct uuid front_instance(const char *fleet, const char *ticket)
{
    struct error err = {0};
    struct uuid id = uuid_new();
    uint8_t hash[1][SHA256_SIZE];
    digest(DIGEST_SHA256, span_of_text(ticket), hash[0]);
    const struct instance_order order = {
        .project = PROJECT_DEFAULT,
        .fleet = fleet,
        .account = "cloud",
        .image = "base",
        .size = "m6a.large",
        .policy = "standard",
        .ids = &id,
        .ticket_hashes = hash,
        .count = 1,
    };
    OWNED(transaction_end) struct transaction tx = {0};
    assert_ok(transaction_begin(front.db, &tx, &err));
    assert_ok(instance_store_add_many(front.db, &order, "test", &err));
    /* The workers have no such account: nothing of it is ever due. */
    assert_ok(
        db_script(front.db, "UPDATE instances SET next_due = now() + interval '1 year'", &err));
    assert_ok(transaction_commit(&tx, &err));
    return id;
}

struct instance front_row(const struct uuid *id)
{
    struct error err = {0};
    struct instance row = {0};
    assert_ok(instance_store_find(front.db, id, &row, &err));
    return row;
}

enum outcome visitor_hello(struct visitor *v, const struct uuid *instance, const char *ticket,
                           struct hello_reply *out, struct error *err)
{
    struct hello hello = {
        .protocol = MESSAGE_PROTOCOL, .role = LINK_ROLE_AGENT, .instance = *instance};
    snprintf(hello.ticket, sizeof hello.ticket, "%s", ticket);
    snprintf(hello.version, sizeof hello.version, "test");
    v->instance = *instance;
    uint64_t id = say(&v->caller, VERB_HELLO, &hello_record, &hello);
    return hear(&v->caller, id, &hello_reply_record, out, err);
}

uint64_t visitor_begins(struct visitor *v)
{
    struct error err = {0};
    struct attest_begin begin = {.kind = EVIDENCE_SIMULATED};
    assert_ok(key_to_spki(v->sealing, &begin.sealing_key, &err));
    uint64_t id = say(&v->caller, VERB_ATTEST_BEGIN, &attest_begin_record, &begin);
    record_done(&attest_begin_record, &begin);
    return id;
}

uint64_t visitor_sends(struct visitor *v, const uint8_t nonce[static NONCE_SIZE])
{
    uint8_t evidence[64];
    struct evidence_part part = {.parts = 1};
    random_fill(evidence, sizeof evidence);
    memcpy(part.nonce, nonce, sizeof part.nonce);
    bytes_add(&part.data, SPAN_OF(evidence));
    uint64_t id = say(&v->caller, VERB_EVIDENCE, &evidence_part_record, &part);
    record_done(&evidence_part_record, &part);
    return id;
}

void front_keeper_challenges(uint64_t asked)
{
    struct challenge made = {.expires_seconds = 180};
    random_fill(made.nonce, sizeof made.nonce);
    memcpy(made.nonce, front.keeper_boot, sizeof front.keeper_boot);
    cert_spki_sha256(front.there.root.cert, made.root_key);
    front_keeper_answers(asked, &challenge_record, &made);
}

enum outcome visitor_turned_away(struct visitor *v, struct error *err)
{
    struct challenge challenge;
    return hear(&v->caller, visitor_begins(v), &challenge_record, &challenge, err);
}

enum outcome visitor_challenge(struct visitor *v, struct challenge *out, struct error *err)
{
    struct challenge_wish wish = {0};
    uint64_t id = visitor_begins(v);
    uint64_t asked = front_keeper_asked(VERB_CHALLENGE, &challenge_wish_record, &wish);
    assert_memory_equal(wish.link_key, v->link_key, SHA256_SIZE);
    record_done(&challenge_wish_record, &wish);
    front_keeper_challenges(asked);
    return hear(&v->caller, id, &challenge_record, out, err);
}

static json_t *claims_of(struct visitor *v, bool passes, uint8_t boot)
{
    const char *refusal = front.refusal != NULL ? front.refusal : "policy-measurement";
    struct error err = {0};
    uint8_t report_id[SHA256_SIZE];
    OWNED(bytes_done) struct bytes spki = {0};
    memset(report_id, boot, sizeof report_id);
    assert_ok(key_to_spki(v->sealing, &spki, &err));
    json_t *claims = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:i}", "verdict", passes ? "trusted" : "rejected",
        "reason", passes ? "ok" : refusal, "kind", "simulated", "policy", "standard", "hardware",
        passes ? "hardware" : "none", "software", "none", "identity", "none", "level",
        passes ? "L1" : "L0", "simulated", true, "charter_serial", 1);
    OWNED(mem_drop) char *sealing = base64_of(bytes_span(&spki));
    json_put_text(claims, "sealing_key", sealing);
    json_put_hex(claims, "link_key", SPAN_OF(v->link_key));
    json_put_hex(claims, "report_id", SPAN_OF(report_id));
    if (front.undeclared)
        json_put_new(claims, "evidence",
                     json_pack("{s:{s:s,s:[{s:s,s:s},{s:s,s:s}]}}", "documents", "state", "none",
                               "checks", "check", "identity-account", "result", "pass", "check",
                               "identity-instance", "result", "skip"));
    return claims;
}

/* The controller reads its id and nothing else. */
static char *token_of(void)
{
    struct uuid id = uuid_new();
    OWNED(text_done) struct text json = {0}, token = {0};
    text_addf(&json, "{\"jti\":\"%s\"}", uuid_text(&id).at);
    OWNED(mem_drop) char *payload = base64url_of(text_span(&json));
    text_addf(&token, "e30.%s.c2ln", payload);
    return mem_text(text_str(&token));
}

void front_keeper_concludes(uint64_t asked, struct visitor *v, bool passes, uint8_t boot)
{
    const struct moment now = moment_add_seconds(clock_now(), front.keeper_ahead);
    struct appraise_reply reply = {
        .token = token_of(),
        .claims = claims_of(v, passes, boot),
        .checks = json_array(),
        .issued = now,
        .expires = moment_add_seconds(now, 600),
    };
    front_keeper_answers(asked, &appraise_reply_record, &reply);
    record_done(&appraise_reply_record, &reply);
}

static void keeper_appraises(struct visitor *v, bool passes, uint8_t boot)
{
    struct appraise_wish wish = {0};
    uint64_t asked = front_keeper_asked(VERB_APPRAISE, &appraise_wish_record, &wish);
    record_done(&appraise_wish_record, &wish);
    front_keeper_concludes(asked, v, passes, boot);
}

enum outcome visitor_hears(struct visitor *v, uint64_t id, struct verdict_notice *out,
                           struct error *err)
{
    return hear(&v->caller, id, &verdict_notice_record, out, err);
}

enum outcome visitor_answer(struct visitor *v, const struct challenge *challenge, bool passes,
                            uint8_t boot, struct verdict_notice *out, struct error *err)
{
    uint64_t id = visitor_sends(v, challenge->nonce);
    keeper_appraises(v, passes, boot);
    return visitor_hears(v, id, out, err);
}

enum outcome visitor_prove(struct visitor *v, bool passes, uint8_t boot, struct verdict_notice *out,
                           struct error *err)
{
    struct challenge challenge = {0};
    TRY(visitor_challenge(v, &challenge, err));
    return visitor_answer(v, &challenge, passes, boot, out, err);
}

/* ---- passports ------------------------------------------------------------------------------- */

uint64_t visitor_asks_passport(struct visitor *v, const char *relying_party)
{
    struct passport_ask ask = {.nonce = {1}};
    snprintf(ask.relying_party, sizeof ask.relying_party, "%s", relying_party);
    bytes_add(&ask.link_key, SPAN_OF(v->link_key));
    uint64_t id = say(&v->caller, VERB_PASSPORT, &passport_ask_record, &ask);
    record_done(&passport_ask_record, &ask);
    return id;
}

uint64_t front_keeper_asked_passport(struct passport_wish *out)
{
    return front_keeper_asked(VERB_PASSPORT, &passport_wish_record, out);
}

void front_keeper_gives_passport(uint64_t id, const struct passport_reply *reply)
{
    front_keeper_answers(id, &passport_reply_record, reply);
}

void front_keeper_refuses(uint64_t id, const char *code)
{
    struct error err = {0}, why = {0};
    OWNED(bytes_done) struct bytes body = {0};
    error_ignore(fail_code(&why, ERR_DENIED, code, "as the test wants"));
    message_print_problem(&why, &body);
    assert_ok(link_send(front.keeper.peer, FRAME_PROBLEM, id, bytes_span(&body), &err));
}

enum outcome visitor_hears_passport(struct visitor *v, uint64_t id, struct passport_answer *out,
                                    struct error *err)
{
    return hear(&v->caller, id, &passport_answer_record, out, err);
}

/* ---- what is meant to go well ------------------------------------------------------------------
 */

void visitor_opens(struct visitor *v, const struct uuid *id, const char *with)
{
    struct error err = {0};
    struct hello_reply reply = {0};
    assert_ok(visitor_hello(v, id, with, &reply, &err));
}

void visitor_passes(struct visitor *v, uint8_t boot)
{
    struct error err = {0};
    struct verdict_notice notice = {0};
    assert_ok(visitor_prove(v, true, boot, &notice, &err));
    assert_string_equal(notice.verdict, "trusted");
}

bool visitor_holds(const struct uuid *id, const struct visitor *v)
{
    const struct instance row = front_row(id);
    return memcmp(row.link_key, v->link_key, SHA256_SIZE) == 0;
}

bool front_alarmed(const char *code)
{
    struct error err = {0};
    OWNED(alarm_list_done) struct alarm_list list = {0};
    assert_ok(alarm_store_list(front.db, NULL, NULL, &list, &err));
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.at[i].code, code) == 0)
            return true;
    return false;
}
