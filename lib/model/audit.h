/* One entry of the audit trail and the chain of hashes over it. An entry is inserted in the
 * transaction of the change it tells of; later one sealer numbers entries and chains them. */
#ifndef MUSTER_MODEL_AUDIT_H
#define MUSTER_MODEL_AUDIT_H

#include "lib/base/record.h"
#include "lib/crypto/digest.h"
#include "lib/model/instance.h"

enum { AUDIT_ACTOR_SIZE = 128, AUDIT_VERB_SIZE = 64, AUDIT_OBJECT_SIZE = 160 };

struct audit_entry {
    int64_t id;     /* order of insertion; gaps are normal */
    int64_t number; /* place in the chain, from 1; 0 while unsealed */
    struct moment at;
    char project[PROJECT_SIZE];
    char actor[AUDIT_ACTOR_SIZE];   /* "token:admin", "worker:host/12", "keeper:..." */
    char verb[AUDIT_VERB_SIZE];     /* "instance.phase-changed": noun.verb-in-past */
    char object[AUDIT_OBJECT_SIZE]; /* "instance:<uuid>", "fleet:web" */
    json_t *detail;
    uint8_t prev_hash[SHA256_SIZE]; /* zero for number 1 */
    uint8_t hash[SHA256_SIZE];
};

extern const struct record audit_record;

void audit_entry_done(struct audit_entry *entry);

/* hash = SHA-256("muster-audit-v1\0" || prev_hash || canonical JSON of the rest), canonical being
 * json_print's. `id` is left out: it says nothing but who came first to the table. */
void audit_hash(const struct audit_entry *entry, uint8_t out[static SHA256_SIZE]);

/* Number the entry after `head` (NULL: it is the first) and hash it. */
void audit_chain(struct audit_entry *entry, const struct audit_entry *head);

/* Does `entry` follow `head`? ERR_DENIED "audit-number", "audit-link" or "audit-hash". */
enum outcome audit_check(const struct audit_entry *entry, const struct audit_entry *head,
                         struct error *err);

#endif
