/* One guest's talk with its controller: the guest's session is real, the test is controller, keeper
 * and hardware, and has the clock in its hand. */
#ifndef MUSTER_TESTS_GUEST_TALK_H
#define MUSTER_TESTS_GUEST_TALK_H

#include "agent/session.h"
#include "lib/attest/evidence.h"

enum { TALK_FRAMES_MAX = 64 };

struct talk_frame {
    uint8_t type;
    uint64_t id;
    struct bytes body;
};

struct talk {
    char base[64];
    char folder[96];
    struct key *root_key, *link_key, *signer;
    struct cert *root, *signer_cert;
    struct key *sealing; /* what the guest named in its last attest-begin */
    struct tee *tee;
    size_t certs_size;
    const char *tee_fails; /* a code */
    int reports;
    uint8_t report_data[BINDING_SIZE];
    struct appraisal_guest guest;
    struct secrets *secrets;
    struct session *session;
    struct talk_frame sent[TALK_FRAMES_MAX];
    size_t sent_count, seen; /* frames that the test has looked at */
    bool hears_heartbeats;
    char hung_up[ERROR_CODE_SIZE];
    uint8_t nonce[NONCE_SIZE];
    int passports; /* that were answered; and the last one */
    uint64_t passport_ticket;
    enum outcome passport_outcome;
    struct error passport_why;
    char *passport, *passport_proof;
};

/* For cmocka's set-up and tear-down; *state is a struct talk. */
int talk_open(void **state);
int talk_close(void **state);

/* The next frame the guest sent; fails when there is none. */
const struct talk_frame *talk_next(struct talk *w);
const struct talk_frame *talk_next_request(struct talk *w, enum verb verb,
                                           const struct record *record, void *out);
void talk_assert_silent(struct talk *w);

void talk_answer(struct talk *w, uint64_t id, const struct record *record, const void *object);
void talk_answer_problem(struct talk *w, uint64_t id, const char *code);
void talk_put_off(struct talk *w, uint64_t id, int64_t after_ms);
void talk_advance(struct talk *w, int64_t seconds);

/* Connects, and answers the hello. */
void talk_welcome(struct talk *w, const char *trust, int64_t epoch);
uint64_t talk_take_begin(struct talk *w);
void talk_send_challenge(struct talk *w, uint64_t id, const uint8_t root_key[SHA256_SIZE]);
void talk_challenge(struct talk *w); /* both, in the name of the guest's root */
/* All parts, acknowledged but for the last, whose id comes back. */
uint64_t talk_take_evidence(struct talk *w, struct evidence *out);
void talk_give_verdict(struct talk *w, uint64_t id, const char *verdict, const char *reason,
                       int64_t reattest_seconds);
/* From challenge to verdict. */
void talk_appraise(struct talk *w, const char *verdict, const char *reason);
void talk_become_trusted(struct talk *w);

#endif
