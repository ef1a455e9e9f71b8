#include "cli/charter_review.h"

#include <stdio.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/print.h"
#include "drivers/catalogue.h"
#include "lib/model/charter.h"
#include "lib/model/charter_diff.h"
#include "lib/model/charter_lint.h"

enum { SIGNERS_MAX = 64 * 1024 };

static enum outcome read_output(const char *text, bool *json, struct error *err)
{
    *json = text != NULL && strcmp(text, "json") == 0;
    if (text != NULL && !*json && strcmp(text, "table") != 0)
        return fail(err, ERR_INVALID, "-o is table or json");
    return OK;
}

enum outcome charter_document_read(const char *path, json_t **out, size_t *out_signatures,
                                   struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(bytes_done) struct bytes payload = {0};
    OWNED(json_drop) json_t *json = NULL;
    size_t count = 0;
    TRY(argument_file(path, CHARTER_SIZE_MAX, &content, err));
    TRY(json_parse(bytes_span(&content), CHARTER_SIZE_MAX, &json, err));
    if (json_object_get(json, "payload") != NULL) {
        TRY(token_set_look(bytes_span(&content), CHARTER_SIZE_MAX, &payload, &count, err));
        json_decref(json);
        json = NULL;
        TRY(json_parse(bytes_span(&payload), CHARTER_SIZE_MAX, &json, err));
    }
    if (!json_is_object(json))
        return fail_code(err, ERR_INVALID, "bad-charter", "%.200s: not a charter", path);
    *out = TAKE(json);
    *out_signatures = count;
    return OK;
}

/* ---- lint --------------------------------------------------------------------------------- */

/* Of every edition that is built in, whatever it is known for. */
static enum outcome add_known_regions(json_t *out, struct error *err)
{
    for (size_t i = 0; i < CATALOGUE_BUILT_IN_COUNT; i++) {
        OWNED(catalogue_drop) struct catalogue *edition = NULL;
        TRY(catalogue_built_in(catalogue_built_in_names[i], &edition, err));
        for (size_t j = 0; j < edition->count; j++)
            if (edition->rules[j].regions != NULL)
                json_object_update(out, edition->rules[j].regions);
    }
    return OK;
}

static enum outcome read_frame(const char *at, const char *signers_path, struct lint_frame *out,
                               struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(charter_signers_done) struct charter_signers signers = {0};
    out->now = clock_now();
    if (at != NULL && moment_parse(at, &out->now, err) != OK)
        return error_context(err, "--at");
    if (signers_path == NULL)
        return OK;
    TRY(argument_file(signers_path, SIGNERS_MAX, &content, err));
    TRY(charter_signers_parse(bytes_span(&content), &signers, err));
    out->threshold = (int64_t)signers.threshold;
    return OK;
}

static void print_findings(const struct lint *lint)
{
    for (size_t i = 0; i < lint->count; i++) {
        const struct lint_finding *finding = &lint->at[i];
        const struct lint_rule *rule = &lint_rules[finding->code];
        printf("%-7s %s at %s\n        %s", name_of(&lint_severity_names, (int)rule->severity),
               rule->code, finding->where[0] != '\0' ? finding->where : "/", rule->sentence);
        if (finding->detail[0] != '\0')
            printf(" (%s)", finding->detail);
        putchar('\n');
    }
    if (lint->count == 0)
        puts("nothing to say");
}

enum outcome charter_review_lint(int argc, char **argv, int *exit_code, struct error *err)
{
    const char *file = NULL;
    const char *signers = NULL;
    const char *at = NULL;
    const char *output = NULL;
    const struct argument table[] = {
        {"--file", .text = &file},
        {"--signers", .text = &signers},
        {"--at", .text = &at},
        {"-o", .text = &output},
    };
    struct lint_frame frame = {0};
    OWNED(lint_done) struct lint lint = {0};
    OWNED(json_drop) json_t *charter = NULL;
    OWNED(json_drop) json_t *regions = json_object();
    size_t signatures;
    bool json;
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    if (file == NULL)
        return fail(err, ERR_INVALID, "--file is needed");
    TRY(read_output(output, &json, err));
    TRY(read_frame(at, signers, &frame, err));
    TRY(charter_document_read(file, &charter, &signatures, err));
    TRY(add_known_regions(regions, err));
    frame.regions = regions;
    charter_lint(charter, &frame, &lint);
    *exit_code = lint_has_errors(&lint) ? EXIT_OBJECTED : 0;
    if (json) {
        OWNED(json_drop) json_t *findings = lint_to_json(&lint);
        print_json(stdout, findings);
    } else {
        print_findings(&lint);
    }
    return OK;
}

/* ---- diff --------------------------------------------------------------------------------- */

struct reviewed {
    json_t *json;
    size_t signatures;
    const char *signed_by; /* "enough", "too few", "not checked" */
};

static void reviewed_done(struct reviewed *r)
{
    json_decref(r->json);
}

/* Only what a keeper would take can be compared: the rest has no meaning. */
static enum outcome read_reviewed(const char *path, struct reviewed *out, struct error *err)
{
    OWNED(charter_drop) struct charter *charter = NULL;
    TRY(charter_document_read(path, &out->json, &out->signatures, err));
    OWNED(mem_drop) char *text = json_print(out->json);
    if (charter_parse(span_of_text(text), &charter, err) != OK)
        return error_context(err, "%.100s", path);
    return OK;
}

/* Did as many of the pinned keys sign as must? A draft is signed by nobody. */
static enum outcome check_threshold(const char *path, const char *signers_path,
                                    struct reviewed *out, struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(bytes_done) struct bytes pinned = {0};
    OWNED(charter_signers_done) struct charter_signers signers = {0};
    OWNED(charter_drop) struct charter *charter = NULL;
    out->signed_by = "not checked";
    if (signers_path == NULL)
        return OK;
    TRY(argument_file(path, CHARTER_SIZE_MAX, &content, err));
    TRY(argument_file(signers_path, SIGNERS_MAX, &pinned, err));
    TRY(charter_signers_parse(bytes_span(&pinned), &signers, err));
    const bool enough =
        out->signatures > 0 && charter_open(bytes_span(&content), &signers, &charter, NULL) == OK;
    out->signed_by = enough ? "enough" : "too few";
    return OK;
}

static void print_values(const json_t *change, const char *name, const char *sign)
{
    OWNED(text_done) struct text line = {0};
    const json_t *value = json_object_get(change, name);
    if (value == NULL)
        return;
    text_add_value(&line, value);
    printf("        %s %.200s\n", sign, text_str(&line));
}

static void print_changes(const json_t *changes, const struct reviewed *is)
{
    size_t i;
    const json_t *change;
    json_array_foreach (json_looked_at(changes), i, change) {
        printf("%-7s %s\n        %s\n", json_string_value(json_object_get(change, "effect")),
               json_string_value(json_object_get(change, "where")),
               json_string_value(json_object_get(change, "why")));
        print_values(change, "was", "was");
        print_values(change, "is", "is ");
        print_values(change, "removed", "-");
        print_values(change, "added", "+");
    }
    const size_t widens = charter_diff_count(changes, DIFF_WIDENS);
    const size_t narrows = charter_diff_count(changes, DIFF_NARROWS);
    printf("%zu widen, %zu narrow what a guest may get\n", widens, narrows);
    printf("the new one has %zu signature%s: %s\n", is->signatures, is->signatures == 1 ? "" : "s",
           is->signed_by);
}

static json_t *diff_to_json(json_t *changes, const struct reviewed *was, const struct reviewed *is)
{
    json_t *out = json_object();
    json_t *signatures = json_object();
    json_put_int(out, "widens", (int64_t)charter_diff_count(changes, DIFF_WIDENS));
    json_put_int(out, "narrows", (int64_t)charter_diff_count(changes, DIFF_NARROWS));
    json_put_int(signatures, "was", (int64_t)was->signatures);
    json_put_int(signatures, "is", (int64_t)is->signatures);
    json_put_text(signatures, "threshold", is->signed_by);
    json_put_new(out, "signatures", signatures);
    json_put_new(out, "changes", json_incref(changes));
    return out;
}

enum outcome charter_review_diff(int argc, char **argv, int *exit_code, struct error *err)
{
    const char *output = NULL;
    const char *signers = NULL;
    const struct argument table[] = {{"-o", .text = &output}, {"--signers", .text = &signers}};
    OWNED(reviewed_done) struct reviewed was = {0};
    OWNED(reviewed_done) struct reviewed is = {0};
    bool json;
    if (argc < 4)
        return fail(err, ERR_INVALID, "diff takes two charters, the old and the new");
    TRY(arguments_read(argc, argv, 4, table, countof(table), err));
    TRY(read_output(output, &json, err));
    TRY(read_reviewed(argv[2], &was, err));
    TRY(read_reviewed(argv[3], &is, err));
    TRY(check_threshold(argv[3], signers, &is, err));
    OWNED(json_drop) json_t *changes = charter_diff(was.json, is.json);
    *exit_code = 0;
    if (json) {
        OWNED(json_drop) json_t *answer = diff_to_json(changes, &was, &is);
        print_json(stdout, answer);
    } else {
        print_changes(changes, &is);
    }
    return OK;
}
