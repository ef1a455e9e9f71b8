/* Making a deployment: root, role certificates, key-encryption key, the keeper's memory, a key that
 * signs charters, and a charter to start from. Once, offline, on a machine that is trusted. */
#ifndef MUSTER_CLI_KEEPER_INIT_H
#define MUSTER_CLI_KEEPER_INIT_H

#include "cli/arguments.h"
#include "lib/crypto/cert.h"

struct keeper_init {
    const char *folder;
    enum realm realm;
    struct argument_list controller_names; /* for the controller's certificate */
    struct argument_list controllers;      /* where the keeper dials */
    const char *simulator_root;            /* PEM; simulation realm only */
    struct argument_list signers;          /* public keys in PEM, pinned beside the one made here */
    int64_t threshold;                     /* how many of all these sign a charter */
    struct argument_list recovery;         /* certificates in PEM; needed in production */
};

/* Makes below `folder`:
 *   root/        key.pem cert.pem               to be taken offline
 *   keeper/      all that keeper_open() reads, and keeper.conf
 *   controller/  cert.pem key.pem root.pem
 *   agent/       root.pem
 *   charter/     key.pem charter.json
 *   recovery/    kek.cms kek.sha256             where certificates for it are given
 * ERR_CONFLICT "already-there" when any of it exists: nothing is ever overwritten. ERR_INVALID
 * "recovery-keys": a production keeper's key is wrapped to at least two recovery certificates. */
enum outcome keeper_init(const struct keeper_init *init, struct error *err);

/* Where key and certificate of each role stand in a deployment. */
enum { ROLE_FILES = 6 };
struct role_files {
    enum cert_role role;
    const char *folder, *key, *cert;
};
extern const struct role_files role_files[ROLE_FILES];

#endif
