/* What Azure answers. Pure: bytes in, structs out. JSON is strict (no member twice, bounded depth
 * and size), and an answer that cannot be read is never taken for a no. */
#ifndef MUSTER_DRIVERS_AZURE_AZURE_ANSWERS_H
#define MUSTER_DRIVERS_AZURE_AZURE_ANSWERS_H

#include "drivers/driver.h"
#include "lib/base/text.h"

enum { ARM_MACHINES_MAX = 100 * 1000, ARM_LINK_MAX = 4096 };

struct arm_error {
    enum cloud_error kind;
    char code[96]; /* Azure's own, from the outermost in; "HTTP 502" where there is none */
    char message[256];
    char action[ERROR_WHERE_SIZE]; /* the permission that is missing; may be empty */
};

/* OK for 2xx; otherwise fails with the word of the error class, and the missing permission as
 * `where`. */
enum outcome arm_check_status(int status, struct span body, struct error *err);
struct arm_error arm_error_read(int status, struct span body);
enum outcome arm_fail(const struct arm_error *said, int status, struct error *err);

/* One machine, as PUT and GET answer. `ambiguous` when it cannot be read. `out_order` is what
 * TAG_ORDER holds; may be NULL. */
enum outcome arm_read_machine(struct span body, struct sighting *out, struct text *out_order,
                              struct notice_list *notices, struct error *err);

/* Which machines of a list are ours; NULL: any. */
struct arm_filter {
    const char *owner; /* by tag */
    const char *group;
};

/* A page: adds to `out`, ARM_MACHINES_MAX at most; `next` is set, or emptied. */
enum outcome arm_read_page(struct span body, const struct arm_filter *filter,
                           struct sighting_list *out, struct notice_list *notices,
                           struct text *next, struct error *err);
/* An instance view by itself: only state, state_word and reason are filled. */
enum outcome arm_read_view(struct span body, struct sighting *out, struct notice_list *notices,
                           struct error *err);

/* How an operation fares: OK with `out_done`, or how it failed. `ambiguous` when unreadable. */
enum outcome arm_read_operation(struct span body, bool *out_done, struct error *err);

enum outcome arm_read_subscription(struct span body, struct cloud_identity *out, struct error *err);

/* What a guest is told of its host (scheduled events). */
enum outcome imds_read_events(struct span body, struct notice_list *out, struct error *err);

#endif
