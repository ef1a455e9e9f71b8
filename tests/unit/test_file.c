#include "lib/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static void a_written_file_reads_back_with_its_mode(void **state)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(*state, "f");
    OWNED(bytes_done) struct bytes content = {0};
    assert_ok(file_write(path, span_of_text("one"), 0400, &err));
    assert_ok(file_write(path, span_of_text("two"), 0400, &err));
    assert_ok(file_read_private(path, 3, &content, &err));
    assert_true(span_equal(bytes_span(&content), span_of_text("two")));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0400);
}

static void creating_never_replaces(void **state)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(*state, "f");
    OWNED(bytes_done) struct bytes content = {0};
    assert_ok(file_create(path, span_of_text("one"), 0600, &err));
    assert_fails(file_create(path, span_of_text("two"), 0600, &err), ERR_CONFLICT, "conflict");
    assert_ok(file_read(path, 100, &content, &err));
    assert_true(span_equal(bytes_span(&content), span_of_text("one")));
}

static void a_file_over_the_limit_is_refused(void **state)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(*state, "sparse");
    OWNED(bytes_done) struct bytes content = {0};
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(ftruncate(fd, 1L << 30), 0);
    close(fd);
    assert_fails(file_read(path, 1 << 20, &content, &err), ERR_INVALID, "too-large");
}

static void what_others_may_read_is_not_private(void **state)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(*state, "f");
    OWNED(bytes_done) struct bytes content = {0};
    assert_ok(file_write(path, span_of_text("x"), 0640, &err));
    assert_fails(file_read_private(path, 100, &content, &err), ERR_DENIED, "file-not-private");
}

static void folders_and_absent_files_are_told_apart(void **state)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(*state, "a/b/c");
    OWNED(bytes_done) struct bytes content = {0};
    assert_fails(file_read(path, 1, &content, &err), ERR_NOT_FOUND, "not-found");
    assert_ok(folder_make(path, 0700, &err));
    assert_ok(folder_make(path, 0700, &err));
    assert_fails(folder_make("", 0700, &err), ERR_INVALID, "invalid");
    assert_fails(file_read(path, 1, &content, &err), ERR_INVALID, "invalid");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(a_written_file_reads_back_with_its_mode), TEST(creating_never_replaces),
        TEST(a_file_over_the_limit_is_refused),        TEST(what_others_may_read_is_not_private),
        TEST(folders_and_absent_files_are_told_apart),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
