/* Whether what a cloud shows under an instance's name is what was ordered. A cloud's word proves
 * nothing of a guest (evidence does), so that a doubt is shown and an alarm, and takes no trust. */
#ifndef MUSTER_CONTROLLER_DOUBT_H
#define MUSTER_CONTROLLER_DOUBT_H

#include "controller/crew.h"

/* Writes only what changed; a machine whose number was not known yet gets it. */
enum outcome doubt_look(struct worker *w, const struct instance *row, const struct sighting *seen,
                        struct error *err);

#endif
