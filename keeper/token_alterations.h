/* A verdict that was given, shown as it must not be: one table says how, and with which code a
 * release must refuse it (trust.md section 10). Beside keeper/alterations.c, which alters evidence.
 */
#ifndef MUSTER_KEEPER_TOKEN_ALTERATIONS_H
#define MUSTER_KEEPER_TOKEN_ALTERATIONS_H

#include "keeper/inside.h"

struct token_alteration {
    const char *name;
    /* A token to show, and for which instance; NULL: not a question here. The caller frees it. */
    char *(*make)(const struct keeper *keeper, const struct verdict_token *genuine,
                  struct uuid *instance);
    const char *code;
};
extern const struct token_alteration token_alterations[];
extern const size_t token_alteration_count;

#endif
