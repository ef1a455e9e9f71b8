#include "controller/token_command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/settings.h"
#include "db/caller_store.h"
#include "db/migrate.h"

static const char usage[] =
    "usage: musterd token add --config FILE --role ROLE --label TEXT [--days N]\n"
    "       musterd token revoke --config FILE --label TEXT\n"
    "add prints a new token for the API, once; only its hash is stored. revoke ends every token of "
    "that\n"
    "label at once.\n\n"
    "  --role ROLE    viewer, operator, approver, security, auditor or admin\n"
    "  --label TEXT   a name for it, which the audit trail will show\n"
    "  --days N       how long it is good for; without it, until it is revoked\n";

struct wish {
    const char *config, *role, *label, *days;
};

static int used_wrongly(const char *why)
{
    if (why != NULL)
        fprintf(stderr, "musterd: %s\n\n", why);
    fputs(usage, stderr);
    return outcome_exit_code(ERR_INVALID);
}

static enum outcome add(const struct wish *wish, const struct musterd_settings *settings,
                        char token[static CALLER_TOKEN_MAX], struct error *err)
{
    OWNED(db_drop) struct db *db = NULL;
    struct caller caller = {0};
    int role;
    int64_t days = 0;
    char actor[64];
    TRY(name_parse(&caller_role_names, wish->role, &role, err));
    if (wish->days != NULL)
        TRY(number_parse(wish->days, 1, 3650, &days, err));
    TRY(caller_make(settings->project, (enum caller_role)role, wish->label, &caller, token, err));
    if (days > 0)
        caller.expires = moment_add_seconds(clock_now(), days * 86400);
    snprintf(actor, sizeof actor, "console:%d", (int)getuid());
    TRY(db_open(settings->database, &db, err));
    TRY(migrate(db, err));
    return caller_store_add(db, &caller, actor, err);
}

static enum outcome take_back(const struct wish *wish, const struct musterd_settings *settings,
                              int64_t *out_count, struct error *err)
{
    OWNED(db_drop) struct db *db = NULL;
    char actor[64];
    snprintf(actor, sizeof actor, "console:%d", (int)getuid());
    TRY(db_open(settings->database, &db, err));
    return caller_store_revoke(db, settings->project, wish->label, actor, out_count, err);
}

static int fails(const struct error *err)
{
    fprintf(stderr, "musterd: %s\n", err->text);
    return outcome_exit_code(err->outcome);
}

static int run_revoke(const struct wish *wish)
{
    struct error err = {0};
    int64_t count = 0;
    OWNED(musterd_settings_done) struct musterd_settings settings = {0};
    if (musterd_settings_read(wish->config, &settings, &err) != OK ||
        take_back(wish, &settings, &count, &err) != OK)
        return fails(&err);
    return printf("%lld\n", (long long)count) < 0;
}

static int run_add(const struct wish *wish)
{
    struct error err = {0};
    char token[CALLER_TOKEN_MAX];
    OWNED(musterd_settings_done) struct musterd_settings settings = {0};
    if (musterd_settings_read(wish->config, &settings, &err) != OK ||
        add(wish, &settings, token, &err) != OK)
        return fails(&err);
    bool printed = puts(token) >= 0 && fflush(stdout) == 0;
    explicit_bzero(token, sizeof token);
    return printed ? 0 : outcome_exit_code(ERR_INTERNAL);
}

int token_command(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"role", required_argument, NULL, 'r'},
        {"label", required_argument, NULL, 'l'},  {"days", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},         {0},
    };
    struct wish wish = {0};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h')
            return fputs(usage, stdout) == EOF;
        if (c == '?')
            return used_wrongly(NULL);
        const char **at = c == 'c'   ? &wish.config
                          : c == 'r' ? &wish.role
                          : c == 'l' ? &wish.label
                                     : &wish.days;
        *at = optarg;
    }
    const char *act = optind == argc - 1 ? argv[optind] : "";
    bool adds = strcmp(act, "add") == 0;
    if (!adds && strcmp(act, "revoke") != 0)
        return used_wrongly("only 'token add' and 'token revoke' are known");
    if (wish.config == NULL || wish.label == NULL || (adds && wish.role == NULL))
        return used_wrongly("--config and --label are needed, and --role to add");
    if (!adds && (wish.role != NULL || wish.days != NULL))
        return used_wrongly("--role and --days are of 'token add'");
    return adds ? run_add(&wish) : run_revoke(&wish);
}
