#include "cli/machines.h"

#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "cli/print.h"
#include "lib/model/delivery.h"
#include "lib/model/instance.h"
#include "lib/model/secret.h"

static const struct machine *const machines[] = {&phase_machine, &trust_machine, &version_machine,
                                                 &delivery_machine};

static const struct column columns[] = {
    {"FROM", "from"}, {"ON", "on"}, {"TO", "to"}, {"BECAUSE", "because"}, {NULL, NULL}};

static json_t *steps_of(const struct machine *machine)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < machine->count; i++) {
        const struct step *step = &machine->steps[i];
        json_t *row = json_object();
        json_put_text(row, "from", name_of(machine->states, step->from));
        json_put_text(row, "on", name_of(machine->events, step->on));
        json_put_text(row, "to", name_of(machine->states, step->to));
        json_put_text(row, "because", step->because);
        json_add_new(steps, row);
    }
    return steps;
}

static void show(const struct machine *machine, bool dot)
{
    if (dot) {
        OWNED(text_done) struct text drawn = {0};
        machine_dot(machine, &drawn);
        fputs(text_str(&drawn), stdout);
        return;
    }
    OWNED(json_drop) json_t *steps = steps_of(machine);
    printf("%s\n", machine->name);
    print_table(stdout, columns, steps);
    printf("\n");
}

static void show_json(const char *name)
{
    OWNED(json_drop) json_t *all = json_object();
    for (size_t i = 0; i < countof(machines); i++)
        if (name == NULL || strcmp(machines[i]->name, name) == 0)
            json_put_new(all, machines[i]->name, steps_of(machines[i]));
    print_json(stdout, all);
}

static bool is_machine(const char *name)
{
    for (size_t i = 0; i < countof(machines); i++)
        if (strcmp(machines[i]->name, name) == 0)
            return true;
    return false;
}

static enum outcome take_words(char **words, const char **name, bool *dot, struct error *err)
{
    for (; *words != NULL; words++) {
        if (strcmp(*words, "--dot") == 0)
            *dot = true;
        else if (*name == NULL && is_machine(*words))
            *name = *words;
        else
            return fail(err, ERR_INVALID, "'%.40s' is no machine", *words);
    }
    return OK;
}

int machines_main(int argc, char **argv)
{
    struct error err = {0};
    OWNED(cli_options_done) struct cli_options options = {0};
    const char *name = NULL;
    bool dot = false;
    if (cli_options_parse(argc, argv, &options, &err) != OK ||
        take_words(options.words + 1, &name, &dot, &err) != OK)
        return cli_fail(&err);
    if (options.output == OUTPUT_JSON && !dot) {
        show_json(name);
        return 0;
    }
    for (size_t i = 0; i < countof(machines); i++)
        if (name == NULL || strcmp(machines[i]->name, name) == 0)
            show(machines[i], dot);
    return 0;
}
