#include "cli/verify_bundle.h"

#include <stdio.h>
#include <string.h>

#include "cli/print.h"
#include "cli/verify_common.h"
#include "lib/attest/bundle_judge.h"

enum { SIGNERS_FILE_MAX = 64 * 1024 };

/* As named on the command line. */
struct bundle_paths {
    const char *bundle, *signers, *at, *output;
    struct argument_list root, amd_root, nitro_root;
};

/* As read; the terms borrow from it. */
struct bundle_files {
    struct bytes bundle;
    struct cert *roots[BUNDLE_ROOTS_MAX];
    size_t root_count;
    struct charter_signers signers;
    struct snp_roots *simulator;
    struct nitro_roots enclaves;
    struct bytes hashes;
};

static void bundle_files_done(struct bundle_files *f)
{
    bytes_done(&f->bundle);
    for (size_t i = 0; i < f->root_count; i++)
        cert_free(f->roots[i]);
    charter_signers_done(&f->signers);
    snp_roots_free(f->simulator);
    bytes_done(&f->hashes);
}

static enum outcome read_roots(const struct argument_list *paths, struct bundle_files *out,
                               struct error *err)
{
    if (paths->count == 0)
        return fail(err, ERR_INVALID, "--root FILE is needed: whose deployment is it?");
    for (size_t i = 0; i < paths->count; i++) {
        OWNED(bytes_done) struct bytes pem = {0};
        size_t more = 0;
        TRY(argument_file(paths->at[i], VERIFY_FILE_MAX, &pem, err));
        if (cert_list_from_pem(bytes_span(&pem), out->roots + out->root_count,
                               BUNDLE_ROOTS_MAX - out->root_count, &more, err) != OK)
            return fail_code(err, ERR_INVALID, err->code, "--root: %.200s", err->text);
        out->root_count += more;
    }
    return OK;
}

static enum outcome read_signers(const char *path, struct bundle_files *out, struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    if (path == NULL)
        return OK;
    TRY(argument_file(path, SIGNERS_FILE_MAX, &content, err));
    return charter_signers_parse(bytes_span(&content), &out->signers, err);
}

/* Of a simulator: only in its own realm, and shown as such. */
static enum outcome read_simulators(const struct bundle_paths *paths, struct bundle_files *out,
                                    struct error *err)
{
    OWNED(file_list_done) struct file_list chips = {0};
    OWNED(file_list_done) struct file_list enclaves = {0};
    struct span blobs[ARGUMENT_LIST_MAX];
    TRY(file_list_read(&paths->amd_root, &chips, err));
    TRY(file_list_read(&paths->nitro_root, &enclaves, err));
    for (size_t i = 0; i < chips.count; i++) {
        blobs[i] = bytes_span(&chips.at[i]);
        TRY(charter_root_hashes(blobs[i], &out->hashes, err));
    }
    if (chips.count > 0 && snp_roots_custom(blobs, chips.count, &out->simulator, err) != OK)
        return error_context(err, "--amd-root");
    for (size_t i = 0; i < enclaves.count; i++) {
        TRY(charter_root_hashes(bytes_span(&enclaves.at[i]), &out->hashes, err));
        TRY(nitro_roots_add(&out->enclaves, bytes_span(&enclaves.at[i]), err));
    }
    return OK;
}

static enum outcome read_files(const struct bundle_paths *paths, struct bundle_files *out,
                               struct error *err)
{
    if (paths->bundle == NULL)
        return fail(err, ERR_INVALID, "--bundle FILE is needed");
    TRY(argument_file(paths->bundle, BUNDLE_SIZE_MAX, &out->bundle, err));
    TRY(read_roots(&paths->root, out, err));
    TRY(read_signers(paths->signers, out, err));
    return read_simulators(paths, out, err);
}

static void print_table_of(const struct bundle_answer *answer)
{
    for (size_t i = 0; i < answer->check_count; i++)
        printf("%-5s %-16s %s\n", name_of(&check_result_names, (int)answer->checks[i].result),
               answer->checks[i].name, answer->checks[i].detail);
    if (answer->told)
        printf("told: instance %s %s (%s) by policy %s of charter %lld, judged %s%s\n",
               uuid_text(&answer->testimony.instance).at, answer->testimony.verdict,
               answer->testimony.reason, answer->testimony.policy,
               (long long)answer->testimony.charter_serial,
               moment_text(answer->testimony.judged).at,
               answer->testimony.simulated ? "; simulated" : "");
    printf("the bundle is %s%s%s\n", answer->good ? "genuine" : "refused", answer->good ? "" : ": ",
           answer->good ? "" : answer->reason);
}

static enum outcome print_answer(const struct bundle_answer *answer, bool json, struct error *err)
{
    if (!json)
        print_table_of(answer);
    else {
        OWNED(json_drop) json_t *object = bundle_answer_to_json(answer);
        print_json(stdout, object);
    }
    if (fflush(stdout) != 0)
        return fail(err, ERR_INTERNAL, "writing to standard output did not work");
    return OK;
}

enum outcome verify_bundle(int argc, char **argv, int *exit_code, struct error *err)
{
    struct bundle_paths paths = {0};
    const struct argument arguments[] = {
        {"--bundle", .text = &paths.bundle},
        {"--root", .list = &paths.root},
        {"--charter-signers", .text = &paths.signers},
        {"--amd-root", .list = &paths.amd_root},
        {"--nitro-root", .list = &paths.nitro_root},
        {"--at", .text = &paths.at},
        {"-o", .text = &paths.output},
    };
    OWNED(bundle_files_done) struct bundle_files files = {0};
    OWNED(bundle_answer_done) struct bundle_answer answer = {0};
    struct bundle_terms terms = {.at = clock_now()};
    TRY(arguments_read(argc, argv, 2, arguments, countof(arguments), err));
    const bool json = paths.output != NULL && strcmp(paths.output, "json") == 0;
    if (paths.output != NULL && !json && strcmp(paths.output, "table") != 0)
        return fail(err, ERR_INVALID, "-o is table or json");
    if (paths.at != NULL && moment_parse(paths.at, &terms.at, err) != OK)
        return error_context(err, "--at");
    TRY(read_files(&paths, &files, err));
    terms.roots = files.roots;
    terms.root_count = files.root_count;
    terms.signers = paths.signers != NULL ? &files.signers : NULL;
    terms.simulator = files.simulator;
    terms.enclaves = files.enclaves.custom ? &files.enclaves : NULL;
    terms.simulator_hashes = bytes_span(&files.hashes);
    bundle_judge(bytes_span(&files.bundle), &terms, &answer);
    *exit_code = answer.good ? EXIT_TRUSTED : EXIT_REJECTED;
    return print_answer(&answer, json, err);
}
