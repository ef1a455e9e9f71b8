#include "tests/support/heist.h"

#include <stdlib.h>
#include <string.h>

static bool is_of_one_instance(struct deployment *d, const char *grant)
{
    const json_t *scope = json_object_get(deployment_at(d, "grants", grant), "scope");
    return strcmp(json_string_value(scope), "instance") == 0;
}

static int heist_open(void **state)
{
    const struct attack *attack = *state;
    bool direct = attack->flavour == PSP_DIRECT_BOOT;
    struct heist *h = NEW(struct heist);
    void *d = NULL;
    assert_int_equal(deployment_open(&d), 0);
    h->attack = attack;
    h->d = d;
    h->g = guest_make(attack->flavour, direct ? 5 : 0);
    h->other = guest_make(attack->flavour, direct ? 6 : 0);
    guest_attested(d, &h->g);
    stored_made(d, attack->grant, is_of_one_instance(d, attack->grant) ? &h->g : NULL, &h->s);
    *state = h;
    return 0;
}

static int heist_close(void **state)
{
    struct heist *h = *state;
    void *d = h->d;
    guest_done(&h->g);
    guest_done(&h->other);
    stored_done(&h->s);
    free(h->token);
    free(h);
    return deployment_close(&d);
}

static void an_attack_ends_as_it_must(void **state)
{
    struct heist *h = *state;
    struct release_wish wish = h->attack->act(h);
    if (h->attack->code != NULL)
        assert_refused(h->d, &wish, h->attack->code);
    else
        assert_released(h->d, &wish);
}

struct release_wish heist_ask(struct heist *h)
{
    return release_wish_of(&h->g, &h->s);
}

struct release_wish heist_ask_with(struct heist *h, char *token)
{
    struct release_wish wish = heist_ask(h);
    free(h->token);
    wish.token = h->token = token;
    return wish;
}

struct deployment *heist_elsewhere(void)
{
    void *d = NULL;
    assert_int_equal(deployment_open(&d), 0);
    return d;
}

struct CMUnitTest heist_test(const struct attack *attack)
{
    return (struct CMUnitTest){
        .name = attack->name,
        .test_func = an_attack_ends_as_it_must,
        .setup_func = heist_open,
        .teardown_func = heist_close,
        .initial_state = (void *)(uintptr_t)attack,
    };
}
