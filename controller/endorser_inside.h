/* What controller/endorser.c and endorser_fetch.c share: one fetch, and how it ended. */
#ifndef MUSTER_CONTROLLER_ENDORSER_INSIDE_H
#define MUSTER_CONTROLLER_ENDORSER_INSIDE_H

#include "controller/endorser.h"
#include "lib/net/http.h"

enum fetch_end {
    FETCH_KEPT,    /* in the cache */
    FETCH_REFUSED, /* the maker has none, or gave what may not be kept: not asked for again soon */
    FETCH_LATER,   /* throttled, broken or dark: the service as a whole is let alone for a while */
    FETCH_KEPT_FROM, /* by our own database: nothing is said of the service */
};

struct fetcher {
    struct db *db;
    struct http *http;
    const struct snp_roots *roots;
    const char *base_url;
    const char *ca_file;
};

/* Asks the service once. `out_told_ms` is its Retry-After. */
enum fetch_end fetch_item(struct fetcher *f, const struct kds_item *item, int64_t *out_told_ms,
                          struct error *err);

/* How a name that was missed with this code ends for those who wait. */
enum outcome endorsement_miss_outcome(const char *code);

/* Lists and chains that are due to be looked at again; also sets the metrics of their age. */
struct due_lists {
    size_t count;
    struct kds_item at[2 * LINE_COUNT];
};
enum outcome lists_look(struct db *db, struct due_lists *out, struct error *err);

#endif
