/* Many machines that are not in one list are as a rule the list's fault: another account, another
 * endpoint, a cloud with a bad day. Ending their rows would launch the fleet a second time. */
#ifndef MUSTER_MODEL_BRAKE_H
#define MUSTER_MODEL_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BRAKE_LEAST = 10,   /* so few may always have gone by themselves */
    BRAKE_PERCENT = 50, /* of those that were there: more at once is the list's fault */
    BRAKE_LOOKS = 3,    /* whole lists, one after another, before it is believed */
    BRAKE_SECONDS = 900,
};

/* What one whole list says of an account's rows, and what the lists before it said. */
struct vanishing {
    int64_t settled; /* rows whose machine was there before and is wanted */
    int64_t missing; /* of these, not in the list at all; one that it shows as gone is in it */
    int64_t looks;   /* that said so, this one too */
    int64_t held_seconds;
    int64_t hold_seconds; /* so long it is held at least; 0: BRAKE_SECONDS */
    bool believed;        /* a person says that it is true */
};

bool vanishing_is_mass(const struct vanishing *seen);
/* It lasted, or a person says so. */
bool vanishing_is_believed(const struct vanishing *seen);
/* Nothing may vanish by this list yet. */
bool vanishing_is_held(const struct vanishing *seen);

#endif
