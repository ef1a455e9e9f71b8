#include "cli/order.h"

#include "lib/base/file.h"

enum { PEM_MAX = 16 * 1024 };

/* ---- writing ------------------------------------------------------------------------------ */

static enum outcome read_keeper(const char *path, uint8_t out[static SHA256_SIZE],
                                struct error *err)
{
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(cert_drop) struct cert *cert = NULL;
    TRY(file_read(path, PEM_MAX, &pem, err));
    TRY(cert_from_pem(bytes_span(&pem), &cert, err));
    if (cert_claimed_role(cert) != ROLE_KEEPER_SIGN)
        return fail_code(err, ERR_INVALID, "wrong-role", "%s is not a keeper-sign certificate",
                         path);
    cert_spki_sha256(cert, out);
    return OK;
}

enum outcome order_check_wish(const struct order_wish *w, bool says_more, struct error *err)
{
    if (w->key == NULL || w->out == NULL)
        return fail(err, ERR_INVALID, "--key and --out are needed");
    if (w->signed_file != NULL &&
        (w->cert != NULL || w->realm != NULL || w->days != NULL || says_more))
        return fail(err, ERR_INVALID, "--signed is an order already; it is signed as it stands");
    return OK;
}

enum outcome order_begin(const struct order_wish *wish, enum realm *realm,
                         uint8_t keeper[static SHA256_SIZE], struct moment *issued,
                         struct moment *expires, struct error *err)
{
    int64_t days = 1;
    int number;
    TRY(read_keeper(wish->cert, keeper, err));
    TRY(name_parse(&realm_names, wish->realm, &number, err));
    if (wish->days != NULL)
        TRY(number_parse(wish->days, 1, ORDER_DAYS_MAX, &days, err));
    *realm = (enum realm)number;
    *issued = clock_at_seconds(moment_seconds(clock_now()));
    *expires = moment_add_seconds(*issued, INT64_C(86400) * days);
    return OK;
}

/* ---- signing ------------------------------------------------------------------------------ */

static void set_of(const struct order_kind *kind, const void *order, char **out_set)
{
    OWNED(json_drop) json_t *json = record_to_json(kind->record, order);
    OWNED(mem_drop) char *printed = json_print(json);
    token_set_make(span_of_text(printed), out_set);
}

static enum outcome read_order(const char *path, char **out_set, struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    TRY(file_read(path, ORDER_SIZE_MAX, &content, err));
    bytes_add_u8(&content, 0);
    *out_set = mem_text((const char *)content.at);
    return OK;
}

/* Nobody signs what was not shown, or what the keeper would not take. */
static enum outcome show_order(const struct order_kind *kind, const char *set, struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    OWNED(json_drop) json_t *json = NULL;
    size_t signatures;
    TRY(token_set_look(span_of_text(set), ORDER_SIZE_MAX, &payload, &signatures, err));
    TRY(kind->check(bytes_span(&payload), err));
    TRY(json_parse(bytes_span(&payload), ORDER_SIZE_MAX, &json, err));
    OWNED(mem_drop) char *text = json_print_pretty(json);
    return print_line(text, err);
}

static enum outcome read_private_key(const char *path, struct key **out, struct error *err)
{
    OWNED(bytes_wipe) struct bytes pem = {0};
    TRY(file_read_private(path, PEM_MAX, &pem, err));
    return key_from_private_pem(bytes_span(&pem), out, err);
}

enum outcome order_sign(const struct order_wish *wish, const struct order_kind *kind,
                        const void *order, struct error *err)
{
    OWNED(mem_drop) char *before = NULL;
    OWNED(mem_drop) char *after = NULL;
    OWNED(key_drop) struct key *key = NULL;
    if (wish->signed_file != NULL)
        TRY(read_order(wish->signed_file, &before, err));
    else
        set_of(kind, order, &before);
    TRY(show_order(kind, before, err));
    TRY(read_private_key(wish->key, &key, err));
    TRY(token_set_sign(span_of_text(before), kind->typ, key, &after, err));
    return file_write(wish->out, span_of_text(after), 0644, err);
}
