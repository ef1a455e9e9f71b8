#include "tests/support/fake_tsm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/tee.h"
#include "lib/base/file.h"
#include "tests/support/test.h"

struct fake_tsm fake_tsm;

static void put(const char *folder, const char *name, struct span content)
{
    struct error err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    assert_ok(file_write(path, content, 0600, &err));
}

static void put_generation(const char *folder)
{
    char word[16];
    snprintf(word, sizeof word, "%d\n", fake_tsm.generation);
    put(folder, "generation", span_of_text(word));
}

static int fails(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    if (fake_tsm.file == NULL || strcmp(name, fake_tsm.file) != 0 || fake_tsm.times == 0)
        return 0;
    fake_tsm.times--;
    return -fake_tsm.number;
}

static int make_folder(const char *path)
{
    int failed =
        fails(fake_tsm.file != NULL && strcmp(fake_tsm.file, "mkdir") == 0 ? "/mkdir" : path);
    if (failed != 0)
        return failed;
    if (tsm_kernel_files.make_folder(path) != 0)
        return -errno;
    fake_tsm.folders_made++;
    fake_tsm.generation = 0;
    put(path, "provider", span_of_text(fake_tsm.provider));
    put_generation(path);
    put(path, "inblob", (struct span){0});
    put(path, "privlevel", (struct span){0});
    put(path, "service_provider", (struct span){0});
    put(path, "service_guid", (struct span){0});
    return 0;
}

static int remove_folder(const char *path)
{
    static const char *const names[] = {"provider",  "generation",       "inblob",
                                        "outblob",   "auxblob",          "manifestblob",
                                        "privlevel", "service_provider", "service_guid"};
    for (size_t i = 0; i < countof(names); i++) {
        char file[512];
        snprintf(file, sizeof file, "%s/%s", path, names[i]);
        unlink(file);
    }
    fake_tsm.folders_removed++;
    return tsm_kernel_files.remove_folder(path);
}

static void make(struct span data, struct bytes *report, struct bytes *certs)
{
    if (fake_tsm.make != NULL) {
        fake_tsm.make(data, report, certs);
        return;
    }
    bytes_add_room(report, fake_tsm.report_size);
    if (fake_tsm.report_size >= 0x50 + data.len)
        memcpy(report->at + 0x50, data.at, data.len);
    bytes_add_room(certs, fake_tsm.certs_size);
}

static void answer(const char *folder, struct span data)
{
    OWNED(bytes_done) struct bytes report = {0};
    OWNED(bytes_done) struct bytes certs = {0};
    make(data, &report, &certs);
    put(folder, "outblob", bytes_span(&report));
    put(folder, "auxblob", bytes_span(&certs));
    if (fake_tsm.service_provider[0] != '\0')
        put(folder, "manifestblob", fake_tsm.manifest);
    if (fake_tsm.disturbances > 0) {
        fake_tsm.disturbances--;
        fake_tsm.generation++;
    }
}

static void note(const char *path, const char *name, struct span content, char *out, size_t size)
{
    if (strcmp(strrchr(path, '/') + 1, name) == 0)
        snprintf(out, size, "%.*s", (int)content.len, (const char *)content.at);
}

static int write_file(const char *path, struct span content)
{
    int failed = fails(path);
    if (failed != 0)
        return failed;
    fake_tsm.writes++;
    fake_tsm.generation++;
    note(path, "privlevel", content, fake_tsm.privlevel, sizeof fake_tsm.privlevel);
    note(path, "service_provider", content, fake_tsm.service_provider,
         sizeof fake_tsm.service_provider);
    note(path, "service_guid", content, fake_tsm.service_guid, sizeof fake_tsm.service_guid);
    char folder[512];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    int result = tsm_kernel_files.write(path, content);
    if (strcmp(strrchr(path, '/') + 1, "inblob") == 0) {
        bytes_done(&fake_tsm.asked);
        fake_tsm.asked = bytes_copy(content);
        answer(folder, content);
    }
    put_generation(folder);
    return result;
}

static ssize_t read_file(const char *path, size_t limit, struct bytes *out)
{
    int failed = fails(path);
    return failed != 0 ? failed : tsm_kernel_files.read(path, limit, out);
}

const struct tsm_files fake_tsm_files = {make_folder, remove_folder, write_file, read_file};

int fake_tsm_set_up(void **state)
{
    (void)state;
    fake_tsm = (struct fake_tsm){.tree = "/tmp/muster-tsm-XXXXXX",
                                 .provider = "sev_guest\n",
                                 .report_size = TEE_REPORT_SIZE,
                                 .certs_size = 4096};
    return mkdtemp(fake_tsm.tree) == NULL;
}

int fake_tsm_tear_down(void **state)
{
    (void)state;
    assert_int_equal(fake_tsm.folders_made, fake_tsm.folders_removed);
    bytes_done(&fake_tsm.asked);
    return rmdir(fake_tsm.tree);
}
