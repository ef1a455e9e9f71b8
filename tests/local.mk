# A test program needs one line: its name. Its source is NAME.c, and it links every layer.
TEST_LIBS = controller/libcontroller.a keeper/libkeeper.a agent/libagent.a emulator/libemulator.a \
	cli/libcli.a db/libdb.a drivers/libdrivers.a lib/attest/libattest.a lib/model/libmodel.a \
	lib/net/libnet.a lib/crypto/libcrypto_door.a lib/base/libbase.a
LDADD = $(REPLAY_LIBS) tests/support/libsupport.a $(TEST_LIBS) $(CMOCKA_LIBS) $(PQ_LIBS) $(MHD_LIBS) $(XML2_LIBS) \
	$(SECCOMP_LIBS) $(TSS_LIBS) $(NNG_LIBS) $(CURL_LIBS) $(CBOR_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS)

check_LIBRARIES += tests/support/libsupport.a
tests_support_libsupport_a_SOURCES = \
	tests/support/agent_world.c tests/support/agent_world.h \
	tests/support/aws_model.c tests/support/aws_model.h \
	tests/support/azure_machine.c tests/support/azure_machine.h \
	tests/support/cases.c tests/support/cases.h \
	tests/support/claims.c tests/support/claims.h \
	tests/support/compute_schema.c tests/support/compute_schema.h \
	tests/support/ask.c tests/support/ask.h \
	tests/support/carried_guest.c tests/support/carried_guest.h \
	tests/support/bundled.c tests/support/bundled.h \
	tests/support/charters.c tests/support/charters.h \
	tests/support/deployment.c tests/support/deployment.h \
	tests/support/echo_server.c tests/support/echo_server.h \
	tests/support/fake_cloud.c tests/support/fake_cloud.h \
	tests/support/fake_http.c tests/support/fake_http.h \
	tests/support/fake_nsm.c tests/support/fake_nsm.h \
	tests/support/fake_tsm.c tests/support/fake_tsm.h \
	tests/support/front_desk.c tests/support/front_desk.h \
	tests/support/guest_azure.c tests/support/guest_azure.h \
	tests/support/guest_nitro.c tests/support/guest_nitro.h \
	tests/support/guest_talk.c tests/support/guest_talk.h \
	tests/support/heist.c tests/support/heist.h \
	tests/support/hostile_peer.c tests/support/hostile_peer.h \
	tests/support/kds_world.c tests/support/kds_world.h \
	tests/support/judged.c tests/support/judged.h \
	tests/support/line.c tests/support/line.h \
	tests/support/link_party.c tests/support/link_party.h \
	tests/support/manifest.c tests/support/manifest.h \
	tests/support/matter.c tests/support/matter.h \
	tests/support/one_database.c tests/support/one_database.h \
	tests/support/made_firmware.c tests/support/made_firmware.h \
	tests/support/nitro_tpm.c tests/support/nitro_tpm.h \
	tests/support/nsm.c tests/support/nsm.h \
	tests/support/office.c tests/support/office.h \
	tests/support/openapi.c tests/support/openapi.h \
	tests/support/paravisor.c tests/support/paravisor.h \
	tests/support/guest_vtpm.c tests/support/guest_vtpm.h \
	tests/support/made_vtpm.c tests/support/made_vtpm.h \
	tests/support/rsa_files.c tests/support/rsa_files.h \
	tests/support/rules.c tests/support/rules.h \
	tests/support/captured.c tests/support/captured.h \
	tests/support/far_ec2.c tests/support/far_ec2.h \
	tests/support/rows_read.c tests/support/rows_read.h \
	tests/support/run.c tests/support/run.h \
	tests/support/says.c tests/support/says.h \
	tests/support/scratch.c tests/support/scratch.h \
	tests/support/database.c tests/support/database.h \
	tests/support/fixtures.c tests/support/fixtures.h \
	tests/support/test.h \
	tests/support/soft_tpm.c tests/support/soft_tpm.h \
	tests/support/small_charter.c tests/support/small_charter.h \
	tests/support/spoil.c tests/support/spoil.h \
	tests/support/places.c tests/support/places.h \
	tests/support/stage.c tests/support/stage.h \
	tests/support/call_permissions.c tests/support/call_permissions.h \
	tests/support/sim_cloud.c tests/support/sim_cloud.h \
	tests/support/sim_host.c tests/support/sim_host.h \
	tests/support/sim_ec2.c tests/support/sim_ec2.h \
	tests/support/simulator.c tests/support/simulator.h \
	tests/support/vectors.c tests/support/vectors.h \
	tests/support/sealed.c tests/support/sealed.h \
	tests/support/vtpm_judged.c tests/support/vtpm_judged.h

include tests/unit/local.mk
include tests/db/local.mk
include tests/drivers/local.mk
include tests/e2e/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk

EXTRA_DIST += tests/support/postgres tests/support/skips tests/invariants.sql tests/tsan.supp

TESTS += $(check_PROGRAMS)

# What the simulator of the tests keeps between runs.
clean-local:
	rm -rf tests/psp tests/simulator-state
