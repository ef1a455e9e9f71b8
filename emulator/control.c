#include "emulator/control.h"

#include <stdio.h>
#include <string.h>

struct control_call {
    const struct control *control;
    const struct face_request *request;
    struct face_answer *answer;
};

static void say(struct face_answer *answer, const json_t *value)
{
    OWNED(mem_drop) char *text = json_print(value);
    text_add(&answer->body, text);
    text_add(&answer->body, "\n");
}

static enum outcome show_ledger(struct control_call *call, struct error *err)
{
    int64_t after = 0;
    const char *text = face_argument(call->request, "after");
    if (text != NULL)
        TRY(number_parse(text, 0, INT64_MAX, &after, err));
    OWNED(json_drop) json_t *out = json_object();
    json_put_new(out, "entries", ledger_since(call->control->world->ledger, after));
    say(call->answer, out);
    return OK;
}

static enum outcome show_machines(struct control_call *call, struct error *err)
{
    (void)err;
    const struct world *world = call->control->world;
    OWNED(json_drop) json_t *out = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < world->count; i++) {
        json_t *machine = machine_to_json(world->machines[i]);
        OWNED(mem_drop) char *folder = machine_path(world, world->machines[i], "");
        json_put_text(machine, "folder", folder);
        json_add_new(list, machine);
    }
    json_put_new(out, "machines", list);
    say(call->answer, out);
    return OK;
}

static enum outcome show_images(struct control_call *call, struct error *err)
{
    (void)err;
    OWNED(json_drop) json_t *out = images_to_json(call->control->images);
    say(call->answer, out);
    return OK;
}

static enum outcome show_roots(struct control_call *call, struct error *err)
{
    (void)err;
    call->answer->content_type = "application/x-pem-file";
    text_add_span(&call->answer->body, psp_roots(call->control->psp));
    return OK;
}

static enum outcome show_kds(struct control_call *call, struct error *err)
{
    (void)err;
    OWNED(json_drop) json_t *out = kds_face_to_json(call->control->kds);
    say(call->answer, out);
    return OK;
}

static enum outcome set_kds(struct control_call *call, struct error *err)
{
    OWNED(json_drop) json_t *wish = NULL;
    TRY(json_parse(call->request->body, FACE_BODY_MAX, &wish, err));
    TRY(kds_face_set(call->control->kds, wish, err));
    return show_kds(call, err);
}

static enum outcome show_calls(struct control_call *call, struct error *err)
{
    (void)err;
    OWNED(json_drop) json_t *out = quotas_to_json(&call->control->world->quotas);
    say(call->answer, out);
    return OK;
}

static enum outcome show_mischief(struct control_call *call, struct error *err)
{
    (void)err;
    OWNED(json_drop) json_t *out = json_object();
    json_put_new(out, "pranks", mischief_to_json(&call->control->world->mischief));
    say(call->answer, out);
    return OK;
}

static enum outcome add_mischief(struct control_call *call, struct error *err)
{
    OWNED(json_drop) json_t *wish = NULL;
    TRY(json_parse(call->request->body, FACE_BODY_MAX, &wish, err));
    TRY(mischief_add(&call->control->world->mischief, wish, err));
    return show_mischief(call, err);
}

static enum outcome mix_mischief(struct control_call *call, struct error *err)
{
    OWNED(json_drop) json_t *wish = NULL;
    TRY(json_parse(call->request->body, FACE_BODY_MAX, &wish, err));
    TRY(mischief_mix(&call->control->world->mischief, wish, err));
    return show_mischief(call, err);
}

static enum outcome clear_mischief(struct control_call *call, struct error *err)
{
    call->control->world->mischief.count = call->control->world->mischief.chance_count = 0;
    return show_mischief(call, err);
}

/* {"ref": "i-...", "tamper": a word of psp_tamper_names} */
static enum outcome tamper(struct control_call *call, struct error *err)
{
    static const char *const members[] = {"ref", "tamper", NULL};
    OWNED(json_drop) json_t *wish = NULL;
    const char *ref, *word;
    int kind;
    TRY(json_parse(call->request->body, FACE_BODY_MAX, &wish, err));
    TRY(json_only(wish, "", members, err));
    TRY(json_get_text(wish, "", "ref", REF_SIZE, &ref, err));
    TRY(json_get_text(wish, "", "tamper", 31, &word, err));
    TRY(name_parse(&psp_tamper_names, word, &kind, err));
    struct machine *machine = world_find(call->control->world, ref);
    if (machine == NULL)
        return fail(err, ERR_NOT_FOUND, "no machine %s", ref);
    snprintf(machine->tamper, sizeof machine->tamper, "%s", word);
    TRY(world_save(call->control->world, machine, err));
    ledger_note(call->control->world->ledger, "tampered",
                &(struct ledger_line){.ref = ref, .detail = word});
    text_add(&call->answer->body, "{}\n");
    return OK;
}

/* Under `clouds` of a charter; EC2's of one region: ?region= */
static enum outcome show_clouds(struct control_call *call, struct error *err)
{
    (void)err;
    const char *region = face_argument(call->request, "region");
    OWNED(json_drop)
    json_t *out = metadata_clouds(call->control->metadata, region != NULL ? region : "us-east-2");
    say(call->answer, out);
    return OK;
}

static enum outcome show_metadata(struct control_call *call, struct error *err)
{
    (void)err;
    OWNED(json_drop) json_t *out = metadata_to_json(call->control->metadata);
    say(call->answer, out);
    return OK;
}

static enum outcome set_metadata(struct control_call *call, struct error *err)
{
    OWNED(json_drop) json_t *wish = NULL;
    TRY(json_parse(call->request->body, FACE_BODY_MAX, &wish, err));
    TRY(metadata_set(call->control->metadata, wish, err));
    return show_metadata(call, err);
}

static enum outcome show_accounts(struct control_call *call, struct error *err)
{
    (void)err;
    OWNED(json_drop) json_t *out = whose_to_json(call->control->whose);
    say(call->answer, out);
    return OK;
}

static enum outcome set_account(struct control_call *call, struct error *err)
{
    OWNED(json_drop) json_t *wish = NULL;
    TRY(json_parse(call->request->body, FACE_BODY_MAX, &wish, err));
    TRY(whose_turn(call->control->whose, wish, err));
    return show_accounts(call, err);
}

/* clang-format off */
static const struct {
    const char *method;
    const char *path;
    enum outcome (*run)(struct control_call *call, struct error *err);
} routes[] = {
    {"GET",    CONTROL_PREFIX "ledger",   show_ledger},
    {"GET",    CONTROL_PREFIX "machines", show_machines},
    {"GET",    CONTROL_PREFIX "images",   show_images},
    {"GET",    CONTROL_PREFIX "roots",    show_roots},
    {"GET",    CONTROL_PREFIX "calls",    show_calls},
    {"GET",    CONTROL_PREFIX "mischief", show_mischief},
    {"POST",   CONTROL_PREFIX "mischief", add_mischief},
    {"PUT",    CONTROL_PREFIX "mischief", mix_mischief},
    {"DELETE", CONTROL_PREFIX "mischief", clear_mischief},
    {"POST",   CONTROL_PREFIX "tamper",   tamper},
    {"GET",    CONTROL_PREFIX "kds",      show_kds},
    {"POST",   CONTROL_PREFIX "kds",      set_kds},
    {"GET",    CONTROL_PREFIX "clouds",   show_clouds},
    {"GET",    CONTROL_PREFIX "metadata", show_metadata},
    {"POST",   CONTROL_PREFIX "metadata", set_metadata},
    {"GET",    CONTROL_PREFIX "accounts", show_accounts},
    {"POST",   CONTROL_PREFIX "accounts", set_account},
};
/* clang-format on */

bool control_is_for(const struct face_request *request)
{
    return strncmp(request->path, CONTROL_PREFIX, strlen(CONTROL_PREFIX)) == 0;
}

static enum outcome route(struct control_call *call, struct error *err)
{
    for (size_t i = 0; i < countof(routes); i++)
        if (strcmp(routes[i].method, call->request->method) == 0 &&
            strcmp(routes[i].path, call->request->path) == 0)
            return routes[i].run(call, err);
    return fail(err, ERR_NOT_FOUND, "no %.10s %.80s", call->request->method, call->request->path);
}

void control_answer(const struct control *control, const struct face_request *request,
                    struct face_answer *out)
{
    struct error err = {0};
    struct control_call call = {control, request, out};
    pthread_mutex_lock(&control->world->lock);
    enum outcome outcome = route(&call, &err);
    pthread_mutex_unlock(&control->world->lock);
    if (outcome == OK)
        return;
    OWNED(json_drop) json_t *problem = json_object();
    out->status = outcome_http_status(outcome);
    json_put_text(problem, "code", err.code);
    bool clean = text_is_clean(span_of_text(err.text)); /* it may quote the request */
    json_put_text(problem, "detail", clean ? err.text : "(message is not clean text)");
    say(out, problem);
}
