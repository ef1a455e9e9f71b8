noinst_LIBRARIES += lib/model/libmodel.a
lib_model_libmodel_a_SOURCES = \
	lib/model/binding.c lib/model/binding.h \
	lib/model/message.c lib/model/message.h
