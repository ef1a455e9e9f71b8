/* The audit trail: entries go in with the change they tell of; one sealer numbers and chains them.
 */
#ifndef MUSTER_DB_AUDIT_STORE_H
#define MUSTER_DB_AUDIT_STORE_H

#include "db/db_row.h"
#include "lib/model/audit.h"

RECORD_LIST(audit_entry);

enum { AUDIT_SEAL_BATCH = 500 };

/* Inside the caller's transaction. `detail` is borrowed and may be NULL; `out_id` too. */
enum outcome audit_store_add(struct db *db, const char *project, const char *actor,
                             const char *verb, const char *object, const json_t *detail,
                             int64_t *out_id, struct error *err);

/* Take over to the chain what was committed since, at most AUDIT_SEAL_BATCH; call until it gives
 * 0. Any number of sealers may try; they wait for one another. Sets METRIC_AUDIT_UNSEALED. */
enum outcome audit_store_seal(struct db *db, int64_t *out_sealed, struct error *err);

/* Sealed entries with a number above `after`, in order: the API's cursor and the events' ids. */
enum outcome audit_store_list(struct db *db, const char *project, int64_t after, int64_t limit,
                              struct audit_entry_list *out, struct error *err);
/* Everything said of one object ("instance:<uuid>"), sealed or not, in order. */
enum outcome audit_store_trace(struct db *db, const char *object, int64_t limit,
                               struct audit_entry_list *out, struct error *err);

/* The entry `first` ("verdict.given") about `object` and those soon after it that name the same
 * verdict, sealed or not, in order; few. */
enum outcome audit_store_verdict(struct db *db, const char *project, const char *object,
                                 int64_t first, const struct uuid *verdict,
                                 struct audit_entry_list *out, struct error *err);

/* Walk the whole chain: ERR_DENIED "audit-number", "audit-link", "audit-hash". */
enum outcome audit_store_verify(struct db *db, int64_t *out_checked, struct error *err);

#endif
