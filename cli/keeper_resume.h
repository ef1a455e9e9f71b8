/* Writing and signing the order that lets a halted keeper release again: offline, two people, one
 * after the other (lib/model/resume_order.h). */
#ifndef MUSTER_CLI_KEEPER_RESUME_H
#define MUSTER_CLI_KEEPER_RESUME_H

#include "lib/base/error.h"

/* `muster keeper resume-order ...`; argv[1] is the verb. */
enum outcome keeper_resume_order(int argc, char **argv, struct error *err);

#endif
