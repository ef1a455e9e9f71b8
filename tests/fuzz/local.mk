# One line a target, sorted. A target is a LLVMFuzzerTestOneInput in fuzz_NAME.c; with --enable-fuzz
# it links libFuzzer, otherwise tests/fuzz/replay.c, which runs the corpus in tests/fuzz/corpus/NAME
# as a test.
fuzz_targets =
fuzz_targets += tests/fuzz/fuzz_agent_session
fuzz_targets += tests/fuzz/fuzz_api_bodies
fuzz_targets += tests/fuzz/fuzz_arm
fuzz_targets += tests/fuzz/fuzz_azure
fuzz_targets += tests/fuzz/fuzz_userdata
fuzz_targets += tests/fuzz/fuzz_bundle
fuzz_targets += tests/fuzz/fuzz_catalogue
fuzz_targets += tests/fuzz/fuzz_certificates
fuzz_targets += tests/fuzz/fuzz_cert_table
fuzz_targets += tests/fuzz/fuzz_ec2_xml
fuzz_targets += tests/fuzz/fuzz_endorsements
fuzz_targets += tests/fuzz/fuzz_event_log
fuzz_targets += tests/fuzz/fuzz_evidence
fuzz_targets += tests/fuzz/fuzz_firmware
fuzz_targets += tests/fuzz/fuzz_frames
fuzz_targets += tests/fuzz/fuzz_gcp
fuzz_targets += tests/fuzz/fuzz_identity
fuzz_targets += tests/fuzz/fuzz_judge
fuzz_targets += tests/fuzz/fuzz_jwks
fuzz_targets += tests/fuzz/fuzz_local_request
fuzz_targets += tests/fuzz/fuzz_nitro
fuzz_targets += tests/fuzz/fuzz_nsm_answer
fuzz_targets += tests/fuzz/fuzz_policy
fuzz_targets += tests/fuzz/fuzz_snp_report
fuzz_targets += tests/fuzz/fuzz_charter
fuzz_targets += tests/fuzz/fuzz_envelope
fuzz_targets += tests/fuzz/fuzz_messages
fuzz_targets += tests/fuzz/fuzz_target_path
fuzz_targets += tests/fuzz/fuzz_token
fuzz_targets += tests/fuzz/fuzz_tpm_key
fuzz_targets += tests/fuzz/fuzz_vtpm

# The archive's main() is only taken by programs that have none of their own.
if FUZZ
EXTRA_PROGRAMS += $(fuzz_targets)
REPLAY_LIBS = $(FUZZ_LIBS)
else
check_PROGRAMS += $(fuzz_targets)
check_LIBRARIES += tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/replay.c
REPLAY_LIBS = tests/fuzz/libreplay.a
endif

# Writes seeds that the simulator signs; run by hand when a format changes.
EXTRA_PROGRAMS += tests/fuzz/make_corpus

EXTRA_DIST += tests/fuzz/corpus
noinst_HEADERS += tests/fuzz/fuzz.h
