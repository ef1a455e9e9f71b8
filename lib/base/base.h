/* The words C lacks: sizes of arrays, ownership of variables, early return, memory that is there.
 */
#ifndef MUSTER_BASE_BASE_H
#define MUSTER_BASE_BASE_H

#include <stddef.h>

#define countof(a) (sizeof(a) / sizeof((a)[0]))

/* Release the variable on every way out of its scope. `release` takes a pointer to the variable and
 * accepts one that is NULL or zeroes. Define release functions for pointers with DROP(). */
#define OWNED(release) [[gnu::cleanup(release)]]

/* Hand an owned pointer over: the variable is NULL afterwards and is not released here. */
#define TAKE(p)                                                                                    \
    ({                                                                                             \
        typeof(p) take_ = (p);                                                                     \
        (p) = NULL;                                                                                \
        take_;                                                                                     \
    })

/* `DROP(json_drop, json_t, json_decref)` defines `void json_drop(json_t **)` for OWNED(). */
#define DROP(name, type, release)                                                                  \
    [[maybe_unused]] static inline void name(type **p)                                             \
    {                                                                                              \
        if (*p != NULL) {                                                                          \
            release(*p);                                                                           \
            *p = NULL;                                                                             \
        }                                                                                          \
    }

/* Return at once when `call` is not OK. The only macro that hides control flow. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum outcome try_ = (call);                                                                \
        if (try_ != OK)                                                                            \
            return try_;                                                                           \
    } while (0)

#define PRINTF(fmt, first) [[gnu::format(printf, fmt, first)]]

/* Zeroed memory, always: running out ends the process, for the database is the truth and a restart
 * is normal. Release with free(). */
[[gnu::returns_nonnull]] void *mem_new(size_t count, size_t size);
[[gnu::returns_nonnull]] void *mem_resize(void *p, size_t count, size_t size);
[[gnu::returns_nonnull]] char *mem_text(const char *text);

/* For OWNED() on anything free() releases. */
void mem_drop(void *pointer_to_pointer);

#define NEW(type) ((type *)mem_new(1, sizeof(type)))

#endif
