#include "cli/verify.h"

#include <string.h>

#include "cli/verify_bundle.h"
#include "cli/vtpm_files.h"
#include "lib/attest/azure_judge.h"
#include "lib/attest/event_judge.h"
#include "lib/attest/nitro_judge.h"

static enum outcome verify_snp(int argc, char **argv, int *exit_code, struct error *err)
{
    struct evidence_paths paths = {0};
    const struct argument arguments[] = {
        {"--report", .list = &paths.report}, {"--ek", .text = &paths.ek},
        {"--ca", .list = &paths.ca},         {"--cert-table", .text = &paths.cert_table},
        {"--crl", .list = &paths.crl},       COMMON_ARGUMENTS(&paths.common),
    };
    TRY(arguments_read(argc, argv, 2, arguments, countof(arguments), err));
    if (paths.report.count != 1)
        return fail(err, ERR_INVALID,
                    paths.report.count == 0 ? "--report FILE is needed" : "--report twice");
    OWNED(evidence_files_done) struct evidence_files files = {0};
    TRY(evidence_files_read(&paths, &files, err));
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e = snp_endorse(&files.bundle, evidence_files_roots(&files));
    const struct judge_input input = {
        .kind = EVIDENCE_SNP,
        .report = bytes_span(&files.report.at[0]),
        .endorsements = e,
        .policy = files.common.policy,
        .at = files.common.at,
    };
    OWNED(verdict_done) struct verdict v = {0};
    judge(&input, &v);
    return print_verdict(&v, exit_code, err);
}

static enum outcome option_hex(const char *name, const char *text, struct bytes *out,
                               struct error *err)
{
    if (text != NULL && text[0] == '\0') /* an empty variable of a shell must not ask for nothing */
        return fail(err, ERR_INVALID, "%s is empty", name);
    if (text != NULL && hex_decode(text, out, err) != OK)
        return error_context(err, "%s", name);
    return OK;
}

/* What an Azure machine sends beside its certificates. */
struct azure_paths {
    const char *hcl, *quote, *signature, *pcrs, *log, *nonce;
};

struct azure_files {
    struct bytes hcl, quote, signature, log, nonce;
    json_t *pcrs;
};

static void azure_files_done(struct azure_files *f)
{
    bytes_done(&f->hcl);
    bytes_done(&f->quote);
    bytes_done(&f->signature);
    bytes_done(&f->log);
    bytes_done(&f->nonce);
    json_decref(f->pcrs);
}

static enum outcome azure_files_read(const struct azure_paths *paths, struct azure_files *out,
                                     struct error *err)
{
    if (paths->hcl == NULL)
        return fail(err, ERR_INVALID, "--hcl FILE is needed");
    if ((paths->quote == NULL) != (paths->signature == NULL))
        return fail(err, ERR_INVALID, "--quote-msg and --quote-sig need each other");
    TRY(argument_file(paths->hcl, VERIFY_FILE_MAX, &out->hcl, err));
    TRY(argument_file(paths->quote, VERIFY_FILE_MAX, &out->quote, err));
    TRY(argument_file(paths->signature, VERIFY_FILE_MAX, &out->signature, err));
    TRY(argument_file(paths->log, VERIFY_FILE_MAX, &out->log, err));
    TRY(option_hex("--nonce", paths->nonce, &out->nonce, err));
    return pcr_list_read(paths->pcrs, &out->pcrs, err);
}

static enum outcome verify_azure(int argc, char **argv, int *exit_code, struct error *err)
{
    struct azure_paths azure = {0};
    struct evidence_paths paths = {0};
    const struct argument arguments[] = {
        {"--hcl", .text = &azure.hcl},
        {"--quote-msg", .text = &azure.quote},
        {"--quote-sig", .text = &azure.signature},
        {"--pcrs", .text = &azure.pcrs},
        {"--event-log", .text = &azure.log},
        {"--nonce", .text = &azure.nonce},
        {"--ek", .text = &paths.ek},
        {"--ca", .list = &paths.ca},
        {"--crl", .list = &paths.crl},
        COMMON_ARGUMENTS(&paths.common),
    };
    TRY(arguments_read(argc, argv, 2, arguments, countof(arguments), err));
    OWNED(azure_files_done) struct azure_files own = {0};
    OWNED(evidence_files_done) struct evidence_files files = {0};
    TRY(azure_files_read(&azure, &own, err));
    TRY(evidence_files_read(&paths, &files, err));
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e = snp_endorse(&files.bundle, evidence_files_roots(&files));
    const struct azure_input input = {
        .hcl = bytes_span(&own.hcl),
        .has_quote = azure.quote != NULL,
        .quote = bytes_span(&own.quote),
        .signature = bytes_span(&own.signature),
        .pcrs = own.pcrs,
        .log = bytes_span(&own.log),
        .has_nonce = azure.nonce != NULL,
        .nonce = bytes_span(&own.nonce),
        .endorsements = e,
        .policy = files.common.policy,
        .at = files.common.at,
    };
    OWNED(verdict_done) struct verdict v = {0};
    azure_judge(&input, &v);
    return print_verdict(&v, exit_code, err);
}

static enum outcome check_vtpm_paths(const struct vtpm_paths *paths, const char *nonce,
                                     struct error *err)
{
    if (paths->snp.report.count != 1)
        return fail(err, ERR_INVALID,
                    paths->snp.report.count == 0 ? "--report FILE is needed" : "--report twice");
    if ((paths->quote == NULL) != (paths->signature == NULL))
        return fail(err, ERR_INVALID, "--quote-msg and --quote-sig need each other");
    if (nonce != NULL && paths->document == NULL)
        return fail(err, ERR_INVALID, "--nonce is a --document's: a quote answers --binding");
    return OK;
}

static enum outcome verify_vtpm(int argc, char **argv, int *exit_code, struct error *err)
{
    struct vtpm_paths paths = {0};
    const char *binding = NULL;
    const char *nonce = NULL;
    const struct argument arguments[] = {
        {"--report", .list = &paths.snp.report},
        {"--quote-msg", .text = &paths.quote},
        {"--quote-sig", .text = &paths.signature},
        {"--pcrs", .text = &paths.pcrs},
        {"--event-log", .text = &paths.log},
        {"--ak", .text = &paths.ak},
        {"--ak-cert", .text = &paths.ak_cert},
        {"--manifest", .text = &paths.manifest},
        {"--document", .text = &paths.document},
        {"--document-root", .list = &paths.document_root},
        {"--binding", .text = &binding},
        {"--nonce", .text = &nonce},
        {"--ek", .text = &paths.snp.ek},
        {"--ca", .list = &paths.snp.ca},
        {"--cert-table", .text = &paths.snp.cert_table},
        {"--crl", .list = &paths.snp.crl},
        COMMON_ARGUMENTS(&paths.snp.common),
    };
    OWNED(vtpm_files_done) struct vtpm_files files = {0};
    OWNED(bytes_done) struct bytes expected = {0};
    OWNED(bytes_done) struct bytes asked = {0};
    OWNED(verdict_done) struct verdict v = {0};
    TRY(arguments_read(argc, argv, 2, arguments, countof(arguments), err));
    TRY(check_vtpm_paths(&paths, nonce, err));
    TRY(vtpm_files_read(&paths, &files, err));
    TRY(option_hex("--binding", binding, &expected, err));
    TRY(option_hex("--nonce", nonce, &asked, err));
    struct vtpm_input input = vtpm_files_input(&files);
    input.binding = bytes_span(&expected);
    input.nonce = bytes_span(&asked);
    vtpm_judge(&input, &v);
    return print_verdict(&v, exit_code, err);
}

static enum outcome verify_nitro(int argc, char **argv, int *exit_code, struct error *err)
{
    const char *path = NULL;
    struct common_paths paths = {0};
    struct nitro_roots roots;
    const struct argument arguments[] = {
        {"--document", .text = &path},
        COMMON_ARGUMENTS(&paths),
    };
    TRY(arguments_read(argc, argv, 2, arguments, countof(arguments), err));
    if (path == NULL)
        return fail(err, ERR_INVALID, "--document FILE is needed");
    OWNED(common_files_done) struct common_files files = {0};
    OWNED(bytes_done) struct bytes document = {0};
    OWNED(verdict_done) struct verdict v = {0};
    TRY(common_files_read(&paths, &files, err));
    TRY(argument_file(path, VERIFY_FILE_MAX, &document, err));
    if (nitro_roots_read(&files.root, &roots, err) != OK)
        return error_context(err, "--root");
    const struct nitro_input input = {
        .document = bytes_span(&document),
        .roots = &roots,
        .policy = files.policy,
        .at = files.at,
    };
    nitro_judge(&input, &v);
    return print_verdict(&v, exit_code, err);
}

static enum outcome pcrs_read(const char *path, struct pcr_set *out, struct error *err)
{
    OWNED(bytes_done) struct bytes text = {0};
    OWNED(json_drop) json_t *json = NULL;
    TRY(argument_file(path, VERIFY_FILE_MAX, &text, err));
    if (json_parse(bytes_span(&text), VERIFY_FILE_MAX, &json, err) != OK ||
        pcr_set_from_json(json, out, err) != OK)
        return error_context(err, "%.200s", path);
    return OK;
}

static enum outcome verify_eventlog(int argc, char **argv, int *exit_code, struct error *err)
{
    const char *path = NULL;
    const char *pcrs_path = NULL;
    const struct argument arguments[] = {
        {"--log", .text = &path},
        {"--pcrs", .text = &pcrs_path},
    };
    TRY(arguments_read(argc, argv, 2, arguments, countof(arguments), err));
    if (path == NULL)
        return fail(err, ERR_INVALID, "--log FILE is needed");
    OWNED(bytes_done) struct bytes log = {0};
    OWNED(mem_drop) struct pcr_set *pcrs = NULL;
    OWNED(verdict_done) struct verdict v = {0};
    TRY(argument_file(path, EVENT_LOG_MAX, &log, err));
    if (pcrs_path != NULL) {
        pcrs = NEW(struct pcr_set);
        TRY(pcrs_read(pcrs_path, pcrs, err));
    }
    event_judge(bytes_span(&log), pcrs, &v);
    return print_verdict(&v, exit_code, err);
}

static const struct {
    const char *kind;
    enum outcome (*verify)(int argc, char **argv, int *exit_code, struct error *err);
} kinds[] = {
    {"snp", verify_snp},     {"snp-azure", verify_azure},   {"snp-vtpm", verify_vtpm},
    {"nitro", verify_nitro}, {"eventlog", verify_eventlog}, {"bundle", verify_bundle},
};

static enum outcome verify(int argc, char **argv, int *exit_code, struct error *err)
{
    if (argc < 2)
        return fail(err, ERR_INVALID, "verify what? try 'muster verify --help'");
    for (size_t i = 0; i < countof(kinds); i++)
        if (strcmp(kinds[i].kind, argv[1]) == 0)
            return kinds[i].verify(argc, argv, exit_code, err);
    return fail(err, ERR_INVALID, "evidence of kind '%.40s' is not appraised here", argv[1]);
}

int verify_main(int argc, char **argv)
{
    struct error err = {0};
    int exit_code = 0;
    return verify(argc, argv, &exit_code, &err) == OK ? exit_code : command_failed(&err);
}
