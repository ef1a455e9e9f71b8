#include "tests/support/fake_cloud.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct world {
    pthread_mutex_t lock;
    int count;
    int calls;
    enum mischief mischief;
    enum cloud_error kind;
    int mischief_left;
    bool offers; /* it can be asked what it has */
    bool offers_fail;
    int offers_asked;
    char offered[NAME_SIZE]; /* one size, of two vCPUs */
    struct {
        char account[64];
        enum cloud_error kind;
        int room;
    } full[4];
    int full_count;
    char lacking[64]; /* the zone that does not offer what is asked for; empty: none */
    int asks;         /* before an operation is over; 0: answers are final */
    bool fails;
    enum cloud_error failure;
    int asked;
    enum cloud_error kept_kind;
    int kept;
    bool hidden;
    char whose[64]; /* the account that credentials are of; empty: "fake" */
    bool partial;
    int turns, turns_left, turns_asked;
    int64_t turns_ms, turns_since_ms;
    struct {
        struct leftover seen;
        bool attached, gone;
    } left[FAKE_LEFT_MOST];
    int left_count, left_asked, discards;
    bool forgotten[FAKE_MACHINES_MOST];
    struct fake_machine machines[FAKE_MACHINES_MOST];
};

static struct world *world;

static void enter(void)
{
    pthread_mutex_lock(&world->lock);
}

static void leave(void)
{
    pthread_mutex_unlock(&world->lock);
}

void fake_cloud_reset(void)
{
    if (world == NULL) {
        world =
            mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (world == MAP_FAILED)
            abort();
    }
    memset(world, 0, sizeof *world);
    pthread_mutexattr_t shared;
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&world->lock, &shared);
    pthread_mutexattr_destroy(&shared);
}

void fake_cloud_mischief(enum mischief mischief, enum cloud_error kind, int count)
{
    enter();
    world->mischief = mischief;
    world->kind = kind;
    world->mischief_left = count;
    leave();
}

void fake_cloud_turn_ms(int turns, int64_t retry_ms)
{
    enter();
    world->turns = world->turns_left = turns;
    world->turns_ms = retry_ms;
    world->turns_since_ms = clock_monotonic_ms();
    leave();
}

int fake_cloud_turns(void)
{
    return world->turns_asked;
}

int fake_cloud_machines(void)
{
    int n = 0;
    enter();
    for (int i = 0; i < world->count; i++)
        n += world->machines[i].seen.state != MACHINE_GONE;
    leave();
    return n;
}

int fake_cloud_launches(void)
{
    return world->count;
}

int fake_cloud_calls(void)
{
    return world->calls;
}

struct fake_machine *fake_cloud_machine(int number)
{
    return &world->machines[number];
}

void fake_cloud_break(int number)
{
    enter();
    world->machines[number].seen.state = MACHINE_GONE;
    leave();
}

void fake_cloud_forget(int number)
{
    enter();
    world->forgotten[number] = true;
    world->machines[number].seen.state = MACHINE_GONE;
    leave();
}

void fake_cloud_whose(const char *account)
{
    enter();
    snprintf(world->whose, sizeof world->whose, "%s", account);
    leave();
}

void fake_cloud_fill(const char *account, enum cloud_error kind, int room)
{
    enter();
    int i = 0;
    while (i < world->full_count && strcmp(world->full[i].account, account) != 0)
        i++;
    if (i == (int)countof(world->full))
        abort();
    world->full_count = i == world->full_count ? i + 1 : world->full_count;
    snprintf(world->full[i].account, sizeof world->full[i].account, "%s", account);
    world->full[i].kind = kind;
    world->full[i].room = room;
    leave();
}

void fake_cloud_lack(const char *zone)
{
    enter();
    snprintf(world->lacking, sizeof world->lacking, "%s", zone);
    leave();
}

void fake_cloud_operations(int asks, const enum cloud_error *failure)
{
    enter();
    world->asks = asks;
    world->fails = failure != NULL;
    world->failure = failure != NULL ? *failure : CLOUD_ERROR_COUNT;
    leave();
}

void fake_cloud_keep(enum cloud_error kind, int count)
{
    enter();
    world->kept_kind = kind;
    world->kept = count;
    leave();
}

int fake_cloud_asks(void)
{
    return world->asked;
}

void fake_cloud_hide(bool hidden)
{
    enter();
    world->hidden = hidden;
    leave();
}

void fake_cloud_fail(int number, enum cloud_error kind)
{
    enter();
    struct sighting *seen = &world->machines[number].seen;
    seen->state = MACHINE_FAILED;
    seen->is_over = true;
    snprintf(seen->failure, sizeof seen->failure, "%s", name_of(&cloud_error_names, (int)kind));
    leave();
}

void fake_cloud_part(bool partial)
{
    enter();
    world->partial = partial;
    leave();
}

static struct fake_machine *make(const struct uuid *instance, const char *token)
{
    if (world->count == FAKE_MACHINES_MOST)
        abort();
    struct fake_machine *made = &world->machines[world->count];
    snprintf(made->seen.ref, sizeof made->seen.ref, "i-%08x", ++world->count);
    made->seen.state = MACHINE_RUNNING;
    made->seen.instance = *instance;
    snprintf(made->seen.client_token, sizeof made->seen.client_token, "%s", token);
    made->seen.launched = clock_now();
    return made;
}

int fake_cloud_plant(const struct uuid *instance, const char *token)
{
    enter();
    snprintf(make(instance, token)->account, sizeof world->machines[0].account, "cloud");
    int number = world->count - 1;
    leave();
    return number;
}

/* ---- the driver --------------------------------------------------------------------------- */

struct cloud {
    char account[64];
    struct account expected; /* its texts only */
};

/* As real drivers: whose the credentials are is asked once for each opening. */
static enum outcome check_whose(const struct cloud *cloud, struct error *err)
{
    struct cloud_identity who = {.name = "fake"};
    enter();
    snprintf(who.account, sizeof who.account, "%s",
             world->whose[0] != '\0' ? world->whose : "fake");
    leave();
    return account_is_of(&cloud->expected, &who, err);
}

static enum outcome fake_open(const struct account *account, struct cloud **out, struct error *err)
{
    (void)err;
    *out = NEW(struct cloud);
    memcpy((*out)->account, account->name, sizeof account->name);
    (*out)->expected = *account;
    return OK;
}

static void fake_close(struct cloud *cloud)
{
    free(cloud);
}

static enum outcome fake_identify(struct cloud *cloud, struct cloud_identity *out,
                                  struct error *err)
{
    (void)cloud;
    (void)err;
    *out = (struct cloud_identity){"fake", "fake"};
    enter();
    if (world->whose[0] != '\0')
        snprintf(out->account, sizeof out->account, "%s", world->whose);
    leave();
    return OK;
}

static bool is_hidden(void)
{
    return world->hidden || (world->whose[0] != '\0' && strcmp(world->whose, "fake") != 0);
}

static struct fake_machine *by_token(const char *token)
{
    for (int i = 0; i < world->count; i++)
        if (strcmp(world->machines[i].seen.client_token, token) == 0)
            return &world->machines[i];
    return NULL;
}

static enum outcome answer_known(const struct fake_machine *known, const struct launch_order *order,
                                 struct sighting *out, struct error *err)
{
    struct span before = span_of_text(known->user_data);
    if (!span_equal(before, order->user_data))
        return cloud_fail(err, CLOUD_IDEMPOTENCY_MISMATCH, "the token is used, with other words");
    *out = known->seen;
    return OK;
}

static enum mischief next_mischief(void)
{
    if (world->mischief_left == 0)
        return MISCHIEF_NONE;
    world->mischief_left--;
    return world->mischief;
}

static void die(void)
{
    leave();
    kill(getpid(), SIGKILL);
}

/* Is there room in this account? Takes it. */
static enum outcome take_room(const char *account, struct error *err)
{
    for (int i = 0; i < world->full_count; i++)
        if (strcmp(world->full[i].account, account) == 0 && world->full[i].room-- <= 0)
            return cloud_fail(err, world->full[i].kind, "%s is full", account);
    return OK;
}

static enum outcome launch(const char *account, const struct launch_order *order,
                           struct sighting *out, struct cloud_operation *operation,
                           struct error *err)
{
    enum mischief mischief =
        world->mischief == MISCHIEF_DIE_FOLLOWING ? MISCHIEF_NONE : next_mischief();
    world->calls++;
    if (mischief == MISCHIEF_DIE_BEFORE)
        die();
    if (mischief == MISCHIEF_REFUSE)
        return cloud_fail(err, world->kind, "as the test asked");
    if (mischief == MISCHIEF_LOSE_ORDER)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "cut off");
    const struct fake_machine *known = by_token(order->client_token);
    if (known != NULL)
        return answer_known(known, order, out, err);
    if (order->zone != NULL && strcmp(order->zone, world->lacking) == 0)
        return cloud_fail(err, CLOUD_UNSUPPORTED, "%s is not offered in %s", order->size,
                          order->zone);
    TRY(take_room(account, err));
    struct fake_machine *made = make(&order->instance, order->client_token);
    memcpy(made->user_data, order->user_data.at, order->user_data.len);
    snprintf(made->account, sizeof made->account, "%s", account);
    snprintf(made->image, sizeof made->image, "%s", order->image);
    snprintf(made->size, sizeof made->size, "%s", order->size);
    snprintf(made->zone, sizeof made->zone, "%s", order->zone != NULL ? order->zone : "");
    snprintf(made->seen.zone, sizeof made->seen.zone, "%s",
             order->zone != NULL ? order->zone : "chosen-a"); /* who names none is told which */
    made->enclaves = order->enclaves;
    made->no_snp = order->no_snp;
    made->asks_left = world->asks;
    if (world->asks > 0)
        snprintf(operation->name, sizeof operation->name, "launch %s", made->seen.ref);
    if (mischief == MISCHIEF_DIE_AFTER)
        die();
    if (mischief == MISCHIEF_LOSE_ANSWER)
        return cloud_fail(err, CLOUD_AMBIGUOUS, "cut off");
    *out = made->seen;
    return OK;
}

static enum outcome fake_turn(struct cloud *cloud, struct error *err)
{
    TRY(check_whose(cloud, err));
    enter();
    world->turns_asked++;
    if (clock_monotonic_ms() - world->turns_since_ms >= world->turns_ms) {
        world->turns_left = world->turns;
        world->turns_since_ms = clock_monotonic_ms();
    }
    const bool granted = world->turns == 0 || world->turns_left > 0;
    world->turns_left -= granted && world->turns > 0;
    const int64_t retry_ms = world->turns_ms;
    leave();
    if (granted)
        return OK;
    error_fill(err, ERR_THROTTLED, "paced", "", "not its turn");
    err->retry_ms = retry_ms;
    return ERR_THROTTLED;
}

static enum outcome fake_launch(struct cloud *cloud, const struct launch_order *order,
                                struct sighting *out, struct cloud_operation *operation,
                                struct error *err)
{
    TRY(check_whose(cloud, err));
    *operation = (struct cloud_operation){.poll_seconds = 1};
    enter();
    enum outcome outcome = launch(cloud->account, order, out, operation, err);
    leave();
    return outcome;
}

static struct fake_machine *by_ref(const char *ref)
{
    for (int i = 0; i < world->count; i++)
        if (strcmp(world->machines[i].seen.ref, ref) == 0 && !world->forgotten[i])
            return &world->machines[i];
    return NULL;
}

static enum outcome fake_find(struct cloud *cloud, const char *ref, const char *machine_id,
                              struct sighting *out, struct error *err)
{
    TRY(check_whose(cloud, err));
    (void)machine_id;
    enter();
    const struct fake_machine *found = is_hidden() ? NULL : by_ref(ref);
    if (found != NULL)
        *out = found->seen;
    leave();
    return found != NULL ? OK : cloud_fail(err, CLOUD_NOT_FOUND, "no %s", ref);
}

static enum outcome fake_find_token(struct cloud *cloud, const char *token,
                                    struct sighting_list *out, struct error *err)
{
    TRY(check_whose(cloud, err));
    enter();
    for (int i = 0; i < world->count; i++)
        if (strcmp(world->machines[i].seen.client_token, token) == 0 && !world->forgotten[i] &&
            !is_hidden())
            *sighting_list_add(out) = world->machines[i].seen;
    leave();
    return OK;
}

static enum outcome fake_list(struct cloud *cloud, struct sighting_list *out, struct error *err)
{
    TRY(check_whose(cloud, err));
    enter();
    if (world->mischief == MISCHIEF_BLIND && next_mischief() != MISCHIEF_NONE) {
        leave();
        return cloud_fail(err, world->kind, "as the test asked");
    }
    out->partial = world->partial;
    for (int i = 0; i < world->count && !world->partial && !is_hidden(); i++)
        if (!world->forgotten[i] && strcmp(world->machines[i].account, cloud->account) == 0)
            *sighting_list_add(out) = world->machines[i].seen;
    leave();
    return OK;
}

static enum outcome fake_nothing(struct cloud *cloud, const char *ref,
                                 struct cloud_operation *operation, struct error *err)
{
    (void)cloud;
    (void)operation;
    return cloud_fail(err, CLOUD_UNSUPPORTED, "not for %s", ref);
}

static enum outcome fake_terminate(struct cloud *cloud, const char *ref, const char *machine_id,
                                   struct cloud_operation *operation, struct error *err)
{
    TRY(check_whose(cloud, err));
    (void)machine_id;
    enter();
    if (world->mischief == MISCHIEF_LOSE_END && next_mischief() != MISCHIEF_NONE) {
        leave();
        return cloud_fail(err, CLOUD_AMBIGUOUS, "cut off");
    }
    if (world->mischief == MISCHIEF_KEEP && next_mischief() != MISCHIEF_NONE) {
        leave();
        return cloud_fail(err, world->kind, "as the test asked");
    }
    struct fake_machine *found = is_hidden() ? NULL : by_ref(ref);
    if (found != NULL && world->kept > 0) {
        world->kept--;
        found->stays = true;
    } else if (found != NULL) {
        found->seen.state = MACHINE_GONE;
    }
    if (found != NULL && world->asks > 0 && operation != NULL) {
        *operation = (struct cloud_operation){.poll_seconds = 1};
        snprintf(operation->name, sizeof operation->name, "terminate %s", ref);
        found->asks_left = world->asks;
    }
    if (world->mischief == MISCHIEF_DIE_TERMINATED && next_mischief() != MISCHIEF_NONE)
        die();
    leave();
    return found != NULL ? OK : cloud_fail(err, CLOUD_NOT_FOUND, "no %s", ref);
}

static enum outcome follow(struct cloud_operation *operation, struct error *err)
{
    const bool launches = strncmp(operation->name, "launch ", 7) == 0;
    struct fake_machine *machine = by_ref(strchr(operation->name, ' ') + 1);
    world->asked++;
    if (world->mischief == MISCHIEF_DIE_FOLLOWING && next_mischief() != MISCHIEF_NONE)
        die();
    if (machine != NULL && machine->asks_left > 0) {
        machine->asks_left--;
        return OK;
    }
    operation->name[0] = '\0';
    if (!launches && machine != NULL && machine->stays) {
        machine->stays = false;
        return cloud_fail(err, world->kept_kind, "as the test asked");
    }
    if (!launches || !world->fails)
        return OK;
    if (machine != NULL)
        machine->seen.state = MACHINE_GONE;
    return cloud_fail(err, world->failure, "as the test asked");
}

static enum outcome fake_follow(struct cloud *cloud, struct cloud_operation *operation,
                                struct error *err)
{
    (void)cloud;
    enter();
    enum outcome outcome = follow(operation, err);
    leave();
    return outcome;
}

static enum outcome fake_offers(struct cloud *cloud, struct offer_list *out, struct error *err)
{
    (void)cloud;
    enter();
    world->offers_asked++;
    const bool fails = world->offers_fail;
    struct offer offer = {.vcpus = 2};
    memcpy(offer.size, world->offered, sizeof offer.size);
    leave();
    if (fails)
        return cloud_fail(err, CLOUD_THROTTLE, "as the test wants");
    *offer_list_add(out) = offer;
    return OK;
}

static enum outcome fake_leftovers(struct cloud *cloud, struct leftover_list *out,
                                   struct error *err)
{
    (void)cloud;
    enter();
    world->left_asked++;
    out->partial = world->partial;
    const bool hides = world->mischief == MISCHIEF_HIDE_LEFT && next_mischief() != MISCHIEF_NONE;
    for (int i = 0; i < world->left_count && !hides; i++)
        if (!world->left[i].attached && !world->left[i].gone)
            *leftover_list_add(out) = world->left[i].seen;
    leave();
    return hides ? cloud_fail(err, world->kind, "as the test asked") : OK;
}

static int find_left(enum leftover_kind kind, const char *ref)
{
    for (int i = 0; i < world->left_count; i++)
        if (world->left[i].seen.kind == kind && strcmp(world->left[i].seen.ref, ref) == 0 &&
            !world->left[i].gone)
            return i;
    return -1;
}

static enum outcome discard(enum leftover_kind kind, const char *ref, struct error *err)
{
    const enum mischief mischief = next_mischief();
    const int found = find_left(kind, ref);
    if (mischief == MISCHIEF_DIE_DISCARDING)
        die();
    if (mischief == MISCHIEF_KEEP)
        return cloud_fail(err, world->kind, "as the test asked");
    if (found < 0)
        return cloud_fail(err, CLOUD_NOT_FOUND, "no %s", ref);
    if (world->left[found].attached)
        return cloud_fail(err, CLOUD_STATE_CONFLICT, "%s is in use", ref);
    world->left[found].gone = true;
    world->discards++;
    if (mischief == MISCHIEF_DIE_DISCARDED)
        die();
    return OK;
}

static enum outcome fake_discard(struct cloud *cloud, enum leftover_kind kind, const char *ref,
                                 struct error *err)
{
    (void)cloud;
    enter();
    enum outcome outcome = discard(kind, ref, err);
    leave();
    return outcome;
}

#define FAKE_CALLS                                                                                 \
    .id = DRIVER_AWS, .open = fake_open, .close = fake_close, .identify = fake_identify,           \
    .turn = fake_turn, .launch = fake_launch, .follow = fake_follow, .find = fake_find,            \
    .find_token = fake_find_token, .list = fake_list, .stop = fake_nothing, .start = fake_nothing, \
    .terminate = fake_terminate

static const struct driver asked_driver = {FAKE_CALLS, .offers = fake_offers};
static const struct driver left_driver = {FAKE_CALLS, .leftovers = fake_leftovers,
                                          .discard = fake_discard};
static const struct driver fake_driver = {FAKE_CALLS};

int fake_cloud_leave(enum leftover_kind kind, const char *ref, const struct uuid *instance,
                     const char *token)
{
    enter();
    if (world->left_count == FAKE_LEFT_MOST)
        abort();
    struct leftover *made = &world->left[world->left_count].seen;
    *made = (struct leftover){.kind = kind, .instance = *instance};
    snprintf(made->ref, sizeof made->ref, "%s", ref);
    snprintf(made->client_token, sizeof made->client_token, "%s", token);
    snprintf(made->fleet, sizeof made->fleet, "web");
    snprintf(made->state_word, sizeof made->state_word, "available");
    const int number = world->left_count++;
    leave();
    return number;
}

void fake_cloud_attach(int number, bool attached)
{
    enter();
    world->left[number].attached = attached;
    leave();
}

int fake_cloud_left(void)
{
    int n = 0;
    enter();
    for (int i = 0; i < world->left_count; i++)
        n += !world->left[i].gone;
    leave();
    return n;
}

int fake_cloud_discards(void)
{
    return world->discards;
}

int fake_cloud_left_asks(void)
{
    return world->left_asked;
}

void fake_cloud_offer(const char *size)
{
    enter();
    world->offers = true;
    world->offers_fail = size == NULL;
    snprintf(world->offered, sizeof world->offered, "%s", size != NULL ? size : "");
    leave();
}

int fake_cloud_asked(void)
{
    return world->offers_asked;
}

enum outcome fake_driver_of(const struct account *account, const struct driver **out,
                            struct error *err)
{
    (void)account;
    (void)err;
    *out = world->offers ? &asked_driver : world->left_count > 0 ? &left_driver : &fake_driver;
    return OK;
}
