#include "agent/metadata_source.h"

#include <stdio.h>
#include <string.h>

#include "agent/helper.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

enum { VENDOR_MAX = 256 };

static enum cloud_kind of_vendor(const char *file)
{
    static const struct {
        const char *maker;
        enum cloud_kind cloud;
    } makers[] = {{"Amazon EC2\n", CLOUD_AWS},
                  {"Microsoft Corporation\n", CLOUD_AZURE},
                  {"Google\n", CLOUD_GCP}};
    OWNED(bytes_done) struct bytes maker = {0};
    if (file_read(file, VENDOR_MAX, &maker, NULL) != OK)
        return CLOUD_NONE;
    for (size_t i = 0; i < countof(makers); i++)
        if (span_equal(bytes_span(&maker), span_of_text(makers[i].maker)))
            return makers[i].cloud;
    return CLOUD_NONE;
}

enum outcome metadata_cloud(const char *word, const char *vendor_file, enum cloud_kind *out,
                            struct error *err)
{
    int cloud;
    if (strcmp(word, "auto") == 0) {
        *out = of_vendor(vendor_file);
        return OK;
    }
    if (name_parse(&cloud_kind_names, word, &cloud, NULL) != OK)
        return fail_at(err, ERR_INVALID, "bad-setting", "metadata",
                       "metadata is auto, none, aws, azure or gcp, not '%.32s'", word);
    *out = (enum cloud_kind)cloud;
    return OK;
}

static enum outcome ask(const struct metadata_source *source,
                        const uint8_t nonce[static NONCE_SIZE], struct cloud_documents *out,
                        struct error *err)
{
    OWNED(bytes_done) struct bytes answer = {0};
    OWNED(json_drop) json_t *json = NULL;
    char hex[2 * NONCE_SIZE + 1];
    char wait_ms[24];
    hex_encode(SPAN(nonce, NONCE_SIZE), hex);
    snprintf(wait_ms, sizeof wait_ms, "%lld", (long long)source->most_seconds * 1000 / 4);
    const char *const arguments[] = {
        source->program,  name_of(&cloud_kind_names, (int)source->cloud),
        source->endpoint, hex,
        wait_ms,          NULL};
    const struct helper helper = {arguments, source->most_seconds, CLOUD_RECORD_MAX};
    TRY(helper_run(&helper, &answer, err));
    TRY(json_parse(bytes_span(&answer), CLOUD_RECORD_MAX, &json, err));
    return cloud_documents_from_json(json, out, err);
}

bool metadata_source_ask(const struct metadata_source *source,
                         const uint8_t nonce[static NONCE_SIZE], struct cloud_documents *out)
{
    struct error why = {0};
    if (source->cloud == CLOUD_NONE)
        return true;
    if (ask(source, nonce, out, &why) != OK)
        LOG(WARN, "documents.left-out", TEXT("code", why.code), TEXT("why", why.text));
    for (size_t i = 0; i < CLOUD_PARTS; i++)
        if (out->parts[i].len > 0)
            return true;
    return false;
}
