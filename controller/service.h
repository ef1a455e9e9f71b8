/* The controller without its HTTP edge: the link with agents and keepers, the workers that drive
 * clouds, the watch and the audit sealer. main.c starts one; routes call it where an answer needs a
 * keeper or an agent. Everything here may be called from any thread. */
#ifndef MUSTER_CONTROLLER_SERVICE_H
#define MUSTER_CONTROLLER_SERVICE_H

#include "lib/base/error.h"
#include "lib/base/uuid.h"
#include "lib/model/message.h"

struct charter_signers;
struct service;
struct snp_roots;

/* All text is borrowed until service_stop(). */
struct service_settings {
    const char *database;    /* URL */
    const char *link_listen; /* "address:port", port 0 for any */
    const char *link_url;    /* what user-data tells agents; "" makes it from link_listen */
    const char *cert_file;   /* role certificate, PEM */
    const char *key_file;    /* 0600 */
    const char *root_file;   /* the deployment root(s), PEM */
    const char *project;
    const char *endorsements;      /* URL of the chip maker's service, or "off"; NULL: no cache */
    const char *endorsement_roots; /* the simulated maker's, PEM; "" or NULL: AMD's */
    const char *endorsement_ca;    /* whom to trust at that URL, PEM; "" or NULL: the system's */
    const struct charter_signers *catalogue_signers; /* whose editions count; NULL: nobody's */
    int64_t vanish_hold_seconds; /* before most that are missing at once are taken for gone; as: */
    int64_t leftover_seconds;    /* between two looks for what machines left behind; 0: as usual */
    int64_t catalogue_seconds;   /* between two comparisons of an account with it; 0: as usual */
    int64_t heartbeat_seconds;
    int64_t keeper_seconds;        /* between two questions to a keeper how it is; 0: 30 */
    int64_t appraisals_at_once;    /* of each keeper, over all controllers; 0: as usual */
    int64_t appraisals_per_second; /* begun; the same */
    int64_t probe_seconds;         /* between two rounds of what it must refuse; 0: 60 */
    int64_t workers;               /* threads that drive clouds */
    int64_t lease_seconds;         /* longer than any cloud call's deadline */
    int64_t watch_seconds;         /* between two looks at the clouds */
    int64_t retain_days;           /* history and verdicts of what is over; 0: for ever */
    int64_t retain_verdicts_days;  /* verdicts of what lives on; 0: for ever */
    int64_t agents_most;           /* connections on the link */
    int64_t per_address_most;
};

/* The database is migrated already. Starts every thread; ready when it returns. */
enum outcome service_start(const struct service_settings *settings, struct service **out,
                           struct error *err);

/* Ends every thread within `wait_ms`. False: something did not end; the process may exit anyway,
 * for the database is the truth. */
bool service_stop(struct service *service, int64_t wait_ms);

int service_link_port(const struct service *service);

/* ERR_UNREACHABLE "no-keeper" when none is connected; the keeper's own code when it refuses. */
enum outcome service_generate(struct service *service, const struct generate_wish *wish,
                              struct generate_reply *out, struct error *err);
/* What a keeper thinks of evidence that nobody challenged. */
enum outcome service_opinion(struct service *service, const struct opinion_wish *wish,
                             struct opinion_reply *out, struct error *err);
/* What keepers sign opinions and passports with (key_book_show). Waits for nobody. */
enum outcome service_keys(struct service *service, json_t **out, struct error *err);
/* Offer a charter to every keeper on the link; the first refusal is the answer. */
enum outcome service_charter(struct service *service, const char *jws, int64_t *out_serial,
                             struct error *err);

struct service_keepers {
    int64_t connected;
    int64_t charter_serial; /* the highest any of them obeys; 0: none */
};
void service_keepers(struct service *service, struct service_keepers *out);

/* What endorsements are checked against; NULL: AMD's. */
const struct snp_roots *service_endorsement_roots(const struct service *service);

/* Ask the instance's agent for fresh evidence. ERR_NOT_FOUND "agent-not-connected". */
enum outcome service_attest(struct service *service, const struct uuid *instance, const char *why,
                            struct error *err);

/* Something became due: look now instead of at the next tick. */
void service_wake(struct service *service);

#endif
