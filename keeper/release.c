/* New secrets, and handing one to a guest that its own verdict allows (trust.md section 5). */
#include <stdlib.h>
#include <string.h>

#include "keeper/inside.h"
#include "keeper/makers.h"
#include "lib/crypto/random.h"
#include "lib/crypto/sealing_key.h"

/* ---- generate ----------------------------------------------------------------------------- */

static enum outcome read_label(const struct generate_wish *wish, struct secret_label *out,
                               struct error *err)
{
    int kind;
    int scope;
    if (name_parse(&secret_kind_names, wish->kind, &kind, NULL) != OK)
        return fail_code(err, ERR_INVALID, "unsupported-kind",
                         "no secret of kind '%s' is made here", wish->kind);
    if (name_parse(&secret_scope_names, wish->scope, &scope, NULL) != OK)
        return fail_at(err, ERR_INVALID, "wrong-value", "/scope", "no scope '%s'", wish->scope);
    *out = (struct secret_label){
        .secret = wish->secret,
        .version = wish->version,
        .kind = (enum secret_kind)kind,
        .scope = (enum secret_scope)scope,
    };
    memcpy(out->anchor, wish->anchor, sizeof out->anchor);
    if (!text_is_name(wish->name))
        return fail_at(err, ERR_INVALID, "wrong-value", "/name", "not the name of a secret");
    TRY(text_copy(out->name, sizeof out->name, wish->name, "/name", err));
    return text_copy(out->grant, sizeof out->grant, wish->grant, "/grant", err);
}

static enum outcome check_label(const struct keeper *k, const struct charter *charter,
                                const struct secret_label *label, struct error *err)
{
    const struct charter_grant *grant = charter_find_grant(charter, label->grant);
    bool has_anchor = !span_is_zero(SPAN_OF(label->anchor));
    if (grant == NULL)
        return fail_code(err, ERR_DENIED, "grant-unknown", "the charter has no grant %s",
                         label->grant);
    if (grant->kind != label->kind)
        return fail_code(err, ERR_DENIED, "grant-kind", "grant %s is for another kind",
                         label->grant);
    if (grant->scope != label->scope)
        return fail_code(err, ERR_DENIED, "grant-scope", "grant %s is for another scope",
                         label->grant);
    if (has_anchor != (label->scope == SCOPE_INSTANCE))
        return fail_code(err, ERR_INVALID, has_anchor ? "anchor-unexpected" : "anchor-missing",
                         "an anchor belongs to a secret of one instance");
    return keeper_state_check_version(k->state, &label->secret, label->version, err);
}

enum outcome keeper_generate(struct keeper *k, const struct generate_wish *wish,
                             struct generate_reply *out, struct error *err)
{
    const struct charter *charter;
    struct secret_label label;
    OWNED(locked_done) struct locked plain = {0};
    uint8_t salt[SEAL_SALT_SIZE];
    TRY(keeper_need_state(k, err));
    TRY(keeper_charter(k, &charter, err));
    TRY(read_label(wish, &label, err));
    TRY(check_label(k, charter, &label, err));
    TRY(make_secret(label.kind, &plain, &out->public, err));
    random_fill(salt, sizeof salt);
    seal_check(SPAN_OF(salt), locked_span(&plain), out->check);
    return vault_close(k->kek, &label, salt, &plain, &out->record, err);
}

/* ---- release ------------------------------------------------------------------------------ */

/* Not an old request again. */
static enum outcome check_sequence(const struct keeper *k, const struct release_wish *wish,
                                   struct error *err)
{
    const struct known_instance *known = map_get(k->instances, &wish->instance);
    if (known != NULL && wish->sequence <= known->sequence)
        return fail_code(err, ERR_DENIED, "sequence-replayed", "sequence %lld, had %lld",
                         (long long)wish->sequence, (long long)known->sequence);
    return OK;
}

/* Is the record the secret that was asked for? Its label is authentic; the wish is not. */
static enum outcome check_record(const struct release_wish *wish, const struct secret_label *label,
                                 struct error *err)
{
    if (!uuid_equal(&label->secret, &wish->secret) || label->version != wish->version ||
        strcmp(label->name, wish->name) != 0)
        return fail_code(err, ERR_DENIED, "record-mismatch",
                         "the record is of another secret, name or version");
    return OK;
}

static struct charter_case case_of(const struct release_wish *wish,
                                   const struct verdict_token *token,
                                   const struct secret_label *label)
{
    struct charter_case c = keeper_case_of(token);
    c.fleet = wish->fleet;
    c.kind = label->kind;
    c.scope = label->scope;
    memcpy(c.secret_anchor, label->anchor, sizeof c.secret_anchor);
    return c;
}

static enum outcome seal_it(const struct keeper *k, const struct release_wish *wish,
                            const struct verdict_token *token, const struct secret_label *label,
                            const uint8_t salt[static SEAL_SALT_SIZE], struct span plain,
                            struct release_reply *out, struct error *err)
{
    OWNED(key_drop) struct key *sealing = NULL;
    struct seal_header header = {
        .purpose = SEAL_PURPOSE_SECRET,
        .instance = wish->instance,
        .delivery = wish->delivery,
        .secret = label->secret,
        .version = label->version,
        .verdict = token->id,
        .sequence = wish->sequence,
    };
    TRY(sealing_key_read(bytes_span(&token->claims.sealing_key), &sealing, err));
    memcpy(header.deployment, k->deployment, sizeof header.deployment);
    memcpy(header.anchor, label->anchor, sizeof header.anchor);
    key_fingerprint(sealing, header.sealing_key);
    memcpy(header.salt, salt, sizeof header.salt);
    TRY(text_copy(header.name, sizeof header.name, wish->name, "/name", err));
    TRY(text_copy(header.kind, sizeof header.kind, name_of(&secret_kind_names, (int)label->kind),
                  "/kind", err));
    TRY(text_copy(header.grant, sizeof header.grant, label->grant, "/grant", err));
    seal_check(SPAN(salt, SEAL_SALT_SIZE), plain, out->check);
    return seal_to(sealing, &header, plain, k->signer, k->signer_cert, &out->envelope, err);
}

/* All that may be known without opening the record is asked first. */
enum outcome keeper_release(struct keeper *k, const struct release_wish *wish,
                            struct release_reply *out, struct error *err)
{
    const struct charter *charter;
    OWNED(verdict_token_done) struct verdict_token token = {0};
    OWNED(locked_done) struct locked plain = {0};
    struct secret_label label = {0};
    uint8_t salt[SEAL_SALT_SIZE];
    TRY(keeper_need_state(k, err));
    TRY(keeper_check_halt(k, err));
    TRY(keeper_charter(k, &charter, err));
    if (!text_is_name(wish->name))
        return fail_at(err, ERR_INVALID, "wrong-value", "/name", "not the name of a secret");
    TRY(keeper_read_verdict(k, &wish->instance, wish->token, &token, err));
    TRY(check_sequence(k, wish, err));
    TRY(vault_open(k->kek, bytes_span(&wish->record), &label, salt, &plain, err));
    TRY(check_record(wish, &label, err));
    struct charter_case c = case_of(wish, &token, &label);
    TRY(charter_grant_allows(charter, label.grant, &c, err));
    TRY(keeper_state_raise_version(k->state, &label.secret, label.version, err));
    TRY(seal_it(k, wish, &token, &label, salt, locked_span(&plain), out, err));
    keeper_know(k, &wish->instance)->sequence = wish->sequence;
    k->releases++;
    return OK;
}
