/* Signing a document that takes several people, one after the other, offline. */
#ifndef MUSTER_CLI_SIGNING_H
#define MUSTER_CLI_SIGNING_H

#include "lib/base/bytes.h"

struct signing {
    const char *file;        /* the document, signed by nobody yet */
    const char *signed_file; /* or as others have signed it */
    const char *key;
    const char *out;
};

/* Its rows of a table of arguments. */
/* clang-format off */
#define SIGNING_ARGUMENTS(signing)                                                                 \
    {"--file", .text = &(signing)->file}, {"--signed", .text = &(signing)->signed_file},           \
    {"--key", .text = &(signing)->key}, {"--out", .text = &(signing)->out}
/* clang-format on */

struct signed_kind {
    const char *typ;
    size_t limit;
    enum outcome (*check)(struct span json, struct error *err); /* would it be taken? */
};

/* Adds one signature; nobody signs what would not be taken. */
enum outcome signing_run(const struct signing *signing, const struct signed_kind *kind,
                         struct error *err);

#endif
