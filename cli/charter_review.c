#include "cli/charter_review.h"

#include <stdio.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/print.h"
#include "lib/model/charter.h"
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
    size_t signatures;
    bool json;
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    if (file == NULL)
        return fail(err, ERR_INVALID, "--file is needed");
    TRY(read_output(output, &json, err));
    TRY(read_frame(at, signers, &frame, err));
    TRY(charter_document_read(file, &charter, &signatures, err));
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
