/* What the files of the catalogue share. */
#ifndef MUSTER_MODEL_CATALOGUE_INSIDE_H
#define MUSTER_MODEL_CATALOGUE_INSIDE_H

#include "lib/model/catalogue.h"

bool catalogue_words_have(const json_t *words, const char *word);
/* EC2's sizes are a family, a dot and the rest; gives the rest, "" where there is no dot. */
const char *catalogue_family(const char *size, char out[static NAME_SIZE]);
bool catalogue_is_metal(const char *size);
/* Of a rule of families: is it of one of them, and whose processor is that? */
bool catalogue_families_have(const struct catalogue_rule *rule, const char *size,
                             enum catalogue_processor *out);

#endif
