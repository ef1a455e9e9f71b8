/* Evidence that was judged before, judged again under a candidate charter, without touching a
 * machine: advice about what would flip, never a verdict. What belonged to the moment (nonce,
 * binding, age) was settled then and is not asked again, of a cloud's documents neither; dates of
 * certificates are, at `at`. At a later time than the replay's the rules of then count: floors,
 * references, certificates. Lists of revocations are those of today, for newer ones will have
 * come. */
#ifndef MUSTER_ATTEST_REPLAY_H
#define MUSTER_ATTEST_REPLAY_H

#include "lib/attest/evidence.h"
#include "lib/model/charter.h"

struct replay; /* one thread at a time */

/* The charter is borrowed, for as long as the replay lives. */
struct replay *replay_new(const struct charter *candidate, struct moment at);
void replay_free(struct replay *replay);
DROP(replay_drop, struct replay, replay_free)

/* The revocation list of a line, for all that follow; copied. */
void replay_use_list(struct replay *replay, enum snp_line line, struct span crl);

/* One machine as it stands. */
struct replay_case {
    struct span evidence; /* the envelope, as it was judged */
    const char *policy;
    uint8_t link_key[SHA256_SIZE];
    struct moment at; /* when its certificates and the rules are looked at; none: the replay's */
    const struct cloud_declared *declared; /* NULL: nobody says */
    bool signature_known; /* a keeper found the signature over these very bytes good */
    struct documents_then documents_then; /* what he found of its cloud's documents */
};

struct replay_answer {
    bool trusted;
    char reason[CHECK_DETAIL_SIZE]; /* of the verdict, why the charter refuses, or why suspect */
    enum level level;
    enum source software;
    enum document_state documents; /* of its cloud; of whom is not trusted: none */
    enum snp_product product;
    uint8_t measurement[SNP_MEASUREMENT_SIZE];
    struct moment endorsed_until; /* when the first certificate behind it ends; none: not known */
};

/* Cannot fail: what cannot be read is an answer too ("malformed", "policy-unknown", ...). */
void replay_judge(struct replay *replay, const struct replay_case *c, struct replay_answer *out);

#endif
