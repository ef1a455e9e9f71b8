/* STS: whoever asks for a role gets our own keys for an hour, with a session's token. */
#include <stdio.h>
#include <string.h>

#include "emulator/aws_actions.h"

enum { ROLE_SECONDS = 3600 };

void aws_session(const struct aws_api *api, char out[static AWS_SESSION_SIZE])
{
    snprintf(out, AWS_SESSION_SIZE, "muster-sim-session-%lld", (long long)api->turns);
}

static bool check_role(const struct aws_call *call, struct refusal *out)
{
    const char *role = form_get(call->form, "RoleArn");
    const char *session = form_get(call->form, "RoleSessionName");
    const size_t len = session != NULL ? strlen(session) : 0;
    if (role == NULL || strncmp(role, "arn:", 4) != 0 || strstr(role, ":role/") == NULL)
        return refuse(out, 400, "ValidationError", "RoleArn is no role");
    if (len < 2 || len > 64)
        return refuse(out, 400, "ValidationError", "RoleSessionName is 2 to 64 characters");
    return true;
}

static void give(struct aws_call *call, const char *result)
{
    const struct moment now = clock_at_seconds(moment_seconds(clock_now()));
    const char *role = strstr(form_get(call->form, "RoleArn"), ":role/") + strlen(":role/");
    char name[256], session[AWS_SESSION_SIZE];
    snprintf(name, sizeof name, "arn:aws:sts::%.63s:assumed-role/%.100s/%.64s", call->api->account,
             role, form_get(call->form, "RoleSessionName"));
    aws_session(call->api, session);
    text_addf(call->out, "<%s><Credentials>", result);
    xml_add(call->out, "AccessKeyId", call->api->access_key_id);
    xml_add(call->out, "SecretAccessKey", call->api->secret_access_key);
    xml_add(call->out, "SessionToken", session);
    xml_add(call->out, "Expiration", moment_text(moment_add_seconds(now, ROLE_SECONDS)).at);
    text_add(call->out, "</Credentials><AssumedRoleUser>");
    xml_add(call->out, "AssumedRoleId", "AROAMUSTERSIM:session");
    xml_add(call->out, "Arn", name);
    text_addf(call->out, "</AssumedRoleUser></%s>", result);
}

bool assume_role(struct aws_call *call, struct refusal *out)
{
    if (!check_role(call, out))
        return false;
    give(call, "AssumeRoleResult");
    return true;
}

/* Three parts and dots between them: whose word it is is not looked at here. */
bool assume_role_with_web_identity(struct aws_call *call, struct refusal *out)
{
    const char *token = form_get(call->form, "WebIdentityToken");
    const char *dot = token != NULL ? strchr(token, '.') : NULL;
    if (!check_role(call, out))
        return false;
    if (dot == NULL || strchr(dot + 1, '.') == NULL)
        return refuse(out, 400, "InvalidIdentityToken",
                      "The web identity token that was passed is not a token");
    give(call, "AssumeRoleWithWebIdentityResult");
    return true;
}
