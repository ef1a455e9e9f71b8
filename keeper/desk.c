/* Verb to function: the one place where a controller's requests come in. */
#include <string.h>

#include "keeper/inside.h"
#include "lib/base/log.h"

/* From the keeper's own tables, none longer than its place in the message. */
static void show_word(char *out, size_t size, const char *word)
{
    error_ignore(text_copy(out, size, word, "", NULL));
}

static void show_probes(const struct keeper *k, struct keeper_status *out)
{
    const struct probes *probes = &k->probes;
    out->probe_seconds = probes->every_seconds;
    out->probe_samples = (int64_t)probes->count;
    out->probes_held = probes->held;
    out->probes_wrong = probes->wrong;
    out->probes_accepted = probes->accepted;
    out->probed = probes->last;
    show_word(out->fault_kind, sizeof out->fault_kind, probes->fault.kind);
    show_word(out->fault_alteration, sizeof out->fault_alteration, probes->fault.alteration);
    show_word(out->fault_code, sizeof out->fault_code, probes->fault.code);
    out->fault_at = probes->fault.at;
    out->halted = keeper_check_halt(k, NULL) != OK;
    out->halt = k->state != NULL ? keeper_state_halts(k->state) : 0;
}

static enum outcome show_status(struct keeper *k, const void *wish, struct keeper_status *out,
                                struct error *err)
{
    (void)wish, (void)err;
    memcpy(out->boot_id, nonces_boot_id(k->nonces), sizeof out->boot_id);
    error_ignore(text_copy(out->realm, sizeof out->realm, name_of(&realm_names, (int)k->realm),
                           "/realm", NULL));
    if (k->charter != NULL) {
        out->charter_serial = k->charter->serial;
        out->charter_expires = k->charter->expires;
    }
    out->appraisals = k->appraisals;
    out->releases = k->releases;
    out->passports = k->passports;
    out->refusals = k->refusals;
    show_probes(k, out);
    return OK;
}

/* One size for every wish and reply, so that the desk needs no allocation of its own. */
union wish {
    struct challenge_wish challenge;
    struct appraise_wish appraise;
    struct opinion_wish opinion;
    struct generate_wish generate;
    struct release_wish release;
    struct passport_wish passport;
    struct charter_wish charter;
};
union reply {
    struct challenge challenge;
    struct appraise_answer appraise;
    struct opinion_reply opinion;
    struct generate_reply generate;
    struct release_reply release;
    struct passport_reply passport;
    struct charter_reply charter;
    struct keeper_status status;
};

static enum outcome do_challenge(struct keeper *k, union wish *w, union reply *r, struct error *err)
{
    return keeper_challenge(k, &w->challenge, &r->challenge, err);
}

static enum outcome do_appraise(struct keeper *k, union wish *w, union reply *r, struct error *err)
{
    return keeper_appraise(k, &w->appraise, &r->appraise, err);
}

static enum outcome do_opinion(struct keeper *k, union wish *w, union reply *r, struct error *err)
{
    return keeper_opinion(k, &w->opinion, &r->opinion, err);
}

static enum outcome do_generate(struct keeper *k, union wish *w, union reply *r, struct error *err)
{
    return keeper_generate(k, &w->generate, &r->generate, err);
}

static enum outcome do_release(struct keeper *k, union wish *w, union reply *r, struct error *err)
{
    return keeper_release(k, &w->release, &r->release, err);
}

static enum outcome do_passport(struct keeper *k, union wish *w, union reply *r, struct error *err)
{
    return keeper_passport(k, &w->passport, &r->passport, err);
}

static enum outcome do_charter(struct keeper *k, union wish *w, union reply *r, struct error *err)
{
    return keeper_take_charter(k, &w->charter, &r->charter, err);
}

static enum outcome do_status(struct keeper *k, union wish *w, union reply *r, struct error *err)
{
    return show_status(k, w, &r->status, err);
}

struct desk_row {
    enum outcome (*work)(struct keeper *, union wish *, union reply *, struct error *);
    const struct record *wish; /* NULL: the body is empty */
    const struct record *reply;
};

static const struct desk_row desk[VERB_COUNT] = {
    [VERB_CHALLENGE] = {do_challenge, &challenge_wish_record, &challenge_record},
    [VERB_APPRAISE] = {do_appraise, &appraise_wish_record, &appraise_answer_record},
    [VERB_OPINION] = {do_opinion, &opinion_wish_record, &opinion_reply_record},
    [VERB_GENERATE] = {do_generate, &generate_wish_record, &generate_reply_record},
    [VERB_RELEASE] = {do_release, &release_wish_record, &release_reply_record},
    [VERB_PASSPORT] = {do_passport, &passport_wish_record, &passport_reply_record},
    [VERB_CHARTER] = {do_charter, &charter_wish_record, &charter_reply_record},
    [VERB_STATUS] = {do_status, NULL, &keeper_status_record},
};

static enum outcome read_wish(const struct desk_row *row, const json_t *body, struct span apart,
                              union wish *out, struct error *err)
{
    static const char *const none[] = {NULL};
    TRY(message_take_apart(row->wish, apart, out, err));
    if (row->wish == NULL)
        return json_only(body, "", none, err);
    return record_from_json(row->wish, body, "", out, err);
}

static enum outcome serve(struct keeper *k, struct span request, enum verb *verb, struct bytes *out,
                          struct error *err)
{
    OWNED(json_drop) json_t *body = NULL;
    struct span apart;
    union wish wish;
    union reply reply;
    memset(&wish, 0, sizeof wish);
    memset(&reply, 0, sizeof reply);
    TRY(message_parse_whole(request, verb, &body, &apart, err));
    const struct desk_row *row = &desk[*verb];
    if (row->work == NULL)
        return fail_code(err, ERR_INVALID, "unknown-verb", "a keeper does not do '%s'",
                         name_of(&verb_names, (int)*verb));
    TRY(read_wish(row, body, apart, &wish, err));
    enum outcome outcome = row->work(k, &wish, &reply, err);
    if (outcome == OK)
        message_print_reply(row->reply, &reply, out);
    if (row->wish != NULL)
        record_done(row->wish, &wish);
    record_done(row->reply, &reply);
    return outcome;
}

enum frame_type keeper_answer(struct keeper *k, struct span request, struct bytes *out)
{
    struct error err = {0};
    enum verb verb = VERB_COUNT;
    if (serve(k, request, &verb, out, &err) == OK)
        return FRAME_REPLY;
    k->refusals++;
    LOG(WARN, "request.refused", TEXT("verb", name_of(&verb_names, (int)verb)),
        TEXT("code", err.code), TEXT("text", err.text));
    message_print_problem(&err, out);
    return FRAME_PROBLEM;
}
