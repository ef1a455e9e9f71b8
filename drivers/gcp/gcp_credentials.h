/* Who we are to Google: a service account's key, a person's consent, another provider's token that
 * is exchanged, or the machine that we run on. Secrets stay in locked memory or in OpenSSL's key,
 * and are never logged. */
#ifndef MUSTER_DRIVERS_GCP_GCP_CREDENTIALS_H
#define MUSTER_DRIVERS_GCP_GCP_CREDENTIALS_H

#include "lib/base/json.h"
#include "lib/crypto/locked.h"
#include "lib/crypto/rsa_signer.h"
#include "lib/model/account.h"

enum gcp_credential_kind {
    GCP_SERVICE_ACCOUNT, /* "type": "service_account" */
    GCP_USER,            /* "authorized_user", as gcloud leaves it */
    GCP_FEDERATED,       /* "external_account" */
    GCP_METADATA,        /* no file: the metadata server of Compute Engine */
};

enum { GCP_URL_SIZE = 512, GCP_CREDENTIALS_MAX = 64 * 1024 };

struct gcp_credentials {
    enum gcp_credential_kind kind;
    char name[256];               /* for people */
    char token_url[GCP_URL_SIZE]; /* of the exchange; the metadata server's of the token */
    struct rsa_signer *key;       /* service account */
    char key_id[128];
    char client_id[256];         /* user */
    struct locked client_secret; /* NUL-terminated, as all here */
    struct locked refresh_token;
    char audience[512]; /* federated */
    char subject_type[128];
    char subject_file[256]; /* read anew for each exchange; or else */
    char subject_url[GCP_URL_SIZE];
    char subject_field[64]; /* of a JSON answer; empty: the whole text is the token */
    json_t *subject_headers;
    char impersonate_url[GCP_URL_SIZE]; /* empty: the exchanged token is used itself */
};

/* From where the account says. "environment": GOOGLE_APPLICATION_CREDENTIALS, then gcloud's
 * application_default_credentials.json, then the metadata server (GCE_METADATA_HOST). ERR_DENIED
 * "no-credentials", also for a file with a secret that others may read. Asks nobody. */
enum outcome gcp_credentials_find(const struct account *account, struct gcp_credentials *out,
                                  struct error *err);
/* What such a file holds. */
enum outcome gcp_credentials_read(struct span content, struct gcp_credentials *out,
                                  struct error *err);
void gcp_credentials_done(struct gcp_credentials *credentials);

/* JSON that held a secret: its strings are zeroed before they are freed. */
void gcp_json_wipe(json_t *value);
DROP(gcp_json_wipe_drop, json_t, gcp_json_wipe)

#endif
