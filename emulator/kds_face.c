#include "emulator/kds_face.h"

#include <stdio.h>
#include <string.h>

#include "lib/crypto/x509_make.h"

enum { CRL_DAYS = 30, DAY_SECONDS = 86400 };

static const char *const mode_words[] = {"well", "429", "500", "wrong-certificate", "slow", "dark"};
_Static_assert(countof(mode_words) == KDS_MODE_COUNT);
const struct names kds_mode_names = NAMES("mode", mode_words);

static const char *const prefixes[] = {"/vcek/v1/", "/vlek/v1/"};
_Static_assert(countof(prefixes) == SIGNER_COUNT);

void kds_face_init(struct kds_face *face, struct psp *psp)
{
    *face = (struct kds_face){.psp = psp, .retry_after_seconds = 1};
    pthread_mutex_init(&face->lock, NULL);
}

void kds_face_done(struct kds_face *face)
{
    if (face->psp != NULL)
        pthread_mutex_destroy(&face->lock);
}

bool kds_face_is_for(const struct face_request *request)
{
    for (int i = 0; i < SIGNER_COUNT; i++)
        if (strncmp(request->path, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

/* ---- what is asked for --------------------------------------------------------------------- */

struct kds_question {
    enum snp_signer signer;
    enum snp_line line;
    const char *what; /* "cert_chain", "crl", or a chip */
};

static enum outcome read_question(const char *path, struct kds_question *out, struct error *err)
{
    out->signer = strncmp(path, prefixes[SIGNER_VLEK], strlen(prefixes[SIGNER_VLEK])) == 0
                      ? SIGNER_VLEK
                      : SIGNER_VCEK;
    const char *line = path + strlen(prefixes[out->signer]);
    const char *slash = strchr(line, '/');
    for (int i = 0; slash != NULL && i < LINE_COUNT; i++) {
        const char *word = name_of(&snp_line_names, i);
        if (strlen(word) == (size_t)(slash - line) && strncmp(word, line, strlen(word)) == 0) {
            out->line = (enum snp_line)i;
            out->what = slash + 1;
            return OK;
        }
    }
    return fail(err, ERR_NOT_FOUND, "no such product");
}

/* "3" and "03" are the same. */
static enum outcome read_spl(const struct face_request *request, const char *name, uint8_t *out,
                             struct error *err)
{
    int64_t value;
    const char *text = face_argument(request, name);
    if (text == NULL)
        return fail(err, ERR_INVALID, "%s is missing", name);
    while (text[0] == '0' && text[1] != '\0')
        text++;
    TRY(number_parse(text, 0, UINT8_MAX, &value, err));
    *out = (uint8_t)value;
    return OK;
}

static enum outcome read_tcb(const struct face_request *request, enum snp_line line, uint64_t *out,
                             struct error *err)
{
    struct snp_tcb tcb = {0};
    if (line == LINE_TURIN)
        TRY(read_spl(request, "fmcSPL", &tcb.part[TCB_FMC], err));
    TRY(read_spl(request, "blSPL", &tcb.part[TCB_BL], err));
    TRY(read_spl(request, "teeSPL", &tcb.part[TCB_TEE], err));
    TRY(read_spl(request, "snpSPL", &tcb.part[TCB_SNP], err));
    TRY(read_spl(request, "ucodeSPL", &tcb.part[TCB_UCODE], err));
    *out = snp_tcb_join(&tcb, line);
    return OK;
}

/* ---- answers ------------------------------------------------------------------------------- */

static enum outcome give_vcek(struct kds_face *face, const struct face_request *request,
                              const struct kds_question *q, bool wrong, struct face_answer *out,
                              struct error *err)
{
    uint8_t chip[SNP_CHIP_ID_SIZE] = {0};
    uint64_t tcb;
    OWNED(bytes_done) struct bytes der = {0};
    TRY(hex_decode_exact(q->what, chip, q->line == LINE_TURIN ? 8 : sizeof chip, err));
    TRY(read_tcb(request, q->line, &tcb, err));
    TRY(psp_vcek(face->psp, q->line, chip, wrong ? tcb ^ 1 : tcb, &der, err));
    out->content_type = "application/pkix-cert";
    text_add_span(&out->body, bytes_span(&der));
    return OK;
}

static enum outcome give_chain(const struct kds_face *face, const struct kds_question *q,
                               struct face_answer *out)
{
    OWNED(bytes_done) struct bytes pem = {0};
    pem_add_certificate(&pem, psp_ca(face->psp, q->line, q->signer));
    pem_add_certificate(&pem, psp_ark(face->psp, q->line));
    out->content_type = "application/x-pem-file";
    text_add_span(&out->body, bytes_span(&pem));
    return OK;
}

static enum outcome give_crl(const struct kds_face *face, const struct kds_question *q,
                             struct face_answer *out, struct error *err)
{
    OWNED(bytes_done) struct bytes crl = {0};
    const struct moment from = moment_add_seconds(clock_now(), -DAY_SECONDS);
    TRY(psp_crl(face->psp, q->line, false, from, moment_add_seconds(from, CRL_DAYS * DAY_SECONDS),
                &crl, err));
    out->content_type = "application/pkix-crl";
    text_add_span(&out->body, bytes_span(&crl));
    return OK;
}

static enum outcome give(struct kds_face *face, const struct face_request *request, bool wrong,
                         struct face_answer *out, struct error *err)
{
    struct kds_question q;
    TRY(read_question(request->path, &q, err));
    if (strcmp(request->method, "GET") != 0)
        return fail(err, ERR_INVALID, "only GET");
    if (wrong && (strcmp(q.what, "cert_chain") == 0 || strcmp(q.what, "crl") == 0))
        q.line = q.line == LINE_MILAN ? LINE_GENOA : LINE_MILAN;
    if (strcmp(q.what, "cert_chain") == 0)
        return give_chain(face, &q, out);
    if (strcmp(q.what, "crl") == 0 && q.signer == SIGNER_VCEK)
        return give_crl(face, &q, out, err);
    if (q.signer == SIGNER_VLEK)
        return fail(err, ERR_NOT_FOUND, "no such thing");
    return give_vcek(face, request, &q, wrong, out, err);
}

static enum kds_mode take_mode(struct kds_face *face, struct face_answer *out)
{
    pthread_mutex_lock(&face->lock);
    const enum kds_mode mode = face->mode;
    face->asked++;
    out->delay_ms = mode == KDS_SLOW ? face->delay_ms : 0;
    out->retry_after_seconds = mode == KDS_THROTTLING ? face->retry_after_seconds : 0;
    pthread_mutex_unlock(&face->lock);
    return mode;
}

static void note_answered(struct kds_face *face)
{
    pthread_mutex_lock(&face->lock);
    face->answered++;
    pthread_mutex_unlock(&face->lock);
}

static void give_or_say(struct kds_face *face, const struct face_request *request, bool wrong,
                        struct face_answer *out)
{
    const enum outcome outcome = give(face, request, wrong, out, NULL);
    if (outcome == OK)
        note_answered(face);
    else
        out->status = outcome_http_status(outcome);
}

void kds_face_answer(struct kds_face *face, const struct face_request *request,
                     struct face_answer *out)
{
    const enum kds_mode mode = take_mode(face, out);
    switch (mode) {
    case KDS_WELL:
    case KDS_SLOW:
    case KDS_WRONG:
        give_or_say(face, request, mode == KDS_WRONG, out);
        return;
    case KDS_THROTTLING:
        out->status = 429;
        return;
    case KDS_FAILING:
        out->status = 500;
        return;
    case KDS_DARK:
        out->cut = true;
        return;
    case KDS_MODE_COUNT:
        return;
    }
}

/* ---- control ------------------------------------------------------------------------------- */

enum outcome kds_face_set(struct kds_face *face, const json_t *wish, struct error *err)
{
    static const char *const members[] = {"mode", "delay_ms", "retry_after_seconds", NULL};
    const char *word;
    int mode;
    int64_t delay_ms, retry_after;
    TRY(json_only(wish, "", members, err));
    TRY(json_get_text(wish, "", "mode", 32, &word, err));
    TRY(name_parse(&kds_mode_names, word, &mode, err));
    TRY(json_get_int_or(wish, "", "delay_ms", 0, 600000, 0, &delay_ms, err));
    TRY(json_get_int_or(wish, "", "retry_after_seconds", 0, 86400, 1, &retry_after, err));
    pthread_mutex_lock(&face->lock);
    face->mode = (enum kds_mode)mode;
    face->delay_ms = delay_ms;
    face->retry_after_seconds = retry_after;
    pthread_mutex_unlock(&face->lock);
    return OK;
}

json_t *kds_face_to_json(struct kds_face *face)
{
    json_t *out = json_object();
    pthread_mutex_lock(&face->lock);
    json_put_text(out, "mode", name_of(&kds_mode_names, (int)face->mode));
    json_put_int(out, "delay_ms", face->delay_ms);
    json_put_int(out, "retry_after_seconds", face->retry_after_seconds);
    json_put_int(out, "asked", face->asked);
    json_put_int(out, "answered", face->answered);
    pthread_mutex_unlock(&face->lock);
    return out;
}
