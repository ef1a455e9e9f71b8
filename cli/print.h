/* JSON for people: tables of chosen members, and whole objects one member a line. What comes from a
 * server is cleaned, so that no answer can play with the terminal. */
#ifndef MUSTER_CLI_PRINT_H
#define MUSTER_CLI_PRINT_H

#include <stdio.h>

#include "lib/base/json.h"

struct column {
    const char *title;
    const char *member; /* "trust" or "verdict/reason" */
};

/* Columns end with a NULL title. No row: only the titles. A list of objects that stands last in its
 * line takes a line for each of them, an object that holds such a list one for each member. */
void print_table(FILE *out, const struct column *columns, const json_t *rows);
void print_object(FILE *out, const json_t *object);
void print_json(FILE *out, const json_t *value);

/* One value in one line: "-" for what is absent, lists by comma (of objects by semicolon), counts
 * as "running 5, booting 1" without the zeroes. */
void text_add_value(struct text *out, const json_t *value);

const json_t *json_find(const json_t *object, const char *member); /* NULL when it is not there */

#endif
