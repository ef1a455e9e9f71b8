/* What is wrong now. An alarm is drawn from the rows each time it is asked for
 * (db/queries/alarm.sql), and is over when they say so. */
#ifndef MUSTER_DB_ALARM_STORE_H
#define MUSTER_DB_ALARM_STORE_H

#include "db/db_row.h"
#include "lib/model/audit.h"
#include "lib/model/instance.h"

enum alarm_severity { ALARM_CRITICAL, ALARM_WARNING, ALARM_SEVERITY_COUNT };
extern const struct names alarm_severity_names; /* "critical", "warning" */

struct alarm {
    char code[ERROR_CODE_SIZE]; /* `muster explain` knows it */
    enum alarm_severity severity;
    char object[AUDIT_OBJECT_SIZE]; /* "keeper:..." */
    char text[ERROR_TEXT_SIZE];
    struct moment since;
    char project[PROJECT_SIZE]; /* "": everybody's */
    char fleet[NAME_SIZE];      /* "": no single fleet's */
    int64_t of_code;            /* how many there are of this code, and in all */
    int64_t total;
};
extern const struct record alarm_record; /* without the counts in JSON */
RECORD_LIST(alarm);

enum { ALARMS_MOST = 200 };

/* What concerns a project, and of that a fleet; NULL: any. At most ALARMS_MOST, some of each code,
 * the critical first. */
enum outcome alarm_store_list(struct db *db, const char *project, const char *fleet,
                              struct alarm_list *out, struct error *err);

#endif
