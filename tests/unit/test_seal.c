/* R4, R6, R112: a secret leaves the keeper only sealed to one guest key (trust.md section 7). */
#include "lib/crypto/seal.h"

#include <string.h>

#include "lib/crypto/aead.h"
#include "tests/support/sealed.h"
#include "tests/support/test.h"

static int set_up(void **state)
{
    return sealed_set_up(state, KEY_P256);
}

static void the_guest_gets_the_very_bytes_and_what_they_are(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "correct horse");
    OWNED(locked_done) struct locked payload = {0};
    struct seal_header header = {0};
    assert_ok(
        seal_open(bytes_span(&envelope), w->sealing_key, &w->expected, &header, &payload, &err));
    assert_int_equal(payload.len, 13);
    assert_memory_equal(payload.at, "correct horse", 13);
    assert_memory_equal(&header, &w->header, sizeof header);
}

static void an_empty_and_a_large_payload_travel_and_a_too_large_one_does_not(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes large = {0};
    bytes_add_room(&large, SEAL_PAYLOAD_MAX);
    OWNED(bytes_done) struct bytes empty_envelope = sealed_text(w, "");
    OWNED(bytes_done) struct bytes envelope = {0};
    assert_ok(sealed_open(w, bytes_span(&empty_envelope), &err));
    assert_ok(seal_to(w->sealing_key, &w->header, bytes_span(&large), w->signer, w->signer_cert,
                      &envelope, &err));
    assert_ok(sealed_open(w, bytes_span(&envelope), &err));
    bytes_add_u8(&large, 0);
    assert_fails(seal_to(w->sealing_key, &w->header, bytes_span(&large), w->signer, w->signer_cert,
                         &envelope, &err),
                 ERR_INVALID, "too-large");
}

static void the_plaintext_is_not_in_the_envelope(void **state)
{
    struct sealed *w = *state;
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "correct horse battery");
    assert_null(memmem(envelope.at, envelope.len, "correct horse battery", 21));
    assert_null(memmem(envelope.at, envelope.len, "web-key", 7)); /* nor the header */
}

static void another_guest_cannot_open_it(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
    OWNED(key_drop) struct key *ours = w->sealing_key;
    w->sealing_key = NULL;
    assert_ok(key_generate(KEY_P256, &w->sealing_key, &err));
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "envelope-not-ours");
}

static void every_changed_byte_is_noticed(void **state)
{
    struct sealed *w = *state;
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
    for (size_t i = 0; i < envelope.len; i++) {
        envelope.at[i] ^= 0x21;
        assert_int_not_equal(sealed_open(w, bytes_span(&envelope), NULL), OK);
        envelope.at[i] ^= 0x21;
    }
}

static void every_shorter_or_longer_envelope_is_refused(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
    for (size_t len = 0; len < envelope.len; len++)
        assert_int_not_equal(sealed_open(w, SPAN(envelope.at, len), NULL), OK);
    bytes_add_u8(&envelope, 0);
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_INVALID, "envelope-malformed");
}

/* Put other algorithm identifiers of the same length where ours stand. */
static void swap_bytes(struct bytes *in, struct span from, struct span to)
{
    uint8_t *at = memmem(in->at, in->len, from.at, from.len);
    assert_non_null(at);
    memcpy(at, to.at, to.len);
}

static void other_algorithms_are_refused_before_a_key_is_touched(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    static const uint8_t gcm_256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e};
    static const uint8_t gcm_128[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x06};
    static const uint8_t cbc_256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a};
    static const uint8_t kdf_256[] = {0x2b, 0x81, 0x04, 0x01, 0x0b, 0x01};
    static const uint8_t kdf_512[] = {0x2b, 0x81, 0x04, 0x01, 0x0b, 0x03};
    static const uint8_t wrap_256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d};
    static const uint8_t wrap_128[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x05};
    const struct {
        struct span from, to;
    } swaps[] = {
        {SPAN_OF(gcm_256), SPAN_OF(gcm_128)},
        {SPAN_OF(gcm_256), SPAN_OF(cbc_256)},
        {SPAN_OF(kdf_256), SPAN_OF(kdf_512)},
        {SPAN_OF(wrap_256), SPAN_OF(wrap_128)},
    };
    for (size_t i = 0; i < countof(swaps); i++) {
        OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
        swap_bytes(&envelope, swaps[i].from, swaps[i].to);
        assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "envelope-algorithm");
    }
}

static void a_controller_cannot_seal_in_the_keepers_name(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    cert_free(w->signer_cert);
    w->signer_cert = NULL;
    const char *const names[] = {"localhost"};
    assert_ok(cert_make_role(w->root_key, w->root, w->signer, ROLE_CONTROLLER, names, 1,
                             w->expected.at, 90, &w->signer_cert, &err));
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "wrong-role");
}

static void a_keeper_of_another_root_is_not_ours(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
    OWNED(key_drop) struct key *key = NULL;
    OWNED(cert_drop) struct cert *other = NULL;
    assert_ok(key_generate(KEY_P384, &key, &err));
    assert_ok(cert_make_root(key, REALM_SIMULATION, w->expected.at, &other, &err));
    w->expected.roots = &other;
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "wrong-root");
}

static void a_header_for_somebody_else_is_refused(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes envelope = sealed_text(w, "x");
    struct seal_expected was = w->expected;
    w->expected.instance.at[0] ^= 1;
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "wrong-instance");
    w->expected = was;
    w->expected.purpose = SEAL_PURPOSE_FORGET;
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "wrong-purpose");
    w->expected = was;
    w->expected.after_sequence = 7;
    assert_fails(sealed_open(w, bytes_span(&envelope), &err), ERR_DENIED, "old-sequence");
    w->expected = was;
    w->header.deployment[0] ^= 1;
    OWNED(bytes_done) struct bytes elsewhere = sealed_text(w, "x");
    assert_fails(sealed_open(w, bytes_span(&elsewhere), &err), ERR_DENIED, "wrong-deployment");
}

static void a_header_must_name_the_key_it_is_sealed_to(void **state)
{
    struct sealed *w = *state;
    struct error err = {0};
    struct bytes envelope = {0};
    w->header.sealing_key[0] ^= 1;
    assert_fails(seal_to(w->sealing_key, &w->header, span_of_text("x"), w->signer, w->signer_cert,
                         &envelope, &err),
                 ERR_INVALID, "invalid");
}

static void stored_bytes_open_under_their_key_and_label_only(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(locked_done) struct locked key = {0};
    OWNED(locked_done) struct locked other = {0};
    OWNED(locked_done) struct locked plain = {0};
    OWNED(bytes_done) struct bytes stored = {0};
    assert_ok(aead_new_key(&key, &err));
    assert_ok(aead_new_key(&other, &err));
    assert_ok(aead_seal(&key, span_of_text("label"), span_of_text("value"), &stored, &err));
    assert_fails(aead_open(&other, span_of_text("label"), bytes_span(&stored), &plain, &err),
                 ERR_DENIED, "does-not-open");
    assert_fails(aead_open(&key, span_of_text("Label"), bytes_span(&stored), &plain, &err),
                 ERR_DENIED, "does-not-open");
    for (size_t len = 0; len < stored.len; len++)
        assert_fails(aead_open(&key, span_of_text("label"), SPAN(stored.at, len), &plain, &err),
                     ERR_DENIED, "does-not-open");
    assert_ok(aead_open(&key, span_of_text("label"), bytes_span(&stored), &plain, &err));
    assert_memory_equal(plain.at, "value", 5);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, sealed_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(the_guest_gets_the_very_bytes_and_what_they_are),
        WITH_WORLD(an_empty_and_a_large_payload_travel_and_a_too_large_one_does_not),
        WITH_WORLD(the_plaintext_is_not_in_the_envelope),
        WITH_WORLD(another_guest_cannot_open_it),
        WITH_WORLD(every_changed_byte_is_noticed),
        WITH_WORLD(every_shorter_or_longer_envelope_is_refused),
        WITH_WORLD(other_algorithms_are_refused_before_a_key_is_touched),
        WITH_WORLD(a_controller_cannot_seal_in_the_keepers_name),
        WITH_WORLD(a_keeper_of_another_root_is_not_ours),
        WITH_WORLD(a_header_for_somebody_else_is_refused),
        WITH_WORLD(a_header_must_name_the_key_it_is_sealed_to),
        cmocka_unit_test(stored_bytes_open_under_their_key_and_label_only),
    };
    return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
