/* Credentials that the container or the machine we run in is given, as JSON over plain HTTP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/aws/sign_in.h"
#include "lib/base/file.h"
#include "lib/base/json.h"

enum { METADATA_TIMEOUT_MS = 1000, METADATA_ANSWER_MAX = 64 * 1024, ROLE_SIZE = 129 };

#define CONTAINER_HOST "http://169.254.170.2"
#define MACHINE_HOST "http://169.254.169.254"

static enum outcome fetch(struct sign_in *sign_in, const char *method, const char *url,
                          const struct http_header *headers, size_t header_count,
                          struct http_answer *out, struct error *err)
{
    const struct http_request request = {.method = method,
                                         .url = url,
                                         .headers = headers,
                                         .header_count = header_count,
                                         .timeout_ms = METADATA_TIMEOUT_MS,
                                         .answer_limit = METADATA_ANSWER_MAX};
    return http_send(sign_in->sts.http, &request, out, err);
}

static void wipe_member(const json_t *value, const char *name)
{
    json_t *member = json_object_get(value, name);
    if (member != NULL && json_is_string(member))
        explicit_bzero((void *)(uintptr_t)json_string_value(member), json_string_length(member));
}

static const char *word(const json_t *value, const char *name)
{
    const char *text = json_string_value(json_object_get(value, name));
    return text != NULL ? text : "";
}

/* What went wrong is told with a 200 and a Code. */
static enum outcome read_credentials(const char *from, const struct http_answer *answer,
                                     struct credentials *out, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    if (answer->status != 200 ||
        json_parse(bytes_span(&answer->body), METADATA_ANSWER_MAX, &value, NULL) != OK)
        return fail_code(err, ERR_DENIED, "no-credentials", "%s answers %d, or no JSON", from,
                         answer->status);
    const char *code = json_string_value(json_object_get(value, "Code"));
    if (code != NULL && strcmp(code, "Success") != 0)
        return fail_code(err, ERR_DENIED, "no-credentials", "%s says '%.60s'", from,
                         text_is_word(code) ? code : "?");
    const enum outcome outcome =
        credentials_set(from, word(value, "AccessKeyId"), word(value, "SecretAccessKey"),
                        word(value, "Token"), word(value, "Expiration"), out, err);
    wipe_member(value, "SecretAccessKey");
    wipe_member(value, "Token");
    return outcome;
}

static enum outcome get_credentials(struct sign_in *sign_in, const char *from, const char *url,
                                    const struct http_header *header, struct credentials *out,
                                    struct error *err)
{
    struct http_answer answer = {0};
    TRY(fetch(sign_in, "GET", url, header, header->value != NULL ? 1 : 0, &answer, err));
    const enum outcome outcome = read_credentials(from, &answer, out, err);
    bytes_wipe(&answer.body);
    http_answer_done(&answer);
    return outcome;
}

/* Without TLS only what cannot leave the machine is spoken to. */
static bool is_near(const char *url)
{
    static const char *const near[] = {
        "http://127.0.0.1",       "http://localhost",       "http://[::1]",
        "http://169.254.170.2",   "http://169.254.170.23",  "http://[fd00:ec2::23]",
        "http://169.254.169.254", "http://[fd00:ec2::254]",
    };
    for (size_t i = 0; i < countof(near); i++) {
        const size_t len = strlen(near[i]);
        if (strncmp(url, near[i], len) == 0 && strchr(":/", url[len]) != NULL)
            return true;
    }
    return false;
}

/* ---- a container ---------------------------------------------------------------------------- */

static enum outcome container_url(char *out, size_t size, struct error *err)
{
    const char *relative = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (relative == NULL && full == NULL)
        return fail(err, ERR_NOT_FOUND, "AWS_CONTAINER_CREDENTIALS_*_URI is not set");
    if (relative != NULL && relative[0] != '/')
        return fail_code(err, ERR_DENIED, "no-credentials",
                         "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with /");
    if (relative == NULL && strncmp(full, "https://", 8) != 0 && !is_near(full))
        return fail_code(err, ERR_DENIED, "no-credentials",
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor near");
    snprintf(out, size, "%s%.1000s", relative != NULL ? CONTAINER_HOST : "",
             relative != NULL ? relative : full);
    return OK;
}

enum outcome sign_in_from_container(struct sign_in *sign_in, struct credentials *out,
                                    struct error *err)
{
    char url[1100];
    OWNED(bytes_wipe) struct bytes token = {0};
    const char *file = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    struct http_header header = {"Authorization", getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")};
    TRY(container_url(url, sizeof url, err));
    if (file != NULL) {
        if (file_read(file, 16384, &token, err) != OK)
            return fail_code(err, ERR_DENIED, "no-credentials", "the container's token: %.200s",
                             file);
        bytes_add_u8(&token, 0);
        token.at[strcspn((const char *)token.at, "\r\n")] = '\0';
        header.value = (const char *)token.at;
    }
    return get_credentials(sign_in, "the container's service", url, &header, out, err);
}

/* ---- a machine ------------------------------------------------------------------------------ */

static bool is_role(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "+=,.@_-";
    return name[0] != '\0' && name[strspn(name, allowed)] == '\0';
}

/* The first line, without its end; false when it does not fit. */
static bool first_line(const struct http_answer *answer, char *out, size_t size)
{
    const char *text = (const char *)answer->body.at;
    size_t len = 0;
    while (len < answer->body.len && text[len] != '\n' && text[len] != '\r' && text[len] != '\0')
        len++;
    if (answer->status != 200 || len == 0 || len >= size)
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static enum outcome fetch_line(struct sign_in *sign_in, const char *method, const char *url,
                               struct http_header header, char *out, size_t size, struct error *err)
{
    OWNED(http_answer_done) struct http_answer answer = {0};
    if (fetch(sign_in, method, url, &header, 1, &answer, err) != OK)
        return fail(err, ERR_NOT_FOUND, "there is no metadata service");
    if (!first_line(&answer, out, size))
        return fail(err, ERR_NOT_FOUND, "the metadata service has no role (%d)", answer.status);
    return OK;
}

enum outcome sign_in_from_machine(struct sign_in *sign_in, struct credentials *out,
                                  struct error *err)
{
    static const char roles[] = "/latest/meta-data/iam/security-credentials/";
    const char *off = getenv("AWS_EC2_METADATA_DISABLED");
    const char *given = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *host = given != NULL ? given : MACHINE_HOST;
    char url[512], token[512], role[ROLE_SIZE];
    const int host_len = (int)strlen(host) - (host[0] != '\0' && host[strlen(host) - 1] == '/');
    if (off != NULL && strcmp(off, "true") == 0)
        return fail(err, ERR_NOT_FOUND, "AWS_EC2_METADATA_DISABLED is true");
    if (!is_near(host) || host_len > 200)
        return fail_code(err, ERR_DENIED, "no-credentials",
                         "AWS_EC2_METADATA_SERVICE_ENDPOINT is not near");
    snprintf(url, sizeof url, "%.*s/latest/api/token", host_len, host);
    TRY(fetch_line(sign_in, "PUT", url,
                   (struct http_header){"X-aws-ec2-metadata-token-ttl-seconds", "21600"}, token,
                   sizeof token, err));
    const struct http_header header = {"X-aws-ec2-metadata-token", token};
    snprintf(url, sizeof url, "%.*s%s", host_len, host, roles);
    TRY(fetch_line(sign_in, "GET", url, header, role, sizeof role, err));
    if (!is_role(role))
        return fail_code(err, ERR_DENIED, "no-credentials",
                         "the metadata service names a role that cannot be one");
    snprintf(url, sizeof url, "%.*s%s%s", host_len, host, roles, role);
    return get_credentials(sign_in, "the metadata service", url, &header, out, err);
}
