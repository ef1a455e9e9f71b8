/* What every driver must do, against the emulator of its cloud: the life of a machine, doubled and
 * lost calls, and every error in its word. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/random.h"
#include "tests/support/rules.h"
#include "tests/support/sim_cloud.h"
#include "tests/support/test.h"

struct session {
    const struct sim_row *row;
    const struct driver *driver;
    struct cloud *cloud;
    char token[LAUNCH_TOKEN_SIZE];
    struct launch_order order;
    struct cloud_operation operation;
};

static void session_done(struct session *s)
{
    s->driver->close(s->cloud);
}

static void sign_in(struct sim_cloud *sim, struct session *s)
{
    struct error err = {0};
    assert_ok(driver_of(&sim->account, &s->driver, &err));
    assert_ok(s->driver->open(&sim->account, &s->cloud, &err));
    s->row = sim->row;
    s->order = (struct launch_order){.instance = uuid_new(),
                                     .generation = 3,
                                     .fleet = "payments",
                                     .client_token = s->token,
                                     .image = sim->row->image,
                                     .size = sim->row->size,
                                     .user_data = span_of_text("hello")};
    launch_token(&s->order.instance, 3, s->token);
}

static struct sighting launch(struct session *s)
{
    struct error err = {0};
    struct sighting machine = {0};
    assert_ok(s->driver->launch(s->cloud, &s->order, &machine, &s->operation, &err));
    return machine;
}

/* What is gone may be seen as gone, or not any more. */
static struct sighting await(struct session *s, const char *ref, enum machine_state wanted)
{
    struct error err = {0};
    struct sighting seen = {0};
    for (int64_t until = clock_monotonic_ms() + 10000; clock_monotonic_ms() < until;) {
        enum outcome outcome = s->driver->find(s->cloud, ref, NULL, &seen, &err);
        if (outcome == ERR_NOT_FOUND && wanted == MACHINE_GONE)
            return seen;
        assert_ok(outcome);
        if (seen.state == wanted)
            return seen;
        poll(NULL, 0, 5);
    }
    fail_msg("%s is %s", ref, seen.state_word);
    return seen;
}

/* Until the operation is over; where there is none it is over at once. */
static enum outcome follow(struct session *s, struct error *err)
{
    for (int64_t until = clock_monotonic_ms() + 10000; s->operation.name[0] != '\0';) {
        TRY(s->driver->follow(s->cloud, &s->operation, err));
        assert_true(clock_monotonic_ms() < until);
        poll(NULL, 0, 5);
    }
    return OK;
}

/* Who was throttled is told when to come back. */
static void await_turn(struct session *s)
{
    struct error err = {0};
    while (s->driver->turn != NULL && s->driver->turn(s->cloud, &err) != OK) {
        assert_string_equal(err.code, "paced");
        assert_true(err.retry_ms > 0);
        poll(NULL, 0, (int)err.retry_ms);
    }
}

static size_t count_token(struct session *s)
{
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    assert_ok(s->driver->find_token(s->cloud, s->token, &list, &err));
    return list.count;
}

static void a_machine_lives_from_launch_to_gone(void **state)
{
    struct error err = {0};
    OWNED(session_done) struct session s = {0};
    sign_in(*state, &s);
    const struct sighting born = launch(&s);
    assert_true(uuid_equal(&born.instance, &s.order.instance));
    assert_int_equal(born.generation, 3);
    assert_string_equal(born.fleet, "payments");
    assert_string_equal(born.client_token, s.token);
    assert_ok(follow(&s, &err));
    const struct sighting running = await(&s, born.ref, MACHINE_RUNNING);
    assert_true(running.snp_enabled);
    /* The launch says already which machine the name means, where names are ours to give. */
    assert_int_equal(born.machine_id[0] == '\0', s.driver->id == DRIVER_AWS);
    assert_string_equal(running.machine_id, born.machine_id);
    assert_ok(s.driver->stop(s.cloud, born.ref, &s.operation, &err));
    assert_ok(follow(&s, &err));
    await(&s, born.ref, MACHINE_STOPPED);
    assert_ok(s.driver->start(s.cloud, born.ref, NULL, &err));
    await(&s, born.ref, MACHINE_RUNNING);
    assert_ok(s.driver->terminate(s.cloud, born.ref, NULL, NULL, &err));
    await(&s, born.ref, MACHINE_GONE);
    enum outcome again = s.driver->terminate(s.cloud, born.ref, NULL, NULL, &err);
    assert_true(again == OK || again == ERR_NOT_FOUND); /* once more does no harm */
}

/* I2: one row, at most one machine. */
static void the_same_order_again_gives_the_same_machine(void **state)
{
    OWNED(session_done) struct session s = {0};
    sign_in(*state, &s);
    const struct sighting first = launch(&s);
    const struct sighting again = launch(&s);
    assert_string_equal(first.ref, again.ref);
    assert_int_equal(sim_cloud_count(*state, "launched"), 1);
    assert_int_equal(count_token(&s), 1);
}

static void another_order_under_the_same_token_is_refused(void **state)
{
    struct error err = {0};
    OWNED(session_done) struct session s = {0};
    struct sighting machine;
    sign_in(*state, &s);
    launch(&s);
    s.order.size = s.row->other_size;
    assert_fails(s.driver->launch(s.cloud, &s.order, &machine, &s.operation, &err), ERR_CONFLICT,
                 "idempotency-mismatch");
}

static void each_refusal_of_a_launch_has_its_word(void **state)
{
    static const struct {
        const char *fault;
        enum outcome outcome;
        const char *code;
    } rows[] = {
        {"capacity", ERR_CONFLICT, "capacity"},       {"quota", ERR_DENIED, "quota"},
        {"unsupported", ERR_INVALID, "unsupported"},  {"auth", ERR_DENIED, "auth"},
        {"server-error", ERR_AMBIGUOUS, "ambiguous"}, {"bad-gateway", ERR_AMBIGUOUS, "ambiguous"},
        {"lost-request", ERR_AMBIGUOUS, "ambiguous"}, {"throttle", ERR_THROTTLED, "throttle"},
    };
    OWNED(session_done) struct session s = {0};
    sign_in(*state, &s);
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        struct sighting machine;
        sim_cloud_prank(*state, s.row->call.launch, rows[i].fault);
        assert_fails(s.driver->launch(s.cloud, &s.order, &machine, &s.operation, &err),
                     rows[i].outcome, rows[i].code);
        assert_int_equal(count_token(&s), 0);
        launch_token(&s.order.instance, 4 + (int64_t)i, s.token); /* as a controller goes on */
        s.order.generation = 4 + (int64_t)i;
    }
    assert_int_equal(sim_cloud_count(*state, "launched"), 0);
    await_turn(&s);
    launch(&s); /* and then it works */
}

/* After `ambiguous` the machine may be there: look, and the same order adopts it. */
static void a_launch_whose_answer_is_lost_is_found_by_its_token(void **state)
{
    static const char *const faults[] = {"lost-answer", "garbled", "late-error"};
    for (size_t i = 0; i < countof(faults); i++) {
        struct error err = {0};
        OWNED(session_done) struct session s = {0};
        struct sighting machine;
        sign_in(*state, &s);
        sim_cloud_prank(*state, s.row->call.launch, faults[i]);
        assert_fails(s.driver->launch(s.cloud, &s.order, &machine, &s.operation, &err),
                     ERR_AMBIGUOUS, "ambiguous");
        assert_int_equal(count_token(&s), 1);
        machine = launch(&s);
        assert_int_equal(count_token(&s), 1);
        await(&s, machine.ref, MACHINE_RUNNING);
    }
    assert_int_equal(sim_cloud_count(*state, "launched"), countof(faults));
}

static void capacity_that_runs_out_after_the_launch_is_a_failure(void **state)
{
    struct error err = {0};
    OWNED(session_done) struct session s = {0};
    sign_in(*state, &s);
    sim_cloud_prank(*state, s.row->call.launch, "late-capacity");
    const struct sighting machine = launch(&s);
    if (s.operation.name[0] != '\0')
        assert_fails(follow(&s, &err), ERR_CONFLICT, "capacity");
    if (!s.row->failed_is_listed) {
        await(&s, machine.ref, MACHINE_GONE);
        return;
    }
    const struct sighting ended = await(&s, machine.ref, MACHINE_FAILED);
    assert_string_equal(ended.failure, "capacity");
    assert_ok(s.driver->terminate(s.cloud, machine.ref, NULL, NULL, &err));
}

/* A proxy repeats what it got no answer to. */
static void a_launch_that_came_twice_made_one_machine(void **state)
{
    OWNED(session_done) struct session s = {0};
    sign_in(*state, &s);
    sim_cloud_prank(*state, s.row->call.launch, "doubled");
    launch(&s);
    assert_int_equal(sim_cloud_count(*state, "launched"), 1);
    assert_int_equal(count_token(&s), 1);
}

static void move(struct session *s, const char *ref,
                 enum outcome (*call)(struct cloud *, const char *, struct cloud_operation *,
                                      struct error *))
{
    struct error err = {0};
    assert_ok(call(s->cloud, ref, &s->operation, &err));
    assert_ok(follow(s, &err));
    await(s, ref, MACHINE_RUNNING);
}

static void a_machine_moves_to_another_host_in_one_call(void **state)
{
    static const struct cloud_tag coming[] = {{"muster-sim-maintenance", "scheduled"}};
    OWNED(session_done) struct session s = {0};
    size_t boots = 1;
    sign_in(*state, &s);
    s.order.tags = coming;
    s.order.tag_count = countof(coming);
    const struct sighting machine = launch(&s);
    await(&s, machine.ref, MACHINE_RUNNING);
    if (s.driver->redeploy != NULL) {
        move(&s, machine.ref, s.driver->redeploy);
        assert_int_equal(sim_cloud_count(*state, "running"), ++boots);
    }
    if (s.driver->maintain != NULL) {
        move(&s, machine.ref, s.driver->maintain);
        assert_int_equal(sim_cloud_count(*state, "running"), ++boots);
    }
}

/* It was never ours to follow, or the cloud forgot it: then find() tells. */
static void an_operation_that_nobody_knows_is_not_found(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    OWNED(session_done) struct session s = {0};
    sign_in(sim, &s);
    const struct sighting machine = launch(&s);
    if (s.driver->follow == NULL) {
        assert_string_equal(s.operation.name, "");
        return;
    }
    pthread_mutex_lock(&sim->world.lock);
    operations_done(&sim->world.operations);
    pthread_mutex_unlock(&sim->world.lock);
    assert_fails(follow(&s, &err), ERR_NOT_FOUND, "not-found");
    await(&s, machine.ref, MACHINE_RUNNING);
}

static void reading_calls_say_what_is_worth_repeating(void **state)
{
    struct error err = {0};
    OWNED(session_done) struct session s = {0};
    struct sighting seen;
    sign_in(*state, &s);
    const struct sighting machine = launch(&s);
    sim_cloud_prank(*state, s.row->call.find, "bad-gateway");
    assert_fails(s.driver->find(s.cloud, machine.ref, NULL, &seen, &err), ERR_UNREACHABLE,
                 "server-error");
    sim_cloud_prank(*state, s.row->call.find, "hidden");
    if (strcmp(s.row->call.find, s.row->call.list) != 0) /* a driver may look twice */
        sim_cloud_prank(*state, s.row->call.list, "hidden");
    assert_fails(s.driver->find(s.cloud, machine.ref, NULL, &seen, &err), ERR_NOT_FOUND,
                 "not-found");
    assert_ok(s.driver->find(s.cloud, machine.ref, NULL, &seen, &err));
    sim_cloud_prank(*state, s.row->call.find, "throttle");
    assert_fails(s.driver->find(s.cloud, machine.ref, NULL, &seen, &err), ERR_THROTTLED,
                 "throttle");
}

static void what_is_not_there_or_not_ready_has_its_word(void **state)
{
    struct error err = {0};
    OWNED(session_done) struct session s = {0};
    struct sighting seen;
    sign_in(*state, &s);
    assert_fails(s.driver->find(s.cloud, s.row->missing_ref, NULL, &seen, &err), ERR_NOT_FOUND,
                 "not-found");
    assert_fails(s.driver->terminate(s.cloud, s.row->missing_ref, NULL, NULL, &err), ERR_NOT_FOUND,
                 "not-found");
    assert_fails(s.driver->stop(s.cloud, "../etc", NULL, &err), ERR_INVALID, "invalid");
    const struct sighting machine = launch(&s);
    assert_ok(s.driver->terminate(s.cloud, machine.ref, NULL, NULL, &err));
    assert_int_not_equal(s.driver->start(s.cloud, machine.ref, NULL, &err), OK);
    assert_true(strcmp(err.code, "state-conflict") == 0 || strcmp(err.code, "not-found") == 0);
    s.order.image = s.row->missing_image;
    s.order.client_token = "other";
    assert_fails(s.driver->launch(s.cloud, &s.order, &seen, &s.operation, &err), ERR_NOT_FOUND,
                 "not-found");
    s.order.image = s.row->image;
    s.order.size = s.row->plain_size;
    assert_fails(s.driver->launch(s.cloud, &s.order, &seen, &s.operation, &err), ERR_INVALID,
                 s.row->plain_word);
}

/* Only EC2 has parents of enclaves; nobody else is even asked, and the rule is named. */
static void a_parent_of_enclaves_is_launched_or_refused_before_any_call(void **state)
{
    struct error err = {0};
    OWNED(session_done) struct session s = {0};
    struct sighting seen;
    sign_in(*state, &s);
    s.order.enclaves = s.order.no_snp = true;
    if (s.driver->id == DRIVER_AWS) {
        assert_false(await(&s, launch(&s).ref, MACHINE_RUNNING).snp_enabled);
        return;
    }
    sim_cloud_prank(*state, s.row->call.launch, "auth"); /* which nothing meets */
    assert_fails(s.driver->launch(s.cloud, &s.order, &seen, &s.operation, &err), ERR_INVALID,
                 "unsupported");
    assert_string_equal(err.where,
                        s.driver->id == DRIVER_GCP ? "gcp-no-enclaves" : "azure-no-enclaves");
    s.order.enclaves = false;
    assert_fails(s.driver->launch(s.cloud, &s.order, &seen, &s.operation, &err), ERR_INVALID,
                 "unsupported");
    assert_int_equal(sim_cloud_count(*state, "launched"), 0);
}

/* An orphan on page two must be seen like one on page one. */
static void a_list_has_all_pages_and_only_our_own(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    sim_cloud_page(sim, 2);
    for (int i = 0; i < 5; i++) {
        OWNED(session_done) struct session s = {0};
        sign_in(sim, &s);
        launch(&s);
    }
    snprintf(sim->account.owner, sizeof sim->account.owner, "others");
    OWNED(session_done) struct session other = {0};
    sign_in(sim, &other);
    launch(&other);
    snprintf(sim->account.owner, sizeof sim->account.owner, "tests");
    OWNED(session_done) struct session s = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    sign_in(sim, &s);
    assert_ok(s.driver->list(s.cloud, &list, &err));
    assert_int_equal(list.count, 5);
}

/* A machine, running, whose host its cloud will take away. */
static struct sighting launch_doomed(struct session *s)
{
    const struct cloud_tag doomed = {"muster-sim:maintenance",
                                     s->driver->id == DRIVER_AWS ? "instance-stop" : "scheduled"};
    s->order.tags = &doomed;
    s->order.tag_count = 1;
    const struct sighting machine = launch(s);
    s->order.tags = NULL;
    s->order.tag_count = 0;
    return await(s, machine.ref, MACHINE_RUNNING);
}

/* One more call on AWS, however many machines there are; none elsewhere. */
static void a_list_tells_whose_hosts_go_away(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    OWNED(session_done) struct session s = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    sign_in(sim, &s);
    const struct sighting doomed = launch_doomed(&s);
    s.order.client_token = "muster-another";
    await(&s, launch(&s).ref, MACHINE_RUNNING);
    assert_ok(s.driver->list(s.cloud, &list, &err));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.notices_unknown.code, "");
    assert_int_equal(list.notices.count, 1);
    const struct notice *notice = &list.notices.at[0];
    assert_string_equal(notice->ref, doomed.ref);
    assert_true(notice->is_ours_to_time);
    assert_int_equal(moment_seconds_between(clock_now(), notice->not_before) / 86400 >= 6, 1);
    if (s.driver->id != DRIVER_AWS)
        return;
    OWNED(sighting_list_done) struct sighting_list deaf = {0};
    sim_cloud_prank(sim, "DescribeInstanceStatus", "auth");
    assert_ok(s.driver->list(s.cloud, &deaf, &err));
    assert_int_equal(deaf.count, 2);
    assert_string_equal(deaf.notices_unknown.code, "auth");
}

static void a_list_is_of_the_region_where_a_cloud_keeps_them_apart(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    OWNED(session_done) struct session here = {0};
    sign_in(sim, &here);
    launch(&here);
    sim_cloud_move(sim, sim->row->next_region);
    OWNED(session_done) struct session there = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    sign_in(sim, &there);
    launch(&there);
    assert_ok(there.driver->list(there.cloud, &list, &err));
    assert_int_equal(list.count, sim->row->regions_apart ? 1 : 2);
}

static void a_page_that_fails_fails_the_list(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    OWNED(session_done) struct session s = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    sign_in(sim, &s);
    launch(&s);
    sim_cloud_prank(sim, sim->row->call.list, "garbled");
    assert_int_not_equal(s.driver->list(s.cloud, &list, &err), OK);
    assert_int_equal(list.count, 0);
}

static void a_wrong_key_or_region_gets_nothing(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    struct cloud_identity who;
    struct sighting machine;
    sim_cloud_secret(sim, SECRET_WRONG);
    OWNED(session_done) struct session wrong = {0};
    sign_in(sim, &wrong);
    assert_fails(wrong.driver->identify(wrong.cloud, &who, &err), ERR_DENIED, "auth");
    sim_cloud_secret(sim, SECRET_RIGHT);
    sim_cloud_move(sim, sim->row->far_region);
    OWNED(session_done) struct session far = {0};
    sign_in(sim, &far);
    assert_int_not_equal(far.driver->launch(far.cloud, &far.order, &machine, &far.operation, &err),
                         OK);
    assert_string_equal(err.code, sim->row->far_word);
    assert_int_equal(sim_cloud_count(sim, "launched"), 0);
}

static void without_credentials_nothing_is_opened(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    const struct driver *driver;
    struct cloud *cloud = NULL;
    assert_ok(driver_of(&sim->account, &driver, &err));
    sim_cloud_secret(sim, SECRET_ABSENT);
    assert_fails(driver->open(&sim->account, &cloud, &err), ERR_DENIED, "no-credentials");
    sim_cloud_secret(sim, SECRET_UNCLEAN);
    assert_fails(driver->open(&sim->account, &cloud, &err), ERR_DENIED, "no-credentials");
    assert_null(strstr(err.text, "two"));
}

static void the_emulator_remembers_its_machines_and_tokens(void **state)
{
    struct sim_cloud *sim = *state;
    OWNED(session_done) struct session s = {0};
    sign_in(sim, &s);
    const struct sighting before = launch(&s);
    sim_cloud_reopen(sim);
    s.driver->close(s.cloud);
    struct error err = {0};
    assert_ok(s.driver->open(&sim->account, &s.cloud, &err));
    const struct sighting after = launch(&s);
    assert_string_equal(before.ref, after.ref);
    await(&s, after.ref, MACHINE_RUNNING);
    assert_int_equal(sim_cloud_count(sim, "launched"), 1);
}

/* Each emulated cloud has what the catalogue says that it has. */
static void what_a_cloud_offers_is_what_the_catalogue_names(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    OWNED(session_done) struct session s = {0};
    OWNED(offer_list_done) struct offer_list offers = {0};
    OWNED(drift_list_done) struct drift_list drift = {0};
    OWNED(catalogue_drop) struct catalogue *current = rules_edition(CATALOGUE_CURRENT);
    sign_in(sim, &s);
    assert_ok(s.driver->offers(s.cloud, &offers, &err));
    assert_true(offers.count > 10);
    catalogue_compare(current, s.driver->id, sim->account.region, clock_now(), &offers, &drift);
    for (size_t i = 0; i < drift.count; i++)
        fail_msg("%s: %s", drift.at[i].subject, drift.at[i].text);
}

static void offers_that_cannot_be_had_are_an_error(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    OWNED(session_done) struct session s = {0};
    OWNED(offer_list_done) struct offer_list offers = {0};
    sign_in(sim, &s);
    sim_cloud_prank(sim, sim->row->call.offers, "garbled");
    assert_int_not_equal(s.driver->offers(s.cloud, &offers, &err), OK);
    sim_cloud_prank(sim, sim->row->call.offers, "throttle");
    assert_fails(s.driver->offers(s.cloud, &offers, &err), ERR_THROTTLED, "throttle");
    assert_int_equal(offers.count, 0);
}

#define WITH_CLOUD(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, sim_cloud_open, sim_cloud_close_known)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CLOUD(a_machine_lives_from_launch_to_gone),
        WITH_CLOUD(the_same_order_again_gives_the_same_machine),
        WITH_CLOUD(another_order_under_the_same_token_is_refused),
        WITH_CLOUD(each_refusal_of_a_launch_has_its_word),
        WITH_CLOUD(a_launch_whose_answer_is_lost_is_found_by_its_token),
        WITH_CLOUD(capacity_that_runs_out_after_the_launch_is_a_failure),
        WITH_CLOUD(a_launch_that_came_twice_made_one_machine),
        WITH_CLOUD(a_machine_moves_to_another_host_in_one_call),
        WITH_CLOUD(an_operation_that_nobody_knows_is_not_found),
        WITH_CLOUD(reading_calls_say_what_is_worth_repeating),
        WITH_CLOUD(what_is_not_there_or_not_ready_has_its_word),
        WITH_CLOUD(a_parent_of_enclaves_is_launched_or_refused_before_any_call),
        WITH_CLOUD(a_list_has_all_pages_and_only_our_own),
        WITH_CLOUD(a_list_tells_whose_hosts_go_away),
        WITH_CLOUD(a_list_is_of_the_region_where_a_cloud_keeps_them_apart),
        WITH_CLOUD(a_page_that_fails_fails_the_list),
        WITH_CLOUD(a_wrong_key_or_region_gets_nothing),
        WITH_CLOUD(without_credentials_nothing_is_opened),
        WITH_CLOUD(what_a_cloud_offers_is_what_the_catalogue_names),
        WITH_CLOUD(offers_that_cannot_be_had_are_an_error),
        WITH_CLOUD(the_emulator_remembers_its_machines_and_tokens),
    };
    return sim_cloud_run("drivers", tests, countof(tests));
}
