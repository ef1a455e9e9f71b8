/* configfs-tsm as a tree of plain files, with the test as the kernel: what it does wrong, and what
 * it saw. */
#ifndef MUSTER_TESTS_FAKE_TSM_H
#define MUSTER_TESTS_FAKE_TSM_H

#include "agent/tsm.h"

extern struct fake_tsm {
    char tree[32];
    const char *provider;
    const char *file; /* the file whose use fails with `number`, `times` times */
    int number;
    int times;
    int disturbances; /* how often another process writes in between */
    size_t report_size;
    size_t certs_size;
    struct span manifest; /* of the SVSM's vTPM; borrowed */
    /* Instead of zeroes with the data in their place. */
    void (*make)(struct span data, struct bytes *report, struct bytes *certs);
    int folders_made, folders_removed, writes;
    struct bytes asked;
    char privlevel[8], service_provider[16], service_guid[48]; /* as written, or "" */
    int generation;
} fake_tsm;

extern const struct tsm_files fake_tsm_files;

/* For cmocka: healthy, and afterwards no folder is left. */
int fake_tsm_set_up(void **state);
int fake_tsm_tear_down(void **state);

#endif
