#include "lib/model/keeper_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fault.h"
#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/crypto/aead.h"

enum {
    STATE_SIZE_MAX = KEEPER_STATE_SIZE_MAX,
    VERSIONS_SIZE_MAX = STATE_SIZE_MAX - (1 << 20), /* the rest: charters, what is destroyed */
    LINE_MAX_SIZE = 512,
    MAC_HEX = 2 * SHA256_SIZE
};

static const char magic[] = "muster-state-1 ";
static const char key_label[] = "muster-state-key-v1";

struct keeper_state {
    int fd;
    bool broken; /* a write failed half-way: only a restart may read what is there */
    struct locked key;
    size_t size;              /* of the file */
    uint8_t mac[SHA256_SIZE]; /* of the last line */
    int64_t serial;
    uint8_t digest[SHA256_SIZE];
    struct map *versions;   /* struct uuid to int64_t */
    struct bytes destroyed; /* SHA256_SIZE each */
    int64_t halts;
    bool halted;
};

static enum outcome damaged(struct error *err, size_t line)
{
    return fail_code(err, ERR_INVALID, "state-damaged", "state file: line %zu does not verify",
                     line);
}

static void mac_line(const struct keeper_state *state, struct span payload,
                     uint8_t out[static SHA256_SIZE])
{
    OWNED(bytes_done) struct bytes chained = {0};
    bytes_add(&chained, SPAN_OF(state->mac));
    bytes_add(&chained, payload);
    digest_hmac(DIGEST_SHA256, locked_span(&state->key), bytes_span(&chained), out);
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool apply_charter(struct keeper_state *state, const char *payload)
{
    char hex[MAC_HEX + 1] = "";
    return sscanf(payload, "charter %" SCNd64 " %64[0-9a-f]", &state->serial, hex) == 2 &&
           hex_decode_exact(hex, state->digest, SHA256_SIZE, NULL) == OK;
}

/* As if the charter before it had been seen, of which nothing else is known. */
static bool apply_least(struct keeper_state *state, const char *payload)
{
    int64_t least = 0;
    if (sscanf(payload, "least %" SCNd64, &least) != 1 || least < 1)
        return false;
    state->serial = least - 1;
    return true;
}

static void set_version(struct keeper_state *state, const struct uuid *secret, int64_t version)
{
    int64_t *known = map_get(state->versions, secret);
    if (known == NULL) {
        known = NEW(int64_t);
        (void)map_put(state->versions, secret, known);
    }
    *known = version;
}

static bool apply_version(struct keeper_state *state, const char *payload)
{
    char text[UUID_TEXT_SIZE] = "";
    int64_t version = 0;
    struct uuid secret;
    if (sscanf(payload, "version %36[0-9a-f-] %" SCNd64, text, &version) != 2 ||
        uuid_parse(text, &secret, NULL) != OK || uuid_is_zero(&secret))
        return false;
    set_version(state, &secret, version);
    return true;
}

static bool apply_destroyed(struct keeper_state *state, const char *payload)
{
    char hex[MAC_HEX + 1] = "";
    return sscanf(payload, "destroyed %64[0-9a-f]", hex) == 1 &&
           hex_decode_exact(hex, bytes_add_room(&state->destroyed, SHA256_SIZE), SHA256_SIZE,
                            NULL) == OK;
}

/* Each halt has the next number, and only the last one may be over. */
static bool apply_halt(struct keeper_state *state, const char *payload)
{
    int64_t number = 0;
    if (sscanf(payload, "halted %" SCNd64, &number) == 1 && !state->halted &&
        number == state->halts + 1) {
        state->halts = number;
        state->halted = true;
        return true;
    }
    if (sscanf(payload, "resumed %" SCNd64, &number) != 1 || !state->halted ||
        number != state->halts)
        return false;
    state->halted = false;
    return true;
}

static bool apply(struct keeper_state *state, struct span payload)
{
    char text[LINE_MAX_SIZE];
    if (payload.len >= sizeof text)
        return false;
    memcpy(text, payload.at, payload.len);
    text[payload.len] = '\0';
    return apply_charter(state, text) || apply_version(state, text) ||
           apply_destroyed(state, text) || apply_least(state, text) || apply_halt(state, text);
}

/* "PAYLOAD MAC" with the right MAC; moves the chain on. */
static bool check_line(struct keeper_state *state, struct span line, struct span *payload)
{
    uint8_t mac[SHA256_SIZE];
    char hex[MAC_HEX + 1];
    if (line.len < MAC_HEX + 2 || line.at[line.len - MAC_HEX - 1] != ' ')
        return false;
    *payload = span_part(line, 0, line.len - MAC_HEX - 1);
    mac_line(state, *payload, mac);
    hex_encode(SPAN_OF(mac), hex);
    if (!secret_equal(SPAN(hex, MAC_HEX), SPAN(line.at + line.len - MAC_HEX, MAC_HEX)))
        return false;
    memcpy(state->mac, mac, sizeof mac);
    return true;
}

static bool next_line(struct span *rest, struct span *line)
{
    const uint8_t *end = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;
    if (end == NULL)
        return false;
    *line = SPAN(rest->at, (size_t)(end - rest->at));
    *rest = span_part(*rest, line->len + 1, rest->len);
    return true;
}

/* The first line holds the wrapped key under which all lines are checked, it included. */
static enum outcome read_key(struct keeper_state *state, struct span line, struct kek *kek,
                             struct error *err)
{
    size_t skip = sizeof magic - 1;
    OWNED(bytes_done) struct bytes wrapped = {0};
    if (line.len < skip + MAC_HEX + 2 || memcmp(line.at, magic, skip) != 0 ||
        base64_decode(SPAN(line.at + skip, line.len - skip - MAC_HEX - 1), &wrapped, NULL) != OK)
        return damaged(err, 1);
    return kek_unwrap(kek, SPAN_OF(key_label), bytes_span(&wrapped), &state->key, err);
}

static enum outcome read_lines(struct keeper_state *state, struct span content, struct kek *kek,
                               size_t *out_whole, struct error *err)
{
    struct span rest = content;
    struct span line;
    struct span payload;
    if (!next_line(&rest, &line))
        return damaged(err, 1);
    TRY(read_key(state, line, kek, err));
    if (!check_line(state, line, &payload))
        return damaged(err, 1);
    for (size_t number = 2; next_line(&rest, &line); number++)
        if (!check_line(state, line, &payload) || !apply(state, payload))
            return damaged(err, number);
    *out_whole = content.len - rest.len;
    return OK;
}

/* ---- opening ------------------------------------------------------------------------------ */

/* "PAYLOAD MAC\n" at the end of `file`; moves the chain on. */
static void add_line(struct keeper_state *state, const char *payload, struct text *file)
{
    uint8_t mac[SHA256_SIZE];
    mac_line(state, span_of_text(payload), mac);
    memcpy(state->mac, mac, sizeof mac);
    text_addf(file, "%s ", payload);
    text_add_hex(file, SPAN_OF(mac));
    text_add(file, "\n");
}

enum outcome keeper_state_create(const char *path, struct kek *kek, int64_t least_serial,
                                 struct error *err)
{
    struct keeper_state state = {.fd = -1};
    OWNED(locked_done) struct locked key = {0};
    OWNED(bytes_done) struct bytes wrapped = {0};
    OWNED(text_done) struct text first = {0};
    OWNED(text_done) struct text second = {0};
    OWNED(text_done) struct text file = {0};
    TRY(aead_new_key(&key, err));
    TRY(kek_wrap(kek, SPAN_OF(key_label), locked_span(&key), &wrapped, err));
    state.key = key;
    text_add(&first, magic);
    text_add_base64(&first, bytes_span(&wrapped));
    add_line(&state, text_str(&first), &file);
    text_addf(&second, "least %" PRId64, least_serial);
    if (least_serial > 1)
        add_line(&state, text_str(&second), &file);
    return file_create(path, text_span(&file), 0600, err);
}

static enum outcome lock_file(struct keeper_state *state, const char *path, struct error *err)
{
    state->fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (state->fd < 0)
        return fail_code(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL,
                         errno == ENOENT ? "state-missing" : "state-damaged", "opening %s: %s",
                         path, strerror(errno));
    if (flock(state->fd, LOCK_EX | LOCK_NB) != 0)
        return fail_code(err, ERR_CONFLICT, "state-in-use", "another keeper holds %s", path);
    return OK;
}

enum outcome keeper_state_open(const char *path, struct kek *kek, struct keeper_state **out,
                               struct error *err)
{
    OWNED(keeper_state_drop) struct keeper_state *state = NEW(struct keeper_state);
    OWNED(bytes_done) struct bytes content = {0};
    size_t whole;
    state->fd = -1;
    state->versions = map_new(sizeof(struct uuid));
    TRY(lock_file(state, path, err));
    TRY(file_read_private(path, STATE_SIZE_MAX, &content, err));
    TRY(read_lines(state, bytes_span(&content), kek, &whole, err));
    if (whole < content.len && (ftruncate(state->fd, (off_t)whole) != 0 || fsync(state->fd) != 0))
        return fail(err, ERR_INTERNAL, "dropping a torn line of %s: %s", path, strerror(errno));
    state->size = whole;
    *out = TAKE(state);
    return OK;
}

static void free_versions(struct map *versions)
{
    size_t at = 0;
    void *version;
    while ((version = map_next(versions, &at)) != NULL)
        free(version);
    map_free(versions);
}

void keeper_state_close(struct keeper_state *state)
{
    if (state == NULL)
        return;
    if (state->fd >= 0)
        close(state->fd);
    locked_done(&state->key);
    free_versions(state->versions);
    bytes_done(&state->destroyed);
    free(state);
}

/* ---- writing ------------------------------------------------------------------------------ */

/* What is written to a file that no folder names any more nobody will read again. */
static enum outcome check_usable(const struct keeper_state *state, struct error *err)
{
    struct stat st;
    if (state->broken)
        return fail_code(err, ERR_INTERNAL, "state-broken", "an earlier write failed: restart");
    if (fstat(state->fd, &st) != 0 || st.st_nlink == 0)
        return fail_code(err, ERR_DENIED, "state-missing", "the state file was taken away");
    return OK;
}

static bool write_whole(int fd, const char *line, size_t len)
{
    ssize_t n;
    do
        n = write(fd, line, len);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len && fdatasync(fd) == 0;
}

/* What would not be read back is not written: a thief could else fill the memory, secret by secret,
 * until the keeper never starts again. */
PRINTF(4, 5)
static enum outcome append(struct keeper_state *state, size_t most, struct error *err,
                           const char *format, ...)
{
    char line[LINE_MAX_SIZE];
    uint8_t mac[SHA256_SIZE];
    char hex[MAC_HEX + 1];
    va_list arguments;
    TRY(check_usable(state, err));
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    mac_line(state, SPAN(line, (size_t)len), mac);
    hex_encode(SPAN_OF(mac), hex);
    len += snprintf(line + len, sizeof line - (size_t)len, " %s\n", hex);
    if (state->size + (size_t)len > most)
        return fail_code(err, ERR_INTERNAL, "state-full", "the state file holds %zu bytes",
                         state->size);
    state->broken = true;
    FAULT("keeper-state-append", err);
    if (!write_whole(state->fd, line, (size_t)len))
        return fail_code(err, ERR_INTERNAL, "state-broken", "writing the state file: %s",
                         strerror(errno));
    state->broken = false;
    state->size += (size_t)len;
    memcpy(state->mac, mac, sizeof mac);
    return OK;
}

int64_t keeper_state_serial(const struct keeper_state *state)
{
    return state->serial;
}

enum outcome keeper_state_check_charter(const struct keeper_state *state, int64_t serial,
                                        const uint8_t digest[static SHA256_SIZE], struct error *err)
{
    if (serial < state->serial)
        return fail_code(err, ERR_DENIED, "charter-serial", "serial %lld, had %lld already",
                         (long long)serial, (long long)state->serial);
    if (serial == state->serial && memcmp(digest, state->digest, SHA256_SIZE) != 0)
        return fail_code(err, ERR_DENIED, "charter-serial", "another charter of serial %lld",
                         (long long)serial);
    return OK;
}

enum outcome keeper_state_raise_charter(struct keeper_state *state, int64_t serial,
                                        const uint8_t digest[static SHA256_SIZE], struct error *err)
{
    TRY(keeper_state_check_charter(state, serial, digest, err));
    if (serial == state->serial)
        return OK;
    OWNED(mem_drop) char *hex = hex_of(SPAN(digest, SHA256_SIZE));
    TRY(append(state, STATE_SIZE_MAX, err, "charter %" PRId64 " %s", serial, hex));
    state->serial = serial;
    memcpy(state->digest, digest, SHA256_SIZE);
    return OK;
}

int64_t keeper_state_version(const struct keeper_state *state, const struct uuid *secret)
{
    const int64_t *known = map_get(state->versions, secret);
    return known != NULL ? *known : 0;
}

enum outcome keeper_state_check_version(const struct keeper_state *state, const struct uuid *secret,
                                        int64_t version, struct error *err)
{
    const int64_t floor = keeper_state_version(state, secret);
    if (version < floor)
        return fail_code(err, ERR_DENIED, "version-too-low", "version %lld, released %lld already",
                         (long long)version, (long long)floor);
    if (version - floor > KEEPER_VERSION_STEP)
        return fail_code(err, ERR_DENIED, "version-jump", "version %lld, of the last release %lld",
                         (long long)version, (long long)floor);
    return OK;
}

enum outcome keeper_state_raise_version(struct keeper_state *state, const struct uuid *secret,
                                        int64_t version, struct error *err)
{
    TRY(check_usable(state, err));
    TRY(keeper_state_check_version(state, secret, version, err));
    if (version == keeper_state_version(state, secret))
        return OK;
    TRY(append(state, VERSIONS_SIZE_MAX, err, "version %s %" PRId64, uuid_text(secret).at,
               version));
    set_version(state, secret, version);
    return OK;
}

enum outcome keeper_state_halt(struct keeper_state *state, struct error *err)
{
    if (state->halted)
        return OK;
    TRY(append(state, STATE_SIZE_MAX, err, "halted %" PRId64, state->halts + 1));
    state->halts++;
    state->halted = true;
    return OK;
}

enum outcome keeper_state_resume(struct keeper_state *state, struct error *err)
{
    if (!state->halted)
        return OK;
    TRY(append(state, STATE_SIZE_MAX, err, "resumed %" PRId64, state->halts));
    state->halted = false;
    return OK;
}

bool keeper_state_is_halted(const struct keeper_state *state)
{
    return state->halted;
}

int64_t keeper_state_halts(const struct keeper_state *state)
{
    return state->halts;
}

enum outcome keeper_state_destroy(struct keeper_state *state,
                                  const uint8_t what[static SHA256_SIZE], struct error *err)
{
    if (keeper_state_is_destroyed(state, what))
        return OK;
    OWNED(mem_drop) char *hex = hex_of(SPAN(what, SHA256_SIZE));
    TRY(append(state, STATE_SIZE_MAX, err, "destroyed %s", hex));
    bytes_add(&state->destroyed, SPAN(what, SHA256_SIZE));
    return OK;
}

bool keeper_state_is_destroyed(const struct keeper_state *state,
                               const uint8_t what[static SHA256_SIZE])
{
    for (size_t at = 0; at < state->destroyed.len; at += SHA256_SIZE)
        if (memcmp(state->destroyed.at + at, what, SHA256_SIZE) == 0)
            return true;
    return false;
}
