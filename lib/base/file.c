#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static enum outcome from_errno(struct error *err, const char *what, const char *path)
{
    enum outcome outcome = errno == ENOENT   ? ERR_NOT_FOUND
                           : errno == EEXIST ? ERR_CONFLICT
                           : errno == EACCES ? ERR_DENIED
                                             : ERR_INTERNAL;
    return fail(err, outcome, "%s %s: %s", what, path, strerror(errno));
}

static enum outcome read_all(int fd, const char *path, size_t limit, struct bytes *out,
                             struct error *err)
{
    OWNED(bytes_wipe) struct bytes made = {0};
    uint8_t block[16384];
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return from_errno(err, "reading", path);
        if (n == 0)
            break;
        if (made.len + (size_t)n > limit)
            return fail_code(err, ERR_INVALID, "too-large", "%s is larger than %zu bytes", path,
                             limit);
        bytes_add(&made, SPAN(block, (size_t)n));
    }
    explicit_bzero(block, sizeof block);
    bytes_wipe(out);
    *out = made;
    made = (struct bytes){0};
    return OK;
}

static enum outcome read_file(const char *path, size_t limit, mode_t forbidden, struct bytes *out,
                              struct error *err)
{
    OWNED(close_drop) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return from_errno(err, "opening", path);
    struct stat st;
    if (fstat(fd, &st) != 0)
        return from_errno(err, "looking at", path);
    if (!S_ISREG(st.st_mode))
        return fail(err, ERR_INVALID, "%s is not a regular file", path);
    if ((st.st_mode & forbidden) != 0)
        return fail_code(err, ERR_DENIED, "file-not-private", "%s has mode %03o, others may use it",
                         path, st.st_mode & 0777);
    return read_all(fd, path, limit, out, err);
}

enum outcome file_read(const char *path, size_t limit, struct bytes *out, struct error *err)
{
    return read_file(path, limit, 0, out, err);
}

enum outcome file_read_private(const char *path, size_t limit, struct bytes *out, struct error *err)
{
    return read_file(path, limit, 077, out, err);
}

static enum outcome write_all(int fd, const char *path, struct span content, struct error *err)
{
    for (size_t done = 0; done < content.len;) {
        ssize_t n = write(fd, content.at + done, content.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return from_errno(err, "writing", path);
        done += (size_t)n;
    }
    if (fsync(fd) != 0)
        return from_errno(err, "syncing", path);
    return OK;
}

static enum outcome sync_folder_of(const char *path, struct error *err)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
             slash != NULL ? path : ".");
    OWNED(close_drop) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return from_errno(err, "syncing", folder);
    return OK;
}

static enum outcome write_beside(const char *path, struct span content, mode_t mode,
                                 char beside[static PATH_MAX], struct error *err)
{
    if (snprintf(beside, PATH_MAX, "%s.%d.new", path, (int)getpid()) >= PATH_MAX)
        return fail(err, ERR_INVALID, "path too long: %.60s...", path);
    if (unlink(beside) != 0 && errno != ENOENT)
        return from_errno(err, "removing", beside);
    OWNED(close_drop) int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return from_errno(err, "creating", beside);
    if (fchmod(fd, mode) != 0)
        return from_errno(err, "setting the mode of", beside);
    return write_all(fd, beside, content, err);
}

enum outcome file_write(const char *path, struct span content, mode_t mode, struct error *err)
{
    char beside[PATH_MAX];
    enum outcome outcome = write_beside(path, content, mode, beside, err);
    if (outcome == OK && rename(beside, path) != 0)
        outcome = from_errno(err, "renaming to", path);
    if (outcome != OK) {
        unlink(beside);
        return outcome;
    }
    return sync_folder_of(path, err);
}

enum outcome file_create(const char *path, struct span content, mode_t mode, struct error *err)
{
    char beside[PATH_MAX];
    enum outcome outcome = write_beside(path, content, mode, beside, err);
    if (outcome == OK && link(beside, path) != 0)
        outcome = from_errno(err, "creating", path);
    unlink(beside);
    TRY(outcome);
    return sync_folder_of(path, err);
}

enum outcome folder_make(const char *path, mode_t mode, struct error *err)
{
    char part[PATH_MAX];
    if (path[0] == '\0')
        return fail(err, ERR_INVALID, "a folder without a name");
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return fail(err, ERR_INVALID, "path too long: %.60s...", path);
    for (char *at = part + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char kept = *at;
        *at = '\0';
        if (mkdir(part, mode) != 0 && errno != EEXIST)
            return from_errno(err, "making", part);
        if (kept == '\0')
            return OK;
        *at = kept;
    }
}
