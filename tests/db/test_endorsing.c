/* Evidence made whole, and what an outage means for machines that are trusted already. */
#include "controller/endorsing.h"

#include <string.h>

#include "tests/support/kds_world.h"
#include "tests/support/test.h"

static void strip(struct bytes *evidence)
{
    struct error err = {0};
    OWNED(json_drop) json_t *object = NULL;
    assert_ok(json_parse(bytes_span(evidence), EVIDENCE_BYTES_MAX, &object, &err));
    json_object_del(object, "cert_table");
    OWNED(mem_drop) char *text = json_print(object);
    bytes_done(evidence);
    bytes_add(evidence, span_of_text(text));
}

static void complete(const struct bytes *evidence, struct endorsing *out)
{
    struct error err = {0};
    assert_ok(endorsing_complete(kds_world.db, endorser_roots(kds_world.endorser),
                                 bytes_span(evidence), out, &err));
}

/* As the desk does it: from the cache, else from the service, then to the keeper. */
static void attest_bare(struct guest *g, const char *verdict)
{
    struct error err = {0};
    struct challenge challenge;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(endorsing_done) struct endorsing e = {0};
    assert_ok(guest_challenge(kds_world.deployment, g, &challenge, &err));
    guest_evidence(kds_world.deployment, g, &challenge, &evidence);
    strip(&evidence);
    complete(&evidence, &e);
    if (e.wanted_count > 0) {
        struct kds_answer answer;
        kds_world_wants(e.wanted, e.wanted_count, &answer);
        kds_world_pass(20000);
        assert_int_equal(answer.times, 1);
        endorsing_done(&e);
        complete(&evidence, &e);
    }
    assert_ok(guest_appraise(kds_world.deployment, g, &challenge, &e.evidence, &err));
    assert_string_equal(json_string_value(json_object_get(g->verdict.claims, "verdict")), verdict);
}

static void evidence_without_certificates_is_made_whole(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = kds_world_guest(20);
    attest_bare(&g, "trusted");
    assert_int_equal(kds_world_answered(), 3); /* chain, key and list */
}

static void what_the_evidence_brought_itself_comes_first(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = kds_world_guest(21);
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(endorsing_done) struct endorsing e = {0};
    assert_ok(guest_challenge(kds_world.deployment, &g, &challenge, &err));
    guest_evidence(kds_world.deployment, &g, &challenge, &evidence);
    complete(&evidence, &e);
    assert_false(e.essential);
    assert_int_equal(e.wanted_count, 1); /* the list */
    assert_true(span_equal(bytes_span(&e.evidence), bytes_span(&evidence)));
    assert_int_equal(kds_world_asked(), 0);
}

static void what_a_trusted_machine_brought_serves_it_when_its_host_gives_none(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = kds_world_guest(25);
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(endorsing_done) struct endorsing e = {0};
    OWNED(endorsing_done) struct endorsing again = {0};
    kds_world_mode("dark", 0, 0);
    assert_ok(guest_challenge(kds_world.deployment, &g, &challenge, &err));
    guest_evidence(kds_world.deployment, &g, &challenge, &evidence);
    complete(&evidence, &e);
    assert_true(e.teaches);
    endorser_learn(kds_world.endorser, bytes_span(&evidence));
    endorser_learn(kds_world.endorser, span_of_text("nonsense"));
    kds_world_pass(2000);
    complete(&evidence, &again);
    assert_false(again.teaches);
    OWNED(endorsement_list_done) struct endorsement_list kept = {0};
    assert_ok(endorsement_store_list(kds_world.db, NULL, 10, &kept, &err));
    assert_int_equal(kept.count, 2);
    assert_int_equal(kept.at[0].source, FROM_EVIDENCE);
    attest_bare(&g, "trusted");
    assert_int_equal(kds_world_answered(), 0);
}

/* Under foreign roots, or with a damaged signature. */
static void nothing_is_learnt_that_no_pinned_root_stands_above(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = kds_world_guest(26);
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(json_drop) json_t *object = NULL;
    OWNED(bytes_done) struct bytes table = {0};
    assert_ok(guest_challenge(kds_world.deployment, &g, &challenge, &err));
    guest_evidence(kds_world.deployment, &g, &challenge, &evidence);
    assert_ok(json_parse(bytes_span(&evidence), EVIDENCE_BYTES_MAX, &object, &err));
    assert_ok(json_get_base64(object, "", "cert_table", CERT_TABLE_SIZE_MAX, &table, &err));
    struct cert_table read;
    assert_ok(cert_table_read(bytes_span(&table), &read, &err));
    table.at[read.entries[0].offset + read.entries[0].blob.len - 1] ^= 1;
    json_put_base64(object, "cert_table", bytes_span(&table));
    OWNED(mem_drop) char *text = json_print(object);
    endorser_learn(kds_world.endorser, span_of_text(text));
    kds_world_pass(1000);
    OWNED(endorsement_list_done) struct endorsement_list kept = {0};
    assert_ok(endorsement_store_list(kds_world.db, NULL, 10, &kept, &err));
    assert_int_equal(kept.count, 1); /* the chain alone */
    assert_string_equal(kept.at[0].what, "chain");
}

/* A host may hand out what it had before its last update. */
static void a_table_with_the_key_of_another_tcb_counts_as_none(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = kds_world_guest(22);
    OWNED(guest_done) struct guest old = kds_world_guest(22);
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(bytes_done) struct bytes stale = {0};
    OWNED(json_drop) json_t *mine = NULL;
    OWNED(json_drop) json_t *theirs = NULL;
    OWNED(endorsing_done) struct endorsing e = {0};
    old.wish.tcb.part[TCB_SNP]--;
    assert_ok(guest_challenge(kds_world.deployment, &old, &challenge, &err));
    guest_evidence(kds_world.deployment, &old, &challenge, &stale);
    assert_ok(guest_challenge(kds_world.deployment, &g, &challenge, &err));
    guest_evidence(kds_world.deployment, &g, &challenge, &evidence);
    assert_ok(json_parse(bytes_span(&evidence), EVIDENCE_BYTES_MAX, &mine, &err));
    assert_ok(json_parse(bytes_span(&stale), EVIDENCE_BYTES_MAX, &theirs, &err));
    json_object_set(mine, "cert_table", json_object_get(theirs, "cert_table"));
    OWNED(mem_drop) char *text = json_print(mine);
    bytes_done(&evidence);
    bytes_add(&evidence, span_of_text(text));
    complete(&evidence, &e);
    assert_true(e.essential);
    assert_int_equal(e.wanted[0].what, KDS_VCEK);
    struct kds_answer answer;
    kds_world_wants(e.wanted, e.wanted_count, &answer);
    kds_world_pass(10000);
    endorsing_done(&e);
    complete(&evidence, &e);
    assert_ok(guest_appraise(kds_world.deployment, &g, &challenge, &e.evidence, &err));
    assert_string_equal(json_string_value(json_object_get(g.verdict.claims, "verdict")), "trusted");
}

static void the_key_of_a_coming_tcb_is_there_before_it_is_reported(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge;
    OWNED(guest_done) struct guest g = kds_world_guest(23);
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(endorsing_done) struct endorsing e = {0};
    g.wish.coming = 2;
    assert_ok(guest_challenge(kds_world.deployment, &g, &challenge, &err));
    guest_evidence(kds_world.deployment, &g, &challenge, &evidence);
    complete(&evidence, &e);
    assert_true(e.is_coming);
    endorser_prefetch(kds_world.endorser, &e.coming);
    kds_world_pass(10000);
    kds_world_mode("dark", 0, 0);
    g.wish.tcb.part[TCB_SNP] += 2;
    g.wish.coming = 0;
    attest_bare(&g, "trusted");
}

/* Before 2025 reports did not say on which line they were made. */
static void a_report_that_does_not_name_its_line_finds_its_key(void **state)
{
    (void)state;
    static const enum snp_product products[] = {PRODUCT_MILAN, PRODUCT_GENOA};
    for (size_t i = 0; i < countof(products); i++) {
        OWNED(guest_done) struct guest g = kds_world_guest((uint8_t)(27 + i));
        g.wish.product = products[i];
        g.wish.version = 2;
        attest_bare(&g, "trusted");
        const int64_t asked = kds_world_asked();
        attest_bare(&g, "trusted");
        assert_true(kds_world_asked() <= asked + 1); /* its line's list, perhaps */
    }
}

static void other_realms_and_what_cannot_be_read_go_on_as_they_came(void **state)
{
    (void)state;
    struct error err = {0};
    static const char *const texts[] = {"", "{}", "not json",
                                        "{\"kind\":\"snp\",\"report\":\"AAAA\"}",
                                        "{\"kind\":\"simulated\",\"report\":\"AAAA\"}"};
    for (size_t i = 0; i < countof(texts); i++) {
        OWNED(endorsing_done) struct endorsing e = {0};
        assert_ok(endorsing_complete(kds_world.db, endorser_roots(kds_world.endorser),
                                     span_of_text(texts[i]), &e, &err));
        assert_true(span_equal(bytes_span(&e.evidence), span_of_text(texts[i])));
        assert_int_equal(e.wanted_count, 0);
    }
}

/* The issue's own words: an outage never turns a running trusted machine with cached endorsements
 * into a rejected one. */
static void six_hours_of_darkness_reject_nobody_who_was_trusted(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = kds_world_guest(24);
    attest_bare(&g, "trusted");
    kds_world_mode("dark", 0, 0);
    const int64_t answered_before = kds_world_answered();
    for (int minutes = 0; minutes < 6 * 60; minutes += 10) {
        kds_world_pass(600000);
        attest_bare(&g, "trusted");
        if (minutes % 60 == 0)
            kds_world_endorser(kds_world.url); /* a restart forgets nothing */
    }
    assert_int_equal(kds_world_answered(), answered_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ANEW(evidence_without_certificates_is_made_whole),
        ANEW(what_the_evidence_brought_itself_comes_first),
        ANEW(what_a_trusted_machine_brought_serves_it_when_its_host_gives_none),
        ANEW(nothing_is_learnt_that_no_pinned_root_stands_above),
        ANEW(a_table_with_the_key_of_another_tcb_counts_as_none),
        ANEW(the_key_of_a_coming_tcb_is_there_before_it_is_reported),
        ANEW(a_report_that_does_not_name_its_line_finds_its_key),
        ANEW(other_realms_and_what_cannot_be_read_go_on_as_they_came),
        ANEW(six_hours_of_darkness_reject_nobody_who_was_trusted),
    };
    return cmocka_run_group_tests_name("endorsing", tests, kds_world_open, kds_world_close);
}
