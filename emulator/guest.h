/* What runs inside a pretend machine: an agent process with a folder for a disk and one on tmpfs
 * for /run. Only the main thread calls these, for a child dies with the thread that made it. */
#ifndef MUSTER_EMULATOR_GUEST_H
#define MUSTER_EMULATOR_GUEST_H

#include "emulator/metadata.h"
#include "emulator/processor.h"

struct guest_settings {
    char *agent_command; /* split at spaces; "{config}" is the agent's settings file; empty: none */
    char *agent_config;  /* a file whose lines are added to it; may be empty */
    char *metadata_program; /* of agents: what asks the metadata service for them; empty: nothing */
    char *run_folder;
    int64_t restart_ms; /* an agent that ends is started again after this; 0: never */
};

struct guests {
    const struct guest_settings *settings;
    struct world *world;
    struct processor *processor;
    const struct metadata *metadata;
};

/* Moves every machine on that is due; gives the milliseconds until the next one is, at most 1000.
 * The world's lock is held. */
int64_t guests_tick(struct guests *guests);

/* Ends all agents and waits for them. The machines stay as they are, for the next run. */
void guests_end(struct guests *guests);

#endif
