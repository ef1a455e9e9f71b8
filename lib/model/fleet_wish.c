#include "lib/model/fleet_wish.h"

#include <stdio.h>
#include <string.h>

static void copy(char *out, size_t size, const char *in)
{
    snprintf(out, size, "%s", in != NULL ? in : "");
}

#define COPY(field, text) copy((field), sizeof(field), (text))

static unsigned features_of(const struct fleet *fleet)
{
    unsigned features = 0;
    for (size_t i = 0; i < json_array_size(fleet->features); i++) {
        int feature = 0;
        error_ignore(name_parse(&catalogue_feature_names,
                                json_string_value(json_array_get(fleet->features, i)), &feature,
                                NULL));
        features |= FEATURE_BIT((unsigned)feature);
    }
    return features;
}

static void make_wish(const struct fleet *fleet, const struct place *place,
                      const struct account *account, const struct image *image,
                      struct catalogue_wish *out)
{
    *out = (struct catalogue_wish){.cloud = account->driver, .features = features_of(fleet)};
    COPY(out->region, account->region);
    COPY(out->zone, account->zone);
    COPY(out->size, place->size[0] != '\0' ? place->size : fleet->size);
    if (image != NULL) {
        COPY(out->boot_mode, image->boot_mode);
        COPY(out->os_name, json_string_value(json_object_get(image->os, "name")));
        COPY(out->os_version, json_string_value(json_object_get(image->os, "version")));
    }
    if (strcmp(account->security_encryption, "DiskWithVMGuestState") == 0)
        out->features |= FEATURE_BIT(FEATURE_CONFIDENTIAL_DISK);
    out->enclaves = (out->features & FEATURE_BIT(FEATURE_ENCLAVES)) != 0;
    if (fleet->enclaves != NULL) /* read when the fleet was made */
        error_ignore(catalogue_wish_read_enclaves(fleet->enclaves, out, NULL));
}

size_t fleet_wishes(const struct fleet *fleet, const struct place *place,
                    const struct account *account, const struct image *image,
                    struct catalogue_wish out[static PLACE_ZONES_MAX])
{
    const size_t count = place->zone_count > 0 ? place->zone_count : 1;
    for (size_t i = 0; i < count; i++) {
        make_wish(fleet, place, account, image, &out[i]);
        if (place->zone_count > 0)
            COPY(out[i].zone, place->zones[i]);
        catalogue_wish_read_zone(&out[i]);
    }
    return count;
}
