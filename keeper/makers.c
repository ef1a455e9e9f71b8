#include "keeper/makers.h"

#include <stdlib.h>
#include <string.h>

#include "lib/crypto/random.h"

enum { OPAQUE_SIZE = 32, SSH_BLOB_ROOM = 512, SSH_BLOCK = 8, PEM_LINE = 70 };

static const char ssh_kind[] = "ssh-ed25519";

static enum outcome make_opaque(struct locked *out, char **out_public, struct error *err)
{
    TRY(locked_new(OPAQUE_SIZE, out, err));
    random_fill(out->at, out->len);
    *out_public = NULL;
    return OK;
}

/* RFC 4251 string. */
static void add_string(struct bytes *out, struct span value)
{
    bytes_add_u32be(out, (uint32_t)value.len);
    bytes_add(out, value);
}

static void add_public(struct bytes *out, struct span public)
{
    add_string(out, span_of_text(ssh_kind));
    add_string(out, public);
}

/* The half that a passphrase would encrypt; there is none, for the guest's memory is the safe. */
static void add_private(struct bytes *out, struct span private, struct span public)
{
    uint32_t check;
    uint8_t pair[64];
    random_fill(&check, sizeof check);
    bytes_add_u32be(out, check);
    bytes_add_u32be(out, check);
    add_public(out, public);
    memcpy(pair, private.at, 32);
    memcpy(pair + 32, public.at, 32);
    add_string(out, SPAN_OF(pair));
    explicit_bzero(pair, sizeof pair);
    add_string(out, span_of_text("")); /* comment */
    for (uint8_t pad = 1; out->len % SSH_BLOCK != 0; pad++)
        bytes_add_u8(out, pad);
}

/* PROTOCOL.key of OpenSSH. Room is taken at once: growing would leave copies behind. */
static void add_openssh_key(struct bytes *out, struct span private, struct span public)
{
    static const char magic[] = "openssh-key-v1"; /* with its NUL */
    OWNED(bytes_wipe) struct bytes half = {0};
    OWNED(bytes_done) struct bytes blob = {0};
    bytes_add_room(&half, SSH_BLOB_ROOM);
    half.len = 0;
    add_public(&blob, public);
    add_private(&half, private, public);
    bytes_add(out, SPAN_OF(magic));
    add_string(out, span_of_text("none")); /* cipher */
    add_string(out, span_of_text("none")); /* key derivation */
    add_string(out, span_of_text(""));
    bytes_add_u32be(out, 1);
    add_string(out, bytes_span(&blob));
    add_string(out, bytes_span(&half));
}

static enum outcome to_pem(struct span blob, struct locked *out, struct error *err)
{
    static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    static const char end[] = "-----END OPENSSH PRIVATE KEY-----\n";
    OWNED(mem_drop) char *encoded = base64_of(blob);
    OWNED(bytes_wipe) struct bytes pem = {0};
    size_t len = strlen(encoded);
    bytes_add_room(&pem, sizeof begin + sizeof end + len + len / PEM_LINE + 1);
    pem.len = 0;
    bytes_add(&pem, span_of_text(begin));
    for (size_t at = 0; at < len; at += PEM_LINE) {
        bytes_add(&pem, span_part(SPAN(encoded, len), at, PEM_LINE));
        bytes_add_u8(&pem, '\n');
    }
    bytes_add(&pem, span_of_text(end));
    explicit_bzero(encoded, len);
    return locked_take(&pem, out, err);
}

static char *public_line(struct span public)
{
    OWNED(bytes_done) struct bytes blob = {0};
    OWNED(text_done) struct text line = {0};
    add_public(&blob, public);
    text_addf(&line, "%s ", ssh_kind);
    text_add_base64(&line, bytes_span(&blob));
    return text_take(&line);
}

static enum outcome make_ssh_host_key(struct locked *out, char **out_public, struct error *err)
{
    OWNED(key_drop) struct key *key = NULL;
    OWNED(bytes_wipe) struct bytes private = {0};
    OWNED(bytes_done) struct bytes public = {0};
    OWNED(bytes_wipe) struct bytes blob = {0};
    TRY(key_generate(KEY_ED25519, &key, err));
    TRY(key_raw_private(key, &private, err));
    TRY(key_raw_public(key, &public, err));
    bytes_add_room(&blob, SSH_BLOB_ROOM);
    blob.len = 0;
    add_openssh_key(&blob, bytes_span(&private), bytes_span(&public));
    TRY(to_pem(bytes_span(&blob), out, err));
    *out_public = public_line(bytes_span(&public));
    return OK;
}

typedef enum outcome maker_fn(struct locked *, char **, struct error *);
static maker_fn *const makers[] = {
    [SECRET_OPAQUE] = make_opaque,
    [SECRET_SSH_HOST_KEY] = make_ssh_host_key,
};
_Static_assert(countof(makers) == SECRET_KIND_COUNT);

enum outcome make_secret(enum secret_kind kind, struct locked *out, char **out_public,
                         struct error *err)
{
    return makers[kind](out, out_public, err);
}
