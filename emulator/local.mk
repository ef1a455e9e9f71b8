noinst_LIBRARIES += emulator/libemulator.a
emulator_libemulator_a_SOURCES = \
	emulator/psp.c emulator/psp.h \
	emulator/psp_report.c emulator/psp_report.h
