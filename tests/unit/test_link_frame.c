#include "lib/net/link_frame.h"

#include <string.h>

#include "tests/support/test.h"

enum { MOST = 1000 };

static void feed(struct frames *frames, struct span bytes)
{
    while (bytes.len > 0) {
        size_t room = 0;
        uint8_t *at = frames_room(frames, &room);
        assert_true(room > 0);
        size_t n = room < bytes.len ? room : bytes.len;
        memcpy(at, bytes.at, n);
        frames_came(frames, n);
        bytes = span_part(bytes, n, bytes.len);
    }
}

static void add(struct bytes *all, uint8_t type, uint64_t id, struct span body)
{
    frame_head(bytes_add_room(all, FRAME_HEAD_SIZE), type, id, body.len);
    bytes_add(all, body);
}

static void a_head_is_length_type_and_id_big_endian(void **state)
{
    (void)state;
    uint8_t head[FRAME_HEAD_SIZE];
    frame_head(head, 0x42, UINT64_C(0x0102030405060708), 0x00010203);
    assert_memory_equal(head, "\x00\x01\x02\x03\x42\x01\x02\x03\x04\x05\x06\x07\x08", 13);
}

static void frames_come_out_as_they_went_in_however_they_are_cut(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes all = {0};
    uint8_t body[MOST];
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(i * 7);
    const size_t sizes[] = {0, 1, MOST, 499, 500, 0, 0, 13, 700};
    for (size_t i = 0; i < countof(sizes); i++)
        add(&all, (uint8_t)(i + 1), i, SPAN(body, sizes[i]));
    for (size_t cut = 1; cut <= 600; cut++) {
        OWNED(frames_done) struct frames frames = {0};
        size_t seen = 0;
        for (size_t at = 0; at < all.len; at += cut) {
            feed(&frames, span_part(bytes_span(&all), at, cut));
            struct frame frame;
            bool whole = true;
            while (whole) {
                assert_ok(frames_next(&frames, MOST, &frame, &whole, &err));
                if (!whole)
                    break;
                assert_int_equal(frame.type, seen + 1);
                assert_true(frame.id == seen);
                assert_true(span_equal(frame.body, SPAN(body, sizes[seen])));
                seen++;
            }
        }
        assert_int_equal(seen, countof(sizes));
    }
}

static void a_length_over_the_bound_is_refused_by_its_head_alone(void **state)
{
    (void)state;
    struct error err = {0};
    const size_t lengths[] = {MOST + 1, 0x80000000, UINT32_MAX};
    for (size_t i = 0; i < countof(lengths); i++) {
        OWNED(frames_done) struct frames frames = {0};
        uint8_t head[FRAME_HEAD_SIZE];
        frame_head(head, 1, 1, lengths[i]);
        struct frame frame;
        bool whole;
        feed(&frames, SPAN(head, FRAME_HEAD_SIZE - 1));
        assert_ok(frames_next(&frames, MOST, &frame, &whole, &err));
        assert_false(whole);
        feed(&frames, SPAN(head + FRAME_HEAD_SIZE - 1, 1));
        assert_fails(frames_next(&frames, MOST, &frame, &whole, &err), ERR_INVALID,
                     "frame-too-large");
        assert_false(whole);
    }
}

static void a_claimed_length_takes_no_memory_before_its_bytes_come(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(frames_done) struct frames frames = {0};
    enum { CLAIMED = 1 << 20 };
    uint8_t head[FRAME_HEAD_SIZE];
    frame_head(head, 1, 1, CLAIMED);
    feed(&frames, SPAN_OF(head));
    struct frame frame;
    bool whole;
    for (size_t came = 0; came < CLAIMED; came += 1000) {
        static const uint8_t part[1000];
        assert_ok(frames_next(&frames, CLAIMED, &frame, &whole, &err));
        assert_false(whole);
        assert_true(frames.room <= 2 * (came + FRAME_HEAD_SIZE) + FRAMES_IDLE_ROOM);
        feed(&frames, SPAN(part, came + 1000 < CLAIMED ? 1000 : CLAIMED - came));
    }
    assert_ok(frames_next(&frames, CLAIMED, &frame, &whole, &err));
    assert_true(whole);
    assert_int_equal(frame.body.len, CLAIMED);
    size_t room;
    frames_room(&frames, &room);
    assert_true(room <= FRAMES_BUSY_ROOM); /* and gives it back at once */
}

static void a_peer_that_sends_much_is_read_in_one_turn_until_it_sends_little(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(frames_done) struct frames frames = {0};
    OWNED(bytes_done) struct bytes large = {0};
    OWNED(bytes_done) struct bytes small = {0};
    static const uint8_t body[5000];
    struct frame frame;
    bool whole;
    size_t room;
    add(&large, 1, 1, SPAN_OF(body));
    add(&small, 1, 1, SPAN(body, 10));
    feed(&frames, bytes_span(&large));
    assert_ok(frames_next(&frames, sizeof body, &frame, &whole, &err));
    frames_room(&frames, &room);
    assert_true(room >= large.len);
    feed(&frames, bytes_span(&small));
    assert_ok(frames_next(&frames, sizeof body, &frame, &whole, &err));
    frames_room(&frames, &room);
    assert_int_equal(room, FRAMES_IDLE_ROOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_length_type_and_id_big_endian),
        cmocka_unit_test(frames_come_out_as_they_went_in_however_they_are_cut),
        cmocka_unit_test(a_length_over_the_bound_is_refused_by_its_head_alone),
        cmocka_unit_test(a_claimed_length_takes_no_memory_before_its_bytes_come),
        cmocka_unit_test(a_peer_that_sends_much_is_read_in_one_turn_until_it_sends_little),
    };
    return cmocka_run_group_tests_name("link_frame", tests, NULL, NULL);
}
