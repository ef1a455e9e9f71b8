/* What a new machine is told (doc/protocol.md, User-data), and the ticket with which its agent
 * enrols. All of it is read by a hostile host; the ticket stops strangers, not the cloud. */
#ifndef MUSTER_CONTROLLER_USERDATA_H
#define MUSTER_CONTROLLER_USERDATA_H

#include "lib/base/uuid.h"
#include "lib/crypto/digest.h"

enum { TICKET_TEXT_SIZE = 44, USERDATA_CONTROLLERS_MOST = 8 };

struct launch_ticket {
    char text[TICKET_TEXT_SIZE];
    uint8_t hash[SHA256_SIZE]; /* of the text: what the row keeps */
};

/* Made from a key that no database holds, so that after a crash the same launch is said with the
 * same bytes and the cloud knows it again by its client token. To others it is random. */
void launch_ticket_key(struct span private_key_pem, uint8_t out[static SHA256_SIZE]);
void launch_ticket_make(const uint8_t key[static SHA256_SIZE], const struct uuid *instance,
                        struct launch_ticket *out);

/* `controllers` is one URL or several with commas between. ERR_INVALID "bad-setting" when there is
 * none, "too-large" when it would not fit a cloud's limit. */
enum outcome userdata_make(const char *controllers, struct span root_pem,
                           const struct uuid *instance, const struct launch_ticket *ticket,
                           struct bytes *out, struct error *err);

#endif
