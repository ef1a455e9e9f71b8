#include "controller/api.h"

#include <stdio.h>

#include "controller/fleet_rules.h"
#include "db/hold_store.h"
#include "db/image_store.h"
#include "drivers/rest.h"

/* Lists ask for one more than a page holds, to know whether there is a next one. */

enum outcome accounts_list(struct request *r, struct error *err)
{
    OWNED(account_list_done) struct account_list list = {0};
    char after[NAME_SIZE];
    int64_t limit;
    TRY(request_limit(r, &limit, err));
    TRY(request_cursor(r, after, err));
    TRY(account_store_list(r->db, r->caller.project, after[0] != '\0' ? after : NULL, limit + 1,
                           &list, err));
    size_t shown = list.count > (size_t)limit ? (size_t)limit : list.count;
    json_t *items = json_array();
    for (size_t i = 0; i < shown; i++)
        json_add_new(items, record_to_json(&account_record, &list.at[i]));
    request_answer_page(r, items, shown > 0 ? list.at[shown - 1].name : "", list.count > shown);
    return OK;
}

/* Else nobody would hear of it before a launch. */
static enum outcome check_endpoint(const struct account *account, struct error *err)
{
    struct endpoint endpoint;
    struct error why;
    if (account->endpoint[0] == '\0' || endpoint_parse(account->endpoint, &endpoint, &why) == OK)
        return OK;
    return fail_at(err, ERR_INVALID, why.code, "/endpoint", "/endpoint: %s", why.text);
}

enum outcome accounts_add(struct request *r, struct error *err)
{
    OWNED(account_done) struct account account = {0};
    TRY(account_from_json(r->body, "", &account, err));
    TRY(check_endpoint(&account, err));
    TRY(account_store_add(r->db, r->caller.project, &account, r->actor, err));
    request_tag(r, 1);
    request_answer_made(r, "/v1/accounts", account.name, record_to_json(&account_record, &account));
    return OK;
}

static struct account_place place_of(const struct request *r)
{
    struct account_place place;
    snprintf(place.project, sizeof place.project, "%s", r->caller.project);
    snprintf(place.name, sizeof place.name, "%s", r->args[0]);
    return place;
}

/* With why its list is not believed, where it is not. */
enum outcome accounts_show(struct request *r, struct error *err)
{
    OWNED(account_done) struct account account = {0};
    OWNED(account_hold_list_done) struct account_hold_list holds = {0};
    const struct account_place place = place_of(r);
    int64_t epoch;
    TRY(account_store_look(r->db, r->caller.project, r->args[0], false, &account, &epoch, err));
    TRY(hold_store_list(r->db, &place, &holds, err));
    json_t *out = record_to_json(&account_record, &account), *held = json_array();
    for (size_t i = 0; i < holds.count; i++)
        json_add_new(held, record_to_json(&account_hold_record, &holds.at[i]));
    json_put_new(out, "held", held);
    request_tag(r, epoch);
    request_answer(r, 200, out);
    return OK;
}

/* What a person knows better: whose it is, or that those machines are gone. */
enum outcome accounts_confirm(struct request *r, struct error *err)
{
    static const char *const whose[] = {"cloud_account", NULL}, *const gone[] = {"vanished", NULL};
    const struct account_place place = place_of(r);
    OWNED(account_done) struct account account = {0};
    const char *cloud_account;
    int64_t epoch;
    if (json_object_get(r->body, "vanished") != NULL) {
        TRY(json_only(r->body, "", gone, err));
        if (!json_is_true(json_object_get(r->body, "vanished")))
            return fail_at(err, ERR_INVALID, "invalid", "/vanished", "/vanished: true or nothing");
        TRY(account_store_look(r->db, place.project, place.name, false, &account, &epoch, err));
        TRY(hold_store_believe(r->db, &place, r->actor, err));
        return accounts_show(r, err);
    }
    TRY(json_only(r->body, "", whose, err));
    TRY(json_get_text(r->body, "", "cloud_account", CLOUD_ACCOUNT_SIZE - 1, &cloud_account, err));
    if (!text_is_word(cloud_account))
        return fail_at(err, ERR_INVALID, "bad-account", "/cloud_account",
                       "/cloud_account: not a word");
    TRY(account_store_confirm(r->db, r->caller.project, r->args[0], cloud_account, r->actor, &epoch,
                              err));
    return accounts_show(r, err);
}

/* Workers open it anew with their next act. */
enum outcome accounts_change(struct request *r, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(account_done) struct account now = {0}, wanted = {0};
    OWNED(json_drop) json_t *spec = NULL;
    int64_t if_epoch, epoch;
    TRY(request_if_match(r, &if_epoch, err));
    TRY(transaction_begin(r->db, &tx, err));
    TRY(account_store_look(r->db, r->caller.project, r->args[0], true, &now, &epoch, err));
    TRY(request_merge(r, &account_record, &now, &spec, err));
    TRY(account_from_json(spec, "", &wanted, err));
    TRY(check_endpoint(&wanted, err));
    account_follow_move(&now, &wanted);
    TRY(account_store_update(r->db, r->caller.project, &wanted, if_epoch, r->actor, &epoch, err));
    TRY(fleet_rules_check_account(r, &now, &wanted, err));
    TRY(transaction_commit(&tx, err));
    request_tag(r, epoch);
    request_answer(r, 200, record_to_json(&account_record, &wanted));
    return OK;
}

enum outcome accounts_remove(struct request *r, struct error *err)
{
    int64_t epoch;
    TRY(request_if_match(r, &epoch, err));
    TRY(account_store_remove(r->db, r->caller.project, r->args[0], epoch, r->actor, err));
    request_answer(r, 200, json_pack("{s:b}", "removed", true));
    return OK;
}

enum outcome images_list(struct request *r, struct error *err)
{
    OWNED(image_list_done) struct image_list list = {0};
    char after[NAME_SIZE];
    int64_t limit;
    TRY(request_limit(r, &limit, err));
    TRY(request_cursor(r, after, err));
    TRY(image_store_list(r->db, r->caller.project, after[0] != '\0' ? after : NULL, limit + 1,
                         &list, err));
    size_t shown = list.count > (size_t)limit ? (size_t)limit : list.count;
    json_t *items = json_array();
    for (size_t i = 0; i < shown; i++)
        json_add_new(items, image_to_json(&list.at[i]));
    request_answer_page(r, items, shown > 0 ? list.at[shown - 1].name : "", list.count > shown);
    return OK;
}

enum outcome images_add(struct request *r, struct error *err)
{
    OWNED(image_done) struct image image = {0}, made = {0};
    TRY(image_from_json(r->body, &image, err));
    TRY(image_store_add(r->db, r->caller.project, &image, r->actor, err));
    TRY(image_store_find(r->db, r->caller.project, image.name, &made, err));
    request_tag(r, made.epoch);
    request_answer_made(r, "/v1/images", made.name, image_to_json(&made));
    return OK;
}

enum outcome images_show(struct request *r, struct error *err)
{
    OWNED(image_done) struct image image = {0};
    TRY(image_store_find(r->db, r->caller.project, r->args[0], &image, err));
    request_tag(r, image.epoch);
    request_answer(r, 200, image_to_json(&image));
    return OK;
}

enum outcome images_change(struct request *r, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(image_done) struct image now = {0}, wanted = {0}, made = {0};
    OWNED(json_drop) json_t *spec = NULL;
    int64_t epoch;
    TRY(request_if_match(r, &epoch, err));
    TRY(transaction_begin(r->db, &tx, err));
    TRY(image_store_lock(r->db, r->caller.project, r->args[0], &now, err));
    TRY(request_merge(r, &image_record, &now, &spec, err));
    TRY(image_from_json(spec, &wanted, err));
    TRY(image_store_update(r->db, r->caller.project, &wanted, epoch, r->actor, &made, err));
    TRY(fleet_rules_check_image(r, &now, &wanted, err));
    TRY(transaction_commit(&tx, err));
    request_tag(r, made.epoch);
    request_answer(r, 200, image_to_json(&made));
    return OK;
}

enum outcome images_remove(struct request *r, struct error *err)
{
    int64_t epoch;
    TRY(request_if_match(r, &epoch, err));
    TRY(image_store_remove(r->db, r->caller.project, r->args[0], epoch, r->actor, err));
    request_answer(r, 200, json_pack("{s:b}", "removed", true));
    return OK;
}
