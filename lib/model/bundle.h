/* An evidence bundle: everything that a verdict rests on, in one signed file that a third party can
 * check without us (doc/bundles.md, lib/attest/bundle_judge.h). One line: a JWS by the controller
 * over the JSON of the record below; there is one way only to write it. */
#ifndef MUSTER_MODEL_BUNDLE_H
#define MUSTER_MODEL_BUNDLE_H

#include "lib/base/record.h"
#include "lib/crypto/sign.h"

#define BUNDLE_TYP "muster-bundle+jwt"
#define BUNDLE_FORMAT "muster-bundle-1"

enum { BUNDLE_SIZE_MAX = 4 << 20, BUNDLE_AUDIT_MAX = 16 };

struct bundle {
    char format[16];
    char version[32]; /* of the Muster that wrote it; for people */
    struct moment exported;
    struct bytes certificate;    /* the controller's, DER: its key seals the bundle */
    struct bytes evidence;       /* the envelope as it was judged, with what endorses it */
    struct bytes crl;            /* the revocation list beside it; empty: none was looked at */
    struct bytes charter;        /* the JWS in force then: policies and references */
    char *testimony;             /* the keeper's word */
    struct bytes testimony_cert; /* of the key that signed it, DER */
    json_t *claims;              /* of the verdict, as the books hold them */
    json_t *checks;
    json_t *audit; /* entries of the trail about this verdict, in order */
};
void bundle_done(struct bundle *bundle);

/* `format` is filled in. The caller frees `out`. */
enum outcome bundle_seal(struct bundle *bundle, const struct key *key, char **out,
                         struct error *err);
/* Reads one whose every byte is what the key of the certificate in it sealed; whose certificate
 * that is remains to be asked. ERR_DENIED "bundle-seal"; ERR_INVALID "bundle-format": too large,
 * not a bundle, or written another way than bundle_seal() does. `out` must be zero. */
enum outcome bundle_open(struct span in, struct bundle *out, struct error *err);

#endif
