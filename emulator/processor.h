/* The security processor as a guest meets it: one unix socket a machine. One line of JSON in,
 * {"report_data": HEX of 64 bytes}, one out, {"report": BASE64, "cert_table": BASE64} or
 * {"error": TEXT}. */
#ifndef MUSTER_EMULATOR_PROCESSOR_H
#define MUSTER_EMULATOR_PROCESSOR_H

#include "emulator/images.h"
#include "emulator/world.h"

struct processor;

/* Serves from a thread of its own, the only one that uses `psp`. Loans until processor_close. */
enum outcome processor_open(struct world *world, const struct images *images, struct psp *psp,
                            struct processor **out, struct error *err);
void processor_close(struct processor *processor); /* NULL is fine */

/* From here on machine `ref` has a socket at `path`; not after detaching. */
enum outcome processor_attach(struct processor *processor, const char *ref, const char *path,
                              struct error *err);
void processor_detach(struct processor *processor, const char *ref);

#endif
