#include "cli/api.h"

#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "lib/base/file.h"

enum { BODY_MAX = 1024 * 1024, HELP_COLUMN = 64 };

struct call {
    const struct api_command *command;
    struct text path;
    json_t *body;         /* NULL: none */
    const char *out_file; /* ANSWER_FILE; NULL: not said */
    const char *out_member;
    int64_t limit;
};

static void call_done(struct call *call)
{
    text_done(&call->path);
    json_decref(call->body);
}

/* ---- finding --------------------------------------------------------------------------------- */

static bool is_noun(const struct api_command *command, const char *said)
{
    size_t len = strlen(said);
    return strcmp(command->noun, said) == 0 ||
           (strncmp(command->noun, said, len) == 0 && strcmp(command->noun + len, "s") == 0);
}

static const struct api_command *find(const char *noun, const char *verb)
{
    for (size_t i = 0; i < api_command_count; i++)
        if (is_noun(&api_commands[i], noun) &&
            (verb == NULL || strcmp(api_commands[i].verb, verb) == 0))
            return &api_commands[i];
    return NULL;
}

bool api_has(const char *noun, const char *verb)
{
    return find(noun, verb) != NULL;
}

static bool is_option(const struct api_argument *argument)
{
    return argument->name[0] == '-';
}

static bool takes_value(const struct api_argument *argument)
{
    return argument->place != BODY_TRUE && argument->place != QUERY_TRUE;
}

static const struct api_argument *find_option(const struct api_command *command, const char *name)
{
    for (const struct api_argument *a = command->arguments; a->name != NULL; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

/* What an option takes, in the words of the manual. */
static const char *value_of(const struct api_argument *option)
{
    static const struct {
        const char *option, *value;
    } rows[] = {
        {"--after", "N"},     {"--at", "TIME"},     {"--ends", "TIME"},  {"--expires", "TIME"},
        {"--if-plan", "HEX"}, {"--instance", "ID"}, {"--kind", "WORD"},  {"--out", "FILE"},
        {"--phase", "WORD"},  {"--reason", "TEXT"}, {"--scope", "WORD"}, {"--state", "WORD"},
        {"--trust", "WORD"},
    };
    for (size_t i = 0; i < countof(rows); i++)
        if (strcmp(rows[i].option, option->name) == 0)
            return rows[i].value;
    return "NAME";
}

static void print_usage(const struct api_command *command, FILE *out)
{
    OWNED(text_done) struct text line = {0};
    text_addf(&line, "muster %s %s", command->noun, command->verb);
    for (const struct api_argument *a = command->arguments; a->name != NULL; a++) {
        const bool valued = is_option(a) && takes_value(a);
        text_addf(&line, a->required ? " %s%s%s" : " [%s%s%s]", a->name, valued ? " " : "",
                  valued ? value_of(a) : "");
    }
    if (command->answer == ANSWERS_LIST && find_option(command, "--limit") == NULL)
        text_add(&line, " [--limit N]");
    if (line.len > HELP_COLUMN) { /* a long one has a line to itself */
        fprintf(out, "  %s\n", text_str(&line));
        text_done(&line);
    }
    fprintf(out, "  %-*s %s\n", HELP_COLUMN, text_str(&line), command->help);
}

void api_print_help(const char *noun, FILE *out)
{
    for (size_t i = 0; i < api_command_count; i++)
        if (noun == NULL || is_noun(&api_commands[i], noun))
            print_usage(&api_commands[i], out);
}

/* ---- arguments ------------------------------------------------------------------------------- */

static enum outcome read_stdin(struct bytes *out, struct error *err)
{
    uint8_t block[16384];
    for (size_t n; (n = fread(block, 1, sizeof block, stdin)) > 0;) {
        bytes_add(out, SPAN(block, n));
        if (out->len > BODY_MAX)
            return fail_code(err, ERR_INVALID, "too-large", "more than %d bytes", BODY_MAX);
    }
    return OK;
}

/* A file that cannot be used is a wrong argument. */
static enum outcome unusable(const char *path, struct error *err)
{
    return fail_code(err, ERR_INVALID, err->code, "%s: %s", path, err->text);
}

static enum outcome read_input(const char *path, struct bytes *out, struct error *err)
{
    enum outcome outcome =
        strcmp(path, "-") == 0 ? read_stdin(out, err) : file_read(path, BODY_MAX, out, err);
    return outcome == OK ? OK : unusable(path, err);
}

static enum outcome read_body(const char *path, json_t **out, struct error *err)
{
    OWNED(bytes_wipe) struct bytes content = {0};
    OWNED(json_drop) json_t *body = NULL;
    TRY(read_input(path, &content, err));
    if (json_parse(bytes_span(&content), BODY_MAX, &body, err) != OK)
        return unusable(path, err);
    if (!json_is_object(body))
        return fail(err, ERR_INVALID, "%s: not a JSON object", path);
    json_decref(*out);
    *out = TAKE(body);
    return OK;
}

static enum outcome read_text(const char *path, const char *member, json_t *body, struct error *err)
{
    OWNED(bytes_wipe) struct bytes content = {0};
    TRY(read_input(path, &content, err));
    while (content.len > 0 && content.at[content.len - 1] == '\n')
        content.len--;
    if (content.len == 0 || !text_is_clean(bytes_span(&content)))
        return fail(err, ERR_INVALID, "%s: not text", path);
    json_put_span(body, member, bytes_span(&content));
    return OK;
}

static void fill_path(struct text *path, const char *value)
{
    OWNED(text_done) struct text made = {0};
    const char *hole = strstr(text_str(path), "{}");
    if (hole == NULL)
        abort();
    text_add_span(&made, SPAN(path->at, (size_t)(hole - path->at)));
    text_add_percent(&made, span_of_text(value));
    text_add(&made, hole + 2);
    text_done(path);
    *path = made;
    made = (struct text){0};
}

/* What says itself how it is called. */
static enum outcome name_by_body(struct call *call, const char *member, const char *file,
                                 struct error *err)
{
    const char *name = json_string_value(json_object_get(call->body, member));
    if (name == NULL || !text_is_name(name))
        return fail(err, ERR_INVALID, "%s: \"%s\" is not there, or no name", file, member);
    fill_path(&call->path, name);
    return OK;
}

static void add_query(struct text *path, const char *member, const char *value)
{
    text_addf(path, "%c%s=", strchr(text_str(path), '?') != NULL ? '&' : '?', member);
    text_add_percent(path, span_of_text(value));
}

static json_t *body_of(struct call *call)
{
    if (call->body == NULL)
        call->body = json_object();
    return call->body;
}

/* Where in the body it stands, and under which name there. */
static json_t *place_of(struct call *call, const char *member, const char **out_name)
{
    json_t *body = body_of(call);
    const char *slash = strchr(member, '/');
    *out_name = slash != NULL ? slash + 1 : member;
    if (slash == NULL)
        return body;
    OWNED(text_done) struct text outer = {0};
    text_add_span(&outer, SPAN(member, (size_t)(slash - member)));
    if (json_object_get(body, text_str(&outer)) == NULL)
        json_put_new(body, text_str(&outer), json_object());
    return json_object_get(body, text_str(&outer));
}

static enum outcome take_number(struct call *call, const struct api_argument *argument,
                                const char *value, struct error *err)
{
    const char *name;
    json_t *number = json_loads(value, JSON_DECODE_ANY, NULL);
    if (!json_is_number(number)) {
        json_decref(number);
        return fail(err, ERR_INVALID, "%s: '%.40s' is not a number", argument->name, value);
    }
    json_t *place = place_of(call, argument->member, &name);
    json_put_new(place, name, number);
    return OK;
}

static enum outcome take(struct call *call, const struct api_argument *argument, const char *value,
                         struct error *err)
{
    int64_t number;
    json_t *place;
    const char *name;
    if (!text_is_clean(span_of_text(value)))
        return fail(err, ERR_INVALID, "%s: not clean text", argument->name);
    switch (argument->place) {
    case IN_PATH:
        if (value[0] == '\0')
            return fail(err, ERR_INVALID, "%s is empty", argument->name);
        fill_path(&call->path, value);
        return OK;
    case IN_QUERY:
        add_query(&call->path, argument->member, value);
        return OK;
    case BODY_TEXT:
        place = place_of(call, argument->member, &name);
        json_put_text(place, name, value);
        return OK;
    case BODY_INT:
        if (number_parse(value, INT64_MIN, INT64_MAX, &number, err) != OK)
            return error_context(err, "%s", argument->name);
        place = place_of(call, argument->member, &name);
        json_put_int(place, name, number);
        return OK;
    case BODY_NUMBER:
        return take_number(call, argument, value, err);
    case BODY_TRUE:
        json_put_bool(body_of(call), argument->member, true);
        return OK;
    case QUERY_TRUE:
        add_query(&call->path, argument->member, "true");
        return OK;
    case BODY_FILE:
        return read_body(value, &call->body, err);
    case BODY_FILE_NAMED:
        TRY(read_body(value, &call->body, err));
        return name_by_body(call, argument->member, value, err);
    case BODY_FILE_TEXT:
        return read_text(value, argument->member, body_of(call), err);
    case ANSWER_FILE:
        call->out_file = value;
        call->out_member = argument->member;
        return OK;
    }
    abort();
}

/* The next that stands by itself and has not been given. */
static const struct api_argument *next_plain(const struct api_command *command, const bool *given)
{
    for (size_t i = 0; command->arguments[i].name != NULL; i++)
        if (!is_option(&command->arguments[i]) && !given[i])
            return &command->arguments[i];
    return NULL;
}

static enum outcome take_limit(struct call *call, const char *value, struct error *err)
{
    if (value == NULL)
        return fail(err, ERR_INVALID, "--limit needs a value");
    TRY(number_parse(value, 1, 1000000, &call->limit, err));
    return OK;
}

static enum outcome take_word(struct call *call, char **at, bool *given, int *used,
                              struct error *err)
{
    const struct api_command *command = call->command;
    bool plain = strncmp(at[0], "--", 2) != 0;
    const struct api_argument *argument =
        plain ? next_plain(command, given) : find_option(command, at[0]);
    *used = 2;
    if (argument == NULL && command->answer == ANSWERS_LIST && strcmp(at[0], "--limit") == 0)
        return take_limit(call, at[1], err);
    if (argument == NULL)
        return fail(err, ERR_INVALID, "'%.60s' is not something 'muster %s %s' takes", at[0],
                    command->noun, command->verb);
    given[argument - command->arguments] = true;
    *used = plain || !takes_value(argument) ? 1 : 2;
    const char *value = plain ? at[0] : takes_value(argument) ? at[1] : "";
    if (value == NULL)
        return fail(err, ERR_INVALID, "%s needs a value", at[0]);
    return take(call, argument, value, err);
}

static enum outcome take_words(struct call *call, char **words, struct error *err)
{
    bool given[API_ARGUMENTS_MAX] = {0};
    const struct api_command *command = call->command;
    text_add(&call->path, command->path);
    if (command->body != NULL)
        TRY(json_parse(span_of_text(command->body), BODY_MAX, &call->body, err));
    for (int used = 0; *words != NULL; words += used)
        TRY(take_word(call, words, given, &used, err));
    for (size_t i = 0; command->arguments[i].name != NULL; i++)
        if (command->arguments[i].required && !given[i])
            return fail(err, ERR_INVALID, "'muster %s %s' needs %s", command->noun, command->verb,
                        command->arguments[i].name);
    return OK;
}

/* ---- calling --------------------------------------------------------------------------------- */

/* A charter or an edition would fill the screen. */
static void show_object(const struct api_command *command, const json_t *answer)
{
    OWNED(json_drop) json_t *shown = json_copy(json_looked_at(answer));
    for (size_t i = 0; i < countof(command->left_out); i++)
        if (command->left_out[i] != NULL && json_object_get(shown, command->left_out[i]) != NULL)
            json_put_text(shown, command->left_out[i], "long: -o json has it");
    print_object(stdout, shown);
}

static void show(const struct api_command *command, enum output output, const json_t *answer)
{
    if (output == OUTPUT_JSON)
        print_json(stdout, answer);
    else if (command->answer == ANSWERS_LIST)
        print_table(stdout, command->columns, json_object_get(answer, "items"));
    else if (json_object_size(answer) == 0)
        printf("done\n");
    else
        show_object(command, answer);
}

static enum outcome fetch(struct client *client, const char *path, struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    TRY(client_fetch(client, path, &content, err));
    if (fwrite(content.at, 1, content.len, stdout) != content.len || fflush(stdout) != 0)
        return fail(err, ERR_INTERNAL, "standard output is gone");
    return OK;
}

static enum outcome ask(struct client *client, const struct call *call, json_t **out,
                        struct error *err)
{
    if (call->command->answer != ANSWERS_LIST)
        return client_call(client, call->command->method, text_str(&call->path), call->body, out,
                           err);
    json_t *items = NULL;
    TRY(client_list(client, text_str(&call->path), call->limit, &items, err));
    *out = json_object();
    json_put_new(*out, "items", items);
    return OK;
}

/* What goes to the file is not shown again. */
static enum outcome write_member(const struct call *call, json_t *answer, struct error *err)
{
    const json_t *member =
        call->out_file != NULL ? json_object_get(answer, call->out_member) : NULL;
    if (member == NULL)
        return OK;
    OWNED(mem_drop) char *text = json_print_pretty(member);
    TRY(file_write(call->out_file, span_of_text(text), 0644, err));
    json_object_del(answer, call->out_member);
    return OK;
}

static enum outcome run(const struct call *call, const struct cli_options *options,
                        struct error *err)
{
    OWNED(client_drop) struct client *client = NULL;
    OWNED(json_drop) json_t *answer = NULL;
    TRY(client_open(options, &client, err));
    if (call->command->answer == ANSWERS_BYTES)
        return fetch(client, text_str(&call->path), err);
    TRY(ask(client, call, &answer, err));
    if (answer == NULL)
        answer = json_object();
    TRY(write_member(call, answer, err));
    show(call->command, options->output, answer);
    return OK;
}

static int usage(const char *noun, FILE *out)
{
    fprintf(out, "usage:\n");
    api_print_help(noun, out);
    fprintf(out, "each also takes --server URL, --ca FILE, --token-file FILE, -o json|table\n");
    return out == stderr ? outcome_exit_code(ERR_INVALID) : 0;
}

static bool asks_for_help(const struct cli_options *options)
{
    for (int i = 1; i < options->word_count; i++)
        if (strcmp(options->words[i], "--help") == 0 || strcmp(options->words[i], "-h") == 0)
            return true;
    return false;
}

/* `muster alarms`, `muster tcb`: some nouns need no verb. */
static const struct api_command *find_usual(const char *noun)
{
    for (size_t i = 0; i < api_command_count; i++)
        if (is_noun(&api_commands[i], noun) && api_commands[i].usual)
            return &api_commands[i];
    return NULL;
}

static int not_a_command(const char *noun, const char *verb)
{
    struct error err = {0};
    if (verb == NULL)
        error_ignore(fail(&err, ERR_INVALID, "'muster %s' does what?", noun));
    else
        error_ignore(fail(&err, ERR_INVALID, "'muster %s' does no '%.60s'", noun, verb));
    cli_fail(&err);
    return usage(noun, stderr);
}

int api_main(int argc, char **argv)
{
    struct error err = {0};
    OWNED(cli_options_done) struct cli_options options = {0};
    OWNED(call_done) struct call call = {0};
    if (cli_options_parse(argc, argv, &options, &err) != OK)
        return cli_fail(&err);
    if (asks_for_help(&options))
        return usage(argv[0], stdout);
    const bool by_noun = options.word_count < 2 || options.words[1][0] == '-';
    const int said = by_noun ? 1 : 2; /* words that name the command */
    call.command =
        by_noun ? find_usual(options.words[0]) : find(options.words[0], options.words[1]);
    if (call.command == NULL)
        return not_a_command(options.words[0], by_noun ? NULL : options.words[1]);
    if (take_words(&call, options.words + said, &err) != OK || run(&call, &options, &err) != OK)
        return cli_fail(&err);
    return 0;
}
