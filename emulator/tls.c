#include "emulator/tls.h"

#include <stdlib.h>

#include "lib/crypto/cert.h"

enum { CERTIFICATE_DAYS = 90 };

static char *text_of(struct bytes *pem)
{
    bytes_add_u8(pem, 0);
    return (char *)bytes_take(pem).at;
}

static enum outcome make_all(struct key *root_key, struct key *key, struct tls *out,
                             struct error *err)
{
    static const char *const names[] = {"localhost", "127.0.0.1"};
    OWNED(cert_drop) struct cert *root = NULL;
    OWNED(cert_drop) struct cert *server = NULL;
    OWNED(bytes_done) struct bytes key_pem = {0};
    OWNED(bytes_done) struct bytes server_pem = {0};
    OWNED(bytes_done) struct bytes root_pem = {0};
    const struct moment from = moment_add_seconds(clock_now(), -3600);
    TRY(cert_make_root(root_key, REALM_SIMULATION, from, &root, err));
    TRY(cert_make_role(root_key, root, key, ROLE_CONTROLLER, names, countof(names), from,
                       CERTIFICATE_DAYS, &server, err));
    TRY(key_to_private_pem(key, &key_pem, err));
    TRY(cert_to_pem(server, &server_pem, err));
    TRY(cert_to_pem(root, &root_pem, err));
    *out = (struct tls){text_of(&key_pem), text_of(&server_pem), text_of(&root_pem)};
    return OK;
}

enum outcome tls_make(struct tls *out, struct error *err)
{
    OWNED(key_drop) struct key *root_key = NULL;
    OWNED(key_drop) struct key *key = NULL;
    TRY(key_generate(KEY_P384, &root_key, err));
    TRY(key_generate(KEY_P256, &key, err));
    return make_all(root_key, key, out, err);
}

void tls_done(struct tls *tls)
{
    free(tls->key);
    free(tls->certificate);
    free(tls->authority);
    *tls = (struct tls){0};
}
