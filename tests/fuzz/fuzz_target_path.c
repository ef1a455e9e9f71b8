/* A request's target: the decoder, the table of routes and the parameters of what was found. */
#include <string.h>

#include "controller/routes.h"
#include "tests/fuzz/fuzz.h"

static bool reads_two_ways(const char *segment)
{
    return segment[0] == '\0' || strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0 ||
           strpbrk(segment, "/\\") != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "OPTIONS"};
    struct http_target target = {0};
    OWNED(text_done) struct text raw = {0};
    text_add_span(&raw, SPAN(data, size));
    if (http_target_parse(text_str(&raw), &target, NULL) != OK)
        return 0;
    for (size_t i = 0; i < target.segment_count; i++)
        if (reads_two_ways(target.segments[i]))
            __builtin_trap();
    for (size_t i = 0; i < countof(methods); i++) {
        const struct route *route;
        const char *args[REQUEST_ARGS_MAX];
        char allow[96];
        if (route_find(methods[i], &target, &route, args, allow, sizeof allow, NULL) == OK)
            error_ignore(route_check_query(route, &target, NULL));
    }
    http_target_done(&target);
    return 0;
}
