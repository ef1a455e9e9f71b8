/* The built `muster verify snp-vtpm` on files of a made-up machine: each word that may vouch for
 * its vTPM, what it answers, and options that cannot be. */
#include <stdio.h>
#include <string.h>

#include "emulator/psp.h"
#include "lib/base/file.h"
#include "lib/crypto/x509_make.h"
#include "tests/support/line.h"
#include "tests/support/made_vtpm.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static void write_file(const char *folder, const char *name, struct span content)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(folder, name);
    assert_ok(file_write(path, content, 0600, &err));
}

static void write_policy(const char *folder)
{
    OWNED(json_drop)
    json_t *policy = json_pack("{s:{s:[s],s:b,s:{s:[s,s]}}}", "vtpm", "ak_ca",
                               made_vtpm_authority(0), "require_secure_boot", 1, "boot_components",
                               "loader", made_vtpm_loader(), made_vtpm_loader_384());
    OWNED(mem_drop) char *text = json_print(policy);
    write_file(folder, "policy", span_of_text(text));
}

static void write_machine(const char *folder, const struct made_vtpm_wish *wish)
{
    OWNED(made_vtpm_done) struct made_vtpm t;
    OWNED(bytes_done) struct bytes aws = {0};
    made_vtpm_make(simulator.psp, simulator.roots, wish, NULL, &t);
    OWNED(mem_drop) char *pcrs = json_print(t.pcrs);
    pem_add_certificate(&aws, nsm_root(0));
    write_file(folder, "report", bytes_span(&t.report));
    write_file(folder, "table", bytes_span(&t.table));
    write_file(folder, "quote", bytes_span(&t.quote));
    write_file(folder, "signature", bytes_span(&t.signature));
    write_file(folder, "log", bytes_span(&t.log));
    write_file(folder, "ak", bytes_span(&t.ak));
    write_file(folder, "ak-cert", bytes_span(&t.ak_cert));
    write_file(folder, "manifest", bytes_span(&t.manifest));
    write_file(folder, "document", bytes_span(&t.document));
    write_file(folder, "pcrs", span_of_text(pcrs));
    write_file(folder, "root", psp_roots(simulator.psp));
    write_file(folder, "aws", bytes_span(&aws));
    write_policy(folder);
}

/* Every "@" of `options` is the folder of the files. */
static struct ran verify(const char *folder, const char *options)
{
    OWNED(text_done) struct text line = {0};
    text_addf(&line,
              "cli/muster verify snp-vtpm --at 2026-11-24T00:00:00Z --report %s/report "
              "--cert-table %s/table --root %s/root --expect %s/policy ",
              folder, folder, folder, folder);
    for (const char *at = options; *at != '\0'; at++)
        if (*at == '@')
            text_addf(&line, "%s/", folder);
        else
            text_addf(&line, "%c", *at);
    return run_text(text_str(&line));
}

#define QUOTE "--quote-msg @quote --quote-sig @signature --pcrs @pcrs --event-log @log --ak @ak "
#define BINDING                                                                                    \
    "--binding 42424242424242424242424242424242424242424242424242424242424242424242424242424242"   \
    "424242424242424242424242424242424242424242424242 "
#define NONCE "--nonce 2424242424242424242424242424242424242424242424242424242424242424 "

static void assert_answer(const char *folder, enum made_vouch vouch, const char *options,
                          const char *reason, const char *root)
{
    const struct made_vtpm_wish wish = made_vtpm_wish(vouch);
    write_machine(folder, &wish);
    OWNED(ran_done) struct ran ran = verify(folder, options);
    OWNED(json_drop) json_t *answer = NULL;
    struct error err = {0};
    assert_int_equal(ran.exit_code, strcmp(reason, "ok") == 0 ? 0 : 3);
    assert_ok(json_parse(span_of_text((const char *)ran.out.at), 1 << 20, &answer, &err));
    assert_string_equal(json_string_value(json_object_get(answer, "reason")), reason);
    const json_t *claims = json_object_get(answer, "claims");
    assert_string_equal(json_string_value(json_object_get(claims, "vtpm_root")), root);
}

static void each_word_is_told(void **state)
{
    assert_answer(*state, VOUCH_SVSM, QUOTE BINDING "--manifest @manifest", "ok", "svsm");
    assert_answer(*state, VOUCH_AUTHORITY, QUOTE BINDING "--ak-cert @ak-cert", "ok", "provider");
    assert_answer(*state, VOUCH_DOCUMENT,
                  QUOTE BINDING NONCE "--document @document --document-root @aws", "ok",
                  "provider");
    assert_answer(*state, VOUCH_NOBODY, QUOTE BINDING, "ok", "unrooted");
}

static void what_does_not_answer_is_rejected(void **state)
{
    assert_answer(*state, VOUCH_SVSM, QUOTE BINDING, "policy-report-data", "unrooted");
    assert_answer(*state, VOUCH_NOBODY, QUOTE "--binding 42", "policy-report-data", "unrooted");
    assert_answer(*state, VOUCH_DOCUMENT,
                  QUOTE BINDING "--nonce 24 --document @document --document-root @aws",
                  "policy-nonce", "provider");
    assert_answer(*state, VOUCH_DOCUMENT, QUOTE BINDING NONCE "--document @document",
                  "chain-untrusted", "provider");
}

static void options_that_cannot_be_exit_with_2(void **state)
{
    static const char *const bad[] = {"--quote-msg @quote",
                                      "--quote-sig @signature",
                                      "--binding 4g",
                                      "--nonce 4",
                                      "--pcrs @quote",
                                      "--document-root @quote",
                                      "--hcl @report",
                                      "--manifest @nowhere",
                                      "--binding=",
                                      "--nonce 24",
                                      "--nonce= --document @document"};
    for (size_t i = 0; i < countof(bad); i++) {
        OWNED(ran_done) struct ran ran = verify(*state, bad[i]);
        assert_int_equal(ran.exit_code, 2);
    }
    assert_used_wrongly("cli/muster verify snp-vtpm");
}

static int set_up(void **state)
{
    return simulator_set_up(state) == 0 ? scratch_open(state) : -1;
}

static int tear_down(void **state)
{
    return scratch_close(state) == 0 ? simulator_tear_down(state) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_is_told),
        cmocka_unit_test(what_does_not_answer_is_rejected),
        cmocka_unit_test(options_that_cannot_be_exit_with_2),
    };
    return cmocka_run_group_tests_name("cli_verify_vtpm", tests, set_up, tear_down);
}
