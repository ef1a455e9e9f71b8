#include "tests/support/fake_nsm.h"

#include <fcntl.h>
#include <string.h>

#include "lib/attest/cbor_reader.h"
#include "lib/attest/cbor_writer.h"
#include "tests/support/nsm.h"
#include "tests/support/test.h"

struct fake_nsm fake_nsm;

static int fake_open(const char *path)
{
    (void)path;
    return fake_nsm.open_number != 0 ? -fake_nsm.open_number
                                     : open("/dev/null", O_RDWR | O_CLOEXEC);
}

static struct span take_field(struct span *in, const char *name)
{
    struct cbor_item key, value;
    assert_true(cbor_expect(in, CBOR_TEXT, &key));
    assert_true(span_equal(key.bytes, span_of_text(name)));
    assert_true(cbor_next(in, &value));
    if (value.kind == CBOR_NOTHING)
        return (struct span){0};
    assert_int_equal(value.kind, CBOR_BYTES);
    return value.bytes;
}

/* In the order in which Amazon's library writes them. */
static void take_request(struct span in, struct nsm_wish *wish)
{
    struct cbor_item head, key;
    assert_true(cbor_expect(&in, CBOR_PAIRS, &head) && head.value == 1);
    assert_true(cbor_expect(&in, CBOR_TEXT, &key));
    assert_true(span_equal(key.bytes, span_of_text("Attestation")));
    assert_true(cbor_expect(&in, CBOR_PAIRS, &head) && head.value == 3);
    wish->user_data = take_field(&in, "user_data");
    wish->nonce = take_field(&in, "nonce");
    wish->public_key = take_field(&in, "public_key");
    assert_int_equal(in.len, 0);
}

static void answer(struct span request, struct bytes *out)
{
    struct error err = {0};
    struct nsm_wish wish = nsm_wish();
    OWNED(bytes_done) struct bytes document = {0};
    if (fake_nsm.says != NULL) {
        assert_ok(hex_decode(fake_nsm.says, out, &err));
        return;
    }
    take_request(request, &wish);
    nsm_make(&wish, &document);
    cbor_add_pairs(out, 1);
    cbor_add_text(out, "Attestation");
    cbor_add_pairs(out, 1);
    cbor_add_text(out, "document");
    cbor_add_bytes(out, bytes_span(&document));
}

static int fake_ioctl(int fd, struct nsm_message *message)
{
    (void)fd;
    OWNED(bytes_done) struct bytes answered = {0};
    if (fake_nsm.ioctl_number != 0)
        return -fake_nsm.ioctl_number;
    const struct span request = SPAN(message->request.iov_base, message->request.iov_len);
    bytes_done(&fake_nsm.heard);
    fake_nsm.heard = bytes_copy(request);
    answer(request, &answered);
    assert_int_equal(message->response.iov_len, NSM_RESPONSE_MAX);
    assert_true(answered.len <= message->response.iov_len);
    if (answered.len > 0)
        memcpy(message->response.iov_base, answered.at, answered.len);
    message->response.iov_len = fake_nsm.claims_len != 0 ? fake_nsm.claims_len : answered.len;
    return 0;
}

const struct nsm_calls fake_nsm_calls = {fake_open, fake_ioctl};

int fake_nsm_reset(void **state)
{
    (void)state;
    bytes_done(&fake_nsm.heard);
    fake_nsm = (struct fake_nsm){0};
    return 0;
}
