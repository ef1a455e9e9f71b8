/* What an SVSM's report speaks for (AMD 58019, "attestation protocol"): the manifest of its vTPM
 * service, on its own or within the table of all services. Taken here is a manifest of one or more
 * TPMT_PUBLIC and nothing else; doc/decisions/0011 says what that leaves out. */
#ifndef MUSTER_ATTEST_SVSM_MANIFEST_H
#define MUSTER_ATTEST_SVSM_MANIFEST_H

#include "lib/attest/tpm_key.h"

enum { SVSM_MANIFEST_MAX = 8 * 1024, SVSM_SERVICES_MAX = 16, SVSM_KEYS_MAX = 8 };

/* Borrowed from the input. */
struct svsm_manifest {
    bool table; /* of all services */
    size_t key_count;
    struct tpm_public keys[SVSM_KEYS_MAX];
};

/* ERR_INVALID "malformed". */
enum outcome svsm_manifest_read(struct span in, struct svsm_manifest *out, struct error *err);

/* Does it name this key, byte for byte, among those that attest? */
bool svsm_manifest_names(const struct svsm_manifest *manifest, struct span key);
/* Does it name an endorsement key only, which cannot sign? */
bool svsm_manifest_only_decrypts(const struct svsm_manifest *manifest);

#endif
