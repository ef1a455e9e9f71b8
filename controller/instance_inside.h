/* What the steps of an instance have in common. For instance_steps.c and the files of its acts. */
#ifndef MUSTER_CONTROLLER_INSTANCE_INSIDE_H
#define MUSTER_CONTROLLER_INSTANCE_INSIDE_H

#include "controller/crew.h"
#include "db/operation_store.h"

enum {
    LOOK_SECONDS = 5,       /* at something that the cloud said it is doing */
    LOOK_BOOT_SECONDS = 30, /* at a machine whose agent has not spoken */
};

/* Giving the row back. */
enum outcome row_advance(struct worker *w, const struct instance *row, struct instance_step step,
                         struct error *err);
enum outcome row_look_later(struct worker *w, const struct instance *row, int64_t seconds,
                            struct error *err);
/* Failed, and the planner is told. Where it is its place's fault that is closed for a while; the
 * row goes elsewhere at once. */
enum outcome row_fail(struct worker *w, const struct instance *row, const struct error *why,
                      struct error *err);
/* The same when an order before may have been carried out all the same. A new token would never
 * find its machine: so the row ends under this one, as any that is not wanted, and another is made.
 */
enum outcome row_give_up(struct worker *w, const struct instance *row, const struct error *why,
                         struct error *err);

/* The same where its place was closed before its cloud was asked: nobody refused anything. */
enum outcome row_turn_away(struct worker *w, const struct instance *row, const struct error *why,
                           struct error *err);

void cloud_called(enum outcome outcome);
bool error_is(const struct error *err, enum cloud_error kind);

/* Everything that was launched under the row's token. */
enum outcome row_sightings(const struct open_cloud *open, const struct instance *row,
                           struct sighting_list *out, struct error *err);
/* By the database's clock, which rows are written by: at the time of its lease. */
int64_t row_seconds_since(const struct worker *w, const struct instance *row, struct moment since);
/* A cloud may not show for minutes what it just launched: "not found" says nothing yet. */
bool row_is_fresh(const struct worker *w, const struct instance *row);

/* How what the cloud goes on with fares. What is over is to be ended (operation_store_end) in the
 * transaction that writes down what came of it: between the two nobody would know. */
struct following {
    enum {
        FOLLOW_NOTHING, /* there is none of this intent, or its cloud has no such thing */
        FOLLOW_GOES_ON,
        FOLLOW_DONE, /* and well, or forgotten */
        FOLLOW_FAILED,
    } state;
    int64_t seconds;  /* goes on: until it is asked next */
    struct error why; /* failed: how */
};
/* An error: it could not be asked. */
enum outcome operation_follow(struct worker *w, const struct open_cloud *open,
                              const struct instance *row, enum intent intent, struct following *out,
                              struct error *err);
/* Its launch was answered, and its cloud may still go on with it: its worker asks how it fares. */
bool row_is_followed(const struct instance *row);
/* Keep what to ask by; an empty one is nothing to keep. Joins the caller's transaction. */
enum outcome operation_keep(struct worker *w, const struct instance *row, enum intent intent,
                            const struct cloud_operation *operation, struct error *err);
int64_t operation_wait(const struct cloud_operation *operation); /* until it is asked next */

/* launch_steps.c */
enum outcome request_it(struct worker *w, struct instance *row, struct error *err);
enum outcome adopt_or_launch(struct worker *w, struct instance *row, struct error *err);
enum outcome await_boot(struct worker *w, struct instance *row, struct error *err);

#endif
