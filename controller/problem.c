#include "controller/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *code;
    int status;
} statuses[] = {
    {"bad-request", 400},       {"bad-target", 400},        {"bad-parameter", 400},
    {"bad-cursor", 400},        {"malformed", 400},         {"unauthenticated", 401},
    {"no-such-route", 404},     {"wrong-method", 405},      {"changed-meanwhile", 412},
    {"too-large", 413},         {"unknown-parameter", 400}, {"not-json", 415},
    {"too-many-attempts", 429}, {"headers-too-large", 431}, {"busy", 503},
    {"no-keeper", 503},         {"keeper-late", 504},       {"not-implemented", 501},
};

static const struct {
    int status;
    const char *title;
} titles[] = {
    {400, "Bad request"},
    {401, "Unauthenticated"},
    {403, "Refused"},
    {404, "Not found"},
    {405, "Method not allowed"},
    {409, "Conflict"},
    {412, "Precondition failed"},
    {413, "Too large"},
    {415, "Unsupported media type"},
    {422, "Invalid"},
    {429, "Too many requests"},
    {431, "Headers too large"},
    {500, "Internal error"},
    {501, "Not implemented"},
    {502, "Ambiguous"},
    {503, "Unavailable"},
    {504, "Too late"},
};

int problem_status(const struct error *err)
{
    for (size_t i = 0; i < countof(statuses); i++)
        if (strcmp(statuses[i].code, err->code) == 0)
            return statuses[i].status;
    return err->outcome == OK ? 500 : outcome_http_status(err->outcome);
}

const char *problem_title(int status)
{
    for (size_t i = 0; i < countof(titles); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Problem";
}

struct error problem_outward(const struct error *err)
{
    struct error out = *err;
    if (strncmp(err->code, "database", 8) == 0)
        snprintf(out.text, sizeof out.text, "the database does not answer as it should");
    if (problem_status(err) == 500)
        snprintf(out.text, sizeof out.text,
                 "something went wrong here; the log has it under this request");
    return out;
}

/* An error may quote bytes of a cloud that are not text. */
static void put_clean(json_t *problem, const char *name, const char *value)
{
    bool clean = text_is_clean(span_of_text(value));
    json_put_text(problem, name, clean ? value : "(not clean text)");
}

void problem_print(const struct error *err, int status, const char *request, struct bytes *out)
{
    OWNED(json_drop) json_t *problem = json_object();
    OWNED(text_done) struct text type = {0};
    text_addf(&type, "urn:muster:problem:%s", err->code);
    json_put_text(problem, "type", text_str(&type));
    json_put_text(problem, "title", problem_title(status));
    json_put_int(problem, "status", status);
    json_put_text(problem, "code", err->code);
    const struct error outward = problem_outward(err);
    put_clean(problem, "detail", outward.text);
    if (err->where[0] != '\0')
        put_clean(problem, "where", err->where);
    if (request != NULL && request[0] != '\0')
        json_put_text(problem, "request", request);
    OWNED(mem_drop) char *printed = json_print(problem);
    bytes_add(out, span_of_text(printed));
}
