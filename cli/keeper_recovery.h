/* The key-encryption key out of the hands of one machine (trust.md section 5): wrapped to offline
 * recovery certificates when it is made, proved to open, and brought back. */
#ifndef MUSTER_CLI_KEEPER_RECOVERY_H
#define MUSTER_CLI_KEEPER_RECOVERY_H

#include "cli/arguments.h"
#include "lib/base/bytes.h"
#include "lib/crypto/cert.h"
#include "lib/crypto/recovery.h"

struct recovery_certs {
    size_t count;
    struct cert *at[RECOVERY_KEYS_MOST];
};
enum outcome recovery_certs_read(const struct argument_list *paths, struct recovery_certs *out,
                                 struct error *err);
void recovery_certs_done(struct recovery_certs *certs);

/* What is kept beside the wrapped key and on paper: says which key it is, and nothing of it. */
struct recovery_files {
    struct bytes wrapped;                  /* kek.cms */
    char fingerprint[2 * SHA256_SIZE + 1]; /* kek.sha256 */
};
enum outcome recovery_files_make(const char *kek_path, const struct recovery_certs *certs,
                                 struct recovery_files *out, struct error *err);

/* `muster keeper recovery-test ...` and `muster keeper recover ...`; argv[1] is the verb. */
enum outcome keeper_recovery_test(int argc, char **argv, struct error *err);
enum outcome keeper_recover(int argc, char **argv, struct error *err);

#endif
