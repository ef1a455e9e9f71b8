/* The handlers of the API, one a row of routes.c. Each reads its request, asks the stores or the
 * service, and fills in the answer. */
#ifndef MUSTER_CONTROLLER_API_H
#define MUSTER_CONTROLLER_API_H

#include "controller/http_request.h"
#include "db/alarm_store.h"
#include "db/verdict_store.h"

/* api_health.c */
enum outcome health_alive(struct request *r, struct error *err);
enum outcome health_ready(struct request *r, struct error *err);
enum outcome health_metrics(struct request *r, struct error *err);
enum outcome health_openapi(struct request *r, struct error *err);
extern const char openapi_json[]; /* controller/openapi.json, compiled in */

/* api_accounts.c: accounts and images */
enum outcome accounts_list(struct request *r, struct error *err);
enum outcome accounts_add(struct request *r, struct error *err);
enum outcome accounts_show(struct request *r, struct error *err);
enum outcome accounts_confirm(struct request *r, struct error *err);
enum outcome accounts_change(struct request *r, struct error *err);
enum outcome accounts_remove(struct request *r, struct error *err);
enum outcome images_list(struct request *r, struct error *err);
enum outcome images_add(struct request *r, struct error *err);
enum outcome images_show(struct request *r, struct error *err);
enum outcome images_change(struct request *r, struct error *err);
enum outcome images_remove(struct request *r, struct error *err);

/* api_alarms.c */
json_t *alarms_to_json(const struct alarm_list *list);
enum outcome alarms_list(struct request *r, struct error *err);

/* api_catalogue.c */
enum outcome catalogue_show(struct request *r, struct error *err);
enum outcome catalogue_rules(struct request *r, struct error *err);
enum outcome catalogue_editions(struct request *r, struct error *err);
enum outcome catalogue_drift(struct request *r, struct error *err);
enum outcome catalogue_change(struct request *r, struct error *err);

/* api_charter.c */
enum outcome charter_show(struct request *r, struct error *err);
enum outcome charter_apply(struct request *r, struct error *err);
enum outcome charter_rehearse(struct request *r, struct error *err);

/* api_plan.c */
enum outcome policies_plan(struct request *r, struct error *err);
enum outcome tcb_plan(struct request *r, struct error *err);

/* api_cases.c */
enum outcome notices_list(struct request *r, struct error *err);
enum outcome notices_show(struct request *r, struct error *err);
enum outcome orphans_list(struct request *r, struct error *err);
enum outcome orphans_remove(struct request *r, struct error *err);
enum outcome cases_list(struct request *r, struct error *err);
enum outcome cases_show(struct request *r, struct error *err);
enum outcome cases_accept(struct request *r, struct error *err);
enum outcome cases_dismiss(struct request *r, struct error *err);

/* api_distrust.c */
enum outcome distrust_propose(struct request *r, struct error *err);
enum outcome distrusts_list(struct request *r, struct error *err);
enum outcome distrusts_show(struct request *r, struct error *err);

/* api_fleets.c */
enum outcome fleets_list(struct request *r, struct error *err);
enum outcome fleets_add(struct request *r, struct error *err);
enum outcome fleets_show(struct request *r, struct error *err);
enum outcome fleets_change(struct request *r, struct error *err);
enum outcome fleets_remove(struct request *r, struct error *err);
enum outcome fleets_status(struct request *r, struct error *err);

/* api_instances.c */
enum outcome instances_list(struct request *r, struct error *err);
enum outcome instances_show(struct request *r, struct error *err);
enum outcome instances_verdicts(struct request *r, struct error *err);
enum outcome instances_attest(struct request *r, struct error *err);
enum outcome instances_terminate(struct request *r, struct error *err);

/* api_keepers.c */
enum outcome keepers_list(struct request *r, struct error *err);
enum outcome keepers_forget(struct request *r, struct error *err);

/* api_probes.c */
enum outcome probes_list(struct request *r, struct error *err);

/* api_verdicts.c */
json_t *verdict_row_to_json(const struct verdict_row *row);
enum outcome verdicts_show(struct request *r, struct error *err);
enum outcome verdicts_evidence(struct request *r, struct error *err);
enum outcome verdicts_bundle(struct request *r, struct error *err);

/* api_tcb.c */
enum outcome tcb_list(struct request *r, struct error *err);

/* api_keys.c */
enum outcome keys_show(struct request *r, struct error *err);

/* api_verify.c */
enum outcome verify_any(struct request *r, struct error *err);

/* api_secrets.c */
enum outcome secrets_list(struct request *r, struct error *err);
enum outcome secrets_generate(struct request *r, struct error *err);
enum outcome secrets_show(struct request *r, struct error *err);

/* api_endorsements.c */
enum outcome endorsements_list(struct request *r, struct error *err);
enum outcome endorsements_show(struct request *r, struct error *err);
enum outcome endorsements_import(struct request *r, struct error *err);

/* api_audit.c */
enum outcome audit_list(struct request *r, struct error *err);

#endif
