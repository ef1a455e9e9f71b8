#include "agent/metadata_client.h"

#include <string.h>

#include "lib/base/text.h"
#include "lib/net/http.h"

enum { TOKEN_MAX = 512 };

struct asking {
    const struct metadata_question *question;
    struct http *http;
};

static enum outcome send(const struct asking *a, const char *method, const char *path,
                         const struct http_header *header, struct http_answer *out,
                         struct error *err)
{
    OWNED(text_done) struct text url = {0};
    text_addf(&url, "%s%s", a->question->endpoint, path);
    const struct http_request request = {
        .method = method,
        .url = text_str(&url),
        .headers = header,
        .header_count = 1,
        .timeout_ms = a->question->wait_ms,
        .answer_limit = CLOUD_PART_MAX,
    };
    TRY(http_send(a->http, &request, out, err));
    if (out->status != 200)
        return fail_code(err, ERR_UNREACHABLE, "no-answer", "%s: status %d", path, out->status);
    return OK;
}

static enum outcome get(const struct asking *a, const char *path, const struct http_header *header,
                        struct bytes *out, struct error *err)
{
    OWNED(http_answer_done) struct http_answer answer = {0};
    TRY(send(a, "GET", path, header, &answer, err));
    *out = bytes_take(&answer.body);
    return OK;
}

/* A session first (version 2 of the service): what cannot set a header by itself gets nothing. */
static enum outcome ask_aws(const struct asking *a, struct cloud_documents *out, struct error *err)
{
    static const struct http_header lifetime = {"X-aws-ec2-metadata-token-ttl-seconds", "60"};
    OWNED(http_answer_done) struct http_answer session = {0};
    TRY(send(a, "PUT", "/latest/api/token", &lifetime, &session, err));
    bytes_add_u8(&session.body, '\0');
    const char *token = (const char *)session.body.at;
    if (session.body.len > TOKEN_MAX || !text_is_word(token) ||
        strlen(token) + 1 != session.body.len)
        return fail_code(err, ERR_INVALID, "malformed", "the session's token is not one");
    const struct http_header with = {"X-aws-ec2-metadata-token", token};
    TRY(get(a, "/latest/dynamic/instance-identity/document", &with, &out->parts[AWS_DOCUMENT],
            err));
    return get(a, "/latest/dynamic/instance-identity/rsa2048", &with, &out->parts[AWS_RSA2048],
               err);
}

static enum outcome ask_azure(const struct asking *a, struct cloud_documents *out,
                              struct error *err)
{
    static const struct http_header metadata = {"Metadata", "true"};
    char digits[CLOUD_DIGITS_SIZE];
    OWNED(text_done) struct text path = {0};
    cloud_digits(a->question->nonce, digits);
    text_addf(&path, "/metadata/attested/document?api-version=2020-09-01&nonce=%s", digits);
    return get(a, text_str(&path), &metadata, &out->parts[AZURE_ATTESTED], err);
}

/* Whoever does not say who he is, is somebody else's server at that name. */
static enum outcome ask_gcp(const struct asking *a, struct cloud_documents *out, struct error *err)
{
    static const struct http_header flavor = {"Metadata-Flavor", "Google"};
    char audience[CLOUD_AUDIENCE_SIZE];
    OWNED(text_done) struct text path = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    cloud_audience(a->question->nonce, audience);
    text_addf(&path,
              "/computeMetadata/v1/instance/service-accounts/default/identity?audience=%s"
              "&format=full",
              audience);
    TRY(send(a, "GET", text_str(&path), &flavor, &answer, err));
    const char *says = http_answer_header(&answer, flavor.name);
    if (says == NULL || strcmp(says, flavor.value) != 0)
        return fail_code(err, ERR_INVALID, "malformed", "the answer is not from Google's service");
    out->parts[GCP_TOKEN] = bytes_take(&answer.body);
    return OK;
}

enum outcome metadata_ask(const struct metadata_question *question, struct cloud_documents *out,
                          struct error *why)
{
    OWNED(http_drop) struct http *http = http_new();
    const struct asking asking = {question, http};
    out->cloud = question->cloud;
    switch (question->cloud) {
    case CLOUD_AWS:
        return ask_aws(&asking, out, why);
    case CLOUD_AZURE:
        return ask_azure(&asking, out, why);
    case CLOUD_GCP:
        return ask_gcp(&asking, out, why);
    case CLOUD_NONE:
    case CLOUD_KIND_COUNT:
        break;
    }
    return fail(why, ERR_INVALID, "no cloud");
}
