#include "emulator/world.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/crypto/random.h"

enum { MACHINE_FILE_MAX = 256 * 1024, LISTED_SECONDS = 3600, TIDY_SECONDS = 10 };

static const char *const state_words[] = {
    "pending", "running", "stopping", "stopped", "shutting-down", "terminated", "halted", "failed",
};
_Static_assert(countof(state_words) == VM_STATE_COUNT);
const struct names vm_state_names = NAMES("machine state", state_words);

bool vm_state_passes(enum vm_state state)
{
    return state == VM_PENDING || state == VM_STOPPING || state == VM_SHUTTING_DOWN;
}

static void machine_free(struct machine *machine)
{
    bytes_done(&machine->user_data);
    bytes_done(&machine->shape);
    free(machine);
}
DROP(machine_drop, struct machine, machine_free)

char *machine_path(const struct world *world, const struct machine *machine, const char *name)
{
    struct text path = {0};
    text_addf(&path, "%s/machines/%s%s%s", world->settings.folder, machine->ref,
              name[0] != '\0' ? "/" : "", name);
    return text_take(&path);
}

const char *machine_tag(const struct machine *machine, const char *key)
{
    for (size_t i = 0; i < machine->tag_count; i++)
        if (strcmp(machine->tags[i].key, key) == 0)
            return machine->tags[i].value;
    return NULL;
}

/* Google's labels have no colons. */
const char *machine_mark(const struct machine *machine, const char *key)
{
    char name[TAG_KEY_SIZE];
    snprintf(name, sizeof name, "%s", key);
    char *colon = machine->cloud == DRIVER_GCP ? strchr(name, ':') : NULL;
    if (colon != NULL)
        *colon = '-';
    return machine_tag(machine, name);
}

bool machine_set_tag(struct machine *machine, const char *key, const char *value)
{
    if (strlen(key) >= TAG_KEY_SIZE || strlen(value) >= TAG_VALUE_SIZE)
        return false;
    machine_drop_tag(machine, key);
    if (machine->tag_count == TAGS_MAX)
        return false;
    struct tag *tag = &machine->tags[machine->tag_count++];
    snprintf(tag->key, sizeof tag->key, "%s", key);
    snprintf(tag->value, sizeof tag->value, "%s", value);
    return true;
}

void machine_drop_tag(struct machine *machine, const char *key)
{
    for (size_t i = 0; i < machine->tag_count; i++)
        if (strcmp(machine->tags[i].key, key) == 0) {
            machine->tags[i] = machine->tags[--machine->tag_count];
            return;
        }
}

json_t *machine_to_json(const struct machine *machine)
{
    json_t *out = json_object();
    json_put_int(out, "ordinal", machine->ordinal);
    json_put_text(out, "cloud", name_of(&account_driver_names, (int)machine->cloud));
    json_put_text(out, "ref", machine->ref);
    json_put_text(out, "name", machine->name);
    json_put_text(out, "group", machine->group);
    json_put_text(out, "reservation", machine->reservation);
    json_put_text(out, "client_token", machine->client_token);
    json_put_text(out, "order_hash", machine->order_hash);
    json_put_text(out, "image", machine->image);
    json_put_text(out, "size", machine->size);
    json_put_text(out, "region", machine->region);
    json_put_text(out, "zone", machine->zone);
    json_put_text(out, "subnet", machine->subnet);
    json_put_bool(out, "snp", machine->snp);
    json_t *tags = json_object();
    for (size_t i = 0; i < machine->tag_count; i++)
        json_put_text(tags, machine->tags[i].key, machine->tags[i].value);
    json_put_new(out, "tags", tags);
    json_put_text(out, "state", name_of(&vm_state_names, (int)machine->state));
    json_put_bool(out, "halts", machine->halts);
    json_put_text(out, "reason", machine->reason);
    json_put_moment(out, "launched", machine->launched);
    json_put_moment(out, "changed", machine->changed);
    json_put_int(out, "boots", machine->boots);
    json_put_int(out, "pid", machine->pid);
    json_put_text(out, "tamper", machine->tamper);
    return out;
}

struct text_member {
    const char *name;
    char *at;
    size_t size;
};

static enum outcome read_texts(const json_t *in, struct machine *machine, struct error *err)
{
    const struct text_member members[] = {
        {"ref", machine->ref, sizeof machine->ref},
        {"name", machine->name, sizeof machine->name},
        {"group", machine->group, sizeof machine->group},
        {"reservation", machine->reservation, sizeof machine->reservation},
        {"client_token", machine->client_token, sizeof machine->client_token},
        {"order_hash", machine->order_hash, sizeof machine->order_hash},
        {"image", machine->image, sizeof machine->image},
        {"size", machine->size, sizeof machine->size},
        {"region", machine->region, sizeof machine->region},
        {"zone", machine->zone, sizeof machine->zone},
        {"subnet", machine->subnet, sizeof machine->subnet},
        {"reason", machine->reason, sizeof machine->reason},
        {"tamper", machine->tamper, sizeof machine->tamper},
    };
    for (size_t i = 0; i < countof(members); i++) {
        const char *text;
        TRY(json_get_text(in, "", members[i].name, members[i].size - 1, &text, err));
        memcpy(members[i].at, text, strlen(text) + 1);
    }
    return OK;
}

static enum outcome machine_from_json(const json_t *in, struct machine *out, struct error *err)
{
    const char *word;
    int cloud, state;
    json_t *tags;
    TRY(read_texts(in, out, err));
    TRY(json_get_text(in, "", "cloud", 32, &word, err));
    TRY(name_parse(&account_driver_names, word, &cloud, err));
    out->cloud = (enum account_driver)cloud;
    TRY(json_get_bool(in, "", "halts", &out->halts, err));
    TRY(json_get_int(in, "", "ordinal", 1, INT64_MAX, &out->ordinal, err));
    TRY(json_get_int(in, "", "boots", 0, INT64_MAX, &out->boots, err));
    TRY(json_get_bool(in, "", "snp", &out->snp, err));
    TRY(json_get_moment(in, "", "launched", &out->launched, err));
    TRY(json_get_moment(in, "", "changed", &out->changed, err));
    TRY(json_get_text(in, "", "state", 32, &word, err));
    TRY(name_parse(&vm_state_names, word, &state, err));
    out->state = (enum vm_state)state;
    TRY(json_get_object(in, "", "tags", &tags, err));
    const char *key;
    json_t *value;
    json_object_foreach (tags, key, value)
        if (!json_is_string(value) || !machine_set_tag(out, key, json_string_value(value)))
            return fail(err, ERR_INVALID, "tag '%.40s' cannot be held", key);
    return OK;
}

enum outcome world_save(struct world *world, const struct machine *machine, struct error *err)
{
    if (world->settings.fleeting)
        return OK;
    OWNED(json_drop) json_t *value = machine_to_json(machine);
    OWNED(mem_drop) char *text = json_print_pretty(value);
    OWNED(mem_drop) char *path = machine_path(world, machine, "machine.json");
    return file_write(path, span_of_text(text), 0600, err);
}

/* What ran when the last run ended was cut off like by a power failure: it boots again. */
static void resume(struct machine *machine)
{
    switch (machine->state) {
    case VM_PENDING:
    case VM_RUNNING:
        machine->state = VM_PENDING;
        break;
    case VM_STOPPING:
        machine->state = machine->halts ? VM_HALTED : VM_STOPPED;
        break;
    case VM_SHUTTING_DOWN:
        machine->state = VM_TERMINATED;
        break;
    case VM_STOPPED:
    case VM_TERMINATED:
    case VM_HALTED:
    case VM_FAILED:
    case VM_STATE_COUNT:
        break;
    }
}

/* What maps go by. */
struct word_key {
    uint8_t at[SHA256_SIZE];
};

static struct word_key key_of(enum account_driver cloud, const char *word)
{
    struct word_key key;
    struct digest_run run;
    const uint8_t first = (uint8_t)cloud;
    digest_start(&run, DIGEST_SHA256);
    digest_more(&run, SPAN(&first, 1));
    digest_more(&run, span_of_text(word));
    digest_end(&run, key.at);
    return key;
}

static void know(struct world *world, struct machine *machine)
{
    const struct word_key ref = key_of(ACCOUNT_DRIVER_COUNT, machine->ref);
    const struct word_key token = key_of(machine->cloud, machine->client_token);
    map_put(world->by_ref, &ref, machine);
    if (machine->client_token[0] != '\0' && map_get(world->by_token, &token) == NULL)
        map_put(world->by_token, &token, machine);
}

static void unknow(struct world *world, const struct machine *machine)
{
    const struct word_key ref = key_of(ACCOUNT_DRIVER_COUNT, machine->ref);
    const struct word_key token = key_of(machine->cloud, machine->client_token);
    map_take(world->by_ref, &ref);
    if (map_get(world->by_token, &token) == machine)
        map_take(world->by_token, &token);
}

static void insert(struct world *world, struct machine *machine)
{
    know(world, machine);
    if (machine->ordinal > world->last_ordinal)
        world->last_ordinal = machine->ordinal;
    world->machines = mem_resize(world->machines, world->count + 1, sizeof(struct machine *));
    world->machines[world->count++] = machine;
}

static enum outcome load_one(struct world *world, const char *name, struct error *err)
{
    OWNED(machine_drop) struct machine *machine = NEW(struct machine);
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(json_drop) json_t *value = NULL;
    snprintf(machine->ref, sizeof machine->ref, "%.39s", name);
    OWNED(mem_drop) char *path = machine_path(world, machine, "machine.json");
    OWNED(mem_drop) char *data = machine_path(world, machine, "user-data");
    OWNED(mem_drop) char *shape = machine_path(world, machine, "shape.json");
    enum outcome there = file_read(path, MACHINE_FILE_MAX, &content, err);
    if (there == ERR_NOT_FOUND) /* died before the launch was answered */
        return OK;
    TRY(there);
    TRY(json_parse(bytes_span(&content), MACHINE_FILE_MAX, &value, err));
    TRY(machine_from_json(value, machine, err));
    error_ignore(file_read(data, SIM_USER_DATA_MAX, &machine->user_data, NULL));
    error_ignore(file_read(shape, MACHINE_FILE_MAX, &machine->shape, NULL));
    resume(machine);
    insert(world, TAKE(machine));
    return OK;
}

static int by_ordinal(const void *a, const void *b)
{
    const struct machine *x = *(struct machine *const *)a, *y = *(struct machine *const *)b;
    return (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

static enum outcome load_all(struct world *world, struct error *err)
{
    OWNED(text_done) struct text folder = {0};
    text_addf(&folder, "%s/machines", world->settings.folder);
    TRY(folder_make(text_str(&folder), 0700, err));
    DIR *all = opendir(text_str(&folder));
    if (all == NULL)
        return fail(err, ERR_INTERNAL, "%s: %s", text_str(&folder), strerror(errno));
    enum outcome outcome = OK;
    for (struct dirent *entry; outcome == OK && (entry = readdir(all)) != NULL;)
        if (entry->d_name[0] != '.')
            outcome = load_one(world, entry->d_name, err);
    closedir(all);
    if (outcome != OK)
        return error_context(err, "%s", text_str(&folder));
    if (world->count > 0)
        qsort(world->machines, world->count, sizeof(struct machine *), by_ordinal);
    return OK;
}

enum outcome world_open(const struct world_settings *settings, struct world *out, struct error *err)
{
    *out = (struct world){.settings = *settings, .quotas = {.kept = settings->quotas}, .wake = -1};
    if (out->settings.listed_seconds == 0)
        out->settings.listed_seconds = LISTED_SECONDS;
    pthread_mutex_init(&out->lock, NULL);
    out->by_ref = map_new(sizeof(struct word_key));
    out->by_token = map_new(sizeof(struct word_key));
    OWNED(text_done) struct text ledger = {0};
    text_addf(&ledger, "%s/ledger.jsonl", settings->folder);
    TRY(load_all(out, err));
    TRY(ledger_open(text_str(&ledger), !settings->fleeting, &out->ledger, err));
    out->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (out->wake < 0)
        return fail(err, ERR_INTERNAL, "eventfd: %s", strerror(errno));
    return OK;
}

struct prank world_prank(struct world *world, enum account_driver cloud, const char *action)
{
    if (!quotas_take(&world->quotas, cloud, action, clock_monotonic_ms()))
        return (struct prank){.fault = FAULT_THROTTLE};
    return mischief_take(&world->mischief, action);
}

void world_close(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        machine_free(world->machines[i]);
    free(world->machines);
    map_free(world->by_ref);
    map_free(world->by_token);
    operations_done(&world->operations);
    remnants_done(&world->remnants);
    ledger_close(world->ledger);
    if (world->wake >= 0)
        close(world->wake);
    pthread_mutex_destroy(&world->lock);
}

void world_wake(struct world *world)
{
    const uint64_t one = 1;
    if (write(world->wake, &one, sizeof one) < 0 && errno != EAGAIN)
        LOG(WARN, "world.not-woken", TEXT("why", strerror(errno)));
}

struct machine *world_find(struct world *world, const char *ref)
{
    const struct word_key key = key_of(ACCOUNT_DRIVER_COUNT, ref);
    return map_get(world->by_ref, &key);
}

struct machine *world_find_named(struct world *world, enum account_driver cloud, const char *group,
                                 const char *name)
{
    for (size_t i = world->count; i-- > 0;) {
        struct machine *machine = world->machines[i];
        if (machine->cloud == cloud && machine->state != VM_TERMINATED &&
            strcasecmp(machine->name, name) == 0 && strcasecmp(machine->group, group) == 0)
            return machine;
    }
    return NULL;
}

struct machine *world_find_token(struct world *world, enum account_driver cloud,
                                 const char *client_token)
{
    const struct word_key key = key_of(cloud, client_token);
    return client_token[0] != '\0' ? map_get(world->by_token, &key) : NULL;
}

static void make_hex(const char *prefix, char out[static REF_SIZE])
{
    uint8_t random[8];
    char hex[17];
    random_fill(random, sizeof random);
    hex_encode(SPAN_OF(random), hex);
    snprintf(out, REF_SIZE, "%s0%s", prefix, hex);
}

static void make_ref(enum account_driver cloud, char out[static REF_SIZE])
{
    const struct uuid random = uuid_new();
    uint64_t number;
    switch (cloud) {
    case DRIVER_AWS:
        make_hex("i-", out);
        break;
    case DRIVER_AZURE:
        snprintf(out, REF_SIZE, "%s", uuid_text(&random).at);
        break;
    case DRIVER_GCP:
        random_fill(&number, sizeof number);
        snprintf(out, REF_SIZE, "%llu", (unsigned long long)(number >> 1 | 1));
        break;
    case ACCOUNT_DRIVER_COUNT:
        break;
    }
}

void world_note(struct world *world, const struct machine *machine, const char *event,
                const char *detail)
{
    ledger_note(world->ledger, event,
                &(struct ledger_line){.cloud = name_of(&account_driver_names, (int)machine->cloud),
                                      .ref = machine->ref,
                                      .name = machine->name,
                                      .client_token = machine->client_token,
                                      .instance = machine_mark(machine, "muster:instance"),
                                      .detail = detail});
}

static struct machine *add(struct world *world, struct machine *draft)
{
    struct machine *machine = NEW(struct machine);
    *machine = *draft;
    draft->user_data = draft->shape = (struct bytes){0};
    machine->ordinal = world->last_ordinal + 1;
    make_ref(machine->cloud, machine->ref);
    if (machine->reservation[0] == '\0')
        make_hex("r-", machine->reservation);
    machine->launched = clock_now();
    insert(world, machine);
    return machine;
}

static enum outcome write_disk(struct world *world, const struct machine *machine,
                               struct error *err)
{
    OWNED(mem_drop) char *folder = machine_path(world, machine, "");
    OWNED(mem_drop) char *shape = machine_path(world, machine, "shape.json");
    if (world->settings.fleeting)
        return OK;
    TRY(folder_make(folder, 0700, err));
    TRY(file_write(shape, bytes_span(&machine->shape), 0600, err));
    return world_save(world, machine, err);
}

struct machine *world_launch(struct world *world, struct machine *draft, struct error *err)
{
    struct machine *machine = add(world, draft);
    if (write_disk(world, machine, err) != OK)
        return NULL;
    world_note(world, machine, "launched", machine->image);
    world_move(world, machine, VM_PENDING);
    return machine;
}

void world_move(struct world *world, struct machine *machine, enum vm_state to)
{
    struct error err = {0};
    if (to == VM_TERMINATED && machine->leaves && machine->state != to)
        remnants_leave(world, machine);
    machine->state = to;
    machine->changed = clock_now();
    machine->told_to_end = false;
    int64_t lasts = to == VM_PENDING ? world->settings.boot_ms : world->settings.stop_ms;
    machine->due_ms = vm_state_passes(to) ? clock_monotonic_ms() + lasts : 0;
    world_note(world, machine, name_of(&vm_state_names, (int)to), machine->reason);
    if (world_save(world, machine, &err) != OK)
        log_error("machine.not-saved", &err);
    world_wake(world);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static void forget(struct world *world, struct machine *machine)
{
    OWNED(mem_drop) char *folder = machine_path(world, machine, "");
    unknow(world, machine);
    if (!world->settings.fleeting)
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    machine_free(machine);
}

void world_tidy(struct world *world)
{
    const struct moment now = clock_now();
    size_t kept = 0;
    if (moment_seconds_between(world->tidied, now) < TIDY_SECONDS)
        return;
    world->tidied = now;
    for (size_t i = 0; i < world->count; i++) {
        struct machine *machine = world->machines[i];
        if (machine->state == VM_TERMINATED && machine->pid == 0 &&
            moment_seconds_between(machine->changed, now) > world->settings.listed_seconds)
            forget(world, machine);
        else
            world->machines[kept++] = machine;
    }
    world->count = kept;
}

struct operation *world_begin(struct world *world, const struct machine *machine, const char *verb)
{
    struct operation *operation = operations_add(&world->operations, machine->cloud);
    snprintf(operation->ref, sizeof operation->ref, "%s", machine->ref);
    snprintf(operation->verb, sizeof operation->verb, "%s", verb);
    return operation;
}

bool world_is_done(struct world *world, const struct operation *operation)
{
    const struct machine *machine = world_find(world, operation->ref);
    return machine == NULL || !vm_state_passes(machine->state);
}
