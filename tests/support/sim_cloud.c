#include "tests/support/sim_cloud.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "tests/support/call_permissions.h"
#include "tests/support/scratch.h"

#define KEY_ID "AKIATEST"
#define SECRET "test/secret+key"
#define SUBSCRIPTION "00000000-0000-0000-0000-000000000001"
#define TENANT "00000000-0000-0000-0000-00000000000a"
#define AZURE_SUBNET                                                                               \
    "/subscriptions/" SUBSCRIPTION                                                                 \
    "/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/s"

const struct sim_row sim_rows[] = {
    {
        .cloud = DRIVER_AWS,
        .region = "us-east-2",
        .image = "ami-0ec20000000000001",
        .missing_image = "ami-0123",
        .size = "m6a.large",
        .other_size = "m6a.xlarge",
        .plain_size = "t3.micro",
        .plain_word = "unsupported",
        .missing_ref = "i-0123456789abcdef0",
        .secret = "AWS_SECRET_ACCESS_KEY",
        .failed_is_listed = true,
        .next_region = "us-west-2",
        .regions_apart = true,
        .far_region = "eu-west-1",
        .far_word = "auth",
        .permissions = {"ec2:StopInstances", "ec2:StartInstances"},
        .call = {"RunInstances", "DescribeInstances", "DescribeInstances", "StopInstances",
                 "StartInstances", "TerminateInstances", "DescribeInstanceTypes"},
        .leftovers = {"DescribeVolumes", "DescribeAddresses", "DescribeNetworkInterfaces"},
    },
    {
        .cloud = DRIVER_AZURE,
        .region = "westeurope",
        .image = "muster:confidential-vm:firmware-cvm:1.0.0",
        .missing_image = "muster:confidential-vm:firmware-cvm:9.9.9",
        .size = "Standard_DC2as_v5",
        .other_size = "Standard_DC4as_v5",
        .plain_size = "Standard_DC2es_v5",
        .plain_word = "invalid",
        .missing_ref = "nobody",
        .secret = "AZURE_CLIENT_SECRET",
        .failed_is_listed = true,
        .next_region = "northeurope",
        .far_region = "brazilsouth",
        .far_word = "invalid",
        .permissions = {"Microsoft.Compute/virtualMachines/deallocate/action",
                        "Microsoft.Compute/virtualMachines/start/action"},
        .call = {"VirtualMachines_CreateOrUpdate", "VirtualMachines_Get", "VirtualMachines_List",
                 "VirtualMachines_Deallocate", "VirtualMachines_Start", "VirtualMachines_Delete",
                 "ResourceSkus_List"},
        .leftovers = {"Disks_ListByResourceGroup", "PublicIPAddresses_List",
                      "NetworkInterfaces_List"},
    },
    {
        .cloud = DRIVER_GCP,
        .region = "us-central1",
        .image = "projects/muster-sim/global/images/firmware-snp",
        .missing_image = "projects/muster-sim/global/images/nothing",
        .size = "n2d-standard-2",
        .other_size = "n2d-standard-4",
        .plain_size = "e2-medium",
        .plain_word = "unsupported",
        .missing_ref = "us-central1-a/nobody",
        .secret = "GOOGLE_APPLICATION_CREDENTIALS",
        .next_region = "us-east4",
        .regions_apart = true,
        .far_region = "mars-east1",
        .far_word = "not-found",
        .permissions = {"compute.instances.stop", "compute.instances.start"},
        .call = {"instances.insert", "instances.get", "instances.aggregatedList", "instances.stop",
                 "instances.start", "instances.delete", "machineTypes.list"},
        .leftovers = {"disks.aggregatedList", "addresses.aggregatedList"},
    },
};
_Static_assert(countof(sim_rows) == ACCOUNT_DRIVER_COUNT, "each driver is tried against its cloud");
const size_t sim_row_count = countof(sim_rows);

static void *tick(void *context)
{
    struct sim_cloud *sim = context;
    for (bool ending = false; !ending;) {
        pthread_mutex_lock(&sim->world.lock);
        ending = sim->ending;
        int64_t wait_ms = guests_tick(&sim->guests);
        pthread_mutex_unlock(&sim->world.lock);
        struct pollfd wake = {.fd = sim->world.wake, .events = POLLIN};
        uint64_t unused;
        if (!ending && poll(&wake, 1, (int)wait_ms) > 0)
            assert_true(read(wake.fd, &unused, sizeof unused) > 0);
    }
    return NULL;
}

static void answer(void *context, const struct face_request *request, struct face_answer *out)
{
    struct sim_cloud *sim = context;
    if (arm_is_for(request))
        arm_api_answer(&sim->arm, request, out);
    else if (gce_api_is_for(request))
        gce_api_answer(&sim->gce, request, out);
    else
        aws_api_answer(&sim->aws, request, out);
}

static void open_apis(struct sim_cloud *sim)
{
    sim->aws = (struct aws_api){&sim->world, &sim->images, "us-east-2 us-west-2", KEY_ID, SECRET,
                                1000,        SIM_ACCOUNT};
    sim->arm = (struct arm_api){.world = &sim->world,
                                .images = &sim->images,
                                .subscription = SUBSCRIPTION,
                                .home = TENANT,
                                .tenant = TENANT,
                                .client_id = "app",
                                .client_secret = SECRET,
                                .federated_token = "federated.token.1",
                                .locations = "westeurope northeurope",
                                .page_most = 1000};
    sim->gce = (struct gce_api){.world = &sim->world,
                                .images = &sim->images,
                                .project = "muster-sim",
                                .regions = "us-central1 us-east4",
                                .page_most = 1000,
                                .token_seconds = GCE_TOKEN_SECONDS};
    random_fill(sim->arm.token_key, sizeof sim->arm.token_key);
    whose_init(&sim->whose, &sim->aws, &sim->arm, &sim->gce);
}

static void start(struct sim_cloud *sim)
{
    struct error err = {0};
    int64_t port;
    const struct world_settings settings = {.folder = sim->folder, .boot_ms = 5, .stop_ms = 5};
    assert_ok(world_open(&settings, &sim->world, &err));
    assert_ok(images_open("", &sim->images, &err));
    assert_ok(processor_open(&sim->world, &sim->images, NULL, &sim->processor, &err));
    sim->guest = (struct guest_settings){.agent_command = (char *)(uintptr_t) "",
                                         .agent_config = (char *)(uintptr_t) "",
                                         .run_folder = scratch_path(sim->folder, "run")};
    sim->guests = (struct guests){&sim->guest, &sim->world, sim->processor};
    open_apis(sim);
    assert_ok(face_open(0, NULL, answer, sim, &sim->face, &port, &err));
    snprintf(sim->account.endpoint, sizeof sim->account.endpoint, "http://127.0.0.1:%lld",
             (long long)port);
    if (sim->row->cloud == DRIVER_GCP) { /* its key takes a while to make */
        assert_ok(gce_api_open(&sim->gce, sim->folder, &err));
        assert_ok(gce_api_tell(&sim->gce, sim->folder, port, &err));
    }
    sim->ending = false;
    assert_int_equal(pthread_create(&sim->clockwork, NULL, tick, sim), 0);
}

static void end(struct sim_cloud *sim)
{
    pthread_mutex_lock(&sim->world.lock);
    sim->ending = true;
    pthread_mutex_unlock(&sim->world.lock);
    world_wake(&sim->world);
    pthread_join(sim->clockwork, NULL);
    face_close(sim->face);
    gce_api_close(&sim->gce);
    whose_done(&sim->whose);
    guests_end(&sim->guests);
    processor_close(sim->processor);
    images_done(&sim->images);
    world_close(&sim->world);
    free(sim->guest.run_folder);
}

static void sign_in(const struct sim_cloud *sim)
{
    OWNED(mem_drop) char *key = scratch_path(sim->folder, "gcp-key.json");
    setenv("GOOGLE_APPLICATION_CREDENTIALS", key, 1);
    setenv("AWS_ACCESS_KEY_ID", KEY_ID, 1);
    setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    unsetenv("AWS_SESSION_TOKEN");
    setenv("AZURE_TENANT_ID", TENANT, 1);
    setenv("AZURE_CLIENT_ID", "app", 1);
    setenv("AZURE_CLIENT_SECRET", SECRET, 1);
}

static struct account account_on(const struct sim_row *row)
{
    struct account account = {
        .name = "sim", .driver = row->cloud, .owner = "tests", .pace_percent = 100000};
    snprintf(account.region, sizeof account.region, "%s", row->region);
    account.credentials = json_pack("{s:s}", "source", "environment");
    account.test = json_pack("{s:s, s:s}", "image", row->image, "size", row->size);
    if (row->cloud == DRIVER_AZURE) {
        snprintf(account.subscription, sizeof account.subscription, SUBSCRIPTION);
        snprintf(account.resource_group, sizeof account.resource_group, "fleet");
        snprintf(account.subnet, sizeof account.subnet, AZURE_SUBNET);
    }
    if (row->cloud == DRIVER_GCP) {
        snprintf(account.project, sizeof account.project, "muster-sim");
        snprintf(account.zone, sizeof account.zone, "%s-a", row->region);
    }
    return account;
}

/* A key file of somebody else who bears the same name. */
static void forge_key(const char *right, const char *wrong)
{
    struct error err = {0};
    OWNED(rsa_signer_drop) struct rsa_signer *key = NULL;
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(json_drop) json_t *file = NULL;
    assert_ok(file_read(right, 1 << 16, &content, &err));
    assert_ok(json_parse(bytes_span(&content), 1 << 16, &file, &err));
    assert_ok(rsa_signer_generate(&key, &err));
    assert_ok(rsa_signer_to_pem(key, &pem, &err));
    json_put_span(file, "private_key", bytes_span(&pem));
    OWNED(mem_drop) char *text = json_print(file);
    assert_ok(file_write(wrong, span_of_text(text), 0600, &err));
}

static void google_secret(struct sim_cloud *sim, enum sim_secret which)
{
    struct error err = {0};
    OWNED(mem_drop) char *right = scratch_path(sim->folder, "gcp-key.json");
    OWNED(mem_drop) char *other = scratch_path(sim->folder, "other-key.json");
    if (which == SECRET_WRONG)
        forge_key(right, other);
    if (which == SECRET_UNCLEAN)
        assert_ok(file_write(other, span_of_text("two\r\nlines"), 0600, &err));
    if (which == SECRET_ABSENT)
        unlink(other);
    setenv(sim->row->secret, which == SECRET_RIGHT ? right : other, 1);
}

void sim_cloud_secret(struct sim_cloud *sim, enum sim_secret which)
{
    static const char *const values[] = {
        [SECRET_RIGHT] = SECRET, [SECRET_WRONG] = "wrong", [SECRET_UNCLEAN] = "two\r\nlines"};
    if (sim->row->cloud == DRIVER_GCP)
        google_secret(sim, which);
    else if (which == SECRET_ABSENT)
        unsetenv(sim->row->secret);
    else
        setenv(sim->row->secret, values[which], 1);
}

void sim_cloud_move(struct sim_cloud *sim, const char *region)
{
    snprintf(sim->account.region, sizeof sim->account.region, "%s", region);
    if (sim->row->cloud == DRIVER_GCP)
        snprintf(sim->account.zone, sizeof sim->account.zone, "%.60s-a", region);
}

int sim_cloud_open(void **state)
{
    struct sim_cloud *sim = NEW(struct sim_cloud);
    void *folder;
    if (scratch_open(&folder) != 0)
        return -1;
    sim->row = *state != NULL ? *state : &sim_rows[0];
    sim->folder = folder;
    sign_in(sim);
    sim->account = account_on(sim->row);
    start(sim);
    *state = sim;
    return 0;
}

int sim_cloud_close(void **state)
{
    struct sim_cloud *sim = *state;
    end(sim);
    void *folder = sim->folder;
    int failed = scratch_close(&folder);
    account_done(&sim->account);
    free(sim);
    return failed;
}

int sim_cloud_close_known(void **state)
{
    const struct sim_cloud *sim = *state;
    const struct quotas *made = &sim->world.quotas;
    int unknown = 0;
    for (size_t i = 0; i < made->tally_count; i++)
        if (!call_is_known(made->tallies[i].cloud, made->tallies[i].action)) {
            print_error("%s: no table says which permission it takes\n", made->tallies[i].action);
            unknown++;
        }
    return sim_cloud_close(state) | (unknown > 0 ? -1 : 0);
}

void sim_cloud_reopen(struct sim_cloud *sim)
{
    end(sim);
    start(sim);
}

static void play(struct sim_cloud *sim, const json_t *wish)
{
    struct error err = {0};
    pthread_mutex_lock(&sim->world.lock);
    enum outcome outcome = mischief_add(&sim->world.mischief, wish, &err);
    pthread_mutex_unlock(
        &sim->world.lock); /* before it may fail, for the end of the test takes it */
    assert_ok(outcome);
}

void sim_cloud_prank(struct sim_cloud *sim, const char *action, const char *fault)
{
    OWNED(json_drop) json_t *wish = json_pack("{s:s, s:s}", "action", action, "fault", fault);
    play(sim, wish);
}

void sim_cloud_deny(struct sim_cloud *sim, const char *action, const char *permission)
{
    OWNED(json_drop)
    json_t *wish = json_pack("{s:s, s:s, s:s, s:i}", "action", action, "fault", "auth",
                             "permission", permission, "times", 1000000);
    play(sim, wish);
}

void sim_cloud_forgive(struct sim_cloud *sim)
{
    pthread_mutex_lock(&sim->world.lock);
    sim->world.mischief.count = 0;
    pthread_mutex_unlock(&sim->world.lock);
}

void sim_cloud_page(struct sim_cloud *sim, int64_t most)
{
    sim->aws.page_most = most;
    sim->arm.page_most = most;
    sim->gce.page_most = most;
}

size_t sim_cloud_count(struct sim_cloud *sim, const char *event)
{
    pthread_mutex_lock(&sim->world.lock);
    OWNED(json_drop) json_t *entries = ledger_since(sim->world.ledger, 0);
    pthread_mutex_unlock(&sim->world.lock);
    size_t i, count = 0;
    json_t *entry;
    json_array_foreach (entries, i, entry)
        count += strcmp(json_string_value(json_object_get(entry, "event")), event) == 0;
    return count;
}

int sim_cloud_run(const char *name, const struct CMUnitTest *tests, size_t count)
{
    struct CMUnitTest *all = mem_new(count * sim_row_count, sizeof *all);
    for (size_t r = 0; r < sim_row_count; r++)
        for (size_t i = 0; i < count; i++) {
            OWNED(text_done) struct text called = {0};
            text_addf(&called, "%s: %s", name_of(&account_driver_names, (int)sim_rows[r].cloud),
                      tests[i].name);
            all[r * count + i] = tests[i];
            all[r * count + i].name = text_take(&called);
            all[r * count + i].initial_state = (void *)(uintptr_t)&sim_rows[r];
        }
    int failed = _cmocka_run_group_tests(name, all, count * sim_row_count, NULL, NULL);
    for (size_t i = 0; i < count * sim_row_count; i++)
        free((char *)(uintptr_t)all[i].name);
    free(all);
    return failed;
}
