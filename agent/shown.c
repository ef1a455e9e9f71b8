#include "agent/shown.h"

enum { AT_ONCE = 3, EVERY_MS = 20 * 1000 };

void shown_init(struct shown_desk *desk, const struct appraisal_guest *guest)
{
    *desk = (struct shown_desk){.guest = guest, .bucket = {.room = AT_ONCE, .every_ms = EVERY_MS}};
}

static enum outcome take_turn(struct shown_desk *desk, struct error *err)
{
    const int64_t now_ms = clock_monotonic_ms();
    const int64_t wait_ms = bucket_wait_ms(&desk->bucket, now_ms);
    if (wait_ms > 0)
        return fail_code(err, ERR_THROTTLED, "evidence-too-many", "the next one in %lld s",
                         (long long)(wait_ms + 999) / 1000);
    bucket_take(&desk->bucket, now_ms);
    return OK;
}

enum outcome shown_make(struct shown_desk *desk, const struct local_request *request,
                        struct bytes *out_line, struct error *err)
{
    OWNED(evidence_done) struct evidence evidence = {0};
    OWNED(bytes_done) struct bytes link_key = {0};
    OWNED(bytes_done) struct bytes line = {0};
    struct evidence_binding asked;
    TRY(key_to_spki(desk->guest->link_key, &link_key, err));
    TRY(evidence_shown(tee_kind(desk->guest->tee), SPAN(request->nonce, request->nonce_len),
                       bytes_span(&link_key), &asked, err));
    TRY(take_turn(desk, err));
    TRY(tee_prove(desk->guest->tee, &asked, &evidence, err));
    local_shown_print(&evidence, bytes_span(&link_key), &line);
    if (line.len > LOCAL_ANSWER_MAX)
        return fail_code(err, ERR_INVALID, "too-large", "the evidence has %zu bytes", line.len);
    *out_line = bytes_take(&line);
    return OK;
}
