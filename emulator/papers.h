/* Identity documents as clouds sign them, under keys of the simulator's own: worth nothing but
 * where a charter names these keys. */
#ifndef MUSTER_EMULATOR_PAPERS_H
#define MUSTER_EMULATOR_PAPERS_H

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/names.h"

/* What is wrong with the signed thing itself; other lies are other words in it. */
enum paper_flaw {
    PAPER_HONEST,
    PAPER_FORGED,  /* by a key of nobody's under the right name */
    PAPER_ALTERED, /* one character changed after it was signed */
    PAPER_EXPIRED, /* or, where papers do not expire, of the day after tomorrow */
    PAPER_FLAW_COUNT
};

struct paper {
    const char *account, *region, *zone, *machine, *name, *image, *size;
    const char *nonce; /* Azure: the digits asked for; Google: the audience */
    struct moment started, at;
    int64_t confidentiality; /* Google's flag */
    enum paper_flaw flaw;
};

struct papers;

/* Keys and certificates from `folder`, made there once (a second). */
enum outcome papers_open(const char *folder, struct papers **out, struct error *err);
void papers_close(struct papers *papers);
DROP(papers_drop, struct papers, papers_close)

/* What a charter says under `clouds` to take these papers, of any account: EC2's in one region. */
json_t *papers_clouds(const struct papers *papers, const char *region);

/* As the metadata service answers. */
enum outcome papers_aws(const struct papers *papers, const struct paper *paper,
                        struct bytes *out_document, struct bytes *out_rsa2048, struct error *err);
enum outcome papers_azure(const struct papers *papers, const struct paper *paper, struct bytes *out,
                          struct error *err);
enum outcome papers_gcp(const struct papers *papers, const struct paper *paper, struct bytes *out,
                        struct error *err);

#endif
