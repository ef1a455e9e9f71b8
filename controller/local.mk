# One module a line, sorted.
noinst_LIBRARIES += controller/libcontroller.a
controller_libcontroller_a_SOURCES =
controller_libcontroller_a_SOURCES += controller/http_server.c controller/http_server.h
controller_libcontroller_a_SOURCES += controller/http_target.c controller/http_target.h
controller_libcontroller_a_SOURCES += controller/problem.c controller/problem.h
controller_libcontroller_a_SOURCES += controller/clouds.c controller/clouds.h
controller_libcontroller_a_SOURCES += controller/crew.h
controller_libcontroller_a_SOURCES += controller/fleet_steps.c controller/fleet_steps.h
controller_libcontroller_a_SOURCES += controller/instance_steps.c controller/instance_steps.h
controller_libcontroller_a_SOURCES += controller/userdata.c controller/userdata.h
controller_libcontroller_a_SOURCES += controller/watch.c controller/watch.h
controller_libcontroller_a_SOURCES += controller/worker.c controller/worker.h
