noinst_LIBRARIES += keeper/libkeeper.a
keeper_libkeeper_a_SOURCES =
