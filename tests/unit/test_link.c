/* The link between good parties, in process, over loopback (design.md section 5). */
#include "lib/net/link.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/link_party.h"
#include "tests/support/test.h"

static void a_frame_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct caller caller = caller_to(desk);
    const size_t sizes[] = {0, 1, 200, 511, 512, 513, 16383, 16384, 16385, 65536, LINK_FRAME_MAX};
    for (size_t i = 0; i < countof(sizes); i++) {
        OWNED(bytes_done) struct bytes body = {0};
        bytes_add_room(&body, sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            body.at[k] = (uint8_t)(k * 31 + i);
        caller_echo(&caller, UINT64_MAX - i, bytes_span(&body));
    }
    caller_close(&caller);
    desk_close(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_comes_back_as_it_was_sent),
    };
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
