/* What an agent sends of its cloud beside the evidence, in the record that the binding hashes:
 *
 *   {"boot": N, "documents": {"aws": {"document": ..., "rsa2048": ...}}}
 *   {"boot": N, "documents": {"azure": {"attested": ...}}}
 *   {"boot": N, "documents": {"gcp": {"token": ...}}}
 *
 * Each part is what the metadata service answered, byte for byte, in base64. Any may be missing. */
#ifndef MUSTER_ATTEST_CLOUD_DOCUMENTS_H
#define MUSTER_ATTEST_CLOUD_DOCUMENTS_H

#include "lib/base/json.h"
#include "lib/model/cloud.h"

enum { CLOUD_PARTS = 2, CLOUD_PART_MAX = 16 * 1024, CLOUD_RECORD_MAX = 64 * 1024 };

enum { AWS_DOCUMENT, AWS_RSA2048 };
enum { AZURE_ATTESTED };
enum { GCP_TOKEN };
extern const char *const cloud_part_names[CLOUD_KIND_COUNT][CLOUD_PARTS]; /* NULL: no such part */

struct cloud_documents {
    enum cloud_kind cloud; /* CLOUD_NONE: nothing came */
    struct bytes parts[CLOUD_PARTS];
};
void cloud_documents_done(struct cloud_documents *documents);

/* An empty record is one without documents. ERR_INVALID: it is no such record. `out` must be zero.
 */
enum outcome cloud_documents_read(struct span record, struct cloud_documents *out,
                                  struct error *err);
/* The record; canonical. The caller frees it. */
char *cloud_documents_print(int64_t boot, const struct cloud_documents *documents);
/* {"aws": {...}} as it stands in the record. */
json_t *cloud_documents_to_json(const struct cloud_documents *documents);
enum outcome cloud_documents_from_json(const json_t *json, struct cloud_documents *out,
                                       struct error *err);

#endif
