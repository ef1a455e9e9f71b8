/* What a program on this machine says on the agent's socket, and what it hears: one line of JSON
 * each way. Pure. */
#ifndef MUSTER_AGENT_LOCAL_REQUEST_H
#define MUSTER_AGENT_LOCAL_REQUEST_H

#include "lib/attest/evidence.h"
#include "lib/crypto/locked.h"
#include "lib/model/message.h"

enum {
    LOCAL_LINE_MAX = 512,
    LOCAL_ANSWER_MAX = EVIDENCE_JSON_MAX + 1024, /* evidence and its key */
    LOCAL_CHALLENGE_SIZE = 129,
};

enum local_wish { LOCAL_PASSPORT, LOCAL_EVIDENCE };

/* {"passport": NAME, "challenge": TEXT}, where the challenge may be absent, or {"evidence": HEX}.
 */
struct local_request {
    enum local_wish wish;
    char relying_party[NAME_SIZE];
    char challenge[LOCAL_CHALLENGE_SIZE]; /* letters, digits and -._~ */
    uint8_t nonce[SHOWN_NONCE_MOST];      /* the relying party's, for evidence */
    size_t nonce_len;
};

/* SHOWN_NONCE_LEAST to SHOWN_NONCE_MOST bytes in hex. ERR_INVALID "wrong-value". */
enum outcome local_nonce_parse(const char *hex, struct local_request *out, struct error *err);

/* The line without its end. ERR_INVALID with "bad-name", "wrong-value" or the parser's code. */
enum outcome local_request_parse(struct span line, struct local_request *out, struct error *err);
void local_request_print(const struct local_request *request, struct text *out);

/* {"token": JWS, "proof": JWS}, or a problem as on the link; with its end of line. `proof` may be
 * NULL. */
void local_answer_print(const struct locked *token, const char *proof, struct bytes *out);
/* {"evidence": {...}, "link_key": BASE64}: no nonce, which is for the relying party to say. */
void local_shown_print(const struct evidence *evidence, struct span link_key, struct bytes *out);
void local_problem_print(const struct error *why, struct bytes *out);
/* Both must be freed; `out_proof` is NULL when there is none. A problem comes back as the error. */
enum outcome local_answer_parse(struct span line, char **out_token, char **out_proof,
                                struct error *err);
/* Is it evidence? A problem comes back as the error. */
enum outcome local_shown_parse(struct span line, struct error *err);

#endif
