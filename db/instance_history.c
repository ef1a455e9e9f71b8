#include "db/instance_history.h"

#include <stdio.h>

#include "db/audit_store.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(instance_change, id,         FIELD_INT),
    FIELD(instance_change, at,         FIELD_MOMENT),
    FIELD(instance_change, machine,    FIELD_TEXT),
    FIELD(instance_change, from_state, FIELD_TEXT),
    FIELD(instance_change, to_state,   FIELD_TEXT),
    FIELD(instance_change, reason,     FIELD_TEXT),
    FIELD(instance_change, epoch,      FIELD_INT),
    FIELD(instance_change, audit,      FIELD_INT),
};
/* clang-format on */
const struct record instance_change_record = RECORD(instance_change, fields);
RECORD_LIST_BODY(instance_change, &instance_change_record)

struct instance_object instance_object(const struct uuid *id)
{
    struct instance_object object;
    snprintf(object.at, sizeof object.at, "instance:%s", uuid_text(id).at);
    return object;
}

static json_t *tell(const struct instance *now, const char *from, const char *to,
                    const char *reason)
{
    json_t *detail = json_object();
    json_put_text(detail, "fleet", now->fleet);
    json_put_text(detail, "from", from);
    json_put_text(detail, "to", to);
    json_put_text(detail, "reason", reason);
    json_put_int(detail, "epoch", now->epoch);
    if (!uuid_is_zero(&now->verdict_id))
        json_put_uuid(detail, "verdict_id", &now->verdict_id);
    return detail;
}

enum outcome instance_history_write(struct db *db, const struct instance *now,
                                    const struct machine *machine, int from, int to,
                                    const char *reason, const char *actor, struct error *err)
{
    const char *from_word = name_of(machine->states, from), *to_word = name_of(machine->states, to);
    char verb[AUDIT_VERB_SIZE];
    snprintf(verb, sizeof verb, "instance.%s-changed", machine->name);
    OWNED(json_drop) json_t *detail = tell(now, from_word, to_word, reason);
    int64_t audit = 0;
    TRY(audit_store_add(db, now->project, actor, verb, instance_object(&now->id).at, detail, &audit,
                        err));
    return db_run(db, SQL_INSTANCE_HISTORY_ADD,
                  PARAMS(p_uuid(&now->id), p_text(machine->name), p_text(from_word),
                         p_text(to_word), p_text(reason), p_int(now->epoch), p_int(audit)),
                  NULL, err);
}

enum outcome instance_store_history(struct db *db, const struct uuid *id,
                                    struct instance_change_list *out, struct error *err)
{
    return instance_change_list_of(db, SQL_INSTANCE_HISTORY, PARAMS(p_uuid(id)), out, err);
}
