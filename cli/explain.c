#include "cli/explain.h"

#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "cli/print.h"
#include "lib/model/verdict.h"

struct explanation {
    const char *code;
    const char *meaning;
    const char *advice;
};

/* clang-format off */
static const struct explanation explanations[] = {
    /* the command line */
    {"no-server", "nobody said where the controller is", "give --server URL or set MUSTER_SERVER"},
    {"bad-server", "the server is not an https:// address", "correct --server or MUSTER_SERVER"},
    {"bad-token", "the token cannot be one", "correct --token-file, MUSTER_TOKEN or MUSTER_TOKEN_FILE"},
    {"tls-refused", "the server's certificate is not trusted", "give its root with --ca FILE"},
    {"unreachable", "the other side did not answer", "check address and network, then try again"},
    {"timeout", "no answer in time; it may have been done", "look before you repeat"},
    {"cut-off", "the answer broke off; it may have been done", "look before you repeat"},
    /* the API */
    {"unauthenticated", "the controller does not know who is asking", "give a valid token"},
    {"unknown-member", "the request has a member that is not known", "compare it with doc/api.md"},
    {"changed-meanwhile", "somebody else changed it in between", "read it again, then change it"},
    {"not-found", "there is no such thing", "look at the list"},
    {"conflict", "it is not in a state that allows this", "look at its state"},
    {"no-keeper", "no keeper is connected to the controllers", "start muster-keeper, look at its log"},
    {"busy", "too much at once", "try again later"},
    {"throttled", "too often", "try again later"},
    {"ambiguous", "it may or may not have happened", "look before you repeat"},
    /* the agent and its hardware */
    {"challenge-again", "the challenge was too old; this is not a rejection", "nothing: the guest begins anew"},
    {"wrong-root", "the other side belongs to another deployment", "compare the root of image, user-data and controller"},
    {"wrong-role", "the certificate is for another role", "make one for this role with the deployment root"},
    {"vmpck-disabled", "the guest lost its key to the security processor", "restart the machine: until then it gives no report"},
    {"tsm-missing", "the kernel offers no attestation reports", "mount configfs, load sev-guest, use Linux 6.7 or later"},
    {"tsm-wrong-provider", "the reports here are not SEV-SNP's", "use a machine with SEV-SNP"},
    {"secrets-dir-not-tmpfs", "secrets would reach a disk", "put secrets-dir on tmpfs"},
    {"secrets-dir-not-private", "others may enter the folder of secrets", "make it 700 and the agent's own"},
    {"envelope-not-ours", "it was sealed to a key this guest no longer has", "nothing: it is released again under the new verdict"},
    {"old-sequence", "the guest has already obeyed a later delivery", "nothing, unless it repeats: then somebody replays"},
    {"old-version", "the guest has already seen a later version", "nothing, unless it repeats: then somebody replays"},
    {"hook-failed", "the secret is in place but its reload hook failed", "look at the hook in the image"},
};
/* clang-format on */

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

static enum outcome explain(const char *code, enum output output, struct error *err)
{
    int reason;
    for (size_t i = 0; i < countof(explanations); i++) {
        if (strcmp(explanations[i].code, code) == 0) {
            show(code, explanations[i].meaning, explanations[i].advice, output);
            return OK;
        }
    }
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
