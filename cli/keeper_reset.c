#include "cli/keeper_reset.h"

#include <stdlib.h>

#include "cli/arguments.h"
#include "lib/base/file.h"
#include "lib/model/reset_order.h"

enum { PEM_MAX = 16 * 1024 };

struct wish {
    const char *cert;
    const char *realm;
    const char *least_serial;
    const char *days;
    const char *signed_file;
    const char *key;
    const char *out;
};

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

static enum outcome write_order(const struct wish *wish, char **out_set, struct error *err)
{
    struct reset_order order = {.state_reset = 1};
    int64_t days = 1;
    int realm;
    if (wish->cert == NULL || wish->realm == NULL || wish->least_serial == NULL)
        return fail(err, ERR_INVALID, "--cert, --realm and --least-serial, or --signed are needed");
    TRY(read_keeper(wish->cert, order.keeper, err));
    TRY(name_parse(&realm_names, wish->realm, &realm, err));
    TRY(number_parse(wish->least_serial, 1, INT64_MAX, &order.least_serial, err));
    if (wish->days != NULL)
        TRY(number_parse(wish->days, 1, RESET_ORDER_DAYS_MAX, &days, err));
    order.realm = (enum realm)realm;
    order.issued = clock_at_seconds(moment_seconds(clock_now()));
    order.expires = moment_add_seconds(order.issued, INT64_C(86400) * days);
    OWNED(json_drop) json_t *json = record_to_json(&reset_order_record, &order);
    OWNED(mem_drop) char *printed = json_print(json);
    token_set_make(span_of_text(printed), out_set);
    return OK;
}

static enum outcome read_order(const char *path, char **out_set, struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    TRY(file_read(path, RESET_ORDER_SIZE_MAX, &content, err));
    bytes_add_u8(&content, 0);
    *out_set = mem_text((const char *)content.at);
    return OK;
}

/* Nobody signs what was not shown, or what the keeper would not take. */
static enum outcome show_order(const char *set, struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    struct reset_order order;
    size_t signatures;
    TRY(token_set_look(span_of_text(set), RESET_ORDER_SIZE_MAX, &payload, &signatures, err));
    TRY(reset_order_parse(bytes_span(&payload), &order, err));
    OWNED(json_drop) json_t *json = record_to_json(&reset_order_record, &order);
    OWNED(mem_drop) char *text = json_print_pretty(json);
    return print_line(text, err);
}

static enum outcome read_private_key(const char *path, struct key **out, struct error *err)
{
    OWNED(bytes_wipe) struct bytes pem = {0};
    TRY(file_read_private(path, PEM_MAX, &pem, err));
    return key_from_private_pem(bytes_span(&pem), out, err);
}

enum outcome keeper_reset_order(int argc, char **argv, struct error *err)
{
    struct wish wish = {0};
    const struct argument table[] = {
        {"--cert", .text = &wish.cert},
        {"--realm", .text = &wish.realm},
        {"--least-serial", .text = &wish.least_serial},
        {"--days", .text = &wish.days},
        {"--signed", .text = &wish.signed_file},
        {"--key", .text = &wish.key},
        {"--out", .text = &wish.out},
    };
    OWNED(mem_drop) char *before = NULL;
    OWNED(mem_drop) char *after = NULL;
    OWNED(key_drop) struct key *key = NULL;
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    if (wish.key == NULL || wish.out == NULL)
        return fail(err, ERR_INVALID, "--key and --out are needed");
    if (wish.signed_file != NULL &&
        (wish.cert != NULL || wish.realm != NULL || wish.least_serial != NULL || wish.days != NULL))
        return fail(err, ERR_INVALID, "--signed is an order already; it is signed as it stands");
    TRY(wish.signed_file != NULL ? read_order(wish.signed_file, &before, err)
                                 : write_order(&wish, &before, err));
    TRY(show_order(before, err));
    TRY(read_private_key(wish.key, &key, err));
    TRY(token_set_sign(span_of_text(before), RESET_ORDER_TYP, key, &after, err));
    return file_write(wish.out, span_of_text(after), 0644, err);
}
