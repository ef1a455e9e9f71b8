noinst_LIBRARIES += controller/libcontroller.a
controller_libcontroller_a_SOURCES =
