/* A whole deployment in a scratch folder: made by keeper_init(), a keeper in this process, a
 * simulated security processor, a charter that can be changed and signed, and guests. The clock
 * stands still unless it is told to move. */
#ifndef MUSTER_TESTS_DEPLOYMENT_H
#define MUSTER_TESTS_DEPLOYMENT_H

#include "emulator/psp.h"
#include "keeper/keeper.h"
#include "lib/crypto/seal.h"

struct deployment {
    /* How to reach a keeper that is not in this process; NULL: ours. Body in, frame and body out.
     */
    enum frame_type (*ask)(void *context, struct span request, struct bytes *out);
    void *ask_context;
    char *folder;
    char *keeper_folder;
    struct psp *psp;
    struct keeper *keeper;
    json_t *charter; /* to change and apply */
    struct key *charter_key;
    struct cert *root;
};

/* With a simulator's root, a charter in force and the keeper open. For cmocka's set-up. */
int deployment_open(void **state);
int deployment_close(void **state);
void deployment_write_charter(struct deployment *d); /* policies and grants of the tests */
/* The same without keeper and charter. */
struct deployment *deployment_make(enum realm realm, bool with_simulator);
void deployment_free(struct deployment *d);
void deployment_start_keeper(struct deployment *d);
void deployment_stop_keeper(struct deployment *d);

/* Ask the keeper. A problem comes back as the error it is. */
enum outcome deployment_ask(struct deployment *d, enum verb verb, const struct record *wish_record,
                            const void *wish, const struct record *reply_record, void *reply,
                            struct error *err);

/* Sign `charter` and send it; send one that is signed already. */
enum outcome deployment_apply(struct deployment *d, struct error *err);
enum outcome deployment_give(struct deployment *d, char *jws, struct error *err);
char *deployment_sign(const struct deployment *d, const struct key *key);
/* Any set that people sign, as `typ`, by one or two keys; `b` may be NULL. The caller frees it. */
char *deployment_sign_as(const json_t *json, const char *typ, const struct key *a,
                         const struct key *b);
struct key *deployment_signer(const struct deployment *d); /* what the keeper signs verdicts with */
/* The next serial; then deployment_apply(). */
void deployment_raise_serial(struct deployment *d);
json_t *deployment_at(struct deployment *d, const char *section, const char *name);

/* Measurements that the charter's references name. */
enum { MEASURED_STOCK = 0x22, MEASURED_DIRECT = 0x11 };

struct guest {
    struct uuid instance;
    enum evidence_kind kind;
    struct key *link_key;
    struct key *sealing_key;
    struct psp_wish wish;
    const char *policy; /* "stock" or "direct" */
    struct bytes rest;
    const char *declared; /* by the controller: its machine; NULL: nothing */
    char *token;          /* of the last appraisal */
    struct appraise_reply verdict;
    int64_t sequence;
};

/* PSP_FIRMWARE_ONLY: policy "stock", nothing proven but hardware. PSP_DIRECT_BOOT: policy "direct",
 * software proven, `host` (not 0) as anchor. */
struct guest guest_make(enum psp_flavour flavour, uint8_t host);
void guest_done(struct guest *g);

void guest_link_fingerprint(const struct guest *g, uint8_t out[static SHA256_SIZE]);
enum outcome guest_challenge(struct deployment *d, struct guest *g, struct challenge *out,
                             struct error *err);
/* Evidence over `challenge`, as the agent makes it. */
void guest_evidence(struct deployment *d, struct guest *g, const struct challenge *challenge,
                    struct bytes *out);
enum outcome guest_appraise(struct deployment *d, struct guest *g,
                            const struct challenge *challenge, const struct bytes *evidence,
                            struct error *err);
/* All three, with a new sealing key. */
enum outcome guest_attest(struct deployment *d, struct guest *g, struct error *err);

struct stored {
    struct generate_wish wish;
    struct generate_reply reply;
};
/* A secret of this grant; `owner` for those of one instance. */
enum outcome stored_make(struct deployment *d, const char *grant, const struct guest *owner,
                         struct stored *out, struct error *err);
/* The same secret's next version. */
enum outcome stored_renew(struct deployment *d, struct stored *s, struct error *err);
void stored_done(struct stored *s);

/* What an honest controller would ask; change it to be another one. Borrows from both. */
struct release_wish release_wish_of(struct guest *g, const struct stored *s);
enum outcome release_ask(struct deployment *d, const struct release_wish *wish,
                         struct release_reply *out, struct error *err);
/* And what the guest makes of it. */
enum outcome guest_open(struct deployment *d, const struct guest *g, struct span envelope,
                        struct seal_header *out_header, struct locked *out, struct error *err);

/* ---- the same, with what must come of it ---- */

void guest_attested(struct deployment *d, struct guest *g);
/* What its last verdict says; a claim that is absent is "". */
void guest_claim_is(const struct guest *g, const char *name, const char *value);
void guest_verdict_is(const struct guest *g, const char *verdict, const char *reason);
void assert_verdict(const struct guest *g, const char *verdict, const char *reason);
void assert_claim(const struct guest *g, const char *name, const char *value);
void stored_made(struct deployment *d, const char *grant, const struct guest *owner,
                 struct stored *out);
void assert_released(struct deployment *d, const struct release_wish *wish);
void assert_refused(struct deployment *d, const struct release_wish *wish, const char *code);

#endif
