/* muster-agent-metadata: asks a cloud's metadata service for its signed word on this machine, for
 * muster-agent, which speaks no HTTP itself. Prints the documents that came. */
#include <stdio.h>
#include <string.h>

#include "agent/metadata_client.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

enum { USED_WRONGLY = 2, WAIT_MS_MAX = 30000 };

static enum outcome read_arguments(char **argv, uint8_t nonce[static NONCE_SIZE],
                                   struct metadata_question *out, struct error *err)
{
    int cloud;
    TRY(name_parse(&cloud_kind_names, argv[1], &cloud, err));
    TRY(hex_decode_exact(argv[3], nonce, NONCE_SIZE, err));
    TRY(number_parse(argv[4], 1, WAIT_MS_MAX, &out->wait_ms, err));
    out->cloud = (enum cloud_kind)cloud;
    out->endpoint = argv[2];
    out->nonce = nonce;
    return strncmp(out->endpoint, "http", 4) == 0 ? OK : fail(err, ERR_INVALID, "not a URL");
}

static bool print_documents(const struct cloud_documents *documents)
{
    OWNED(json_drop) json_t *json = cloud_documents_to_json(documents);
    OWNED(mem_drop) char *text = json_print(json);
    return puts(text) >= 0 && fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
    OWNED(cloud_documents_done) struct cloud_documents documents = {0};
    struct metadata_question question = {0};
    struct error err = {0};
    uint8_t nonce[NONCE_SIZE];
    log_start("muster-agent-metadata");
    if (argc != 5 || read_arguments(argv, nonce, &question, &err) != OK) {
        fprintf(stderr, "usage: muster-agent-metadata aws|azure|gcp URL NONCE MILLISECONDS\n");
        return USED_WRONGLY;
    }
    if (metadata_ask(&question, &documents, &err) != OK)
        log_error("documents.not-had", &err);
    return print_documents(&documents) ? 0 : 1;
}
