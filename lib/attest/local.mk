noinst_LIBRARIES += lib/attest/libattest.a
lib_attest_libattest_a_SOURCES = \
	lib/attest/anchor.c lib/attest/anchor.h \
	lib/attest/azure_judge.c lib/attest/azure_judge.h \
	lib/attest/boot_facts.c lib/attest/boot_facts.h \
	lib/attest/bundle_appraisal.c \
	lib/attest/bundle_judge.c lib/attest/bundle_judge.h lib/attest/bundle_inside.h \
	lib/attest/cbor_reader.c lib/attest/cbor_reader.h \
	lib/attest/cbor_writer.c lib/attest/cbor_writer.h \
	lib/attest/cert_table.c lib/attest/cert_table.h \
	lib/attest/cloud_documents.c lib/attest/cloud_documents.h \
	lib/attest/cose_sign1.c lib/attest/cose_sign1.h \
	lib/attest/deny.c lib/attest/deny.h \
	lib/attest/event_judge.c lib/attest/event_judge.h \
	lib/attest/event_log.c lib/attest/event_log.h \
	lib/attest/evidence.c lib/attest/evidence.h \
	lib/attest/evidence_lack.c lib/attest/evidence_lack.h \
	lib/attest/firmware.c lib/attest/firmware.h \
	lib/attest/hcl_report.c lib/attest/hcl_report.h \
	lib/attest/id_block.c lib/attest/id_block.h \
	lib/attest/identity.c lib/attest/identity.h lib/attest/identity_inside.h \
	lib/attest/identity_aws.c lib/attest/identity_azure.c lib/attest/identity_gcp.c \
	lib/attest/identity_proof.c \
	lib/attest/judge.c lib/attest/judge.h \
	lib/attest/judge_policy.c lib/attest/judge_policy.h \
	lib/attest/kds.c lib/attest/kds.h \
	lib/attest/launch_digest.c lib/attest/launch_digest.h \
	lib/attest/launch_reference.c lib/attest/launch_reference.h \
	lib/attest/nitro_document.c lib/attest/nitro_document.h \
	lib/attest/nitro_judge.c lib/attest/nitro_judge.h \
	lib/attest/quote_judge.c lib/attest/quote_judge.h \
	lib/attest/replay.c lib/attest/replay.h \
	lib/attest/snp_chain.c lib/attest/snp_chain.h \
	lib/attest/snp_ek.c lib/attest/snp_ek.h \
	lib/attest/snp_report.c lib/attest/snp_report.h \
	lib/attest/svsm_manifest.c lib/attest/svsm_manifest.h \
	lib/attest/thim.c lib/attest/thim.h \
	lib/attest/tpm_key.c lib/attest/tpm_key.h \
	lib/attest/tpm_quote.c lib/attest/tpm_quote.h \
	lib/attest/validity.c lib/attest/validity.h \
	lib/attest/vmsa.c lib/attest/vmsa.h \
	lib/attest/vtpm_judge.c lib/attest/vtpm_judge.h
