#include "lib/base/config.h"

#include <string.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

struct settings {
    char *address;
    int64_t workers;
    bool loud;
};

static const struct setting table[] = {
    SETTING(settings, address, "address", SETTING_TEXT, NULL, .help = "where to listen"),
    SETTING(settings, workers, "workers", SETTING_INT, "4", .least = 1, .most = 64,
            .help = "how many"),
    SETTING(settings, loud, "loud", SETTING_BOOL, "false", .help = "say more"),
};

static enum outcome read_text(void **state, const char *text, struct settings *out,
                              struct error *err)
{
    OWNED(mem_drop) char *path = scratch_path(*state, "x.conf");
    assert_int_equal(file_write(path, span_of_text(text), 0600, err), OK);
    config_done(table, countof(table), out);
    *out = (struct settings){0};
    return config_read(path, table, countof(table), out, err);
}

static void settings_come_from_the_file_or_their_default(void **state)
{
    struct error err = {0};
    struct settings s = {0};
    assert_ok(read_text(state, "# who\n\n address = a b \nloud=true\r\n", &s, &err));
    assert_string_equal(s.address, "a b");
    assert_int_equal(s.workers, 4);
    assert_true(s.loud);
    config_done(table, countof(table), &s);
}

static void a_bad_file_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text, *code, *line;
    } cases[] = {
        {"address = a\nworker = 3\n", "unknown-setting", ":2"},
        {"address = a\nworkers = 0\n", "bad-setting", ":2"},
        {"address = a\nworkers = 1x\n", "bad-setting", ":2"},
        {"address = a\n\naddress = b\n", "bad-setting", ":3"},
        {"address = a\nloud = yes\n", "bad-setting", ":2"},
        {"address\n", "bad-setting", ":1"},
        {"workers = 3\n", "missing-setting", ""},
    };
    struct error err = {0};
    struct settings s = {0};
    for (size_t i = 0; i < countof(cases); i++) {
        assert_fails(read_text(state, cases[i].text, &s, &err), ERR_INVALID, cases[i].code);
        assert_non_null(strstr(err.where, cases[i].line));
    }
    config_done(table, countof(table), &s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(settings_come_from_the_file_or_their_default, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(a_bad_file_is_refused_with_its_line, scratch_open,
                                        scratch_close),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
