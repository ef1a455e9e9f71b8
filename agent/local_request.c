#include "agent/local_request.h"

#include <string.h>

enum outcome local_nonce_parse(const char *hex, struct local_request *out, struct error *err)
{
    OWNED(bytes_done) struct bytes nonce = {0};
    if (strlen(hex) > 2 * SHOWN_NONCE_MOST || hex_decode(hex, &nonce, NULL) != OK ||
        nonce.len < SHOWN_NONCE_LEAST)
        return fail_at(err, ERR_INVALID, "wrong-value", "/evidence",
                       "a nonce is %d to %d bytes in hex", SHOWN_NONCE_LEAST, SHOWN_NONCE_MOST);
    memcpy(out->nonce, nonce.at, nonce.len);
    out->nonce_len = nonce.len;
    return OK;
}

static enum outcome parse_evidence(const json_t *json, struct local_request *out, struct error *err)
{
    static const char *const members[] = {"evidence", NULL};
    const char *hex;
    TRY(json_only(json, "", members, err));
    TRY(json_get_text(json, "", "evidence", 2 * SHOWN_NONCE_MOST, &hex, err));
    out->wish = LOCAL_EVIDENCE;
    return local_nonce_parse(hex, out, err);
}

static enum outcome parse_passport(const json_t *json, struct local_request *out, struct error *err)
{
    static const char *const members[] = {"passport", "challenge", NULL};
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    const char *name;
    const char *challenge;
    TRY(json_only(json, "", members, err));
    TRY(json_get_text(json, "", "passport", NAME_SIZE - 1, &name, err));
    TRY(json_get_text_or(json, "", "challenge", LOCAL_CHALLENGE_SIZE - 1, "", &challenge, err));
    if (!text_is_name(name))
        return fail_at(err, ERR_INVALID, "bad-name", "/passport", "not the name of anybody");
    if (challenge[strspn(challenge, plain)] != '\0')
        return fail_at(err, ERR_INVALID, "wrong-value", "/challenge",
                       "letters, digits and -._~ are taken");
    TRY(text_copy(out->relying_party, sizeof out->relying_party, name, "/passport", err));
    out->wish = LOCAL_PASSPORT;
    return text_copy(out->challenge, sizeof out->challenge, challenge, "/challenge", err);
}

enum outcome local_request_parse(struct span line, struct local_request *out, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    TRY(json_parse(line, LOCAL_LINE_MAX, &json, err));
    return json_object_get(json, "evidence") != NULL ? parse_evidence(json, out, err)
                                                     : parse_passport(json, out, err);
}

static void add_line(const json_t *json, struct bytes *out)
{
    OWNED(mem_drop) char *printed = json_print(json);
    bytes_add(out, span_of_text(printed));
    bytes_add_u8(out, '\n');
}

void local_request_print(const struct local_request *request, struct text *out)
{
    OWNED(json_drop) json_t *json = json_object();
    if (request->wish == LOCAL_EVIDENCE)
        json_put_hex(json, "evidence", SPAN(request->nonce, request->nonce_len));
    else
        json_put_text(json, "passport", request->relying_party);
    if (request->challenge[0] != '\0')
        json_put_text(json, "challenge", request->challenge);
    OWNED(mem_drop) char *printed = json_print(json);
    text_addf(out, "%s\n", printed);
}

void local_answer_print(const struct locked *token, const char *proof, struct bytes *out)
{
    OWNED(json_drop) json_t *json = json_object();
    json_put_span(json, "token", locked_span(token));
    if (proof != NULL)
        json_put_text(json, "proof", proof);
    add_line(json, out);
}

void local_shown_print(const struct evidence *evidence, struct span link_key, struct bytes *out)
{
    OWNED(json_drop) json_t *json = json_object();
    json_put_new(json, "evidence", evidence_to_json(evidence));
    json_put_base64(json, "link_key", link_key);
    add_line(json, out);
}

void local_problem_print(const struct error *why, struct bytes *out)
{
    message_print_problem(why, out);
    bytes_add_u8(out, '\n');
}

enum outcome local_answer_parse(struct span line, char **out_token, char **out_proof,
                                struct error *err)
{
    static const char *const members[] = {"token", "proof", NULL};
    OWNED(json_drop) json_t *json = NULL;
    const char *token;
    const char *proof;
    TRY(json_parse(line, LOCAL_ANSWER_MAX, &json, err));
    if (json_object_get(json, "token") == NULL)
        return message_parse_problem(line, err);
    TRY(json_only(json, "", members, err));
    TRY(json_get_text(json, "", "token", LOCAL_ANSWER_MAX, &token, err));
    TRY(json_get_text_or(json, "", "proof", LOCAL_ANSWER_MAX, "", &proof, err));
    *out_token = mem_text(token);
    *out_proof = proof[0] != '\0' ? mem_text(proof) : NULL;
    return OK;
}

enum outcome local_shown_parse(struct span line, struct error *err)
{
    static const char *const members[] = {"evidence", "link_key", NULL};
    OWNED(json_drop) json_t *json = NULL;
    json_t *evidence;
    const char *link_key;
    TRY(json_parse(line, LOCAL_ANSWER_MAX, &json, err));
    if (json_object_get(json, "evidence") == NULL)
        return message_parse_problem(line, err);
    TRY(json_only(json, "", members, err));
    TRY(json_get_object(json, "", "evidence", &evidence, err));
    return json_get_text(json, "", "link_key", 2 * SHOWN_KEY_MAX, &link_key, err);
}
