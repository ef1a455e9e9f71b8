#include "db/alarm_store.h"

static const char *const severity_words[] = {"critical", "warning"};
_Static_assert(countof(severity_words) == ALARM_SEVERITY_COUNT);
const struct names alarm_severity_names = NAMES("severity", severity_words);

/* clang-format off */
static const struct field fields[] = {
    FIELD(alarm, code,     FIELD_TEXT),
    FIELD(alarm, severity, FIELD_NAME, .names = &alarm_severity_names),
    FIELD(alarm, object,   FIELD_TEXT),
    FIELD(alarm, text,     FIELD_TEXT),
    FIELD(alarm, since,    FIELD_MOMENT),
    FIELD(alarm, project,  FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(alarm, fleet,    FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(alarm, of_code,  FIELD_INT,  .flags = FIELD_HIDDEN),
    FIELD(alarm, total,    FIELD_INT,  .flags = FIELD_HIDDEN),
};
/* clang-format on */
const struct record alarm_record = RECORD(alarm, fields);
RECORD_LIST_BODY(alarm, &alarm_record)

enum outcome alarm_store_list(struct db *db, const char *project, const char *fleet,
                              struct alarm_list *out, struct error *err)
{
    return alarm_list_of(db, SQL_ALARM_LIST,
                         PARAMS(p_text(project), p_text(fleet), p_int(ALARMS_MOST)), out, err);
}
