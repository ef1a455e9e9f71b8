noinst_LIBRARIES += emulator/libemulator.a
emulator_libemulator_a_SOURCES = \
	emulator/arm_api.c emulator/arm_api.h emulator/arm_machines.c \
	emulator/arm_remnants.c emulator/arm_show.c emulator/arm_token.c \
	emulator/aws_api.c emulator/aws_api.h emulator/aws_auth.c \
	emulator/aws_actions.h emulator/aws_describe.c emulator/aws_launch.c \
	emulator/aws_machines.c emulator/aws_remnants.c emulator/aws_roles.c emulator/aws_show.c \
	emulator/aws_types.c \
	emulator/control.c emulator/control.h \
	emulator/form.c emulator/form.h \
	emulator/gce_api.c emulator/gce_api.h \
	emulator/gce_federated.c \
	emulator/gce_launch.c emulator/gce_list.c \
	emulator/gce_operations.c emulator/gce_places.c emulator/gce_remnants.c \
	emulator/gce_show.c emulator/gce_token.c \
	emulator/guest.c emulator/guest.h \
	emulator/http_face.c emulator/http_face.h \
	emulator/images.c emulator/images.h \
	emulator/kds_face.c emulator/kds_face.h \
	emulator/ledger.c emulator/ledger.h \
	emulator/metadata.c emulator/metadata.h emulator/metadata_inside.h \
	emulator/metadata_aws.c emulator/metadata_azure.c emulator/metadata_gcp.c \
	emulator/mischief.c emulator/mischief.h \
	emulator/operations.c emulator/operations.h \
	emulator/papers.c emulator/papers.h \
	emulator/processor.c emulator/processor.h \
	emulator/psp.c emulator/psp.h \
	emulator/psp_report.c emulator/psp_report.h \
	emulator/quotas.c emulator/quotas.h \
	emulator/remnants.c emulator/remnants.h \
	emulator/settings.c emulator/settings.h \
	emulator/tls.c emulator/tls.h \
	emulator/whose.c emulator/whose.h \
	emulator/wire.c emulator/wire.h \
	emulator/world.c emulator/world.h

sbin_PROGRAMS += emulator/muster-sim
emulator_muster_sim_SOURCES = emulator/main.c
emulator_muster_sim_LDADD = emulator/libemulator.a lib/attest/libattest.a lib/model/libmodel.a \
	lib/net/libnet.a lib/crypto/libcrypto_door.a lib/base/libbase.a \
	$(MHD_LIBS) $(NNG_LIBS) $(CURL_LIBS) $(CBOR_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS)
EXTRA_DIST += emulator/README.md
dist_man_MANS += emulator/muster-sim.8
