#include <stdlib.h>

#include "lib/attest/kds.h"
#include "lib/attest/thim.h"
#include "tests/fuzz/fuzz.h"

/* Every way in for what a key distribution service, a host or a folder gives. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span in = SPAN(data, size);
    const struct moment at = clock_at_seconds(1795478400);
    OWNED(kds_pieces_done) struct kds_pieces pieces = {0};
    OWNED(thim_done) struct thim thim = {0};
    error_ignore(thim_parse(in, &thim, NULL));
    error_ignore(kds_sort(in, &pieces, NULL));
    for (int what = 0; what < KDS_WHAT_COUNT; what++) {
        OWNED(kds_content_done) struct kds_content content = {0};
        const struct kds_item item = {.what = (enum kds_what)what, .line = LINE_MILAN};
        error_ignore(kds_check(&item, in, in, snp_roots_amd(), at, &content, NULL));
        if (content.bytes.len > KDS_ANSWER_MAX + 4096)
            abort();
    }
    for (size_t i = 0; i < pieces.count; i++) {
        char name[KDS_NAME_SIZE];
        OWNED(text_done) struct text url = {0};
        kds_name(&pieces.at[i].item, name);
        kds_url(&pieces.at[i].item, "https://kdsintf.amd.com", &url);
    }
    return 0;
}
