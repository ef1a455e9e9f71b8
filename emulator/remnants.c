#include "emulator/remnants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "emulator/world.h"

static const char *const kind_words[] = {"disk", "address", "interface"};
_Static_assert(countof(kind_words) == REMNANT_KIND_COUNT);
const struct names remnant_kind_names = NAMES("kind of remnant", kind_words);

void remnants_done(struct remnants *remnants)
{
    for (size_t i = 0; i < remnants->count; i++)
        free((void *)(uintptr_t)remnants->at[i].tags);
    free(remnants->at);
    *remnants = (struct remnants){0};
}

static bool exists(const struct machine *machine, enum remnant_kind kind)
{
    return machine->cloud != DRIVER_GCP || kind != REMNANT_INTERFACE;
}

static struct remnant make(const struct machine *machine, enum remnant_kind kind)
{
    static const char *const prefixes[] = {"vol-", "eipalloc-", "eni-"};
    static const char *const suffixes[] = {"-os", "-ip", "-nic"};
    struct remnant made = {.kind = kind,
                           .cloud = machine->cloud,
                           .in_use = true,
                           .tags = machine->tags,
                           .tag_count = machine->tag_count};
    const bool is_ec2 = machine->cloud == DRIVER_AWS;
    snprintf(made.ref, sizeof made.ref, "%s%s", is_ec2 ? prefixes[kind] : "",
             is_ec2 ? machine->ref + 2 : machine->ref);
    snprintf(made.name, sizeof made.name, "%s%s", machine->name, suffixes[kind]);
    snprintf(made.machine, sizeof made.machine, "%s", is_ec2 ? machine->ref : machine->name);
    memcpy(made.group, machine->group, sizeof made.group);
    memcpy(made.region, machine->region, sizeof made.region);
    memcpy(made.zone, machine->zone, sizeof made.zone);
    memcpy(made.client_token, machine->client_token, sizeof made.client_token);
    return made;
}

static void note(struct world *world, const struct remnant *remnant, const char *event)
{
    ledger_note(world->ledger, event,
                &(struct ledger_line){.cloud = name_of(&account_driver_names, (int)remnant->cloud),
                                      .ref = remnant->ref,
                                      .name = remnant->name,
                                      .client_token = remnant->client_token,
                                      .action = name_of(&remnant_kind_names, (int)remnant->kind)});
}

void remnants_leave(struct world *world, const struct machine *machine)
{
    struct remnants *all = &world->remnants;
    for (int kind = 0; kind < REMNANT_KIND_COUNT; kind++) {
        if (!exists(machine, (enum remnant_kind)kind))
            continue;
        struct tag *tags = mem_new(machine->tag_count + 1, sizeof *tags);
        memcpy(tags, machine->tags, machine->tag_count * sizeof *tags);
        all->at = mem_resize(all->at, all->count + 1, sizeof *all->at);
        struct remnant *stays = &all->at[all->count++];
        *stays = make(machine, (enum remnant_kind)kind);
        stays->in_use = false;
        stays->tags = tags;
        note(world, stays, "left-behind");
    }
}

void remnants_each(const struct world *world, enum account_driver cloud, enum remnant_kind kind,
                   remnant_fn *fn, void *context)
{
    for (size_t i = 0; i < world->count; i++) {
        const struct machine *machine = world->machines[i];
        if (machine->cloud != cloud || machine->state == VM_TERMINATED || !exists(machine, kind))
            continue;
        const struct remnant used = make(machine, kind);
        fn(&used, context);
    }
    for (size_t i = 0; i < world->remnants.count; i++)
        if (world->remnants.at[i].cloud == cloud && world->remnants.at[i].kind == kind)
            fn(&world->remnants.at[i], context);
}

static bool is_called(const struct remnant *remnant, const char *where, const char *ref)
{
    if (strcasecmp(remnant->name, ref) != 0 && strcmp(remnant->ref, ref) != 0)
        return false;
    return where == NULL || strcasecmp(remnant->group, where) == 0 ||
           strcmp(remnant->region, where) == 0 || strcmp(remnant->zone, where) == 0;
}

struct search {
    const char *where;
    const char *ref;
    bool found;
};

static void look_for(const struct remnant *remnant, void *context)
{
    struct search *search = context;
    search->found |= is_called(remnant, search->where, search->ref);
}

enum remnant_end remnants_discard(struct world *world, enum account_driver cloud,
                                  enum remnant_kind kind, const char *where, const char *ref)
{
    struct remnants *all = &world->remnants;
    struct search search = {where, ref, false};
    for (size_t i = 0; i < all->count; i++) {
        if (all->at[i].cloud != cloud || all->at[i].kind != kind ||
            !is_called(&all->at[i], where, ref))
            continue;
        note(world, &all->at[i], "discarded");
        free((void *)(uintptr_t)all->at[i].tags);
        memmove(&all->at[i], &all->at[i + 1], (all->count - i - 1) * sizeof *all->at);
        all->count--;
        return REMNANT_GONE;
    }
    remnants_each(world, cloud, kind, look_for, &search);
    return search.found ? REMNANT_IN_USE : REMNANT_UNKNOWN;
}

const char *remnant_tag(const struct remnant *remnant, const char *key)
{
    for (size_t i = 0; i < remnant->tag_count; i++)
        if (strcmp(remnant->tags[i].key, key) == 0)
            return remnant->tags[i].value;
    return NULL;
}
