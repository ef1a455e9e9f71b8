#include "cli/keeper.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/keeper_destroy.h"
#include "cli/keeper_init.h"
#include "cli/keeper_recovery.h"
#include "cli/keeper_renew.h"
#include "cli/keeper_reset.h"
#include "cli/keeper_resume.h"
#include "lib/base/file.h"
#include "lib/base/names.h"
#include "lib/base/text.h"

/* Paths in the settings must hold wherever the keeper is started. */
static enum outcome whole_path(const char *folder, char out[static PATH_MAX], struct error *err)
{
    TRY(folder_make(folder, 0700, err));
    if (realpath(folder, out) == NULL)
        return fail(err, ERR_INVALID, "%s: no such folder", folder);
    return OK;
}

static enum outcome init(int argc, char **argv, struct error *err)
{
    const char *folder = NULL;
    const char *realm_word = NULL;
    const char *threshold = NULL;
    char path[PATH_MAX];
    int realm;
    struct keeper_init init = {.threshold = 1};
    const struct argument table[] = {
        {"--dir", .text = &folder},
        {"--realm", .text = &realm_word},
        {"--controller-name", .list = &init.controller_names},
        {"--controller", .list = &init.controllers},
        {"--simulator-root", .text = &init.simulator_root},
        {"--signer", .list = &init.signers},
        {"--threshold", .text = &threshold},
        {"--recovery", .list = &init.recovery},
    };
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    if (folder == NULL || realm_word == NULL)
        return fail(err, ERR_INVALID, "--dir and --realm are needed");
    TRY(name_parse(&realm_names, realm_word, &realm, err));
    if (threshold != NULL)
        TRY(number_parse(threshold, 1, (int64_t)init.signers.count + 1, &init.threshold, err));
    TRY(whole_path(folder, path, err));
    init.realm = (enum realm)realm;
    init.folder = path;
    TRY(keeper_init(&init, err));
    printf("made a %s deployment in %s\n"
           "next: take root/key.pem offline, write charter/charter.json, sign it with\n"
           "      muster charter sign --file %s/charter/charter.json --key %s/charter/key.pem "
           "--out charter.jws\n",
           realm_word, path, path, path);
    if (init.recovery.count > 0)
        printf("prove each recovery key: muster keeper recovery-test --dir %s/recovery --key "
               "KEY.pem\n",
               path);
    return OK;
}

int keeper_main(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum outcome (*run)(int, char **, struct error *);
    } verbs[] = {{"init", init},
                 {"renew", keeper_renew_command},
                 {"reset-order", keeper_reset_order},
                 {"destroy-order", keeper_destroy_order},
                 {"resume-order", keeper_resume_order},
                 {"recovery-test", keeper_recovery_test},
                 {"recover", keeper_recover}};
    struct error err = {0};
    for (size_t i = 0; argc >= 2 && i < countof(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc, argv, &err) == OK ? 0 : command_failed(&err);
    fputs("muster: which? try 'muster keeper --help'\n", stderr);
    return outcome_exit_code(ERR_INVALID);
}
