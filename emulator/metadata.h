/* The clouds' metadata services, a port for each cloud: what a machine's own software may ask about
 * it, its signed identity documents, and credentials of its role. Machines are told apart by the
 * first part of the path, which stands in each agent's settings. */
#ifndef MUSTER_EMULATOR_METADATA_H
#define MUSTER_EMULATOR_METADATA_H

#include "emulator/http_face.h"
#include "emulator/papers.h"
#include "emulator/world.h"

#define SIM_ROLE "muster-sim-role"
#define SIM_SUBSCRIPTION "00000000-0000-4000-8000-000000000001"
#define SIM_CLIENT_ID "00000000-0000-4000-8000-000000000002"
#define SIM_GCP_EMAIL "muster-sim@muster-sim.iam.gserviceaccount.com"

/* What a hostile service does, to one machine or to all. */
enum metadata_lie {
    LIE_NONE,
    LIE_FORGED,        /* documents signed by somebody else */
    LIE_ALTERED,       /* changed after they were signed */
    LIE_EXPIRED,       /* of yesterday, or of the day after tomorrow */
    LIE_OTHER_MACHINE, /* another machine's, rightly signed, like the next ones */
    LIE_OTHER_ACCOUNT,
    LIE_OTHER_REGION,
    LIE_OLD_NONCE, /* that answer somebody else */
    LIE_NOT_CONFIDENTIAL,
    LIE_HTML, /* a page instead of an answer */
    LIE_HUGE, /* a megabyte */
    LIE_SLOW, /* after delay_ms */
    LIE_CUT,  /* connections end without a word */
    LIE_DARK, /* 503 */
    METADATA_LIE_COUNT
};
extern const struct names metadata_lie_names;

struct metadata_settings {
    const char *folder;        /* of the signing keys */
    const struct aws_api *aws; /* whose keys are given out */
    const struct gce_api *gce; /* whose tokens are given out; NULL: such as nobody takes */
    const struct arm_api *arm; /* likewise */
};

struct metadata;
struct aws_api;
struct gce_api;
struct arm_api;

enum outcome metadata_open(struct world *world, const struct metadata_settings *settings,
                           struct metadata **out, struct error *err);
void metadata_close(struct metadata *metadata);

/* "http://127.0.0.1:PORT", and with the machine's own part of the path; the caller frees it. */
char *metadata_url(const struct metadata *metadata, enum account_driver cloud,
                   const struct machine *machine);

/* What a charter says under `clouds` to take these documents. */
json_t *metadata_clouds(const struct metadata *metadata, const char *region);

/* {"lie": WORD, "ref": of one machine, or absent: of all, "delay_ms": N}. The world's lock is held,
 * like below. */
enum outcome metadata_set(struct metadata *metadata, const json_t *wish, struct error *err);
json_t *metadata_to_json(const struct metadata *metadata);

#endif
