#include "tests/support/spoil.h"

#include "lib/crypto/random.h"
#include "lib/crypto/sign.h"
#include "tests/support/test.h"

void spoil_nonce(struct guest *g, struct challenge *c)
{
    (void)g;
    c->nonce[31] ^= 1;
}

void spoil_root(struct guest *g, struct challenge *c)
{
    (void)g;
    c->root_key[0] ^= 1;
}

static void spoil_key(struct key **key)
{
    struct error err = {0};
    key_drop(key);
    assert_ok(key_generate(KEY_P256, key, &err));
}

void spoil_sealing(struct guest *g, struct challenge *c)
{
    (void)c;
    spoil_key(&g->sealing_key);
}

void spoil_link(struct guest *g, struct challenge *c)
{
    (void)c;
    spoil_key(&g->link_key);
}

void spoil_instance(struct guest *g, struct challenge *c)
{
    (void)c;
    g->instance = uuid_new();
}

void spoil_kind(struct guest *g, struct challenge *c)
{
    (void)c;
    g->kind = EVIDENCE_SNP;
}
