noinst_LIBRARIES += cli/libcli.a
cli_libcli_a_SOURCES =
cli_libcli_a_SOURCES += cli/account.c cli/account.h
cli_libcli_a_SOURCES += cli/account_explain.c cli/account_explain.h
cli_libcli_a_SOURCES += cli/account_test.c cli/account_test.h
cli_libcli_a_SOURCES += cli/api.c cli/api.h cli/api_table.c
cli_libcli_a_SOURCES += cli/arguments.c cli/arguments.h
cli_libcli_a_SOURCES += cli/bench.c cli/bench.h
cli_libcli_a_SOURCES += cli/catalogue.c cli/catalogue.h
cli_libcli_a_SOURCES += cli/charter.c cli/charter.h
cli_libcli_a_SOURCES += cli/charter_cases.c cli/charter_cases.h
cli_libcli_a_SOURCES += cli/charter_review.c cli/charter_review.h
cli_libcli_a_SOURCES += cli/charter_test.c cli/charter_test.h
cli_libcli_a_SOURCES += cli/client.c cli/client.h
cli_libcli_a_SOURCES += cli/endorsements.c cli/endorsements.h
cli_libcli_a_SOURCES += cli/evidence.c cli/evidence.h
cli_libcli_a_SOURCES += cli/evidence_files.c cli/evidence_files.h
cli_libcli_a_SOURCES += cli/explain.c cli/explain.h cli/explain_table.c
cli_libcli_a_SOURCES += cli/fleet.c cli/fleet.h
cli_libcli_a_SOURCES += cli/image.c cli/image.h
cli_libcli_a_SOURCES += cli/keeper.c cli/keeper.h
cli_libcli_a_SOURCES += cli/keeper_destroy.c cli/keeper_destroy.h
cli_libcli_a_SOURCES += cli/keeper_init.c cli/keeper_init.h
cli_libcli_a_SOURCES += cli/keeper_recovery.c cli/keeper_recovery.h
cli_libcli_a_SOURCES += cli/keeper_renew.c cli/keeper_renew.h
cli_libcli_a_SOURCES += cli/keeper_reset.c cli/keeper_reset.h
cli_libcli_a_SOURCES += cli/keeper_resume.c cli/keeper_resume.h
cli_libcli_a_SOURCES += cli/machines.c cli/machines.h
cli_libcli_a_SOURCES += cli/measure.c cli/measure.h
cli_libcli_a_SOURCES += cli/options.c cli/options.h
cli_libcli_a_SOURCES += cli/order.c cli/order.h
cli_libcli_a_SOURCES += cli/print.c cli/print.h
cli_libcli_a_SOURCES += cli/rules.c cli/rules.h
cli_libcli_a_SOURCES += cli/signing.c cli/signing.h
cli_libcli_a_SOURCES += cli/status.c cli/status.h
cli_libcli_a_SOURCES += cli/token.c cli/token.h
cli_libcli_a_SOURCES += cli/verify.c cli/verify.h
cli_libcli_a_SOURCES += cli/verify_bundle.c cli/verify_bundle.h
cli_libcli_a_SOURCES += cli/verify_common.c cli/verify_common.h
cli_libcli_a_SOURCES += cli/vtpm_files.c cli/vtpm_files.h

bin_PROGRAMS += cli/muster
cli_muster_SOURCES = cli/main.c
cli_muster_LDADD = cli/libcli.a drivers/libdrivers.a lib/attest/libattest.a lib/model/libmodel.a \
	lib/net/libnet.a lib/crypto/libcrypto_door.a lib/base/libbase.a \
	$(XML2_LIBS) $(NNG_LIBS) $(CURL_LIBS) $(CBOR_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS)

dist_man_MANS += cli/muster.1
