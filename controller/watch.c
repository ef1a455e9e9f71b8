#include "controller/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "controller/brake.h"
#include "controller/doubt.h"
#include "controller/drift.h"
#include "controller/instance_inside.h"
#include "controller/leftovers.h"
#include "controller/notices.h"
#include "controller/orphan_steps.h"
#include "db/account_store.h"
#include "db/case_store.h"
#include "db/fleet_store.h"
#include "db/orphan_store.h"
#include "db/place_store.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/metrics.h"

enum {
    PAGE = 500,
    DEAF_MS = 15000,          /* a round that comes so late means that we heard nothing */
    SILENCE_ROUND_MS = 10000, /* nobody needs to know sooner */
    STORM_LEAST = 3,          /* so few may always be their own fault */
    STORM_PERCENT = 20,       /* of the running: more at once is ours */
};

/* ---- time --------------------------------------------------------------------------------- */

static enum outcome note_step(struct worker *w, const struct instance *row,
                              const struct instance_step *step, struct error *err)
{
    TRY(instance_store_note(w->db, &row->id, step, w->holder, NULL, err));
    return fleet_store_touch(w->db, row->project, row->fleet, err);
}

/* The row went on since it was read: its worker knew as much. */
static enum outcome unless_it_went_on(enum outcome outcome)
{
    return outcome == ERR_CONFLICT || outcome == ERR_NOT_FOUND ? OK : outcome;
}

static enum outcome note(struct worker *w, const struct instance *row, enum phase_event event,
                         const char *reason, struct error *err)
{
    const struct instance_step step = {.event = event, .reason = reason};
    return unless_it_went_on(note_step(w, row, &step, err));
}

/* While we were down, or without a database, nobody could be heard: silence counts only from when
 * we could listen without a break. */
static bool could_hear(struct hearing *hearing, int64_t seconds)
{
    int64_t now = clock_monotonic_ms();
    if (hearing->last_ms == 0 || now - hearing->last_ms > DEAF_MS)
        hearing->since_ms = now;
    hearing->last_ms = now;
    if (now < hearing->next_ms || now - hearing->since_ms < seconds * 1000)
        return false;
    hearing->next_ms = now + SILENCE_ROUND_MS;
    return true;
}

/* Many at once are our network's silence, not theirs (design.md section 4, storm brakes). */
static enum outcome is_storm(struct worker *w, size_t silent, bool *out, struct error *err)
{
    int64_t running = 0;
    *out = false;
    if (silent <= STORM_LEAST)
        return OK;
    TRY(instance_store_count_running(w->db, &running, err));
    *out = (int64_t)silent * 100 > running * STORM_PERCENT;
    if (*out)
        LOG(ERROR, "instances.silence-held", INT("silent", (int64_t)silent),
            INT("running", running));
    return OK;
}

static enum outcome watch_silence(struct worker *w, struct error *err)
{
    OWNED(instance_list_done) struct instance_list silent = {0};
    bool storm = false;
    int64_t seconds = SILENT_BEATS * w->crew->settings->heartbeat_seconds;
    if (seconds < SILENT_LEAST_SECONDS)
        seconds = SILENT_LEAST_SECONDS;
    if (!could_hear(&w->crew->hearing, seconds))
        return OK;
    TRY(instance_store_silent(w->db, seconds, PAGE, &silent, err));
    TRY(is_storm(w, silent.count, &storm, err));
    for (size_t i = 0; i < silent.count && !storm; i++) {
        LOG(WARN, "instance.went-silent", TEXT("instance", uuid_text(&silent.at[i].id).at));
        TRY(note(w, &silent.at[i], EVENT_FAILED, "agent-silent", err));
    }
    return OK;
}

enum outcome watch_time(struct worker *w, struct error *err)
{
    int64_t expired = 0;
    do
        TRY(instance_store_expire(w->db, PAGE, w->holder, &expired, err));
    while (expired > 0);
    TRY(case_store_expire(w->db, clock_now(), w->holder, err));
    TRY(watch_silence(w, err));
    return alarms_look(&w->crew->alarms, w->db, w->holder, err);
}

/* ---- one account -------------------------------------------------------------------------- */

struct round {
    struct worker *worker;
    const struct account_place *place;
    struct open_cloud *open;
    struct moment began; /* by the database's clock, which rows are written by */
    struct sighting_list seen;
    struct map *by_ref;      /* digest of the cloud's name -> sighting */
    struct map *by_instance; /* id -> row, as the rows were before the list call */
    struct instance_list rows;
    struct vanishing missing;
    bool held; /* too many are missing at once: what is missing here is not gone */
    struct watch_counts *counts;
};

/* "project/name" */
struct place_text {
    char at[ORPHAN_ACCOUNT_SIZE];
};

static struct place_text text_of(const struct account_place *place)
{
    struct place_text text;
    snprintf(text.at, sizeof text.at, "%s/%s", place->project, place->name);
    return text;
}

struct ref_key {
    uint8_t at[SHA256_SIZE];
};

static struct ref_key key_of(const char *ref)
{
    struct ref_key key;
    digest(DIGEST_SHA256, span_of_text(ref), key.at);
    return key;
}

static void round_done(struct round *r)
{
    sighting_list_done(&r->seen);
    instance_list_done(&r->rows);
    map_free(r->by_ref);
    map_free(r->by_instance);
}

static enum outcome read_rows(struct round *r, struct error *err)
{
    char cursor[CURSOR_SIZE] = "";
    do {
        OWNED(instance_list_done) struct instance_list page = {0};
        const struct instance_filter filter = {
            .project = r->place->project,
            .account = r->place->name,
            .limit = PAGE,
            .cursor = cursor,
        };
        char next[CURSOR_SIZE] = "";
        TRY(instance_store_list(r->worker->db, &filter, &page, next, err));
        memcpy(cursor, next, sizeof cursor);
        if (page.count == 0)
            break;
        r->rows.at = mem_resize(r->rows.at, r->rows.count + page.count, sizeof *page.at);
        memcpy(&r->rows.at[r->rows.count], page.at, page.count * sizeof *page.at);
        r->rows.count += page.count;
        page.count = 0; /* the rows own nothing but themselves and moved */
    } while (cursor[0] != '\0');
    for (size_t i = 0; i < r->rows.count; i++)
        map_put(r->by_instance, &r->rows.at[i].id, &r->rows.at[i]);
    return OK;
}

/* Listed with the machines that lost their row, until somebody says that he saw it. */
static enum outcome list_vanished(struct round *r, const struct instance *row, struct error *err)
{
    struct orphan_row orphan = {.kind = ORPHAN_VANISHED, .instance = row->id};
    TRY(text_copy(orphan.project, sizeof orphan.project, row->project, "project", err));
    TRY(text_copy(orphan.account, sizeof orphan.account, row->account, "account", err));
    TRY(text_copy(orphan.ref, sizeof orphan.ref, row->cloud_ref, "ref", err));
    TRY(text_copy(orphan.owner, sizeof orphan.owner, r->open->account.owner, "owner", err));
    TRY(text_copy(orphan.fleet, sizeof orphan.fleet, row->fleet, "fleet", err));
    TRY(text_copy(orphan.zone, sizeof orphan.zone, row->zone, "zone", err));
    snprintf(orphan.state, sizeof orphan.state, "%s", name_of(&phase_names, (int)row->phase));
    return orphan_store_seen(r->worker->db, &orphan, r->worker->holder, err);
}

static enum outcome give_up(struct round *r, const struct instance *row, struct error *err)
{
    const struct instance_step step = {.event = EVENT_VANISHED};
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(r->worker->db, &tx, err));
    TRY(note_step(r->worker, row, &step, err));
    TRY(list_vanished(r, row, err));
    return transaction_commit(&tx, err);
}

static enum outcome vanished(struct round *r, const struct instance *row, struct error *err)
{
    r->counts->vanished++;
    if (row->phase == PHASE_TERMINATING)
        return note(r->worker, row, EVENT_GONE, NULL, err);
    LOG(WARN, "instance.vanished", TEXT("instance", uuid_text(&row->id).at),
        TEXT("ref", row->cloud_ref));
    return unless_it_went_on(give_up(r, row, err));
}

static enum outcome fail_row(struct round *r, const struct instance *row, const struct error *said,
                             struct error *err)
{
    const bool of_place = refusal_of(said->code) != NULL;
    const struct instance_step step = {
        .event = EVENT_FAILED, .reason = said->code, .no_fault = of_place};
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(r->worker->db, &tx, err));
    if (of_place)
        TRY(place_store_close(r->worker->db, row, said->code, said->text, r->worker->holder, err));
    TRY(note_step(r->worker, row, &step, err));
    return transaction_commit(&tx, err);
}

/* Its cloud took it back, for want of room as a rule. What serves already may be said to have
 * failed for less, and a person's wish is carried out by its worker. */
static enum outcome failed(struct round *r, const struct instance *row, const struct sighting *seen,
                           struct error *err)
{
    const bool young = row->phase == PHASE_BOOTING || row->phase == PHASE_STARTING;
    struct error said;
    if (row->wanted == WANTED_GONE || row->phase == PHASE_FAILED || (!young && !seen->is_over))
        return OK;
    error_fill(&said, ERR_CONFLICT, seen->failure, "", "%s", seen->reason);
    LOG(WARN, "instance.taken-back", TEXT("instance", uuid_text(&row->id).at),
        TEXT("ref", seen->ref), TEXT("code", seen->failure), TEXT("reason", seen->reason));
    return unless_it_went_on(fail_row(r, row, &said, err));
}

/* What the next round is likely to see changed. */
static bool is_moving(const struct instance *row)
{
    return row->phase == PHASE_LAUNCHING || row->phase == PHASE_STOPPING ||
           row->phase == PHASE_STARTING || row->phase == PHASE_TERMINATING;
}

/* A list may still lack it. */
static bool is_young(const struct round *r, const struct instance *row)
{
    const struct moment since = moment_is_none(row->launched_at) ? row->updated : row->launched_at;
    return moment_seconds_between(since, r->began) < UNSEEN_SECONDS;
}

static const struct sighting *sighting_of(const struct round *r, const struct instance *row)
{
    struct ref_key key = key_of(row->cloud_ref);
    return map_get(r->by_ref, &key);
}

/* Are too many missing at once? Those that are to go are missed by nobody. */
static enum outcome try_brake(struct round *r, struct error *err)
{
    struct vanishing *seen = &r->missing;
    if (r->seen.partial)
        return OK;
    for (size_t i = 0; i < r->rows.count; i++) {
        const struct instance *row = &r->rows.at[i];
        const bool is_settled = row->cloud_ref[0] != '\0' && row->wanted != WANTED_GONE &&
                                row->phase != PHASE_TERMINATING && !is_young(r, row);
        seen->settled += is_settled;
        seen->missing += is_settled && sighting_of(r, row) == NULL;
    }
    return brake_look(r->worker, r->place, seen, &r->held, err);
}

/* Said of one machine, and not of whoever asks: the others are looked at all the same. */
static bool is_of_one(enum outcome outcome)
{
    return outcome == ERR_DENIED || outcome == ERR_CONFLICT || outcome == ERR_INVALID;
}

static enum outcome check_row(struct round *r, const struct instance *row, struct error *err)
{
    r->counts->moving += is_moving(row);
    if (row->cloud_ref[0] == '\0')
        return OK;
    /* To its worker alone its cloud says why nothing comes of it. */
    const bool is_its_workers = row_is_followed(row) && row->wanted != WANTED_GONE;
    const struct sighting *seen = sighting_of(r, row);
    if (seen != NULL && seen->state == MACHINE_FAILED)
        return failed(r, row, seen, err);
    if (seen != NULL && seen->state == MACHINE_GONE)
        return is_its_workers ? OK : vanished(r, row, err);
    if (seen != NULL)
        return doubt_look(r->worker, row, seen, err);
    if (r->seen.partial || r->held || is_young(r, row) || is_its_workers)
        return OK;
    /* Not in the list: ask for it by name before believing that. */
    struct sighting alone = {0};
    struct error why = {0};
    enum outcome outcome =
        r->open->driver->find(r->open->cloud, row->cloud_ref, row->machine_id, &alone, &why);
    metric_add(METRIC_CLOUD_CALLS, 1);
    const bool is_other = outcome == OK && row->machine_id[0] != '\0' &&
                          alone.machine_id[0] != '\0' &&
                          strcasecmp(row->machine_id, alone.machine_id) != 0;
    if (outcome == ERR_NOT_FOUND || is_other || (outcome == OK && alone.state == MACHINE_GONE))
        return vanished(r, row, err);
    if (is_of_one(outcome))
        LOG(WARN, "instance.not-seen", TEXT("instance", uuid_text(&row->id).at),
            TEXT("ref", row->cloud_ref), TEXT("code", why.code));
    else if (outcome != OK)
        *err = why;
    return is_of_one(outcome) ? OK : outcome;
}

static void tell_orphan(struct round *r, const struct sighting *seen)
{
    const struct place_text place = text_of(r->place);
    if (!orphans_note(&r->worker->orphans, place.at, seen))
        return;
    r->counts->told++;
    LOG(WARN, "machine.orphaned", TEXT("ref", seen->ref), TEXT("account", place.at),
        TEXT("token", seen->client_token));
}

static enum outcome show_orphan(struct round *r, const struct sighting *seen, struct error *err)
{
    struct orphan_row orphan = {
        .kind = ORPHAN_MACHINE, .instance = seen->instance, .copied = seen->is_copy};
    tell_orphan(r, seen);
    TRY(text_copy(orphan.project, sizeof orphan.project, r->place->project, "project", err));
    TRY(text_copy(orphan.account, sizeof orphan.account, r->place->name, "account", err));
    TRY(text_copy(orphan.ref, sizeof orphan.ref, seen->ref, "ref", err));
    TRY(text_copy(orphan.machine_id, sizeof orphan.machine_id, seen->machine_id, "number", err));
    TRY(text_copy(orphan.owner, sizeof orphan.owner, r->open->account.owner, "owner", err));
    TRY(text_copy(orphan.client_token, sizeof orphan.client_token, seen->client_token, "token",
                  err));
    TRY(text_copy(orphan.fleet, sizeof orphan.fleet, seen->fleet, "fleet", err));
    TRY(text_copy(orphan.zone, sizeof orphan.zone, seen->zone, "zone", err));
    snprintf(orphan.state, sizeof orphan.state, "%s",
             name_of(&machine_state_names, (int)seen->state));
    return orphan_found(r->worker, r->open, &orphan, r->seen.partial, err);
}

/* Launched by us, and its row has another machine or is over: a machine that nobody would ever
 * end. One that its cloud keeps is for a person to see. */
static enum outcome end_stray(struct round *r, const struct sighting *seen, struct error *err)
{
    struct error why = {0};
    LOG(WARN, "machine.ended", TEXT("ref", seen->ref),
        TEXT("instance", uuid_text(&seen->instance).at), TEXT("token", seen->client_token));
    r->counts->ended++;
    enum outcome outcome =
        r->open->driver->terminate(r->open->cloud, seen->ref, seen->machine_id, NULL, &why);
    metric_add(METRIC_CLOUD_CALLS, 1);
    if (is_of_one(outcome)) {
        LOG(WARN, "machine.not-ended", TEXT("ref", seen->ref), TEXT("code", why.code),
            TEXT("text", why.text));
        return show_orphan(r, seen, err);
    }
    if (outcome != OK && outcome != ERR_NOT_FOUND)
        *err = why;
    return outcome == ERR_NOT_FOUND ? OK : outcome;
}

static enum outcome adopt(struct round *r, const struct instance *row, const struct sighting *seen,
                          struct error *err)
{
    r->counts->adopted++;
    enum outcome outcome = instance_store_adopt(r->worker->db, &row->id, seen->ref,
                                                seen->machine_id, r->worker->holder, err);
    return outcome == ERR_CONFLICT ? OK : outcome;
}

static bool is_its_launch(const struct instance *row, const struct sighting *seen)
{
    return strcmp(row->client_token, seen->client_token) == 0;
}

/* Of an order before the row's last one, that came late: the row looks for another machine. */
static bool is_earlier_launch(const struct instance *row, const struct sighting *seen)
{
    char token[CLIENT_TOKEN_SIZE];
    if (seen->generation < 1 || seen->generation >= row->attempt)
        return false;
    instance_client_token(&row->id, seen->generation, token);
    return strcmp(token, seen->client_token) == 0;
}

static bool is_listed(const struct round *r, const char *ref)
{
    struct ref_key key = key_of(ref);
    return map_get(r->by_ref, &key) != NULL;
}

/* Tags can be put on anything; what a machine was launched by stays with it. Where that is its name
 * alone, the tag that says so may be gone. */
static bool is_launched_for(const struct instance *row, const struct sighting *seen)
{
    char token[CLIENT_TOKEN_SIZE];
    const char *by = seen->client_token[0] != '\0' ? seen->client_token : seen->ref;
    instance_client_token(&row->id, 0, token);
    return !seen->is_copy && strncasecmp(by, token, strlen(token) - 1) == 0; /* whatever number */
}

/* Its row does not stand for it. What we did not launch is listed as a copy: no policy ends it. */
static enum outcome check_stray(struct round *r, const struct instance *row,
                                const struct sighting *seen, struct error *err)
{
    struct sighting copy = *seen;
    copy.is_copy = true;
    return is_launched_for(row, seen) ? end_stray(r, seen, err) : show_orphan(r, &copy, err);
}

static bool is_here(const struct round *r, const struct instance *row)
{
    return strcmp(row->account, r->place->name) == 0 &&
           strcmp(row->project, r->place->project) == 0;
}

/* Its row has another machine. While that is not listed, this may be the same by another name, or
 * the list may lag. */
static enum outcome check_second(struct round *r, const struct instance *row,
                                 const struct sighting *seen, struct error *err)
{
    if (is_here(r, row) && !is_listed(r, row->cloud_ref))
        return OK;
    return check_stray(r, row, seen, err);
}

static enum outcome check_machine(struct round *r, const struct sighting *seen, struct error *err)
{
    if (seen->state == MACHINE_GONE || seen->state == MACHINE_DELETING)
        return OK;
    r->counts->machines++;
    const struct instance *row = map_get(r->by_instance, &seen->instance);
    struct instance late = {0};
    if (row == NULL || strcmp(row->cloud_ref, seen->ref) != 0) {
        /* The row as it is now: it may be younger than our list, or over. */
        enum outcome outcome = instance_store_find(r->worker->db, &seen->instance, &late, err);
        if (outcome == ERR_NOT_FOUND)
            return show_orphan(r, seen, err);
        TRY(outcome);
        row = &late;
    }
    if (row->phase == PHASE_TERMINATED)
        return check_stray(r, row, seen, err);
    if (strcmp(row->cloud_ref, seen->ref) == 0)
        return OK;
    if (row->cloud_ref[0] != '\0')
        return check_second(r, row, seen, err);
    if (seen->is_copy)
        return show_orphan(r, seen, err);
    if (is_earlier_launch(row, seen))
        return end_stray(r, seen, err);
    /* A name is worth something in its own account only. */
    const bool is_missed = is_here(r, row) && row->phase != PHASE_LAUNCHING;
    return is_missed && is_its_launch(row, seen) ? adopt(r, row, seen, err) : OK;
}

/* What its cloud once listed it knows: from now on "not found" means gone. */
static enum outcome settle_shown(struct round *r, struct error *err)
{
    OWNED(mem_drop) struct uuid *ids = mem_new(r->rows.count + 1, sizeof *ids);
    OWNED(mem_drop) struct moment *launched = mem_new(r->rows.count + 1, sizeof *launched);
    size_t count = 0;
    for (size_t i = 0; i < r->rows.count; i++) {
        const struct instance *row = &r->rows.at[i];
        if (!moment_is_none(row->settled_at) || moment_is_none(row->launched_at) ||
            !is_listed(r, row->cloud_ref))
            continue;
        ids[count] = row->id;
        launched[count++] = row->launched_at;
    }
    return count > 0 ? instance_store_settle_shown(r->worker->db, ids, launched, count, err) : OK;
}

static enum outcome compare(struct round *r, struct error *err)
{
    r->by_ref = map_new(sizeof(struct ref_key));
    r->by_instance = map_new(sizeof(struct uuid));
    TRY(orphan_store_clock(r->worker->db, &r->began, err));
    /* Rows first: a machine launched between the two is then merely not looked for. */
    TRY(read_rows(r, err));
    enum outcome outcome = r->open->driver->list(r->open->cloud, &r->seen, err);
    metric_add(METRIC_CLOUD_CALLS, 1);
    if (outcome != OK)
        metric_add(METRIC_CLOUD_ERRORS, 1);
    TRY(outcome);
    for (size_t i = 0; i < r->seen.count; i++) {
        struct ref_key key = key_of(r->seen.at[i].ref);
        map_put(r->by_ref, &key, &r->seen.at[i]);
    }
    TRY(settle_shown(r, err));
    TRY(try_brake(r, err));
    for (size_t i = 0; i < r->rows.count; i++)
        TRY(check_row(r, &r->rows.at[i], err));
    TRY(brake_looked(r->worker, r->place, &r->missing, err));
    for (size_t i = 0; i < r->seen.count; i++)
        TRY(check_machine(r, &r->seen.at[i], err));
    return r->seen.partial || r->held ? OK
                                      : orphan_store_sweep(r->worker->db, r->place, r->began, true,
                                                           r->worker->holder, err);
}

static void watch_account(struct worker *w, const struct account_place *place,
                          struct watch_counts *counts)
{
    struct error err = {0};
    const struct place_text name = text_of(place);
    OWNED(round_done) struct round r = {.worker = w, .place = place, .counts = counts};
    enum outcome outcome =
        clouds_get(&w->clouds, w->db, place->project, place->name, &r.open, &err);
    if (outcome == OK)
        outcome = compare(&r, &err);
    struct error unsaid = {0};
    const struct error why = outcome == OK ? (struct error){0} : err;
    if (brake_whose(w, place, &why, &unsaid) != OK)
        LOG(ERROR, "account.not-told", TEXT("account", name.at), TEXT("text", unsaid.text));
    if (outcome == OK)
        outcome = notices_look(w, place, &r.seen, &err);
    if (outcome == OK && !r.held)
        outcome = leftovers_look(w, place, r.open, &err);
    if (outcome == OK)
        outcome = drift_look(w, place, r.open, &err);
    if (outcome == OK)
        return;
    orphans_keep(&w->orphans, name.at);
    LOG(WARN, "account.not-watched", TEXT("account", name.at), TEXT("code", err.code),
        TEXT("text", err.text));
}

/* Of all kinds, by every controller's looks. */
static enum outcome count_orphans(struct worker *w, struct error *err)
{
    int64_t count, oldest_seconds;
    TRY(orphan_store_count(w->db, &count, &oldest_seconds, err));
    metric_set(METRIC_ORPHANS_LISTED, count);
    metric_set(METRIC_ORPHANS_OLDEST, oldest_seconds);
    return OK;
}

enum outcome watch_clouds(struct worker *w, struct watch_counts *out, struct error *err)
{
    *out = (struct watch_counts){0};
    struct account_place last;
    const struct account_place *after = NULL;
    orphans_begin(&w->orphans);
    for (;;) {
        OWNED(account_place_list_done) struct account_place_list page = {0};
        TRY(account_store_places(w->db, after, PAGE, &page, err));
        for (size_t i = 0; i < page.count && !crew_is_stopping(w->crew); i++)
            watch_account(w, &page.at[i], out);
        if (page.count < PAGE)
            break;
        last = page.at[page.count - 1];
        after = &last;
    }
    out->orphans = orphans_end(&w->orphans);
    metric_set(METRIC_ORPHANS, out->orphans);
    TRY(notices_count(w, err));
    return count_orphans(w, err);
}
