#include "emulator/metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/arm_api.h"
#include "emulator/aws_api.h"
#include "emulator/metadata_inside.h"
#include "lib/crypto/random.h"

enum { LIES_MAX = 256, SLOW_MS = 10000, HUGE_BYTES = 1 << 20, SECRET_SIZE = 32 };

static const char *const lie_words[] = {
    "none",         "forged",    "altered",          "expired", "other-machine", "other-account",
    "other-region", "old-nonce", "not-confidential", "html",    "huge",          "slow",
    "cut",          "dark",
};
_Static_assert(countof(lie_words) == METADATA_LIE_COUNT);
const struct names metadata_lie_names = NAMES("metadata lie", lie_words);

struct told {
    char ref[REF_SIZE]; /* empty: all machines */
    enum metadata_lie lie;
    int64_t delay_ms;
};

/* One service: what answers at its port. */
struct service {
    struct metadata *metadata;
    enum account_driver cloud;
    struct face *face;
    int64_t port;
};

struct metadata {
    struct world *world;
    struct metadata_settings settings;
    struct papers *papers;
    uint8_t secret[SECRET_SIZE];
    struct service services[ACCOUNT_DRIVER_COUNT];
    size_t lie_count;
    struct told lies[LIES_MAX];
};

const struct metadata_settings *metadata_settings_of(const struct metadata *metadata)
{
    return &metadata->settings;
}

const struct papers *metadata_papers(const struct metadata *metadata)
{
    return metadata->papers;
}

struct span metadata_secret(const struct metadata *metadata)
{
    return SPAN_OF(metadata->secret);
}

/* ---- answers --------------------------------------------------------------------------------- */

void metadata_say(struct metadata_call *call, const char *content_type, const char *text)
{
    call->answer->content_type = content_type;
    text_add(&call->answer->body, text);
}

void metadata_say_json(struct metadata_call *call, const json_t *value)
{
    OWNED(mem_drop) char *text = json_print(value);
    metadata_say(call, "application/json", text);
}

void metadata_refuse(struct metadata_call *call, int status, const char *text)
{
    call->answer->status = status;
    metadata_say(call, "text/plain", text);
}

bool metadata_is_passed_on(const struct metadata_call *call)
{
    return face_header(call->request, "X-Forwarded-For") != NULL;
}

/* ---- papers ---------------------------------------------------------------------------------- */

const char *metadata_subscription(const struct metadata *metadata)
{
    const struct arm_api *arm = metadata->settings.arm;
    return arm != NULL ? arm->subscription : SIM_SUBSCRIPTION;
}

static const char *account_of(const struct metadata *metadata, const struct machine *machine)
{
    switch (machine->cloud) {
    case DRIVER_AWS:
        return SIM_ACCOUNT;
    case DRIVER_AZURE:
        return metadata_subscription(metadata);
    case DRIVER_GCP:
        return machine->group;
    case ACCOUNT_DRIVER_COUNT:
        break;
    }
    return "";
}

static enum paper_flaw flaw_of(enum metadata_lie lie)
{
    switch (lie) {
    case LIE_FORGED:
        return PAPER_FORGED;
    case LIE_ALTERED:
        return PAPER_ALTERED;
    case LIE_EXPIRED:
        return PAPER_EXPIRED;
    case LIE_NONE:
    case LIE_OTHER_MACHINE:
    case LIE_OTHER_ACCOUNT:
    case LIE_OTHER_REGION:
    case LIE_OLD_NONCE:
    case LIE_NOT_CONFIDENTIAL:
    case LIE_HTML:
    case LIE_HUGE:
    case LIE_SLOW:
    case LIE_CUT:
    case LIE_DARK:
    case METADATA_LIE_COUNT:
        break;
    }
    return PAPER_HONEST;
}

/* Of the same cloud, if there is one; else of nobody. */
static void be_another(const struct metadata_call *call, struct paper *paper)
{
    const struct world *world = call->metadata->world;
    paper->machine = call->machine->cloud == DRIVER_AWS ? "i-0000000000000000f"
                                                        : "00000000-0000-4000-8000-00000000000f";
    paper->name = "somebody-else";
    for (size_t i = 0; i < world->count; i++)
        if (world->machines[i] != call->machine &&
            world->machines[i]->cloud == call->machine->cloud)
            paper->machine = world->machines[i]->ref;
}

struct paper metadata_paper(const struct metadata_call *call)
{
    const struct machine *m = call->machine;
    struct paper paper = {.account = account_of(call->metadata, m),
                          .region = m->region,
                          .zone = m->zone,
                          .machine = m->ref,
                          .name = m->name,
                          .image = m->image,
                          .size = m->size,
                          .started = m->launched,
                          .at = clock_now(),
                          .confidentiality = m->snp && call->lie != LIE_NOT_CONFIDENTIAL,
                          .flaw = flaw_of(call->lie)};
    if (call->lie == LIE_OTHER_MACHINE)
        be_another(call, &paper);
    if (call->lie == LIE_OTHER_ACCOUNT)
        paper.account = m->cloud == DRIVER_AWS ? "999999999999" : "somebody-elses";
    if (call->lie == LIE_OTHER_REGION) {
        paper.region = "eu-west-1";
        paper.zone = m->cloud == DRIVER_AWS ? "eu-west-1a" : "europe-west4-a";
    }
    return paper;
}

/* ---- requests -------------------------------------------------------------------------------- */

static const struct told *lie_for(const struct metadata *m, const char *ref)
{
    const struct told *general = NULL;
    for (size_t i = 0; i < m->lie_count; i++) {
        if (strcmp(m->lies[i].ref, ref) == 0)
            return &m->lies[i];
        if (m->lies[i].ref[0] == '\0')
            general = &m->lies[i];
    }
    return general;
}

/* What needs no answer of the service itself. A session is begun all the same: without one nothing
 * else would be asked. */
static bool is_done(struct metadata_call *call)
{
    const bool session = strcmp(call->request->method, "PUT") == 0;
    static const char html[] = "<html><body><h1>It works!</h1></body></html>\n";
    switch (call->lie) {
    case LIE_HTML:
        if (session)
            return false;
        metadata_say(call, "text/html", html);
        return true;
    case LIE_HUGE:
        if (session)
            return false;
        for (size_t i = 0; i < HUGE_BYTES / 64; i++)
            text_add(&call->answer->body,
                     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
        return true;
    case LIE_CUT:
        call->answer->cut = true;
        return true;
    case LIE_DARK:
        metadata_refuse(call, 503, "");
        return true;
    case LIE_NONE:
    case LIE_FORGED:
    case LIE_ALTERED:
    case LIE_EXPIRED:
    case LIE_OTHER_MACHINE:
    case LIE_OTHER_ACCOUNT:
    case LIE_OTHER_REGION:
    case LIE_OLD_NONCE:
    case LIE_NOT_CONFIDENTIAL:
    case LIE_SLOW:
    case METADATA_LIE_COUNT:
        break;
    }
    return false;
}

/* "/REF/latest/..." is the machine's "/latest/...". */
static const struct machine *machine_of(const struct service *service, const char *path,
                                        const char **out_path)
{
    char ref[REF_SIZE];
    const char *slash = path[0] == '/' ? strchr(path + 1, '/') : NULL;
    if (slash == NULL || (size_t)(slash - path - 1) >= sizeof ref)
        return NULL;
    memcpy(ref, path + 1, (size_t)(slash - path - 1));
    ref[slash - path - 1] = '\0';
    const struct machine *machine = world_find(service->metadata->world, ref);
    *out_path = slash;
    return machine != NULL && machine->cloud == service->cloud ? machine : NULL;
}

static void answer_machine(struct metadata_call *call)
{
    static void (*const faces[ACCOUNT_DRIVER_COUNT])(struct metadata_call *) = {
        [DRIVER_AWS] = metadata_aws, [DRIVER_AZURE] = metadata_azure, [DRIVER_GCP] = metadata_gcp};
    const struct told *told = lie_for(call->metadata, call->machine->ref);
    call->lie = told != NULL ? told->lie : LIE_NONE;
    if (call->lie == LIE_SLOW)
        call->answer->delay_ms = told->delay_ms;
    if (!is_done(call))
        faces[call->machine->cloud](call);
}

static void answer(void *context, const struct face_request *request, struct face_answer *out)
{
    const struct service *service = context;
    struct metadata_call call = {.metadata = service->metadata, .request = request, .answer = out};
    pthread_mutex_t *lock = &service->metadata->world->lock;
    pthread_mutex_lock(lock);
    call.machine = machine_of(service, request->path, &call.path);
    if (call.machine != NULL)
        answer_machine(&call);
    else
        metadata_refuse(&call, 404, "no such machine\n");
    pthread_mutex_unlock(lock);
}

/* ---- all ------------------------------------------------------------------------------------- */

enum outcome metadata_open(struct world *world, const struct metadata_settings *settings,
                           struct metadata **out, struct error *err)
{
    struct metadata *m = NEW(struct metadata);
    *out = m; /* the caller closes what there is of it */
    m->world = world;
    m->settings = *settings;
    random_fill(m->secret, sizeof m->secret);
    TRY(papers_open(settings->folder, &m->papers, err));
    for (int i = 0; i < ACCOUNT_DRIVER_COUNT; i++) {
        struct service *service = &m->services[i];
        service->metadata = m;
        service->cloud = (enum account_driver)i;
        TRY(face_open(0, NULL, answer, service, &service->face, &service->port, err));
    }
    return OK;
}

void metadata_close(struct metadata *metadata)
{
    if (metadata == NULL)
        return;
    for (int i = 0; i < ACCOUNT_DRIVER_COUNT; i++)
        face_close(metadata->services[i].face);
    papers_close(metadata->papers);
    free(metadata);
}

char *metadata_url(const struct metadata *metadata, enum account_driver cloud,
                   const struct machine *machine)
{
    struct text url = {0};
    text_addf(&url, "http://127.0.0.1:%lld%s%s", (long long)metadata->services[cloud].port,
              machine != NULL ? "/" : "", machine != NULL ? machine->ref : "");
    return text_take(&url);
}

json_t *metadata_clouds(const struct metadata *metadata, const char *region)
{
    return papers_clouds(metadata->papers, region);
}

static struct told *slot_for(struct metadata *m, const char *ref)
{
    for (size_t i = 0; i < m->lie_count; i++)
        if (strcmp(m->lies[i].ref, ref) == 0)
            return &m->lies[i];
    return m->lie_count < LIES_MAX ? &m->lies[m->lie_count++] : NULL;
}

enum outcome metadata_set(struct metadata *metadata, const json_t *wish, struct error *err)
{
    static const char *const members[] = {"lie", "ref", "delay_ms", NULL};
    const char *word, *ref;
    int lie;
    int64_t delay_ms;
    TRY(json_only(wish, "", members, err));
    TRY(json_get_text(wish, "", "lie", 32, &word, err));
    TRY(name_parse(&metadata_lie_names, word, &lie, err));
    TRY(json_get_text_or(wish, "", "ref", REF_SIZE - 1, "", &ref, err));
    TRY(json_get_int_or(wish, "", "delay_ms", 0, 600000, SLOW_MS, &delay_ms, err));
    struct told *slot = slot_for(metadata, ref);
    if (slot == NULL)
        return fail(err, ERR_CONFLICT, "more than %d machines are lied to", LIES_MAX);
    snprintf(slot->ref, sizeof slot->ref, "%s", ref);
    slot->lie = (enum metadata_lie)lie;
    slot->delay_ms = delay_ms;
    return OK;
}

json_t *metadata_to_json(const struct metadata *metadata)
{
    json_t *out = json_object();
    json_t *lies = json_array();
    for (int i = 0; i < ACCOUNT_DRIVER_COUNT; i++) {
        OWNED(mem_drop) char *url = metadata_url(metadata, (enum account_driver)i, NULL);
        json_put_text(out, name_of(&account_driver_names, i), url);
    }
    for (size_t i = 0; i < metadata->lie_count; i++) {
        json_t *told = json_object();
        json_put_text(told, "ref", metadata->lies[i].ref);
        json_put_text(told, "lie", name_of(&metadata_lie_names, (int)metadata->lies[i].lie));
        json_add_new(lies, told);
    }
    json_put_new(out, "lies", lies);
    return out;
}
