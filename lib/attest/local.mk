noinst_LIBRARIES += lib/attest/libattest.a
lib_attest_libattest_a_SOURCES = \
	lib/attest/cbor_reader.c lib/attest/cbor_reader.h \
	lib/attest/cert_table.c lib/attest/cert_table.h \
	lib/attest/cose_sign1.c lib/attest/cose_sign1.h \
	lib/attest/evidence.c lib/attest/evidence.h \
	lib/attest/firmware.c lib/attest/firmware.h \
	lib/attest/id_block.c lib/attest/id_block.h \
	lib/attest/judge.c lib/attest/judge.h \
	lib/attest/judge_policy.c lib/attest/judge_policy.h \
	lib/attest/launch_digest.c lib/attest/launch_digest.h \
	lib/attest/nitro_document.c lib/attest/nitro_document.h \
	lib/attest/nitro_judge.c lib/attest/nitro_judge.h \
	lib/attest/snp_chain.c lib/attest/snp_chain.h \
	lib/attest/snp_ek.c lib/attest/snp_ek.h \
	lib/attest/snp_report.c lib/attest/snp_report.h \
	lib/attest/validity.c lib/attest/validity.h \
	lib/attest/vmsa.c lib/attest/vmsa.h
