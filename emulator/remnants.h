/* What comes with a machine and is paid for by itself: a disk, an address, an interface. They end
 * with it, unless it was told to end under mischief: then they stay, with nobody who has them. */
#ifndef MUSTER_EMULATOR_REMNANTS_H
#define MUSTER_EMULATOR_REMNANTS_H

#include "lib/base/json.h"
#include "lib/base/names.h"
#include "lib/model/account.h"

struct world;
struct machine;
struct tag;

enum remnant_kind { REMNANT_DISK, REMNANT_ADDRESS, REMNANT_INTERFACE, REMNANT_KIND_COUNT };
extern const struct names remnant_kind_names; /* "disk", "address", "interface" */

struct remnant {
    enum remnant_kind kind;
    enum account_driver cloud;
    char ref[64];  /* EC2's id of it */
    char name[96]; /* by which its owner knows it elsewhere */
    char group[96];
    char region[64];
    char zone[64];
    char client_token[65]; /* of the machine, as the next */
    char machine[64];      /* its name or ref */
    bool in_use;
    const struct tag *tags; /* the machine's, or a copy of them */
    size_t tag_count;
};

/* What stayed. Only as long as this process: a restart of the simulator forgets it. */
struct remnants {
    struct remnant *at;
    size_t count;
};
void remnants_done(struct remnants *remnants);

/* The machine just ended and leaves them; on Google Cloud an interface is a part of a machine. */
void remnants_leave(struct world *world, const struct machine *machine);

/* All of a cloud: those of its machines, then those that stayed. */
typedef void remnant_fn(const struct remnant *remnant, void *context);
void remnants_each(const struct world *world, enum account_driver cloud, enum remnant_kind kind,
                   remnant_fn *fn, void *context);

/* Whose ref or name it is, in that group or region, which may be NULL for any. */
enum remnant_end { REMNANT_GONE, REMNANT_IN_USE, REMNANT_UNKNOWN };
enum remnant_end remnants_discard(struct world *world, enum account_driver cloud,
                                  enum remnant_kind kind, const char *where, const char *ref);

const char *remnant_tag(const struct remnant *remnant, const char *key); /* NULL: none */

#endif
