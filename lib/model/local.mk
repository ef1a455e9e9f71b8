noinst_LIBRARIES += lib/model/libmodel.a
lib_model_libmodel_a_SOURCES = \
	lib/model/account.c lib/model/account.h \
	lib/model/admission.c lib/model/admission.h \
	lib/model/audit.c lib/model/audit.h \
	lib/model/binding.c lib/model/binding.h \
	lib/model/bundle.c lib/model/bundle.h \
	lib/model/caller.c lib/model/caller.h \
	lib/model/catalogue.c lib/model/catalogue.h lib/model/catalogue_inside.h \
	lib/model/catalogue_check.c lib/model/catalogue_wish.c lib/model/catalogue_wish.h \
	lib/model/catalogue_drift.c lib/model/catalogue_drift.h \
	lib/model/catalogue_size.c \
	lib/model/charter.c lib/model/charter.h \
	lib/model/charter_clouds.c \
	lib/model/charter_dates.c \
	lib/model/charter_diff.c lib/model/charter_diff.h lib/model/charter_diff_inside.h \
	lib/model/charter_diff_floors.c \
	lib/model/charter_grants.c lib/model/charter_inside.h \
	lib/model/charter_lint.c lib/model/charter_lint.h \
	lib/model/charter_lint_rules.c \
	lib/model/charter_rules.c \
	lib/model/cloud.c lib/model/cloud.h \
	lib/model/delivery.c lib/model/delivery.h \
	lib/model/destroy_order.c lib/model/destroy_order.h \
	lib/model/distrust.c lib/model/distrust.h \
	lib/model/fleet.c lib/model/fleet.h \
	lib/model/fleet_wish.c lib/model/fleet_wish.h \
	lib/model/image.c lib/model/image.h \
	lib/model/instance.c lib/model/instance.h \
	lib/model/machine.c lib/model/machine.h \
	lib/model/message.c lib/model/message.h \
	lib/model/order.c lib/model/order.h \
	lib/model/plan.c lib/model/plan.h \
	lib/model/policy.c lib/model/policy.h lib/model/policy_inside.h lib/model/policy_boot.c \
	lib/model/policy_bits.c \
	lib/model/policy_floors.c \
	lib/model/policy_nitro.c \
	lib/model/policy_pcrs.c \
	lib/model/reset_order.c lib/model/reset_order.h \
	lib/model/resume_order.c lib/model/resume_order.h \
	lib/model/secret.c lib/model/secret.h \
	lib/model/snp_words.c lib/model/snp_words.h \
	lib/model/testimony.c lib/model/testimony.h \
	lib/model/token_types.h \
	lib/model/verdict.c lib/model/verdict.h \
	lib/model/verdict_vector.c lib/model/verdict_vector.h
lib_model_libmodel_a_SOURCES += lib/model/place.c lib/model/place.h
lib_model_libmodel_a_SOURCES += lib/model/brake.c lib/model/brake.h
lib_model_libmodel_a_SOURCES += lib/model/excess.c lib/model/excess.h
lib_model_libmodel_a_SOURCES += lib/model/placement.c lib/model/placement.h
lib_model_libmodel_a_SOURCES += lib/model/keeper_state.c lib/model/keeper_state.h
