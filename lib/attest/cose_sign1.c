#include "lib/attest/cose_sign1.h"

#include "lib/attest/cbor_reader.h"
#include "lib/attest/cbor_writer.h"

enum { TAG_COSE_SIGN1 = 18, HEADER_ALGORITHM = 1, PARTS = 4, PROTECTED_MAX = 64 };
enum { ES384 = 34 }; /* -35, as the number after -1 */

#define malformed(err, ...) fail_code((err), ERR_INVALID, "malformed", __VA_ARGS__)
#define unsupported(err, ...) fail_code((err), ERR_INVALID, "unsupported-algorithm", __VA_ARGS__)

/* One pair and it is the algorithm: whatever else stood there would be signed, and not understood.
 */
static enum outcome check_protected(struct span in, struct error *err)
{
    struct cbor_item head, key, value;
    uint64_t done = 0;
    bool es384 = false;
    if (in.len == 0)
        return unsupported(err, "the protected header is empty");
    if (in.len > PROTECTED_MAX || !cbor_expect(&in, CBOR_PAIRS, &head))
        return malformed(err, "the protected header is no map");
    while (cbor_more(&in, &head, &done)) {
        if (!cbor_expect(&in, CBOR_UNSIGNED, &key) || key.value != HEADER_ALGORITHM || done > 1)
            return malformed(err, "the protected header holds more than one algorithm");
        if (!cbor_next(&in, &value))
            return malformed(err, "the protected header is cut off");
        es384 = value.kind == CBOR_NEGATIVE && value.value == ES384;
    }
    if (in.len != 0)
        return malformed(err, "bytes after the protected header");
    return es384 ? OK : unsupported(err, "the algorithm is not ES384");
}

/* libcbor 0.8 takes the short form of a tag without a registered meaning for an error. */
static bool take_short_tag(struct span *in)
{
    enum { SHORT_TAG = 0xc0 | TAG_COSE_SIGN1 };
    if (in->len == 0 || in->at[0] != SHORT_TAG)
        return false;
    *in = span_part(*in, 1, in->len);
    return true;
}

static enum outcome read_head(struct span *in, struct cose_sign1 *out, struct cbor_item *list,
                              struct error *err)
{
    out->tagged = take_short_tag(in);
    if (!cbor_expect(in, CBOR_LIST, list) || (!list->indefinite && list->value != PARTS))
        return malformed(err, "not a list of four parts");
    return OK;
}

static enum outcome read_string(struct span *in, struct span *out, size_t least, size_t most,
                                const char *what, struct error *err)
{
    struct cbor_item item;
    if (!cbor_expect(in, CBOR_BYTES, &item))
        return malformed(err, "%s is no byte string within the document", what);
    if (item.bytes.len < least || item.bytes.len > most)
        return malformed(err, "%s has %zu bytes", what, item.bytes.len);
    *out = item.bytes;
    return OK;
}

/* Empty, so that nobody can look for an algorithm there. */
static enum outcome read_unprotected(struct span *in, struct error *err)
{
    struct cbor_item head;
    uint64_t done = 0;
    if (!cbor_expect(in, CBOR_PAIRS, &head) || cbor_more(in, &head, &done))
        return malformed(err, "the unprotected header is not an empty map");
    return OK;
}

enum outcome cose_sign1_read(struct span in, struct cose_sign1 *out, struct error *err)
{
    struct cbor_item list, end;
    TRY(read_head(&in, out, &list, err));
    TRY(read_string(&in, &out->protected_header, 0, PROTECTED_MAX, "the protected header", err));
    TRY(check_protected(out->protected_header, err));
    TRY(read_unprotected(&in, err));
    TRY(read_string(&in, &out->payload, 1, COSE_PAYLOAD_MAX, "the payload", err));
    TRY(read_string(&in, &out->signature, COSE_SIGNATURE_SIZE, COSE_SIGNATURE_SIZE, "the signature",
                    err));
    if (list.indefinite && !cbor_expect(&in, CBOR_BREAK, &end))
        return malformed(err, "more than four parts");
    if (in.len != 0)
        return malformed(err, "%zu bytes after the document", in.len);
    return OK;
}

void cose_sign1_signed_bytes(const struct cose_sign1 *cose, struct bytes *out)
{
    static const uint8_t head[] = {0x84, 0x6a, 'S', 'i', 'g', 'n', 'a', 't', 'u', 'r', 'e', '1'};
    bytes_add(out, SPAN_OF(head));
    cbor_add_bytes(out, cose->protected_header);
    cbor_add_bytes(out, (struct span){0}); /* no external data */
    cbor_add_bytes(out, cose->payload);
}
