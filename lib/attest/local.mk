noinst_LIBRARIES += lib/attest/libattest.a
lib_attest_libattest_a_SOURCES =
