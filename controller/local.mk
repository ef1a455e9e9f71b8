# One module a line, sorted.
noinst_LIBRARIES += controller/libcontroller.a
controller_libcontroller_a_SOURCES =
controller_libcontroller_a_SOURCES += controller/alarms.c controller/alarms.h
controller_libcontroller_a_SOURCES += controller/api.h
controller_libcontroller_a_SOURCES += controller/api_accounts.c
controller_libcontroller_a_SOURCES += controller/api_alarms.c
controller_libcontroller_a_SOURCES += controller/api_audit.c
controller_libcontroller_a_SOURCES += controller/api_cases.c
controller_libcontroller_a_SOURCES += controller/api_orphans.c
controller_libcontroller_a_SOURCES += controller/api_catalogue.c
controller_libcontroller_a_SOURCES += controller/api_charter.c
controller_libcontroller_a_SOURCES += controller/api_distrust.c
controller_libcontroller_a_SOURCES += controller/api_endorsements.c
controller_libcontroller_a_SOURCES += controller/api_fleets.c
controller_libcontroller_a_SOURCES += controller/api_health.c
controller_libcontroller_a_SOURCES += controller/api_instances.c
controller_libcontroller_a_SOURCES += controller/api_keepers.c
controller_libcontroller_a_SOURCES += controller/api_probes.c
controller_libcontroller_a_SOURCES += controller/api_plan.c
controller_libcontroller_a_SOURCES += controller/api_keys.c
controller_libcontroller_a_SOURCES += controller/api_secrets.c
controller_libcontroller_a_SOURCES += controller/api_tcb.c
controller_libcontroller_a_SOURCES += controller/api_verdicts.c
controller_libcontroller_a_SOURCES += controller/api_verify.c
controller_libcontroller_a_SOURCES += controller/attestation.c
controller_libcontroller_a_SOURCES += controller/auth.c controller/auth.h
controller_libcontroller_a_SOURCES += controller/bundles.c controller/bundles.h
controller_libcontroller_a_SOURCES += controller/calls.c controller/calls.h
controller_libcontroller_a_SOURCES += controller/candidate.c controller/candidate.h
controller_libcontroller_a_SOURCES += controller/catalogues.c controller/catalogues.h
controller_libcontroller_a_SOURCES += controller/charter_plan.c controller/charter_plan.h
controller_libcontroller_a_SOURCES += controller/clouds.c controller/clouds.h
controller_libcontroller_a_SOURCES += controller/crew.h
controller_libcontroller_a_SOURCES += controller/desk.c controller/desk.h
controller_libcontroller_a_SOURCES += controller/endorser.c controller/endorser.h
controller_libcontroller_a_SOURCES += controller/endorser_fetch.c controller/endorser_inside.h
controller_libcontroller_a_SOURCES += controller/endorsing.c controller/endorsing.h
controller_libcontroller_a_SOURCES += controller/doubt.c controller/doubt.h
controller_libcontroller_a_SOURCES += controller/drift.c controller/drift.h
controller_libcontroller_a_SOURCES += controller/fleet_rules.c controller/fleet_rules.h
controller_libcontroller_a_SOURCES += controller/fleet_steps.c controller/fleet_steps.h
controller_libcontroller_a_SOURCES += controller/guests.c
controller_libcontroller_a_SOURCES += controller/http_request.c controller/http_request.h
controller_libcontroller_a_SOURCES += controller/http_server.c controller/http_server.h
controller_libcontroller_a_SOURCES += controller/http_target.c controller/http_target.h
controller_libcontroller_a_SOURCES += controller/instance_steps.c controller/instance_steps.h
controller_libcontroller_a_SOURCES += controller/instance_inside.h controller/launch_steps.c controller/row_acts.c
controller_libcontroller_a_SOURCES += controller/instance_view.c controller/instance_view.h
controller_libcontroller_a_SOURCES += controller/keeper_probes.c controller/keeper_probes.h
controller_libcontroller_a_SOURCES += controller/keeper_status.c controller/keeper_status.h
controller_libcontroller_a_SOURCES += controller/keeper_tasks.c controller/keeper_tasks.h
controller_libcontroller_a_SOURCES += controller/keepers.c controller/keepers.h
controller_libcontroller_a_SOURCES += controller/key_book.c controller/key_book.h
controller_libcontroller_a_SOURCES += controller/leftovers.c controller/leftovers.h
controller_libcontroller_a_SOURCES += controller/orphan_steps.c controller/orphan_steps.h
controller_libcontroller_a_SOURCES += controller/orphans.c controller/orphans.h
controller_libcontroller_a_SOURCES += controller/plan_dates.c controller/plan_dates.h
controller_libcontroller_a_SOURCES += controller/passport.c
controller_libcontroller_a_SOURCES += controller/problem.c controller/problem.h
controller_libcontroller_a_SOURCES += controller/recall.c
controller_libcontroller_a_SOURCES += controller/release.c
controller_libcontroller_a_SOURCES += controller/routes.c controller/routes.h
controller_libcontroller_a_SOURCES += controller/service.c controller/service.h
controller_libcontroller_a_SOURCES += controller/settings.c controller/settings.h
controller_libcontroller_a_SOURCES += controller/slots.c controller/slots.h
controller_libcontroller_a_SOURCES += controller/tick.c controller/tick.h
controller_libcontroller_a_SOURCES += controller/token_command.c controller/token_command.h
controller_libcontroller_a_SOURCES += controller/userdata.c controller/userdata.h
controller_libcontroller_a_SOURCES += controller/verify_gate.c controller/verify_gate.h
controller_libcontroller_a_SOURCES += controller/watch.c controller/watch.h
controller_libcontroller_a_SOURCES += controller/worker.c controller/worker.h

# The document that others read is compiled in, so that what is served is what was tested.
nodist_controller_libcontroller_a_SOURCES = controller/openapi_json.c
EXTRA_DIST += tools/text2c controller/openapi.json
CLEANFILES += controller/openapi_json.c
controller/openapi_json.c: $(top_srcdir)/tools/text2c $(top_srcdir)/controller/openapi.json
	$(AM_V_GEN)$(MKDIR_P) controller && \
	$(AWK) -f $(top_srcdir)/tools/text2c -v name=openapi_json $(top_srcdir)/controller/openapi.json >$@.new && \
	mv $@.new $@

CONTROLLER_LIBS = db/libdb.a drivers/libdrivers.a $(ATTEST_LIBS) $(MODEL_LIBS) lib/net/libnet.a \
	$(CRYPTO_LIBS) $(NNG_LIBS) $(CURL_LIBS) $(XML2_LIBS) $(PQ_LIBS) $(MHD_LIBS)
sbin_PROGRAMS += controller/musterd
controller_musterd_SOURCES = controller/main.c
controller_musterd_LDADD = controller/libcontroller.a $(CONTROLLER_LIBS)
dist_man_MANS += controller/musterd.8
