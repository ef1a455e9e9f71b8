#include "emulator/operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/random.h"

struct operation *operations_add(struct operations *operations, enum account_driver cloud)
{
    if (operations->at == NULL)
        operations->at = mem_resize(NULL, OPERATIONS_MAX, sizeof *operations->at);
    struct operation *fresh = &operations->at[operations->begun++ % OPERATIONS_MAX];
    const struct uuid id = uuid_new();
    *fresh = (struct operation){.cloud = cloud, .begun = clock_now()};
    snprintf(fresh->id, sizeof fresh->id, "%s", uuid_text(&id).at);
    return fresh;
}

struct operation *operations_find(struct operations *operations, enum account_driver cloud,
                                  const char *id)
{
    size_t count = operations->begun < OPERATIONS_MAX ? operations->begun : OPERATIONS_MAX;
    for (size_t i = 0; i < count; i++)
        if (operations->at[i].cloud == cloud && strcmp(operations->at[i].id, id) == 0)
            return &operations->at[i];
    return NULL;
}

void operations_done(struct operations *operations)
{
    free(operations->at);
    *operations = (struct operations){0};
}
