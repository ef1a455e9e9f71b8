#include "tests/support/cost.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)

bool cost_is_measurable(void)
{
    return false;
}

static size_t held_most(void)
{
    return 0;
}

static size_t count_from_here(void)
{
    return 0;
}

#else

static _Atomic size_t held;
static _Atomic size_t most;

bool cost_is_measurable(void)
{
    return true;
}

static size_t held_most(void)
{
    return most;
}

static size_t count_from_here(void)
{
    const size_t now = held;
    most = now;
    return now;
}

static void *took(void *p)
{
    if (p == NULL)
        return NULL;
    const size_t now = held += malloc_usable_size(p);
    size_t before = most;
    while (now > before && !atomic_compare_exchange_weak(&most, &before, now))
        continue;
    return p;
}

static void gave(void *p)
{
    if (p != NULL)
        held -= malloc_usable_size(p);
}

/* glibc's own, under the names it keeps for those who stand before it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

void *malloc(size_t size)
{
    return took(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return took(__libc_calloc(count, size));
}

void *realloc(void *p, size_t size)
{
    gave(p);
    void *made = __libc_realloc(p, size);
    if (made == NULL && size > 0)
        (void)took(p);
    return took(made);
}

void free(void *p)
{
    gave(p);
    __libc_free(p);
}

#endif

static double thread_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

struct cost cost_of(cost_fn *call, void *context)
{
    struct cost least = {.cpu_ms = 1e9, .peak_bytes = SIZE_MAX};
    for (int round = 0; round < 3; round++) {
        const size_t before = count_from_here();
        const double start = thread_ms();
        call(context);
        const double took_ms = thread_ms() - start;
        if (took_ms < least.cpu_ms)
            least.cpu_ms = took_ms;
        if (held_most() - before < least.peak_bytes)
            least.peak_bytes = held_most() - before;
    }
    return least;
}
