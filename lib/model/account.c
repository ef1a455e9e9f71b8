#include "lib/model/account.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/text.h"

static const char *const driver_words[] = {"aws", "azure", "gcp"};
_Static_assert(countof(driver_words) == ACCOUNT_DRIVER_COUNT);
const struct names account_driver_names = NAMES("driver", driver_words);

static const char *const source_words[] = {
    "environment",      "client-secret", "client-certificate", "workload-identity",
    "managed-identity", "google-file",   "metadata-server",    "profile",
};
_Static_assert(countof(source_words) == CREDENTIAL_SOURCE_COUNT);
const struct names credential_source_names = NAMES("credential source", source_words);

static const struct field fields[] = {
    FIELD(account, name, FIELD_TEXT),
    FIELD(account, driver, FIELD_NAME, .names = &account_driver_names),
    FIELD(account, region, FIELD_TEXT),
    FIELD(account, zone, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, endpoint, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, owner, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, subnet, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, security_group, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, instance_profile, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, orphans, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, cloud_account, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, pace_percent, FIELD_INT, .least = 0, .most = 100000, .flags = FIELD_OPTIONAL),
    FIELD(account, subscription, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, resource_group, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, security_encryption, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, disk_encryption_set, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, admin_key, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, force_delete, FIELD_BOOL, .flags = FIELD_OPTIONAL),
    FIELD(account, project, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, network, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, service_account, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(account, credentials, FIELD_JSON),
    FIELD(account, test, FIELD_JSON, .flags = FIELD_OPTIONAL),
};
const struct record account_record = RECORD(account, fields);

void account_done(struct account *account)
{
    record_done(&account_record, account);
}

/* Region and zone become part of host names and of what is signed. */
static bool is_place(const char *text)
{
    size_t len = strlen(text);
    return len == strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
}

static enum outcome bad(struct error *err, const char *path, const char *name, const char *why)
{
    char where[ERROR_WHERE_SIZE];
    snprintf(where, sizeof where, "%.60s/%.30s", path, name);
    return fail_at(err, ERR_INVALID, "bad-account", where, "%s: %s", where, why);
}

/* What stands in Azure's addresses. */
static bool is_subscription(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len == strspn(text, "abcdefABCDEF0123456789-");
}

static bool is_resource_group(const char *text)
{
    size_t len = strlen(text);
    if (len == 0 || len > 90 || text[len - 1] == '.')
        return false;
    for (const char *c = text; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("-_.()", *c) == NULL)
            return false;
    return true;
}

static enum outcome check_azure(const struct account *account, const char *path, struct error *err)
{
    static const char *const kinds[] = {"", "VMGuestStateOnly", "DiskWithVMGuestState",
                                        "NonPersistedTPM"};
    if (!is_subscription(account->subscription))
        return bad(err, path, "subscription", "Azure needs a subscription's id");
    if (!is_resource_group(account->resource_group))
        return bad(err, path, "resource_group", "Azure needs a resource group's name");
    for (size_t i = 0; i < countof(kinds); i++)
        if (strcmp(account->security_encryption, kinds[i]) == 0)
            return OK;
    return bad(err, path, "security_encryption", "not a kind of encryption that Azure has");
}

/* Some projects have their domain before them: "example.com:fleet-1". */
static enum outcome check_gcp(const struct account *account, const char *path, struct error *err)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *project = account->project;
    const char *email = account->service_account;
    if (project[0] == '\0' ||
        strspn(project, "abcdefghijklmnopqrstuvwxyz0123456789.:-") != strlen(project))
        return bad(err, path, "project", "Google Cloud needs a project, [a-z0-9.:-]+");
    if (account->network[strspn(account->network, plain)] != '\0' &&
        strchr(account->network, '/') == NULL)
        return bad(err, path, "network", "a network is a name or a path");
    if (email[0] != '\0' && (strchr(email, '@') == NULL || !text_is_word(email)))
        return bad(err, path, "service_account", "a service account is an email address");
    return OK;
}

/* -1: it says no such thing. */
static int64_t orphan_seconds(const char *text)
{
    static const char before[] = "remove-after:";
    static const struct {
        char unit;
        int64_t most, seconds;
    } units[] = {{'h', 8760, 3600}, {'d', 365, 86400}};
    char number[8] = "";
    int64_t count;
    const size_t len = strlen(text), head = sizeof before - 1;
    if (text[0] == '\0' || strcmp(text, "keep") == 0)
        return 0;
    if (strncmp(text, before, head) != 0 || len < head + 2 || len - head > sizeof number)
        return -1;
    memcpy(number, text + head, len - head - 1);
    for (size_t i = 0; i < countof(units); i++)
        if (text[len - 1] == units[i].unit &&
            number_parse(number, 1, units[i].most, &count, NULL) == OK)
            return count * units[i].seconds;
    return -1;
}

static enum outcome check_fields(const struct account *account, const char *path, struct error *err)
{
    if (!text_is_name(account->name))
        return bad(err, path, "name", "a name is [a-z0-9-]{1,63}");
    if (account->region[0] == '\0' || !is_place(account->region))
        return bad(err, path, "region", "a region is [a-z0-9-]+");
    if (!is_place(account->zone))
        return bad(err, path, "zone", "a zone is [a-z0-9-]+");
    if (!text_is_name(account->owner))
        return bad(err, path, "owner", "an owner is [a-z0-9-]{1,63}");
    if (orphan_seconds(account->orphans) < 0)
        return bad(err, path, "orphans", "keep, or remove-after:Nh (1 to 8760) or :Nd (1 to 365)");
    if (account->cloud_account[0] != '\0' && !text_is_word(account->cloud_account))
        return bad(err, path, "cloud_account", "not a word");
    switch (account->driver) {
    case DRIVER_AZURE:
        return check_azure(account, path, err);
    case DRIVER_GCP:
        return check_gcp(account, path, err);
    case DRIVER_AWS:
    case ACCOUNT_DRIVER_COUNT:
        break;
    }
    return OK;
}

void account_follow_move(const struct account *was, struct account *now)
{
    const bool moved = strcmp(was->subscription, now->subscription) != 0 ||
                       strcmp(was->project, now->project) != 0;
    if (moved && strcmp(was->cloud_account, now->cloud_account) == 0)
        now->cloud_account[0] = '\0';
}

enum { SOURCE_MEMBERS_MAX = 6, ANY_DRIVER = ACCOUNT_DRIVER_COUNT };

/* What goes with each source besides its name. `file` is a name in the folder of credentials, never
 * a path: whoever may write accounts does not choose what is read. */
/* clang-format off */
static const struct {
    int driver;
    const char *needed[SOURCE_MEMBERS_MAX];
    const char *allowed[SOURCE_MEMBERS_MAX];
} sources[] = {
    [CREDENTIALS_ENVIRONMENT]        = {ANY_DRIVER,   {NULL}, {NULL}},
    [CREDENTIALS_CLIENT_SECRET]      = {DRIVER_AZURE, {"tenant", "client_id", "file"}, {NULL}},
    [CREDENTIALS_CLIENT_CERTIFICATE] = {DRIVER_AZURE, {"tenant", "client_id", "file"}, {NULL}},
    [CREDENTIALS_WORKLOAD_IDENTITY]  = {DRIVER_AZURE, {"tenant", "client_id"}, {"file"}},
    [CREDENTIALS_MANAGED_IDENTITY]   = {DRIVER_AZURE, {NULL}, {"client_id"}},
    [CREDENTIALS_GOOGLE_FILE]        = {DRIVER_GCP,   {"file"}, {NULL}},
    [CREDENTIALS_METADATA_SERVER]    = {DRIVER_GCP,   {NULL}, {NULL}},
    [CREDENTIALS_PROFILE]            = {DRIVER_AWS,   {"profile"}, {NULL}},
};
_Static_assert(countof(sources) == CREDENTIAL_SOURCE_COUNT);
/* clang-format on */

static enum outcome check_member(const json_t *value, const char *at, const char *name,
                                 struct error *err)
{
    const char *text;
    TRY(json_get_text(value, at, name, 255, &text, err));
    if (strcmp(name, "file") == 0 && !text_is_name(text))
        return bad(err, at, name, "a file of credentials is named by [a-z0-9-]{1,63}");
    if (!text_is_word(text))
        return bad(err, at, name, "not a word");
    return OK;
}

static enum outcome check_source(const json_t *value, const char *at, enum credential_source source,
                                 struct error *err)
{
    const char *known[2 * SOURCE_MEMBERS_MAX + 2] = {"source"};
    size_t count = 1;
    for (size_t i = 0; sources[source].needed[i] != NULL; i++) {
        known[count++] = sources[source].needed[i];
        TRY(check_member(value, at, sources[source].needed[i], err));
    }
    for (size_t i = 0; sources[source].allowed[i] != NULL; i++) {
        known[count++] = sources[source].allowed[i];
        if (json_object_get(value, sources[source].allowed[i]) != NULL)
            TRY(check_member(value, at, sources[source].allowed[i], err));
    }
    return json_only(value, at, known, err);
}

static enum outcome check_credentials(const struct account *account, const char *path,
                                      struct error *err)
{
    const json_t *value = account->credentials;
    char at[ERROR_WHERE_SIZE];
    snprintf(at, sizeof at, "%.60s/credentials", path);
    if (!json_is_object(value))
        return bad(err, path, "credentials", "expected an object");
    const char *word;
    int source;
    TRY(json_get_text(value, at, "source", 64, &word, err));
    if (name_parse(&credential_source_names, word, &source, err) != OK)
        return bad(err, at, "source", "not a credential source");
    if (sources[source].driver != ANY_DRIVER && sources[source].driver != (int)account->driver)
        return bad(err, at, "source", "not a credential source of this cloud");
    return check_source(value, at, (enum credential_source)source, err);
}

static enum outcome check_test(const json_t *value, const char *path, struct error *err)
{
    if (value == NULL)
        return OK;
    char at[ERROR_WHERE_SIZE];
    snprintf(at, sizeof at, "%.60s/test", path);
    if (!json_is_object(value))
        return bad(err, path, "test", "expected an object");
    TRY(json_only(value, at, (const char *const[]){"image", "size", NULL}, err));
    const char *text;
    TRY(json_get_text(value, at, "image", 255, &text, err));
    TRY(json_get_text(value, at, "size", 63, &text, err));
    return OK;
}

enum outcome account_from_json(const json_t *value, const char *path, struct account *out,
                               struct error *err)
{
    OWNED(account_done) struct account made = {.owner = "muster"};
    TRY(record_from_json(&account_record, value, path, &made, err));
    TRY(check_fields(&made, path, err));
    TRY(check_credentials(&made, path, err));
    TRY(check_test(made.test, path, err));
    *out = made;
    made = (struct account){0};
    return OK;
}

enum outcome account_read(const char *file, struct account *out, struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    TRY(file_read(file, ACCOUNT_JSON_MAX, &content, err));
    OWNED(json_drop) json_t *value = NULL;
    if (json_parse(bytes_span(&content), ACCOUNT_JSON_MAX, &value, err) != OK ||
        account_from_json(value, "", out, err) != OK)
        return error_context(err, "%s", file);
    return OK;
}

enum credential_source account_credential_source(const struct account *account)
{
    int source = CREDENTIALS_ENVIRONMENT;
    const char *word = json_string_value(json_object_get(account->credentials, "source"));
    error_ignore(name_parse(&credential_source_names, word != NULL ? word : "", &source, NULL));
    return (enum credential_source)source;
}

const char *account_credential(const struct account *account, const char *member)
{
    const char *text = json_string_value(json_object_get(account->credentials, member));
    return text != NULL ? text : "";
}

int64_t account_orphan_seconds(const struct account *account)
{
    const int64_t seconds = orphan_seconds(account->orphans);
    return seconds > 0 ? seconds : 0;
}

const char *account_test_image(const struct account *account)
{
    return json_string_value(json_object_get(account->test, "image"));
}

const char *account_test_size(const struct account *account)
{
    return json_string_value(json_object_get(account->test, "size"));
}
