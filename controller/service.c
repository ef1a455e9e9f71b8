#include "controller/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/keeper_tasks.h"
#include "controller/worker.h"
#include "lib/base/log.h"

struct service {
    struct service_settings settings;
    struct desk desk;
    struct workers *workers;
    char link_url[128];
};

/* What guests dial, when the settings leave it to us: where we really listen. */
static void name_link(struct service *service)
{
    const char *listen = service->settings.link_listen;
    const char *colon = strrchr(listen, ':');
    if (service->settings.link_url[0] != '\0')
        return;
    snprintf(service->link_url, sizeof service->link_url, "tls+tcp://%.*s:%d",
             colon != NULL ? (int)(colon - listen) : (int)strlen(listen), listen,
             service_link_port(service));
    service->settings.link_url = service->link_url;
}

enum outcome service_start(const struct service_settings *settings, struct service **out,
                           struct error *err)
{
    struct service *service = NEW(struct service);
    service->settings = *settings;
    service->desk.settings = &service->settings;
    char host[64] = "host";
    error_ignore(gethostname(host, sizeof host - 1) == 0 ? OK : ERR_INTERNAL);
    snprintf(service->desk.actor, sizeof service->desk.actor, "controller:%.40s/%d/%016llx", host,
             (int)getpid(), (unsigned long long)link_id_new());
    enum outcome outcome = desk_start(&service->desk, err);
    if (outcome == OK) {
        name_link(service);
        outcome = workers_start(&service->settings, &service->workers, err);
    }
    if (outcome != OK) {
        if (!service_stop(service, 2000))
            LOG(WARN, "service.not-ended",
                TEXT("text", "some threads stay until the process ends"));
        return outcome;
    }
    *out = service;
    return OK;
}

bool service_stop(struct service *service, int64_t wait_ms)
{
    bool workers = service->workers == NULL || workers_stop(service->workers, wait_ms);
    bool desk = desk_stop(&service->desk, wait_ms);
    if (workers && desk)
        free(service);
    return workers && desk;
}

int service_link_port(const struct service *service)
{
    return link_port(service->desk.link);
}

enum outcome service_generate(struct service *service, const struct generate_wish *wish,
                              struct generate_reply *out, struct error *err)
{
    return keeper_task_generate(&service->desk, wish, out, err);
}

enum outcome service_opinion(struct service *service, const struct opinion_wish *wish,
                             struct opinion_reply *out, struct error *err)
{
    return keeper_task_opinion(&service->desk, wish, out, err);
}

enum outcome service_keys(struct service *service, json_t **out, struct error *err)
{
    return key_book_show(service->desk.keys, clock_now(), out, err);
}

enum outcome service_charter(struct service *service, const char *jws, int64_t *out_serial,
                             struct error *err)
{
    return keeper_task_charter(&service->desk, jws, out_serial, err);
}

void service_keepers(struct service *service, struct service_keepers *out)
{
    *out = (struct service_keepers){.connected = service->desk.keepers_connected,
                                    .charter_serial = service->desk.charter_serial};
}

const struct snp_roots *service_endorsement_roots(const struct service *service)
{
    return service->desk.endorser != NULL ? endorser_roots(service->desk.endorser) : NULL;
}

enum outcome service_attest(struct service *service, const struct uuid *instance, const char *why,
                            struct error *err)
{
    return keeper_task_attest(&service->desk, instance, why, err);
}

void service_wake(struct service *service)
{
    desk_wake(&service->desk);
    workers_wake(service->workers);
}
