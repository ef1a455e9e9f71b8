/* A hostile controller against the agent's session. The input is a script: one byte says what
 * happens, two how long its body is. Whatever it says, no secret is obeyed: it has no keeper's key.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/session.h"
#include "lib/base/log.h"
#include "lib/crypto/random.h"
#include "tests/fuzz/fuzz.h"

static struct {
    struct key *root_key, *link_key;
    struct cert *root;
    char folder[32];
    uint64_t asked;
} fixed;

static enum outcome prove(void *self, const struct evidence_binding *asked, struct evidence *out,
                          struct error *err)
{
    (void)self;
    (void)err;
    memcpy(bytes_add_room(&out->report, TEE_REPORT_SIZE) + 0x50, asked->digest, BINDING_SIZE);
    return OK;
}

static void close_nothing(void *self)
{
    (void)self;
}

static const struct tee_driver driver = {
    .name = "fuzz",
    .kind = EVIDENCE_SIMULATED,
    .close = close_nothing,
    .report_size = TEE_REPORT_SIZE,
    .prove = prove,
};

static enum outcome hear(void *context, uint8_t type, uint64_t id, struct span body,
                         struct error *err)
{
    (void)context;
    (void)body;
    (void)err;
    if (type == FRAME_REQUEST)
        fixed.asked = id;
    return OK;
}

static void hang_up(void *context, const char *why)
{
    (void)context;
    (void)why;
}

/* Nobody but a keeper can make one. */
static void take_passport(void *context, uint64_t ticket, const struct passport_result *result)
{
    (void)context;
    (void)ticket;
    if (result->outcome == OK)
        abort();
}

static void set_up_once(void)
{
    if (fixed.root != NULL)
        return;
    log_set_level(LOG_LEVEL_COUNT);
    clock_freeze(clock_at_seconds(1795435200));
    strcpy(fixed.folder, "/tmp/muster-fuzz-XXXXXX");
    if (mkdtemp(fixed.folder) == NULL || key_generate(KEY_P384, &fixed.root_key, NULL) != OK ||
        key_generate(KEY_P256, &fixed.link_key, NULL) != OK ||
        cert_make_root(fixed.root_key, REALM_SIMULATION, clock_now(), &fixed.root, NULL) != OK)
        abort();
}

static void play(struct session *session, struct span script)
{
    static const struct error lost = {.outcome = ERR_UNREACHABLE, .code = "connection-lost"};
    struct reader in = reader_of(script);
    while (reader_left(&in) >= 3) {
        uint8_t what = read_u8(&in);
        size_t len = read_u16le(&in);
        struct span body = read_span(&in, len < reader_left(&in) ? len : reader_left(&in));
        switch (what % 8) {
        case 0:
            session_frame(session, FRAME_REPLY, fixed.asked, body);
            break;
        case 1:
            session_frame(session, FRAME_PROBLEM, fixed.asked, body);
            break;
        case 2:
            session_frame(session, FRAME_REQUEST, len, body);
            break;
        case 3:
            session_frame(session, FRAME_NOTE, 0, body);
            break;
        case 4:
            session_closed(session, &lost);
            session_opened(session);
            break;
        case 5:
            clock_advance_ms((int64_t)len * 100);
            break;
        case 6:
            session_want_passport(session, len, &(struct local_request){.relying_party = "vault"});
            break;
        default:
            session_frame(session, what, len, body);
        }
        session_tick(session);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    set_up_once();
    OWNED(tee_drop) struct tee *tee = tee_new(&driver, NULL);
    OWNED(secrets_drop) struct secrets *secrets = NULL;
    const struct secrets_places places = {.folder = fixed.folder,
                                          .allow_non_tmpfs = true,
                                          .hooks_dir = "/nonexistent",
                                          .hook_seconds = 1};
    const struct secrets_guest holder = {.roots = &fixed.root, .root_count = 1};
    if (secrets_open(&places, &holder, &secrets, NULL) != OK)
        abort();
    const struct appraisal_guest guest = {
        .link_key = fixed.link_key,
        .roots = &fixed.root,
        .root_count = 1,
        .tee = tee,
        .retry_first_seconds = 1,
        .retry_most_seconds = 10,
    };
    const struct session_plan plan = {
        .guest = &guest, .ticket = "", .secrets = secrets, .answer_seconds = 60};
    const struct session_wire wire = {NULL, hear, hang_up, take_passport};
    OWNED(session_drop) struct session *session = session_new(&plan, &wire);
    session_opened(session);
    play(session, SPAN(data, size));
    if (secrets_sequence(secrets) != 0)
        abort();
    return 0;
}

/* Nothing is ever put there, so this suffices. */
[[gnu::destructor]] static void tidy(void)
{
    if (fixed.folder[0] != '\0')
        rmdir(fixed.folder);
    cert_free(fixed.root);
    key_free(fixed.root_key);
    key_free(fixed.link_key);
}
