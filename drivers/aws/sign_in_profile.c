/* Credentials of the shared files: keys, roles by other profiles, web identities. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/aws/ec2_requests.h"
#include "drivers/aws/profile.h"
#include "drivers/aws/sign_in.h"
#include "lib/base/file.h"

enum { PROFILE_DEPTH = 5 };

static void read_file(const char *variable, const char *name, const char *section,
                      struct profile *out)
{
    OWNED(bytes_wipe) struct bytes content = {0};
    char path[1024];
    const char *home = getenv("HOME");
    const char *given = getenv(variable);
    snprintf(path, sizeof path, "%s/.aws/%s", home != NULL ? home : "", name);
    if (file_read(given != NULL ? given : path, PROFILE_FILE_MAX, &content, NULL) == OK)
        profile_read(bytes_span(&content), section, out);
}

/* The file of credentials comes first: what both say is taken from there. */
static void read_profile(const char *name, struct profile *out)
{
    char section[PROFILE_NAME_SIZE + 8];
    snprintf(section, sizeof section, "%s%s", strcmp(name, "default") == 0 ? "" : "profile ", name);
    read_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", name, out);
    read_file("AWS_CONFIG_FILE", "config", section, out);
}

static enum outcome no_use(struct error *err, const char *name, const char *why)
{
    return fail_code(err, ERR_DENIED, "no-credentials", "profile '%.80s': %s", name, why);
}

static enum outcome from_named_source(struct sign_in *sign_in, const char *name, const char *source,
                                      struct credentials *out, struct error *err)
{
    static const struct {
        const char *word;
        source_fn *find;
    } rows[] = {
        {"Environment", sign_in_from_variables},
        {"EcsContainer", sign_in_from_container},
        {"Ec2InstanceMetadata", sign_in_from_machine},
    };
    for (size_t i = 0; i < countof(rows); i++)
        if (strcmp(rows[i].word, source) == 0)
            return rows[i].find(sign_in, out, err);
    return no_use(err, name, "its credential_source is none");
}

static enum outcome from(struct sign_in *sign_in, const char *name, int depth,
                         struct credentials *out, struct error *err);

static enum outcome by_role(struct sign_in *sign_in, const char *name,
                            const struct profile *profile, int depth, struct credentials *out,
                            struct error *err)
{
    OWNED(credentials_done) struct credentials by = {0};
    OWNED(form_done) struct form form = {0};
    const char *session = profile->role_session_name;
    const struct role role = {profile->role_arn, session[0] != '\0' ? session : "muster",
                              profile->external_id};
    enum outcome outcome;
    if (profile->web_identity_token_file[0] != '\0')
        return sign_in_by_token(sign_in, profile->role_arn, session,
                                profile->web_identity_token_file, out, err);
    if (profile->source_profile[0] != '\0')
        outcome = from(sign_in, profile->source_profile, depth + 1, &by, err);
    else
        outcome = from_named_source(sign_in, name, profile->credential_source, &by, err);
    if (outcome == ERR_NOT_FOUND)
        return no_use(err, name, "what its role is asked for with is not there");
    if (outcome != OK)
        return outcome;
    sts_assume_role(&role, &form);
    return sign_in_as_role(sign_in, &by, &form, out, err);
}

/* A profile that names itself as its source gives its own keys for its role. */
static enum outcome from(struct sign_in *sign_in, const char *name, int depth,
                         struct credentials *out, struct error *err)
{
    OWNED(profile_done) struct profile profile = {0};
    if (depth > PROFILE_DEPTH)
        return no_use(err, name, "its source_profile goes round in a circle");
    read_profile(name, &profile);
    const bool has_keys = profile.access_key_id[0] != '\0' || profile.secret_access_key[0] != '\0';
    const bool is_own_source = depth > 0 && strcmp(profile.source_profile, name) == 0;
    if (!profile.found)
        return fail(err, ERR_NOT_FOUND, "there is no profile '%.80s'", name);
    if (profile.role_arn[0] != '\0' && !is_own_source)
        return by_role(sign_in, name, &profile, depth, out, err);
    if (has_keys)
        return credentials_set(name, profile.access_key_id, profile.secret_access_key,
                               profile.session_token, NULL, out, err);
    if (profile.credential_process[0] != '\0')
        return no_use(err, name, "its credential_process is not run: Muster starts no programs");
    return fail(err, ERR_NOT_FOUND, "profile '%.80s' has no credentials", name);
}

enum outcome sign_in_from_profile(struct sign_in *sign_in, struct credentials *out,
                                  struct error *err)
{
    const char *given = getenv("AWS_PROFILE");
    const char *name = sign_in->profile[0] != '\0'         ? sign_in->profile
                       : given != NULL && given[0] != '\0' ? given
                                                           : "default";
    const enum outcome outcome = from(sign_in, name, 0, out, err);
    if (outcome == ERR_NOT_FOUND && given != NULL && given[0] != '\0')
        return no_use(err, name, "AWS_PROFILE names it, and it has no credentials");
    return outcome;
}
