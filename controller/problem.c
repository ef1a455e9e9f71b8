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
    {"no-keeper", 503},         {"no-answer", 504},         {"not-implemented", 501},
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

/* What the tables refuse, as the place in the request that is meant. */
static const struct {
    const char *constraint;
    const char *where;
} places[] = {
    {"accounts_project_name_key", "/name"},
    {"images_project_name_key", "/name"},
    {"fleets_project_name_key", "/name"},
    {"secrets_project_name_key", "/name"},
    {"fleets_project_account_fkey", "/account"},
    {"fleets_project_image_fkey", "/image"},
    {"fleet_places_project_account_fkey", "/places"},
    {"charters_project_serial_key", "/jws"},
};

static const struct {
    const char *code;
    const char *text;
} refusals[] = {
    {"exists", "there is one already"},
    {"no-such-reference", "what it names is not there"},
    {"in-use", "something else still refers to it"},
    {"bad-value", "the database takes no such value"},
};

/* Of these codes the tables' own words are of no use to a caller: the name of a constraint is not a
 * place in a request, nor that of a statement a reason. */
static void translate_refusal(struct error *err)
{
    bool is_place = err->where[0] == '\0' || strchr("/?", err->where[0]) != NULL;
    for (size_t i = 0; i < countof(refusals) && !is_place; i++) {
        if (strcmp(err->code, refusals[i].code) != 0)
            continue;
        const char *where = "";
        for (size_t j = 0; j < countof(places); j++)
            if (strcmp(err->where, places[j].constraint) == 0)
                where = places[j].where;
        snprintf(err->where, sizeof err->where, "%s", where);
        snprintf(err->text, sizeof err->text, "%s", refusals[i].text);
        return;
    }
}

struct error problem_outward(const struct error *err)
{
    struct error out = *err;
    translate_refusal(&out);
    if (strncmp(err->code, "database", 8) == 0)
        snprintf(out.text, sizeof out.text, "the database does not answer as it should");
    if (problem_status(err) == 500)
        snprintf(out.text, sizeof out.text,
                 "something went wrong here; the log has it under this request");
    return out;
}

void problem_put_text(json_t *problem, const char *name, const char *value)
{
    bool clean = text_is_clean(span_of_text(value));
    json_put_text(problem, name, clean ? value : "(not clean text)");
}

void problem_print(const struct error *err, int status, const char *request, const json_t *more,
                   struct bytes *out)
{
    OWNED(json_drop) json_t *problem = json_object();
    OWNED(text_done) struct text type = {0};
    text_addf(&type, "urn:muster:problem:%s", err->code);
    json_put_text(problem, "type", text_str(&type));
    json_put_text(problem, "title", problem_title(status));
    json_put_int(problem, "status", status);
    json_put_text(problem, "code", err->code);
    const struct error outward = problem_outward(err);
    problem_put_text(problem, "detail", outward.text);
    if (outward.where[0] != '\0')
        problem_put_text(problem, "where", outward.where);
    if (request != NULL && request[0] != '\0')
        json_put_text(problem, "request", request);
    if (more != NULL && json_object_update_missing(problem, json_looked_at(more)) != 0)
        abort();
    OWNED(mem_drop) char *printed = json_print(problem);
    bytes_add(out, span_of_text(printed));
}
