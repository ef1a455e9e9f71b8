#include "controller/clouds.h"

#include <stdlib.h>
#include <string.h>

#include "db/account_store.h"

static void close_one(struct open_cloud *one)
{
    if (one->driver != NULL)
        one->driver->close(one->cloud);
    account_done(&one->account);
    free(one->spec);
    free(one);
}

static struct open_cloud **find(struct clouds *clouds, const char *project, const char *account)
{
    struct open_cloud **at = &clouds->first;
    while (*at != NULL &&
           (strcmp((*at)->project, project) != 0 || strcmp((*at)->account.name, account) != 0))
        at = &(*at)->next;
    return at;
}

static void drop(struct open_cloud **at)
{
    struct open_cloud *one = *at;
    if (one == NULL)
        return;
    *at = one->next;
    close_one(one);
}

static enum outcome open_one(struct clouds *clouds, struct account *account, char *spec,
                             struct open_cloud **out, struct error *err)
{
    const struct driver *driver;
    TRY(clouds->drivers(account, &driver, err));
    struct cloud *cloud = NULL;
    TRY(driver->open(account, &cloud, err));
    struct open_cloud *one = NEW(struct open_cloud);
    one->account = *account;
    *account = (struct account){0};
    one->spec = spec;
    one->driver = driver;
    one->cloud = cloud;
    one->next = clouds->first;
    clouds->first = one;
    *out = one;
    return OK;
}

/* Before anything is asked of it, for an empty list says nothing of whose it is. */
static enum outcome learn(const struct clouds *clouds, struct db *db, const char *project,
                          const struct account *account, struct error *err)
{
    const struct driver *driver;
    struct cloud_identity who;
    struct cloud *cloud = NULL;
    TRY(clouds->drivers(account, &driver, err));
    TRY(driver->open(account, &cloud, err));
    const enum outcome outcome = driver->identify(cloud, &who, err);
    driver->close(cloud);
    TRY(outcome);
    return account_store_learn(db, project, account->name, who.account, "controller", err);
}

static enum outcome find_account(const struct clouds *clouds, struct db *db, const char *project,
                                 const char *name, struct account *out, struct error *err)
{
    OWNED(account_done) struct account account = {0};
    TRY(account_store_find(db, project, name, &account, err));
    if (account.cloud_account[0] == '\0') {
        TRY(learn(clouds, db, project, &account, err));
        account_done(&account);
        TRY(account_store_find(db, project, name, &account, err));
    }
    *out = account;
    account = (struct account){0};
    return OK;
}

enum outcome clouds_get(struct clouds *clouds, struct db *db, const char *project, const char *name,
                        struct open_cloud **out, struct error *err)
{
    OWNED(account_done) struct account account = {0};
    TRY(find_account(clouds, db, project, name, &account, err));
    OWNED(json_drop) json_t *json = record_to_json(&account_record, &account);
    char *spec = json_print(json);
    struct open_cloud **known = find(clouds, project, name);
    if (*known != NULL && strcmp((*known)->spec, spec) == 0) {
        free(spec);
        *out = *known;
        return OK;
    }
    drop(known);
    if (open_one(clouds, &account, spec, out, err) != OK) {
        free(spec);
        return err->outcome;
    }
    return text_copy((*out)->project, sizeof(*out)->project, project, "project", err);
}

void clouds_forget(struct clouds *clouds, const char *project, const char *account)
{
    drop(find(clouds, project, account));
}

void clouds_done(struct clouds *clouds)
{
    while (clouds->first != NULL)
        drop(&clouds->first);
}
