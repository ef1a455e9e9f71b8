/* Where evidence comes from: one row a kind of hardware. The agent asks for a report over 64 bytes
 * of its own choice (the binding) and gets the report and the certificates that came with it. */
#ifndef MUSTER_AGENT_TEE_H
#define MUSTER_AGENT_TEE_H

#include "lib/model/binding.h"

enum {
    TEE_REPORT_SIZE = 1184,
    TEE_CERTS_MAX = 64 * 1024,
};

struct tee_places {
    const char *tsm_path; /* snp: the report folder of configfs-tsm */
    const char *socket;   /* simulated: the security processor's unix socket */
};

struct tee_report {
    struct bytes report;     /* TEE_REPORT_SIZE bytes */
    struct bytes cert_table; /* GHCB table, may be empty: untrusted, from the host */
};
void tee_report_done(struct tee_report *r);

struct tee;

/* `name` is "snp" or, in builds with the simulation, "simulated". ERR_INVALID "unknown-tee";
 * ERR_NOT_FOUND and friends when the hardware is not there. */
enum outcome tee_open(const char *name, const struct tee_places *places, struct tee **out,
                      struct error *err);
void tee_close(struct tee *tee);
DROP(tee_drop, struct tee, tee_close)

enum evidence_kind tee_kind(const struct tee *tee);

/* ERR_THROTTLED and ERR_CONFLICT: try again later. Once an answer was "vmpck-disabled" every later
 * call says the same without asking: there are no more reports until the machine boots again. */
enum outcome tee_report(struct tee *tee, const uint8_t report_data[static BINDING_SIZE],
                        struct tee_report *out, struct error *err);
bool tee_is_lost(const struct tee *tee);

/* What a kind of hardware implements; the rows stand in tee.c. */
struct tee_driver {
    const char *name;
    enum evidence_kind kind;
    enum outcome (*open)(const struct tee_places *places, void **out, struct error *err);
    void (*close)(void *self);
    enum outcome (*report)(void *self, const uint8_t report_data[static BINDING_SIZE],
                           struct tee_report *out, struct error *err);
};
struct tee *tee_new(const struct tee_driver *driver, void *self); /* takes `self` over */
extern const struct tee_driver tee_snp_driver;
extern const struct tee_driver tee_simulated_driver; /* not in --disable-simulation builds */

#endif
