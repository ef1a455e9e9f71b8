/* Clouds, and what their signed documents may say of an instance (trust.md section 2). */
#ifndef MUSTER_MODEL_CLOUD_H
#define MUSTER_MODEL_CLOUD_H

#include "lib/base/names.h"
#include "lib/base/bytes.h"
#include "lib/model/message.h"

enum cloud_kind { CLOUD_NONE, CLOUD_AWS, CLOUD_AZURE, CLOUD_GCP, CLOUD_KIND_COUNT };
extern const struct names cloud_kind_names; /* "none", "aws", "azure", "gcp" */

/* What a cloud's document answers a challenge with. Google takes any audience: our nonce in hex.
 * Azure has room for ten digits, which follow from the nonce. AWS answers nobody. */
enum { CLOUD_AUDIENCE_SIZE = 2 * NONCE_SIZE + 1, CLOUD_DIGITS_SIZE = 11 };
void cloud_audience(const uint8_t nonce[static NONCE_SIZE], char out[static CLOUD_AUDIENCE_SIZE]);
void cloud_digits(const uint8_t nonce[static NONCE_SIZE], char out[static CLOUD_DIGITS_SIZE]);

/* What is made of the documents that came with evidence: they agree with everything else that is
 * known, or they do not and make the instance suspect, or there is nothing to look at. Suspect is
 * never more than that: whoever serves metadata can make an instance suspect, and cannot do worse.
 */
enum document_state { DOCUMENTS_NONE, DOCUMENTS_SUSPECT, DOCUMENTS_AGREE, DOCUMENT_STATE_COUNT };
extern const struct names document_state_names; /* "none", "suspect", "agree" */

enum { CLOUD_MACHINE_SIZE = 384 };

/* What whoever launched a machine says of it; "" where it does not. Nobody signs it. */
struct cloud_declared {
    char region[NAME_SIZE];
    char machine[CLOUD_MACHINE_SIZE]; /* as the cloud's API names it */
};

#endif
