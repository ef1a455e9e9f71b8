/* What travels in the link's frames (doc/protocol.md): one struct and one record table a message.
 * Read with message_parse() and record_from_json(), which are strict; write with message_print().
 */
#ifndef MUSTER_MODEL_MESSAGE_H
#define MUSTER_MODEL_MESSAGE_H

#include "lib/base/members.h"
#include "lib/model/binding.h"

enum {
    MESSAGE_PROTOCOL = 1, /* of agents */
    KEEPER_PROTOCOL = 2,  /* 2: the evidence of `appraise` stands behind its JSON */
    MESSAGE_BODY_MAX = 1 << 20,
    EVIDENCE_PARTS_MAX = 16,
    EVIDENCE_PART_BYTES = 40 * 1024,
    EVIDENCE_BYTES_MAX = 512 * 1024,
    NAME_SIZE = 64,
};

/* The link's frame types. */
enum frame_type { FRAME_REQUEST = 1, FRAME_REPLY = 2, FRAME_PROBLEM = 3, FRAME_NOTE = 4 };

enum verb {
    VERB_HELLO,
    VERB_ATTEST_BEGIN,
    VERB_EVIDENCE,
    VERB_HEARTBEAT,
    VERB_ATTEST,
    VERB_SECRET,
    VERB_FORGET,
    VERB_CHALLENGE,
    VERB_APPRAISE,
    VERB_GENERATE,
    VERB_RELEASE,
    VERB_CHARTER,
    VERB_STATUS,
    VERB_OPINION,
    VERB_PASSPORT,
    VERB_COUNT
};
extern const struct names verb_names; /* "hello", "attest-begin", ... */

enum link_role { LINK_ROLE_AGENT, LINK_ROLE_KEEPER, LINK_ROLE_COUNT };
extern const struct names link_role_names;

/* agent -> controller, keeper -> controller */
struct hello {
    int64_t protocol;
    enum link_role role;
    struct uuid instance;   /* agent */
    char ticket[64];        /* agent, first enrolment: base64url of 32 bytes */
    int64_t epoch;          /* agent: the last one it obeyed, 0 if none */
    uint8_t boot_id[8];     /* keeper */
    char realm[16];         /* keeper */
    int64_t charter_serial; /* keeper: 0 when it has none */
    char *signer;           /* keeper: its keeper-sign certificate, PEM */
    char *jwks;             /* keeper: what it signs for others with, signed by the root */
    char version[32];
};
struct hello_reply {
    char trust[16]; /* the instance's trust word; "" for a keeper */
    int64_t epoch;
    int64_t heartbeat_seconds;
};

struct attest_begin {
    enum evidence_kind kind;
    struct bytes sealing_key; /* DER SubjectPublicKeyInfo; P-256, an enclave's RSA */
};
/* The answer to attest-begin, and the keeper's to challenge. */
struct challenge {
    uint8_t nonce[NONCE_SIZE];
    uint8_t root_key[SHA256_SIZE];
    int64_t expires_seconds;
};
struct evidence_part {
    uint8_t nonce[NONCE_SIZE];
    int64_t part;
    int64_t parts;
    struct bytes data;
};
/* The answer to the last part. */
struct verdict_notice {
    char verdict[16]; /* "trusted" | "rejected" */
    char reason[ERROR_CODE_SIZE];
    char level[4];
    struct moment valid_until;
    int64_t reattest_seconds; /* come again after this long */
};
struct heartbeat {
    int64_t seq;
    int64_t load; /* 1-minute load average x 100 */
};
struct attest_wish {
    char why[ERROR_CODE_SIZE];
};
struct secret_delivery {
    struct uuid delivery;
    char secret[NAME_SIZE];
    struct bytes envelope;
};
struct secret_loaded {
    bool loaded;
    uint8_t check[SHA256_SIZE];
};
struct secret_forget {
    struct uuid delivery;
    char secret[NAME_SIZE];
    struct bytes order; /* an envelope without payload, purpose "forget" */
};
struct forget_done {
    bool done;
};

/* agent -> controller: a passport for a relying party that the charter names. */
struct passport_ask {
    char relying_party[NAME_SIZE];
    uint8_t nonce[NONCE_SIZE]; /* the agent's own: an answer to another request is none to this */
    struct bytes link_key;     /* its SubjectPublicKeyInfo, for others to know it by */
};
struct passport_answer {
    struct bytes envelope; /* purpose "passport" */
};

/* controller -> keeper */
struct challenge_wish {
    enum evidence_kind kind;
    struct uuid instance;
    uint8_t link_key[SHA256_SIZE];
    struct bytes sealing_key;
};
struct appraise_wish {
    uint8_t nonce[NONCE_SIZE];
    struct uuid instance;
    char policy[NAME_SIZE];
    char image[NAME_SIZE];
    char declared_region[NAME_SIZE]; /* where it was launched, and as what: hints, which only */
    char declared_machine[384];      /* take away; "": not said */
    struct bytes evidence;           /* lib/attest/evidence.h */
    struct bytes crl;                /* DER, optional */
};
struct appraise_reply {
    char *token;    /* JWS */
    json_t *claims; /* its "muster" claim, for the store and the API */
    json_t *checks;
    struct moment issued;
    struct moment expires;
    char *testimony; /* JWS, for the books; a keeper without a key for opinions gives none */
    struct bytes testimony_cert; /* DER */
};
/* The same as the keeper prints it: its testimony is about the very bytes of claims and checks. */
struct appraise_answer {
    char *token;
    char *claims;
    char *checks;
    struct moment issued;
    struct moment expires;
    char *testimony;
    struct bytes testimony_cert;
};
/* Evidence of anybody, for anybody: nothing of it is the keeper's own challenge. */
struct opinion_wish {
    char policy[NAME_SIZE]; /* of the charter, or "" */
    json_t *appraisal;      /* or a whole policy; neither: authenticity only */
    struct bytes evidence;
    struct bytes nonce;    /* what the asker says that it answers; may be empty */
    struct bytes link_key; /* SubjectPublicKeyInfo of the guest that showed it, with this nonce;
                            * empty: it answers the nonce itself */
    struct bytes crl;      /* DER, optional */
};
struct opinion_reply {
    char *token;     /* JWS */
    json_t *verdict; /* as verdict_to_json() has it */
};
struct generate_wish {
    struct uuid secret;
    char name[NAME_SIZE]; /* what the guest will call it; bound into the record */
    int64_t version;
    char kind[32];
    char scope[16];
    char grant[NAME_SIZE];
    uint8_t anchor[SHA256_SIZE]; /* scope instance only */
};
struct generate_reply {
    struct bytes record; /* sealed under the key-encryption key */
    uint8_t check[SHA256_SIZE];
    char *public; /* e.g. "ssh-ed25519 AAAA..."; may be absent */
};
struct release_wish {
    struct uuid delivery;
    struct uuid instance;
    struct uuid secret;
    char name[NAME_SIZE];
    int64_t version;
    int64_t sequence; /* grows per instance; the agent refuses one that does not */
    struct bytes record;
    char *token;
    char fleet[NAME_SIZE];
};
struct release_reply {
    struct bytes envelope;
    uint8_t check[SHA256_SIZE];
};
struct passport_wish {
    struct uuid instance;
    char relying_party[NAME_SIZE];
    uint8_t nonce[NONCE_SIZE];
    struct bytes link_key;
    char *token; /* the instance's verdict */
};
struct passport_reply {
    struct bytes envelope;
    struct uuid id; /* the passport's jti: all that is written down of it */
    struct moment expires;
};
struct charter_wish {
    char *jws;
};
struct charter_reply {
    int64_t serial;
};
struct keeper_status {
    uint8_t boot_id[8];
    char realm[16];
    int64_t charter_serial;
    struct moment charter_expires;
    int64_t appraisals;
    int64_t releases;
    int64_t passports;
    int64_t refusals;
    /* Its standing probes since its start; doc/keeper.md. */
    int64_t probe_seconds; /* about every so often; 0: none was due yet */
    int64_t probe_samples; /* what there is to probe with */
    int64_t probes_held;
    int64_t probes_wrong; /* refused with another code than the altered one */
    int64_t probes_accepted;
    struct moment probed; /* none: not since its start */
    char fault_kind[32];  /* "": none; the first acceptance, else the latest wrong code */
    char fault_alteration[32];
    char fault_code[ERROR_CODE_SIZE];
    struct moment fault_at;
    bool halted;  /* it releases nothing until two people say so */
    int64_t halt; /* the last one's number */
};

extern const struct record hello_record, hello_reply_record, attest_begin_record, challenge_record,
    evidence_part_record, verdict_notice_record, heartbeat_record, attest_wish_record,
    secret_delivery_record, secret_loaded_record, secret_forget_record, forget_done_record,
    challenge_wish_record, appraise_wish_record, appraise_reply_record, appraise_answer_record,
    opinion_wish_record, opinion_reply_record, generate_wish_record, generate_reply_record,
    release_wish_record, release_reply_record, passport_ask_record, passport_answer_record,
    passport_wish_record, passport_reply_record, charter_wish_record, charter_reply_record,
    keeper_status_record;

/* A REQUEST or NOTE body: the verb and the rest without "do", ready for record_from_json(). */
enum outcome message_parse(struct span body, enum verb *verb, json_t **out, struct error *err);
/* The same of a REQUEST whose record has a FIELD_APART: behind its JSON and a NUL, which no JSON
 * holds, stand those bytes as they are, and not as base64. `*out_apart` is nowhere without a NUL.
 */
enum outcome message_parse_whole(struct span body, enum verb *verb, json_t **out,
                                 struct span *out_apart, struct error *err);
/* Puts them into their place; ERR_INVALID when there are some and no place, or the reverse. */
enum outcome message_take_apart(const struct record *record, struct span apart, void *object,
                                struct error *err);
/* Body of a REQUEST or NOTE. `record` may be NULL for a bare verb. */
void message_print(enum verb verb, const struct record *record, const void *object,
                   struct bytes *out);
/* Body of a REPLY, and reading one. `record` NULL: an empty object. */
void message_print_reply(const struct record *record, const void *object, struct bytes *out);
enum outcome message_parse_reply(struct span body, const struct record *record, void *object,
                                 struct error *err);
/* The PROBLEM "slot": not now, come again in so long. Reading gives -1 for any other problem, and
 * no more than SLOT_MOST_MS. */
enum { SLOT_MOST_MS = 600000 };
void message_print_slot(int64_t after_ms, struct bytes *out);
int64_t message_parse_slot(struct span body);
/* Body of a PROBLEM, and turning one into an error (which it then returns; never OK). */
void message_print_problem(const struct error *problem, struct bytes *out);
enum outcome message_parse_problem(struct span body, struct error *err);

#endif
