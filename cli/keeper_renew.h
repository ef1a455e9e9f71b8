/* New certificates for the roles of a deployment, before the ones they have run out: offline, where
 * the root's key is. */
#ifndef MUSTER_CLI_KEEPER_RENEW_H
#define MUSTER_CLI_KEEPER_RENEW_H

#include "cli/arguments.h"
#include "lib/crypto/cert.h"

struct keeper_renew {
    const char *folder; /* as keeper_init() made it; of root/ and the roles' what is needed */
    struct argument_list roles;            /* words; none: all */
    struct argument_list controller_names; /* none: those of the certificate before */
    int64_t days;
    bool new_key;
    bool withdraw; /* with new_key: the keys before leave the list of keys for others at once */
};

/* What was done for one role. */
struct renewed {
    enum cert_role role;
    struct moment before; /* when the one before ends; none: there was none */
    struct moment until;
    uint8_t key[SHA256_SIZE];
};
struct renewals {
    size_t count;
    struct renewed at[ARGUMENT_LIST_MAX];
};

/* All are made and checked before the first is put in place, and each is put there at once: the
 * file holds the old certificate or the new one. With `new_key` it holds both until the key is
 * there. Without a key file the certificate before says which key it is, so no private key need
 * travel. ERR_INVALID "wrong-key": the root's key, or the role's, is not the certificate's;
 * "wrong-role". ERR_DENIED "wrong-root": not the root that the role's folder names;
 * "realm-mismatch". */
enum outcome keeper_renew(const struct keeper_renew *wish, struct renewals *out, struct error *err);

/* `muster keeper renew ...`; argv[1] is the verb. */
enum outcome keeper_renew_command(int argc, char **argv, struct error *err);

#endif
