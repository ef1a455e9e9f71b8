#include <stdlib.h>
#include <string.h>

#include "agent/local_request.h"
#include "tests/fuzz/fuzz.h"

/* What was taken says the same when it is printed. */
static void say_again(const struct local_request *request)
{
    struct local_request again = {0};
    OWNED(text_done) struct text line = {0};
    local_request_print(request, &line);
    if (local_request_parse(SPAN(line.at, line.len - 1), &again, NULL) != OK ||
        memcmp(&again, request, sizeof again) != 0)
        abort();
}

/* What a program on the guest's machine says, and what it hears. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct local_request request = {0};
    OWNED(mem_drop) char *token = NULL;
    OWNED(mem_drop) char *proof = NULL;
    if (local_request_parse(SPAN(data, size), &request, NULL) == OK)
        say_again(&request);
    error_ignore(local_answer_parse(SPAN(data, size), &token, &proof, NULL));
    error_ignore(local_shown_parse(SPAN(data, size), NULL));
    return 0;
}
