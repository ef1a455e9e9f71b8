#include "cli/rules.h"

#include <stdio.h>
#include <string.h>

#include "drivers/catalogue.h"

enum { EXIT_REFUSED = 3, SIGNERS_MAX = 64 * 1024 };

void rules_done(struct rules *rules)
{
    catalogue_free(rules->catalogue);
    json_decref(rules->places);
    *rules = (struct rules){0};
}

static enum outcome open_signed(struct span jws, const char *signers_file, struct catalogue **out,
                                struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(charter_signers_done) struct charter_signers signers = {0};
    TRY(argument_file(signers_file, SIGNERS_MAX, &content, err));
    TRY(charter_signers_parse(bytes_span(&content), &signers, err));
    return catalogue_open(jws, &signers, out, err);
}

/* A file is an edition that is being written, or a signed one; of that nobody's signatures count
 * unless somebody says whose do. */
static enum outcome open_file(const char *path, const char *signers, struct catalogue **out,
                              struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(bytes_done) struct bytes payload = {0};
    size_t signatures;
    if (argument_file(path, CATALOGUE_SIZE_MAX, &content, err) != OK)
        return error_context(err, "--edition is no edition that comes with muster, and as a file");
    if (signers != NULL)
        return open_signed(bytes_span(&content), signers, out, err);
    if (token_set_look(bytes_span(&content), CATALOGUE_SIZE_MAX, &payload, &signatures, NULL) == OK)
        return catalogue_parse(bytes_span(&payload), out, err);
    return catalogue_parse(bytes_span(&content), out, err);
}

enum outcome rules_open(const struct rules_words *words, struct rules *out, struct error *err)
{
    OWNED(rules_done) struct rules made = {.at = clock_now(), .places = json_array()};
    const char *edition = words->edition != NULL ? words->edition : CATALOGUE_CURRENT;
    if (words->at != NULL)
        TRY(moment_parse(words->at, &made.at, err));
    made.json = words->output != NULL && strcmp(words->output, "json") == 0;
    if (words->output != NULL && !made.json && strcmp(words->output, "table") != 0)
        return fail(err, ERR_INVALID, "-o takes json or table, not '%.40s'", words->output);
    if (catalogue_is_built_in(edition))
        TRY(catalogue_built_in(edition, &made.catalogue, err));
    else
        TRY(open_file(edition, words->signers, &made.catalogue, err));
    *out = made;
    made = (struct rules){0};
    return OK;
}

void rules_check(struct rules *rules, const char *place, struct catalogue_wish *wish)
{
    OWNED(finding_list_done) struct finding_list found = {0};
    if (moment_is_none(wish->at))
        wish->at = rules->at;
    catalogue_check(rules->catalogue, NULL, wish, &found);
    rules->broken += found.broken;
    json_t *one = json_object();
    json_put_text(one, "place", place);
    json_put_text(one, "cloud", name_of(&account_driver_names, (int)wish->cloud));
    json_put_int(one, "rules", (int64_t)found.looked_at);
    json_put_new(one, "findings", findings_to_json(&found));
    json_add_new(rules->places, one);
}

static void add_place(struct text *out, const json_t *place, const char *edition)
{
    const json_t *findings = json_object_get(place, "findings");
    text_addf(out, "%s (%s): ", json_string_value(json_object_get(place, "place")),
              json_string_value(json_object_get(place, "cloud")));
    if (json_integer_value(json_object_get(place, "rules")) == 0)
        text_addf(out, "%s says nothing of it", edition);
    else
        text_addf(out, "%lld rules looked at, %zu finding%s",
                  (long long)json_integer_value(json_object_get(place, "rules")),
                  json_array_size(findings), json_array_size(findings) == 1 ? "" : "s");
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *one = json_array_get(findings, i);
        text_addf(out, "\n  %-8s %s: %s\n           %s\n           source: %s (%s)",
                  json_string_value(json_object_get(one, "result")),
                  json_string_value(json_object_get(one, "rule")),
                  json_string_value(json_object_get(one, "detail")),
                  json_string_value(json_object_get(one, "says")),
                  json_string_value(json_object_get(one, "source")),
                  json_string_value(json_object_get(one, "sure")));
    }
    text_add(out, "\n");
}

/* Findings that refuse nothing are told too: a launch may still fail of them. */
static const char *sum_of(const struct rules *rules)
{
    if (rules->broken > 0)
        return "refused";
    for (size_t i = 0; i < json_array_size(rules->places); i++)
        if (json_array_size(json_object_get(json_array_get(rules->places, i), "findings")) > 0)
            return "not refused, with what stands above";
    return "nothing speaks against it";
}

static char *table_of(const struct rules *rules)
{
    OWNED(text_done) struct text out = {0};
    for (size_t i = 0; i < json_array_size(rules->places); i++)
        add_place(&out, json_array_get(rules->places, i), rules->catalogue->edition);
    text_addf(&out, "edition %s, version %lld: %s", rules->catalogue->edition,
              (long long)rules->catalogue->version, sum_of(rules));
    return text_take(&out);
}

enum outcome rules_print(const struct rules *rules, int *out_exit_code, struct error *err)
{
    OWNED(json_drop) json_t *answer = json_object();
    json_put_text(answer, "edition", rules->catalogue->edition);
    json_put_int(answer, "version", rules->catalogue->version);
    json_put_moment(answer, "issued", rules->catalogue->issued);
    json_put_text(answer, "result", rules->broken > 0 ? "refused" : "accepted");
    json_put_new(answer, "places", json_incref(rules->places));
    OWNED(mem_drop) char *text = rules->json ? json_print_pretty(answer) : table_of(rules);
    TRY(print_line(text, err));
    *out_exit_code = rules->broken > 0 ? EXIT_REFUSED : 0;
    return OK;
}
