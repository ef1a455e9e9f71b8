#include "lib/model/snp_words.h"

#include <string.h>

static const char *const line_words[] = {"Milan", "Genoa", "Turin"};
_Static_assert(countof(line_words) == LINE_COUNT);
const struct names snp_line_names = NAMES("product line", line_words);

static const char *const product_words[] = {"unknown", "Milan", "Genoa", "Siena/Bergamo", "Turin"};
_Static_assert(countof(product_words) == PRODUCT_COUNT);
const struct names snp_product_names = NAMES("product", product_words);

static const char *const signer_words[] = {"VCEK", "VLEK"};
_Static_assert(countof(signer_words) == SIGNER_COUNT);
const struct names snp_signer_names = NAMES("signing key", signer_words);

static const char *const part_words[] = {"fmc", "bl", "tee", "snp", "ucode"};
_Static_assert(countof(part_words) == TCB_PART_COUNT);
const struct names tcb_part_names = NAMES("TCB part", part_words);

/* clang-format off */
static const struct {
    uint8_t family, model_from, model_to;
    enum snp_product product;
} models[] = {
    {0x19, 0x00, 0x0f, PRODUCT_MILAN},
    {0x19, 0x10, 0x1f, PRODUCT_GENOA},
    {0x19, 0xa0, 0xaf, PRODUCT_SIENA},
    {0x1a, 0x00, 0x11, PRODUCT_TURIN},
};

/* Which byte of a TCB version, counted from the lowest, holds a part; -1: the part does not exist. */
static const int8_t part_bytes[2][TCB_PART_COUNT] = {
    /*             FMC BL TEE SNP UCODE */
    /* before */ { -1,  0,  1,  6,  7 },
    /* Turin  */ {  0,  1,  2,  3,  7 },
};

const struct bit_word snp_policy_words[] = {
    {"abi_minor",               0, 8},
    {"abi_major",               8, 8},
    {"smt",                    16, 1},
    {"migrate_ma",             18, 1},
    {"debug",                  19, 1},
    {"single_socket",          20, 1},
    {"cxl_allow",              21, 1},
    {"mem_aes_256_xts",        22, 1},
    {"rapl_dis",               23, 1},
    {"ciphertext_hiding_dram", 24, 1},
    {"page_swap_disable",      25, 1},
    {NULL,                      0, 0},
};

/* Bit 6 is set on the Turin machines seen and has no settled name; it is judged by nobody. */
const struct bit_word snp_platform_words[] = {
    {"smt_en",                    0, 1},
    {"tsme_en",                   1, 1},
    {"ecc_en",                    2, 1},
    {"rapl_dis",                  3, 1},
    {"ciphertext_hiding_dram_en", 4, 1},
    {"alias_check_complete",      5, 1},
    {"tio_en",                    7, 1},
    {NULL,                        0, 0},
};
/* clang-format on */

enum snp_line snp_product_line(enum snp_product product)
{
    switch (product) {
    case PRODUCT_MILAN:
        return LINE_MILAN;
    case PRODUCT_GENOA:
    case PRODUCT_SIENA:
        return LINE_GENOA;
    case PRODUCT_TURIN:
        return LINE_TURIN;
    case PRODUCT_UNKNOWN:
    case PRODUCT_COUNT:
        break;
    }
    return LINE_UNKNOWN;
}

enum snp_product snp_line_product(enum snp_line line)
{
    switch (line) {
    case LINE_MILAN:
        return PRODUCT_MILAN;
    case LINE_GENOA:
        return PRODUCT_GENOA;
    case LINE_TURIN:
        return PRODUCT_TURIN;
    case LINE_UNKNOWN:
        break;
    }
    return PRODUCT_UNKNOWN;
}

enum snp_product snp_product_of(uint8_t family, uint8_t model)
{
    for (size_t i = 0; i < countof(models); i++)
        if (models[i].family == family && model >= models[i].model_from &&
            model <= models[i].model_to)
            return models[i].product;
    return PRODUCT_UNKNOWN;
}

enum outcome snp_product_parse(const char *word, enum snp_product *out, struct error *err)
{
    if (strcmp(word, "Siena") == 0 || strcmp(word, "Bergamo") == 0) {
        *out = PRODUCT_SIENA;
        return OK;
    }
    int found = 0;
    TRY(name_parse(&snp_product_names, word, &found, err));
    if (found == PRODUCT_UNKNOWN)
        return fail(err, ERR_INVALID, "no product is called %s", word);
    *out = (enum snp_product)found;
    return OK;
}

static const int8_t *bytes_of(enum snp_line line)
{
    return part_bytes[line == LINE_TURIN];
}

void snp_csp_region(const char *csp_id, char out[static REGION_SIZE])
{
    static const char before[] = "CN=cc-";
    static const char after[] = ".amazonaws.com";
    const size_t len = strlen(csp_id);
    const size_t around = sizeof before - 1 + sizeof after - 1;
    out[0] = '\0';
    if (len <= around || len - around >= REGION_SIZE ||
        strncmp(csp_id, before, sizeof before - 1) != 0 ||
        strcmp(csp_id + len - (sizeof after - 1), after) != 0)
        return;
    memcpy(out, csp_id + sizeof before - 1, len - around);
    out[len - around] = '\0';
}

struct snp_tcb snp_tcb_split(uint64_t raw, enum snp_line line)
{
    struct snp_tcb tcb = {0};
    for (int i = 0; i < TCB_PART_COUNT; i++)
        if (bytes_of(line)[i] >= 0)
            tcb.part[i] = (uint8_t)(raw >> (8 * bytes_of(line)[i]));
    return tcb;
}

uint64_t snp_tcb_join(const struct snp_tcb *tcb, enum snp_line line)
{
    uint64_t raw = 0;
    for (int i = 0; i < TCB_PART_COUNT; i++)
        if (bytes_of(line)[i] >= 0)
            raw |= (uint64_t)tcb->part[i] << (8 * bytes_of(line)[i]);
    return raw;
}

uint64_t snp_tcb_reserved(uint64_t raw, enum snp_line line)
{
    const struct snp_tcb tcb = snp_tcb_split(raw, line);
    return raw & ~snp_tcb_join(&tcb, line);
}

enum tcb_part snp_tcb_below(const struct snp_tcb *a, const struct snp_tcb *b)
{
    for (int i = 0; i < TCB_PART_COUNT; i++)
        if (a->part[i] < b->part[i])
            return (enum tcb_part)i;
    return TCB_PART_COUNT;
}

static enum outcome find_bit(const struct bit_word *words, const char *what, const char *word,
                             uint64_t *out, struct error *err)
{
    for (const struct bit_word *w = words; w->name != NULL; w++)
        if (w->bits == 1 && strcmp(w->name, word) == 0) {
            *out = UINT64_C(1) << w->from;
            return OK;
        }
    return fail(err, ERR_INVALID, "no %s bit is called %.40s", what, word);
}

enum outcome snp_platform_bit(const char *word, uint64_t *out, struct error *err)
{
    return find_bit(snp_platform_words, "platform", word, out, err);
}

enum outcome snp_policy_bit(const char *word, uint64_t *out, struct error *err)
{
    return find_bit(snp_policy_words, "guest policy", word, out, err);
}
