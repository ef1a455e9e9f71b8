/* A machine image of one account's cloud, with what is known of how it measures itself. The signed
 * truth is the charter's; these are the facts the controller and people work with. */
#ifndef MUSTER_MODEL_IMAGE_H
#define MUSTER_MODEL_IMAGE_H

#include "lib/model/account.h"
#include "lib/model/instance.h"

enum {
    IMAGE_REF_SIZE = 256,
    IMAGE_JSON_MAX = 16 * 1024, /* each of reference_values, measured_boot and os */
};

enum provider_execution { PROVIDER_EXECUTION_ON, PROVIDER_EXECUTION_OFF, PROVIDER_EXECUTION_COUNT };
extern const struct names provider_execution_names; /* "on", "off" */

struct image {
    struct uuid id;
    char project[PROJECT_SIZE];
    char name[NAME_SIZE];
    char driver[NAME_SIZE];   /* "aws" */
    char ref[IMAGE_REF_SIZE]; /* "ami-0abc..." */
    json_t *refs;             /* object: other refs of it, by account or else by cloud */
    char boot_mode[NAME_SIZE];
    json_t *reference_values; /* object: measurements and PCRs that the image should show */
    json_t *measured_boot;    /* object: how far measurement reaches (agent, root file system) */
    enum provider_execution
        provider_execution; /* scripts and agents of the provider in the guest */
    json_t *os;             /* object: name, version; both optional words */
    int64_t epoch;
    struct moment created;
    struct moment updated;
};

extern const struct record image_record;

void image_done(struct image *image);
enum outcome image_from_json(const json_t *value, struct image *out, struct error *err);
json_t *image_to_json(const struct image *image);

/* What it is called in this account; NULL: it is not there. */
const char *image_ref_in(const struct image *image, const struct account *account);

#endif
