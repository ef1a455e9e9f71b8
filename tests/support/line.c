#include "tests/support/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

void line_add(struct line *line, const char *word)
{
    assert_true(line->count < LINE_WORDS_MAX - 1);
    line->words[line->count++] = mem_text(word);
}

void line_done(struct line *line)
{
    for (size_t i = 0; i < line->count; i++)
        free(line->words[i]);
    *line = (struct line){0};
}

struct line line_of(const char *text)
{
    struct line line = {0};
    OWNED(mem_drop) char *copy = mem_text(text);
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        line_add(&line, word);
    return line;
}

void line_add_vector(struct line *line, const char *option, const char *folder, const char *path)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s/%s", vectors_folder(), folder, path);
    line_add(line, option);
    line_add(line, whole);
}

void line_add_file(struct line *line, const char *option, const char *folder, const json_t *files,
                   const char *name)
{
    const char *path = json_string_value(json_object_get(files, name));
    if (path != NULL)
        line_add_vector(line, option, folder, path);
}

void line_add_text(struct line *line, const char *option, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (text == NULL)
        return;
    line_add(line, option);
    line_add(line, text);
}

void line_add_json(struct line *line, const char *option, const char *scratch,
                   const json_t *content)
{
    struct error err = {0};
    OWNED(mem_drop) char *text = json_print(content);
    OWNED(mem_drop) char *path = scratch_path(scratch, option + strlen("--"));
    assert_ok(file_write(path, span_of_text(text), 0600, &err));
    line_add(line, option);
    line_add(line, path);
}

void line_add_policy(struct line *line, const char *scratch, const char *kind,
                     const json_t *test_case)
{
    const json_t *policy = json_object_get(test_case, "policy");
    OWNED(json_drop) json_t *whole = json_object();
    if (policy == NULL)
        return;
    json_put_new(whole, kind, json_deep_copy(policy));
    line_add_json(line, "--expect", scratch, whole);
}

struct ran run_line(const struct line *line)
{
    const char *argv[LINE_WORDS_MAX + 1] = {0};
    for (size_t i = 0; i < line->count; i++)
        argv[i] = line->words[i];
    return run(argv);
}

struct ran run_text(const char *text)
{
    OWNED(line_done) struct line line = line_of(text);
    return run_line(&line);
}

void assert_used_wrongly(const char *text)
{
    OWNED(ran_done) struct ran ran = run_text(text);
    const char *said = (const char *)ran.err.at;
    assert_int_equal(ran.exit_code, 2);
    assert_string_equal((const char *)ran.out.at, "");
    assert_true(strncmp(said, "muster: ", 8) == 0);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}
