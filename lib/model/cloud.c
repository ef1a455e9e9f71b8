#include "lib/model/cloud.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/text.h"
#include "lib/crypto/digest.h"

static const char *const cloud_words[] = {"none", "aws", "azure", "gcp"};
_Static_assert(countof(cloud_words) == CLOUD_KIND_COUNT);
const struct names cloud_kind_names = NAMES("cloud", cloud_words);

static const char *const state_words[] = {"none", "suspect", "agree"};
_Static_assert(countof(state_words) == DOCUMENT_STATE_COUNT);
const struct names document_state_names = NAMES("documents", state_words);

void cloud_audience(const uint8_t nonce[static NONCE_SIZE], char out[static CLOUD_AUDIENCE_SIZE])
{
    hex_encode(SPAN(nonce, NONCE_SIZE), out);
}

/* Ten digits, none of them lost as a leading zero. */
void cloud_digits(const uint8_t nonce[static NONCE_SIZE], char out[static CLOUD_DIGITS_SIZE])
{
    static const char label[] = "muster-azure-nonce-v1"; /* with its NUL */
    const uint64_t least = 1000000000;
    uint8_t hash[SHA256_SIZE];
    struct digest_run run;
    digest_start(&run, DIGEST_SHA256);
    digest_more(&run, SPAN_OF(label));
    digest_more(&run, SPAN(nonce, NONCE_SIZE));
    digest_end(&run, hash);
    struct reader in = reader_of(SPAN_OF(hash));
    snprintf(out, CLOUD_DIGITS_SIZE, "%" PRIu64, least + read_u64be(&in) % (9 * least));
}
