/* A bundle is one signed line, written one way: whatever else its own sealer seals is refused, and
 * says what was wrong with it. */
#include "lib/model/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "lib/crypto/cert.h"
#include "lib/crypto/token.h"
#include "tests/support/test.h"

static struct key *key;
static struct cert *cert;

static int set_up(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(key_drop) struct key *root_key = NULL;
    OWNED(cert_drop) struct cert *root = NULL;
    static const char *const names[] = {"localhost"};
    const struct moment now = clock_now();
    assert_ok(key_generate(KEY_P384, &root_key, &err));
    assert_ok(key_generate(KEY_P256, &key, &err));
    assert_ok(cert_make_root(root_key, REALM_SIMULATION, now, &root, &err));
    assert_ok(cert_make_role(root_key, root, key, ROLE_CONTROLLER, names, countof(names), now, 90,
                             &cert, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    key_drop(&key);
    cert_drop(&cert);
    return 0;
}

/* The JSON of a good one, to be changed. */
static json_t *payload(void)
{
    struct error err = {0};
    json_t *json = NULL;
    OWNED(bytes_done) struct bytes raw = {0};
    OWNED(mem_drop) char *sealed = NULL;
    OWNED(bundle_done)
    struct bundle b = {
        .version = "1",
        .exported = clock_at_seconds(1795600000),
        .testimony = mem_text("a.b.c"),
        .claims = json_object(),
        .checks = json_array(),
        .audit = json_array(),
    };
    assert_ok(cert_to_der(cert, &b.certificate, &err));
    bytes_add(&b.evidence, span_of_text("{}"));
    bytes_add(&b.charter, span_of_text("{}"));
    bytes_add(&b.testimony_cert, span_of_text("der"));
    assert_ok(bundle_seal(&b, key, &sealed, &err));
    assert_ok(token_open(span_of_text(sealed), BUNDLE_SIZE_MAX, &raw, &err));
    assert_ok(json_parse(bytes_span(&raw), raw.len, &json, &err));
    return json;
}

static void opens_saying(const char *printed, const char *code, const char *saying)
{
    struct error err = {0};
    OWNED(mem_drop) char *sealed = NULL;
    OWNED(bundle_done) struct bundle read = {0};
    assert_ok(token_seal(key, BUNDLE_TYP, span_of_text(printed), BUNDLE_SIZE_MAX, &sealed, &err));
    const enum outcome outcome = bundle_open(span_of_text(sealed), &read, &err);
    assert_string_equal(outcome == OK ? "ok" : err.code, code);
    assert_non_null(strstr(err.text, saying));
}

static void opens(const json_t *json, const char *code, const char *saying)
{
    OWNED(mem_drop) char *printed = json_print(json);
    opens_saying(printed, code, saying);
}

static void a_sealed_bundle_opens(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = payload();
    opens(json, "ok", "");
}

static void members_are_those_of_a_bundle(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *more = payload();
    OWNED(json_drop) json_t *less = payload();
    OWNED(json_drop) json_t *other = payload();
    json_put_int(more, "more", 1);
    opens(more, "bundle-format", "/more");
    json_object_del(less, "evidence");
    opens(less, "bundle-format", "/evidence");
    json_put_text(other, "exported", "yesterday");
    opens(other, "bundle-format", "/exported");
}

static void another_format_is_not_read(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = payload();
    json_put_text(json, "format", "muster-bundle-2");
    opens(json, "bundle-format", "a format that is not known");
}

static void claims_checks_and_trail_are_of_their_shapes(void **state)
{
    (void)state;
    static const char *const names[] = {"claims", "checks", "audit"};
    for (size_t i = 0; i < countof(names); i++) {
        OWNED(json_drop) json_t *json = payload();
        json_put_new(json, names[i], i == 0 ? json_array() : json_object());
        opens(json, "bundle-format", "not what they should be");
    }
    OWNED(json_drop) json_t *longer = payload();
    json_t *audit = json_object_get(longer, "audit");
    for (int i = 0; i < BUNDLE_AUDIT_MAX; i++)
        json_add_new(audit, json_object());
    opens(longer, "ok", "");
    json_add_new(audit, json_object());
    opens(longer, "bundle-format", "not what they should be");
}

static void what_is_sealed_is_an_object(void **state)
{
    (void)state;
    opens_saying("[]", "bundle-format", "not one signed line");
    opens_saying("{\"a\":1,\"a\":1}", "bundle-format", "not one signed line");
    opens_saying("", "bundle-format", "not one signed line");
}

static void what_is_no_line_is_not_read(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{}", "a.b.c", "e30.e30"};
    for (size_t i = 0; i < countof(texts); i++) {
        struct error err = {0};
        struct bundle read = {0};
        assert_fails(bundle_open(span_of_text(texts[i]), &read, &err), ERR_INVALID,
                     "bundle-format");
        assert_non_null(strstr(err.text, "not one signed line"));
    }
}

static void there_is_one_way_to_write_it(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = payload();
    OWNED(mem_drop) char *wide = json_dumps(json, JSON_SORT_KEYS | JSON_INDENT(1));
    opens_saying(wide, "bundle-format", "written another way");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_bundle_opens),
        cmocka_unit_test(members_are_those_of_a_bundle),
        cmocka_unit_test(another_format_is_not_read),
        cmocka_unit_test(claims_checks_and_trail_are_of_their_shapes),
        cmocka_unit_test(what_is_sealed_is_an_object),
        cmocka_unit_test(what_is_no_line_is_not_read),
        cmocka_unit_test(there_is_one_way_to_write_it),
    };
    return cmocka_run_group_tests_name("bundle", tests, set_up, tear_down);
}
