#include "controller/endorser_inside.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum {
    FETCH_TIMEOUT_MS = 5000,
    TOLD_MOST_SECONDS = 3600,
    MISSING_SECONDS = 300,           /* the maker's "no such thing" holds so long at first, */
    MISSING_MOST_SECONDS = 6 * 3600, /* and so long when it is said again and again */
    WRONG_SECONDS = 600,
    LIST_SECONDS = 86400,    /* between two looks at a list */
    OLD_LIST_SECONDS = 3600, /* the same when its next update is due */
};

/* ---- keeping ------------------------------------------------------------------------------- */

/* A VCEK and a list are checked under the chain of their line; a chain stands by itself. */
static enum outcome find_chain(struct db *db, const struct kds_item *item, struct endorsement *out,
                               struct error *err)
{
    char name[KDS_NAME_SIZE];
    const struct kds_item chain = kds_chain_of(item->line, SIGNER_VCEK);
    if (item->what == KDS_CHAIN)
        return OK;
    kds_name(&chain, name);
    enum outcome outcome = endorsement_store_find(db, name, out, err);
    if (outcome == ERR_NOT_FOUND)
        return fail_code(err, ERR_CONFLICT, "endorsement-chain-missing", "%s must come first",
                         name);
    return outcome;
}

static enum outcome check_and_keep(struct db *db, const struct snp_roots *roots,
                                   const struct kds_item *item, struct span content,
                                   const struct endorsement *chain, enum endorsement_source source,
                                   struct error *err)
{
    OWNED(kds_content_done) struct kds_content checked = {0};
    TRY(kds_check(item, content, bytes_span(&chain->content), roots, clock_now(), &checked, err));
    OWNED(endorsement_done)
    struct endorsement row = {.source = source,
                              .content = bytes_copy(bytes_span(&checked.bytes)),
                              .this_update = checked.this_update,
                              .next_update = checked.next_update};
    kds_name(item, row.name);
    snprintf(row.what, sizeof row.what, "%s", name_of(&kds_what_names, (int)item->what));
    snprintf(row.line, sizeof row.line, "%s", name_of(&snp_line_names, (int)item->line));
    return endorsement_store_keep(db, &row, clock_now(), err);
}

enum outcome endorsement_take(struct db *db, const struct snp_roots *roots,
                              const struct kds_item *item, struct span content,
                              enum endorsement_source source, struct error *err)
{
    OWNED(endorsement_done) struct endorsement chain = {0};
    TRY(find_chain(db, item, &chain, err));
    return check_and_keep(db, roots, item, content, &chain, source, err);
}

/* ---- fetching ------------------------------------------------------------------------------ */

static enum fetch_end refused(struct fetcher *f, const struct kds_item *item, int64_t seconds,
                              int64_t most_seconds, struct error *why)
{
    char name[KDS_NAME_SIZE];
    kds_name(item, name);
    metric_add(METRIC_ENDORSEMENTS_REFUSED, 1);
    LOG(WARN, "endorsement.refused", TEXT("name", name), TEXT("code", why->code),
        TEXT("text", why->text));
    struct error failed = {0};
    if (endorsement_store_miss(f->db, name, why->code, clock_now(), seconds, most_seconds,
                               &failed) == OK)
        return FETCH_REFUSED;
    *why = failed;
    return FETCH_KEPT_FROM;
}

/* That a chip has no key at a TCB may be so. That a line has no chain is the word of somebody who
 * does not know, so nobody is judged by it. */
static enum fetch_end there_is_none(struct fetcher *f, const struct kds_item *item, int status,
                                    struct error *err)
{
    bool may_be = item->what != KDS_CHAIN;
    error_fill(err, may_be ? ERR_NOT_FOUND : ERR_UNREACHABLE,
               may_be ? "endorsement-missing" : "endorsement-unavailable", "",
               "the service has none (HTTP %d)", status);
    return may_be ? refused(f, item, MISSING_SECONDS, MISSING_MOST_SECONDS, err)
                  : refused(f, item, WRONG_SECONDS, WRONG_SECONDS, err);
}

static enum fetch_end read_answer(struct fetcher *f, const struct kds_item *item,
                                  const struct http_answer *answer, struct error *err)
{
    if (answer->status == 400 || answer->status == 404)
        return there_is_none(f, item, answer->status, err);
    if (answer->status != 200) {
        error_fill(err, ERR_UNREACHABLE, "endorsement-unavailable", "", "HTTP %d", answer->status);
        return FETCH_LATER;
    }
    enum outcome outcome =
        endorsement_take(f->db, f->roots, item, bytes_span(&answer->body), FROM_SERVICE, err);
    if (outcome == OK)
        return FETCH_KEPT;
    if (outcome == ERR_CONFLICT) /* what stands above it went meanwhile */
        return FETCH_LATER;
    bool not_good = strncmp(err->code, "endorsement-", 12) == 0;
    return not_good ? refused(f, item, WRONG_SECONDS, WRONG_SECONDS, err) : FETCH_KEPT_FROM;
}

static enum fetch_end ask(struct fetcher *f, const struct kds_item *item, int64_t *out_told_ms,
                          struct error *err)
{
    OWNED(text_done) struct text url = {0};
    kds_url(item, f->base_url, &url);
    const struct http_request request = {
        .method = "GET",
        .url = text_str(&url),
        .timeout_ms = FETCH_TIMEOUT_MS,
        .answer_limit = KDS_ANSWER_MAX,
        .ca_file = f->ca_file != NULL && f->ca_file[0] != '\0' ? f->ca_file : NULL,
    };
    struct http_answer answer = {0};
    struct error why = {0};
    metric_add(METRIC_ENDORSEMENTS_ASKED, 1);
    if (http_send(f->http, &request, &answer, &why) != OK) {
        error_fill(err, ERR_UNREACHABLE, "endorsement-unavailable", "", "%.200s", why.text);
        return FETCH_LATER;
    }
    const enum fetch_end end = read_answer(f, item, &answer, err);
    const int64_t told = answer.retry_after_seconds;
    *out_told_ms = 1000 * (told < TOLD_MOST_SECONDS ? told : TOLD_MOST_SECONDS);
    http_answer_done(&answer);
    return end;
}

enum outcome endorsement_miss_outcome(const char *code)
{
    if (strcmp(code, "endorsement-missing") == 0)
        return ERR_NOT_FOUND;
    return strcmp(code, "endorsement-unavailable") == 0 ? ERR_UNREACHABLE : ERR_DENIED;
}

/* What stands above comes first, unless it was no good a while ago. */
static enum fetch_end fetch_chain(struct fetcher *f, enum snp_line line, int64_t *out_told_ms,
                                  struct error *err)
{
    char name[KDS_NAME_SIZE], code[ERROR_CODE_SIZE];
    const struct kds_item chain = kds_chain_of(line, SIGNER_VCEK);
    kds_name(&chain, name);
    *err = (struct error){0};
    enum outcome missed = endorsement_store_missed(f->db, name, clock_now(), code, err);
    if (missed == OK) {
        error_fill(err, endorsement_miss_outcome(code), code, "", "%s: so it was a while ago",
                   name);
        return FETCH_REFUSED;
    }
    return missed == ERR_NOT_FOUND ? ask(f, &chain, out_told_ms, err) : FETCH_KEPT_FROM;
}

enum fetch_end fetch_item(struct fetcher *f, const struct kds_item *item, int64_t *out_told_ms,
                          struct error *err)
{
    OWNED(endorsement_done) struct endorsement chain = {0};
    *out_told_ms = 0;
    *err = (struct error){0};
    enum outcome outcome = find_chain(f->db, item, &chain, err);
    if (outcome == ERR_CONFLICT) {
        const enum fetch_end end = fetch_chain(f, item->line, out_told_ms, err);
        if (end != FETCH_KEPT)
            return end;
    } else if (outcome != OK) {
        return FETCH_KEPT_FROM;
    }
    *err = (struct error){0};
    return ask(f, item, out_told_ms, err);
}

/* ---- lists --------------------------------------------------------------------------------- */

static const struct endorsement *find_row(const struct endorsement_list *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->at[i].name, name) == 0)
            return &rows->at[i];
    return NULL;
}

static bool is_old(const struct endorsement *crl, struct moment now)
{
    return !moment_is_none(crl->next_update) && crl->next_update.us < now.us;
}

static bool is_due(const struct endorsement *crl, struct moment now)
{
    return crl == NULL || moment_seconds_between(crl->checked, now) >=
                              (is_old(crl, now) ? OLD_LIST_SECONDS : LIST_SECONDS);
}

/* Only lines that are in use are asked about: those whose chain is here. The chain too: its maker
 * may put another in its place. */
enum outcome lists_look(struct db *db, struct due_lists *out, struct error *err)
{
    OWNED(endorsement_list_done) struct endorsement_list rows = {0};
    const struct moment now = clock_now();
    int64_t oldest = 0, stale = 0;
    *out = (struct due_lists){0};
    TRY(endorsement_store_dated(db, &rows, err));
    for (int line = 0; line < LINE_COUNT; line++) {
        char chain_name[KDS_NAME_SIZE], crl_name[KDS_NAME_SIZE];
        const struct kds_item chain = kds_chain_of((enum snp_line)line, SIGNER_VCEK);
        const struct kds_item crl_item = kds_crl_of((enum snp_line)line);
        kds_name(&chain, chain_name);
        kds_name(&crl_item, crl_name);
        const struct endorsement *crl = find_row(&rows, crl_name);
        const struct endorsement *above = find_row(&rows, chain_name);
        if (above == NULL)
            continue;
        if (moment_seconds_between(above->checked, now) >= LIST_SECONDS)
            out->at[out->count++] = chain;
        if (is_due(crl, now))
            out->at[out->count++] = crl_item;
        stale += crl == NULL || is_old(crl, now);
        const int64_t age = crl != NULL ? moment_seconds_between(crl->this_update, now) : 0;
        oldest = age > oldest ? age : oldest;
    }
    metric_set(METRIC_CRL_AGE, oldest);
    metric_set(METRIC_CRL_STALE, stale);
    return OK;
}
