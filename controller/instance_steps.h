/* What a worker does with one claimed instance, by its phase. */
#ifndef MUSTER_CONTROLLER_INSTANCE_STEPS_H
#define MUSTER_CONTROLLER_INSTANCE_STEPS_H

#include "controller/crew.h"

/* Claim what is due, act, give it back. `out_did`: whether there was anything. Errors of single
 * rows are kept in the rows; what comes out is the database's. */
enum outcome instances_work(struct worker *worker, bool *out_did, struct error *err);

/* The act of the row's phase, for tests: OK means that the lease was given back. */
enum outcome instance_work(struct worker *worker, struct instance *row, struct error *err);

#endif
