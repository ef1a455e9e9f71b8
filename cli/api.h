/* The commands that are one call of the API each: a table says what they are called, what they take
 * and what they show. */
#ifndef MUSTER_CLI_API_H
#define MUSTER_CLI_API_H

#include "cli/print.h"

enum argument_place {
    IN_PATH,    /* fills the next {} of the path */
    IN_QUERY,   /* ?member=value */
    QUERY_TRUE, /* ?member=true, an option without a value */
    BODY_TEXT,  /* a member of the body */
    BODY_INT,
    BODY_NUMBER,     /* with a decimal point or without */
    BODY_TRUE,       /* an option without a value */
    BODY_FILE,       /* the whole body: a JSON file, "-" for standard input */
    BODY_FILE_NAMED, /* the same, and a member of it fills the next {} of the path */
    BODY_FILE_TEXT,  /* a file's text as a member of the body */
    ANSWER_FILE,     /* where to write a member of the answer, as JSON */
};

struct api_argument {
    const char *name; /* "NAME" stands by itself, "--fleet" takes a value */
    enum argument_place place;
    const char *member; /* "a/b": b of the body's a */
    bool required;
};

enum { API_ARGUMENTS_MAX = 12 };

enum api_answer {
    ANSWERS_OBJECT,
    ANSWERS_LIST,  /* {"items": [...]}, page by page */
    ANSWERS_BYTES, /* go to standard output as they are */
};

struct api_command {
    const char *noun;
    const char *verb;
    const char *method;
    const char *path; /* "/v1/fleets/{}" */
    enum api_answer answer;
    const char *body; /* JSON that every body starts from; NULL: nothing */
    struct api_argument arguments[API_ARGUMENTS_MAX];
    const struct column *columns; /* NULL: the whole object, a member a line */
    const char *help;
    bool usual;              /* what the noun by itself does */
    const char *left_out[2]; /* members that a table only names; NULL: none */
};

extern const struct api_command api_commands[];
extern const size_t api_command_count;

/* Nouns may be said in the singular: `muster fleet list`. A NULL verb asks for the noun alone. */
bool api_has(const char *noun, const char *verb);

/* `muster NOUN VERB ...`: argv[0] is the noun. Gives the exit code. */
int api_main(int argc, char **argv);

/* What the help and the man page list: one line a command. */
void api_print_help(const char *noun, FILE *out); /* NULL: all of them */

#endif
