#include "lib/attest/cbor_reader.h"

#include <cbor.h>

/* ---- what the decoder calls --------------------------------------------------------------- */

static void put(void *context, enum cbor_kind kind, uint64_t value)
{
    struct cbor_item *item = context;
    item->kind = kind;
    item->value = value;
}

static void put_string(void *context, enum cbor_kind kind, const uint8_t *at, uint64_t len)
{
    struct cbor_item *item = context;
    item->kind = kind;
    item->bytes = SPAN(at, (size_t)len);
}

static void put_indefinite(void *context, enum cbor_kind kind)
{
    struct cbor_item *item = context;
    item->kind = kind;
    item->indefinite = true;
}

static void on_uint8(void *context, uint8_t value)
{
    put(context, CBOR_UNSIGNED, value);
}

static void on_uint16(void *context, uint16_t value)
{
    put(context, CBOR_UNSIGNED, value);
}

static void on_uint32(void *context, uint32_t value)
{
    put(context, CBOR_UNSIGNED, value);
}

static void on_uint64(void *context, uint64_t value)
{
    put(context, CBOR_UNSIGNED, value);
}

static void on_negint8(void *context, uint8_t value)
{
    put(context, CBOR_NEGATIVE, value);
}

static void on_negint16(void *context, uint16_t value)
{
    put(context, CBOR_NEGATIVE, value);
}

static void on_negint32(void *context, uint32_t value)
{
    put(context, CBOR_NEGATIVE, value);
}

static void on_negint64(void *context, uint64_t value)
{
    put(context, CBOR_NEGATIVE, value);
}

static void on_bytes(void *context, cbor_data at, size_t len)
{
    put_string(context, CBOR_BYTES, at, len);
}

static void on_text(void *context, cbor_data at, size_t len)
{
    put_string(context, CBOR_TEXT, at, len);
}

static void on_list(void *context, size_t count)
{
    put(context, CBOR_LIST, count);
}

static void on_pairs(void *context, size_t count)
{
    put(context, CBOR_PAIRS, count);
}

static void on_open_list(void *context)
{
    put_indefinite(context, CBOR_LIST);
}

static void on_open_pairs(void *context)
{
    put_indefinite(context, CBOR_PAIRS);
}

static void on_tag(void *context, uint64_t value)
{
    put(context, CBOR_TAGGED, value);
}

static void on_null(void *context)
{
    put(context, CBOR_NOTHING, 0);
}

static void on_break(void *context)
{
    put(context, CBOR_BREAK, 0);
}

static struct cbor_callbacks callbacks(void)
{
    struct cbor_callbacks made = cbor_empty_callbacks;
    made.uint8 = on_uint8;
    made.uint16 = on_uint16;
    made.uint32 = on_uint32;
    made.uint64 = on_uint64;
    made.negint8 = on_negint8;
    made.negint16 = on_negint16;
    made.negint32 = on_negint32;
    made.negint64 = on_negint64;
    made.byte_string = on_bytes;
    made.string = on_text;
    made.array_start = on_list;
    made.indef_array_start = on_open_list;
    made.map_start = on_pairs;
    made.indef_map_start = on_open_pairs;
    made.tag = on_tag;
    made.null = on_null;
    made.indef_break = on_break;
    return made;
}

/* ---- reading ------------------------------------------------------------------------------ */

bool cbor_next(struct span *in, struct cbor_item *out)
{
    const struct cbor_callbacks call = callbacks();
    struct cbor_item item = {.kind = CBOR_OTHER};
    if (in->len == 0)
        return false;
    const struct cbor_decoder_result result = cbor_stream_decode(in->at, in->len, &call, &item);
    if (result.status != CBOR_DECODER_FINISHED || result.read == 0 || result.read > in->len)
        return false;
    *in = SPAN(in->at + result.read, in->len - result.read);
    *out = item;
    return true;
}

bool cbor_expect(struct span *in, enum cbor_kind kind, struct cbor_item *out)
{
    return cbor_next(in, out) && out->kind == kind;
}

bool cbor_more(struct span *in, const struct cbor_item *head, uint64_t *done)
{
    struct span rest = *in;
    struct cbor_item item;
    if (!head->indefinite)
        return (*done)++ < head->value;
    if (cbor_expect(&rest, CBOR_BREAK, &item)) {
        *in = rest;
        return false;
    }
    (*done)++;
    return true;
}
