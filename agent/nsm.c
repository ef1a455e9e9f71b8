#include "agent/nsm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/attest/cbor_reader.h"
#include "lib/attest/cbor_writer.h"
#include "lib/base/text.h"

#define NSM_IOCTL_RAW _IOWR(0x0a, 0, struct nsm_message)
_Static_assert(sizeof(struct nsm_message) == 32, "as linux/nsm.h has it");

/* ---- what is said --------------------------------------------------------------------------- */

static void add_field(struct bytes *out, const char *name, struct span value)
{
    cbor_add_text(out, name);
    if (value.len == 0)
        cbor_add_nothing(out);
    else
        cbor_add_bytes(out, value);
}

void nsm_request(const struct evidence_binding *asked, struct bytes *out)
{
    cbor_add_pairs(out, 1);
    cbor_add_text(out, "Attestation");
    cbor_add_pairs(out, 3);
    add_field(out, "user_data", SPAN_OF(asked->digest));
    add_field(out, "nonce", SPAN_OF(asked->nonce));
    add_field(out, "public_key", asked->sealing_key);
}

static bool is_text(const struct cbor_item *item, const char *text)
{
    return item->kind == CBOR_TEXT && span_equal(item->bytes, span_of_text(text));
}

static enum outcome bad_answer(struct error *err, const char *what)
{
    return fail_code(err, ERR_INVALID, "nsm-bad-answer", "the security module's answer: %s", what);
}

/* A map of one pair: takes its key, and leaves `in` before the value. */
static enum outcome open_pair(struct span *in, struct cbor_item *head, struct cbor_item *key,
                              struct error *err)
{
    uint64_t done = 0;
    if (!cbor_expect(in, CBOR_PAIRS, head) || !cbor_more(in, head, &done) ||
        !cbor_expect(in, CBOR_TEXT, key))
        return bad_answer(err, "no map with a name in it");
    return OK;
}

static enum outcome close_pair(struct span *in, const struct cbor_item *head, struct error *err)
{
    uint64_t done = 1;
    return cbor_more(in, head, &done) ? bad_answer(err, "more than one member") : OK;
}

static enum outcome read_refusal(struct span in, struct error *err)
{
    struct cbor_item word;
    if (!cbor_expect(&in, CBOR_TEXT, &word) || !text_is_clean(word.bytes))
        return bad_answer(err, "an error without a name");
    return fail_code(err, ERR_DENIED, "nsm-refused", "the security module says: %.*s",
                     (int)(word.bytes.len < 60 ? word.bytes.len : 60), (const char *)word.bytes.at);
}

static enum outcome read_answer(struct span *in, struct span *out_document, struct error *err)
{
    struct cbor_item outer, inner, key, document;
    TRY(open_pair(in, &outer, &key, err));
    if (is_text(&key, "Error"))
        return read_refusal(*in, err);
    if (!is_text(&key, "Attestation"))
        return bad_answer(err, "it is to something else");
    TRY(open_pair(in, &inner, &key, err));
    if (!is_text(&key, "document") || !cbor_expect(in, CBOR_BYTES, &document) ||
        document.bytes.len == 0)
        return bad_answer(err, "no document");
    TRY(close_pair(in, &inner, err));
    TRY(close_pair(in, &outer, err));
    *out_document = document.bytes;
    return OK;
}

enum outcome nsm_answer_read(struct span in, struct span *out_document, struct error *err)
{
    struct span document;
    TRY(read_answer(&in, &document, err));
    if (in.len != 0)
        return bad_answer(err, "bytes behind it");
    *out_document = document;
    return OK;
}

enum outcome nsm_answer_begins(struct span in, struct span *out_document, struct error *err)
{
    return read_answer(&in, out_document, err);
}

/* ---- how it is said ------------------------------------------------------------------------- */

/* What the kernel's answers mean to us (drivers/misc/nsm.c, which waits two minutes at most). */
static enum outcome from_errno(struct error *err, const char *what, int number)
{
    switch (number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return fail_code(err, ERR_NOT_FOUND, "nsm-missing", "%s: %s", what, strerror(number));
    case EACCES:
    case EPERM:
        return fail_code(err, ERR_DENIED, "nsm-denied", "%s: %s", what, strerror(number));
    case ETIMEDOUT:
        return fail_code(err, ERR_THROTTLED, "nsm-silent",
                         "%s: the hypervisor did not answer in time", what);
    default:
        return fail_code(err, ERR_INTERNAL, "nsm-failed", "%s: %s", what, strerror(number));
    }
}

static void device_drop(int *device)
{
    if (*device >= 0)
        close(*device);
}

static enum outcome ask(const struct nsm_calls *calls, const char *path, struct span request,
                        struct bytes *answer, struct error *err)
{
    OWNED(device_drop) int device = calls->open(path);
    if (device < 0)
        return from_errno(err, path, -device);
    uint8_t *room = bytes_add_room(answer, NSM_RESPONSE_MAX);
    struct nsm_message message = {
        .request = {(void *)(uintptr_t)request.at, request.len},
        .response = {room, NSM_RESPONSE_MAX},
    };
    int result = calls->ioctl(device, &message);
    if (result < 0)
        return from_errno(err, path, -result);
    if (message.response.iov_len > NSM_RESPONSE_MAX)
        return bad_answer(err, "longer than its room");
    answer->len = message.response.iov_len;
    return OK;
}

enum outcome nsm_attest(const struct nsm_calls *calls, const char *path,
                        const struct evidence_binding *asked, struct bytes *out_document,
                        struct error *err)
{
    OWNED(bytes_done) struct bytes request = {0};
    OWNED(bytes_done) struct bytes answer = {0};
    struct span document;
    nsm_request(asked, &request);
    if (request.len > NSM_REQUEST_MAX)
        return fail(err, ERR_INVALID, "the module takes no request of %zu bytes", request.len);
    TRY(ask(calls, path, bytes_span(&request), &answer, err));
    TRY(nsm_answer_read(bytes_span(&answer), &document, err));
    *out_document = bytes_copy(document);
    return OK;
}

static int kernel_open(const char *path)
{
    int device = open(path, O_RDWR | O_CLOEXEC);
    return device < 0 ? -errno : device;
}

static int kernel_ioctl(int device, struct nsm_message *message)
{
    return ioctl(device, NSM_IOCTL_RAW, message) < 0 ? -errno : 0;
}

const struct nsm_calls nsm_kernel_calls = {.open = kernel_open, .ioctl = kernel_ioctl};
