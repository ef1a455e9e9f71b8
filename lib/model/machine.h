/* A state machine as data: a table of steps that code walks, tests check and `muster machines`
 * draws. What to do while in a state is elsewhere (controller's _steps files). */
#ifndef MUSTER_MODEL_MACHINE_H
#define MUSTER_MODEL_MACHINE_H

#include "lib/base/names.h"
#include "lib/base/text.h"

struct step {
    int from;
    int on;
    int to;
    const char *because;
};

struct machine {
    const char *name; /* "phase": also the word in instance_history */
    const struct names *states;
    const struct names *events;
    const struct step *steps;
    size_t count;
    int start;
};

#define MACHINE(word, state_names, event_names, table, first)                                      \
    {                                                                                              \
        .name = (word), .states = (state_names), .events = (event_names), .steps = (table),        \
        .count = countof(table), .start = (first)                                                  \
    }

/* NULL when the table has no such step. */
const struct step *machine_find(const struct machine *machine, int from, int on);

/* ERR_CONFLICT "wrong-<name>" when the table has no such step. */
enum outcome machine_step(const struct machine *machine, int from, int on, const struct step **out,
                          struct error *err);

bool machine_is_final(const struct machine *machine, int state); /* no step leaves it */

/* What a table must hold: every state reachable from the start, every event used, no two steps
 * for one state and event, words in range. ERR_INTERNAL "bad-machine" names the first fault. */
enum outcome machine_check(const struct machine *machine, struct error *err);

/* Graphviz. */
void machine_dot(const struct machine *machine, struct text *out);

#endif
