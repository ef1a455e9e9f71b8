#include "emulator/papers.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/signed_data_make.h"
#include "lib/crypto/x509_make.h"

/* As the other authorities of the simulator: older than anything that happens under them. */
#define PAPERS_FROM INT64_C(1704067200)
#define AZURE_NAME "metadata.azure.com"

enum hand { HAND_AWS, HAND_AZURE_ROOT, HAND_AZURE, HAND_GCP, HAND_FORGER, HANDS };

static const char *const files[HANDS] = {"aws", "azure-root", "azure", "gcp", "forger"};

/* A certificate for each key but Google's; the forger's go by the names of those it imitates. */
enum cert { CERT_AWS, CERT_AZURE_ROOT, CERT_AZURE, CERT_FALSE_AWS, CERT_FALSE_AZURE, CERTS };

struct papers {
    struct scribe *keys[HANDS];
    struct bytes certs[CERTS];
};

/* ---- keys and certificates ------------------------------------------------------------------- */

static enum outcome open_key(const char *folder, enum hand which, struct scribe **out,
                             struct error *err)
{
    char path[PATH_MAX];
    OWNED(bytes_wipe) struct bytes pem = {0};
    if (snprintf(path, sizeof path, "%s/%s.key", folder, files[which]) >= (int)sizeof path)
        return fail(err, ERR_INVALID, "path too long: %.60s...", folder);
    const enum outcome outcome = file_read(path, 64 * 1024, &pem, err);
    if (outcome == OK)
        return scribe_from_pem(bytes_span(&pem), out, err);
    if (outcome != ERR_NOT_FOUND)
        return outcome;
    OWNED(scribe_drop) struct scribe *made = NULL;
    TRY(scribe_generate(SCRIBE_BITS, &made, err));
    TRY(scribe_to_pem(made, &pem, err));
    TRY(file_write(path, bytes_span(&pem), 0600, err));
    *out = TAKE(made);
    return OK;
}

/* clang-format off */
static const struct {
    enum hand subject, issuer;
    const char *subject_name, *issuer_name, *dns_name;
    uint64_t serial;
    bool ca;
} rows[CERTS] = {
    [CERT_AWS]         = {HAND_AWS,        HAND_AWS,        "Simulated EC2",  "Simulated EC2",  NULL,       1, false},
    [CERT_AZURE_ROOT]  = {HAND_AZURE_ROOT, HAND_AZURE_ROOT, "Simulated Root", "Simulated Root", NULL,       2, true},
    [CERT_AZURE]       = {HAND_AZURE,      HAND_AZURE_ROOT, AZURE_NAME,       "Simulated Root", AZURE_NAME, 3, false},
    [CERT_FALSE_AWS]   = {HAND_FORGER,     HAND_FORGER,     "Simulated EC2",  "Simulated EC2",  NULL,       1, false},
    [CERT_FALSE_AZURE] = {HAND_FORGER,     HAND_FORGER,     AZURE_NAME,       "Simulated Root", AZURE_NAME, 3, false},
};
/* clang-format on */

static enum outcome certify(struct papers *papers, enum cert which, struct error *err)
{
    const struct scribe_wish wish = {
        .subject = rows[which].subject_name,
        .issuer = rows[which].issuer_name,
        .dns_name = rows[which].dns_name,
        .serial = rows[which].serial,
        .from = clock_at_seconds(PAPERS_FROM),
        .to = clock_at_seconds(PAPERS_FROM + INT64_C(25) * 365 * 86400),
        .ca = rows[which].ca,
    };
    return scribe_certify(papers->keys[rows[which].issuer], papers->keys[rows[which].subject],
                          &wish, &papers->certs[which], err);
}

static void lock_drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Held while keys are made, so that processes that start together agree on them. */
static enum outcome lock_folder(const char *folder, int *out, struct error *err)
{
    OWNED(text_done) struct text path = {0};
    text_addf(&path, "%s/lock", folder);
    TRY(folder_make(folder, 0700, err));
    *out = open(text_str(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*out < 0 || flock(*out, LOCK_EX) != 0)
        return fail(err, ERR_INTERNAL, "locking %s: %m", text_str(&path));
    return OK;
}

enum outcome papers_open(const char *folder, struct papers **out, struct error *err)
{
    OWNED(lock_drop) int lock = -1;
    OWNED(papers_drop) struct papers *papers = NEW(struct papers);
    TRY(lock_folder(folder, &lock, err));
    for (int i = 0; i < HANDS; i++)
        TRY(open_key(folder, (enum hand)i, &papers->keys[i], err));
    for (int i = 0; i < CERTS; i++)
        TRY(certify(papers, (enum cert)i, err));
    *out = TAKE(papers);
    return OK;
}

void papers_close(struct papers *papers)
{
    if (papers == NULL)
        return;
    for (int i = 0; i < HANDS; i++)
        scribe_free(papers->keys[i]);
    for (int i = 0; i < CERTS; i++)
        bytes_done(&papers->certs[i]);
    free(papers);
}

/* ---- for charters ---------------------------------------------------------------------------- */

static json_t *pem_list(const struct papers *papers, enum cert which)
{
    OWNED(bytes_done) struct bytes pem = {0};
    json_t *out = json_array();
    pem_add_certificate(&pem, bytes_span(&papers->certs[which]));
    json_add_new(out, json_stringn((const char *)pem.at, pem.len));
    return out;
}

static json_t *cloud_new(json_t *clouds, const char *name)
{
    json_t *out = json_object();
    json_put_text(out, "accounts", "any");
    json_put_new(clouds, name, out);
    return out;
}

json_t *papers_clouds(const struct papers *papers, const char *region)
{
    json_t *out = json_object();
    json_t *regions = json_object();
    json_t *names = json_array();
    json_t *keys = json_array();
    json_put_new(regions, region, pem_list(papers, CERT_AWS));
    json_put_new(cloud_new(out, "aws"), "certificates", regions);
    json_t *azure = cloud_new(out, "azure");
    json_put_new(azure, "authorities", pem_list(papers, CERT_AZURE_ROOT));
    json_add_new(names, json_string(AZURE_NAME));
    json_put_new(azure, "names", names);
    json_add_new(keys, scribe_to_jwk(papers->keys[HAND_GCP], "sim-1"));
    json_put_new(cloud_new(out, "gcp"), "keys", keys);
    return out;
}

/* ---- EC2 ------------------------------------------------------------------------------------- */

static enum outcome sign(const struct papers *papers, const struct paper *paper, enum hand key,
                         enum cert cert, enum cert false_cert, bool bare, struct span content,
                         struct bytes *out, struct error *err)
{
    const bool forged = paper->flaw == PAPER_FORGED;
    const struct scribe_data data = {
        .content = content,
        .certificate = bytes_span(&papers->certs[forged ? false_cert : cert]),
        .bare = bare,
    };
    OWNED(bytes_done) struct bytes der = {0};
    TRY(scribe_sign_data(papers->keys[forged ? HAND_FORGER : key], &data, &der, err));
    if (paper->flaw == PAPER_ALTERED) { /* in the signed content, which comes first */
        uint8_t *at = memmem(der.at, der.len, paper->account, strlen(paper->account));
        if (at != NULL)
            at[0] ^= 1;
    }
    OWNED(mem_drop) char *text = base64_of(bytes_span(&der));
    bytes_add(out, span_of_text(text));
    return OK;
}

/* In lines of 64 and without armour, as EC2 prints it. */
static void add_lines(struct bytes *out, struct span text)
{
    for (size_t at = 0; at < text.len; at += 64) {
        bytes_add(out, span_part(text, at, 64));
        if (at + 64 < text.len)
            bytes_add_u8(out, '\n');
    }
}

/* The same whenever it is asked for: document and signature come by two requests. */
static struct moment start_of(const struct paper *paper)
{
    return paper->flaw == PAPER_EXPIRED ? moment_add_seconds(paper->started, INT64_C(2) * 86400)
                                        : paper->started;
}

enum outcome papers_aws(const struct papers *papers, const struct paper *paper,
                        struct bytes *out_document, struct bytes *out_rsa2048, struct error *err)
{
    OWNED(json_drop) json_t *json = json_object();
    OWNED(bytes_done) struct bytes base64 = {0};
    const struct moment pending = clock_at_seconds(moment_seconds(start_of(paper)));
    json_put_text(json, "accountId", paper->account);
    json_put_text(json, "architecture", "x86_64");
    json_put_text(json, "availabilityZone", paper->zone);
    json_put_text(json, "imageId", paper->image);
    json_put_text(json, "instanceId", paper->machine);
    json_put_text(json, "instanceType", paper->size);
    json_put_text(json, "pendingTime", moment_text(pending).at);
    json_put_text(json, "privateIp", "10.0.0.4");
    json_put_text(json, "region", paper->region);
    json_put_text(json, "version", "2017-09-30");
    OWNED(mem_drop) char *text = json_print_pretty(json);
    bytes_add(out_document, span_of_text(text));
    TRY(sign(papers, paper, HAND_AWS, CERT_AWS, CERT_FALSE_AWS, true, span_of_text(text), &base64,
             err));
    add_lines(out_rsa2048, bytes_span(&base64));
    return OK;
}

/* ---- Azure ----------------------------------------------------------------------------------- */

/* "11/28/26 00:16:17 -0000" */
static void put_azure_time(json_t *out, const char *name, struct moment at)
{
    const time_t seconds = (time_t)moment_seconds(at);
    struct tm tm;
    char text[32];
    gmtime_r(&seconds, &tm);
    snprintf(text, sizeof text, "%02u/%02u/%02u %02u:%02u:%02u -0000", (unsigned)tm.tm_mon % 12 + 1,
             (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_year % 100, (unsigned)tm.tm_hour % 100,
             (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
    json_put_text(out, name, text);
}

enum outcome papers_azure(const struct papers *papers, const struct paper *paper, struct bytes *out,
                          struct error *err)
{
    OWNED(json_drop) json_t *json = json_object();
    OWNED(json_drop) json_t *wrapped = json_object();
    OWNED(bytes_done) struct bytes base64 = {0};
    json_t *times = json_object();
    const int64_t ago = paper->flaw == PAPER_EXPIRED ? 86400 : 0;
    put_azure_time(times, "createdOn", moment_add_seconds(paper->at, -ago));
    put_azure_time(times, "expiresOn", moment_add_seconds(paper->at, 6 * 3600 - ago));
    json_put_text(json, "licenseType", "");
    json_put_text(json, "nonce", paper->nonce);
    json_put_text(json, "sku", paper->image);
    json_put_text(json, "subscriptionId", paper->account);
    json_put_new(json, "timeStamp", times);
    json_put_text(json, "vmId", paper->machine);
    OWNED(mem_drop) char *text = json_print(json);
    TRY(sign(papers, paper, HAND_AZURE, CERT_AZURE, CERT_FALSE_AZURE, false, span_of_text(text),
             &base64, err));
    json_put_text(wrapped, "encoding", "pkcs7");
    json_put_span(wrapped, "signature", bytes_span(&base64));
    OWNED(mem_drop) char *answer = json_print(wrapped);
    bytes_add(out, span_of_text(answer));
    return OK;
}

/* ---- Google ---------------------------------------------------------------------------------- */

static json_t *engine_of(const struct paper *paper)
{
    json_t *engine = json_object();
    json_put_int(engine, "instance_confidentiality", paper->confidentiality);
    json_put_int(engine, "instance_creation_timestamp", moment_seconds(paper->started));
    json_put_text(engine, "instance_id", paper->machine);
    json_put_text(engine, "instance_name", paper->name);
    json_put_text(engine, "project_id", paper->account);
    json_put_int(engine, "project_number", 739419398126);
    json_put_text(engine, "zone", paper->zone);
    return engine;
}

static json_t *claims_of(const struct paper *paper)
{
    const int64_t now =
        moment_seconds(paper->at) - (paper->flaw == PAPER_EXPIRED ? INT64_C(86400) : 0);
    json_t *claims = json_object();
    json_t *google = json_object();
    json_put_text(claims, "aud", paper->nonce);
    json_put_text(claims, "azp", "112179062720391305885");
    json_put_text(claims, "email", "sim@muster-sim.iam.gserviceaccount.com");
    json_put_bool(claims, "email_verified", true);
    json_put_int(claims, "exp", now + 3600);
    json_put_int(claims, "iat", now);
    json_put_text(claims, "iss", "https://accounts.google.com");
    json_put_text(claims, "sub", "112179062720391305885");
    json_put_new(google, "compute_engine", engine_of(paper));
    json_put_new(claims, "google", google);
    return claims;
}

enum outcome papers_gcp(const struct papers *papers, const struct paper *paper, struct bytes *out,
                        struct error *err)
{
    OWNED(json_drop) json_t *header = json_object();
    OWNED(json_drop) json_t *claims = claims_of(paper);
    OWNED(mem_drop) char *token = NULL;
    const enum hand key = paper->flaw == PAPER_FORGED ? HAND_FORGER : HAND_GCP;
    json_put_text(header, "alg", "RS256");
    json_put_text(header, "kid", "sim-1");
    json_put_text(header, "typ", "JWT");
    TRY(scribe_sign_token(papers->keys[key], header, claims, &token, err));
    bytes_add(out, span_of_text(token));
    if (paper->flaw == PAPER_ALTERED)
        out->at[out->len - 20] = out->at[out->len - 20] == 'A' ? 'B' : 'A';
    return OK;
}
