/* Our signer against AWS's own signing test suite: every stage of every case that signs by header.
 */
#include "lib/crypto/sigv4.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

enum { HEADERS_MAX = 16 };

struct sample {
    char *text; /* request.txt, cut into pieces in place */
    const char *method;
    const char *path;
    const char *query;
    struct sigv4_header headers[HEADERS_MAX];
    size_t header_count;
    const char *body;
    bool keep_path, sign_body, omit_token;
    const char *key_id, *secret, *token;
    struct sigv4_scope scope;
    char date[SIGV4_DATE_SIZE];
    json_t *context;
};

static void sample_done(struct sample *s)
{
    free(s->text);
    json_decref(s->context);
}

static char *read_text(const char *name, const char *file)
{
    char path[256];
    snprintf(path, sizeof path, "sigv4/v4/%s/%s", name, file);
    OWNED(bytes_done) struct bytes content = vectors_read(path);
    char *text = mem_new(content.len + 1, 1);
    memcpy(text, content.at, content.len);
    return text;
}

static void cut_request_line(struct sample *s, char *line)
{
    s->method = line;
    char *path = strchr(line, ' ');
    *path++ = '\0';
    *strstr(path, " HTTP/1.1") = '\0';
    char *query = strchr(path, '?');
    if (query != NULL)
        *query++ = '\0';
    s->path = path;
    s->query = query != NULL ? query : "";
}

static void cut_request(struct sample *s)
{
    char *body = strstr(s->text, "\n\n");
    s->body = body != NULL ? body + 2 : "";
    if (body != NULL)
        body[1] = '\0';
    char *line = s->text;
    char *next = strchr(line, '\n');
    *next++ = '\0';
    cut_request_line(s, line);
    while ((line = next) != NULL && *line != '\0') {
        next = strchr(line, '\n');
        while (next != NULL && (next[1] == ' ' || next[1] == '\t'))
            next = strchr(next + 1, '\n');
        if (next != NULL)
            *next++ = '\0';
        char *value = strchr(line, ':');
        *value++ = '\0';
        assert_true(s->header_count < HEADERS_MAX);
        s->headers[s->header_count++] = (struct sigv4_header){line, value};
    }
}

static void read_context(struct sample *s, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "sigv4/v4/%s/context.json", name);
    s->context = vectors_json(path);
    struct error err = {0};
    struct moment at;
    json_t *key = json_object_get(s->context, "credentials");
    s->key_id = json_string_value(json_object_get(key, "access_key_id"));
    s->secret = json_string_value(json_object_get(key, "secret_access_key"));
    s->token = json_string_value(json_object_get(key, "token"));
    s->keep_path = json_is_false(json_object_get(s->context, "normalize"));
    s->sign_body = json_is_true(json_object_get(s->context, "sign_body"));
    s->omit_token = json_is_true(json_object_get(s->context, "omit_session_token"));
    assert_ok(json_get_moment(s->context, "", "timestamp", &at, &err));
    sigv4_date(at, s->date);
    s->scope.date = s->date;
    s->scope.region = json_string_value(json_object_get(s->context, "region"));
    s->scope.service = json_string_value(json_object_get(s->context, "service"));
}

static void compare(const char *name, const char *file, const struct text *ours)
{
    OWNED(mem_drop) char *theirs = read_text(name, file);
    if (strcmp(text_str(ours), theirs) != 0)
        fail_msg("%s/%s:\n%s\nwe made:\n%s", name, file, theirs, text_str(ours));
}

/* The request as it stood, with what signing adds: the suite's own order. */
static void compare_signed(const char *name, const struct sample *s, const char *hash,
                           const char *authorization)
{
    OWNED(text_done) struct text out = {0};
    text_addf(&out, "%s %s%s%s HTTP/1.1\n", s->method, s->path, *s->query != '\0' ? "?" : "",
              s->query);
    for (size_t i = 0; i < s->header_count; i++)
        text_addf(&out, "%s:%s\n", s->headers[i].name, s->headers[i].value);
    if (s->token != NULL)
        text_addf(&out, "X-Amz-Security-Token:%s\n", s->token);
    text_addf(&out, "X-Amz-Date:%s\n", s->date);
    if (s->sign_body)
        text_addf(&out, "x-amz-content-sha256:%s\n", hash);
    text_addf(&out, "Authorization:%s\n\n%s", authorization, s->body);
    compare(name, "header-signed-request.txt", &out);
}

static void check_case(const char *name)
{
    OWNED(sample_done) struct sample s = {.text = read_text(name, "request.txt")};
    cut_request(&s);
    read_context(&s, name);
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, span_of_text(s.body), hash);
    OWNED(mem_drop) char *hash_text = hex_of(SPAN_OF(hash));

    struct sigv4_header headers[HEADERS_MAX + 3];
    size_t count = s.header_count;
    memcpy(headers, s.headers, count * sizeof *headers);
    headers[count++] = (struct sigv4_header){"X-Amz-Date", s.date};
    if (s.token != NULL && !s.omit_token)
        headers[count++] = (struct sigv4_header){"X-Amz-Security-Token", s.token};
    if (s.sign_body)
        headers[count++] = (struct sigv4_header){"x-amz-content-sha256", hash_text};
    const struct sigv4_request request = {s.method, s.path, s.query,    headers,
                                          count,    hash,   s.keep_path};

    OWNED(text_done) struct text canonical = {0};
    OWNED(text_done) struct text to_sign = {0};
    OWNED(text_done) struct text signature = {0};
    OWNED(text_done) struct text authorization = {0};
    char hex[SIGV4_SIGNATURE_SIZE];
    sigv4_canonical_request(&request, &canonical);
    compare(name, "header-canonical-request.txt", &canonical);
    sigv4_string_to_sign(&s.scope, text_span(&canonical), &to_sign);
    compare(name, "header-string-to-sign.txt", &to_sign);
    sigv4_signature(&s.scope, span_of_text(s.secret), text_span(&to_sign), hex);
    text_add(&signature, hex);
    compare(name, "header-signature.txt", &signature);
    sigv4_authorization(&request, &s.scope, s.key_id, span_of_text(s.secret), &authorization);
    compare_signed(name, &s, hash_text, text_str(&authorization));
}

static void every_case_of_the_aws_suite_signs_alike(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *manifest = vectors_json("sigv4/manifest.json");
    const json_t *cases = json_object_get(manifest, "cases");
    assert_int_equal(json_array_size(cases), 38);
    size_t i;
    json_t *name;
    json_array_foreach (cases, i, name)
        check_case(json_string_value(name));
}

static void an_empty_request_still_has_a_path(void **state)
{
    (void)state;
    uint8_t hash[SHA256_SIZE] = {0};
    const struct sigv4_request request = {
        .method = "GET", .path = "", .query = "", .body_sha256 = hash};
    OWNED(text_done) struct text out = {0};
    sigv4_canonical_request(&request, &out);
    assert_memory_equal(text_str(&out), "GET\n/\n\n\n\n\n", 10);
}

static void dots_cannot_climb_over_the_root(void **state)
{
    (void)state;
    uint8_t hash[SHA256_SIZE] = {0};
    const struct sigv4_request request = {
        .method = "GET", .path = "/../../a/./..//b", .query = "", .body_sha256 = hash};
    OWNED(text_done) struct text out = {0};
    sigv4_canonical_request(&request, &out);
    assert_memory_equal(text_str(&out), "GET\n/b\n", 7);
}

static void another_secret_or_region_gives_another_signature(void **state)
{
    (void)state;
    char one[SIGV4_SIGNATURE_SIZE], two[SIGV4_SIGNATURE_SIZE], three[SIGV4_SIGNATURE_SIZE];
    struct sigv4_scope scope = {"20260101T000000Z", "us-east-2", "ec2"};
    sigv4_signature(&scope, span_of_text("a"), span_of_text("x"), one);
    sigv4_signature(&scope, span_of_text("b"), span_of_text("x"), two);
    scope.region = "us-east-1";
    sigv4_signature(&scope, span_of_text("a"), span_of_text("x"), three);
    assert_string_not_equal(one, two);
    assert_string_not_equal(one, three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_of_the_aws_suite_signs_alike),
        cmocka_unit_test(an_empty_request_still_has_a_path),
        cmocka_unit_test(dots_cannot_climb_over_the_root),
        cmocka_unit_test(another_secret_or_region_gives_another_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
