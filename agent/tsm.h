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

struct tsm_wish {
    const uint8_t *report_data; /* BINDING_SIZE bytes */
    int64_t privlevel;          /* VMPL; negative: the kernel's choice */
    bool svsm_vtpm; /* with the manifest of an SVSM's vTPM, which makes the report's data another */
};

/* Adds report, certificate table and, where it is asked for, the manifest to the evidence. */
enum outcome tsm_report(const struct tsm_files *files, const char *tsm_path,
                        const struct tsm_wish *wish, struct evidence *out, struct error *err);

#endif
