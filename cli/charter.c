/* Writing, signing and reading charters: offline, where the keys are. */
#include "cli/charter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/charter_review.h"
#include "cli/charter_test.h"
#include "cli/signing.h"
#include "lib/base/file.h"
#include "lib/model/charter.h"

enum { POINTER_MAX = 256 };

static enum outcome read_json(const char *path, json_t **out, struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    TRY(argument_file(path, CHARTER_SIZE_MAX, &content, err));
    return json_parse(bytes_span(&content), CHARTER_SIZE_MAX, out, err);
}

static enum outcome check_charter(struct span json, struct error *err)
{
    OWNED(charter_drop) struct charter *charter = NULL;
    return charter_parse(json, &charter, err);
}

/* ---- edit --------------------------------------------------------------------------------- */

static enum outcome bad_pointer(const char *pointer, struct error *err)
{
    return fail(err, ERR_INVALID, "'%s' is not /member/member...", pointer);
}

/* The object that holds the last member; objects on the way are made. */
static enum outcome walk(json_t *json, char *pointer, bool make, json_t **out, char **out_last,
                         struct error *err)
{
    char *step = pointer + 1;
    char *slash;
    while ((slash = strchr(step, '/')) != NULL) {
        *slash = '\0';
        json_t *next = json_object_get(json, step);
        if (next == NULL && make && json_is_object(json)) {
            next = json_object();
            json_put_new(json, step, next);
        }
        if (next == NULL || (!json_is_object(next) && !json_is_array(next)))
            return bad_pointer(step, err);
        json = next;
        step = slash + 1;
    }
    *out = json;
    *out_last = step;
    return step[0] != '\0' ? OK : bad_pointer("/", err);
}

static enum outcome copy_pointer(const char *from, size_t len, char out[static POINTER_MAX],
                                 struct error *err)
{
    if (len == 0 || len >= POINTER_MAX || from[0] != '/')
        return bad_pointer(from, err);
    memcpy(out, from, len);
    out[len] = '\0';
    return OK;
}

/* "/references/stock/measurement=[...]", or "/deny/chips/-=..." to append to a list. */
static enum outcome set(json_t *json, const char *change, struct error *err)
{
    char pointer[POINTER_MAX];
    const char *equals = strchr(change, '=');
    OWNED(json_drop) json_t *value = NULL;
    json_t *parent;
    char *last;
    if (equals == NULL)
        return fail(err, ERR_INVALID, "--set takes /POINTER=JSON");
    TRY(copy_pointer(change, (size_t)(equals - change), pointer, err));
    value = json_loads(equals + 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (value == NULL)
        return fail(err, ERR_INVALID, "%s: what follows '=' is not JSON", pointer);
    TRY(walk(json, pointer, true, &parent, &last, err));
    if (json_is_array(parent) && strcmp(last, "-") == 0)
        json_add_new(parent, json_incref(value));
    else if (json_is_object(parent))
        json_put_new(parent, last, json_incref(value));
    else
        return bad_pointer(last, err);
    return OK;
}

static enum outcome take_away(json_t *json, const char *where, struct error *err)
{
    char pointer[POINTER_MAX];
    json_t *parent;
    char *last;
    TRY(copy_pointer(where, strlen(where), pointer, err));
    TRY(walk(json, pointer, false, &parent, &last, err));
    if (json_object_del(parent, last) != 0)
        return fail(err, ERR_NOT_FOUND, "%s: nothing is there", where);
    return OK;
}

/* Every edit is a new charter: the next serial, from now on. */
static enum outcome renew(json_t *json, const char *days_text, struct error *err)
{
    int64_t days = CHARTER_DAYS_MAX;
    int64_t serial;
    struct moment now = clock_at_seconds(moment_seconds(clock_now()));
    if (days_text != NULL)
        TRY(number_parse(days_text, 1, CHARTER_DAYS_MAX, &days, err));
    TRY(json_get_int(json, "", "serial", 0, INT64_MAX - 1, &serial, err));
    json_put_int(json, "serial", serial + 1);
    json_put_moment(json, "issued", now);
    json_put_moment(json, "expires", moment_add_seconds(now, INT64_C(86400) * days));
    return OK;
}

static enum outcome edit(int argc, char **argv, struct error *err)
{
    const char *file = NULL;
    const char *days = NULL;
    struct argument_list sets = {0};
    struct argument_list removals = {0};
    const struct argument table[] = {
        {"--file", .text = &file},
        {"--days", .text = &days},
        {"--set", .list = &sets},
        {"--remove", .list = &removals},
    };
    OWNED(json_drop) json_t *json = NULL;
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    if (file == NULL)
        return fail(err, ERR_INVALID, "--file is needed");
    TRY(read_json(file, &json, err));
    for (size_t i = 0; i < sets.count; i++)
        TRY(set(json, sets.at[i], err));
    for (size_t i = 0; i < removals.count; i++)
        TRY(take_away(json, removals.at[i], err));
    TRY(renew(json, days, err));
    OWNED(mem_drop) char *plain = json_print(json);
    TRY(check_charter(span_of_text(plain), err));
    OWNED(mem_drop) char *text = json_print_pretty(json);
    return file_write(file, span_of_text(text), 0644, err);
}

/* ---- sign --------------------------------------------------------------------------------- */

static enum outcome sign(int argc, char **argv, struct error *err)
{
    static const struct signed_kind kind = {CHARTER_TYP, CHARTER_SIZE_MAX, check_charter};
    struct signing signing = {0};
    const struct argument table[] = {SIGNING_ARGUMENTS(&signing)};
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    return signing_run(&signing, &kind, err);
}

/* ---- show --------------------------------------------------------------------------------- */

static enum outcome check_signers(struct span set_text, const char *signers_path, struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(charter_signers_done) struct charter_signers signers = {0};
    OWNED(charter_drop) struct charter *charter = NULL;
    TRY(argument_file(signers_path, 64 * 1024, &content, err));
    TRY(charter_signers_parse(bytes_span(&content), &signers, err));
    return charter_open(set_text, &signers, &charter, err);
}

static enum outcome show(int argc, char **argv, struct error *err)
{
    const char *file = NULL;
    const char *signers = NULL;
    const struct argument table[] = {
        {"--file", .text = &file},
        {"--signers", .text = &signers},
    };
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(bytes_done) struct bytes payload = {0};
    OWNED(json_drop) json_t *json = NULL;
    size_t count;
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    if (file == NULL)
        return fail(err, ERR_INVALID, "--file is needed");
    TRY(argument_file(file, CHARTER_SIZE_MAX, &content, err));
    TRY(token_set_look(bytes_span(&content), CHARTER_SIZE_MAX, &payload, &count, err));
    if (signers != NULL)
        TRY(check_signers(bytes_span(&content), signers, err));
    TRY(json_parse(bytes_span(&payload), CHARTER_SIZE_MAX, &json, err));
    fprintf(stderr, "%zu signature%s, %s\n", count, count == 1 ? "" : "s",
            signers != NULL ? "enough of the pinned keys" : "not checked: no --signers");
    OWNED(mem_drop) char *text = json_print_pretty(json);
    return print_line(text, err);
}

int charter_main(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum outcome (*run)(int, char **, struct error *);
    } verbs[] = {{"edit", edit}, {"sign", sign}, {"show", show}};
    static const struct {
        const char *name;
        enum outcome (*run)(int, char **, int *exit_code, struct error *);
    } reviews[] = {
        {"lint", charter_review_lint}, {"diff", charter_review_diff}, {"test", charter_test}};
    struct error err = {0};
    int exit_code = 0;
    for (size_t i = 0; argc >= 2 && i < countof(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc, argv, &err) == OK ? 0 : command_failed(&err);
    for (size_t i = 0; argc >= 2 && i < countof(reviews); i++)
        if (strcmp(argv[1], reviews[i].name) == 0)
            return reviews[i].run(argc, argv, &exit_code, &err) == OK ? exit_code
                                                                      : command_failed(&err);
    fputs("muster: which? try 'muster charter --help'\n", stderr);
    return outcome_exit_code(ERR_INVALID);
}
