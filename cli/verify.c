#include "cli/verify.h"

#include <string.h>

#include "cli/evidence_files.h"

enum { EXIT_TRUSTED = 0, EXIT_REJECTED = 3 };

static enum outcome print_verdict(const struct verdict *v, struct error *err)
{
    OWNED(json_drop) json_t *object = verdict_to_json(v);
    OWNED(mem_drop) char *text = json_print_pretty(object);
    return print_line(text, err);
}

static enum outcome verify_snp(int argc, char **argv, int *exit_code, struct error *err)
{
    struct evidence_paths paths = {0};
    const struct argument arguments[] = {
        {"--report", .list = &paths.report}, {"--ek", .text = &paths.ek},
        {"--ca", .list = &paths.ca},         {"--cert-table", .text = &paths.cert_table},
        {"--crl", .list = &paths.crl},       {"--root", .list = &paths.root},
        {"--at", .text = &paths.at},         {"--expect", .text = &paths.expect},
        {"--policy", .text = &paths.policy},
    };
    TRY(arguments_read(argc, argv, 2, arguments, countof(arguments), err));
    if (paths.report.count > 1)
        return fail(err, ERR_INVALID, "--report twice");
    OWNED(evidence_files_done) struct evidence_files files = {0};
    TRY(evidence_files_read(&paths, &files, err));
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e = snp_endorse(&files.bundle, evidence_files_roots(&files));
    const struct judge_input input = {
        .kind = EVIDENCE_SNP,
        .report = bytes_span(&files.report.at[0]),
        .endorsements = e,
        .policy = files.policy,
        .at = files.at,
    };
    OWNED(verdict_done) struct verdict v = {0};
    judge(&input, &v);
    *exit_code = v.trusted ? EXIT_TRUSTED : EXIT_REJECTED;
    return print_verdict(&v, err);
}

static const struct {
    const char *kind;
    enum outcome (*verify)(int argc, char **argv, int *exit_code, struct error *err);
} kinds[] = {
    {"snp", verify_snp},
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
