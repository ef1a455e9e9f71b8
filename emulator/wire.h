/* Faults of the wire, which are the same for every cloud. */
#ifndef MUSTER_EMULATOR_WIRE_H
#define MUSTER_EMULATOR_WIRE_H

#include "emulator/http_face.h"
#include "emulator/mischief.h"

/* Those that do not even look at the call; false: it goes on. */
bool wire_breaks(const struct prank *prank, struct face_answer *out);
/* Those that spoil the answer to what was done. */
void wire_spoils(const struct prank *prank, struct face_answer *out);

#endif
