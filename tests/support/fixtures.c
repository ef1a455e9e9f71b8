#include "tests/support/fixtures.h"

#include <string.h>

#include "db/account_store.h"
#include "db/fleet_store.h"
#include "db/image_store.h"
#include "db/secret_store.h"
#include "lib/crypto/random.h"
#include "tests/support/test.h"

static void account_and_image(struct db *db)
{
    struct error err;
    OWNED(account_done) struct account there = {0};
    if (account_store_find(db, PROJECT_DEFAULT, "cloud", &there, &err) == OK)
        return;
    OWNED(json_drop)
    json_t *spec = json_pack("{s:s,s:s,s:s,s:{s:s}}", "name", "cloud", "driver", "aws", "region",
                             "eu-west-1", "credentials", "source", "environment");
    OWNED(account_done) struct account account = {0};
    assert_ok(account_from_json(spec, "", &account, &err));
    assert_ok(account_store_add(db, PROJECT_DEFAULT, &account, "test", &err));
    OWNED(image_done) struct image image = {.name = "base", .driver = "aws", .ref = "ami-1"};
    assert_ok(image_store_add(db, PROJECT_DEFAULT, &image, "test", &err));
}

static struct fleet make_fleet(struct db *db, const char *name, int64_t desired, json_t *secrets)
{
    struct error err;
    account_and_image(db);
    struct fleet fleet = {
        .desired = desired,
        .project = PROJECT_DEFAULT,
        .account = "cloud",
        .image = "base",
        .size = "m6a.large",
        .policy = "standard",
        .secrets = secrets,
        .surge = 1,
    };
    strcpy(fleet.name, name);
    assert_ok(fleet_store_add(db, PROJECT_DEFAULT, &fleet, "test", &err));
    return fleet;
}

struct fleet fixture_fleet(struct db *db, const char *name, int64_t desired)
{
    return make_fleet(db, name, desired, json_array());
}

struct fleet fixture_fleet_with(struct db *db, const char *name, const char *secret)
{
    return make_fleet(db, name, 1, json_pack("[s]", secret));
}

void fixture_instances(struct db *db, const char *fleet, struct uuid *ids, size_t count)
{
    struct error err;
    for (size_t i = 0; i < count; i++)
        ids[i] = uuid_new();
    const struct instance_order order = {
        .project = PROJECT_DEFAULT,
        .fleet = fleet,
        .account = "cloud",
        .image = "base",
        .size = "m6a.large",
        .policy = "standard",
        .ids = ids,
        .count = count,
    };
    assert_ok(instance_store_add_many(db, &order, "test", &err));
}

struct instance fixture_running(struct db *db, const char *fleet)
{
    struct error err;
    struct uuid id;
    struct instance now;
    fixture_instances(db, fleet, &id, 1);
    char ref[64];
    strcpy(ref, "i-");
    strcat(ref, uuid_text(&id).at);
    const struct instance_step steps[] = {
        {.event = EVENT_CLAIMED, .intent = INTENT_LAUNCH},
        {.event = EVENT_LAUNCHED, .cloud_ref = ref, .due_in_seconds = 3600},
        {.event = EVENT_HELLO, .due_in_seconds = 3600},
    };
    for (size_t i = 0; i < countof(steps); i++)
        assert_ok(instance_store_note(db, &id, &steps[i], "test", &now, &err));
    return now;
}

struct verdict_row fixture_verdict(struct db *db, const struct uuid *instance, bool trusted,
                                   uint8_t boot, int64_t valid_seconds, struct instance *out_now)
{
    struct error err;
    struct verdict_row row = {
        .project = PROJECT_DEFAULT,
        .instance = *instance,
        .kind = "simulated",
        .level = trusted ? 1 : 0,
        .hardware = trusted ? SOURCE_HARDWARE : SOURCE_NONE,
        .policy = "standard",
        .charter_serial = 1,
        .keeper = "0102030405060708",
        .simulated = true,
        .nonce_issued = clock_now(),
        .valid_until = moment_add_seconds(clock_now(), valid_seconds),
        .token = mem_text("eyJ.not.real"),
    };
    strcpy(row.verdict, trusted ? "trusted" : "rejected");
    strcpy(row.reason, trusted ? "ok" : "policy-measurement");
    digest(DIGEST_SHA256, uuid_span(instance), row.link_key);
    row.link_key[0] = boot;
    memset(row.sealing_key, boot, sizeof row.sealing_key);
    memset(row.report_id, boot, sizeof row.report_id);
    memset(row.anchor, 0xa0, sizeof row.anchor);
    uint8_t evidence[64];
    random_fill(evidence, sizeof evidence);
    assert_ok(verdict_store_record(db, &row, SPAN_OF(evidence), "keeper:test", out_now, &err));
    return row;
}

struct secret fixture_secret(struct db *db, const char *name)
{
    struct error err;
    struct secret secret = {.id = uuid_new(), .project = PROJECT_DEFAULT, .grant_name = "all"};
    strcpy(secret.name, name);
    OWNED(secret_version_done)
    struct secret_version version = {
        .id = uuid_new(),
        .secret = secret.id,
        .version = 1,
        .record = bytes_copy(span_of_text("ciphertext")),
    };
    memset(version.check_digest, 7, sizeof version.check_digest);
    assert_ok(secret_store_add(db, &secret, &version, "token:ops", &err));
    return secret;
}

struct delivery fixture_delivery(struct db *db, const struct uuid *instance, enum delivery_state to)
{
    struct error err;
    static const uint8_t confirmed[SHA256_SIZE] = {[0 ... SHA256_SIZE - 1] = 7};
    OWNED(delivery_list_done) struct delivery_list list = {0};
    OWNED(delivery_material_done) struct delivery_material material = {0};
    assert_ok(delivery_store_plan(db, instance, "desk", &err));
    assert_ok(delivery_store_claim(db, "desk", 60, instance, 1, &list, &err));
    assert_int_equal(list.count, 1);
    assert_ok(delivery_store_material(db, &list.at[0].id, &material, &err));
    const struct delivery_step steps[] = {
        {.event = DELIVERY_RELEASED,
         .sealed = &material,
         .envelope = span_of_text("envelope"),
         .keep_lease = true},
        {.event = DELIVERY_HANDED, .keep_lease = true},
        {.event = DELIVERY_CONFIRMED, .loaded_check = confirmed},
    };
    for (size_t i = 0; i < countof(steps) && list.at[0].state != to; i++)
        assert_ok(delivery_store_step(db, &list.at[0], &steps[i], "desk", &err));
    struct delivery delivery = list.at[0];
    list.at[0] = (struct delivery){0};
    return delivery;
}
