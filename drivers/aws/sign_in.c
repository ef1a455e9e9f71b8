#include "drivers/aws/sign_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/aws/ec2_answers.h"
#include "drivers/aws/ec2_requests.h"
#include "lib/base/file.h"

enum { TOKEN_FILE_MAX = 20000 };

void sign_in_start(struct sign_in *sign_in, const struct account *account,
                   const struct service *sts)
{
    *sign_in = (struct sign_in){.sts = *sts};
    if (account_credential_source(account) == CREDENTIALS_PROFILE) {
        sign_in->profile_only = true;
        snprintf(sign_in->profile, sizeof sign_in->profile, "%.127s",
                 account_credential(account, "profile"));
    }
}

void sign_in_done(struct sign_in *sign_in)
{
    credentials_done(&sign_in->credentials);
}

/* ---- variables and tokens ------------------------------------------------------------------- */

enum outcome sign_in_from_variables(struct sign_in *sign_in, struct credentials *out,
                                    struct error *err)
{
    (void)sign_in;
    const char *id = getenv("AWS_ACCESS_KEY_ID");
    const char *secret = getenv("AWS_SECRET_ACCESS_KEY");
    if (id == NULL && secret == NULL)
        return fail(err, ERR_NOT_FOUND, "AWS_ACCESS_KEY_ID is not set");
    if (id == NULL || secret == NULL)
        return fail_code(err, ERR_DENIED, "no-credentials",
                         "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set");
    return credentials_set("environment", id, secret, getenv("AWS_SESSION_TOKEN"), NULL, out, err);
}

enum outcome sign_in_as_role(struct sign_in *sign_in, const struct credentials *by,
                             const struct form *form, struct credentials *out, struct error *err)
{
    struct http_answer answer = {0};
    enum outcome outcome = signed_send(&sign_in->sts, by, form, &answer, err);
    if (outcome == OK)
        outcome = ec2_check_status(answer.status, bytes_span(&answer.body), err);
    if (outcome == OK)
        outcome = sts_read_credentials(form->call, bytes_span(&answer.body), out, err);
    bytes_wipe(&answer.body);
    http_answer_done(&answer);
    return outcome;
}

static const char *session_of(const char *given)
{
    return given != NULL && given[0] != '\0' ? given : "muster";
}

enum outcome sign_in_by_token(struct sign_in *sign_in, const char *role_arn, const char *session,
                              const char *token_file, struct credentials *out, struct error *err)
{
    OWNED(bytes_wipe) struct bytes token = {0};
    struct form form = {0};
    const struct role role = {.arn = role_arn, .session = session_of(session)};
    if (file_read(token_file, TOKEN_FILE_MAX, &token, err) != OK)
        return fail_code(err, ERR_DENIED, "no-credentials", "the web identity's token: %.200s",
                         token_file);
    bytes_add_u8(&token, 0); /* as it is, a line break at its end included */
    sts_assume_role_with_web_identity(&role, (const char *)token.at, &form);
    const enum outcome outcome = sign_in_as_role(sign_in, NULL, &form, out, err);
    explicit_bzero(form.body.at, form.body.len);
    form_done(&form);
    return outcome;
}

enum outcome sign_in_from_web_identity(struct sign_in *sign_in, struct credentials *out,
                                       struct error *err)
{
    const char *file = getenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *role = getenv("AWS_ROLE_ARN");
    if (file == NULL)
        return fail(err, ERR_NOT_FOUND, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    if (role == NULL)
        return fail_code(err, ERR_DENIED, "no-credentials",
                         "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not");
    return sign_in_by_token(sign_in, role, getenv("AWS_ROLE_SESSION_NAME"), file, out, err);
}

/* ---- finding and renewing ------------------------------------------------------------------- */

static enum outcome search(struct sign_in *sign_in, struct credentials *out, struct error *err)
{
    static source_fn *const order[] = {
        sign_in_from_variables, sign_in_from_web_identity, sign_in_from_profile,
        sign_in_from_container, sign_in_from_machine,
    };
    if (sign_in->profile_only) {
        const enum outcome outcome = sign_in_from_profile(sign_in, out, err);
        return outcome != ERR_NOT_FOUND
                   ? outcome
                   : fail_code(err, ERR_DENIED, "no-credentials", "there is no profile '%.80s'",
                               sign_in->profile);
    }
    for (size_t i = 0; i < countof(order); i++) {
        const enum outcome outcome = order[i](sign_in, out, err);
        if (outcome != ERR_NOT_FOUND)
            return outcome;
    }
    return fail_code(err, ERR_DENIED, "no-credentials",
                     "neither environment, shared files, container nor machine has any");
}

static bool are_there(const struct sign_in *sign_in)
{
    return sign_in->credentials.access_key_id[0] != '\0' && !sign_in->refused;
}

/* By AWS's clock, as their end is. */
static int64_t seconds_left(const struct sign_in *sign_in)
{
    const struct moment now = moment_add_seconds(clock_now(), *sign_in->sts.skew_seconds);
    return moment_is_none(sign_in->credentials.expires)
               ? INT64_MAX
               : moment_seconds_between(now, sign_in->credentials.expires);
}

enum outcome sign_in_get(struct sign_in *sign_in, const struct credentials **out, struct error *err)
{
    const bool usable = are_there(sign_in) && seconds_left(sign_in) > RENEW_MUST_SECONDS;
    const bool early = usable && seconds_left(sign_in) <= RENEW_TRY_SECONDS &&
                       moment_seconds_between(sign_in->next_try, clock_now()) >= 0;
    *out = &sign_in->credentials;
    if (usable && !early)
        return OK;
    OWNED(credentials_done) struct credentials found = {0};
    struct error why = {0};
    const enum outcome outcome = search(sign_in, &found, &why);
    sign_in->next_try = moment_add_seconds(clock_now(), RENEW_PAUSE_SECONDS);
    if (outcome != OK && usable)
        return OK;
    if (outcome != OK) {
        if (err != NULL)
            *err = why;
        return outcome;
    }
    credentials_done(&sign_in->credentials);
    sign_in->credentials = found;
    sign_in->refused = false;
    sign_in->found++;
    found = (struct credentials){0};
    return OK;
}

bool sign_in_renew(struct sign_in *sign_in)
{
    if (moment_is_none(sign_in->credentials.expires))
        return false;
    sign_in->refused = true;
    return true;
}
