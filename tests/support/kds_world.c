#include "tests/support/kds_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/database.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

struct kds_world kds_world;

static void serve(void *context, const struct face_request *request, struct face_answer *out)
{
    kds_face_answer(context, request, out);
}

void kds_world_endorser(const char *base_url)
{
    struct error err = {0};
    const struct endorser_settings settings = {
        .database = database_url(), .base_url = base_url, .roots_file = kds_world.roots_file};
    endorser_close(TAKE(kds_world.endorser));
    assert_ok(endorser_open(&settings, &kds_world.endorser, &err));
}

int kds_world_open(void **state)
{
    struct error err = {0};
    int64_t port;
    void *made = NULL;
    (void)state;
    if (deployment_open(&made) != 0)
        return 1;
    kds_world.deployment = made;
    kds_world.db = database_open();
    kds_face_init(&kds_world.kds, kds_world.deployment->psp);
    assert_ok(face_open(0, NULL, serve, &kds_world.kds, &kds_world.face, &port, &err));
    snprintf(kds_world.url, sizeof kds_world.url, "http://127.0.0.1:%lld", (long long)port);
    kds_world.roots_file = scratch_path(kds_world.deployment->folder, "simulator.pem");
    return 0;
}

int kds_world_close(void **state)
{
    (void)state;
    void *made = kds_world.deployment;
    endorser_close(TAKE(kds_world.endorser));
    face_close(kds_world.face);
    kds_face_done(&kds_world.kds);
    db_close(kds_world.db);
    free(kds_world.roots_file);
    return deployment_close(&made);
}

void kds_world_mode(const char *word, int64_t delay_ms, int64_t retry_after)
{
    struct error err = {0};
    OWNED(json_drop) json_t *wish = json_object();
    json_put_text(wish, "mode", word);
    json_put_int(wish, "delay_ms", delay_ms);
    json_put_int(wish, "retry_after_seconds", retry_after);
    assert_ok(kds_face_set(&kds_world.kds, wish, &err));
}

static int64_t told(const char *member)
{
    OWNED(json_drop) json_t *state = kds_face_to_json(&kds_world.kds);
    return json_integer_value(json_object_get(state, member));
}

int64_t kds_world_asked(void)
{
    return told("asked");
}

int64_t kds_world_answered(void)
{
    return told("answered");
}

int kds_world_anew(void **state)
{
    (void)state;
    struct error err = {0};
    kds_world_mode("well", 0, 0);
    pthread_mutex_lock(&kds_world.kds.lock);
    kds_world.kds.asked = kds_world.kds.answered = 0;
    pthread_mutex_unlock(&kds_world.kds.lock);
    assert_ok(db_script(kds_world.db,
                        "TRUNCATE endorsements, endorsement_misses;"
                        "UPDATE endorsement_turns SET full_at = 'epoch'",
                        &err));
    kds_world_endorser(kds_world.url);
    return 0;
}

static void answered(void *context, enum outcome outcome, const struct error *why)
{
    struct kds_answer *answer = context;
    answer->times++;
    answer->outcome = outcome;
    if (outcome != OK)
        answer->why = *why;
}

struct guest kds_world_guest(uint8_t chip)
{
    struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    memset(g.wish.chip_id, chip, sizeof g.wish.chip_id);
    return g;
}

struct kds_item kds_world_item(uint8_t chip)
{
    struct error err = {0};
    struct snp_report report;
    struct kds_item item;
    struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
    OWNED(bytes_done) struct bytes raw = {0};
    memset(wish.chip_id, chip, sizeof wish.chip_id);
    assert_ok(psp_report(kds_world.deployment->psp, &wish, &raw, NULL, &err));
    assert_ok(snp_report_read(bytes_span(&raw), &report, &err));
    assert_true(kds_vcek_of(&report, report.reported_tcb, &item));
    return item;
}

void kds_world_wants(const struct kds_item *items, size_t count, struct kds_answer *answer)
{
    *answer = (struct kds_answer){0};
    endorser_want(kds_world.endorser, items, count, ENDORSER_WAIT_MS, answered, answer);
}

void kds_world_want(const struct kds_item *item, struct kds_answer *answer)
{
    kds_world_wants(item, 1, answer);
}

void kds_world_pass(int64_t ms)
{
    while (ms > 0) {
        int64_t wait_ms = endorser_step(kds_world.endorser);
        if (wait_ms > ms)
            wait_ms = ms;
        clock_advance_ms(wait_ms);
        ms -= wait_ms;
    }
    endorser_step(kds_world.endorser);
}

bool kds_world_keeps(const struct kds_item *item)
{
    struct error err = {0};
    bool there = false;
    char name[KDS_NAME_SIZE];
    kds_name(item, name);
    assert_ok(endorsement_store_has(kds_world.db, name, &there, &err));
    return there;
}
