noinst_LIBRARIES += drivers/libdrivers.a
drivers_libdrivers_a_SOURCES =
