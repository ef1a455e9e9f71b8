#include "lib/base/base.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *p)
{
    if (p == NULL) {
        fputs("muster: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *mem_new(size_t count, size_t size)
{
    return or_die(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *mem_resize(void *p, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return or_die(NULL);
    return or_die(realloc(p, count * size > 0 ? count * size : 1));
}

char *mem_text(const char *text)
{
    return or_die(strdup(text));
}

void mem_drop(void *pointer_to_pointer)
{
    void **p = pointer_to_pointer;
    free(*p);
    *p = NULL;
}
