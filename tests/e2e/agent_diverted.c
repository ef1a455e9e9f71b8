/* The program muster-agent and a host that lies to it: another root, another controller, junk. R11.
 * trust.md sections 3 and 4. */
#include <stdio.h>
#include <string.h>

#include "tests/support/agent_world.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

/* R11: the host names another root and its own controller. */
static void with_the_root_in_the_image_a_diverted_agent_never_says_hello(void **state)
{
    struct agent_world *w = *state;
    struct root image = root_make();
    agent_put_root(w, "root.pem", image.cert);
    OWNED(text_done) struct text more = {0};
    text_addf(&more, "root-file = %s/root.pem\n", w->folder);
    agent_put_config(w, text_str(&more));
    agent_start(w);
    struct link_counts counts = {0};
    int64_t deadline = clock_monotonic_ms() + EVENT_WAIT_MS;
    while (counts.closed < 2) { /* it came, it saw, it left; twice */
        assert_true(clock_monotonic_ms() < deadline);
        struct link_event *event = link_event_next(w->events, 50);
        if (event != NULL)
            assert_int_not_equal(event->kind, LINK_FRAME);
        link_event_free(event);
        link_count(w->link, &counts);
    }
    assert_int_equal(counts.frames_in, 0);
    root_done(&image);
}

static void without_one_its_evidence_is_worth_nothing_to_the_true_keeper(void **state)
{
    struct agent_world *w = *state;
    struct root truth = root_make();
    OWNED(evidence_done) struct evidence evidence = {0};
    agent_start(w); /* the user-data holds the enemy's root, which is ours here */
    agent_take_hello(w);
    agent_challenge(w, w->root.cert);
    agent_take_evidence(w, &evidence);
    assert_true(agent_binds(w, &evidence, w->root.cert));
    assert_false(agent_binds(w, &evidence, truth.cert));
    root_done(&truth);
}

static void a_relayed_challenge_of_the_true_root_gets_no_evidence(void **state)
{
    struct agent_world *w = *state;
    struct root truth = root_make();
    struct attest_begin begin = {0};
    agent_put_config(w, "retry-first-seconds = 1\n");
    agent_start(w);
    agent_take_hello(w);
    agent_challenge(w, truth.cert);
    agent_take_request(w, VERB_ATTEST_BEGIN, &attest_begin_record,
                       &begin); /* it begins anew instead */
    record_done(&attest_begin_record, &begin);
    root_done(&truth);
}

static int run_agent(struct agent_world *w, const char *option, struct ran *ran)
{
    OWNED(mem_drop) char *config = scratch_path(w->folder, "agent.conf");
    const char *const argv[] = {"agent/muster-agent", "--config", config, option, NULL};
    ran_done(ran);
    *ran = run(argv);
    return ran->exit_code;
}

static void junk_from_the_host_ends_it_with_code_2(void **state)
{
    struct agent_world *w = *state;
    static const char *const junk[] = {"", "junk", "{}", "#cloud-config\n", "{\"muster\":1}"};
    OWNED(ran_done) struct ran ran = {0};
    for (size_t i = 0; i < countof(junk); i++) {
        agent_put(w, "user-data", junk[i]);
        assert_int_equal(run_agent(w, NULL, &ran), 2);
    }
    agent_put_userdata(w, w->root.cert);
    assert_int_equal(run_agent(w, "--check-config", &ran), 0);
    assert_string_equal((char *)ran.out.at, "ok\n");
    agent_put_config(w, "colour = red\n");
    assert_int_equal(run_agent(w, "--check-config", &ran), 2);
    assert_non_null(strstr((char *)ran.err.at, "unknown-setting"));
    agent_put_config(w, "root-file = /nonexistent/root.pem\n");
    assert_int_not_equal(run_agent(w, "--check-config", &ran), 0);
}

int main(void)
{
#ifndef MUSTER_SIMULATION
    printf("1..0 # SKIP this build has no simulated hardware to run the agent on\n");
    return 0;
#endif
    const struct CMUnitTest tests[] = {
        WITH_AGENT(with_the_root_in_the_image_a_diverted_agent_never_says_hello),
        WITH_AGENT(without_one_its_evidence_is_worth_nothing_to_the_true_keeper),
        WITH_AGENT(a_relayed_challenge_of_the_true_root_gets_no_evidence),
        WITH_AGENT(junk_from_the_host_ends_it_with_code_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
