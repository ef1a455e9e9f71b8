/* What machines leave behind, on every cloud: only what nobody has, only our own, all of it, and it
 * goes when it is told to. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lib/crypto/random.h"
#include "tests/support/sim_cloud.h"
#include "tests/support/test.h"

struct session {
    struct sim_cloud *sim;
    const struct driver *driver;
    struct cloud *cloud;
    struct uuid instance;
    char token[LAUNCH_TOKEN_SIZE];
};

static void session_done(struct session *s)
{
    s->driver->close(s->cloud);
}

static void sign_in(struct sim_cloud *sim, struct session *s)
{
    struct error err = {0};
    s->sim = sim;
    assert_ok(driver_of(&sim->account, &s->driver, &err));
    assert_ok(s->driver->open(&sim->account, &s->cloud, &err));
}

static struct sighting launch(struct session *s)
{
    struct error err = {0};
    struct sighting machine = {0};
    struct cloud_operation operation;
    s->instance = uuid_new();
    launch_token(&s->instance, 1, s->token);
    const struct launch_order order = {.instance = s->instance,
                                       .generation = 1,
                                       .fleet = "payments",
                                       .client_token = s->token,
                                       .image = s->sim->row->image,
                                       .size = s->sim->row->size};
    assert_ok(s->driver->launch(s->cloud, &order, &machine, &operation, &err));
    return machine;
}

static void await_terminated(struct session *s, const char *ref)
{
    struct error err = {0};
    struct sighting seen = {0};
    for (int64_t until = clock_monotonic_ms() + 10000; clock_monotonic_ms() < until;) {
        enum outcome outcome = s->driver->find(s->cloud, ref, NULL, &seen, &err);
        if (outcome == ERR_NOT_FOUND || (outcome == OK && seen.state == MACHINE_GONE))
            return;
        poll(NULL, 0, 5);
    }
    fail_msg("%s is %s", ref, seen.state_word);
}

/* A machine comes and goes, and what it had stays. */
static void leave(struct session *s)
{
    struct error err = {0};
    const struct sighting machine = launch(s);
    sim_cloud_prank(s->sim, s->sim->row->call.terminate, "left-behind");
    assert_ok(s->driver->terminate(s->cloud, machine.ref, NULL, NULL, &err));
    await_terminated(s, machine.ref);
}

static size_t kinds(const struct session *s)
{
    return s->driver->id == DRIVER_GCP ? 2 : 3; /* there an interface is a part of a machine */
}

static struct leftover_list leftovers(struct session *s)
{
    struct error err = {0};
    struct leftover_list list = {0};
    assert_ok(s->driver->leftovers(s->cloud, &list, &err));
    return list;
}

static size_t count_leftovers(struct session *s)
{
    OWNED(leftover_list_done) struct leftover_list list = leftovers(s);
    return list.count;
}

static void what_a_machine_left_is_listed_until_it_is_discarded(void **state)
{
    struct error err = {0};
    bool seen[LEFTOVER_KIND_COUNT] = {false};
    OWNED(session_done) struct session s = {0};
    sign_in(*state, &s);
    leave(&s);
    OWNED(leftover_list_done) struct leftover_list list = leftovers(&s);
    assert_int_equal(list.count, kinds(&s));
    assert_false(list.partial);
    for (size_t i = 0; i < list.count; i++) {
        assert_false(seen[list.at[i].kind]);
        seen[list.at[i].kind] = true;
        assert_true(uuid_equal(&list.at[i].instance, &s.instance));
        assert_string_equal(list.at[i].client_token, s.token);
        assert_string_equal(list.at[i].fleet, "payments");
        assert_ok(s.driver->discard(s.cloud, list.at[i].kind, list.at[i].ref, &err));
        assert_int_equal(count_leftovers(&s), list.count - i - 1);
        enum outcome again = s.driver->discard(s.cloud, list.at[i].kind, list.at[i].ref, &err);
        assert_true(again == OK || again == ERR_NOT_FOUND);
    }
    assert_int_equal(sim_cloud_count(*state, "left-behind"), kinds(&s));
    assert_int_equal(sim_cloud_count(*state, "discarded"), kinds(&s));
}

struct named {
    enum account_driver cloud;
    char refs[LEFTOVER_KIND_COUNT][128];
    int kind;
};

/* As the driver would call it. */
static void name_it(const struct remnant *remnant, void *context)
{
    struct named *named = context;
    char *ref = named->refs[named->kind];
    const char *place = remnant->kind == REMNANT_DISK ? remnant->zone : remnant->region;
    if (named->cloud == DRIVER_GCP)
        snprintf(ref, sizeof named->refs[0], "%.60s/%.63s", place, remnant->name);
    else
        snprintf(ref, sizeof named->refs[0], "%s",
                 named->cloud == DRIVER_AWS ? remnant->ref : remnant->name);
}

static void what_a_machine_has_is_never_listed_and_cannot_be_discarded(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    OWNED(session_done) struct session s = {0};
    sign_in(sim, &s);
    launch(&s);
    assert_int_equal(count_leftovers(&s), 0);
    struct named named = {.cloud = s.driver->id};
    pthread_mutex_lock(&sim->world.lock);
    for (named.kind = 0; named.kind < LEFTOVER_KIND_COUNT; named.kind++)
        remnants_each(&sim->world, s.driver->id, (enum remnant_kind)named.kind, name_it, &named);
    pthread_mutex_unlock(&sim->world.lock);
    for (size_t kind = 0; kind < kinds(&s); kind++)
        assert_fails(s.driver->discard(s.cloud, (enum leftover_kind)kind, named.refs[kind], &err),
                     ERR_CONFLICT, "state-conflict");
    assert_int_equal(sim_cloud_count(sim, "discarded"), 0);
}

static void untag(struct sim_cloud *sim)
{
    pthread_mutex_lock(&sim->world.lock);
    for (size_t i = 0; i < sim->world.remnants.count; i++)
        sim->world.remnants.at[i].tag_count = 0;
    pthread_mutex_unlock(&sim->world.lock);
}

static void what_is_anothers_or_nobodys_is_never_listed(void **state)
{
    struct sim_cloud *sim = *state;
    snprintf(sim->account.owner, sizeof sim->account.owner, "others");
    OWNED(session_done) struct session other = {0};
    sign_in(sim, &other);
    leave(&other);
    snprintf(sim->account.owner, sizeof sim->account.owner, "tests");
    OWNED(session_done) struct session s = {0};
    sign_in(sim, &s);
    assert_int_equal(count_leftovers(&s), 0);
    assert_int_equal(count_leftovers(&other), kinds(&s));
    leave(&s);
    assert_int_equal(count_leftovers(&s), kinds(&s));
    untag(sim);
    assert_int_equal(count_leftovers(&s), 0);
}

static void what_is_left_on_page_two_is_listed_too(void **state)
{
    OWNED(session_done) struct session s = {0};
    sign_in(*state, &s);
    sim_cloud_page(*state, 2);
    for (int i = 0; i < 5; i++)
        leave(&s);
    assert_int_equal(count_leftovers(&s), 5 * kinds(&s));
}

/* Nothing is gone because a list did not come whole. */
static void a_list_that_cannot_be_had_whole_is_an_error(void **state)
{
    struct sim_cloud *sim = *state;
    static const char *const faults[] = {"garbled", "lost-answer", "server-error", "throttle"};
    OWNED(session_done) struct session s = {0};
    sign_in(sim, &s);
    leave(&s);
    for (size_t kind = 0; kind < kinds(&s); kind++)
        for (size_t i = 0; i < countof(faults); i++) {
            struct error err = {0};
            OWNED(leftover_list_done) struct leftover_list list = {0};
            sim_cloud_prank(sim, sim->row->leftovers[kind], faults[i]);
            enum outcome outcome = s.driver->leftovers(s.cloud, &list, &err);
            assert_int_not_equal(outcome, OK);
            assert_int_equal(list.count, 0);
        }
}

static void a_refusal_names_the_missing_permission(void **state)
{
    struct sim_cloud *sim = *state;
    OWNED(session_done) struct session s = {0};
    sign_in(sim, &s);
    for (size_t kind = 0; kind < kinds(&s); kind++) {
        struct error err = {0};
        OWNED(leftover_list_done) struct leftover_list list = {0};
        sim_cloud_prank(sim, sim->row->leftovers[kind], "auth");
        assert_fails(s.driver->leftovers(s.cloud, &list, &err), ERR_DENIED, "auth");
        assert_true(err.where[0] != '\0');
    }
}

static void another_regions_are_not_listed_where_a_cloud_keeps_them_apart(void **state)
{
    struct sim_cloud *sim = *state;
    OWNED(session_done) struct session here = {0};
    sign_in(sim, &here);
    leave(&here);
    sim_cloud_move(sim, sim->row->next_region);
    OWNED(session_done) struct session there = {0};
    sign_in(sim, &there);
    assert_int_equal(count_leftovers(&there), sim->row->regions_apart ? 0 : kinds(&there));
}

static void a_part_of_the_cloud_that_did_not_answer_is_told(void **state)
{
    struct sim_cloud *sim = *state;
    OWNED(session_done) struct session s = {0};
    sign_in(sim, &s);
    leave(&s);
    if (s.driver->id != DRIVER_GCP)
        return; /* the others' lists come whole or not at all */
    sim_cloud_prank(sim, sim->row->leftovers[LEFTOVER_ADDRESS], "partial");
    OWNED(leftover_list_done) struct leftover_list list = leftovers(&s);
    assert_true(list.partial);
    assert_int_equal(list.count, 1);
}

static void what_is_no_name_goes_nowhere(void **state)
{
    OWNED(session_done) struct session s = {0};
    sign_in(*state, &s);
    static const char *const bad[] = {"", "../x", "a b", "i-0123", "x/../y", "zone/a/b"};
    for (size_t i = 0; i < countof(bad); i++)
        for (size_t kind = 0; kind < kinds(&s); kind++) {
            struct error err = {0};
            enum outcome outcome =
                s.driver->discard(s.cloud, (enum leftover_kind)kind, bad[i], &err);
            /* "i-0123" may be a name on Azure: of nothing */
            assert_true(outcome == ERR_INVALID || (outcome == OK && strcmp(bad[i], "i-0123") == 0));
        }
}

#define WITH_CLOUD(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, sim_cloud_open, sim_cloud_close_known)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CLOUD(what_a_machine_left_is_listed_until_it_is_discarded),
        WITH_CLOUD(what_a_machine_has_is_never_listed_and_cannot_be_discarded),
        WITH_CLOUD(what_is_anothers_or_nobodys_is_never_listed),
        WITH_CLOUD(what_is_left_on_page_two_is_listed_too),
        WITH_CLOUD(a_list_that_cannot_be_had_whole_is_an_error),
        WITH_CLOUD(a_refusal_names_the_missing_permission),
        WITH_CLOUD(another_regions_are_not_listed_where_a_cloud_keeps_them_apart),
        WITH_CLOUD(a_part_of_the_cloud_that_did_not_answer_is_told),
        WITH_CLOUD(what_is_no_name_goes_nowhere),
    };
    return sim_cloud_run("leftovers", tests, countof(tests));
}
