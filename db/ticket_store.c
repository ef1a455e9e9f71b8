#include "db/ticket_store.h"

enum outcome ticket_store_set(struct db *db, const struct instance *claimed,
                              const uint8_t hash[static SHA256_SIZE], struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    int64_t changed = 0;
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_TICKET_SET,
                  PARAMS(p_uuid(&claimed->id), p_int(claimed->epoch), p_text(claimed->lease_holder),
                         p_hex(hash, SHA256_SIZE)),
                  &changed, err));
    if (changed != 1)
        return fail_code(err, ERR_CONFLICT, "lost", "another worker has the instance");
    return transaction_commit(&tx, err);
}
