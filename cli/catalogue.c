#include "cli/catalogue.h"

#include <stdio.h>
#include <string.h>

#include "cli/rules.h"
#include "cli/signing.h"

enum { WISH_MAX = 64 * 1024 };

static enum outcome check_edition(struct span json, struct error *err)
{
    OWNED(catalogue_drop) struct catalogue *catalogue = NULL;
    return catalogue_parse(json, &catalogue, err);
}

static enum outcome sign(int argc, char **argv, int *exit_code, struct error *err)
{
    static const struct signed_kind kind = {CATALOGUE_TYP, CATALOGUE_SIZE_MAX, check_edition};
    struct signing signing = {0};
    const struct argument table[] = {SIGNING_ARGUMENTS(&signing)};
    (void)exit_code;
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    return signing_run(&signing, &kind, err);
}

static enum outcome check(int argc, char **argv, int *exit_code, struct error *err)
{
    struct rules_words words = {0};
    struct catalogue_wish wish = {0};
    const struct argument table[] = {RULES_ARGUMENTS(&words)};
    OWNED(rules_done) struct rules rules = {0};
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(json_drop) json_t *json = NULL;
    if (argc < 3 || argv[2][0] == '-')
        return fail(err, ERR_INVALID, "usage: muster catalogue check WISH.json");
    TRY(arguments_read(argc, argv, 3, table, countof(table), err));
    TRY(rules_open(&words, &rules, err));
    TRY(argument_file(argv[2], WISH_MAX, &content, err));
    if (json_parse(bytes_span(&content), WISH_MAX, &json, err) != OK ||
        catalogue_wish_from_json(json, &wish, err) != OK)
        return error_context(err, "%.200s", argv[2]);
    rules_check(&rules, wish.region[0] != '\0' ? wish.region : "anywhere", &wish);
    return rules_print(&rules, exit_code, err);
}

int catalogue_main(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum outcome (*run)(int, char **, int *exit_code, struct error *);
    } verbs[] = {{"check", check}, {"sign", sign}};
    struct error err = {0};
    int exit_code = 0;
    for (size_t i = 0; argc >= 2 && i < countof(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc, argv, &exit_code, &err) == OK ? exit_code
                                                                    : command_failed(&err);
    fputs("muster: which? try 'muster catalogue --help'\n", stderr);
    return outcome_exit_code(ERR_INVALID);
}
