/* Import, list and export of endorsements through the API. */
#include "controller/http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/endorsement_store.h"
#include "lib/attest/kds.h"
#include "lib/crypto/x509_make.h"
#include "tests/support/ask.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

static struct psp *psp;
static struct snp_roots *roots;
static struct bytes chain, vcek;
static char vcek_name[KDS_NAME_SIZE];

static int open_all(void **state)
{
    struct error err = {0};
    struct cert_table table;
    struct kds_item item;
    struct snp_report report;
    struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
    psp = simulator_open();
    roots = simulator_roots(psp);
    memset(wish.chip_id, 0x77, sizeof wish.chip_id);
    OWNED(simulated_done) struct simulated s = simulator_evidence(psp, &wish);
    assert_ok(cert_table_read(bytes_span(&s.table), &table, &err));
    vcek = bytes_copy(cert_table_find(&table, TABLE_VCEK));
    pem_add_certificate(&chain, psp_ca(psp, LINE_MILAN, SIGNER_VCEK));
    pem_add_certificate(&chain, psp_ark(psp, LINE_MILAN));
    assert_ok(snp_report_read(bytes_span(&s.report), &report, &err));
    assert_true(kds_vcek_of(&report, report.reported_tcb, &item));
    kds_name(&item, vcek_name);
    return ask_open(state);
}

static int close_all(void **state)
{
    bytes_done(&chain);
    bytes_done(&vcek);
    snp_roots_free(roots);
    psp_close(psp);
    return ask_close(state);
}

static int empty(void **state)
{
    struct error err = {0};
    assert_ok(db_script(ask_db, "TRUNCATE endorsements, endorsement_misses", &err));
    ask_endorsement_roots(roots);
    return ask_quiet(state);
}

static char *body_of(struct span content)
{
    OWNED(json_drop) json_t *body = json_object();
    json_put_base64(body, "content", content);
    return json_print(body);
}

static void import_is(struct span content, int status, const char *code)
{
    OWNED(mem_drop) char *body = body_of(content);
    OWNED(told_done) struct told told = ask_as(CALLER_SECURITY, "POST", "/v1/endorsements", body);
    assert_told(told, status);
    assert_string_equal(told.code, code);
}

static void what_is_imported_is_listed_and_comes_out_again(void **state)
{
    (void)state;
    char path[KDS_NAME_SIZE + 32];
    import_is(bytes_span(&vcek), 409, "endorsement-chain-missing");
    import_is(bytes_span(&chain), 200, "");
    import_is(bytes_span(&vcek), 200, "");
    import_is(bytes_span(&vcek), 200, "");
    OWNED(told_done) struct told list = ask_as(CALLER_VIEWER, "GET", "/v1/endorsements", NULL);
    assert_told(list, 200);
    const json_t *items = json_object_get(list.body, "items");
    assert_int_equal(json_array_size(items), 2);
    assert_string_equal(told_member(json_array_get(items, 0), "name"), vcek_name);
    assert_string_equal(told_member(json_array_get(items, 0), "source"), "import");
    assert_null(json_object_get(json_array_get(items, 0), "content"));
    snprintf(path, sizeof path, "/v1/endorsements/%s", vcek_name);
    OWNED(told_done) struct told one = ask_as(CALLER_VIEWER, "GET", path, NULL);
    assert_int_equal(one.status, 200);
    assert_true(span_equal(bytes_span(&one.reply.body), bytes_span(&vcek)));
    ask_refused("GET", "/v1/endorsements/Milan-crl", NULL, 404, "not-found", "");
}

static void one_file_may_hold_all_of_it_and_is_kept_whole_or_not_at_all(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes all = {0};
    OWNED(bytes_done) struct bytes damaged = bytes_copy(bytes_span(&vcek));
    OWNED(bytes_done) struct bytes half = {0};
    damaged.at[damaged.len - 1] ^= 1;
    pem_add_certificate(&half, bytes_span(&damaged));
    bytes_add(&half, bytes_span(&chain));
    import_is(bytes_span(&half), 403, "endorsement-untrusted");
    OWNED(told_done) struct told none = ask("GET", "/v1/endorsements", NULL);
    assert_int_equal(json_array_size(json_object_get(none.body, "items")), 0);
    pem_add_certificate(&all, bytes_span(&vcek));
    bytes_add(&all, bytes_span(&chain));
    import_is(bytes_span(&all), 200, "");
    OWNED(told_done) struct told first = ask("GET", "/v1/endorsements?limit=1", NULL);
    const char *cursor = told_member(first.body, "cursor");
    assert_string_equal(cursor, vcek_name);
    char path[KDS_NAME_SIZE + 48];
    snprintf(path, sizeof path, "/v1/endorsements?limit=1&cursor=%s", cursor);
    OWNED(told_done) struct told second = ask("GET", path, NULL);
    assert_int_equal(json_array_size(json_object_get(second.body, "items")), 1);
    assert_null(json_object_get(second.body, "cursor"));
    ask_refused("GET", "/v1/endorsements?cursor=a%27b", NULL, 400, "bad-cursor", "?cursor");
}

static void what_no_pinned_root_stands_above_is_not_kept(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes huge = {0};
    ask_endorsement_roots(NULL); /* AMD's */
    import_is(bytes_span(&chain), 403, "endorsement-untrusted");
    import_is(span_of_text("notes"), 422, "endorsement-malformed");
    bytes_add_room(&huge, KDS_ANSWER_MAX + 1);
    import_is(bytes_span(&huge), 422, "too-long");
    ask_refused("POST", "/v1/endorsements", "{}", 422, "missing-member", "/content");
    ask_refused("POST", "/v1/endorsements", "{\"content\":\"!\"}", 422, "wrong-type", "/content");
    ask_refused("POST", "/v1/endorsements", "{\"content\":\"\",\"name\":\"x\"}", 422,
                "unknown-member", "/name");
}

static void only_security_may_import(void **state)
{
    (void)state;
    static const enum caller_role others[] = {CALLER_VIEWER, CALLER_OPERATOR, CALLER_APPROVER,
                                              CALLER_AUDITOR};
    OWNED(mem_drop) char *body = body_of(bytes_span(&chain));
    for (size_t i = 0; i < countof(others); i++) {
        OWNED(told_done) struct told told = ask_as(others[i], "POST", "/v1/endorsements", body);
        assert_problem(told, 403, "role-missing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_imported_is_listed_and_comes_out_again, empty),
        cmocka_unit_test_setup(one_file_may_hold_all_of_it_and_is_kept_whole_or_not_at_all, empty),
        cmocka_unit_test_setup(what_no_pinned_root_stands_above_is_not_kept, empty),
        cmocka_unit_test_setup(only_security_may_import, empty),
    };
    return cmocka_run_group_tests_name("api_endorsements", tests, open_all, close_all);
}
