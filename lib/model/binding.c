#include "lib/model/binding.h"

static const char *const kind_words[] = {"none",     "snp",   "snp-azure",
                                         "snp-vtpm", "nitro", "simulated"};
const struct names evidence_kind_names = NAMES("evidence kind", kind_words);
_Static_assert(countof(kind_words) == EVIDENCE_KIND_COUNT);

/* With their NUL; neither begins the other. */
static const char label[] = "muster-binding-v1";
static const char shown_label[] = "muster-shown-v1";

enum key_kind evidence_sealing_kind(enum evidence_kind kind)
{
    return kind == EVIDENCE_NITRO ? KEY_RSA : KEY_P256;
}

void binding_digest(const struct binding *binding, uint8_t out[static BINDING_SIZE])
{
    uint8_t kind = (uint8_t)binding->kind;
    uint8_t rest[SHA256_SIZE];
    digest(DIGEST_SHA256, binding->rest, rest);
    struct digest_run run;
    digest_start(&run, DIGEST_SHA512);
    digest_more(&run, SPAN_OF(label));
    digest_more(&run, SPAN(&kind, 1));
    digest_more(&run, SPAN_OF(binding->nonce));
    digest_more(&run, SPAN_OF(binding->link_key));
    digest_more(&run, SPAN_OF(binding->sealing_key));
    digest_more(&run, SPAN_OF(binding->root_key));
    digest_more(&run, uuid_span(&binding->instance));
    digest_more(&run, SPAN_OF(rest));
    digest_end(&run, out);
}

void shown_digest(const struct shown *shown, uint8_t out[static BINDING_SIZE])
{
    const uint8_t head[] = {(uint8_t)shown->kind, (uint8_t)(shown->nonce.len >> 8),
                            (uint8_t)shown->nonce.len};
    struct digest_run run;
    digest_start(&run, DIGEST_SHA512);
    digest_more(&run, SPAN_OF(shown_label));
    digest_more(&run, SPAN_OF(head));
    digest_more(&run, shown->nonce);
    digest_more(&run, SPAN_OF(shown->link_key));
    digest_end(&run, out);
}
