#include "cli/keeper_recovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/names.h"
#include "lib/base/text.h"
#include "lib/crypto/kek.h"

enum { PEM_MAX = 16 * 1024, KEK_MAX = 1024, FINGERPRINT_MAX = 128 };

void recovery_certs_done(struct recovery_certs *certs)
{
    for (size_t i = 0; i < certs->count; i++)
        cert_free(certs->at[i]);
    *certs = (struct recovery_certs){0};
}

enum outcome recovery_certs_read(const struct argument_list *paths, struct recovery_certs *out,
                                 struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        OWNED(bytes_done) struct bytes pem = {0};
        TRY(file_read(paths->at[i], PEM_MAX, &pem, err));
        TRY(cert_from_pem(bytes_span(&pem), &out->at[out->count], err));
        out->count++;
    }
    return paths->count > 0 ? recovery_check(out->at, out->count, err) : OK;
}

static void fingerprint_of(struct span kek, char out[static 2 * SHA256_SIZE + 1])
{
    uint8_t hash[SHA256_SIZE];
    kek_file_fingerprint(kek, hash);
    hex_encode(SPAN_OF(hash), out);
}

enum outcome recovery_files_make(const char *kek_path, const struct recovery_certs *certs,
                                 struct recovery_files *out, struct error *err)
{
    OWNED(bytes_wipe) struct bytes kek = {0};
    TRY(file_read_private(kek_path, KEK_MAX, &kek, err));
    fingerprint_of(bytes_span(&kek), out->fingerprint);
    return recovery_wrap(bytes_span(&kek), certs->at, certs->count, &out->wrapped, err);
}

/* ---- bringing it back --------------------------------------------------------------------- */

static enum outcome read_in(const char *folder, const char *name, size_t limit, struct bytes *out,
                            struct error *err)
{
    OWNED(text_done) struct text path = {0};
    text_addf(&path, "%s/%s", folder, name);
    return file_read(text_str(&path), limit, out, err);
}

static enum outcome read_private_key(const char *path, struct key **out, struct error *err)
{
    OWNED(bytes_wipe) struct bytes pem = {0};
    TRY(file_read_private(path, PEM_MAX, &pem, err));
    return key_from_private_pem(bytes_span(&pem), out, err);
}

/* It opens, it is a key-encryption key, and it is the one that was wrapped. */
static enum outcome open_kek(const char *folder, const char *key_path, struct locked *out,
                             struct error *err)
{
    OWNED(bytes_done) struct bytes wrapped = {0};
    OWNED(bytes_done) struct bytes written = {0};
    OWNED(key_drop) struct key *key = NULL;
    char fingerprint[2 * SHA256_SIZE + 1];
    enum realm realm;
    int64_t generation;
    TRY(read_in(folder, "kek.cms", RECOVERY_SIZE_MAX, &wrapped, err));
    TRY(read_in(folder, "kek.sha256", FINGERPRINT_MAX, &written, err));
    TRY(read_private_key(key_path, &key, err));
    TRY(recovery_open(bytes_span(&wrapped), key, out, err));
    TRY(kek_file_look(locked_span(out), &realm, &generation, err));
    fingerprint_of(locked_span(out), fingerprint);
    if (!span_equal(span_part(bytes_span(&written), 0, 2 * SHA256_SIZE), span_of_text(fingerprint)))
        return fail_code(err, ERR_DENIED, "recovery-mismatch",
                         "kek.cms holds another key than kek.sha256 says");
    printf("it opens: the key-encryption key of the %s realm, generation %lld\n%s\n",
           name_of(&realm_names, (int)realm), (long long)generation, fingerprint);
    return OK;
}

enum outcome keeper_recovery_test(int argc, char **argv, struct error *err)
{
    const char *folder = NULL;
    const char *key = NULL;
    const struct argument table[] = {{"--dir", .text = &folder}, {"--key", .text = &key}};
    OWNED(locked_done) struct locked kek = {0};
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    if (folder == NULL || key == NULL)
        return fail(err, ERR_INVALID, "--dir and --key are needed");
    return open_kek(folder, key, &kek, err);
}

enum outcome keeper_recover(int argc, char **argv, struct error *err)
{
    const char *folder = NULL;
    const char *key = NULL;
    const char *out = NULL;
    const struct argument table[] = {
        {"--dir", .text = &folder}, {"--key", .text = &key}, {"--out", .text = &out}};
    OWNED(locked_done) struct locked kek = {0};
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    if (folder == NULL || key == NULL || out == NULL)
        return fail(err, ERR_INVALID, "--dir, --key and --out are needed");
    TRY(open_kek(folder, key, &kek, err));
    return file_create(out, locked_span(&kek), 0600, err);
}
