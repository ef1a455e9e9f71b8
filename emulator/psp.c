#include "emulator/psp.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "emulator/psp_report.h"
#include "lib/attest/cert_table.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/x509_make.h"

#define ORGANISATION "Muster simulator, not AMD"
#define AMD_OID "1.3.6.1.4.1.3704.1."

static const char *const flavour_words[] = {"firmware-only", "direct-boot"};
_Static_assert(countof(flavour_words) == PSP_FLAVOUR_COUNT);
const struct names psp_flavour_names = NAMES("flavour", flavour_words);

static const char *const tamper_words[] = {"none",         "alter-measurement", "wrong-measurement",
                                           "debug-policy", "old-tcb",           "no-table"};
_Static_assert(countof(tamper_words) == PSP_TAMPER_COUNT);
const struct names psp_tamper_names = NAMES("tamper", tamper_words);

enum role { ROLE_ARK, ROLE_ASK, ROLE_ASVK, ROLE_IN_CHAIN };

/* Serials as AMD numbers them: line, then role; what a revocation list names. */
static const struct {
    const char *file;
    const char *name; /* before the line */
    uint64_t serial;
} roles[] = {
    [ROLE_ARK] = {"ark", "ARK-", 0x00},
    [ROLE_ASK] = {"ask", "SEV-", 0x01},
    [ROLE_ASVK] = {"asvk", "SEV-VLEK-", 0x101},
};
_Static_assert(countof(roles) == ROLE_IN_CHAIN);

enum { CHIPS_MAX = 1024 };

/* 2024-01-01: AMD's authorities are older than any evidence too, whenever this folder was made. */
#define AUTHORITY_FROM INT64_C(1704067200)

/* One chip key with its certificate: a VCEK names a chip, a VLEK a provider; both a TCB. */
struct chip {
    enum snp_signer signer;
    enum snp_line line;
    uint64_t tcb;
    uint8_t id[SNP_CHIP_ID_SIZE];
    char csp_id[100];
    struct key *key;
    struct bytes der;
};

struct psp {
    pthread_mutex_t lock;
    struct moment now;
    struct maker *makers[ROLE_IN_CHAIN];
    struct bytes certs[LINE_COUNT][ROLE_IN_CHAIN];
    struct bytes roots;
    char csp_id[100];
    size_t chip_count; /* ever made; the newest CHIPS_MAX are kept */
    struct chip chips[CHIPS_MAX];
};

static void role_name(enum role role, enum snp_line line, char out[static 64])
{
    snprintf(out, 64, "%s%s", roles[role].name, name_of(&snp_line_names, (int)line));
}

static uint64_t serial_of(enum role role, enum snp_line line)
{
    return ((uint64_t)line + 1) << 16 | roles[role].serial;
}

static enum outcome path_of(const char *folder, const char *name, const char *ending,
                            char out[static PATH_MAX], struct error *err)
{
    if (snprintf(out, PATH_MAX, "%s/%s%s", folder, name, ending) >= PATH_MAX)
        return fail(err, ERR_INVALID, "path too long: %.60s...", folder);
    return OK;
}

static enum outcome open_maker(const char *folder, enum role role, struct maker **out,
                               struct error *err)
{
    char path[PATH_MAX];
    TRY(path_of(folder, roles[role].file, ".key", path, err));
    OWNED(bytes_wipe) struct bytes pem = {0};
    const enum outcome outcome = file_read(path, 64 * 1024, &pem, err);
    if (outcome == OK)
        return maker_from_pem(bytes_span(&pem), out, err);
    if (outcome != ERR_NOT_FOUND)
        return outcome;
    OWNED(maker_drop) struct maker *made = NULL;
    TRY(maker_generate(&made, err));
    TRY(maker_to_pem(made, &pem, err));
    TRY(file_write(path, bytes_span(&pem), 0600, err));
    *out = TAKE(made);
    return OK;
}

static enum outcome make_cert(const struct psp *psp, enum snp_line line, enum role role,
                              struct bytes *out, struct error *err)
{
    char subject[64];
    char issuer[64];
    role_name(role, line, subject);
    role_name(ROLE_ARK, line, issuer);
    const struct x509_wish wish = {
        .subject = subject,
        .issuer = issuer,
        .organisation = ORGANISATION,
        .serial = serial_of(role, line),
        .from = clock_at_seconds(AUTHORITY_FROM),
        .to = clock_at_seconds(AUTHORITY_FROM + INT64_C(25) * 365 * 86400),
        .ca = true,
    };
    return x509_make_for_maker(psp->makers[ROLE_ARK], psp->makers[role], &wish, out, err);
}

static enum outcome open_cert(struct psp *psp, const char *folder, enum snp_line line,
                              enum role role, struct error *err)
{
    char name[64];
    char path[PATH_MAX];
    role_name(role, line, name);
    TRY(path_of(folder, name, ".der", path, err));
    struct bytes *cert = &psp->certs[line][role];
    const enum outcome outcome = file_read(path, 64 * 1024, cert, err);
    if (outcome == ERR_NOT_FOUND) {
        TRY(make_cert(psp, line, role, cert, err));
        return file_write(path, bytes_span(cert), 0644, err);
    }
    return outcome;
}

static enum outcome open_all(struct psp *psp, const char *folder, struct error *err)
{
    for (int role = 0; role < ROLE_IN_CHAIN; role++)
        TRY(open_maker(folder, (enum role)role, &psp->makers[role], err));
    for (int line = 0; line < LINE_COUNT; line++)
        for (int role = 0; role < ROLE_IN_CHAIN; role++)
            TRY(open_cert(psp, folder, (enum snp_line)line, (enum role)role, err));
    for (int line = 0; line < LINE_COUNT; line++)
        pem_add_certificate(&psp->roots, bytes_span(&psp->certs[line][ROLE_ARK]));
    return OK;
}

static void fd_drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Held while keys are made, so that processes that start together agree on them. */
static enum outcome lock_folder(const char *folder, int *out, struct error *err)
{
    char path[PATH_MAX];
    TRY(folder_make(folder, 0700, err));
    TRY(path_of(folder, "lock", "", path, err));
    *out = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*out < 0 || flock(*out, LOCK_EX) != 0)
        return fail(err, ERR_INTERNAL, "locking %s: %m", path);
    return OK;
}

enum outcome psp_open(const char *folder, struct moment now, struct psp **out, struct error *err)
{
    OWNED(fd_drop) int lock = -1;
    OWNED(psp_drop) struct psp *psp = NEW(struct psp);
    pthread_mutex_init(&psp->lock, NULL);
    psp->now = now;
    psp_set_csp_id(psp, "CN=cc-us-east-2.amazonaws.com");
    TRY(lock_folder(folder, &lock, err));
    TRY(open_all(psp, folder, err));
    *out = TAKE(psp);
    return OK;
}

static void chip_done(struct chip *chip)
{
    key_free(chip->key);
    bytes_done(&chip->der);
    *chip = (struct chip){0};
}

void psp_close(struct psp *psp)
{
    if (psp == NULL)
        return;
    for (size_t i = 0; i < CHIPS_MAX; i++)
        chip_done(&psp->chips[i]);
    for (int role = 0; role < ROLE_IN_CHAIN; role++) {
        maker_free(psp->makers[role]);
        for (int line = 0; line < LINE_COUNT; line++)
            bytes_done(&psp->certs[line][role]);
    }
    bytes_done(&psp->roots);
    pthread_mutex_destroy(&psp->lock);
    free(psp);
}

struct span psp_roots(const struct psp *psp)
{
    return bytes_span(&psp->roots);
}

struct span psp_ca(const struct psp *psp, enum snp_line line, enum snp_signer signer)
{
    return bytes_span(&psp->certs[line][signer == SIGNER_VLEK ? ROLE_ASVK : ROLE_ASK]);
}

struct span psp_ark(const struct psp *psp, enum snp_line line)
{
    return bytes_span(&psp->certs[line][ROLE_ARK]);
}

void psp_set_csp_id(struct psp *psp, const char *csp_id)
{
    snprintf(psp->csp_id, sizeof psp->csp_id, "%s", csp_id);
}

enum outcome psp_crl(const struct psp *psp, enum snp_line line, bool revoke, struct moment from,
                     struct moment to, struct bytes *out, struct error *err)
{
    char name[64];
    role_name(ROLE_ARK, line, name);
    const uint64_t serials[] = {serial_of(ROLE_ASK, line), serial_of(ROLE_ASVK, line)};
    return crl_make(psp->makers[ROLE_ARK], name, ORGANISATION, from, to, serials,
                    revoke ? countof(serials) : 0, out, err);
}

/* The extensions of a chip certificate. Their values stand in one buffer, which must not move. */
struct extensions {
    struct x509_wish *wish;
    struct bytes values[X509_EXTRAS_MAX];
};

static void extensions_done(struct extensions *e)
{
    for (size_t i = 0; i < X509_EXTRAS_MAX; i++)
        bytes_done(&e->values[i]);
}

static struct bytes *extension_new(struct extensions *e, const char *oid)
{
    e->wish->extras[e->wish->extra_count].oid = oid;
    return &e->values[e->wish->extra_count++];
}

static void add_tcb(struct extensions *e, const struct chip *chip)
{
    const struct snp_tcb tcb = snp_tcb_split(chip->tcb, chip->line);
    der_add_integer(extension_new(e, AMD_OID "3.1"), tcb.part[TCB_BL]);
    der_add_integer(extension_new(e, AMD_OID "3.2"), tcb.part[TCB_TEE]);
    der_add_integer(extension_new(e, AMD_OID "3.3"), tcb.part[TCB_SNP]);
    der_add_integer(extension_new(e, AMD_OID "3.8"), tcb.part[TCB_UCODE]);
    if (chip->line == LINE_TURIN)
        der_add_integer(extension_new(e, AMD_OID "3.9"), tcb.part[TCB_FMC]);
}

static void add_extensions(struct extensions *e, const struct chip *chip)
{
    const char *line = name_of(&snp_line_names, (int)chip->line);
    const bool milan_vcek = chip->line == LINE_MILAN && chip->signer == SIGNER_VCEK;
    der_add_integer(extension_new(e, AMD_OID "1"), chip->line == LINE_TURIN ? 1 : 0);
    der_add_ia5(extension_new(e, AMD_OID "2"), milan_vcek ? "Milan-B0" : line);
    add_tcb(e, chip);
    if (chip->signer == SIGNER_VLEK)
        der_add_ia5(extension_new(e, AMD_OID "5"), chip->csp_id);
    else
        bytes_add(extension_new(e, AMD_OID "4"),
                  SPAN(chip->id, chip->line == LINE_TURIN ? 8 : SNP_CHIP_ID_SIZE));
    for (size_t i = 0; i < e->wish->extra_count; i++)
        e->wish->extras[i].value = bytes_span(&e->values[i]);
}

static enum outcome make_chip(const struct psp *psp, struct chip *chip, struct error *err)
{
    const enum role role = chip->signer == SIGNER_VLEK ? ROLE_ASVK : ROLE_ASK;
    char issuer[64];
    role_name(role, chip->line, issuer);
    struct x509_wish wish = {
        .subject = chip->signer == SIGNER_VLEK ? "SEV-VLEK" : "SEV-VCEK",
        .issuer = issuer,
        .organisation = ORGANISATION,
        .serial = 0, /* as AMD does it */
        .from = moment_add_seconds(psp->now, -3600),
        .to = moment_add_seconds(psp->now, INT64_C(365) * 86400),
    };
    OWNED(extensions_done) struct extensions extensions = {.wish = &wish};
    add_extensions(&extensions, chip);
    TRY(key_generate(KEY_P384, &chip->key, err));
    return x509_make_for_key(psp->makers[role], chip->key, &wish, &chip->der, err);
}

static bool is_chip(const struct chip *a, const struct chip *b)
{
    return a->key != NULL && a->signer == b->signer && a->line == b->line && a->tcb == b->tcb &&
           strcmp(a->csp_id, b->csp_id) == 0 && memcmp(a->id, b->id, sizeof a->id) == 0;
}

static enum outcome take_chip(struct psp *psp, struct chip wanted, struct chip **out,
                              struct error *err)
{
    for (size_t i = 0; i < CHIPS_MAX; i++)
        if (is_chip(&psp->chips[i], &wanted)) {
            *out = &psp->chips[i];
            return OK;
        }
    const enum outcome outcome = make_chip(psp, &wanted, err);
    if (outcome != OK) {
        chip_done(&wanted);
        return outcome;
    }
    struct chip *slot = &psp->chips[psp->chip_count++ % CHIPS_MAX];
    chip_done(slot);
    *slot = wanted;
    *out = slot;
    return OK;
}

static enum outcome find_chip(struct psp *psp, const struct psp_wish *wish, struct chip **out,
                              struct error *err)
{
    struct chip wanted = {
        .signer = psp_signer(wish), .line = snp_product_line(wish->product), .tcb = psp_tcb(wish)};
    psp_chip_id(wish, wanted.id);
    if (wanted.signer == SIGNER_VLEK)
        snprintf(wanted.csp_id, sizeof wanted.csp_id, "%s",
                 wish->csp_id[0] != '\0' ? wish->csp_id : psp->csp_id);
    return take_chip(psp, wanted, out, err);
}

static bool has_signed(const struct psp *psp, const struct chip *wanted)
{
    for (size_t i = 0; i < CHIPS_MAX; i++) {
        struct chip same = psp->chips[i];
        same.tcb = wanted->tcb;
        if (is_chip(&same, wanted))
            return true;
    }
    return false;
}

enum outcome psp_vcek(struct psp *psp, enum snp_line line,
                      const uint8_t chip_id[static SNP_CHIP_ID_SIZE], uint64_t tcb,
                      struct bytes *out, struct error *err)
{
    struct chip *chip = NULL;
    struct chip wanted = {.signer = SIGNER_VCEK, .line = line, .tcb = tcb};
    memcpy(wanted.id, chip_id, sizeof wanted.id);
    pthread_mutex_lock(&psp->lock);
    enum outcome outcome = has_signed(psp, &wanted)
                               ? take_chip(psp, wanted, &chip, err)
                               : fail(err, ERR_NOT_FOUND, "no such chip has signed here");
    if (outcome == OK)
        bytes_add(out, bytes_span(&chip->der));
    pthread_mutex_unlock(&psp->lock);
    return outcome;
}

static void add_table(const struct psp *psp, const struct chip *chip, struct bytes *out)
{
    const bool vlek = chip->signer == SIGNER_VLEK;
    const struct cert_table table = {
        .count = 3,
        .entries = {
            {.kind = vlek ? TABLE_VLEK : TABLE_VCEK, .blob = bytes_span(&chip->der)},
            {.kind = TABLE_ASK, .blob = psp_ca(psp, chip->line, chip->signer)},
            {.kind = TABLE_ARK, .blob = psp_ark(psp, chip->line)},
        }};
    cert_table_add(out, &table);
}

static enum outcome sign(struct psp *psp, const struct psp_wish *wish, struct bytes *report,
                         struct bytes *table, struct error *err)
{
    struct chip *chip = NULL;
    TRY(find_chip(psp, wish, &chip, err));
    OWNED(bytes_done) struct bytes signature = {0};
    psp_report_body(wish, report);
    TRY(key_sign(chip->key, bytes_span(report), &signature, err));
    psp_report_finish(wish, bytes_span(&signature), report);
    if (table != NULL)
        add_table(psp, chip, table);
    return OK;
}

enum outcome psp_report(struct psp *psp, const struct psp_wish *wish, struct bytes *out_report,
                        struct bytes *out_cert_table, struct error *err)
{
    if (snp_product_line(wish->product) == LINE_UNKNOWN)
        return fail(err, ERR_INVALID, "no chip of that product");
    OWNED(bytes_done) struct bytes report = {0};
    OWNED(bytes_done) struct bytes table = {0};
    pthread_mutex_lock(&psp->lock);
    const enum outcome outcome =
        sign(psp, wish, &report, out_cert_table != NULL ? &table : NULL, err);
    pthread_mutex_unlock(&psp->lock);
    TRY(outcome);
    bytes_add(out_report, bytes_span(&report));
    if (out_cert_table != NULL)
        bytes_add(out_cert_table, bytes_span(&table));
    return OK;
}
