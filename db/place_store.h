/* Where fleets stand, and where clouds had no room. */
#ifndef MUSTER_DB_PLACE_STORE_H
#define MUSTER_DB_PLACE_STORE_H

#include "db/db_row.h"
#include "lib/model/fleet.h"
#include "lib/model/placement.h"

/* The fleet's places with what stands in each, and what is closed. */
enum outcome place_store_look(struct db *db, const struct fleet *fleet, struct placement *out,
                              struct error *err);

/* The cloud would not take this row for want of room or quota, or does not support it: nothing of
 * its size goes there for a while, each time for longer; what is not supported, nothing of its
 * fleet. All but a quota is its zone's where the fleet names zones, else the account's. What failed
 * while it was closed changes nothing. Joins the caller's transaction. */
enum outcome place_store_close(struct db *db, const struct instance *row, const char *code,
                               const char *text, const char *actor, struct error *err);

/* It was closed before this row's cloud was asked: the row says why it is elsewhere, and nothing is
 * held against the place. Joins, as above. */
enum outcome place_store_turned_away(struct db *db, const struct instance *row, const char *code,
                                     struct error *err);

struct closure {
    char code[48];
    char text[ERROR_TEXT_SIZE];
    struct moment until;
};
/* Is where the row is to go closed? ERR_NOT_FOUND: it is open. */
enum outcome place_store_closed(struct db *db, const struct instance *row, struct closure *out,
                                struct error *err);
/* It took the order for this row. It may yet take the machine back, and then its failures count on;
 * what it refuses outright after this is the first again. Joins, as above. */
enum outcome place_store_taken(struct db *db, const struct instance *row, struct error *err);
/* It made this one: what was held against it and ran out is forgotten. Joins, as above. */
enum outcome place_store_opened(struct db *db, const struct instance *row, struct error *err);

#endif
