/* A cloud account we may use: where it is, how to sign in, and what to launch when it is tried. The
 * record is what ACCOUNT.json holds and what `POST /v1/accounts` takes. */
#ifndef MUSTER_MODEL_ACCOUNT_H
#define MUSTER_MODEL_ACCOUNT_H

#include "lib/base/record.h"

enum account_driver { DRIVER_AWS, DRIVER_AZURE, DRIVER_GCP, ACCOUNT_DRIVER_COUNT };
extern const struct names account_driver_names; /* "aws", "azure", "gcp" */

enum credential_source {
    CREDENTIALS_ENVIRONMENT,        /* the conventional variables of that cloud's own tools */
    CREDENTIALS_CLIENT_SECRET,      /* Azure: a file that holds an application's secret */
    CREDENTIALS_CLIENT_CERTIFICATE, /* Azure: a PEM file of its certificate and key */
    CREDENTIALS_WORKLOAD_IDENTITY,  /* Azure: a file that holds another issuer's token */
    CREDENTIALS_MANAGED_IDENTITY,   /* Azure: what the machine that we run on is given */
    CREDENTIALS_GOOGLE_FILE,        /* Google: a key, or where to exchange another one's token */
    CREDENTIALS_METADATA_SERVER,    /* Google: what the machine that we run on is given */
    CREDENTIALS_PROFILE,            /* AWS: a section of the shared files */
    CREDENTIAL_SOURCE_COUNT
};
extern const struct names credential_source_names; /* "environment", "client-secret", ... */

enum { ACCOUNT_JSON_MAX = 64 * 1024, CLOUD_ACCOUNT_SIZE = 128 };

struct account {
    char name[64];
    enum account_driver driver;
    char region[64];
    char zone[64];      /* empty: the cloud chooses */
    char endpoint[256]; /* empty: the cloud's own; http only to loopback */
    char owner[64];     /* tag on everything launched; two Musters in one account must differ */
    char subnet[320];   /* empty: the default one of the zone; Azure: a resource id */
    char security_group[320];
    char instance_profile[256]; /* ARN; empty: the machine gets no role */
    char orphans[32];           /* "keep", or "remove-after:48h", ":7d": what is left behind */
    char cloud_account[CLOUD_ACCOUNT_SIZE]; /* the cloud's own id of it; empty: not learned yet */
    int64_t pace_percent;  /* of the documented rates that calls keep to; 0: all of them */
    char subscription[64]; /* Azure, as all down to force_delete */
    char resource_group[96];
    char security_encryption[32];  /* in Azure's words; empty: VMGuestStateOnly */
    char disk_encryption_set[320]; /* a resource id; empty: the platform's key */
    char admin_key[1024];          /* an SSH public key; empty: one that opens nothing */
    bool force_delete;             /* terminate without shutting down */
    char project[64];              /* Google, as the next two */
    char network[256];             /* empty: the subnet's, or "default" */
    char service_account[256];     /* an email; empty: the machine gets no identity */
    json_t *credentials;           /* {"source": ...}: a reference, never a secret */
    json_t *test;                  /* {"image": ..., "size": ...}: what `account test` launches */
};

extern const struct record account_record;

void account_done(struct account *account);

/* Strict: unknown members are refused with their path, at every level. Fills in defaults. */
enum outcome account_from_json(const json_t *value, const char *path, struct account *out,
                               struct error *err);
/* A file that holds ACCOUNT.json. */
enum outcome account_read(const char *file, struct account *out, struct error *err);

/* After a change of what says whose account it is, it is learned anew unless it was named. */
void account_follow_move(const struct account *was, struct account *now);

enum credential_source account_credential_source(const struct account *account);
/* A member of `credentials`: "tenant", "client_id", "file"; "" when it is not there. */
const char *account_credential(const struct account *account, const char *member);
/* How long what nobody stands for is listed before it is removed; 0: until a person says so. */
int64_t account_orphan_seconds(const struct account *account);
const char *account_test_image(const struct account *account); /* NULL when there is none */
const char *account_test_size(const struct account *account);

#endif
