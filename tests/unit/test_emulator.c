/* The emulator's own parts: what it remembers, what it plays, and what it takes from strangers. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "emulator/aws_api.h"
#include "emulator/control.h"
#include "emulator/whose.h"
#include "lib/base/file.h"
#include "tests/support/hostile_peer.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_open, scratch_close)

static size_t count_entries(const struct ledger *ledger, int64_t after)
{
    OWNED(json_drop) json_t *entries = ledger_since(ledger, after);
    return json_array_size(entries);
}

static void the_ledger_goes_on_where_it_ended(void **state)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(*state, "ledger");
    struct ledger *ledger;
    assert_ok(ledger_open(path, true, &ledger, &err));
    ledger_note(ledger, "launched", &(struct ledger_line){.ref = "i-1", .client_token = "t"});
    ledger_note(ledger, "pending", &(struct ledger_line){.ref = "i-1"});
    ledger_close(ledger);
    assert_ok(ledger_open(path, true, &ledger, &err));
    ledger_note(ledger, "running", &(struct ledger_line){.ref = "i-1", .pid = 7});
    assert_int_equal(count_entries(ledger, 0), 3);
    assert_int_equal(count_entries(ledger, 2), 1);
    ledger_close(ledger);
}

/* A crash in the middle of a line. */
static void a_torn_last_line_of_the_ledger_is_cut_off(void **state)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(*state, "ledger");
    static const char torn[] = "{\"at\":\"2026-11-24T00:00:00Z\",\"event\":\"launched\",\"n\":1}\n"
                               "{\"at\":\"2026-11-2";
    struct ledger *ledger;
    assert_ok(file_write(path, span_of_text(torn), 0600, &err));
    assert_ok(ledger_open(path, true, &ledger, &err));
    ledger_note(ledger, "pending", &(struct ledger_line){.ref = "i-1"});
    ledger_close(ledger);
    assert_ok(ledger_open(path, true, &ledger, &err));
    assert_int_equal(count_entries(ledger, 0), 2);
    ledger_close(ledger);
}

static void a_ledger_that_is_none_is_refused(void **state)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(*state, "ledger");
    struct ledger *ledger;
    assert_ok(file_write(path, span_of_text("not json\n"), 0600, &err));
    assert_int_equal(ledger_open(path, true, &ledger, &err), ERR_INVALID);
}

static enum outcome wish(struct mischief *mischief, const char *text, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    TRY(json_parse(span_of_text(text), 4096, &value, err));
    return mischief_add(mischief, value, err);
}

static void a_prank_is_played_as_often_as_asked(void **state)
{
    (void)state;
    struct error err = {0};
    struct mischief mischief = {0};
    assert_ok(
        wish(&mischief, "{\"action\":\"RunInstances\",\"fault\":\"throttle\",\"times\":2}", &err));
    assert_ok(wish(&mischief, "{\"action\":\"*\",\"fault\":\"delay\",\"delay_ms\":5}", &err));
    assert_int_equal(mischief_take(&mischief, "RunInstances").fault, FAULT_THROTTLE);
    assert_int_equal(mischief_take(&mischief, "StopInstances").delay_ms, 5);
    assert_int_equal(mischief_take(&mischief, "StopInstances").fault, FAULT_NONE);
    assert_int_equal(mischief_take(&mischief, "RunInstances").fault, FAULT_THROTTLE);
    assert_int_equal(mischief_take(&mischief, "RunInstances").fault, FAULT_NONE);
}

static void a_prank_nobody_knows_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"action\":\"*\",\"fault\":\"fire\"}",
        "{\"fault\":\"throttle\"}",
        "{\"action\":\"*\",\"fault\":\"throttle\",\"times\":0}",
        "{\"action\":\"*\",\"fault\":\"throttle\",\"colour\":1}",
    };
    struct mischief mischief = {0};
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        assert_int_equal(wish(&mischief, bad[i], &err), ERR_INVALID);
    }
    assert_int_equal(mischief.count, 0);
}

static enum outcome mix(struct mischief *mischief, const char *text, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    TRY(json_parse(span_of_text(text), 4096, &value, err));
    return mischief_mix(mischief, value, err);
}

static void chance_plays_about_as_often_as_asked_and_the_same_for_a_seed(void **state)
{
    (void)state;
    static const char *const chances =
        "{\"seed\": 7, \"chances\": ["
        "{\"action\": \"RunInstances\", \"fault\": \"throttle\", \"per_thousand\": 100},"
        "{\"action\": \"*\", \"fault\": \"lost-answer\", \"per_thousand\": 50}]}";
    struct error err = {0};
    struct mischief one = {0}, other = {0};
    int throttled = 0, lost = 0;
    assert_ok(mix(&one, chances, &err));
    assert_ok(mix(&other, chances, &err));
    for (int i = 0; i < 10000; i++) {
        const enum fault fault = mischief_take(&one, "RunInstances").fault;
        assert_int_equal(mischief_take(&other, "RunInstances").fault, fault);
        throttled += fault == FAULT_THROTTLE;
        lost += fault == FAULT_LOST_ANSWER;
    }
    assert_in_range(throttled, 800, 1200);
    assert_in_range(lost, 400, 600);
    assert_int_equal(mix(&one, "{\"seed\": 1, \"chances\": [{\"action\": \"*\"}]}", &err),
                     ERR_INVALID);
    assert_int_equal(one.chance_count, 2);
    assert_ok(mix(&one, "{\"seed\": 1, \"chances\": []}", &err));
    assert_int_equal(mischief_take(&one, "RunInstances").fault, FAULT_NONE);
}

static struct machine *launched(struct world *world, const char *token)
{
    struct error err = {0};
    struct machine draft = {.cloud = DRIVER_AWS};
    snprintf(draft.client_token, sizeof draft.client_token, "%s", token);
    struct machine *made = world_launch(world, &draft, &err);
    assert_non_null(made);
    return made;
}

/* What a hundred thousand machines need: what is over goes, and a fleeting world writes no file. */
static void a_world_forgets_what_ended_long_ago_and_nothing_else(void **state)
{
    struct error err = {0};
    struct world world;
    const struct world_settings settings = {
        .folder = *state, .boot_ms = 1, .stop_ms = 1, .listed_seconds = 60, .fleeting = true};
    assert_ok(world_open(&settings, &world, &err));
    struct machine *old = launched(&world, "old"), *late = launched(&world, "late");
    launched(&world, "alive");
    OWNED(mem_drop) char *folder = machine_path(&world, old, "");
    OWNED(mem_drop) char *ref = mem_text(old->ref);
    assert_int_not_equal(access(folder, F_OK), 0);
    world_move(&world, old, VM_TERMINATED);
    world_move(&world, late, VM_TERMINATED);
    old->changed = moment_add_seconds(old->changed, -61);
    world_tidy(&world);
    assert_int_equal(world.count, 2);
    assert_null(world_find(&world, ref));
    assert_null(world_find_token(&world, DRIVER_AWS, "old"));
    assert_ptr_equal(world_find_token(&world, DRIVER_AWS, "late"), late);
    assert_int_equal(launched(&world, "next")->ordinal, 4);
    world_close(&world);
}

static void a_form_is_decoded_and_sorted(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(form_in_done) struct form_in form = {0};
    OWNED(text_done) struct text canonical = {0};
    assert_ok(form_read(span_of_text("b=2+3&a=%2F%3d&empty&ClientToken=t"), &form, &err));
    assert_string_equal(form_get(&form, "a"), "/=");
    assert_string_equal(form_getf(&form, "%c", 'b'), "2 3");
    assert_string_equal(form_get(&form, "empty"), "");
    assert_null(form_get(&form, "c"));
    form_canonical(&form, "ClientToken", &canonical);
    assert_string_equal(text_str(&canonical), "a=/=\nb=2 3\nempty=\n");
}

static void a_form_that_is_bent_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a=1&a=2", "a=%",   "a=%zz", "a=%00",
                                      "a=%01",   "a=%7f", "a=%ff", "%c3=1"};
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        OWNED(form_in_done) struct form_in form = {0};
        assert_int_equal(form_read(span_of_text(bad[i]), &form, &err), ERR_INVALID);
        assert_int_equal(form.count, 0);
    }
}

/* A cut may fall inside a character, and then the whole answer would be no XML. */
static void a_refusal_is_always_whole_text(void **state)
{
    (void)state;
    struct refusal why;
    assert_false(refuse(&why, 400, "Unknown", "no '%.60s'", "a\xc3\xa4"));
    assert_string_equal(why.message, "no 'a\xc3\xa4'");
    assert_false(refuse(&why, 400, "Unknown", "no '%.2s'", "a\xc3\xa4"));
    assert_true(text_is_clean(span_of_text(why.message)));
}

static void a_control_path_that_is_no_text_is_just_not_there(void **state)
{
    (void)state;
    struct world world = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const struct control control = {.world = &world};
    const struct face_request request = {.method = "GET", .path = CONTROL_PREFIX "\xff"};
    struct face_answer answer = {0};
    control_answer(&control, &request, &answer);
    assert_int_equal(answer.status, 404);
    assert_true(text_is_clean(text_span(&answer.body)));
    text_done(&answer.body);
}

static enum outcome turn(struct whose *whose, const char *text, struct error *err)
{
    OWNED(json_drop) json_t *wish = NULL;
    TRY(json_parse(span_of_text(text), 4096, &wish, err));
    return whose_turn(whose, wish, err);
}

static void an_account_changes_hands_by_a_word_and_back_without(void **state)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(*state, "ledger");
    struct world world = {0};
    struct aws_api aws = {.world = &world, .account = SIM_ACCOUNT};
    struct arm_api arm = {.world = &world, .subscription = "sub", .home = "ten"};
    struct gce_api gce = {.world = &world, .project = "pro"};
    struct whose whose;
    assert_ok(ledger_open(path, true, &world.ledger, &err));
    whose_init(&whose, &aws, &arm, &gce);
    assert_ok(turn(&whose, "{\"cloud\":\"aws\",\"account\":\"1\"}", &err));
    assert_ok(turn(&whose, "{\"cloud\":\"azure\",\"tenant\":\"other\"}", &err));
    assert_string_equal(aws.account, "1");
    assert_string_equal(arm.subscription, "sub");
    assert_string_equal(arm.home, "other");
    assert_int_equal(gce.turns, 0);
    assert_ok(turn(&whose, "{\"cloud\":\"azure\",\"account\":\"else\"}", &err));
    assert_string_equal(arm.home, "ten");
    assert_ok(turn(&whose, "{\"cloud\":\"azure\"}", &err));
    assert_string_equal(arm.subscription, "sub");
    assert_int_equal(arm.turns, 3);
    assert_int_equal(count_entries(world.ledger, 0), 4);
    whose_done(&whose);
    ledger_close(world.ledger);
}

static void an_account_that_nobody_could_have_is_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"cloud\":\"mars\",\"account\":\"1\"}",
        "{\"cloud\":\"gcp\",\"account\":\"two words\"}",
        "{\"cloud\":\"gcp\",\"account\":\"\"}",
        "{\"cloud\":\"gcp\",\"colour\":\"red\"}",
        "{\"cloud\":\"gcp\",\"tenant\":\"ten\"}",
    };
    struct error err = {0};
    char text[64];
    OWNED(mem_drop) char *path = scratch_path(*state, "ledger");
    struct world world = {0};
    struct aws_api aws = {.world = &world, .account = SIM_ACCOUNT};
    struct arm_api arm = {.world = &world, .subscription = "sub", .home = "ten"};
    struct gce_api gce = {.world = &world, .project = "pro"};
    struct whose whose;
    assert_ok(ledger_open(path, false, &world.ledger, &err));
    whose_init(&whose, &aws, &arm, &gce);
    for (size_t i = 0; i < countof(bad); i++)
        assert_int_equal(turn(&whose, bad[i], &err), ERR_INVALID);
    for (int i = 0; i < WHOSE_WORDS_MAX; i++) {
        snprintf(text, sizeof text, "{\"cloud\":\"gcp\",\"account\":\"p-%d\"}", i);
        assert_ok(turn(&whose, text, &err));
        assert_ok(turn(&whose, text, &err)); /* takes no more room */
    }
    assert_int_equal(turn(&whose, "{\"cloud\":\"gcp\",\"account\":\"q\"}", &err), ERR_CONFLICT);
    assert_string_equal(gce.project, "p-63");
    whose_done(&whose);
    ledger_close(world.ledger);
}

static void xml_holds_any_text(void **state)
{
    (void)state;
    OWNED(text_done) struct text out = {0};
    xml_add(&out, "a", "x < y && z > \"q\"");
    xml_add(&out, "b", "");
    xml_add_int(&out, "c", -1);
    assert_string_equal(text_str(&out), "<a>x &lt; y &amp;&amp; z &gt; \"q\"</a><b/><c>-1</c>");
}

static void images_come_from_a_file(void **state)
{
    struct error err = {0};
    OWNED(images_done) struct images images = {0};
    OWNED(mem_drop) char *path = scratch_path(*state, "images");
    assert_ok(file_write(path,
                         span_of_text("{\"ami-1\":{\"flavour\":\"direct-boot\"},"
                                      "\"ami-2\":{\"flavour\":\"firmware-only\","
                                      "\"tamper\":\"debug-policy\"}}"),
                         0600, &err));
    assert_ok(images_open(path, &images, &err));
    assert_int_equal(images_find(&images, DRIVER_AWS, "ami-1")->flavour, PSP_DIRECT_BOOT);
    assert_int_equal(images_find(&images, DRIVER_AWS, "ami-2")->tamper, PSP_DEBUG_POLICY);
    assert_null(images_find(&images, DRIVER_AWS, "ami-3"));
}

/* What makes a firmware-only pass worth little: on EC2 all images measure alike. */
static void only_a_measured_boot_tells_images_apart(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(images_done) struct images images = {0};
    assert_ok(images_open("", &images, &err));
    const struct image *ec2 = images_find(&images, DRIVER_AWS, "ami-0ec20000000000001");
    const struct image *bad = images_find(&images, DRIVER_AWS, "ami-0bad0000000000001");
    const struct image *direct = images_find(&images, DRIVER_AWS, "ami-0d1ec700000000001");
    const struct image *other = images_find(&images, DRIVER_AWS, "ami-0bad0000000000004");
    assert_memory_equal(ec2->measurement, bad->measurement, SNP_MEASUREMENT_SIZE);
    assert_memory_not_equal(direct->measurement, other->measurement, SNP_MEASUREMENT_SIZE);
    assert_memory_not_equal(direct->measurement, ec2->measurement, SNP_MEASUREMENT_SIZE);
}

static void a_broken_list_of_images_is_refused(void **state)
{
    static const char *const bad[] = {
        "[]", "{\"a\":{}}", "{\"a\":{\"flavour\":\"sweet\"}}",
        "{\"a\":{\"flavour\":\"direct-boot\",\"measurement\":\"00\"}}"};
    OWNED(mem_drop) char *path = scratch_path(*state, "images");
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        struct images images = {0};
        assert_ok(file_write(path, span_of_text(bad[i]), 0600, &err));
        assert_int_equal(images_open(path, &images, &err), ERR_INVALID);
    }
}

static void a_machine_that_was_cut_off_boots_again_and_one_that_ended_stays_so(void **state)
{
    struct error err = {0};
    const struct world_settings settings = {.folder = *state, .boot_ms = 1, .stop_ms = 1};
    static const enum vm_state before[] = {VM_RUNNING, VM_STOPPING, VM_SHUTTING_DOWN,
                                           VM_STOPPED, VM_STOPPING, VM_FAILED};
    static const enum vm_state after[] = {VM_PENDING, VM_STOPPED, VM_TERMINATED,
                                          VM_STOPPED, VM_HALTED,  VM_FAILED};
    struct world world;
    assert_ok(world_open(&settings, &world, &err));
    for (size_t i = 0; i < countof(before); i++) {
        struct machine draft = {.halts = i == 4};
        assert_true(machine_set_tag(&draft, "Name", "a \"b\""));
        struct machine *machine = world_launch(&world, &draft, &err);
        assert_non_null(machine);
        world_move(&world, machine, before[i]);
    }
    world_close(&world);
    assert_ok(world_open(&settings, &world, &err));
    assert_int_equal(world.count, countof(after));
    for (size_t i = 0; i < countof(after); i++) {
        assert_int_equal(world.machines[i]->state, after[i]);
        assert_string_equal(machine_tag(world.machines[i], "Name"), "a \"b\"");
    }
    world_close(&world);
}

static void answer_late(void *context, const struct face_request *request, struct face_answer *out)
{
    (void)request;
    const int *asked = context;
    out->delay_ms = 60000;
    assert_int_equal(write(asked[1], "x", 1), 1);
}

static void a_delayed_answer_does_not_hold_up_the_end(void **state)
{
    (void)state;
    struct error err = {0};
    struct face *face = NULL;
    int asked[2];
    int64_t port;
    char byte;
    assert_int_equal(pipe(asked), 0);
    assert_ok(face_open(0, NULL, answer_late, asked, &face, &port, &err));
    int fd = hostile_connect((int)port);
    assert_true(hostile_write(fd, span_of_text("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    assert_int_equal(read(asked[0], &byte, 1), 1);
    int64_t began = clock_monotonic_ms();
    face_close(face);
    assert_true(clock_monotonic_ms() - began < 20000);
    close(fd);
    close(asked[0]);
    close(asked[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(the_ledger_goes_on_where_it_ended),
        WITH_FOLDER(a_torn_last_line_of_the_ledger_is_cut_off),
        WITH_FOLDER(a_ledger_that_is_none_is_refused),
        cmocka_unit_test(a_prank_is_played_as_often_as_asked),
        cmocka_unit_test(a_prank_nobody_knows_is_refused),
        cmocka_unit_test(chance_plays_about_as_often_as_asked_and_the_same_for_a_seed),
        WITH_FOLDER(a_world_forgets_what_ended_long_ago_and_nothing_else),
        cmocka_unit_test(a_form_is_decoded_and_sorted),
        cmocka_unit_test(a_form_that_is_bent_is_refused),
        cmocka_unit_test(a_refusal_is_always_whole_text),
        cmocka_unit_test(a_control_path_that_is_no_text_is_just_not_there),
        WITH_FOLDER(an_account_changes_hands_by_a_word_and_back_without),
        WITH_FOLDER(an_account_that_nobody_could_have_is_refused),
        cmocka_unit_test(xml_holds_any_text),
        WITH_FOLDER(images_come_from_a_file),
        cmocka_unit_test(only_a_measured_boot_tells_images_apart),
        WITH_FOLDER(a_broken_list_of_images_is_refused),
        cmocka_unit_test(a_delayed_answer_does_not_hold_up_the_end),
        WITH_FOLDER(a_machine_that_was_cut_off_boots_again_and_one_that_ended_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
