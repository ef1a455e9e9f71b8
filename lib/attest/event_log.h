/* A TCG event log in the crypto-agile format (PC Client Platform Firmware Profile, section 10):
 * walked event by event, replayed into the PCR values it leads to. The log is the host's word until
 * the replay equals registers from a verified quote, and then only digests are proven: an event's
 * data counts where its type says how data becomes digest, and the digest agrees. */
#ifndef MUSTER_ATTEST_EVENT_LOG_H
#define MUSTER_ATTEST_EVENT_LOG_H

#include "lib/base/names.h"
#include "lib/crypto/digest.h"

enum {
    EVENT_LOG_MAX = 512 * 1024, /* genuine ones have less than 100 KiB */
    EVENT_BANKS_MAX = 16,       /* of the header, known or not */
    PCR_COUNT = 24,
};

enum bank { BANK_SHA1, BANK_SHA256, BANK_SHA384, BANK_SHA512, BANK_COUNT };
extern const struct names bank_names; /* "sha1", ... */
size_t bank_size(enum bank bank);
enum digest_kind bank_digest(enum bank bank);

struct event {
    uint32_t pcr;
    uint32_t type;
    struct span digests[BANK_COUNT]; /* empty where the event has none */
    struct span data;
};

enum event_type {
    EV_NO_ACTION = 0x3,
    EV_SEPARATOR = 0x4,
    EV_ACTION = 0x5,
    EV_S_CRTM_VERSION = 0x8,
    EV_IPL = 0xd,
};
#define EV_EFI_VARIABLE_DRIVER_CONFIG UINT32_C(0x80000001)
#define EV_EFI_VARIABLE_BOOT UINT32_C(0x80000002)
#define EV_EFI_BOOT_SERVICES_APPLICATION UINT32_C(0x80000003)
#define EV_EFI_GPT_EVENT UINT32_C(0x80000006)
#define EV_EFI_ACTION UINT32_C(0x80000007)

/* An open log; borrows. */
struct event_log {
    struct span rest;
    size_t bank_count;
    struct {
        uint16_t algorithm;
        uint16_t size;
    } banks[EVENT_BANKS_MAX];
    bool has_bank[BANK_COUNT];
};

/* Reads the header. ERR_INVALID "malformed". */
enum outcome event_log_open(struct span in, struct event_log *out, struct error *err);
/* The next event; `*done` at the end. */
enum outcome event_log_next(struct event_log *log, struct event *out, bool *done,
                            struct error *err);

enum event_proof {
    EVENT_DATA_OPEN,   /* the type does not say: the data is a hint */
    EVENT_DATA_PROVEN, /* the digest is the data's, in every bank */
    EVENT_DATA_WRONG,  /* it should be, and is not */
};
enum event_proof event_check(const struct event *event);
/* The part of the data that was measured: GRUB writes words of its own before it. Empty unless the
 * data is proven. */
struct span event_measured(const struct event *event);

/* Where a log leads, bank by bank. */
struct pcr_values {
    bool has[PCR_COUNT];
    uint8_t value[PCR_COUNT][DIGEST_SIZE_MAX];
};

struct event_replay {
    size_t events; /* with the header */
    uint32_t wrong_pcr, wrong_type;
    size_t wrong; /* events whose data is not what was measured; the first is named above */
    struct pcr_values banks[BANK_COUNT]; /* has: at least one event went there */
};

/* As a TPM that starts has them. */
void pcr_start(enum bank bank, int pcr, uint8_t *out);

enum outcome event_log_replay(struct span in, struct event_replay *out, struct error *err);

#endif
