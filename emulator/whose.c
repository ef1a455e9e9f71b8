#include "emulator/whose.h"

#include <stdlib.h>
#include <string.h>

void whose_init(struct whose *whose, struct aws_api *aws, struct arm_api *arm, struct gce_api *gce)
{
    *whose = (struct whose){.aws = aws,
                            .arm = arm,
                            .gce = gce,
                            .own = {[DRIVER_AWS] = {.account = aws->account},
                                    [DRIVER_AZURE] = {arm->subscription, arm->home},
                                    [DRIVER_GCP] = {.account = gce->project}}};
}

void whose_done(struct whose *whose)
{
    for (size_t i = 0; i < whose->count; i++)
        free(whose->words[i]);
    whose->count = 0;
}

static enum outcome keep(struct whose *whose, const char *said, const char **out, struct error *err)
{
    if (!text_is_word(said))
        return fail(err, ERR_INVALID, "an account's id is a word without blanks");
    for (size_t i = 0; i < whose->count; i++)
        if (strcmp(whose->words[i], said) == 0) {
            *out = whose->words[i];
            return OK;
        }
    if (whose->count == WHOSE_WORDS_MAX)
        return fail(err, ERR_CONFLICT, "no more than %d accounts were ever there", WHOSE_WORDS_MAX);
    *out = whose->words[whose->count++] = mem_text(said);
    return OK;
}

/* What is left out is its own. */
static enum outcome read_word(struct whose *whose, const json_t *wish, const char *name,
                              const char *own, const char **out, struct error *err)
{
    TRY(json_get_text_or(wish, "", name, WHOSE_WORD_MAX, own, out, err));
    if (*out == own)
        return OK;
    if (own == NULL)
        return fail(err, ERR_INVALID, "an account of this cloud has no %s", name);
    return keep(whose, *out, out, err);
}

static void turn(struct whose *whose, enum account_driver cloud, const char *account,
                 const char *tenant)
{
    switch (cloud) {
    case DRIVER_AWS:
        whose->aws->account = account;
        whose->aws->turns++;
        return;
    case DRIVER_AZURE:
        whose->arm->subscription = account;
        whose->arm->home = tenant;
        whose->arm->turns++;
        return;
    case DRIVER_GCP:
        whose->gce->project = account;
        whose->gce->turns++;
        return;
    case ACCOUNT_DRIVER_COUNT:
        return;
    }
}

enum outcome whose_turn(struct whose *whose, const json_t *wish, struct error *err)
{
    static const char *const members[] = {"cloud", "account", "tenant", NULL};
    const char *word, *account, *tenant;
    int cloud;
    TRY(json_only(wish, "", members, err));
    TRY(json_get_text(wish, "", "cloud", WHOSE_WORD_MAX, &word, err));
    TRY(name_parse(&account_driver_names, word, &cloud, err));
    const struct whose_own *own = &whose->own[cloud];
    TRY(read_word(whose, wish, "account", own->account, &account, err));
    TRY(read_word(whose, wish, "tenant", own->tenant, &tenant, err));
    turn(whose, (enum account_driver)cloud, account, tenant);
    ledger_note(whose->aws->world->ledger, "turned",
                &(struct ledger_line){.cloud = word, .detail = account});
    return OK;
}

json_t *whose_to_json(const struct whose *whose)
{
    const char *aws = whose->aws->account, *gcp = whose->gce->project;
    const char *subscription = whose->arm->subscription, *tenant = whose->arm->home;
    return json_pack("{s:{s:s}, s:{s:s, s:s}, s:{s:s}}", "aws", "account", aws, "azure", "account",
                     subscription, "tenant", tenant, "gcp", "account", gcp);
}
