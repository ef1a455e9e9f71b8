/* What is printed without a tree is, byte for byte, what the tree would print. */
#include "lib/base/members.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"

static const char *const colour_words[] = {"red", "green"};
static const struct names colour_names = NAMES("colour", colour_words);

struct thing {
    int64_t zeal;
    bool loud;
    int colour;
    char name[40];
    char *story;
    struct uuid id;
    struct moment made;
    struct bytes blob;
    uint8_t hash[4];
    json_t *rest;
    char *printed;
    char hidden[8];
};

/* clang-format off */
static const struct field fields[] = {
    FIELD(thing, zeal, FIELD_INT),
    FIELD(thing, loud, FIELD_BOOL),
    FIELD(thing, colour, FIELD_NAME, .names = &colour_names),
    FIELD(thing, name, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(thing, story, FIELD_STRING, .flags = FIELD_OPTIONAL),
    FIELD(thing, id, FIELD_UUID, .flags = FIELD_OPTIONAL),
    FIELD(thing, made, FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(thing, blob, FIELD_BYTES, .flags = FIELD_OPTIONAL),
    FIELD(thing, hash, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(thing, rest, FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(thing, printed, FIELD_PRINTED, .flags = FIELD_OPTIONAL),
    FIELD(thing, hidden, FIELD_TEXT, .flags = FIELD_HIDDEN),
};
/* clang-format on */
static const struct record thing_record = RECORD(thing, fields);

static struct thing whole_thing(void)
{
    struct thing thing = {
        .zeal = INT64_MIN,
        .loud = true,
        .colour = 1,
        .name = "quotes \" and \\, a tab\t, \xc3\xa9",
        .story = mem_text("a plain story that is longer than eight letters, and \x01 \x7f"),
        .id = {{1, 2, 3}},
        .made = {INT64_C(1795569570000001)},
        .hash = {0, 1, 2, 255},
        .printed = mem_text("{\"a\":[1,null],\"b\":\"\\u0001\"}"),
        .hidden = "never",
    };
    bytes_add(&thing.blob, span_of_text("a blob"));
    thing.rest = json_pack("{s:[i,b,n,f], s:{s:s}}", "list", -7, 1, 0.5, "inner", "z", "last");
    return thing;
}

static void assert_printed_alike(const struct thing *thing)
{
    OWNED(members_done) struct members m = {0};
    OWNED(text_done) struct text direct = {0};
    OWNED(json_drop) json_t *tree = record_to_json(&thing_record, thing);
    OWNED(mem_drop) char *printed = json_print(tree);
    members_record(&m, &thing_record, thing);
    members_print(&m, &direct);
    assert_string_equal(text_str(&direct), printed);
}

static void a_record_is_printed_as_its_tree_is(void **state)
{
    (void)state;
    struct thing thing = whole_thing();
    assert_printed_alike(&thing);
    record_done(&thing_record, &thing);
    assert_printed_alike(&thing); /* with all absent that may be */
}

static void members_go_by_name_whatever_order_they_came_in(void **state)
{
    (void)state;
    static const char *const names[] = {"b", "a", "aa", "B", "c", "_"};
    OWNED(members_done) struct members m = {0}, outer = {0};
    OWNED(text_done) struct text printed = {0};
    for (size_t i = 0; i < countof(names); i++)
        members_int(&m, names[i], (int64_t)i);
    members_object(&outer, "z", &m);
    members_moment(&outer, "never", (struct moment){0});
    members_object(&outer, "empty", &(struct members){0});
    members_print(&outer, &printed);
    assert_string_equal(text_str(&printed), "{\"empty\":{},\"never\":null,\"z\":"
                                            "{\"B\":3,\"_\":5,\"a\":1,\"aa\":2,\"b\":0,\"c\":4}}");
}

/* Of numbers of one digit, so that most of it is what stands around them. */
static void what_is_printed_has_room_whatever_its_length(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    char value[300] = "";
    for (size_t len = 0; len < sizeof value - 1; len++) {
        OWNED(members_done) struct members m = {0};
        OWNED(text_done) struct text printed = {0};
        for (size_t i = 0; i < countof(names); i++)
            members_int(&m, names[i], 0);
        members_text(&m, "i", value);
        members_print(&m, &printed);
        assert_true(printed.len < printed.room);
        assert_int_equal(printed.len, strlen(printed.at));
        value[len] = 'v';
    }
}

/* RECORD() lets no record have more fields than these; an instance has 49. */
static void the_longest_record_has_room_and_what_stands_beside_it(void **state)
{
    (void)state;
    int64_t value = 7;
    char names[MEMBERS_MAX][8];
    struct field fields_of_it[RECORD_FIELDS_MAX];
    const struct record record = {
        .name = "long", .count = RECORD_FIELDS_MAX, .fields = fields_of_it};
    OWNED(members_done) struct members m = {0};
    OWNED(text_done) struct text direct = {0};
    OWNED(json_drop) json_t *tree = json_object();
    for (size_t i = 0; i < MEMBERS_MAX; i++)
        snprintf(names[i], sizeof names[i], "f%03zu", i);
    for (size_t i = 0; i < RECORD_FIELDS_MAX; i++)
        fields_of_it[i] = (struct field){.name = names[i], .kind = FIELD_INT, .size = sizeof value};
    members_record(&m, &record, &value);
    for (size_t i = RECORD_FIELDS_MAX; i < MEMBERS_MAX; i++)
        members_int(&m, names[i], value);
    for (size_t i = 0; i < MEMBERS_MAX; i++)
        json_put_int(tree, names[i], value);
    OWNED(mem_drop) char *printed = json_print(tree);
    members_print(&m, &direct);
    assert_string_equal(text_str(&direct), printed);
}

static void numbers_are_printed_whole(void **state)
{
    (void)state;
    static const struct {
        int64_t number;
        const char *text;
    } cases[] = {{0, "0"},
                 {-1, "-1"},
                 {10, "10"},
                 {INT64_MAX, "9223372036854775807"},
                 {INT64_MIN, "-9223372036854775808"}};
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(text_done) struct text printed = {0};
        text_add_number(&printed, cases[i].number);
        assert_string_equal(text_str(&printed), cases[i].text);
    }
}

/* Wherever in eight bytes it stands. */
static void every_byte_that_is_not_plain_is_seen(void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++)
        for (size_t at = 0; at < 24; at++) {
            char line[] = "~~~~~~~~        ~~~~~~~~";
            line[at] = (char)c;
            const bool plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\';
            const size_t len = text_plain_len(SPAN(line, 24));
            assert_true(plain ? len == 24 : len <= at && at - len < 8);
        }
}

static void what_was_printed_before_is_read_and_printed_again(void **state)
{
    (void)state;
    struct error err = {0};
    struct thing got = {0};
    OWNED(json_drop)
    json_t *tree = json_pack("{s:i,s:b,s:s,s:{s:i,s:i}}", "zeal", 1, "loud", 0, "colour", "red",
                             "printed", "b", 2, "a", 1);
    assert_ok(record_from_json(&thing_record, tree, "", &got, &err));
    assert_string_equal(got.printed, "{\"a\":1,\"b\":2}");
    assert_printed_alike(&got);
    record_done(&thing_record, &got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_printed_as_its_tree_is),
        cmocka_unit_test(members_go_by_name_whatever_order_they_came_in),
        cmocka_unit_test(what_is_printed_has_room_whatever_its_length),
        cmocka_unit_test(the_longest_record_has_room_and_what_stands_beside_it),
        cmocka_unit_test(numbers_are_printed_whole),
        cmocka_unit_test(every_byte_that_is_not_plain_is_seen),
        cmocka_unit_test(what_was_printed_before_is_read_and_printed_again),
    };
    return cmocka_run_group_tests_name("members", tests, NULL, NULL);
}
