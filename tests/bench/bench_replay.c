/* `bench_replay STATE [COUNT]`: COUNT stored evidences judged again under a candidate charter on
 * one thread, their signatures remembered. Prints `replayed N in S seconds`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "emulator/psp.h"
#include "lib/attest/replay.h"
#include "lib/crypto/random.h"

enum { DIFFERENT = 1000 };

static const char charter_text[] =
    "{\"charter\":1,\"realm\":\"simulation\",\"serial\":1,\"policies\":{\"web\":{\"snp\":{},"
    "\"references\":[\"any\"],\"valid_seconds\":3600}},\"references\":{\"any\":{\"measurement\":"
    "\"any\",\"measured_boot\":false,\"anchor\":\"none\",\"provider_execution\":\"on\"}},"
    "\"tcb_floors\":{},\"grants\":{},\"deny\":{\"chips\":[],\"measurements\":[],\"anchors\":[],"
    "\"guest_keys\":[]},\"keepers\":[],\"relying_parties\":{},\"custody\":{\"keeper\":\"on-"
    "premises\",\"kek\":\"file\"}}";

static void must(enum outcome outcome, const struct error *err)
{
    if (outcome == OK)
        return;
    fprintf(stderr, "bench_replay: %s\n", err->text);
    exit(1);
}

static char *make_evidence(struct psp *psp)
{
    struct error err = {0};
    struct psp_wish wish = psp_wish(PSP_FIRMWARE_ONLY);
    random_fill(wish.report_data, sizeof wish.report_data);
    random_fill(wish.report_id, sizeof wish.report_id);
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SIMULATED};
    must(psp_report(psp, &wish, &e.report, &e.cert_table, &err), &err);
    return evidence_print(&e);
}

static struct charter *make_charter(struct psp *psp, struct moment now)
{
    struct error err = {0};
    struct charter *charter = NULL;
    OWNED(bytes_done) struct bytes hashes = {0};
    must(charter_root_hashes(psp_roots(psp), &hashes, &err), &err);
    json_t *roots = json_array();
    for (size_t at = 0; at < hashes.len; at += SHA256_SIZE) {
        OWNED(mem_drop) char *hex = hex_of(SPAN(hashes.at + at, SHA256_SIZE));
        json_add_new(roots, json_string(hex));
    }
    OWNED(json_drop) json_t *json = json_loads(charter_text, 0, NULL);
    json_object_set_new(json, "issued", json_string(moment_text(now).at));
    json_object_set_new(json, "expires",
                        json_string(moment_text(moment_add_seconds(now, 86400)).at));
    json_object_set_new(json, "simulator_roots", roots);
    OWNED(mem_drop) char *text = json_print(json);
    must(charter_parse(span_of_text(text), &charter, &err), &err);
    return charter;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    struct timespec from, to;
    int64_t count = 10000;
    const struct moment now = clock_at_seconds(moment_seconds(clock_now()));
    OWNED(psp_drop) struct psp *psp = NULL;
    must(psp_open(argc > 1 ? argv[1] : "bench-state", now, &psp, &err), &err);
    if (argc > 2)
        must(number_parse(argv[2], 1, 1000000, &count, &err), &err);
    OWNED(charter_drop) struct charter *charter = make_charter(psp, now);
    char *all[DIFFERENT];
    for (size_t i = 0; i < DIFFERENT; i++)
        all[i] = make_evidence(psp);
    OWNED(replay_drop) struct replay *replay = replay_new(charter, now);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (int64_t i = 0; i < count; i++) {
        const struct replay_case c = {
            .evidence = span_of_text(all[i % DIFFERENT]), .policy = "web", .signature_known = true};
        struct replay_answer answer;
        replay_judge(replay, &c, &answer);
        if (!answer.trusted) {
            fprintf(stderr, "bench_replay: rejected, %s\n", answer.reason);
            return 1;
        }
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    printf("replayed %lld in %.2f seconds\n", (long long)count,
           (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    for (size_t i = 0; i < DIFFERENT; i++)
        free(all[i]);
    return 0;
}
