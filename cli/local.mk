noinst_LIBRARIES += cli/libcli.a
cli_libcli_a_SOURCES =
