/* What evidence would need to be appraised and did not bring: its own table comes first, and what
 * does not belong to its report counts as not brought. */
#ifndef MUSTER_ATTEST_EVIDENCE_LACK_H
#define MUSTER_ATTEST_EVIDENCE_LACK_H

#include "lib/attest/evidence.h"
#include "lib/attest/kds.h"

struct evidence_lack {
    bool unsaid; /* a good report of version 2, which does not name its line, without a certificate
                  */
    bool known;  /* the report can be read and its line is known; else nothing below is said */
    bool ek;     /* no certificate of the key that signed; `vcek` asks for it when it can be had */
    bool ca;     /* the certificates above it are not both there */
    bool ek_can_be_had;
    struct kds_item vcek;
    struct kds_item chain;
    struct kds_item crl;
    bool is_coming; /* a higher TCB is committed: `coming` is the key of then */
    struct kds_item coming;
};

void evidence_lack_find(const struct evidence *e, struct evidence_lack *out);
/* The same, taking `line` where the evidence leaves it unsaid. */
void evidence_lack_find_in(const struct evidence *e, enum snp_line line, struct evidence_lack *out);

/* What it brought of `lack->vcek` and `lack->chain`, as the service gives them; empty when it did
 * not, or only half. */
void evidence_own(const struct evidence *e, const struct evidence_lack *lack,
                  struct bytes *out_vcek, struct bytes *out_chain);

#endif
