/* Without libFuzzer: run a target over its corpus as a plain test. Each seed is also cut short at
 * many places and has many single bits turned, the same ones every time. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "tests/fuzz/fuzz.h"

enum { SEED_SIZE_MAX = 1 << 20, VARIANTS = 64 };

static size_t ran;

static void try_bytes(struct span in)
{
    /* A copy of exactly this size, so that the sanitizers see a step past the end. */
    uint8_t *copy = mem_new(in.len > 0 ? in.len : 1, 1);
    if (in.len > 0)
        memcpy(copy, in.at, in.len);
    (void)LLVMFuzzerTestOneInput(copy, in.len);
    free(copy);
    ran++;
}

static void try_variants(struct bytes *seed)
{
    try_bytes(bytes_span(seed));
    for (size_t i = 0; i < VARIANTS && seed->len > 0; i++) {
        const size_t at = i * 2654435761u % seed->len;
        try_bytes(SPAN(seed->at, at));
        seed->at[at] ^= (uint8_t)(1u << i % 8);
        try_bytes(bytes_span(seed));
        seed->at[at] ^= (uint8_t)(1u << i % 8);
    }
}

static bool try_file(const char *folder, const char *name)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes seed = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (file_read(path, SEED_SIZE_MAX, &seed, &err) != OK) {
        printf("# %s\n", err.text);
        return false;
    }
    try_variants(&seed);
    return true;
}

static bool try_folder(const char *folder)
{
    DIR *listing = opendir(folder);
    if (listing == NULL) {
        printf("# no corpus at %s\n", folder);
        return true; /* a new target has none yet */
    }
    bool fine = true;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.')
            fine = try_file(folder, entry->d_name) && fine;
    closedir(listing);
    return fine;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash != NULL ? slash + 1 : argv[0];
    name += strncmp(name, "fuzz_", 5) == 0 ? 5 : 0;
    const char *source = getenv("MUSTER_SRC");
    char folder[1024];
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", source != NULL ? source : ".", name);
    try_bytes(SPAN("", 0));
    const bool fine = argc > 1 ? try_file(".", argv[1]) : try_folder(folder);
    printf("1..1\n%s 1 - %s survives its corpus (%zu inputs)\n", fine ? "ok" : "not ok", name, ran);
    return fine ? 0 : 1;
}
