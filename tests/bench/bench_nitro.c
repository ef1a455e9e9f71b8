/* `bench_nitro [SECONDS]`: different enclave documents judged on one thread. Prints
 * `documents_per_second N` and `signatures N`: how many of them each document's verdict rests on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/attest/nitro_judge.h"
#include "lib/base/text.h"
#include "tests/support/nsm.h"

enum { DOCUMENTS = 200 };

static double busy_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(bool right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "bench_nitro: %s\n", what);
    exit(1);
}

static void appraise(const struct bytes *document, const struct nitro_roots *roots)
{
    OWNED(verdict_done) struct verdict v = {0};
    const struct nitro_input input = {
        .document = bytes_span(document), .roots = roots, .at = clock_at_seconds(NSM_NOW)};
    nitro_judge(&input, &v);
    must(v.trusted, name_of(&reason_names, (int)v.reason));
}

int main(int argc, char **argv)
{
    struct error err = {0};
    static struct bytes documents[DOCUMENTS];
    static uint8_t nonces[DOCUMENTS][32];
    struct nitro_roots roots = {0};
    int64_t seconds = 3;
    must(argc < 2 || number_parse(argv[1], 1, 600, &seconds, &err) == OK, err.text);
    must(nitro_roots_add(&roots, nsm_root(0), &err) == OK, err.text);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        struct nsm_wish wish = nsm_wish();
        nonces[i][0] = (uint8_t)i;
        wish.nonce = SPAN_OF(nonces[i]);
        nsm_make(&wish, &documents[i]);
    }
    appraise(&documents[0], &roots);
    const double start = busy_seconds();
    size_t done = 0;
    for (; busy_seconds() - start < (double)seconds; done++)
        appraise(&documents[done % DOCUMENTS], &roots);
    printf("documents_per_second %.1f\n", (double)done / (busy_seconds() - start));
    printf("signatures %d\n", NSM_CERTS); /* of each certificate below the root, and its own */
    for (size_t i = 0; i < DOCUMENTS; i++)
        bytes_done(&documents[i]);
    return 0;
}
