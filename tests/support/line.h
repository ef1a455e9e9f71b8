/* A command line, word by word; owns its words. */
#ifndef MUSTER_TESTS_LINE_H
#define MUSTER_TESTS_LINE_H

#include "lib/base/json.h"
#include "tests/support/run.h"

enum { LINE_WORDS_MAX = 48 };

struct line {
    size_t count;
    char *words[LINE_WORDS_MAX];
};

struct line line_of(const char *text); /* split at spaces */
void line_add(struct line *line, const char *word);
/* `option` and a file of the vectors, when `files` names one under `name`. */
void line_add_file(struct line *line, const char *option, const char *folder, const json_t *files,
                   const char *name);
void line_add_vector(struct line *line, const char *option, const char *folder, const char *path);
/* `option` and that member, when `object` has it as text. */
void line_add_text(struct line *line, const char *option, const json_t *object, const char *name);
/* `option` and a new file in `scratch` that holds `content`. */
void line_add_json(struct line *line, const char *option, const char *scratch,
                   const json_t *content);
/* "--expect" and the case's policy for this kind of evidence, when it has one. */
void line_add_policy(struct line *line, const char *scratch, const char *kind,
                     const json_t *test_case);
void line_done(struct line *line);

struct ran run_line(const struct line *line);
struct ran run_text(const char *text);

/* One line on standard error, nothing on standard output, exit code 2. */
void assert_used_wrongly(const char *text);

#endif
