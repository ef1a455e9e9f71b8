/* SEV-SNP reports over Linux's configfs-tsm (6.7 and later). The four things it does to files stand
 * behind a seam, so that a test can be the kernel. */
#ifndef MUSTER_AGENT_TSM_H
#define MUSTER_AGENT_TSM_H

#include <sys/types.h>

#include "agent/tee.h"

/* Each gives -errno on failure. */
struct tsm_files {
    int (*make_folder)(const char *path);
    int (*remove_folder)(const char *path);
    int (*write)(const char *path, struct span content);
    ssize_t (*read)(const char *path, size_t limit, struct bytes *out);
};
extern const struct tsm_files tsm_kernel_files;

enum { TSM_ATTEMPTS = 5 };

/* Adds report and certificate table to the evidence. */
enum outcome tsm_report(const struct tsm_files *files, const char *tsm_path,
                        const uint8_t report_data[static BINDING_SIZE], struct evidence *out,
                        struct error *err);

#endif
