#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/names.h"
#include "lib/base/text.h"
#include "lib/crypto/aead.h"
#include "lib/crypto/kek.h"
#include "lib/crypto/random.h"

enum { KEK_FILE_MAX = 256, WORD_MAX = 32 };

struct kek_file {
    struct kek kek;
    struct locked key;
};

/* KEK is the first member, so the two pointers are the same place. */
static struct kek_file *inside(struct kek *kek)
{
    return (struct kek_file *)(void *)kek;
}

static enum outcome wrap(struct kek *kek, struct span associated, struct span key,
                         struct bytes *out, struct error *err)
{
    return aead_seal(&inside(kek)->key, associated, key, out, err);
}

static enum outcome unwrap(struct kek *kek, struct span associated, struct span wrapped,
                           struct locked *out, struct error *err)
{
    return aead_open(&inside(kek)->key, associated, wrapped, out, err);
}

static void close_file(struct kek *kek)
{
    locked_done(&inside(kek)->key);
    free(kek);
}

static const struct kek_driver driver = {
    .name = "file", .wrap = wrap, .unwrap = unwrap, .close = close_file};

enum outcome kek_file_create(const char *path, enum realm realm, struct error *err)
{
    uint8_t key[AEAD_KEY_SIZE];
    char hex[2 * AEAD_KEY_SIZE + 1];
    char content[KEK_FILE_MAX];
    random_fill(key, sizeof key);
    hex_encode(SPAN_OF(key), hex);
    int len = snprintf(content, sizeof content, "muster-kek-1 %s 1\n%s\n",
                       name_of(&realm_names, (int)realm), hex);
    enum outcome outcome = file_create(path, SPAN(content, (size_t)len), 0600, err);
    explicit_bzero(key, sizeof key);
    explicit_bzero(hex, sizeof hex);
    explicit_bzero(content, sizeof content);
    return outcome;
}

/* The word up to `end`, which is stepped over. */
static bool take_word(struct span *rest, char end, char out[static WORD_MAX])
{
    const uint8_t *at = rest->len > 0 ? memchr(rest->at, end, rest->len) : NULL;
    size_t len = at != NULL ? (size_t)(at - rest->at) : 0;
    if (at == NULL || len >= WORD_MAX)
        return false;
    memcpy(out, rest->at, len);
    out[len] = '\0';
    *rest = span_part(*rest, len + 1, rest->len);
    return true;
}

static enum outcome damaged(const char *path, struct error *err)
{
    return fail_code(err, ERR_INVALID, "kek-damaged", "%s is not a key-encryption key", path);
}

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Straight into locked memory, so that no copy stays behind. */
static bool read_key(struct span hex, struct locked *out)
{
    if (hex.len != 2 * out->len + 1 || hex.at[hex.len - 1] != '\n')
        return false;
    for (size_t i = 0; i < out->len; i++) {
        int high = digit(hex.at[2 * i]);
        int low = digit(hex.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out->at[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static enum outcome read_header(const char *path, struct span *rest, struct kek *out,
                                struct error *err)
{
    char magic[WORD_MAX];
    char word[WORD_MAX];
    char generation[WORD_MAX];
    int found;
    if (!take_word(rest, ' ', magic) || strcmp(magic, "muster-kek-1") != 0 ||
        !take_word(rest, ' ', word) || name_parse(&realm_names, word, &found, NULL) != OK ||
        !take_word(rest, '\n', generation) ||
        number_parse(generation, 1, INT32_MAX, &out->generation, NULL) != OK)
        return damaged(path, err);
    out->realm = (enum realm)found;
    return OK;
}

enum outcome kek_file_open(const char *path, enum realm realm, struct kek **out, struct error *err)
{
    OWNED(bytes_wipe) struct bytes content = {0};
    TRY(file_read_private(path, KEK_FILE_MAX, &content, err));
    struct span rest = bytes_span(&content);
    OWNED(kek_drop) struct kek *kek = &NEW(struct kek_file)->kek;
    kek->driver = &driver;
    TRY(read_header(path, &rest, kek, err));
    if (kek->realm != realm)
        return fail_code(err, ERR_DENIED, "kek-realm", "%s was made for the %s realm", path,
                         name_of(&realm_names, (int)kek->realm));
    TRY(locked_new(AEAD_KEY_SIZE, &inside(kek)->key, err));
    if (!read_key(rest, &inside(kek)->key))
        return damaged(path, err);
    *out = TAKE(kek);
    return OK;
}

enum outcome kek_file_look(struct span content, enum realm *out_realm, int64_t *out_generation,
                           struct error *err)
{
    static const char what[] = "what was opened";
    OWNED(locked_done) struct locked key = {0};
    struct kek header = {0};
    TRY(read_header(what, &content, &header, err));
    TRY(locked_new(AEAD_KEY_SIZE, &key, err));
    if (!read_key(content, &key))
        return damaged(what, err);
    *out_realm = header.realm;
    *out_generation = header.generation;
    return OK;
}

void kek_file_fingerprint(struct span content, uint8_t out[static SHA256_SIZE])
{
    static const char label[] = "muster-kek-fingerprint-v1"; /* with its NUL */
    struct digest_run run;
    digest_start(&run, DIGEST_SHA256);
    digest_more(&run, SPAN_OF(label));
    digest_more(&run, content);
    digest_end(&run, out);
}
