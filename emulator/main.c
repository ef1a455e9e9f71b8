/* The muster-sim program: pretend clouds whose machines are agent processes, with a pretend
 * security processor. For tests, rehearsals and first steps; what it attests is worth nothing
 * elsewhere. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "emulator/arm_api.h"
#include "emulator/aws_api.h"
#include "emulator/control.h"
#include "emulator/gce_api.h"
#include "emulator/guest.h"
#include "emulator/settings.h"
#include "emulator/tls.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/crypto/random.h"

enum { CERTIFICATE_FILE_MAX = 64 * 1024 };

struct sim {
    struct sim_settings settings;
    struct world world;
    bool world_is_open;
    struct images images;
    struct psp *psp;
    struct processor *processor;
    struct metadata *metadata;
    struct guests guests;
    struct aws_api aws;
    struct arm_api arm;
    struct gce_api gce;
    struct kds_face kds;
    struct whose whose;
    struct control control;
    struct tls tls;
    struct face *face;
    struct face *tls_face;
    int64_t port;
    int64_t tls_port;
    char *authority; /* the file that says whom TLS clients are to trust */
    int signals;
};

static void answer(void *context, const struct face_request *request, struct face_answer *out)
{
    struct sim *sim = context;
    if (control_is_for(request))
        control_answer(&sim->control, request, out);
    else if (kds_face_is_for(request))
        kds_face_answer(&sim->kds, request, out);
    else if (arm_is_for(request))
        arm_api_answer(&sim->arm, request, out);
    else if (gce_api_is_for(request))
        gce_api_answer(&sim->gce, request, out);
    else
        aws_api_answer(&sim->aws, request, out);
}

static void sim_done(struct sim *sim)
{
    face_close(sim->face);
    face_close(sim->tls_face);
    tls_done(&sim->tls);
    free(sim->authority);
    whose_done(&sim->whose);
    rsa_signer_free(sim->arm.signer);
    metadata_close(sim->metadata);
    kds_face_done(&sim->kds);
    gce_api_close(&sim->gce);
    if (sim->guests.world != NULL)
        guests_end(&sim->guests);
    processor_close(sim->processor);
    psp_close(sim->psp);
    images_done(&sim->images);
    if (sim->world_is_open)
        world_close(&sim->world);
    if (sim->signals >= 0)
        close(sim->signals);
    sim_settings_done(&sim->settings);
}

/* Blocked before any thread starts, so that all threads have them blocked and the loop reads them.
 */
static enum outcome catch_signals(struct sim *sim, struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    sim->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (sim->signals < 0)
        return fail(err, ERR_INTERNAL, "signalfd");
    return OK;
}

/* Several emulators may share one. */
static void add_keys_folder(const struct sim *sim, struct text *out)
{
    if (sim->settings.psp_folder[0] != '\0')
        text_add(out, sim->settings.psp_folder);
    else
        text_addf(out, "%s/psp", sim->settings.world.folder);
}

static enum outcome open_processor(struct sim *sim, struct error *err)
{
    OWNED(text_done) struct text folder = {0};
    add_keys_folder(sim, &folder);
    OWNED(text_done) struct text provider = {0};
    const char *regions = sim->settings.regions;
    text_addf(&provider, "CN=cc-%.*s.amazonaws.com", (int)strcspn(regions, " "), regions);
    TRY(psp_open(text_str(&folder), clock_now(), &sim->psp, err));
    psp_set_csp_id(sim->psp, text_str(&provider));
    return processor_open(&sim->world, &sim->images, sim->psp, &sim->processor, err);
}

static enum outcome open_azure(struct sim *sim, struct error *err)
{
    const struct sim_settings *settings = &sim->settings;
    sim->arm = (struct arm_api){.world = &sim->world,
                                .images = &sim->images,
                                .subscription = settings->azure_subscription,
                                .home = settings->azure_tenant,
                                .tenant = settings->azure_tenant,
                                .client_id = settings->azure_client_id,
                                .client_secret = settings->azure_client_secret,
                                .federated_token = settings->azure_federated_token,
                                .locations = settings->azure_locations,
                                .page_most = settings->page_most,
                                .poll_seconds = settings->poll_seconds};
    random_fill(sim->arm.token_key, sizeof sim->arm.token_key);
    if (settings->azure_certificate[0] == '\0')
        return OK;
    OWNED(bytes_done) struct bytes pem = {0};
    TRY(file_read(settings->azure_certificate, CERTIFICATE_FILE_MAX, &pem, err));
    return rsa_signer_from_pem(bytes_span(&pem), &sim->arm.signer, err);
}

/* Plain HTTP for us, and TLS for clients that send their tokens by nothing else. */
static enum outcome open_faces(struct sim *sim, struct error *err)
{
    OWNED(text_done) struct text path = {0};
    TRY(tls_make(&sim->tls, err));
    text_addf(&path, "%s/authority.pem", sim->settings.world.folder);
    TRY(file_write(text_str(&path), span_of_text(sim->tls.authority), 0644, err));
    sim->authority = text_take(&path);
    const struct face_tls tls = {sim->tls.key, sim->tls.certificate};
    TRY(face_open(sim->settings.tls_port, &tls, answer, sim, &sim->tls_face, &sim->tls_port, err));
    return face_open(sim->settings.port, NULL, answer, sim, &sim->face, &sim->port, err);
}

static enum outcome open_metadata(struct sim *sim, struct error *err)
{
    OWNED(text_done) struct text folder = {0};
    add_keys_folder(sim, &folder);
    text_add(&folder, "/papers");
    const struct metadata_settings settings = {
        .folder = text_str(&folder),
        .aws = &sim->aws,
        .gce = &sim->gce,
        .arm = &sim->arm,
    };
    return metadata_open(&sim->world, &settings, &sim->metadata, err);
}

static enum outcome open_all(struct sim *sim, struct error *err)
{
    const struct sim_settings *settings = &sim->settings;
    TRY(folder_make(settings->world.folder, 0700, err));
    TRY(folder_make(settings->guest.run_folder, 0700, err));
    sim->world_is_open = true;
    TRY(world_open(&settings->world, &sim->world, err));
    TRY(images_open(settings->images, &sim->images, err));
    TRY(open_processor(sim, err));
    TRY(open_metadata(sim, err));
    sim->guests = (struct guests){&settings->guest, &sim->world, sim->processor, sim->metadata};
    sim->aws = (struct aws_api){&sim->world,
                                &sim->images,
                                settings->regions,
                                settings->access_key_id,
                                settings->secret_access_key,
                                settings->page_most,
                                SIM_ACCOUNT};
    sim->gce = (struct gce_api){.world = &sim->world,
                                .images = &sim->images,
                                .project = settings->gcp_project,
                                .regions = settings->gcp_regions,
                                .page_most = settings->page_most,
                                .token_seconds = GCE_TOKEN_SECONDS};
    TRY(gce_api_open(&sim->gce, settings->world.folder, err));
    TRY(open_azure(sim, err));
    whose_init(&sim->whose, &sim->aws, &sim->arm, &sim->gce);
    kds_face_init(&sim->kds, sim->psp);
    sim->control = (struct control){&sim->world, &sim->images,  sim->psp,
                                    &sim->kds,   sim->metadata, &sim->whose};
    TRY(open_faces(sim, err));
    return gce_api_tell(&sim->gce, settings->world.folder, sim->port, err);
}

/* One line on standard output, when everything listens. */
static void say_ready(const struct sim *sim)
{
    char url[64], tls_url[64];
    OWNED(json_drop) json_t *ready = json_object();
    snprintf(url, sizeof url, "http://127.0.0.1:%lld", (long long)sim->port);
    snprintf(tls_url, sizeof tls_url, "https://localhost:%lld", (long long)sim->tls_port);
    json_put_bool(ready, "ready", true);
    json_put_int(ready, "pid", getpid());
    json_put_text(ready, "ec2", url);
    json_put_text(ready, "arm", url);
    json_put_text(ready, "endorsements", url);
    json_put_text(ready, "gce", url);
    json_put_text(ready, "tls", tls_url);
    json_put_text(ready, "tls_authority", sim->authority);
    json_put_int(ready, "port", sim->port);
    json_put_text(ready, "region", sim->settings.regions);
    snprintf(url, sizeof url, "http://127.0.0.1:%lld/_control/ledger", (long long)sim->port);
    json_put_text(ready, "ledger", url);
    json_put_new(ready, "metadata", metadata_to_json(sim->metadata));
    OWNED(mem_drop) char *text = json_print(ready);
    puts(text);
    fflush(stdout);
}

/* True when we are to end; children that ended are seen by the next tick. */
static bool read_signals(const struct sim *sim)
{
    struct signalfd_siginfo info;
    bool end = false;
    while (read(sim->signals, &info, sizeof info) == (ssize_t)sizeof info)
        end |= info.ssi_signo != SIGCHLD;
    return end;
}

static void run(struct sim *sim)
{
    for (;;) {
        pthread_mutex_lock(&sim->world.lock);
        int64_t wait_ms = guests_tick(&sim->guests);
        pthread_mutex_unlock(&sim->world.lock);
        struct pollfd waits[] = {{.fd = sim->signals, .events = POLLIN},
                                 {.fd = sim->world.wake, .events = POLLIN}};
        poll(waits, countof(waits), (int)wait_ms);
        uint64_t unused;
        if (waits[1].revents != 0 && read(sim->world.wake, &unused, sizeof unused) < 0)
            continue;
        if (waits[0].revents != 0 && read_signals(sim))
            return;
    }
}

static enum outcome serve(const char *config, struct error *err)
{
    OWNED(sim_done) struct sim sim = {.signals = -1};
    TRY(sim_settings_read(config, &sim.settings, err));
    TRY(catch_signals(&sim, err));
    TRY(open_all(&sim, err));
    say_ready(&sim);
    LOG(INFO, "sim.started", INT("port", sim.port), INT("machines", (int64_t)sim.world.count));
    run(&sim);
    LOG(INFO, "sim.stopped", INT("machines", (int64_t)sim.world.count));
    return OK;
}

static int print_help(void)
{
    puts("muster-sim: pretend clouds with a pretend security processor, on 127.0.0.1 only\n"
         "\n"
         "muster-sim --config FILE     FILE holds `key = value` lines:\n");
    config_print_help(sim_settings_table, sim_settings_count, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    log_start("muster-sim");
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return print_help();
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return puts("muster-sim " PACKAGE_VERSION) < 0;
    if (argc != 3 || strcmp(argv[1], "--config") != 0) {
        fputs("usage: muster-sim --config FILE | --help | --version\n", stderr);
        return outcome_exit_code(ERR_INVALID);
    }
    enum outcome outcome = serve(argv[2], &err);
    if (outcome != OK)
        log_error("sim.failed", &err);
    return outcome_exit_code(outcome);
}
