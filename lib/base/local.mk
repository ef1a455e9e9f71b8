noinst_LIBRARIES += lib/base/libbase.a
lib_base_libbase_a_SOURCES = \
	lib/base/base.c lib/base/base.h \
	lib/base/bucket.c lib/base/bucket.h \
	lib/base/bytes.c lib/base/bytes.h \
	lib/base/clock.c lib/base/clock.h \
	lib/base/config.c lib/base/config.h \
	lib/base/error.c lib/base/error.h \
	lib/base/fault.c lib/base/fault.h \
	lib/base/file.c lib/base/file.h \
	lib/base/json.c lib/base/json.h lib/base/json_print.c \
	lib/base/log.c lib/base/log.h \
	lib/base/map.c lib/base/map.h \
	lib/base/members.c lib/base/members.h \
	lib/base/metrics.c lib/base/metrics.h \
	lib/base/names.c lib/base/names.h \
	lib/base/program.c lib/base/program.h \
	lib/base/queue.c lib/base/queue.h \
	lib/base/record.c lib/base/record.h lib/base/record_json.c \
	lib/base/text.c lib/base/text.h \
	lib/base/uuid.c lib/base/uuid.h
