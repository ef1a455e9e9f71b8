#include "lib/model/machine.h"

#include <stdio.h>
#include <stdlib.h>

const struct step *machine_find(const struct machine *machine, int from, int on)
{
    for (size_t i = 0; i < machine->count; i++)
        if (machine->steps[i].from == from && machine->steps[i].on == on)
            return &machine->steps[i];
    return NULL;
}

enum outcome machine_step(const struct machine *machine, int from, int on, const struct step **out,
                          struct error *err)
{
    const struct step *step = machine_find(machine, from, on);
    if (step == NULL) {
        char code[ERROR_CODE_SIZE];
        snprintf(code, sizeof code, "wrong-%s", machine->name);
        return fail_code(err, ERR_CONFLICT, code, "%s '%s' does not take '%s'", machine->name,
                         name_of(machine->states, from), name_of(machine->events, on));
    }
    *out = step;
    return OK;
}

bool machine_is_final(const struct machine *machine, int state)
{
    for (size_t i = 0; i < machine->count; i++)
        if (machine->steps[i].from == state && machine->steps[i].to != state)
            return false;
    return true;
}

static enum outcome check_steps(const struct machine *machine, struct error *err)
{
    for (size_t i = 0; i < machine->count; i++) {
        const struct step *step = &machine->steps[i];
        bool in_range = step->from >= 0 && (size_t)step->from < machine->states->count &&
                        step->to >= 0 && (size_t)step->to < machine->states->count &&
                        step->on >= 0 && (size_t)step->on < machine->events->count;
        if (!in_range)
            return fail_code(err, ERR_INTERNAL, "bad-machine", "%s: step %zu is out of range",
                             machine->name, i);
        if (machine_find(machine, step->from, step->on) != step)
            return fail_code(err, ERR_INTERNAL, "bad-machine", "%s: '%s' takes '%s' twice",
                             machine->name, name_of(machine->states, step->from),
                             name_of(machine->events, step->on));
    }
    return OK;
}

static void spread(const struct machine *machine, bool *reached)
{
    reached[machine->start] = true;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < machine->count; i++) {
            const struct step *step = &machine->steps[i];
            if (reached[step->from] && !reached[step->to])
                more = reached[step->to] = true;
        }
    }
}

enum outcome machine_check(const struct machine *machine, struct error *err)
{
    TRY(check_steps(machine, err));
    OWNED(mem_drop) bool *reached = mem_new(machine->states->count, sizeof *reached);
    spread(machine, reached);
    for (size_t state = 0; state < machine->states->count; state++)
        if (!reached[state])
            return fail_code(err, ERR_INTERNAL, "bad-machine", "%s: '%s' is never reached",
                             machine->name, machine->states->words[state]);
    for (size_t event = 0; event < machine->events->count; event++) {
        bool used = false;
        for (size_t i = 0; i < machine->count && !used; i++)
            used = machine->steps[i].on == (int)event;
        if (!used)
            return fail_code(err, ERR_INTERNAL, "bad-machine", "%s: nothing takes '%s'",
                             machine->name, machine->events->words[event]);
    }
    return OK;
}

void machine_dot(const struct machine *machine, struct text *out)
{
    text_addf(out, "digraph %s {\n    rankdir=LR;\n    node [shape=box, style=rounded];\n",
              machine->name);
    for (size_t state = 0; state < machine->states->count; state++)
        text_addf(out, "    \"%s\"%s;\n", machine->states->words[state],
                  machine_is_final(machine, (int)state) ? " [peripheries=2]"
                  : (int)state == machine->start        ? " [style=\"rounded,bold\"]"
                                                        : "");
    for (size_t i = 0; i < machine->count; i++)
        text_addf(out, "    \"%s\" -> \"%s\" [label=\"%s\", tooltip=\"%s\"];\n",
                  name_of(machine->states, machine->steps[i].from),
                  name_of(machine->states, machine->steps[i].to),
                  name_of(machine->events, machine->steps[i].on), machine->steps[i].because);
    text_add(out, "}\n");
}
