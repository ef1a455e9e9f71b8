noinst_LIBRARIES += lib/model/libmodel.a
lib_model_libmodel_a_SOURCES =
