#include "cli/bench.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/evidence_files.h"
#include "lib/base/text.h"

enum { CACHE_ROOM = 16, BETWEEN_LOOKS = 8 };

/* Processor time of this one thread, as `openssl speed` counts it: others' load does not show. */
static double busy_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One whole appraisal: certificates by digest from the cache, report read, every check, claims. */
static enum outcome appraise(const struct evidence_files *files, struct span report,
                             struct snp_cache *cache, struct error *err)
{
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e = snp_cache_get(cache, &files->bundle);
    const struct judge_input input = {
        .kind = EVIDENCE_SNP, .report = report, .endorsements = e, .at = files->common.at};
    OWNED(verdict_done) struct verdict v = {0};
    judge(&input, &v);
    if (!v.trusted)
        return fail(err, ERR_DENIED, "this evidence is rejected: %s",
                    name_of(&reason_names, (int)v.reason));
    return OK;
}

static enum outcome measure(const struct evidence_files *files, int64_t seconds, double *out,
                            struct error *err)
{
    OWNED(snp_cache_drop)
    struct snp_cache *cache = snp_cache_new(evidence_files_roots(files), CACHE_ROOM);
    for (size_t i = 0; i < files->report.count; i++)
        TRY(appraise(files, bytes_span(&files->report.at[i]), cache, err));
    const double start = busy_seconds();
    double took = 0;
    size_t done = 0;
    while (took < (double)seconds) {
        for (int i = 0; i < BETWEEN_LOOKS; i++, done++)
            TRY(appraise(files, bytes_span(&files->report.at[done % files->report.count]), cache,
                         err));
        took = busy_seconds() - start;
    }
    *out = (double)done / took;
    return OK;
}

static enum outcome bench_verify_snp(int argc, char **argv, struct error *err)
{
    struct evidence_paths paths = {0};
    const char *seconds_text = NULL;
    const struct argument arguments[] = {
        {"--report", .list = &paths.report},
        {"--ek", .text = &paths.ek},
        {"--ca", .list = &paths.ca},
        {"--cert-table", .text = &paths.cert_table},
        {"--root", .list = &paths.common.root},
        {"--at", .text = &paths.common.at},
        {"--seconds", .text = &seconds_text},
    };
    TRY(arguments_read(argc, argv, 2, arguments, countof(arguments), err));
    if (paths.report.count == 0)
        return fail(err, ERR_INVALID, "--report FILE is needed");
    int64_t seconds = 3;
    if (seconds_text != NULL && number_parse(seconds_text, 1, 3600, &seconds, err) != OK)
        return error_context(err, "--seconds");
    OWNED(evidence_files_done) struct evidence_files files = {0};
    TRY(evidence_files_read(&paths, &files, err));
    double rate = 0;
    TRY(measure(&files, seconds, &rate, err));
    char line[64];
    snprintf(line, sizeof line, "verifications_per_second %.1f", rate);
    return print_line(line, err);
}

static enum outcome bench(int argc, char **argv, struct error *err)
{
    if (argc >= 2 && strcmp(argv[1], "verify-snp") == 0)
        return bench_verify_snp(argc, argv, err);
    if (argc >= 2)
        return fail(err, ERR_INVALID, "there is no bench called '%.40s'", argv[1]);
    return fail(err, ERR_INVALID, "bench what? try 'muster bench --help'");
}

int bench_main(int argc, char **argv)
{
    struct error err = {0};
    return bench(argc, argv, &err) == OK ? 0 : command_failed(&err);
}
