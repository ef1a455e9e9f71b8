noinst_LIBRARIES += emulator/libemulator.a
emulator_libemulator_a_SOURCES =
