/* What keepers sign opinions and passports with, for everybody to know: each keeper's set as the
 * root signed it, and all of them together. Any thread. */
#ifndef MUSTER_CONTROLLER_KEY_BOOK_H
#define MUSTER_CONTROLLER_KEY_BOOK_H

#include "lib/crypto/jwks.h"

enum { KEY_BOOK_PAGES = 16 };

struct key_book;
struct key_book *key_book_new(void);
void key_book_free(struct key_book *book);

/* A keeper's set, checked by jwks_open(); the one it gave before is forgotten. Keepers that left
 * stay: what they signed is still about. The oldest goes when there are too many. */
void key_book_put(struct key_book *book, const uint8_t keeper[static SHA256_SIZE], const char *jwt,
                  const struct jwks *set);

/* {"keys": [...], "signed_jwks": [JWT, ...]}: every key once, none that is over. ERR_UNREACHABLE
 * "no-keeper" while no keeper has said what it signs with. */
enum outcome key_book_show(struct key_book *book, struct moment now, json_t **out,
                           struct error *err);

#endif
