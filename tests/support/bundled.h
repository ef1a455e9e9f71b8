/* Bundles of a deployment that lives in this process, and whoever looks at them. */
#ifndef MUSTER_TESTS_BUNDLED_H
#define MUSTER_TESTS_BUNDLED_H

#include "lib/attest/bundle_judge.h"
#include "tests/support/deployment.h"

/* What a controller has to make bundles with, and an auditor to check them. */
struct bundled {
    struct deployment *d;
    struct key *controller_key;
    struct cert *controller_cert;
    struct snp_roots *simulator;
    struct nitro_roots enclaves; /* empty: AWS's count */
    struct bytes hashes;
    struct charter_signers signers;
    char *charter; /* as signed, in force */
};
void bundled_open(struct deployment *d, struct bundled *out);
void bundled_done(struct bundled *b);

/* Enclaves of the made-up security module count too. */
void bundled_add_enclaves(struct bundled *b);

/* A guest that proved itself by `evidence`: all parts, not sealed yet. */
void bundled_parts(const struct bundled *b, const struct guest *g, struct span evidence,
                   struct span crl, struct bundle *out);
/* Attest, and the parts of it. */
void bundled_guest(const struct bundled *b, struct guest *g, struct bundle *out);
char *bundled_seal(const struct bundled *b, struct bundle *parts); /* as the controller */

/* As an auditor who has all there is to have. */
struct bundle_terms bundled_terms(const struct bundled *b);
struct bundle_answer bundled_judge(const struct bundled *b, struct span in);
void assert_bundle(const struct bundled *b, const char *sealed, const char *reason);

#endif
