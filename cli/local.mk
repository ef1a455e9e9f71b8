noinst_LIBRARIES += cli/libcli.a
cli_libcli_a_SOURCES = \
	cli/account.c cli/account.h \
	cli/account_test.c cli/account_test.h \
	cli/arguments.c cli/arguments.h \
	cli/bench.c cli/bench.h \
	cli/evidence_files.c cli/evidence_files.h \
	cli/verify.c cli/verify.h

bin_PROGRAMS += muster
muster_SOURCES = cli/main.c
muster_LDADD = cli/libcli.a drivers/libdrivers.a lib/attest/libattest.a lib/model/libmodel.a \
	lib/net/libnet.a lib/crypto/libcrypto_door.a lib/base/libbase.a \
	$(XML2_LIBS) $(NNG_LIBS) $(CURL_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS)
cli_libcli_a_SOURCES += cli/charter.c cli/charter.h
cli_libcli_a_SOURCES += cli/keeper.c cli/keeper.h
cli_libcli_a_SOURCES += cli/keeper_init.c cli/keeper_init.h
