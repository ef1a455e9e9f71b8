/* `bench_snp STATE [COUNT [SECONDS]]`: appraisals of COUNT different simulator-signed reports on
 * one thread with the chain cached, no report seen before in its round. Prints
 * `verifications_per_second N`. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "emulator/psp.h"
#include "lib/attest/evidence.h"
#include "lib/base/text.h"
#include "lib/crypto/random.h"

enum { CACHE_ROOM = 16 };

static void must(enum outcome outcome, const struct error *err)
{
    if (outcome == OK)
        return;
    fprintf(stderr, "bench_snp: %s\n", err->text);
    exit(1);
}

static double busy_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void make_evidence(struct psp *psp, struct evidence *out)
{
    struct error err = {0};
    struct psp_wish wish = psp_wish(PSP_FIRMWARE_ONLY);
    random_fill(wish.report_data, sizeof wish.report_data);
    random_fill(wish.report_id, sizeof wish.report_id);
    *out = (struct evidence){.kind = EVIDENCE_SIMULATED};
    must(psp_report(psp, &wish, &out->report, &out->cert_table, &err), &err);
}

static void appraise(const struct evidence *e, struct snp_cache *cache, struct moment at)
{
    const struct evidence_terms terms = {.chains = cache, .simulation_realm = true, .at = at};
    OWNED(verdict_done) struct verdict v = {0};
    evidence_judge(e, &terms, &v);
    if (!v.trusted) {
        fprintf(stderr, "bench_snp: rejected, %s\n", name_of(&reason_names, (int)v.reason));
        exit(1);
    }
}

static int64_t number_or(int argc, char **argv, int which, int64_t fallback)
{
    struct error err = {0};
    int64_t value = fallback;
    if (argc > which)
        must(number_parse(argv[which], 1, 1000000, &value, &err), &err);
    return value;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    const struct moment now = clock_now();
    const size_t count = (size_t)number_or(argc, argv, 2, 1000);
    const double seconds = (double)number_or(argc, argv, 3, 3);
    OWNED(psp_drop) struct psp *psp = NULL;
    must(psp_open(argc > 1 ? argv[1] : "bench-state", now, &psp, &err), &err);
    struct evidence *all = mem_new(count, sizeof *all);
    for (size_t i = 0; i < count; i++)
        make_evidence(psp, &all[i]);
    const struct span pem = psp_roots(psp);
    OWNED(snp_roots_drop) struct snp_roots *roots = NULL;
    must(snp_roots_custom(&pem, 1, &roots, &err), &err);
    OWNED(snp_cache_drop) struct snp_cache *cache = snp_cache_new(roots, CACHE_ROOM);
    appraise(&all[0], cache, now);
    const double start = busy_seconds();
    size_t done = 0;
    for (; busy_seconds() - start < seconds; done++)
        appraise(&all[done % count], cache, now);
    printf("verifications_per_second %.1f\n", (double)done / (busy_seconds() - start));
    for (size_t i = 0; i < count; i++)
        evidence_done(&all[i]);
    free(all);
    return 0;
}
