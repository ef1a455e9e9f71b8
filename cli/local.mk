noinst_LIBRARIES += cli/libcli.a
cli_libcli_a_SOURCES = \
	cli/account.c cli/account.h \
	cli/account_test.c cli/account_test.h
