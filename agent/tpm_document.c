/* A NitroTPM's document (doc/decisions/0019). What AWS's command is asked and answers is longer
 * than a command may be, so that both stand in an index, which is there for as long as that takes.
 */
#include <string.h>

#include "agent/nsm.h"
#include "agent/tpm_inside.h"

enum {
    ROOM = 8192,
    INDEX = 0x01804d55, /* of those that the owner of a platform gives out: ours */
    ATTRIBUTES = TPMA_NV_AUTHWRITE | TPMA_NV_AUTHREAD,
    COMMAND = 0x20000001, /* the first that a maker may define */
    COMMAND_SIZE = 31,
    ANSWER_MAX = 4096,
};

struct room {
    struct tpm *tpm;
    ESYS_TR index;
};

/* One that stays is taken up, and away, by the next document. */
static void room_done(struct room *room)
{
    if (room->index != ESYS_TR_NONE)
        Esys_NV_UndefineSpace(room->tpm->esys, ESYS_TR_RH_OWNER, room->index, TPM_PASSWORD);
}

static enum outcome define(struct tpm *tpm, ESYS_TR *out, struct error *err)
{
    const TPM2B_AUTH no_password = {0};
    const TPM2B_NV_PUBLIC wanted = {.nvPublic = {.nvIndex = INDEX,
                                                 .nameAlg = TPM2_ALG_SHA256,
                                                 .attributes = ATTRIBUTES,
                                                 .dataSize = ROOM}};
    return tpm_said(
        Esys_NV_DefineSpace(tpm->esys, ESYS_TR_RH_OWNER, TPM_PASSWORD, &no_password, &wanted, out),
        "making room for a document", err);
}

/* Whoever died before he was done left one like this. */
static enum outcome take_up(struct tpm *tpm, struct room *out, struct error *err)
{
    OWNED(tpm_drop_answer) TPM2B_NV_PUBLIC *public = NULL;
    OWNED(tpm_drop_answer) TPM2B_NAME *name = NULL;
    ESYS_TR found;
    TRY(tpm_find(tpm, INDEX, &found, err));
    TRY(tpm_said(Esys_NV_ReadPublic(tpm->esys, found, TPM_NO_SESSION, &public, &name),
                 "asking for an index's size", err));
    if (public->nvPublic.dataSize != ROOM ||
        (public->nvPublic.attributes & ~(TPMA_NV)TPMA_NV_WRITTEN) != ATTRIBUTES) {
        Esys_TR_Close(tpm->esys, &found);
        return fail_code(err, ERR_CONFLICT, "tpm-index-taken",
                         "index 0x%08x is somebody else's, and documents need it", INDEX);
    }
    out->index = found;
    return OK;
}

static enum outcome room_make(struct tpm *tpm, struct room *out, struct error *err)
{
    *out = (struct room){.tpm = tpm, .index = ESYS_TR_NONE};
    const enum outcome outcome = define(tpm, &out->index, err);
    return outcome == ERR_CONFLICT ? take_up(tpm, out, err) : outcome;
}

static enum outcome write_request(struct room *room, const struct evidence_binding *asked,
                                  struct error *err)
{
    OWNED(bytes_done) struct bytes request = {0};
    TPM2B_MAX_NV_BUFFER data = {0};
    /* The key's place takes RSA keys only; the sealing key is in the binding. */
    struct evidence_binding without_key = *asked;
    without_key.sealing_key = (struct span){0};
    nsm_request(&without_key, &request);
    data.size = (UINT16)request.len;
    memcpy(data.buffer, request.at, request.len);
    return tpm_said(
        Esys_NV_Write(room->tpm->esys, room->index, room->index, TPM_PASSWORD, &data, 0),
        "writing a request", err);
}

/* Index as authorisation and as what it is about, and the empty password. */
static void command_bytes(struct bytes *out)
{
    static const uint8_t no_nonce_attributes_or_password[5];
    bytes_add_u16be(out, TPM2_ST_SESSIONS);
    bytes_add_u32be(out, COMMAND_SIZE);
    bytes_add_u32be(out, COMMAND);
    bytes_add_u32be(out, INDEX);
    bytes_add_u32be(out, INDEX);
    bytes_add_u32be(out, sizeof no_nonce_attributes_or_password + 4);
    bytes_add_u32be(out, TPM2_RS_PW);
    bytes_add(out, SPAN_OF(no_nonce_attributes_or_password));
}

static enum outcome command(struct tpm *tpm, struct error *err)
{
    static const char what[] = "asking for a document";
    uint8_t answer[ANSWER_MAX];
    size_t len = sizeof answer;
    OWNED(bytes_done) struct bytes sent = {0};
    command_bytes(&sent);
    TRY(tpm_said(Tss2_Tcti_Transmit(tpm->tcti, sent.len, sent.at), what, err));
    TRY(tpm_said(Tss2_Tcti_Receive(tpm->tcti, &len, answer, TSS2_TCTI_TIMEOUT_BLOCK), what, err));
    struct reader in = reader_of(SPAN(answer, len));
    read_u16be(&in);
    const uint32_t said = read_u32be(&in);
    const TSS2_RC code = read_u32be(&in);
    if (in.ran_short || said != len)
        return fail_code(err, ERR_INTERNAL, "tpm-failed", "TPM, %s: no answer's form", what);
    return tpm_said(code, what, err);
}

enum outcome tpm_document(struct tpm *tpm, const struct evidence_binding *asked, struct bytes *out,
                          struct error *err)
{
    OWNED(room_done) struct room room;
    OWNED(bytes_done) struct bytes answer = {0};
    struct span document;
    TRY(room_make(tpm, &room, err));
    TRY(write_request(&room, asked, err));
    TRY(command(tpm, err));
    TRY(tpm_read_index(tpm, room.index, room.index, ROOM, &answer, err));
    TRY(nsm_answer_begins(bytes_span(&answer), &document, err));
    bytes_done(out);
    *out = bytes_copy(document);
    return OK;
}
