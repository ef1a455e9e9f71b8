#include "agent/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/envelope.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

/* A secret's version never goes back. */
struct floor {
    struct uuid secret;
    int64_t version;
};

struct remembered {
    struct uuid delivery;
    uint8_t envelope[SHA256_SIZE];
    struct secret_loaded loaded;
};

struct secrets {
    char folder[PATH_MAX - 128];
    char hooks_dir[PATH_MAX - 128];
    int64_t hook_seconds;
    struct secrets_guest guest;
    int64_t sequence;
    struct floor floors[SECRETS_MAX];
    size_t floor_count;
    struct remembered remembered[SECRETS_REMEMBERED];
    size_t remembered_next;
};

/* ---- the folder ------------------------------------------------------------------------------ */

static enum outcome check_folder(int fd, const struct secrets_places *places, struct error *err)
{
    struct stat st;
    struct statfs fs;
    if (fstat(fd, &st) != 0 || fstatfs(fd, &fs) != 0)
        return fail(err, ERR_INTERNAL, "looking at %s: %s", places->folder, strerror(errno));
    if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
        return fail_code(err, ERR_DENIED, "secrets-dir-not-private",
                         "%s has owner %u and mode %03o, it must be ours and 700", places->folder,
                         (unsigned)st.st_uid, st.st_mode & 0777);
    if (!places->allow_non_tmpfs && fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC)
        return fail_code(err, ERR_DENIED, "secrets-dir-not-tmpfs",
                         "%s is not on tmpfs: a secret would reach a disk", places->folder);
    return OK;
}

static enum outcome open_folder(const struct secrets_places *places, struct error *err)
{
    TRY(folder_make(places->folder, 0700, err));
    int fd = open(places->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(err, ERR_INVALID, "opening %s: %s", places->folder, strerror(errno));
    enum outcome outcome = check_folder(fd, places, err);
    close(fd);
    return outcome;
}

enum outcome secrets_open(const struct secrets_places *places, const struct secrets_guest *guest,
                          struct secrets **out, struct error *err)
{
    OWNED(secrets_drop) struct secrets *made = NEW(struct secrets);
    TRY(text_copy(made->folder, sizeof made->folder, places->folder, "secrets-dir", err));
    TRY(text_copy(made->hooks_dir, sizeof made->hooks_dir, places->hooks_dir, "hooks-dir", err));
    TRY(open_folder(places, err));
    made->hook_seconds = places->hook_seconds;
    made->guest = *guest;
    *out = TAKE(made);
    return OK;
}

void secrets_close(struct secrets *s)
{
    free(s);
}

int64_t secrets_sequence(const struct secrets *s)
{
    return s->sequence;
}

/* ---- what was seen --------------------------------------------------------------------------- */

static struct floor *find_floor(struct secrets *s, const struct uuid *secret)
{
    for (size_t i = 0; i < s->floor_count; i++)
        if (uuid_equal(&s->floors[i].secret, secret))
            return &s->floors[i];
    return NULL;
}

static enum outcome check_version(struct secrets *s, const struct seal_header *header,
                                  struct error *err)
{
    const struct floor *floor = find_floor(s, &header->secret);
    if (floor == NULL && s->floor_count == SECRETS_MAX)
        return fail_code(err, ERR_THROTTLED, "too-many-secrets",
                         "this guest already holds %d secrets", SECRETS_MAX);
    if (floor != NULL && header->version < floor->version)
        return fail_code(err, ERR_DENIED, "old-version",
                         "version %lld of %s, but this guest has seen %lld",
                         (long long)header->version, header->name, (long long)floor->version);
    return OK;
}

static void raise_floors(struct secrets *s, const struct seal_header *header)
{
    struct floor *floor = find_floor(s, &header->secret);
    if (floor == NULL) {
        floor = &s->floors[s->floor_count++];
        floor->secret = header->secret;
    }
    floor->version = header->version;
    s->sequence = header->sequence;
}

static const struct remembered *find_remembered(const struct secrets *s,
                                                const struct secrets_job *job)
{
    for (size_t i = 0; i < SECRETS_REMEMBERED; i++)
        if (uuid_equal(&s->remembered[i].delivery, &job->delivery) &&
            memcmp(s->remembered[i].envelope, job->envelope, SHA256_SIZE) == 0)
            return &s->remembered[i];
    return NULL;
}

static void remember(struct secrets *s, const struct secrets_job *job)
{
    if (find_remembered(s, job) != NULL)
        return;
    struct remembered *r = &s->remembered[s->remembered_next++ % SECRETS_REMEMBERED];
    r->delivery = job->delivery;
    memcpy(r->envelope, job->envelope, SHA256_SIZE);
    r->loaded = job->loaded;
}

/* ---- envelopes ------------------------------------------------------------------------------- */

static enum outcome open_envelope(const struct secrets *s, const char *purpose,
                                  struct span envelope, struct key *const keys[SEALING_KEYS_MAX],
                                  struct seal_header *header, struct locked *plain,
                                  struct error *err)
{
    const struct seal_expected expected = {
        .purpose = purpose,
        .instance = s->guest.instance,
        .after_sequence = s->sequence,
        .roots = s->guest.roots,
        .root_count = s->guest.root_count,
        .at = clock_now(),
    };
    return envelope_open(envelope, keys, &expected, header, plain, err);
}

static enum outcome check_header(struct secrets *s, const struct seal_header *header,
                                 const struct uuid *delivery, const char *name, struct error *err)
{
    if (!text_is_name(header->name))
        return fail_code(err, ERR_DENIED, "bad-name", "the envelope's name is not one");
    if (strcmp(header->name, name) != 0)
        return fail_code(err, ERR_DENIED, "wrong-name", "the envelope holds %s, not %.63s",
                         header->name, name);
    if (!uuid_equal(&header->delivery, delivery))
        return fail_code(err, ERR_DENIED, "wrong-delivery",
                         "the envelope belongs to another delivery");
    return check_version(s, header, err);
}

static void begin_job(const struct uuid *delivery, struct span envelope, struct secrets_job *job)
{
    *job = (struct secrets_job){.delivery = *delivery};
    digest(DIGEST_SHA256, envelope, job->envelope);
}

static void path_of(const struct secrets *s, const char *name, char out[static PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", s->folder, name);
}

static enum outcome place(struct secrets *s, const struct seal_header *header,
                          const struct locked *plain, struct error *err)
{
    char path[PATH_MAX];
    path_of(s, header->name, path);
    return file_write(path, locked_span(plain), 0400, err);
}

enum outcome secrets_deliver(struct secrets *s, const struct secret_delivery *delivery,
                             struct key *const keys[static SEALING_KEYS_MAX],
                             struct secrets_job *out, struct error *err)
{
    struct secrets_job job;
    struct seal_header header = {0};
    OWNED(locked_done) struct locked plain = {0};
    begin_job(&delivery->delivery, bytes_span(&delivery->envelope), &job);
    const struct remembered *known = find_remembered(s, &job);
    if (known != NULL) {
        job.loaded = known->loaded;
        *out = job;
        return OK;
    }
    TRY(open_envelope(s, SEAL_PURPOSE_SECRET, bytes_span(&delivery->envelope), keys, &header,
                      &plain, err));
    TRY(check_header(s, &header, &delivery->delivery, delivery->secret, err));
    TRY(place(s, &header, &plain, err));
    raise_floors(s, &header);
    job.loaded.loaded = true;
    seal_check(SPAN_OF(header.salt), locked_span(&plain), job.loaded.check);
    TRY(hook_start(&job.hook, s->hooks_dir, header.name, "reload", s->hook_seconds, err));
    *out = job;
    return OK;
}

enum outcome secrets_forget(struct secrets *s, const struct secret_forget *order,
                            struct key *const keys[static SEALING_KEYS_MAX],
                            struct secrets_job *out, struct error *err)
{
    struct secrets_job job;
    struct seal_header header = {0};
    OWNED(locked_done) struct locked nothing = {0};
    begin_job(&order->delivery, bytes_span(&order->order), &job);
    if (find_remembered(s, &job) != NULL) {
        *out = job;
        return OK;
    }
    TRY(open_envelope(s, SEAL_PURPOSE_FORGET, bytes_span(&order->order), keys, &header, &nothing,
                      err));
    TRY(check_header(s, &header, &order->delivery, order->secret, err));
    char path[PATH_MAX];
    path_of(s, header.name, path);
    if (unlink(path) != 0 && errno != ENOENT)
        return fail(err, ERR_INTERNAL, "removing %s: %s", path, strerror(errno));
    raise_floors(s, &header);
    TRY(hook_start(&job.hook, s->hooks_dir, header.name, "forget", s->hook_seconds, err));
    *out = job;
    return OK;
}

bool secrets_job_ended(struct secrets *s, struct secrets_job *job, enum outcome *result,
                       struct error *err)
{
    *result = OK;
    if (hook_is_running(&job->hook) && !hook_ended(&job->hook, result, err))
        return false;
    if (*result == OK)
        remember(s, job);
    return true;
}
