/* Identity documents of three clouds, made by the simulator under keys of its own: each check
 * against papers that differ in one thing only, and what follows from them. */
#include "lib/attest/identity.h"

#include <stdio.h>
#include <string.h>

#include "emulator/papers.h"
#include "lib/attest/anchor.h"
#include "lib/attest/cloud_documents.h"
#include "lib/base/text.h"
#include "lib/crypto/signed_data_make.h"
#include "lib/model/charter_inside.h"
#include "tests/support/cases.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

enum { NOW = 1795600000 }; /* 2026-11-25 */

#define ACCOUNT "111122223333"
#define VM_ID "3f2a1c44-9d1b-4c11-8f0e-6a2f7f1f9a01"
#define SUBSCRIPTION "8d10da13-8125-4ba9-a717-bf7490507b3d"

static struct papers *papers;
static char *folder;

static int open_papers(void **state)
{
    struct error err = {0};
    if (scratch_open(state) != 0)
        return -1;
    folder = *state;
    return papers_open(folder, &papers, &err) == OK ? 0 : -1;
}

static int close_papers(void **state)
{
    papers_close(papers);
    return scratch_close(state);
}

/* A case is changed in one thing at a time from the best. */
struct matter {
    enum cloud_kind cloud;
    struct paper paper;
    struct paper other;   /* machine set: its EC2 document comes with the first one's signature */
    const char *accounts; /* NULL: any */
    const char *certified_region;
    struct cloud_declared declared;
    struct identity_witness witness;
    uint8_t nonce[NONCE_SIZE];
    bool unchallenged, without[CLOUD_PARTS];
    const struct documents_then *then;
    const char *replaced[CLOUD_PARTS]; /* by these bytes */
    int64_t later_seconds;
    char digits[CLOUD_DIGITS_SIZE], audience[CLOUD_AUDIENCE_SIZE];
    struct charter charter;
};

static void matter_done(struct matter *m)
{
    charter_clouds_done(&m->charter.clouds);
}

static struct matter best(enum cloud_kind cloud)
{
    static const struct paper made[CLOUD_KIND_COUNT] = {
        [CLOUD_AWS] = {.account = ACCOUNT,
                       .region = "us-east-2",
                       .zone = "us-east-2b",
                       .machine = "i-0123456789abcdef0",
                       .image = "ami-1",
                       .size = "m6a.large"},
        [CLOUD_AZURE] = {.account = SUBSCRIPTION, .machine = VM_ID, .image = "22_04-lts-cvm"},
        [CLOUD_GCP] = {.account = "our-project",
                       .zone = "us-central1-a",
                       .machine = "4567890123456789012",
                       .name = "web-1",
                       .confidentiality = 1},
    };
    struct matter m = {.cloud = cloud,
                       .paper = made[cloud],
                       .certified_region = "us-east-2",
                       .witness = {.csp_id = "", .vm_id = ""},
                       .nonce = {1, 2, 3, 4}};
    if (cloud == CLOUD_AWS)
        m.witness.csp_id = "CN=cc-us-east-2.amazonaws.com";
    if (cloud == CLOUD_AZURE)
        m.witness.vm_id = VM_ID;
    m.paper.at = clock_at_seconds(NOW);
    m.paper.started = clock_at_seconds(NOW - 3600);
    snprintf(m.declared.machine, sizeof m.declared.machine, "%s", m.paper.machine);
    return m;
}

static void read_clouds(struct matter *m)
{
    struct error err = {0};
    OWNED(json_drop) json_t *whole = json_object();
    json_t *clouds = papers_clouds(papers, m->certified_region);
    json_t *ours = json_object_get(clouds, name_of(&cloud_kind_names, (int)m->cloud));
    if (m->accounts != NULL) {
        json_t *list = json_array();
        json_add_new(list, json_string(m->accounts));
        json_put_new(ours, "accounts", list);
    }
    json_put_new(whole, "clouds", clouds);
    assert_ok(charter_read_clouds(whole, &m->charter, &err));
}

static void write_papers(struct matter *m, struct cloud_documents *out)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes unused = {0};
    out->cloud = m->cloud;
    if (m->paper.nonce == NULL && m->cloud == CLOUD_AZURE) {
        cloud_digits(m->nonce, m->digits);
        m->paper.nonce = m->digits;
    }
    if (m->paper.nonce == NULL && m->cloud == CLOUD_GCP) {
        cloud_audience(m->nonce, m->audience);
        m->paper.nonce = m->audience;
    }
    if (m->cloud == CLOUD_AWS)
        assert_ok(papers_aws(papers, &m->paper, &out->parts[AWS_DOCUMENT], &out->parts[AWS_RSA2048],
                             &err));
    else if (m->cloud == CLOUD_AZURE)
        assert_ok(papers_azure(papers, &m->paper, &out->parts[AZURE_ATTESTED], &err));
    else
        assert_ok(papers_gcp(papers, &m->paper, &out->parts[GCP_TOKEN], &err));
    if (m->other.machine == NULL)
        return;
    bytes_done(&out->parts[AWS_DOCUMENT]);
    assert_ok(papers_aws(papers, &m->other, &out->parts[AWS_DOCUMENT], &unused, &err));
}

static struct identity judge_matter(struct matter *m)
{
    OWNED(cloud_documents_done) struct cloud_documents documents = {0};
    struct identity identity;
    read_clouds(m);
    write_papers(m, &documents);
    for (size_t i = 0; i < CLOUD_PARTS; i++) {
        if (m->without[i] || m->replaced[i] != NULL)
            bytes_done(&documents.parts[i]);
        if (m->replaced[i] != NULL)
            bytes_add(&documents.parts[i], span_of_text(m->replaced[i]));
    }
    OWNED(mem_drop) char *record = cloud_documents_print(7, &documents);
    const struct identity_terms terms = {
        .clouds = &m->charter.clouds,
        .declared = &m->declared,
        .nonce = m->unchallenged ? NULL : m->nonce,
        .then = m->then,
        .at = clock_at_seconds(NOW + m->later_seconds),
    };
    identity_judge(span_of_text(record), &terms, &m->witness, &identity);
    return identity;
}

static const char *word_for(const struct identity *i)
{
    return i->state == DOCUMENTS_SUSPECT ? name_of(&reason_names, (int)i->reason)
                                         : name_of(&document_state_names, (int)i->state);
}

static void agrees(struct matter *m, const char *test)
{
    OWNED(identity_done) struct identity i = judge_matter(m);
    case_words(word_for(&i), "agree", test);
    matter_done(m);
}

static void is_suspect(struct matter *m, enum reason reason, const char *test)
{
    OWNED(identity_done) struct identity i = judge_matter(m);
    case_words(word_for(&i), name_of(&reason_names, (int)reason), test);
    if (i.state == DOCUMENTS_SUSPECT)
        assert_true(i.account[0] == '\0' && i.region[0] == '\0');
    matter_done(m);
}

static void is_nothing(struct matter *m, const char *test)
{
    OWNED(identity_done) struct identity i = judge_matter(m);
    case_words(word_for(&i), "none", test);
    matter_done(m);
}

/* `change` speaks of `m`. */
#define WITH(cloud, change, look)                                                                  \
    do {                                                                                           \
        struct matter matter = best(cloud);                                                        \
        {                                                                                          \
            struct matter *const m = &matter;                                                      \
            change;                                                                                \
        }                                                                                          \
        look;                                                                                      \
    } while (0)
#define AGREES(cloud, change) WITH(cloud, change, agrees(&matter, __func__))
#define SUSPECT(cloud, reason, change) WITH(cloud, change, is_suspect(&matter, reason, __func__))
#define NOTHING(cloud, change) WITH(cloud, change, is_nothing(&matter, __func__))

static void declare(struct matter *m, const char *machine)
{
    snprintf(m->declared.machine, sizeof m->declared.machine, "%s", machine);
}

/* ---- honest ---------------------------------------------------------------------------------- */

static void honest_papers_name_account_region_and_machine(void **state)
{
    (void)state;
    static const struct {
        const char *account, *region; /* attested data says no region */
        bool fresh;
    } expected[CLOUD_KIND_COUNT] = {
        [CLOUD_AWS] = {ACCOUNT, "us-east-2", false},
        [CLOUD_AZURE] = {SUBSCRIPTION, "", false},
        [CLOUD_GCP] = {"our-project", "us-central1", true},
    };
    for (int cloud = CLOUD_AWS; cloud < CLOUD_KIND_COUNT; cloud++) {
        struct matter one = best((enum cloud_kind)cloud);
        OWNED(identity_done) struct identity i = judge_matter(&one);
        case_words(word_for(&i), "agree", __func__);
        assert_string_equal(i.account, expected[cloud].account);
        assert_string_equal(i.region, expected[cloud].region);
        assert_int_equal(i.fresh, expected[cloud].fresh);
        assert_string_equal(i.machine, one.paper.machine);
        matter_done(&one);
    }
}

static void a_signature_with_the_document_inside_is_enough(void **state)
{
    (void)state;
    AGREES(CLOUD_AWS, m->without[AWS_DOCUMENT] = true);
}

static void machines_are_known_by_whatever_a_cloud_calls_them(void **state)
{
    (void)state;
    AGREES(CLOUD_GCP, declare(m, "web-1"));
    AGREES(CLOUD_GCP, declare(m, "us-central1-a/web-1"));
    AGREES(CLOUD_GCP, declare(m, "projects/our-project/zones/us-central1-a/instances/web-1"));
    AGREES(CLOUD_AZURE, declare(m, "3F2A1C44-9D1B-4C11-8F0E-6A2F7F1F9A01"));
    AGREES(CLOUD_AZURE, declare(m, ""); m->witness.vm_id = VM_ID);
    AGREES(CLOUD_AZURE, declare(m, "/subscriptions/" SUBSCRIPTION "/resourceGroups/g");
           m->witness.vm_id = VM_ID);
    AGREES(CLOUD_AWS, m->witness.enclave = span_of_text("i-0123456789abcdef0-enc0abc"));
    AGREES(CLOUD_AWS, m->witness.csp_id = "";
           m->witness.enclave = span_of_text("i-0123456789abcdef0-enc0abc"));
}

/* Whoever has read a document of EC2's may show it: on machines of his own it proves nothing. */
static void what_answers_nobody_counts_on_machines_of_amazons_alone(void **state)
{
    (void)state;
    NOTHING(CLOUD_AWS, m->witness.csp_id = "");
    NOTHING(CLOUD_AWS, m->witness.csp_id = "CN=somebody");
    AGREES(CLOUD_GCP, m->witness.csp_id = "");
}

/* Whoever runs a program on a machine of ours has attested data for any challenge. Its machine says
 * who it is in its evidence; beside another's nothing is said of that one. */
static void attested_data_counts_beside_evidence_of_its_machine_alone(void **state)
{
    (void)state;
    NOTHING(CLOUD_AZURE, m->witness.vm_id = "");
    NOTHING(CLOUD_AZURE, m->witness.vm_id = ""; declare(m, ""));
    AGREES(CLOUD_AZURE, m->witness.vm_id = ""; m->witness.imitated = true);
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_INSTANCE, m->witness.vm_id = "";
            declare(m, "00000000-9d1b-4c11-8f0e-6a2f7f1f9a01"));
}

static void a_replay_does_not_ask_again_what_was_of_the_moment(void **state)
{
    (void)state;
    static const struct documents_then good = {.bad_time = false};
    AGREES(CLOUD_AZURE, m->then = &good; m->unchallenged = true; m->later_seconds = 86400);
    AGREES(CLOUD_GCP, m->then = &good; m->unchallenged = true; m->later_seconds = 86400);
}

static void a_replay_tells_what_was_found_of_the_moment(void **state)
{
    (void)state;
    static const struct documents_then late = {.bad_time = true}, other = {.bad_nonce = true};
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_TIME, m->then = &late);
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_TIME, m->then = &late);
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_TIME, m->then = &late);
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_NONCE, m->then = &other);
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_NONCE, m->then = &other);
}

/* ---- nothing to look at ---------------------------------------------------------------------- */

static void what_is_missing_or_unknown_is_no_suspicion(void **state)
{
    (void)state;
    static const struct identity_witness imitation = {.csp_id = "", .vm_id = "", .imitated = true};
    NOTHING(CLOUD_AWS, m->without[AWS_RSA2048] = true);
    NOTHING(CLOUD_AWS, m->certified_region = "eu-west-1"); /* of this region there is no word */
    NOTHING(CLOUD_AZURE, m->without[AZURE_ATTESTED] = true);
    NOTHING(CLOUD_GCP, m->without[GCP_TOKEN] = true);
    NOTHING(CLOUD_AWS, declare(m, "")); /* nobody says which machine it should be */
    NOTHING(CLOUD_GCP, declare(m, ""));
    NOTHING(CLOUD_AZURE, m->witness = imitation;
            declare(m, "01a21076-05de-745e-be05-04edfb28c7aa-1")); /* a name */
    NOTHING(CLOUD_AZURE, m->witness = imitation;
            declare(m, "/subscriptions/" SUBSCRIPTION "/resourceGroups/g"));
}

static void a_charter_that_says_nothing_of_a_cloud_takes_no_word_of_it(void **state)
{
    (void)state;
    static const struct charter_clouds silent;
    const struct identity_terms terms = {.clouds = &silent, .at = clock_at_seconds(NOW)};
    const struct identity_witness witness = {.csp_id = "", .vm_id = ""};
    static const char *const records[] = {
        "", "{\"boot\":1}", "{\"boot\":1,\"documents\":{}}",
        "{\"boot\":1,\"documents\":{\"gcp\":{\"token\":\"AAAA\"}}}"};
    for (size_t i = 0; i < countof(records); i++) {
        OWNED(identity_done) struct identity identity;
        identity_judge(span_of_text(records[i]), &terms, &witness, &identity);
        assert_int_equal(identity.state, DOCUMENTS_NONE);
    }
}

/* ---- suspect --------------------------------------------------------------------------------- */

static void what_is_no_document_is_suspect(void **state)
{
    (void)state;
    static const char html[] = "<html><body>502 Bad Gateway</body></html>";
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_FORMAT, m->replaced[AWS_RSA2048] = html);
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_FORMAT, m->replaced[AWS_DOCUMENT] = html);
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_FORMAT, m->replaced[AWS_DOCUMENT] = "{}");
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_FORMAT, m->replaced[AZURE_ATTESTED] = html);
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_FORMAT,
            m->replaced[AZURE_ATTESTED] = "{\"encoding\":\"pkcs7\",\"signature\":\"AAAA\"}");
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_FORMAT,
            m->replaced[AZURE_ATTESTED] = "{\"encoding\":\"plain\",\"signature\":\"AAAA\"}");
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_FORMAT, m->replaced[GCP_TOKEN] = html);
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_FORMAT, m->replaced[GCP_TOKEN] = "a.b.c");
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_FORMAT, m->paper.zone = "nowhere");
}

static void records_of_another_form_are_suspect(void **state)
{
    (void)state;
    static const char *const records[] = {
        "x",
        "[]",
        "{\"documents\":{}}",
        "{\"boot\":1,\"documents\":[]}",
        "{\"boot\":1,\"documents\":{\"ibm\":{}}}",
        "{\"boot\":1,\"documents\":{\"aws\":{},\"gcp\":{}}}",
        "{\"boot\":1,\"documents\":{\"aws\":{\"token\":\"AAAA\"}}}",
        "{\"boot\":1,\"documents\":{\"gcp\":{\"token\":1}}}",
        "{\"boot\":1,\"more\":1}"};
    static const struct charter_clouds silent;
    const struct identity_terms terms = {.clouds = &silent, .at = clock_at_seconds(NOW)};
    const struct identity_witness witness = {.csp_id = "", .vm_id = ""};
    for (size_t i = 0; i < countof(records); i++) {
        OWNED(identity_done) struct identity identity;
        identity_judge(span_of_text(records[i]), &terms, &witness, &identity);
        assert_int_equal(identity.state, DOCUMENTS_SUSPECT);
        assert_int_equal(identity.reason, REASON_IDENTITY_FORMAT);
    }
}

/* Details quote what a guest wrote, cut to size: a keeper must be able to print each. */
static void names_of_any_length_are_quoted_in_whole_characters(void **state)
{
    (void)state;
    static const char *const shapes[][2] = {{"{\"boot\":1,\"documents\":{\"", "\":{}}}"},
                                            {"{\"boot\":1,\"documents\":{\"aws\":{\"", "\":1}}}"},
                                            {"{\"boot\":1,\"", "\":1}"},
                                            {"{\"boot\":1,\"", ""}};
    static const struct charter_clouds silent;
    const struct identity_terms terms = {.clouds = &silent, .at = clock_at_seconds(NOW)};
    const struct identity_witness witness = {.csp_id = "", .vm_id = ""};
    for (size_t i = 0; i < 4 * countof(shapes); i++) {
        OWNED(text_done) struct text record = {0};
        OWNED(identity_done) struct identity identity;
        text_addf(&record, "%s%.*s", shapes[i / 4][0], (int)(i % 4), "aaa");
        for (size_t k = 0; k < 200; k++)
            text_add(&record, "\U0001f600");
        text_add(&record, shapes[i / 4][1]);
        identity_judge(text_span(&record), &terms, &witness, &identity);
        assert_int_equal(identity.reason, REASON_IDENTITY_FORMAT);
        assert_true(text_is_clean(span_of_text(identity.checks.checks[0].detail)));
        OWNED(json_drop) json_t *json = identity_to_json(&identity);
        assert_non_null(json);
    }
}

static void only_the_clouds_own_certificates_sign(void **state)
{
    (void)state;
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_SIGNER, m->paper.flaw = PAPER_FORGED);
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_SIGNER, /* its certificates have ended by then */
            m->later_seconds = INT64_C(40) * 365 * 86400);
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_SIGNER, m->later_seconds = INT64_C(40) * 365 * 86400);
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_SIGNER, m->later_seconds = -INT64_C(10) * 365 * 86400);
}

static void the_signature_belongs_to_the_document(void **state)
{
    (void)state;
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_SIGNATURE, m->paper.flaw = PAPER_FORGED);
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_SIGNATURE, m->paper.flaw = PAPER_ALTERED);
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_SIGNATURE, m->paper.flaw = PAPER_ALTERED;
            m->without[AWS_DOCUMENT] = true);
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_SIGNATURE, m->other = m->paper; m->other.image = "ami-2");
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_SIGNATURE, m->paper.flaw = PAPER_ALTERED);
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_SIGNATURE, m->paper.flaw = PAPER_FORGED);
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_SIGNATURE, m->paper.flaw = PAPER_ALTERED);
}

static void papers_are_of_their_time(void **state)
{
    (void)state;
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_TIME, m->paper.flaw = PAPER_EXPIRED);
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_TIME, m->paper.flaw = PAPER_EXPIRED; m->other = m->paper;
            m->other.at = clock_at_seconds(NOW + 1)); /* asked for a second after its signature */
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_TIME, m->paper.flaw = PAPER_EXPIRED);
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_TIME, m->later_seconds = -3600);
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_TIME, m->paper.flaw = PAPER_EXPIRED);
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_TIME, m->later_seconds = -3600);
    AGREES(CLOUD_GCP, m->later_seconds = -200); /* clocks differ a little */
}

static void papers_that_can_answer_us_do(void **state)
{
    (void)state;
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_NONCE, m->paper.nonce = "1234567890");
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_NONCE, m->unchallenged = true);
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_NONCE, m->paper.nonce = "https://vault.example");
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_NONCE, m->unchallenged = true);
}

static void google_calls_it_confidential_too(void **state)
{
    (void)state;
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_CONFIDENTIAL, m->paper.confidentiality = 0);
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_CONFIDENTIAL, m->paper.confidentiality = 2);
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_CONFIDENTIAL, m->paper.confidentiality = 255);
}

static void accounts_that_are_not_ours_are_suspect(void **state)
{
    (void)state;
    AGREES(CLOUD_AWS, m->accounts = ACCOUNT);
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_ACCOUNT, m->accounts = "999999999999");
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_ACCOUNT, m->accounts = "another-subscription");
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_ACCOUNT, m->accounts = "another-project");
}

static void papers_of_another_machine_are_suspect(void **state)
{
    (void)state;
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_INSTANCE, declare(m, "i-0fedcba9876543210"));
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_INSTANCE,
            m->witness.enclave = span_of_text("i-0fedcba9876543210-enc1"));
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_INSTANCE, m->witness.vm_id = VM_ID);
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_INSTANCE,
            m->witness.vm_id = "00000000-9d1b-4c11-8f0e-6a2f7f1f9a01");
    SUSPECT(CLOUD_AZURE, REASON_IDENTITY_INSTANCE, m->witness.vm_id = VM_ID;
            declare(m, "/subscriptions/another/resourceGroups/g"));
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_INSTANCE, declare(m, "web-2"));
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_INSTANCE, declare(m, "us-central1-b/web-1"));
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_INSTANCE,
            declare(m, "projects/other/zones/us-central1-a/instances/web-1"));
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_INSTANCE,
            declare(m, "projects/our-project/zones/us-central1-b/instances/web-1"));
}

static void papers_of_another_region_are_suspect(void **state)
{
    (void)state;
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_REGION, m->witness.csp_id = "CN=cc-eu-west-1.amazonaws.com");
    SUSPECT(CLOUD_AWS, REASON_IDENTITY_REGION,
            snprintf(m->declared.region, sizeof m->declared.region, "eu-west-1"));
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_REGION,
            m->witness.csp_id = "CN=cc-us-east-2.amazonaws.com"); /* another cloud */
    SUSPECT(CLOUD_GCP, REASON_IDENTITY_REGION,
            snprintf(m->declared.region, sizeof m->declared.region, "europe-west4"));
    AGREES(CLOUD_AWS, m->witness.csp_id = "CN=cc-us-east-2.amazonaws.com");
}

/* ---- what follows ---------------------------------------------------------------------------- */

static struct verdict good_verdict(void)
{
    const struct standing all = {.disk_encrypted = true,
                                 .transit_encrypted = true,
                                 .endpoint_keys = true,
                                 .custody_outside = true};
    struct verdict v = {.trusted = true, .hardware = SOURCE_HARDWARE, .software = SOURCE_HARDWARE};
    verdict_grade(&v, &all);
    return v;
}

static struct verdict prove(enum cloud_kind cloud, enum evidence_kind kind, bool suspect,
                            struct verdict before)
{
    const struct standing all = {.disk_encrypted = true,
                                 .transit_encrypted = true,
                                 .endpoint_keys = true,
                                 .custody_outside = true};
    struct matter m = best(cloud);
    if (suspect)
        declare(&m, "i-another");
    OWNED(identity_done) struct identity identity = judge_matter(&m);
    identity_prove(&identity, kind, &all, &before);
    matter_done(&m);
    return before;
}

static void agreement_is_the_providers_word_on_identity(void **state)
{
    (void)state;
    struct verdict v = good_verdict();
    assert_int_equal(v.level, LEVEL_1);
    v = prove(CLOUD_AWS, EVIDENCE_SNP, false, good_verdict());
    assert_int_equal(v.identity, SOURCE_PROVIDER);
    assert_int_equal(v.level, LEVEL_3);
    assert_int_equal(v.missing, 0);
    assert_int_equal(v.anchor, ANCHOR_NONE); /* it can be shown again: it anchors nothing */
    assert_string_equal(v.where.account, ACCOUNT);
}

static void a_token_for_our_challenge_is_an_anchor(void **state)
{
    (void)state;
    struct verdict v = prove(CLOUD_GCP, EVIDENCE_SNP, false, good_verdict());
    assert_int_equal(v.anchor, ANCHOR_CLOUD_TOKEN);
    assert_false(span_is_zero(SPAN_OF(v.anchor_hash)));
    assert_memory_equal(v.named[2], v.anchor_hash, sizeof v.anchor_hash);
}

static void what_hardware_proves_no_document_changes(void **state)
{
    (void)state;
    struct verdict before = good_verdict();
    before.identity = SOURCE_HARDWARE;
    before.anchor = ANCHOR_HOST_DATA;
    before.anchor_hash[0] = 1;
    struct verdict v = prove(CLOUD_GCP, EVIDENCE_SNP, false, before);
    assert_int_equal(v.identity, SOURCE_HARDWARE);
    assert_int_equal(v.anchor, ANCHOR_HOST_DATA);
    assert_string_equal(v.where.region, "us-central1");
}

/* trust.md section 2, row by row. */
static void some_kinds_have_no_identity_by_documents(void **state)
{
    (void)state;
    struct verdict unrooted = good_verdict();
    unrooted.residuals = 1u << RESIDUAL_VTPM_UNROOTED;
    assert_int_equal(prove(CLOUD_AWS, EVIDENCE_SNP_VTPM, false, unrooted).identity, SOURCE_NONE);
    assert_int_equal(prove(CLOUD_GCP, EVIDENCE_SNP_VTPM, false, unrooted).anchor, ANCHOR_NONE);
    assert_int_equal(prove(CLOUD_AZURE, EVIDENCE_SNP_AZURE, false, good_verdict()).identity,
                     SOURCE_NONE);
    assert_int_equal(prove(CLOUD_AWS, EVIDENCE_NITRO, false, good_verdict()).identity, SOURCE_NONE);
    assert_int_equal(prove(CLOUD_AWS, EVIDENCE_SNP_VTPM, false, good_verdict()).identity,
                     SOURCE_PROVIDER);
}

static void suspicion_caps_the_level_whoever_proves_the_rest(void **state)
{
    (void)state;
    struct verdict before = good_verdict();
    before.identity = SOURCE_HARDWARE;
    before.missing = 0;
    struct verdict v = prove(CLOUD_AWS, EVIDENCE_SNP, true, before);
    assert_int_equal(v.where.documents, DOCUMENTS_SUSPECT);
    assert_int_equal(v.level, LEVEL_1);
    assert_int_equal(v.missing, 1u << MISSING_CLEAR_IDENTITY);
    v = prove(CLOUD_AWS, EVIDENCE_SNP, true, good_verdict());
    assert_int_equal(v.identity, SOURCE_NONE);
    assert_string_equal(v.where.account, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASES(honest_papers_name_account_region_and_machine),
        CASES(a_signature_with_the_document_inside_is_enough),
        CASES(machines_are_known_by_whatever_a_cloud_calls_them),
        CASES(what_answers_nobody_counts_on_machines_of_amazons_alone),
        CASES(attested_data_counts_beside_evidence_of_its_machine_alone),
        CASES(a_replay_does_not_ask_again_what_was_of_the_moment),
        CASES(a_replay_tells_what_was_found_of_the_moment),
        CASES(what_is_missing_or_unknown_is_no_suspicion),
        cmocka_unit_test(a_charter_that_says_nothing_of_a_cloud_takes_no_word_of_it),
        CASES(what_is_no_document_is_suspect),
        cmocka_unit_test(records_of_another_form_are_suspect),
        cmocka_unit_test(names_of_any_length_are_quoted_in_whole_characters),
        CASES(only_the_clouds_own_certificates_sign),
        CASES(the_signature_belongs_to_the_document),
        CASES(papers_are_of_their_time),
        CASES(papers_that_can_answer_us_do),
        CASES(google_calls_it_confidential_too),
        CASES(accounts_that_are_not_ours_are_suspect),
        CASES(papers_of_another_machine_are_suspect),
        CASES(papers_of_another_region_are_suspect),
        cmocka_unit_test(agreement_is_the_providers_word_on_identity),
        cmocka_unit_test(a_token_for_our_challenge_is_an_anchor),
        cmocka_unit_test(what_hardware_proves_no_document_changes),
        cmocka_unit_test(some_kinds_have_no_identity_by_documents),
        cmocka_unit_test(suspicion_caps_the_level_whoever_proves_the_rest),
    };
    return cmocka_run_group_tests(tests, open_papers, close_papers);
}
