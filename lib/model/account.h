/* A cloud account we may use: where it is, how to sign in, and what to launch when it is tried. The
 * record is what ACCOUNT.json holds and what `POST /v1/accounts` takes. */
#ifndef MUSTER_MODEL_ACCOUNT_H
#define MUSTER_MODEL_ACCOUNT_H

#include "lib/base/record.h"

enum account_driver { DRIVER_AWS, DRIVER_AZURE, DRIVER_GCP, ACCOUNT_DRIVER_COUNT };
extern const struct names account_driver_names; /* "aws", "azure", "gcp" */

enum credential_source { CREDENTIALS_ENVIRONMENT, CREDENTIAL_SOURCE_COUNT };
extern const struct names credential_source_names; /* "environment" */

enum { ACCOUNT_JSON_MAX = 64 * 1024 };

struct account {
    char name[64];
    enum account_driver driver;
    char region[64];
    char zone[64];      /* empty: the cloud chooses */
    char endpoint[256]; /* empty: the cloud's own; http only to loopback */
    char owner[64];     /* tag on everything launched; two Musters in one account must differ */
    char subnet[64];    /* empty: the default one of the zone */
    char security_group[64];
    char instance_profile[256]; /* ARN; empty: the machine gets no role */
    json_t *credentials;        /* {"source": ...}: a reference, never a secret */
    json_t *test;               /* {"image": ..., "size": ...}: what `account test` launches */
};

extern const struct record account_record;

void account_done(struct account *account);

/* Strict: unknown members are refused with their path, at every level. Fills in defaults. */
enum outcome account_from_json(const json_t *value, const char *path, struct account *out,
                               struct error *err);
/* A file that holds ACCOUNT.json. */
enum outcome account_read(const char *file, struct account *out, struct error *err);

enum credential_source account_credential_source(const struct account *account);
const char *account_test_image(const struct account *account); /* NULL when there is none */
const char *account_test_size(const struct account *account);

#endif
