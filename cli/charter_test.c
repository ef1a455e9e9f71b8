#include "cli/charter_test.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/charter_cases.h"
#include "cli/charter_review.h"
#include "cli/print.h"

static enum outcome read_charter(const char *path, struct charter **out, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    size_t signatures;
    TRY(charter_document_read(path, &json, &signatures, err));
    OWNED(mem_drop) char *text = json_print(json);
    if (charter_parse(span_of_text(text), out, err) != OK)
        return error_context(err, "%.100s", path);
    return OK;
}

static enum outcome read_cases(const char *path, json_t **out, json_t **out_list, struct error *err)
{
    static const char *const members[] = {"cases", "comment", NULL};
    OWNED(bytes_done) struct bytes content = {0};
    TRY(argument_file(path, CASES_FILE_MAX, &content, err));
    TRY(json_parse(bytes_span(&content), CASES_FILE_MAX, out, err));
    TRY(json_only(*out, "", members, err));
    TRY(json_get_array(*out, "", "cases", CASES_MAX, out_list, err));
    if (json_array_size(*out_list) == 0)
        return fail_at(err, ERR_INVALID, "bad-case", "/cases", "no case in the file");
    return OK;
}

static json_t *answer_to_json(const struct case_answer *answer)
{
    json_t *out = json_object();
    json_put_text(out, "verdict", answer->verdict);
    if (answer->reason[0] != '\0')
        json_put_text(out, "reason", answer->reason);
    if (answer->level[0] != '\0')
        json_put_text(out, "level", answer->level);
    return out;
}

static json_t *result_to_json(const struct case_result *result)
{
    json_t *out = json_object();
    json_put_text(out, "name", result->name);
    json_put_text(out, "result", result->passed ? "pass" : "fail");
    json_put_new(out, "expected", answer_to_json(&result->expected));
    json_put_new(out, "got", answer_to_json(&result->got));
    return out;
}

static void print_tap(size_t number, const struct case_result *result)
{
    const struct case_answer *e = &result->expected;
    const struct case_answer *g = &result->got;
    OWNED(text_done) struct text name = {0};
    OWNED(json_drop) json_t *word = json_string(result->name);
    text_add_value(&name, word);
    printf("%s %zu - %s\n", result->passed ? "ok" : "not ok", number, text_str(&name));
    if (!result->passed)
        printf("# expected %s %s %s, got %s %s %s\n", e->verdict, e->reason, e->level, g->verdict,
               g->reason, g->level);
}

static enum outcome run_cases(const struct charter *charter, const json_t *list, const char *folder,
                              json_t *results, size_t *failed, struct error *err)
{
    size_t i;
    const json_t *item;
    json_array_foreach (json_looked_at(list), i, item) {
        struct case_result result;
        char where[32];
        snprintf(where, sizeof where, "/cases/%zu", i);
        TRY(charter_case_run(charter, item, where, folder, &result, err));
        *failed += result.passed ? 0 : 1;
        if (results != NULL)
            json_add_new(results, result_to_json(&result));
        else
            print_tap(i + 1, &result);
    }
    return OK;
}

static void print_results(json_t *results, size_t failed)
{
    OWNED(json_drop) json_t *out = json_object();
    json_put_int(out, "passed", (int64_t)(json_array_size(results) - failed));
    json_put_int(out, "failed", (int64_t)failed);
    json_put_new(out, "cases", json_incref(results));
    print_json(stdout, out);
}

enum outcome charter_test(int argc, char **argv, int *exit_code, struct error *err)
{
    const char *file = NULL;
    const char *cases = NULL;
    const char *output = NULL;
    const struct argument table[] = {
        {"--file", .text = &file},
        {"--cases", .text = &cases},
        {"-o", .text = &output},
    };
    OWNED(charter_drop) struct charter *charter = NULL;
    OWNED(json_drop) json_t *whole = NULL;
    json_t *list;
    size_t failed = 0;
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    if (file == NULL || cases == NULL)
        return fail(err, ERR_INVALID, "--file and --cases are needed");
    const bool json = output != NULL && strcmp(output, "json") == 0;
    if (output != NULL && !json && strcmp(output, "tap") != 0)
        return fail(err, ERR_INVALID, "-o is tap or json");
    TRY(read_charter(file, &charter, err));
    TRY(read_cases(cases, &whole, &list, err));
    OWNED(mem_drop) char *copy = mem_text(cases);
    OWNED(json_drop) json_t *results = json ? json_array() : NULL;
    if (!json)
        printf("1..%zu\n", json_array_size(list));
    TRY(run_cases(charter, list, dirname(copy), results, &failed, err));
    if (json)
        print_results(results, failed);
    *exit_code = failed > 0 ? EXIT_OBJECTED : 0;
    return OK;
}
