/* Whole files, bounded and atomic. */
#ifndef MUSTER_BASE_FILE_H
#define MUSTER_BASE_FILE_H

#include <sys/types.h>

#include "lib/base/bytes.h"

/* Regular file of at most `limit` bytes; ERR_NOT_FOUND, ERR_INVALID "too-large", ERR_INTERNAL. */
enum outcome file_read(const char *path, size_t limit, struct bytes *out, struct error *err);

/* As file_read, and refuses a file that others may read or write (mode & 077). */
enum outcome file_read_private(const char *path, size_t limit, struct bytes *out,
                               struct error *err);

/* Write beside, fsync, rename, fsync the folder: a reader sees the old file or the new one. */
enum outcome file_write(const char *path, struct span content, mode_t mode, struct error *err);

/* Like file_write, but fails with ERR_CONFLICT when the file is already there. */
enum outcome file_create(const char *path, struct span content, mode_t mode, struct error *err);

/* Make a folder and its parents; fine when it is there. */
enum outcome folder_make(const char *path, mode_t mode, struct error *err);

#endif
