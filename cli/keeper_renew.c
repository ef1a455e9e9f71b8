#include "cli/keeper_renew.h"

#include <stdio.h>
#include <string.h>

#include "cli/keeper_init.h"
#include "lib/base/fault.h"
#include "lib/base/file.h"
#include "lib/base/names.h"
#include "lib/base/text.h"
#include "lib/crypto/cert_life.h"
#include "lib/crypto/jwks.h"

enum { PEM_MAX = 64 * 1024, ROOTS_MAX = 4, PRIVATE = 0600, PUBLIC = 0644 };

struct root {
    struct key *key;
    struct cert *cert;
    enum realm realm;
};

static void root_done(struct root *root)
{
    key_free(root->key);
    cert_free(root->cert);
}

/* One role on its way. */
struct renewing {
    const struct role_files *files;
    struct key *key;     /* to be certified; private only where it is new or its file is there */
    struct cert *before; /* NULL: there is none */
    struct cert *made;
    struct cert_names names;
};

static void renewing_done(struct renewing *r)
{
    key_free(r->key);
    cert_free(r->before);
    cert_free(r->made);
}

struct all {
    size_t count;
    struct renewing at[ROLE_FILES];
};

static void all_done(struct all *all)
{
    for (size_t i = 0; i < all->count; i++)
        renewing_done(&all->at[i]);
}

/* ---- reading ------------------------------------------------------------------------------ */

static char *path_to(const struct keeper_renew *wish, const char *folder, const char *name)
{
    OWNED(text_done) struct text path = {0};
    text_addf(&path, "%s/%s/%s", wish->folder, folder, name);
    return text_take(&path);
}

static enum outcome read_pem(const struct keeper_renew *wish, const char *folder, const char *name,
                             struct bytes *out, struct error *err)
{
    OWNED(mem_drop) char *path = path_to(wish, folder, name);
    return file_read(path, PEM_MAX, out, err);
}

static enum outcome read_key(const struct keeper_renew *wish, const char *folder, const char *name,
                             struct key **out, struct error *err)
{
    OWNED(mem_drop) char *path = path_to(wish, folder, name);
    OWNED(bytes_wipe) struct bytes pem = {0};
    TRY(file_read_private(path, PEM_MAX, &pem, err));
    return key_from_private_pem(bytes_span(&pem), out, err);
}

static enum outcome belongs(const struct key *key, const struct cert *cert, const char *what,
                            struct error *err)
{
    OWNED(key_drop) struct key *certified = NULL;
    TRY(cert_key(cert, &certified, err));
    if (!key_equal(key, certified))
        return fail_code(err, ERR_INVALID, "wrong-key", "%s is not its certificate's", what);
    return OK;
}

static enum outcome read_root(const struct keeper_renew *wish, struct root *out, struct error *err)
{
    OWNED(bytes_done) struct bytes pem = {0};
    TRY(read_key(wish, "root", "key.pem", &out->key, err));
    TRY(read_pem(wish, "root", "cert.pem", &pem, err));
    TRY(cert_from_pem(bytes_span(&pem), &out->cert, err));
    TRY(cert_realm(out->cert, &out->realm, err));
    return belongs(out->key, out->cert, "root/key.pem", err);
}

static enum outcome read_before(const struct keeper_renew *wish, struct renewing *r,
                                struct error *err)
{
    OWNED(bytes_done) struct bytes pem = {0};
    TRY(read_pem(wish, r->files->folder, r->files->cert, &pem, err));
    if (r->key != NULL)
        TRY(cert_of_key(bytes_span(&pem), r->key, &r->before, err));
    else
        TRY(cert_from_pem(bytes_span(&pem), &r->before, err));
    if (cert_claimed_role(r->before) != r->files->role)
        return fail_code(err, ERR_INVALID, "wrong-role", "%s/%s is not a %s certificate",
                         r->files->folder, r->files->cert,
                         name_of(&cert_role_names, (int)r->files->role));
    return OK;
}

/* A folder that was made before there were opinions and passports has no keys for them, until they
 * are asked for. */
static bool is_optional(enum cert_role role)
{
    return role == ROLE_KEEPER_OPINION || role == ROLE_KEEPER_PASSPORT;
}

/* Of key and certificate one may be missing: where only the certificates were brought to the root,
 * or where one was lost. */
static enum outcome read_role(const struct keeper_renew *wish, struct renewing *r,
                              struct error *err)
{
    struct error why = {0};
    enum outcome key = read_key(wish, r->files->folder, r->files->key, &r->key, err);
    if (key != OK && key != ERR_NOT_FOUND)
        return key;
    enum outcome before = read_before(wish, r, &why);
    const bool first = wish->new_key && is_optional(r->files->role);
    if (before != OK && (before != ERR_NOT_FOUND || (key != OK && !first))) {
        *err = why;
        return before;
    }
    if (wish->new_key) {
        key_drop(&r->key);
        return key_generate(KEY_P256, &r->key, err);
    }
    if (key != OK)
        return cert_key(r->before, &r->key, err);
    return r->before != NULL ? belongs(r->key, r->before, r->files->key, err) : OK;
}

/* ---- making ------------------------------------------------------------------------------- */

static enum outcome choose_names(const struct keeper_renew *wish, struct renewing *r,
                                 struct error *err)
{
    const struct argument_list *given = &wish->controller_names;
    if (r->files->role != ROLE_CONTROLLER)
        return OK;
    if (given->count == 0 && r->before == NULL)
        return fail(err, ERR_INVALID, "no certificate says what it names: --controller-name does");
    if (given->count == 0)
        return cert_names_of(r->before, &r->names, err);
    for (size_t i = 0; i < given->count; i++)
        TRY(text_copy(r->names.at[i], CERT_NAME_SIZE, given->at[i], "", err));
    r->names.count = given->count;
    return OK;
}

struct roots {
    size_t count;
    struct cert *at[ROOTS_MAX];
};

static void roots_done(struct roots *roots)
{
    for (size_t i = 0; i < roots->count; i++)
        cert_free(roots->at[i]);
}

static enum outcome add_roots(const struct keeper_renew *wish, const char *folder, const char *name,
                              struct roots *out, struct error *err)
{
    OWNED(bytes_done) struct bytes pem = {0};
    size_t added = 0;
    TRY(read_pem(wish, folder, name, &pem, err));
    TRY(cert_list_from_pem(bytes_span(&pem), out->at + out->count, ROOTS_MAX - out->count, &added,
                           err));
    out->count += added;
    return OK;
}

/* Those that stand beside the role's files. */
static enum outcome read_roots(const struct keeper_renew *wish, const char *folder,
                               struct roots *out, struct error *err)
{
    TRY(add_roots(wish, folder, "root.pem", out, err));
    enum outcome next = add_roots(wish, folder, "next-root.pem", out, err);
    return next == ERR_NOT_FOUND ? OK : next;
}

/* As its owner will at the next start: under a root that stands beside it, and of the realm that
 * was chosen once and for all. */
static enum outcome check_made(const struct keeper_renew *wish, const struct root *root,
                               const struct renewing *r, struct moment now, struct error *err)
{
    OWNED(roots_done) struct roots roots = {0};
    enum realm realm;
    TRY(read_roots(wish, r->files->folder, &roots, err));
    TRY(cert_realm(roots.at[0], &realm, err));
    if (realm != root->realm)
        return fail_code(err, ERR_DENIED, "realm-mismatch", "root/ is of the %s realm, %s/ is not",
                         name_of(&realm_names, (int)root->realm), r->files->folder);
    if (cert_check_role(r->made, r->files->role, roots.at, roots.count, now, err) != OK)
        return error_context(err, "%s/%s", r->files->folder, r->files->cert);
    return OK;
}

static enum outcome prepare(const struct keeper_renew *wish, const struct root *root,
                            struct moment now, struct renewing *r, struct error *err)
{
    const char *names[CERT_NAMES_MAX];
    TRY(read_role(wish, r, err));
    TRY(choose_names(wish, r, err));
    for (size_t i = 0; i < r->names.count; i++)
        names[i] = r->names.at[i];
    TRY(cert_make_role(root->key, root->cert, r->key, r->files->role, names, r->names.count, now,
                       (int)wish->days, &r->made, err));
    return check_made(wish, root, r, now, err);
}

/* ---- putting them in place ---------------------------------------------------------------- */

static enum outcome put_certs(const struct keeper_renew *wish, const struct renewing *r,
                              bool with_before, struct error *err)
{
    OWNED(mem_drop) char *path = path_to(wish, r->files->folder, r->files->cert);
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(bytes_done) struct bytes before = {0};
    TRY(cert_to_pem(r->made, &pem, err));
    if (with_before && r->before != NULL) {
        TRY(cert_to_pem(r->before, &before, err));
        bytes_add(&pem, bytes_span(&before));
    }
    return file_write(path, bytes_span(&pem), PUBLIC, err);
}

static enum outcome put_key(const struct keeper_renew *wish, const struct renewing *r,
                            struct error *err)
{
    OWNED(mem_drop) char *path = path_to(wish, r->files->folder, r->files->key);
    OWNED(bytes_wipe) struct bytes pem = {0};
    TRY(key_to_private_pem(r->key, &pem, err));
    return file_write(path, bytes_span(&pem), PRIVATE, err);
}

/* Wherever it is interrupted, the key that is there has its certificate in the file: programs take
 * the one of their key. */
static enum outcome put(const struct keeper_renew *wish, const struct renewing *r,
                        struct error *err)
{
    if (!wish->new_key)
        return put_certs(wish, r, false, err);
    TRY(put_certs(wish, r, true, err));
    FAULT("renew-certificates-written", err);
    TRY(put_key(wish, r, err));
    FAULT("renew-key-written", err);
    return put_certs(wish, r, false, err);
}

/* ---- the set of keys for others ------------------------------------------------------------ */

static bool touches_jwks(const struct all *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (jwks_takes(all->at[i].files->role))
            return true;
    return false;
}

/* A key that was stolen is good to whoever has it for as long as it is listed. */
static bool stays_listed(const struct keeper_renew *wish, const struct all *all,
                         const struct cert *cert)
{
    for (size_t i = 0; i < all->count; i++)
        if (wish->withdraw && all->at[i].files->role == cert_claimed_role(cert))
            return false;
    return true;
}

static enum outcome add_listed(const struct keeper_renew *wish, const struct all *all,
                               struct cert *cert, struct moment now, struct jwks *out,
                               struct error *err)
{
    return stays_listed(wish, all, cert) ? jwks_add(out, cert, now, err) : OK;
}

/* What was listed before, as far as it still counts: a folder of an earlier version has no list,
 * and that of a root which is no more counts for nobody. */
static enum outcome read_jwks(const struct keeper_renew *wish, const struct all *all,
                              const struct roots *roots, struct moment now, struct jwks *out,
                              struct error *err)
{
    OWNED(bytes_done) struct bytes jwt = {0};
    OWNED(jwks_done) struct jwks before = {0};
    struct error why = {0};
    enum outcome outcome = read_pem(wish, "keeper", "jwks.jwt", &jwt, err);
    if (outcome == ERR_NOT_FOUND)
        return OK;
    TRY(outcome);
    outcome = jwks_open(bytes_span(&jwt), roots->at, roots->count, now, &before, &why);
    if (outcome != OK && strcmp(why.code, "wrong-root") != 0)
        return fail_code(err, outcome, why.code, "keeper/jwks.jwt: %.200s", why.text);
    for (size_t i = 0; i < before.count; i++)
        TRY(add_listed(wish, all, before.certs[i], now, out, err));
    return OK;
}

/* Those whose certificates stand now, under a root that does. */
static enum outcome add_standing(const struct keeper_renew *wish, const struct all *all,
                                 const struct roots *roots, struct moment now, struct jwks *out,
                                 struct error *err)
{
    for (size_t i = 0; i < ROLE_FILES; i++) {
        OWNED(bytes_done) struct bytes pem = {0};
        OWNED(cert_drop) struct cert *cert = NULL;
        if (!jwks_takes(role_files[i].role))
            continue;
        enum outcome outcome = read_pem(wish, role_files[i].folder, role_files[i].cert, &pem, err);
        if (outcome == ERR_NOT_FOUND)
            continue;
        TRY(outcome);
        TRY(cert_from_pem(bytes_span(&pem), &cert, err));
        if (cert_check_role(cert, role_files[i].role, roots->at, roots->count, now, NULL) == OK)
            TRY(add_listed(wish, all, cert, now, out, err));
    }
    return OK;
}

/* Before the new keys are in use, so that nothing is ever signed that the list does not know. The
 * old ones stay in it until their certificates end, unless they are withdrawn. */
static enum outcome put_jwks(const struct keeper_renew *wish, const struct root *root,
                             const struct all *all, struct moment now, struct error *err)
{
    OWNED(jwks_done) struct jwks set = {0};
    OWNED(roots_done) struct roots roots = {0};
    OWNED(mem_drop) char *signed_set = NULL;
    OWNED(mem_drop) char *path = path_to(wish, "keeper", "jwks.jwt");
    if (!touches_jwks(all))
        return OK;
    TRY(read_roots(wish, "keeper", &roots, err));
    TRY(read_jwks(wish, all, &roots, now, &set, err));
    TRY(add_standing(wish, all, &roots, now, &set, err));
    for (size_t i = 0; i < all->count; i++)
        if (jwks_takes(all->at[i].files->role))
            TRY(jwks_add(&set, all->at[i].made, now, err));
    TRY(jwks_sign(&set, root->key, now, &signed_set, err));
    return file_write(path, span_of_text(signed_set), PUBLIC, err);
}

static void tell(const struct renewing *r, struct renewals *out)
{
    struct renewed *told = &out->at[out->count++];
    *told = (struct renewed){.role = r->files->role, .until = cert_not_after(r->made)};
    if (r->before != NULL)
        told->before = cert_not_after(r->before);
    cert_spki_sha256(r->made, told->key);
}

/* ---- the verb ----------------------------------------------------------------------------- */

static bool is_wanted(const struct keeper_renew *wish, enum cert_role role)
{
    for (size_t i = 0; i < wish->roles.count; i++)
        if (strcmp(wish->roles.at[i], name_of(&cert_role_names, (int)role)) == 0)
            return true;
    return wish->roles.count == 0;
}

static enum outcome check_words(const struct keeper_renew *wish, struct error *err)
{
    for (size_t i = 0; i < wish->roles.count; i++) {
        int role;
        TRY(name_parse(&cert_role_names, wish->roles.at[i], &role, err));
        if (role == ROLE_GUEST)
            return fail(err, ERR_INVALID, "a guest's certificate is its own");
    }
    if (wish->new_key && wish->roles.count == 0)
        return fail(err, ERR_INVALID, "--new-key replaces the keys of the roles that --role names");
    if (wish->withdraw && !wish->new_key)
        return fail(err, ERR_INVALID, "--withdraw is for keys that --new-key replaces");
    return OK;
}

enum outcome keeper_renew(const struct keeper_renew *wish, struct renewals *out, struct error *err)
{
    OWNED(root_done) struct root root = {0};
    OWNED(all_done) struct all all = {0};
    struct moment now = clock_at_seconds(moment_seconds(clock_now()));
    TRY(check_words(wish, err));
    TRY(read_root(wish, &root, err));
    for (size_t i = 0; i < ROLE_FILES; i++) {
        if (!is_wanted(wish, role_files[i].role))
            continue;
        struct renewing *r = &all.at[all.count++];
        r->files = &role_files[i];
        enum outcome outcome = prepare(wish, &root, now, r, err);
        if (outcome == ERR_NOT_FOUND && wish->roles.count == 0 && is_optional(r->files->role)) {
            renewing_done(&all.at[--all.count]);
            all.at[all.count] = (struct renewing){0};
        } else {
            TRY(outcome);
        }
    }
    TRY(put_jwks(wish, &root, &all, now, err));
    for (size_t i = 0; i < all.count; i++) {
        TRY(put(wish, &all.at[i], err));
        tell(&all.at[i], out);
    }
    return OK;
}

static void print_renewed(const struct renewed *r)
{
    printf("%-14s valid until %s", name_of(&cert_role_names, (int)r->role),
           moment_text(r->until).at);
    if (moment_is_none(r->before))
        printf("; there was none before\n");
    else
        printf("; the one before until %s\n", moment_text(r->before).at);
}

/* A keeper whose key the charter does not name does nothing. */
static void print_next(const struct renewals *done, bool new_key)
{
    for (size_t i = 0; i < done->count; i++) {
        OWNED(mem_drop) char *hex = hex_of(SPAN_OF(done->at[i].key));
        if (new_key && done->at[i].role == ROLE_KEEPER_SIGN)
            printf("its key is new: before the keeper starts with it, add %s to /keepers of the "
                   "charter, beside the old one\n",
                   hex);
    }
    printf("next: put them where they are used, and restart controllers and keepers\n");
}

enum outcome keeper_renew_command(int argc, char **argv, struct error *err)
{
    struct keeper_renew wish = {.days = ROLE_CERT_DAYS_MAX};
    struct renewals done = {0};
    const char *days = NULL;
    const struct argument table[] = {
        {"--dir", .text = &wish.folder},
        {"--role", .list = &wish.roles},
        {"--controller-name", .list = &wish.controller_names},
        {"--days", .text = &days},
        {"--new-key", .flag = &wish.new_key},
        {"--withdraw", .flag = &wish.withdraw},
    };
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    if (wish.folder == NULL)
        return fail(err, ERR_INVALID, "--dir is needed");
    if (days != NULL)
        TRY(number_parse(days, 1, ROLE_CERT_DAYS_MAX, &wish.days, err));
    enum outcome outcome = keeper_renew(&wish, &done, err);
    for (size_t i = 0; i < done.count; i++)
        print_renewed(&done.at[i]);
    if (outcome == OK)
        print_next(&done, wish.new_key);
    return outcome;
}
