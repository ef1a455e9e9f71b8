#include "tests/support/sealed.h"

#include <string.h>

#include "lib/crypto/random.h"
#include "tests/support/test.h"

int sealed_set_up(void **state, enum key_kind sealing)
{
    struct error err = {0};
    struct sealed *w = NEW(struct sealed);
    struct moment now = clock_at_seconds(1795435200);
    assert_ok(key_generate(KEY_P384, &w->root_key, &err));
    assert_ok(cert_make_root(w->root_key, REALM_SIMULATION, now, &w->root, &err));
    assert_ok(key_generate(KEY_P256, &w->signer, &err));
    assert_ok(key_generate(sealing, &w->sealing_key, &err));
    assert_ok(cert_make_role(w->root_key, w->root, w->signer, ROLE_KEEPER_SIGN, NULL, 0, now, 90,
                             &w->signer_cert, &err));
    w->header = (struct seal_header){
        .purpose = SEAL_PURPOSE_SECRET,
        .instance = uuid_new(),
        .delivery = uuid_new(),
        .secret = uuid_new(),
        .name = "web-key",
        .kind = "opaque",
        .version = 3,
        .grant = "web",
        .verdict = uuid_new(),
        .sequence = 7,
    };
    random_fill(w->header.salt, sizeof w->header.salt);
    cert_spki_sha256(w->root, w->header.deployment);
    key_fingerprint(w->sealing_key, w->header.sealing_key);
    w->expected = (struct seal_expected){
        .purpose = SEAL_PURPOSE_SECRET,
        .instance = w->header.instance,
        .after_sequence = 6,
        .roots = &w->root,
        .root_count = 1,
        .at = now,
    };
    *state = w;
    return 0;
}

int sealed_tear_down(void **state)
{
    struct sealed *w = *state;
    key_free(w->root_key);
    cert_free(w->root);
    key_free(w->signer);
    cert_free(w->signer_cert);
    key_free(w->sealing_key);
    mem_drop(state);
    return 0;
}

struct bytes sealed_text(struct sealed *w, const char *payload)
{
    struct error err = {0};
    struct bytes envelope = {0};
    assert_ok(seal_to(w->sealing_key, &w->header, span_of_text(payload), w->signer, w->signer_cert,
                      &envelope, &err));
    return envelope;
}

enum outcome sealed_open(struct sealed *w, struct span envelope, struct error *err)
{
    struct seal_header header;
    OWNED(locked_done) struct locked payload = {0};
    return seal_open(envelope, w->sealing_key, &w->expected, &header, &payload, err);
}
