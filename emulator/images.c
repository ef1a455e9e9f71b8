#include "emulator/images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/digest.h"

enum { IMAGES_FILE_MAX = 1 << 20 };

#define AZURE "muster:confidential-vm:"
#define GCP "projects/muster-sim/global/images/"

/* clang-format off */
static const struct {
    enum account_driver cloud;
    const char *id;
    enum psp_flavour flavour;
    enum psp_tamper tamper;
} built_in[] = {
    {DRIVER_AWS,   "ami-0ec20000000000001",       PSP_FIRMWARE_ONLY, PSP_HONEST},
    {DRIVER_AWS,   "ami-0d1ec700000000001",       PSP_DIRECT_BOOT,   PSP_HONEST},
    {DRIVER_AWS,   "ami-0bad0000000000001",       PSP_FIRMWARE_ONLY, PSP_ALTER_MEASUREMENT},
    {DRIVER_AWS,   "ami-0bad0000000000002",       PSP_FIRMWARE_ONLY, PSP_DEBUG_POLICY},
    {DRIVER_AWS,   "ami-0bad0000000000003",       PSP_FIRMWARE_ONLY, PSP_WRONG_MEASUREMENT},
    {DRIVER_AWS,   "ami-0bad0000000000004",       PSP_DIRECT_BOOT,   PSP_WRONG_MEASUREMENT},
    {DRIVER_AZURE, AZURE "firmware-cvm:1.0.0",    PSP_FIRMWARE_ONLY, PSP_HONEST},
    {DRIVER_AZURE, AZURE "measured-cvm:1.0.0",    PSP_DIRECT_BOOT,   PSP_HONEST},
    {DRIVER_AZURE, AZURE "altered-cvm:1.0.0",     PSP_FIRMWARE_ONLY, PSP_ALTER_MEASUREMENT},
    {DRIVER_AZURE, AZURE "debug-cvm:1.0.0",       PSP_FIRMWARE_ONLY, PSP_DEBUG_POLICY},
    {DRIVER_AZURE, AZURE "wrong-cvm:1.0.0",       PSP_DIRECT_BOOT,   PSP_WRONG_MEASUREMENT},
    {DRIVER_GCP,   GCP "firmware-snp",            PSP_FIRMWARE_ONLY, PSP_HONEST},
    {DRIVER_GCP,   GCP "measured-snp",            PSP_DIRECT_BOOT,   PSP_HONEST},
    {DRIVER_GCP,   GCP "altered-snp",             PSP_FIRMWARE_ONLY, PSP_ALTER_MEASUREMENT},
    {DRIVER_GCP,   GCP "debug-snp",               PSP_FIRMWARE_ONLY, PSP_DEBUG_POLICY},
    {DRIVER_GCP,   GCP "wrong-snp",               PSP_DIRECT_BOOT,   PSP_WRONG_MEASUREMENT},
};
/* clang-format on */

/* What a launch digest without a measured boot covers: the provider's firmware alone, so all such
 * images of a cloud measure alike. */
static const char *const firmware[ACCOUNT_DRIVER_COUNT] = {
    [DRIVER_AWS] = "firmware",
    [DRIVER_AZURE] = "azure firmware",
    [DRIVER_GCP] = "gcp firmware",
};

static void measure(struct image *image)
{
    OWNED(text_done) struct text what = {0};
    text_addf(&what, "muster-sim %s",
              image->flavour == PSP_DIRECT_BOOT ? image->id : firmware[image->cloud]);
    digest(DIGEST_SHA384, text_span(&what), image->measurement);
}

static struct image *add(struct images *images)
{
    images->at = mem_resize(images->at, images->count + 1, sizeof *images->at);
    struct image *fresh = &images->at[images->count++];
    *fresh = (struct image){0};
    return fresh;
}

static enum outcome read_one(const char *id, const json_t *value, struct image *out,
                             struct error *err)
{
    static const char *const members[] = {"cloud", "flavour", "tamper", "measurement", NULL};
    const char *word;
    int number;
    TRY(text_copy(out->id, sizeof out->id, id, id, err));
    TRY(json_only(value, id, members, err));
    TRY(json_get_text_or(value, id, "cloud", 32, "aws", &word, err));
    TRY(name_parse(&account_driver_names, word, &number, err));
    out->cloud = (enum account_driver)number;
    TRY(json_get_text(value, id, "flavour", 32, &word, err));
    TRY(name_parse(&psp_flavour_names, word, &number, err));
    out->flavour = (enum psp_flavour)number;
    TRY(json_get_text_or(value, id, "tamper", 32, "none", &word, err));
    TRY(name_parse(&psp_tamper_names, word, &number, err));
    out->tamper = (enum psp_tamper)number;
    measure(out);
    if (json_object_get(value, "measurement") == NULL)
        return OK;
    return json_get_hex(value, id, "measurement", out->measurement, sizeof out->measurement, err);
}

static enum outcome read_all(const char *path, struct images *out, struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(json_drop) json_t *value = NULL;
    TRY(file_read(path, IMAGES_FILE_MAX, &content, err));
    TRY(json_parse(bytes_span(&content), IMAGES_FILE_MAX, &value, err));
    if (!json_is_object(value) || json_object_size(value) > IMAGES_MAX)
        return fail(err, ERR_INVALID, "expected an object of at most %d images", IMAGES_MAX);
    const char *id;
    json_t *image;
    json_object_foreach (value, id, image)
        TRY(read_one(id, image, add(out), err));
    return OK;
}

enum outcome images_open(const char *path, struct images *out, struct error *err)
{
    OWNED(images_done) struct images made = {0};
    if (path[0] != '\0' && read_all(path, &made, err) != OK)
        return error_context(err, "%s", path);
    for (size_t i = 0; path[0] == '\0' && i < countof(built_in); i++) {
        struct image *image = add(&made);
        image->cloud = built_in[i].cloud;
        snprintf(image->id, sizeof image->id, "%s", built_in[i].id);
        image->flavour = built_in[i].flavour;
        image->tamper = built_in[i].tamper;
        measure(image);
    }
    *out = made;
    made = (struct images){0};
    return OK;
}

void images_done(struct images *images)
{
    free(images->at);
    *images = (struct images){0};
}

const struct image *images_find(const struct images *images, enum account_driver cloud,
                                const char *id)
{
    for (size_t i = 0; i < images->count; i++)
        if (images->at[i].cloud == cloud && strcmp(images->at[i].id, id) == 0)
            return &images->at[i];
    return NULL;
}

json_t *images_to_json(const struct images *images)
{
    json_t *out = json_object();
    for (size_t i = 0; i < images->count; i++) {
        const struct image *image = &images->at[i];
        json_t *row = json_object();
        json_put_text(row, "cloud", name_of(&account_driver_names, (int)image->cloud));
        json_put_text(row, "flavour", name_of(&psp_flavour_names, (int)image->flavour));
        json_put_text(row, "tamper", name_of(&psp_tamper_names, (int)image->tamper));
        json_put_hex(row, "measurement", SPAN_OF(image->measurement));
        json_put_new(out, image->id, row);
    }
    return out;
}
