#include "cli/account_test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drivers/driver.h"
#include "lib/base/text.h"
#include "lib/crypto/random.h"
#include "lib/net/retry.h"

enum { POLL_FIRST_MS = 100, POLL_MOST_MS = 5000, CLEAN_UP_SECONDS = 300, DOUBT_SECONDS = 60 };

struct round {
    const struct account *account;
    const struct account_test_options *options;
    const struct driver *driver;
    struct cloud *cloud;
    struct launch_order order;
    char token[LAUNCH_TOKEN_SIZE];
    struct sighting machine;          /* as last seen */
    struct cloud_operation operation; /* that the last call began */
    bool launched;                    /* or perhaps launched */
    bool in_doubt;
    char detail[400]; /* what the step has to say */
    bool skipped;
    json_t *steps;
    json_t *missing; /* permissions that a refusal named */
};

static void pause_ms(int64_t ms)
{
    const struct timespec wait = {ms / 1000, (ms % 1000) * 1000000};
    nanosleep(&wait, NULL); /* a signal may end it early, and then we look sooner */
}

static int64_t first_wait_ms(const struct round *r)
{
    return r->options->look_ms > 0 ? r->options->look_ms : POLL_FIRST_MS;
}

static int64_t longer(int64_t wait_ms)
{
    return wait_ms * 2 < POLL_MOST_MS ? wait_ms * 2 : POLL_MOST_MS;
}

static enum outcome check_stop(const struct round *r, struct error *err)
{
    if (r->options->stop != NULL && r->options->stop())
        return fail_code(err, ERR_CONFLICT, "interrupted", "interrupted");
    return OK;
}

typedef enum outcome call_fn(struct round *, struct error *);

/* The driver never repeats; here throttled and unreachable calls are, as a controller would. */
static enum outcome repeat(struct round *r, call_fn *call, struct error *err)
{
    struct retry retry;
    int64_t wait_ms;
    retry_start(&retry, &retry_usual);
    for (;;) {
        enum outcome outcome = call(r, err);
        if (outcome == OK ||
            !retry_again(&retry, outcome, err != NULL ? err->retry_ms : 0, &wait_ms))
            return outcome;
        pause_ms(wait_ms);
        TRY(check_stop(r, err));
    }
}

static enum outcome look(struct round *r, struct error *err)
{
    return r->driver->find(r->cloud, r->machine.ref, r->machine.machine_id, &r->machine, err);
}

static enum outcome follow(struct round *r, struct error *err)
{
    return r->driver->follow(r->cloud, &r->operation, err);
}

/* What the cloud still works on says why it failed, which the machine itself may not. */
static enum outcome follow_operation(struct round *r, struct error *err)
{
    if (r->operation.name[0] == '\0' || r->driver->follow == NULL)
        return OK;
    enum outcome outcome = repeat(r, follow, err);
    if (outcome != OK)
        r->operation = (struct cloud_operation){0};
    return outcome == ERR_NOT_FOUND ? OK : outcome;
}

/* Until the machine is in the state wanted. Not found means "not yet" unless it should be gone. */
static enum outcome await(struct round *r, enum machine_state wanted, struct error *err)
{
    int64_t until = clock_monotonic_ms() + r->options->wait_seconds * 1000;
    for (int64_t wait = first_wait_ms(r);; wait = longer(wait)) {
        TRY(follow_operation(r, err));
        enum outcome outcome = repeat(r, look, err);
        if (outcome == ERR_NOT_FOUND && wanted == MACHINE_GONE)
            return OK;
        if (outcome != OK && outcome != ERR_NOT_FOUND)
            return outcome;
        if (outcome == OK && r->machine.state == wanted)
            return OK;
        if (r->machine.state == MACHINE_FAILED)
            return fail_code(err, ERR_CONFLICT, r->machine.failure, "%s ended: %s", r->machine.ref,
                             r->machine.reason);
        if (clock_monotonic_ms() > until)
            return fail_code(err, ERR_UNREACHABLE, "too-slow", "%s is %s, not %s, after %lld s",
                             r->machine.ref, r->machine.state_word,
                             name_of(&machine_state_names, (int)wanted),
                             (long long)r->options->wait_seconds);
        pause_ms(wait);
        TRY(check_stop(r, err));
    }
}

static enum outcome step_identify(struct round *r, struct error *err)
{
    struct cloud_identity who;
    TRY(r->driver->identify(r->cloud, &who, err));
    snprintf(r->detail, sizeof r->detail, "%s in account %s", who.name, who.account);
    return OK;
}

static bool tells_sizes(const struct round *r)
{
    return r->driver->offers != NULL;
}

/* What is asked to compare the catalogue with. Emulators may not know the question. */
static enum outcome step_offers(struct round *r, struct error *err)
{
    OWNED(offer_list_done) struct offer_list list = {0};
    const enum outcome outcome = r->driver->offers(r->cloud, &list, err);
    r->skipped = outcome == ERR_INVALID && r->account->endpoint[0] != '\0';
    snprintf(r->detail, sizeof r->detail, "%zu sizes with SEV-SNP", list.count);
    if (r->skipped)
        snprintf(r->detail, sizeof r->detail, "this endpoint cannot be asked for sizes");
    return r->skipped ? OK : outcome;
}

static enum outcome step_launch(struct round *r, struct error *err)
{
    enum outcome outcome = r->driver->launch(r->cloud, &r->order, &r->machine, &r->operation, err);
    r->in_doubt = outcome == ERR_AMBIGUOUS;
    r->launched = outcome == OK || r->in_doubt;
    if (outcome == OK)
        snprintf(r->detail, sizeof r->detail, "%s, %s in %s", r->machine.ref, r->machine.size,
                 r->machine.zone[0] != '\0' ? r->machine.zone : r->account->region);
    return outcome;
}

static enum outcome step_run(struct round *r, struct error *err)
{
    TRY(await(r, MACHINE_RUNNING, err));
    const char *address = r->machine.private_address; /* Azure's view of a machine has none */
    snprintf(r->detail, sizeof r->detail, "%s%s%s", r->machine.ref,
             address[0] != '\0' ? " at " : "", address);
    return OK;
}

/* Emulators tend to drop what they do not know; a real cloud that does has sold us another machine.
 */
static enum outcome step_confidential(struct round *r, struct error *err)
{
    if (r->machine.snp_enabled) {
        snprintf(r->detail, sizeof r->detail, "the cloud says that SEV-SNP is on");
        return OK;
    }
    if (r->account->endpoint[0] == '\0')
        return fail_code(err, ERR_CONFLICT, "not-confidential",
                         "%s runs without SEV-SNP, though it was asked for", r->machine.ref);
    r->skipped = true;
    snprintf(r->detail, sizeof r->detail, "this endpoint does not say whether SEV-SNP is on");
    return OK;
}

static enum outcome check_ours(const struct round *r, const struct sighting_list *list,
                               const char *how, struct error *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->at[i].ref, r->machine.ref) == 0 &&
            uuid_equal(&list->at[i].instance, &r->order.instance))
            return OK;
    return fail_code(err, ERR_NOT_FOUND, NULL, "%s is not found %s", r->machine.ref, how);
}

static enum outcome step_find_token(struct round *r, struct error *err)
{
    OWNED(sighting_list_done) struct sighting_list list = {0};
    TRY(r->driver->find_token(r->cloud, r->token, &list, err));
    snprintf(r->detail, sizeof r->detail, "%s", r->token);
    if (list.count > 1)
        return fail_code(err, ERR_CONFLICT, "doubled", "%zu machines for one order", list.count);
    return check_ours(r, &list, "by its client token", err);
}

/* A controller goes on without them, and hosts go away unannounced. */
static enum outcome check_notices(const struct sighting_list *list, struct error *err)
{
    if (list->notices_unknown.code[0] == '\0')
        return OK;
    *err = list->notices_unknown;
    return err->outcome;
}

static enum outcome step_list(struct round *r, struct error *err)
{
    OWNED(sighting_list_done) struct sighting_list list = {0};
    TRY(r->driver->list(r->cloud, &list, err));
    snprintf(r->detail, sizeof r->detail, "%zu machines of owner %s", list.count,
             r->account->owner);
    TRY(check_ours(r, &list, "among its owner's", err));
    return check_notices(&list, err);
}

static bool lists_leftovers(const struct round *r)
{
    return r->driver->leftovers != NULL;
}

static enum outcome step_leftovers(struct round *r, struct error *err)
{
    OWNED(leftover_list_done) struct leftover_list list = {0};
    TRY(r->driver->leftovers(r->cloud, &list, err));
    snprintf(r->detail, sizeof r->detail, "%zu left behind by machines of owner %s", list.count,
             r->account->owner);
    return OK;
}

/* One that is not there, as its cloud would name it. */
static void name_nothing(const struct round *r, enum leftover_kind kind, char out[static 128])
{
    static const char *const prefixes[] = {"vol", "eipalloc", "eni"};
    _Static_assert(countof(prefixes) == LEFTOVER_KIND_COUNT);
    const struct account *account = r->account;
    const unsigned long long number = random_below(UINT64_MAX);
    switch (account->driver) {
    case DRIVER_AWS:
        snprintf(out, 128, "%s-0%016llx", prefixes[kind], number);
        return;
    case DRIVER_GCP:
        snprintf(out, 128, "%s%s/muster-nothing-%016llx",
                 account->zone[0] != '\0' && kind == LEFTOVER_DISK ? account->zone
                                                                   : account->region,
                 account->zone[0] == '\0' && kind == LEFTOVER_DISK ? "-a" : "", number);
        return;
    case DRIVER_AZURE:
    case ACCOUNT_DRIVER_COUNT:
        break;
    }
    snprintf(out, 128, "muster-nothing-%016llx", number);
}

/* A cloud says whether we may before it says that there is no such thing. */
static enum outcome discard_nothing(struct round *r, enum leftover_kind kind, struct error *err)
{
    char ref[128];
    name_nothing(r, kind, ref);
    const enum outcome outcome = r->driver->discard(r->cloud, kind, ref, err);
    r->skipped =
        outcome != OK && strcmp(err->code, name_of(&cloud_error_names, CLOUD_UNSUPPORTED)) == 0;
    snprintf(r->detail, sizeof r->detail, "%s",
             r->skipped ? "there is no such thing by itself" : "may be removed");
    return outcome == ERR_NOT_FOUND || r->skipped ? OK : outcome;
}

static enum outcome step_disks(struct round *r, struct error *err)
{
    return discard_nothing(r, LEFTOVER_DISK, err);
}

static enum outcome step_addresses(struct round *r, struct error *err)
{
    return discard_nothing(r, LEFTOVER_ADDRESS, err);
}

static enum outcome step_interfaces(struct round *r, struct error *err)
{
    return discard_nothing(r, LEFTOVER_INTERFACE, err);
}

static enum outcome step_stop(struct round *r, struct error *err)
{
    TRY(r->driver->stop(r->cloud, r->machine.ref, &r->operation, err));
    return await(r, MACHINE_STOPPED, err);
}

static enum outcome step_start(struct round *r, struct error *err)
{
    TRY(r->driver->start(r->cloud, r->machine.ref, &r->operation, err));
    return await(r, MACHINE_RUNNING, err);
}

static bool moves_in_one_call(const struct round *r)
{
    return r->driver->redeploy != NULL;
}

static enum outcome step_redeploy(struct round *r, struct error *err)
{
    TRY(r->driver->redeploy(r->cloud, r->machine.ref, &r->operation, err));
    return await(r, MACHINE_RUNNING, err);
}

static bool maintains(const struct round *r)
{
    return r->driver->maintain_anyway != NULL;
}

/* A machine that was just made has no maintenance due: a cloud that says so would have let us. */
static enum outcome step_maintain(struct round *r, struct error *err)
{
    static const enum cloud_error none_is_due[] = {CLOUD_STATE_CONFLICT, CLOUD_UNSUPPORTED,
                                                   CLOUD_INVALID};
    enum outcome outcome = r->driver->maintain_anyway(r->cloud, r->machine.ref, &r->operation, err);
    if (outcome == OK)
        outcome = await(r, MACHINE_RUNNING, err);
    snprintf(r->detail, sizeof r->detail, "may be pulled forward");
    for (size_t i = 0; outcome != OK && i < countof(none_is_due); i++)
        if (strcmp(err->code, name_of(&cloud_error_names, (int)none_is_due[i])) == 0)
            outcome = OK;
    return outcome;
}

static enum outcome step_terminate(struct round *r, struct error *err)
{
    TRY(r->driver->terminate(r->cloud, r->machine.ref, r->machine.machine_id, &r->operation, err));
    return await(r, MACHINE_GONE, err);
}

/* clang-format off */
static const struct {
    const char *name;
    call_fn *run;
    bool (*applies)(const struct round *r); /* NULL: to every cloud */
} steps[] = {
    {"identify",     step_identify},
    {"offers",       step_offers, tells_sizes},
    {"leftovers",    step_leftovers, lists_leftovers},
    {"disks",        step_disks, lists_leftovers},
    {"addresses",    step_addresses, lists_leftovers},
    {"interfaces",   step_interfaces, lists_leftovers},
    {"launch",       step_launch},
    {"run",          step_run},
    {"confidential", step_confidential},
    {"find-token",   step_find_token},
    {"list",         step_list},
    {"stop",         step_stop},
    {"start",        step_start},
    {"redeploy",     step_redeploy, moves_in_one_call},
    {"maintain",     step_maintain, maintains},
    {"terminate",    step_terminate},
};
/* clang-format on */

static bool lacks_permission(const struct error *err, enum outcome outcome)
{
    return outcome == ERR_DENIED && err->where[0] != '\0' &&
           strcmp(err->code, name_of(&cloud_error_names, CLOUD_AUTH)) == 0;
}

/* Once, though several steps may want it. */
static bool note_missing(struct round *r, const char *permission)
{
    size_t i;
    const json_t *noted;
    json_array_foreach (r->missing, i, noted)
        if (strcmp(json_string_value(noted), permission) == 0)
            return false;
    json_add_new(r->missing, json_string(permission));
    return true;
}

static void note_step(struct round *r, const char *name, enum outcome outcome, int64_t took_ms,
                      const struct error *err)
{
    const char *result = outcome != OK ? "fail" : r->skipped ? "skip" : "pass";
    json_t *step = json_object();
    json_put_text(step, "step", name);
    json_put_text(step, "result", result);
    if (outcome != OK)
        json_put_text(step, "code", err->code);
    const bool is_missing = lacks_permission(err, outcome) && note_missing(r, err->where);
    json_put_text(step, "detail", outcome != OK ? err->text : r->detail);
    json_put_int(step, "took_ms", took_ms);
    json_add_new(r->steps, step);
    if (r->options->progress != NULL) {
        fprintf(r->options->progress, "%-4s %-12s %6lld ms  %s%s%s\n", result, name,
                (long long)took_ms, outcome != OK ? err->code : "", outcome != OK ? ": " : "",
                outcome != OK ? err->text : r->detail);
        if (is_missing)
            fprintf(r->options->progress, "     missing permission: %s\n", err->where);
        fflush(r->options->progress);
    }
}

static enum outcome run_step(struct round *r, const char *name, call_fn *run, struct error *err)
{
    int64_t began = clock_monotonic_ms();
    r->detail[0] = '\0';
    r->skipped = false;
    enum outcome outcome = check_stop(r, err);
    if (outcome == OK)
        outcome = repeat(r, run, err);
    note_step(r, name, outcome, clock_monotonic_ms() - began, err);
    return outcome;
}

static bool is_over(const struct sighting *machine)
{
    return machine->state == MACHINE_GONE || machine->state == MACHINE_FAILED;
}

/* Where lists are not permitted a machine may still be seen by its name. */
static enum outcome find_ours(struct round *r, struct sighting_list *out, struct error *err)
{
    struct sighting machine;
    enum outcome outcome = r->driver->find_token(r->cloud, r->token, out, err);
    if (!lacks_permission(err, outcome) || r->machine.ref[0] == '\0')
        return outcome;
    outcome = r->driver->find(r->cloud, r->machine.ref, r->machine.machine_id, &machine, err);
    if (outcome == OK)
        *sighting_list_add(out) = machine;
    return outcome == ERR_NOT_FOUND ? OK : outcome;
}

/* Nobody may look: it is told to end all the same, and that it is not there any more counts. */
static enum outcome end_unseen(struct round *r, json_t *alive, struct error *err)
{
    const struct error unseen = *err;
    const char *ref = r->machine.ref;
    if (ref[0] == '\0')
        return unseen.outcome;
    const enum outcome outcome = r->driver->terminate(r->cloud, ref, NULL, NULL, err);
    if (outcome == ERR_NOT_FOUND)
        return OK;
    json_add_new(alive, json_string(ref));
    if (outcome == OK)
        return fail_at(err, unseen.outcome, unseen.code, unseen.where,
                       "%.60s was told to end, and whether it did cannot be seen: %.180s", ref,
                       unseen.text);
    return outcome;
}

/* Ends what carries our token and is alive; tells how many were seen, and alive. */
static enum outcome end_all(struct round *r, size_t *seen, json_t *alive, struct error *err)
{
    OWNED(sighting_list_done) struct sighting_list list = {0};
    json_array_clear(alive);
    enum outcome outcome = find_ours(r, &list, err);
    if (lacks_permission(err, outcome))
        return end_unseen(r, alive, err);
    TRY(outcome);
    *seen = list.count;
    for (size_t i = 0; i < list.count; i++) {
        const struct sighting *machine = &list.at[i];
        if (is_over(machine))
            continue;
        json_add_new(alive, json_string(machine->ref));
        if (machine->state != MACHINE_DELETING)
            outcome = r->driver->terminate(r->cloud, machine->ref, machine->machine_id, NULL, err);
        if (lacks_permission(err, outcome))
            return outcome;
    }
    return OK;
}

/* Not to be interrupted, but what is not permitted will not be in a minute. A launch in doubt may
 * show up late, so it is waited for; one that was seen and ended may not show any more. */
static enum outcome clean_up(struct round *r, json_t *alive, struct error *err)
{
    int64_t began = clock_monotonic_ms();
    bool appeared = false;
    for (int64_t wait = first_wait_ms(r);; wait = longer(wait)) {
        size_t seen = 0;
        enum outcome outcome = end_all(r, &seen, alive, err);
        int64_t passed = clock_monotonic_ms() - began;
        appeared |= seen > 0;
        bool may_appear = r->in_doubt && !appeared && passed < DOUBT_SECONDS * 1000;
        if (outcome == OK && json_array_size(alive) == 0 && !may_appear)
            return OK;
        if (lacks_permission(err, outcome))
            return outcome;
        if (passed > CLEAN_UP_SECONDS * 1000)
            return outcome != OK ? outcome
                                 : fail_code(err, ERR_CONFLICT, "left-running",
                                             "machines are left running; end them by hand");
        pause_ms(wait);
    }
}

static enum outcome step_clean_up(struct round *r, json_t *alive, struct error *err)
{
    int64_t began = clock_monotonic_ms();
    r->skipped = false;
    snprintf(r->detail, sizeof r->detail, "nothing is left running");
    enum outcome outcome = clean_up(r, alive, err);
    note_step(r, "clean-up", outcome, clock_monotonic_ms() - began, err);
    return outcome;
}

static enum outcome run_all(struct round *r, json_t *alive, struct error *err)
{
    enum outcome outcome = OK;
    bool go_on = true;
    for (size_t i = 0; i < countof(steps) && go_on; i++) {
        struct error why = {0};
        if (steps[i].applies != NULL && !steps[i].applies(r))
            continue;
        const enum outcome step = run_step(r, steps[i].name, steps[i].run, &why);
        /* What else is not permitted can be found out, too, but not without a machine. */
        go_on = step == OK || (lacks_permission(&why, step) && steps[i].run != step_launch);
        if (step == OK || outcome != OK)
            continue;
        outcome = step;
        if (err != NULL)
            *err = why;
    }
    if (!r->launched)
        return outcome;
    struct error late = {0};
    enum outcome cleaned = step_clean_up(r, alive, &late);
    if (outcome == OK && cleaned != OK && err != NULL)
        *err = late;
    return outcome != OK ? outcome : cleaned;
}

static enum outcome make_order(struct round *r, struct error *err)
{
    static const char user_data[] = "muster account test\n";
    if (account_test_image(r->account) == NULL)
        return fail_at(err, ERR_INVALID, "bad-account", "/test",
                       "/test: an account is tried with an image and a size");
    r->order = (struct launch_order){.instance = uuid_new(),
                                     .generation = 1,
                                     .fleet = "account-test",
                                     .client_token = r->token,
                                     .image = account_test_image(r->account),
                                     .size = account_test_size(r->account),
                                     .user_data = span_of_text(user_data)};
    launch_token(&r->order.instance, r->order.generation, r->token);
    return OK;
}

static json_t *make_report(const struct round *r, enum outcome outcome, json_t *alive)
{
    json_t *report = json_object();
    json_put_text(report, "account", r->account->name);
    json_put_text(report, "driver", name_of(&account_driver_names, (int)r->account->driver));
    json_put_text(report, "region", r->account->region);
    json_put_text(report, "result", outcome == OK ? "pass" : "fail");
    json_put_new(report, "steps", json_incref(r->steps));
    json_put_new(report, "missing_permissions", json_incref(r->missing));
    json_put_new(report, "left_running", json_incref(alive));
    return report;
}

enum outcome account_test(const struct account *account, const struct account_test_options *options,
                          json_t **out_report, struct error *err)
{
    OWNED(json_drop) json_t *alive = json_array();
    OWNED(json_drop) json_t *done = json_array();
    OWNED(json_drop) json_t *missing = json_array();
    struct round r = {.account = account, .options = options, .steps = done, .missing = missing};
    struct error why = {0};
    enum outcome outcome = make_order(&r, &why);
    if (outcome == OK)
        outcome = driver_of(account, &r.driver, &why);
    if (outcome == OK)
        outcome = r.driver->open(account, &r.cloud, &why);
    if (outcome == OK)
        outcome = run_all(&r, alive, &why);
    else
        note_step(&r, "open", outcome, 0, &why);
    if (r.cloud != NULL)
        r.driver->close(r.cloud);
    *out_report = make_report(&r, outcome, alive);
    if (outcome != OK && err != NULL)
        *err = why;
    return outcome;
}
