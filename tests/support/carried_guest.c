#include "tests/support/carried_guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/random.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static enum outcome hear(void *context, uint8_t type, uint64_t id, struct span body,
                         struct error *err)
{
    struct carried *w = context;
    (void)err;
    if (type == FRAME_NOTE)
        return OK;
    w->type = type;
    w->id = id;
    bytes_done(&w->body);
    bytes_add(&w->body, body);
    return OK;
}

static void hang_up(void *context, const char *why)
{
    (void)context;
    fail_msg("hung up: %s", why);
}

void carried_open(struct carried *w, struct deployment *d, struct guest g, struct tee *tee)
{
    struct error err = {0};
    *w = (struct carried){.d = d, .g = g, .tee = tee};
    w->about = (struct appraisal_guest){
        .instance = w->g.instance,
        .link_key = w->g.link_key,
        .roots = &w->d->root,
        .root_count = 1,
        .tee = w->tee,
        .boot = 3,
        .retry_first_seconds = 5,
        .retry_most_seconds = 60,
    };
    w->folder = scratch_path(w->d->folder, "guest-secrets");
    const struct secrets_places places = {.folder = w->folder,
                                          .allow_non_tmpfs = true,
                                          .hooks_dir = w->d->folder,
                                          .hook_seconds = 10};
    const struct secrets_guest holder = {
        .instance = w->g.instance, .roots = &w->d->root, .root_count = 1};
    assert_ok(secrets_open(&places, &holder, &w->secrets, &err));
    const struct session_plan plan = {
        .guest = &w->about, .ticket = "", .secrets = w->secrets, .answer_seconds = 60};
    const struct session_wire wire = {w, hear, hang_up};
    w->session = session_new(&plan, &wire);
}

void carried_done(struct carried *w)
{
    session_free(w->session);
    secrets_close(w->secrets);
    tee_close(w->tee);
    guest_done(&w->g);
    bytes_done(&w->body);
    free(w->folder);
}

/* ---- carrying -------------------------------------------------------------------------------- */

static void take(struct carried *w, enum verb verb, const struct record *record, void *out)
{
    struct error err = {0};
    OWNED(json_drop) json_t *message = NULL;
    enum verb said;
    assert_int_equal(w->type, FRAME_REQUEST);
    assert_ok(message_parse(bytes_span(&w->body), &said, &message, &err));
    assert_int_equal(said, verb);
    assert_ok(record_from_json(record, message, "", out, &err));
}

static void give(struct carried *w, const struct record *record, const void *object)
{
    OWNED(bytes_done) struct bytes body = {0};
    message_print_reply(record, object, &body);
    w->type = 0;
    session_frame(w->session, FRAME_REPLY, w->id, bytes_span(&body));
    session_tick(w->session);
}

void carried_welcome(struct carried *w)
{
    struct hello hello = {0};
    session_opened(w->session);
    take(w, VERB_HELLO, &hello_record, &hello);
    record_done(&hello_record, &hello);
    const struct hello_reply reply = {.trust = "unknown", .epoch = 1, .heartbeat_seconds = 10};
    give(w, &hello_reply_record, &reply);
}

void carried_challenge(struct carried *w)
{
    struct error err = {0};
    struct attest_begin begin = {0};
    struct challenge challenge = {0};
    take(w, VERB_ATTEST_BEGIN, &attest_begin_record, &begin);
    struct challenge_wish wish = {.kind = begin.kind, .instance = w->g.instance};
    guest_link_fingerprint(&w->g, wish.link_key);
    wish.sealing_key = begin.sealing_key;
    assert_ok(deployment_ask(w->d, VERB_CHALLENGE, &challenge_wish_record, &wish, &challenge_record,
                             &challenge, &err));
    record_done(&attest_begin_record, &begin);
    give(w, &challenge_record, &challenge);
}

void carried_evidence(struct carried *w, uint8_t nonce[static NONCE_SIZE], struct bytes *out)
{
    for (;;) {
        struct evidence_part part = {0};
        take(w, VERB_EVIDENCE, &evidence_part_record, &part);
        memcpy(nonce, part.nonce, NONCE_SIZE);
        bytes_add(out, bytes_span(&part.data));
        bool last = part.part + 1 == part.parts;
        record_done(&evidence_part_record, &part);
        if (last)
            return;
        give(w, NULL, NULL);
    }
}

static void copy_claim(const struct carried *w, const char *name, char *out, size_t size)
{
    const char *word = json_string_value(json_object_get(w->g.verdict.claims, name));
    assert_non_null(word);
    snprintf(out, size, "%s", word);
}

/* Both ways, as an honest controller would; gives the verdict's reason. */
struct verdict_notice carried_appraise(struct carried *w)
{
    struct error err = {0};
    struct challenge challenge = {0};
    OWNED(bytes_done) struct bytes evidence = {0};
    struct verdict_notice notice = {.reattest_seconds = 1000};
    carried_challenge(w);
    carried_evidence(w, challenge.nonce, &evidence);
    assert_ok(guest_appraise(w->d, &w->g, &challenge, &evidence, &err));
    copy_claim(w, "verdict", notice.verdict, sizeof notice.verdict);
    copy_claim(w, "reason", notice.reason, sizeof notice.reason);
    copy_claim(w, "level", notice.level, sizeof notice.level);
    notice.valid_until = w->g.verdict.expires;
    give(w, &verdict_notice_record, &notice);
    return notice;
}

void carried_release(struct carried *w, const struct release_wish *wish,
                     const struct release_reply *sealed)
{
    struct secret_delivery delivery = {.delivery = wish->delivery, .envelope = sealed->envelope};
    OWNED(bytes_done) struct bytes body = {0};
    uint64_t id;
    snprintf(delivery.secret, sizeof delivery.secret, "%s", wish->name);
    message_print(VERB_SECRET, &secret_delivery_record, &delivery, &body);
    random_fill(&id, sizeof id);
    w->type = 0;
    session_frame(w->session, FRAME_REQUEST, id, bytes_span(&body));
    session_tick(w->session);
    assert_int_equal(w->id, id);
}

void carried_advance(struct carried *w, int64_t seconds)
{
    clock_advance_ms(seconds * 1000);
    session_tick(w->session);
}
