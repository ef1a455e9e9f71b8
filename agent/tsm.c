#include "agent/tsm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "lib/crypto/random.h"

enum { WORD_MAX = 128 };
#define SERVICE_VTPM "c476f1eb-0123-45a5-9641-b4e7dde5bfe3" /* of the SVSM's services */

/* What the kernel's answers mean to us (facts/attestation.md section 4, drivers/virt/coco). */
static const struct {
    int number;
    enum outcome outcome;
    const char *code;
    const char *text;
} meanings[] = {
    {EBUSY, ERR_CONFLICT, "tsm-disturbed", "the request is being used by somebody else"},
    {EWOULDBLOCK, ERR_CONFLICT, "tsm-disturbed", "the request changed while it was answered"},
    {EINVAL, ERR_CONFLICT, "tsm-disturbed", "the request was not taken"},
    {EFBIG, ERR_INVALID, "tsm-too-large", "the answer is larger than the kernel takes"},
    {ENOTTY, ERR_DENIED, "vmpck-disabled",
     "the key to the security processor is gone (VMPCK disabled): no reports until the next boot"},
    {ENXIO, ERR_NOT_FOUND, "tsm-missing", "no provider of reports is registered"},
    {ENOENT, ERR_NOT_FOUND, "tsm-missing", "not there: is configfs mounted and sev-guest loaded"},
    {EACCES, ERR_DENIED, "tsm-denied", "not allowed"},
    {EPERM, ERR_DENIED, "tsm-denied", "not allowed"},
    {ETIMEDOUT, ERR_THROTTLED, "tsm-throttled", "the host kept the request waiting"},
    {EAGAIN, ERR_CONFLICT, "tsm-disturbed", "the request changed while it was answered"},
};

static enum outcome from_errno(struct error *err, const char *what, int number)
{
    for (size_t i = 0; i < countof(meanings); i++)
        if (meanings[i].number == number)
            return fail_code(err, meanings[i].outcome, meanings[i].code, "%s: %s", what,
                             meanings[i].text);
    return fail_code(err, ERR_INTERNAL, "tsm-failed", "%s: %s", what, strerror(number));
}

/* One request: a folder of our own, and what belongs to it. */
struct request {
    const struct tsm_files *files;
    char folder[PATH_MAX - WORD_MAX];
};

static void request_done(struct request *r)
{
    if (r->folder[0] != '\0')
        r->files->remove_folder(r->folder); /* nobody to tell; an empty folder does no harm */
}

static void file_of(const struct request *r, const char *name, char out[static PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", r->folder, name);
}

static enum outcome read_blob(const struct request *r, const char *name, size_t limit,
                              struct bytes *out, struct error *err)
{
    char path[PATH_MAX];
    file_of(r, name, path);
    ssize_t got = r->files->read(path, limit, out);
    return got < 0 ? from_errno(err, name, (int)-got) : OK;
}

static enum outcome read_word(const struct request *r, const char *name, char out[static WORD_MAX],
                              struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    TRY(read_blob(r, name, WORD_MAX - 1, &content, err));
    snprintf(out, WORD_MAX, "%.*s", (int)content.len, (const char *)content.at);
    out[strcspn(out, "\n")] = '\0';
    return OK;
}

static enum outcome read_generation(const struct request *r, int64_t *out, struct error *err)
{
    char word[WORD_MAX];
    TRY(read_word(r, "generation", word, err));
    return number_parse(word, 0, INT64_MAX, out, err);
}

static enum outcome check_provider(const struct request *r, struct error *err)
{
    char provider[WORD_MAX];
    TRY(read_word(r, "provider", provider, err));
    if (strcmp(provider, "sev_guest") != 0)
        return fail_code(err, ERR_INVALID, "tsm-wrong-provider",
                         "reports here come from '%.40s', not from sev_guest", provider);
    return OK;
}

static enum outcome make_folder(const struct tsm_files *files, const char *tsm_path,
                                struct request *out, struct error *err)
{
    uint8_t random[8];
    char word[2 * sizeof random + 1];
    random_fill(random, sizeof random);
    hex_encode(SPAN_OF(random), word);
    struct request made = {.files = files};
    if (snprintf(made.folder, sizeof made.folder, "%s/muster-%s", tsm_path, word) >=
        (int)sizeof made.folder)
        return fail(err, ERR_INVALID, "path too long: %.60s...", tsm_path);
    int result = files->make_folder(made.folder);
    if (result < 0)
        return from_errno(err, tsm_path, -result);
    *out = made;
    return OK;
}

/* Each adds one to the generation. */
static enum outcome put(const struct request *r, const char *name, struct span content, int *writes,
                        struct error *err)
{
    char path[PATH_MAX];
    file_of(r, name, path);
    int written = r->files->write(path, content);
    if (written < 0)
        return from_errno(err, name, -written);
    (*writes)++;
    return OK;
}

static enum outcome put_wish(const struct request *r, const struct tsm_wish *wish, int *writes,
                             struct error *err)
{
    char level[WORD_MAX];
    if (wish->privlevel >= 0) {
        snprintf(level, sizeof level, "%lld", (long long)wish->privlevel);
        TRY(put(r, "privlevel", span_of_text(level), writes, err));
    }
    if (wish->svsm_vtpm) {
        TRY(put(r, "service_provider", span_of_text("svsm"), writes, err));
        TRY(put(r, "service_guid", span_of_text(SERVICE_VTPM), writes, err));
    }
    return put(r, "inblob", SPAN(wish->report_data, BINDING_SIZE), writes, err);
}

/* The generation counts writes: ours and no more mean that all we read answers our wish. */
static enum outcome ask(const struct request *r, const struct tsm_wish *wish, struct evidence *out,
                        struct error *err)
{
    int64_t before;
    int64_t after;
    int writes = 0;
    TRY(check_provider(r, err));
    TRY(read_generation(r, &before, err));
    TRY(put_wish(r, wish, &writes, err));
    TRY(read_blob(r, "outblob", TEE_REPORT_SIZE + 1, &out->report, err));
    TRY(read_blob(r, "auxblob", TEE_CERTS_MAX, &out->cert_table, err));
    if (wish->svsm_vtpm)
        TRY(read_blob(r, "manifestblob", EVIDENCE_MANIFEST_MAX, &out->manifest, err));
    TRY(read_generation(r, &after, err));
    if (after != before + writes)
        return fail_code(err, ERR_CONFLICT, "tsm-disturbed",
                         "generation went from %lld to %lld: somebody else wrote as well",
                         (long long)before, (long long)after);
    return OK;
}

enum outcome tsm_report(const struct tsm_files *files, const char *tsm_path,
                        const struct tsm_wish *wish, struct evidence *out, struct error *err)
{
    for (int attempt = 1;; attempt++) {
        OWNED(request_done) struct request r = {.files = files};
        OWNED(evidence_done) struct evidence made = {0};
        TRY(make_folder(files, tsm_path, &r, err));
        enum outcome outcome = ask(&r, wish, &made, err);
        if (outcome == ERR_CONFLICT && attempt < TSM_ATTEMPTS)
            continue;
        TRY(outcome);
        out->report = bytes_take(&made.report);
        out->cert_table = bytes_take(&made.cert_table);
        out->manifest = bytes_take(&made.manifest);
        return OK;
    }
}

static int kernel_make_folder(const char *path)
{
    return mkdir(path, 0700) == 0 ? 0 : -errno;
}

static int kernel_remove_folder(const char *path)
{
    return rmdir(path) == 0 ? 0 : -errno;
}

/* One write(2) with everything: the kernel takes the blob as a whole when the file is closed. */
static int kernel_write(const char *path, struct span content)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, content.at, content.len);
    int result = n < 0 ? -errno : n != (ssize_t)content.len ? -EINVAL : 0;
    if (close(fd) != 0 && result == 0)
        result = -errno;
    return result;
}

static ssize_t read_all(int fd, size_t limit, struct bytes *out)
{
    uint8_t block[4096];
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : (ssize_t)out->len;
        if (out->len + (size_t)n > limit)
            return -EFBIG;
        bytes_add(out, SPAN(block, (size_t)n));
    }
}

static ssize_t kernel_read(const char *path, size_t limit, struct bytes *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t result = read_all(fd, limit, out);
    close(fd);
    return result;
}

const struct tsm_files tsm_kernel_files = {
    .make_folder = kernel_make_folder,
    .remove_folder = kernel_remove_folder,
    .write = kernel_write,
    .read = kernel_read,
};
