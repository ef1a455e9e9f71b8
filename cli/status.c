#include "cli/status.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/print.h"

struct status_wish {
    const char *fleet; /* NULL: all */
    bool watch;
    int64_t every_seconds;
};

static const struct column columns[] = {{"FLEET", "fleet"},
                                        {"DESIRED", "desired"},
                                        {"WHERE", "where"},
                                        {"PHASES", "phases"},
                                        {"TRUST", "trust"},
                                        {"LEVELS", "levels"},
                                        {"VERIFIED%", "objective/percent"},
                                        {"REASONS", "reasons"},
                                        {"DELIVERIES", "deliveries"},
                                        {"NOTICES", "notices/count"},
                                        {"NEXT", "notices/next"},
                                        {NULL, NULL}};

static const struct column alarm_columns[] = {{"ALARM", "code"},    {"SEVERITY", "severity"},
                                              {"OBJECT", "object"}, {"SINCE", "since"},
                                              {"TEXT", "text"},     {NULL, NULL}};

static const struct column place_columns[] = {
    {"FLEET", "fleet"},   {"ACCOUNT", "account"},   {"ZONE", "zone"},
    {"WEIGHT", "weight"}, {"MACHINES", "standing"}, {"CLOSED UNTIL", "closed_until"},
    {"REASON", "reason"}, {"TEXT", "text"},         {NULL, NULL}};

static enum outcome take_words(char **words, struct status_wish *out, struct error *err)
{
    *out = (struct status_wish){.every_seconds = 2};
    for (; *words != NULL; words++) {
        if (strcmp(*words, "--watch") == 0)
            out->watch = true;
        else if (strcmp(*words, "--every") == 0 && words[1] != NULL)
            TRY(number_parse(*++words, 1, 3600, &out->every_seconds, err));
        else if ((*words)[0] != '-' && out->fleet == NULL)
            out->fleet = *words;
        else
            return fail(err, ERR_INVALID, "'%.60s' is not something 'muster status' takes", *words);
    }
    return OK;
}

static enum outcome add_fleet(struct client *client, const char *name, json_t *rows,
                              struct error *err)
{
    OWNED(json_drop) json_t *status = NULL;
    OWNED(text_done) struct text path = {0};
    text_add(&path, "/v1/fleets/");
    text_add_percent(&path, span_of_text(name));
    text_add(&path, "/status");
    TRY(client_call(client, "GET", text_str(&path), NULL, &status, err));
    if (!json_is_object(status))
        return fail_code(err, ERR_INTERNAL, "bad-answer", "the status of %s is not an object",
                         name);
    if (json_object_get(status, "fleet") == NULL)
        json_put_text(status, "fleet", name);
    json_add_new(rows, TAKE(status));
    return OK;
}

static enum outcome gather(struct client *client, const struct status_wish *wish, json_t *rows,
                           struct error *err)
{
    OWNED(json_drop) json_t *fleets = NULL;
    size_t i;
    json_t *fleet;
    if (wish->fleet != NULL)
        return add_fleet(client, wish->fleet, rows, err);
    TRY(client_list(client, "/v1/fleets", 0, &fleets, err));
    json_array_foreach (fleets, i, fleet) {
        const char *name = json_string_value(json_object_get(fleet, "name"));
        if (name == NULL)
            return fail_code(err, ERR_INTERNAL, "bad-answer", "a fleet without a name");
        enum outcome outcome = add_fleet(client, name, rows, err);
        if (outcome != OK && outcome != ERR_NOT_FOUND) /* one may go away in between */
            return outcome;
    }
    return OK;
}

/* A count, a yes, or a realm that says so. */
static bool is_simulated(const json_t *status)
{
    const json_t *simulated = json_object_get(status, "simulated");
    const char *realm = json_string_value(json_object_get(status, "realm"));
    return json_is_true(simulated) || json_integer_value(simulated) > 0 ||
           (realm != NULL && strcmp(realm, "simulation") == 0);
}

/* Of one fleet those that its own status tells of, else all. */
static enum outcome add_alarms(struct client *client, const struct status_wish *wish,
                               const json_t *rows, json_t *alarms, struct error *err)
{
    OWNED(json_drop) json_t *answer = NULL;
    json_t *items = json_object_get(json_array_get(rows, 0), "alarms");
    if (wish->fleet == NULL) {
        TRY(client_call(client, "GET", "/v1/alarms", NULL, &answer, err));
        items = json_object_get(answer, "items");
    }
    if (json_is_array(items))
        json_array_extend(alarms, items);
    return OK;
}

/* How many stand in each account, its zones together. */
static json_t *where_of(const json_t *places)
{
    size_t i;
    json_t *place;
    json_t *where = json_object();
    json_array_foreach ((json_t *)(uintptr_t)places, i, place) {
        const char *account = json_string_value(json_object_get(place, "account"));
        const json_int_t standing = json_integer_value(json_object_get(place, "standing"));
        if (account != NULL)
            json_put_int(where, account,
                         json_integer_value(json_object_get(where, account)) + standing);
    }
    return where;
}

/* Place by place of the one fleet that was asked for; of all fleets those that are shut. */
static json_t *places_of(const struct status_wish *wish, const json_t *rows)
{
    size_t i, p;
    json_t *row, *place;
    json_t *list = json_array();
    json_array_foreach ((json_t *)(uintptr_t)rows, i, row) {
        json_t *places = json_object_get(row, "places");
        json_array_foreach (places, p, place) {
            const bool several = wish->fleet != NULL && json_array_size(places) > 1;
            if (!several && json_object_get(place, "reason") == NULL)
                continue;
            json_t *one = json_copy(place);
            json_put_new(one, "fleet", json_incref(json_object_get(row, "fleet")));
            json_add_new(list, one);
        }
    }
    return list;
}

static json_t *with_where(const json_t *rows)
{
    size_t i;
    json_t *row;
    json_t *list = json_array();
    json_array_foreach ((json_t *)(uintptr_t)rows, i, row) {
        json_t *one = json_copy(row);
        json_put_new(one, "where", where_of(json_object_get(row, "places")));
        json_add_new(list, one);
    }
    return list;
}

static void show_table(const struct status_wish *wish, const json_t *rows, const json_t *alarms)
{
    size_t i;
    const json_t *row;
    OWNED(json_drop) json_t *fleets = with_where(rows);
    OWNED(json_drop) json_t *places = places_of(wish, rows);
    print_table(stdout, columns, fleets);
    if (json_array_size(places) > 0)
        print_table(stdout, place_columns, places);
    if (json_array_size(alarms) > 0)
        print_table(stdout, alarm_columns, alarms);
    json_array_foreach (rows, i, row) {
        if (!is_simulated(row))
            continue;
        OWNED(text_done) struct text name = {0};
        text_add_value(&name, json_object_get(row, "fleet"));
        printf("SIMULATED: %s proves nothing; its hardware is the simulator's\n", text_str(&name));
    }
}

static void show(const struct status_wish *wish, enum output output, const json_t *rows,
                 const json_t *alarms)
{
    if (output == OUTPUT_TABLE) {
        show_table(wish, rows, alarms);
    } else if (wish->fleet != NULL) {
        print_json(stdout, json_array_get(rows, 0));
    } else {
        OWNED(json_drop) json_t *answer = json_object();
        json_put_new(answer, "fleets", json_deep_copy(rows));
        json_put_new(answer, "alarms", json_deep_copy(alarms));
        print_json(stdout, answer);
    }
}

static enum outcome show_once(struct client *client, const struct status_wish *wish,
                              enum output output, struct error *err)
{
    OWNED(json_drop) json_t *rows = json_array();
    OWNED(json_drop) json_t *alarms = json_array();
    TRY(gather(client, wish, rows, err));
    TRY(add_alarms(client, wish, rows, alarms, err));
    if (wish->watch && output == OUTPUT_TABLE && isatty(STDOUT_FILENO))
        printf("\033[H\033[2J%s\n", moment_text(clock_at_seconds(moment_seconds(clock_now()))).at);
    show(wish, output, rows, alarms);
    fflush(stdout);
    return OK;
}

/* True when it was time, false when somebody ended the watch. */
static bool wait_for_next(const sigset_t *ends, int64_t seconds)
{
    const struct timespec wait = {.tv_sec = seconds};
    for (;;) {
        if (sigtimedwait(ends, NULL, &wait) > 0)
            return false;
        if (errno != EINTR)
            return true;
    }
}

/* A controller that does not answer for a while is told of and asked again. */
static enum outcome watch(struct client *client, const struct status_wish *wish, enum output output,
                          struct error *err)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGHUP);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    do {
        enum outcome outcome = show_once(client, wish, output, err);
        if (outcome != OK && !outcome_is_worth_retrying(outcome) && outcome != ERR_AMBIGUOUS)
            return outcome;
        if (outcome != OK)
            cli_fail(err);
    } while (wait_for_next(&ends, wish->every_seconds));
    return OK;
}

int status_main(int argc, char **argv)
{
    struct error err = {0};
    struct status_wish wish;
    OWNED(cli_options_done) struct cli_options options = {0};
    OWNED(client_drop) struct client *client = NULL;
    if (cli_options_parse(argc, argv, &options, &err) != OK ||
        take_words(options.words + 1, &wish, &err) != OK ||
        client_open(&options, &client, &err) != OK)
        return cli_fail(&err);
    enum outcome outcome = wish.watch ? watch(client, &wish, options.output, &err)
                                      : show_once(client, &wish, options.output, &err);
    return outcome == OK ? 0 : cli_fail(&err);
}
