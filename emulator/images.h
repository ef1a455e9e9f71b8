/* What the pretend images are: how they boot, what they measure, whether they lie. */
#ifndef MUSTER_EMULATOR_IMAGES_H
#define MUSTER_EMULATOR_IMAGES_H

#include "emulator/psp.h"
#include "lib/base/json.h"
#include "lib/model/account.h"

enum { IMAGES_MAX = 256, IMAGE_ID_SIZE = 128 };

struct image {
    enum account_driver cloud;
    char id[IMAGE_ID_SIZE];
    enum psp_flavour flavour;
    enum psp_tamper tamper;
    uint8_t measurement[SNP_MEASUREMENT_SIZE]; /* what an honest machine of it reports */
};

struct images {
    struct image *at;
    size_t count;
};

/* `{"ami-...": {"cloud": "aws", "flavour": "direct-boot", "tamper": "none", "measurement": HEX}}`,
 * all but the flavour optional; with an empty path a few images of our own (emulator/README.md
 * lists them). An image's id is as its cloud's API names it: "publisher:offer:sku:version" on
 * Azure, "projects/P/global/images/I" on Compute Engine. */
enum outcome images_open(const char *path, struct images *out, struct error *err);
void images_done(struct images *images);

const struct image *images_find(const struct images *images, enum account_driver cloud,
                                const char *id); /* NULL: none */
json_t *images_to_json(const struct images *images);

#endif
