/* muster-agent: proves the machine it runs in to a controller, and puts the secrets it then gets.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/evidence_command.h"
#include "agent/local_socket.h"
#include "agent/passport_command.h"
#include "agent/session.h"
#include "agent/settings.h"
#include "agent/shown.h"
#include "agent/userdata.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/program.h"
#include "lib/net/link.h"

enum { EVENTS_MAX = 256, CLOSE_MS = 2000 };

static const struct program program = {
    .name = "muster-agent",
    .commands = "       muster-agent passport [--config FILE] [--challenge TEXT] NAME\n"
                "       muster-agent evidence [--config FILE] --nonce HEX\n",
    .purpose = "Proves this machine to a Muster controller and puts the secrets it is given.",
    .config = "/etc/muster/agent.conf",
    .check = "read settings and user-data",
    .settings = agent_settings_table,
    .setting_count = &agent_settings_count,
    .stopping = "agent.stopping",
    .failed = "agent.failed",
};

struct agent_program {
    struct agent_settings settings;
    struct userdata userdata;
    struct cert *roots[LINK_ROOTS_MAX];
    size_t root_count;
    struct key *link_key;
    struct cert *link_cert;
    struct link_identity *identity;
    struct tee *tee;
    struct metadata_source metadata;
    struct secrets *secrets;
    struct queue *events;
    struct link *link;
    struct session *session;
    struct link_peer *peer;
    struct local_socket *local;
    struct shown_desk shown;
};

static void agent_program_done(struct agent_program *p)
{
    local_socket_close(p->local);
    session_free(p->session);
    link_peer_free(p->peer);
    if (p->link != NULL)
        link_close(p->link, CLOSE_MS); /* what does not finish ends with the process */
    for (struct link_event *event; p->events != NULL && (event = link_event_next(p->events, 0));)
        link_event_free(event);
    if (p->events != NULL)
        queue_free(p->events);
    secrets_close(p->secrets);
    tee_close(p->tee);
    link_identity_free(p->identity);
    cert_free(p->link_cert);
    key_free(p->link_key);
    for (size_t i = 0; i < p->root_count; i++)
        cert_free(p->roots[i]);
    userdata_done(&p->userdata);
    agent_settings_done(&p->settings);
}

/* ---- starting -------------------------------------------------------------------------------- */

/* Under a limit a later thread might not get its stack. */
static bool may_lock_without_bound(void)
{
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
    if (setrlimit(RLIMIT_MEMLOCK, &all) == 0)
        return true;
    return syscall(SYS_capget, &head, sets) == 0 && (sets[0].effective & 1U << CAP_IPC_LOCK) != 0;
}

/* All memory, for OpenSSL holds our two keys in ordinary one. Pages are locked as they are touched,
 * so that unused stacks cost nothing. */
static void lock_memory(void)
{
    if (!may_lock_without_bound())
        LOG(WARN, "memory.not-locked", TEXT("why", "it may not be locked without bound"));
    else if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
        LOG(WARN, "memory.not-locked", TEXT("why", strerror(errno)));
}

static enum outcome add_roots(struct agent_program *p, struct span pem, const char *where,
                              struct error *err)
{
    size_t added = 0;
    if (cert_list_from_pem(pem, p->roots + p->root_count, LINK_ROOTS_MAX - p->root_count, &added,
                           err) != OK)
        return error_context(err, "root from %s", where);
    p->root_count += added;
    return OK;
}

static enum outcome add_root_file(struct agent_program *p, const char *path, struct error *err)
{
    OWNED(bytes_done) struct bytes pem = {0};
    if (path[0] == '\0')
        return OK;
    TRY(file_read(path, USERDATA_MAX, &pem, err));
    return add_roots(p, bytes_span(&pem), path, err);
}

/* The measured image's root counts; the host's is taken only where there is no other, and then the
 * binding is what makes the true keeper refuse a guest that was led astray. */
static enum outcome read_roots(struct agent_program *p, struct error *err)
{
    TRY(add_root_file(p, p->settings.root_file, err));
    TRY(add_root_file(p, p->settings.next_root_file, err));
    if (p->root_count > 0)
        return OK;
    if (p->userdata.root.len == 0)
        return fail_code(err, ERR_INVALID, "no-root",
                         "neither root-file nor the user-data holds a deployment root");
    LOG(WARN, "root.from-user-data");
    return add_roots(p, bytes_span(&p->userdata.root), "user-data", err);
}

static enum outcome read_inputs(struct agent_program *p, const char *config, struct error *err)
{
    OWNED(bytes_wipe) struct bytes raw = {0};
    TRY(agent_settings_read(config, &p->settings, err));
    TRY(file_read(p->settings.user_data, USERDATA_MAX, &raw, err));
    if (userdata_parse(bytes_span(&raw), &p->userdata, err) != OK)
        return error_context(err, "user-data");
    return read_roots(p, err);
}

static enum outcome make_identity(struct agent_program *p, struct error *err)
{
    TRY(key_generate(KEY_P256, &p->link_key, err));
    TRY(cert_make_guest(p->link_key, &p->link_cert, err));
    return link_identity_new(p->link_key, p->link_cert, p->roots, p->root_count, &p->identity, err);
}

static enum outcome open_tee(struct agent_program *p, struct error *err)
{
    const struct tee_places places = {
        .tsm_path = p->settings.tsm_path,
        .privlevel = p->settings.privlevel,
        .svsm = p->settings.svsm,
        .nsm_path = p->settings.nsm_path,
        .tpm = p->settings.tpm,
        .tpm_key = p->settings.tpm_key,
        .tpm_key_cert = p->settings.tpm_key_cert,
        .tpm_document = p->settings.tpm_document,
        .report_from = p->settings.report_from,
        .event_log = p->settings.event_log,
        .thim_program = p->settings.thim_program,
        .thim_url = p->settings.thim_url,
        .thim_seconds = p->settings.thim_seconds,
        .socket = p->settings.tee_socket,
    };
    return tee_open(p->settings.tee, &places, &p->tee, err);
}

/* An enclave has no network, and simulated hardware stands on a machine that is somebody else's:
 * there nobody is asked unless the settings say whom. */
static enum outcome open_metadata(struct agent_program *p, struct error *err)
{
    const enum evidence_kind kind = tee_kind(p->tee);
    const bool alone = kind == EVIDENCE_NITRO || kind == EVIDENCE_SIMULATED;
    p->metadata = (struct metadata_source){.program = p->settings.metadata_program,
                                           .endpoint = p->settings.metadata_endpoint,
                                           .most_seconds = p->settings.metadata_seconds};
    return metadata_cloud(p->settings.metadata, alone ? "" : p->settings.smbios_vendor,
                          &p->metadata.cloud, err);
}

static enum outcome open_secrets(struct agent_program *p, struct error *err)
{
    const struct secrets_places places = {
        .folder = p->settings.secrets_dir,
        .allow_non_tmpfs = p->settings.allow_non_tmpfs,
        .hooks_dir = p->settings.hooks_dir,
        .hook_seconds = p->settings.hook_seconds,
    };
    const struct secrets_guest guest = {
        .instance = p->userdata.instance, .roots = p->roots, .root_count = p->root_count};
    return secrets_open(&places, &guest, &p->secrets, err);
}

static enum outcome dial(struct agent_program *p, struct error *err)
{
    struct link_settings settings = link_settings_usual();
    for (size_t i = 0; i < p->userdata.controller_count && i < LINK_URLS_MAX; i++)
        settings.urls[i] = p->userdata.controllers[i];
    settings.redial_most_ms = p->settings.redial_most_seconds * 1000;
    if (settings.redial_first_ms > settings.redial_most_ms)
        settings.redial_first_ms = settings.redial_most_ms;
    p->events = queue_new(EVENTS_MAX);
    return link_dial(&settings, p->identity, p->events, &p->link, err);
}

/* A number that changes with each boot of the machine and with nothing else. */
static int64_t boot_generation(void)
{
    OWNED(bytes_done) struct bytes text = {0};
    struct uuid id = {0};
    int64_t generation = 0;
    if (file_read("/proc/sys/kernel/random/boot_id", UUID_TEXT_SIZE, &text, NULL) != OK)
        return 0;
    bytes_add_u8(&text, '\0');
    text.at[strcspn((const char *)text.at, "\n")] = '\0';
    if (uuid_parse((const char *)text.at, &id, NULL) != OK)
        return 0;
    for (size_t i = 0; i < 6; i++)
        generation = generation << 8 | id.at[i];
    return generation;
}

/* On the socket's thread: the agent's own looks at what is there. */
static void stir(void *context)
{
    const struct agent_program *p = context;
    struct link_event *event = NEW(struct link_event);
    if (!queue_push(p->events, event))
        link_event_free(event); /* full: it is awake */
}

static enum outcome open_local(struct agent_program *p, struct error *err)
{
    const struct local_plan plan = {
        .path = p->settings.passport_socket,
        .slow_ms = LOCAL_SLOW_MS,
        .answer_ms = p->settings.answer_seconds * 1000 + LOCAL_SLOW_MS,
        .wake = stir,
        .self = p,
    };
    return plan.path[0] != '\0' ? local_socket_open(&plan, &p->local, err) : OK;
}

/* ---- running --------------------------------------------------------------------------------- */

static enum outcome wire_send(void *context, uint8_t type, uint64_t id, struct span body,
                              struct error *err)
{
    const struct agent_program *p = context;
    if (p->peer == NULL)
        return fail_code(err, ERR_UNREACHABLE, "closed", "no connection");
    return link_send(p->peer, type, id, body, err);
}

static void wire_hang_up(void *context, const char *why)
{
    const struct agent_program *p = context;
    if (p->peer != NULL)
        link_peer_close(p->peer, why);
}

static void tell_passport(void *context, uint64_t ticket, const struct passport_result *result)
{
    const struct agent_program *p = context;
    OWNED(bytes_wipe) struct bytes line = {0};
    if (result->outcome == OK)
        local_answer_print(&result->token, result->proof, &line);
    else
        local_problem_print(&result->why, &line);
    local_socket_answer(p->local, ticket, bytes_span(&line));
}

static void show_evidence(struct agent_program *p, uint64_t ticket,
                          const struct local_request *request)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes line = {0};
    if (shown_make(&p->shown, request, &line, &err) == OK) {
        LOG(INFO, "evidence.shown");
    } else {
        LOG(WARN, "evidence.refused", TEXT("code", err.code), TEXT("text", err.text));
        local_problem_print(&err, &line);
    }
    local_socket_answer(p->local, ticket, bytes_span(&line));
}

static void take_wants(struct agent_program *p)
{
    uint64_t ticket;
    struct local_request request;
    while (p->local != NULL && local_socket_next(p->local, &ticket, &request)) {
        if (request.wish == LOCAL_EVIDENCE)
            show_evidence(p, ticket, &request);
        else
            session_want_passport(p->session, ticket, &request);
    }
}

static void take_event(struct agent_program *p, struct link_event *event)
{
    if (event->kind == LINK_OPENED && event->peer == NULL)
        return; /* stirred */
    switch (event->kind) {
    case LINK_OPENED:
        link_peer_drop(&p->peer);
        p->peer = link_peer_share(event->peer);
        LOG(INFO, "session.opened", TEXT("controller", link_peer_address(p->peer)),
            TEXT("group", link_peer_group(p->peer)));
        session_opened(p->session);
        return;
    case LINK_FRAME:
        if (event->peer == p->peer)
            session_frame(p->session, event->type, event->id, bytes_span(&event->body));
        return;
    case LINK_CLOSED:
        if (p->peer != NULL && event->peer != p->peer)
            return;
        session_closed(p->session, &event->why);
        link_peer_drop(&p->peer);
        return;
    }
}

static void run(struct agent_program *p)
{
    while (!queue_is_closed(p->events)) {
        int64_t idle_ms = session_tick(p->session);
        OWNED(link_event_drop) struct link_event *event = link_event_next(p->events, idle_ms);
        if (event != NULL)
            take_event(p, event);
        take_wants(p);
    }
}

static enum outcome start_and_run(struct agent_program *p, struct error *err)
{
    TRY(make_identity(p, err));
    TRY(open_tee(p, err));
    TRY(open_metadata(p, err));
    TRY(open_secrets(p, err));
    const struct appraisal_guest guest = {
        .instance = p->userdata.instance,
        .link_key = p->link_key,
        .roots = p->roots,
        .root_count = p->root_count,
        .tee = p->tee,
        .metadata = &p->metadata,
        .boot = boot_generation(),
        .retry_first_seconds = p->settings.retry_first_seconds,
        .retry_most_seconds = p->settings.retry_most_seconds,
    };
    const struct session_plan plan = {
        .guest = &guest,
        .ticket = p->userdata.ticket,
        .secrets = p->secrets,
        .answer_seconds = p->settings.answer_seconds,
    };
    const struct session_wire wire = {
        .context = p, .send = wire_send, .hang_up = wire_hang_up, .passport = tell_passport};
    p->session = session_new(&plan, &wire);
    shown_init(&p->shown, &guest);
    program_block_signals(&program);
    TRY(dial(p, err));
    TRY(open_local(p, err));
    struct program_waiter waiter = {.program = &program, .queue = p->events};
    TRY(program_waiter_start(&waiter, err));
    LOG(INFO, "agent.started", TEXT("instance", uuid_text(&guest.instance).at),
        TEXT("tee", p->settings.tee));
    run(p);
    program_waiter_join(&waiter);
    session_free(TAKE(p->session)); /* before what it borrows goes out of scope */
    return OK;
}

static enum outcome read_and_run(const struct program_call *call, struct error *err)
{
    OWNED(agent_program_done) struct agent_program p = {0};
    TRY(program_close_shutters(err));
    TRY(read_inputs(&p, call->config, err));
    if (call->only_check)
        return OK;
    lock_memory();
    return start_and_run(&p, err);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "passport") == 0)
        return passport_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "evidence") == 0)
        return evidence_command(argc - 1, argv + 1);
    return program_main(&program, argc, argv, read_and_run);
}
