#include "tests/support/places.h"

#include <string.h>

#include "db/account_store.h"
#include "db/fleet_store.h"
#include "tests/support/test.h"

void stage_account(const char *name, const char *driver)
{
    struct error err = {0};
    OWNED(account_done) struct account account = {0};
    OWNED(json_drop)
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:{s:s}}", "name", name, "driver", driver, "region",
                  "somewhere", "owner", "test", "credentials", "source", "environment");
    if (strcmp(driver, "azure") == 0) {
        json_put_text(json, "subscription", "00000000-0000-4000-8000-000000000001");
        json_put_text(json, "resource_group", "machines");
    }
    if (strcmp(driver, "gcp") == 0)
        json_put_text(json, "project", "machines");
    assert_ok(account_from_json(json, "", &account, &err));
    assert_ok(account_store_add(stage.db, PROJECT_DEFAULT, &account, "token:test", &err));
}

void stage_spread(const char *places, int64_t desired)
{
    struct error err = {0};
    OWNED(json_drop) json_t *json = NULL;
    OWNED(fleet_done) struct fleet fleet = {0};
    OWNED(text_done) struct text spec = {0};
    text_addf(&spec,
              "{\"name\":\"web\",\"desired\":%lld,\"image\":\"image\",\"size\":\"m6a.large\","
              "\"policy\":\"web\",\"places\":%s}",
              (long long)desired, places);
    assert_ok(json_parse(text_span(&spec), 65536, &json, &err));
    assert_ok(fleet_from_json(json, &fleet, &err));
    assert_ok(fleet_store_add(stage.db, PROJECT_DEFAULT, &fleet, "token:test", &err));
}

void stage_time_passes(void)
{
    struct error err = {0};
    assert_ok(db_script(stage.db, "UPDATE place_closures SET until = clock_timestamp()", &err));
}

struct placement stage_places(void)
{
    struct error err = {0};
    struct placement placement = {0};
    OWNED(fleet_done) struct fleet fleet = {0};
    assert_ok(fleet_store_find(stage.db, PROJECT_DEFAULT, "web", &fleet, &err));
    assert_ok(place_store_look(stage.db, &fleet, &placement, &err));
    return placement;
}

bool stage_closed(int64_t seconds)
{
    OWNED(placement_done) struct placement p = stage_places();
    return moment_seconds_between(clock_now(), p.spots[0].closed_until) > seconds;
}
