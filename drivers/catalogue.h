/* The editions of the catalogue that come with the program (drivers/catalogue/NAME.json): they are
 * part of it, as its code is, so nobody signs them. */
#ifndef MUSTER_DRIVERS_CATALOGUE_H
#define MUSTER_DRIVERS_CATALOGUE_H

#include "lib/model/catalogue.h"

#define CATALOGUE_CURRENT "current" /* in force where nobody chose another */
#define CATALOGUE_SEED "seed-2025"  /* the founding whitepaper's appendix; never replaced */

enum { CATALOGUE_BUILT_IN_COUNT = 2 };
extern const char *const catalogue_built_in_names[CATALOGUE_BUILT_IN_COUNT];

/* ERR_NOT_FOUND "no-such-edition". */
enum outcome catalogue_built_in(const char *name, struct catalogue **out, struct error *err);
bool catalogue_is_built_in(const char *name);

#endif
