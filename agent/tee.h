/* Where evidence comes from: one row a kind of hardware. The agent says what must be answered and
 * gets whatever its hardware proves that with; where the binding stands in it is told in trust.md
 * section 4. */
#ifndef MUSTER_AGENT_TEE_H
#define MUSTER_AGENT_TEE_H

#include "lib/attest/evidence.h"

enum {
    TEE_REPORT_SIZE = 1184,
    TEE_CERTS_MAX = 64 * 1024,
};

/* What the settings say; all texts are there, empty or not. */
struct tee_places {
    const char *tsm_path;     /* snp, vtpm: the report folder of configfs-tsm */
    int64_t privlevel;        /* snp, vtpm: VMPL asked for; negative: the kernel's choice */
    bool svsm;                /* vtpm: it is an SVSM's */
    const char *tpm;          /* azure, vtpm: tpm2-tss's name for it */
    const char *tpm_key;      /* vtpm: as tpm_key_choice_parse() takes it */
    const char *tpm_key_cert; /* vtpm: index of its certificate, or "" */
    const char *tpm_document; /* vtpm: a NitroTPM itself, or "": a quote is made */
    const char *event_log;    /* azure, vtpm: the kernel's file, or "": none is sent */
    const char *report_from;  /* azure: "boot", or "now" for a new one each time */
    const char *thim_program; /* azure: asks the host for certificates */
    const char *thim_url;     /* azure: where; "": nobody is asked */
    int64_t thim_seconds;
    const char *nsm_path; /* nitro: the security module's device */
    const char *socket;   /* simulated: the security processor's unix socket */
};

struct tee;

/* `name` is "snp", "azure", "vtpm", "nitro" or, in builds with the simulation, "simulated".
 * ERR_INVALID "unknown-tee"; ERR_NOT_FOUND and friends when the hardware is not there. */
enum outcome tee_open(const char *name, const struct tee_places *places, struct tee **out,
                      struct error *err);
void tee_close(struct tee *tee);
DROP(tee_drop, struct tee, tee_close)

enum evidence_kind tee_kind(const struct tee *tee);

/* All of the evidence but its "rest". Whatever fails may be tried again later, but for one: once an
 * answer was "vmpck-disabled" every later call says the same without asking, for there are no more
 * reports until the machine boots again. Blocks for as long as the hardware does. */
enum outcome tee_prove(struct tee *tee, const struct evidence_binding *asked, struct evidence *out,
                       struct error *err);
bool tee_is_lost(const struct tee *tee);

/* What a kind of hardware implements; the rows stand in tee.c. */
struct tee_driver {
    const char *name;
    enum evidence_kind kind;
    enum outcome (*open)(const struct tee_places *places, void **out, struct error *err);
    void (*close)(void *self);
    size_t report_size; /* of the bare report; 0: this kind has none */
    enum outcome (*prove)(void *self, const struct evidence_binding *asked, struct evidence *out,
                          struct error *err);
};
struct tee *tee_new(const struct tee_driver *driver, void *self); /* takes `self` over */
extern const struct tee_driver tee_snp_driver;
extern const struct tee_driver tee_azure_driver;
extern const struct tee_driver tee_vtpm_driver;
extern const struct tee_driver tee_nitro_driver;
extern const struct tee_driver tee_simulated_driver; /* not in --disable-simulation builds */

#endif
