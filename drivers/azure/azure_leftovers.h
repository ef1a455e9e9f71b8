/* What a machine on Azure has that outlives it when it is not told to end with it. Pure: bytes in,
 * structs out. */
#ifndef MUSTER_DRIVERS_AZURE_AZURE_LEFTOVERS_H
#define MUSTER_DRIVERS_AZURE_AZURE_LEFTOVERS_H

#include "drivers/azure/azure_requests.h"

void arm_list_left(const struct account *account, enum leftover_kind kind, struct arm_request *out);
void arm_discard(const struct account *account, enum leftover_kind kind, const char *ref,
                 struct arm_request *out);
bool arm_left_name_is_valid(const char *name);

/* A page: adds what bears the owner's tag and nothing has; `next` is set, or emptied. `ambiguous`
 * when it cannot be read. */
enum outcome arm_read_left(enum leftover_kind kind, const char *owner, struct span body,
                           struct leftover_list *out, struct text *next, struct error *err);

#endif
