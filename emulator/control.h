/* What tests and people ask the emulator about itself, below /_control/: see emulator/README.md. */
#ifndef MUSTER_EMULATOR_CONTROL_H
#define MUSTER_EMULATOR_CONTROL_H

#include "emulator/http_face.h"
#include "emulator/images.h"
#include "emulator/kds_face.h"
#include "emulator/metadata.h"
#include "emulator/whose.h"
#include "emulator/world.h"

#define CONTROL_PREFIX "/_control/"

struct control {
    struct world *world;
    const struct images *images;
    const struct psp *psp;
    struct kds_face *kds;
    struct metadata *metadata;
    struct whose *whose;
};

bool control_is_for(const struct face_request *request);
void control_answer(const struct control *control, const struct face_request *request,
                    struct face_answer *out);

#endif
