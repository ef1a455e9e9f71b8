#include "cli/explain.h"

#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "cli/print.h"
#include "drivers/catalogue.h"
#include "lib/model/charter_lint.h"
#include "lib/model/verdict.h"

static void show(const char *code, const char *meaning, const char *advice, enum output output)
{
    if (output == OUTPUT_JSON) {
        OWNED(json_drop) json_t *answer = json_object();
        json_put_text(answer, "code", code);
        json_put_text(answer, "meaning", meaning);
        if (advice != NULL)
            json_put_text(answer, "advice", advice);
        print_json(stdout, answer);
        return;
    }
    printf("%s: %s\n", code, meaning);
    if (advice != NULL)
        printf("what to do: %s\n", advice);
}

/* A rule of an edition that comes with muster: what it says, and where that stands. */
static bool show_rule(const char *code, enum output output)
{
    for (size_t i = 0; i < CATALOGUE_BUILT_IN_COUNT; i++) {
        OWNED(catalogue_drop) struct catalogue *edition = NULL;
        error_ignore(catalogue_built_in(catalogue_built_in_names[i], &edition, NULL));
        const struct catalogue_rule *rule = catalogue_find(edition, code);
        if (rule == NULL)
            continue;
        OWNED(text_done) struct text meaning = {0};
        text_addf(&meaning, "%s (%s)", rule->says, rule->source);
        show(code, text_str(&meaning),
             "ask for what the rule allows; where it is wrong for you: muster catalogue override",
             output);
        return true;
    }
    return false;
}

static enum outcome explain(const char *code, enum output output, struct error *err)
{
    int reason;
    for (size_t i = 0; i < explanation_count; i++) {
        if (strcmp(explanations[i].code, code) == 0) {
            show(code, explanations[i].meaning, explanations[i].advice, output);
            return OK;
        }
    }
    for (size_t i = 0; i < LINT_CODE_COUNT; i++) {
        if (strcmp(lint_rules[i].code, code) == 0) {
            show(code, lint_rules[i].sentence, lint_rules[i].advice, output);
            return OK;
        }
    }
    if (show_rule(code, output))
        return OK;
    if (name_parse(&reason_names, code, &reason, NULL) != OK)
        return fail_code(err, ERR_NOT_FOUND, "unknown-code", "no code is called '%.60s'", code);
    show(code, reason_meaning((enum reason)reason), NULL, output);
    return OK;
}

int explain_main(int argc, char **argv)
{
    struct error err = {0};
    OWNED(cli_options_done) struct cli_options options = {0};
    enum outcome outcome = cli_options_parse(argc, argv, &options, &err);
    if (outcome == OK && options.word_count != 2)
        outcome = fail(&err, ERR_INVALID, "usage: muster explain CODE");
    if (outcome == OK)
        outcome = explain(options.words[1], options.output, &err);
    return outcome == OK ? 0 : cli_fail(&err);
}
