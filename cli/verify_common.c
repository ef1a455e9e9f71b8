#include "cli/verify_common.h"

#include <stdlib.h>

void file_list_done(struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        bytes_done(&list->at[i]);
    list->count = 0;
}

enum outcome file_list_read(const struct argument_list *paths, struct file_list *out,
                            struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        TRY(argument_file(paths->at[i], VERIFY_FILE_MAX, &out->at[i], err));
        out->count = i + 1;
    }
    return OK;
}

void common_files_done(struct common_files *f)
{
    file_list_done(&f->root);
    free(f->policy);
    *f = (struct common_files){0};
}

static enum outcome read_policy(const struct common_paths *paths, struct common_files *out,
                                struct error *err)
{
    OWNED(bytes_done) struct bytes text = {0};
    const char *path = paths->policy != NULL ? paths->policy : paths->expect;
    const enum policy_mode mode = paths->policy != NULL ? POLICY_WHOLE : POLICY_EXPECT;
    if (paths->policy != NULL && paths->expect != NULL)
        return fail(err, ERR_INVALID, "--expect and --policy exclude each other");
    if (path == NULL)
        return OK;
    TRY(argument_file(path, VERIFY_FILE_MAX, &text, err));
    out->policy = NEW(struct policy);
    if (policy_parse(bytes_span(&text), mode, out->policy, err) != OK)
        return error_context(err, "%.200s", path);
    return OK;
}

enum outcome common_files_read(const struct common_paths *paths, struct common_files *out,
                               struct error *err)
{
    out->at = clock_now();
    if (paths->at != NULL && moment_parse(paths->at, &out->at, err) != OK)
        return error_context(err, "--at");
    TRY(file_list_read(&paths->root, &out->root, err));
    return read_policy(paths, out, err);
}

enum outcome print_verdict(const struct verdict *v, int *exit_code, struct error *err)
{
    OWNED(json_drop) json_t *object = verdict_to_json(v);
    OWNED(mem_drop) char *text = json_print_pretty(object);
    *exit_code = v->trusted ? EXIT_TRUSTED : EXIT_REJECTED;
    return print_line(text, err);
}
