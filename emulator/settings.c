#include "emulator/settings.h"

#define ROW(member, key, kind, ...) SETTING(sim_settings, member, key, kind, __VA_ARGS__)

/* clang-format off */
const struct setting sim_settings_table[] = {
    ROW(world.folder, "state-dir", SETTING_TEXT, NULL,
        .help = "folder of the machines' disks and the ledger; a later run goes on from it"),
    ROW(guest.run_folder, "run-dir", SETTING_TEXT, "/dev/shm/muster-sim",
        .help = "folder on tmpfs for what machines have under /run: secrets, the processor's socket"),
    ROW(port, "port", SETTING_INT, "0", .least = 0, .most = 65535,
        .help = "port on 127.0.0.1; 0 takes a free one, which the ready line tells"),
    ROW(regions, "region", SETTING_TEXT, "us-east-2",
        .help = "the regions of EC2, split at blanks; requests for another one are refused"),
    ROW(access_key_id, "access-key-id", SETTING_TEXT, "AKIAMUSTERSIM0000000",
        .help = "who signs requests"),
    ROW(secret_access_key, "secret-access-key", SETTING_TEXT, "muster-sim-secret-key",
        .help = "and with what; it protects nothing but pretend machines"),
    ROW(azure_subscription, "azure-subscription", SETTING_TEXT,
        "00000000-0000-0000-0000-000000000001", .help = "the one subscription on Azure"),
    ROW(azure_tenant, "azure-tenant", SETTING_TEXT, "00000000-0000-0000-0000-00000000000a",
        .help = "whose token service this is"),
    ROW(azure_client_id, "azure-client-id", SETTING_TEXT, "muster-sim",
        .help = "the application that may sign in"),
    ROW(azure_client_secret, "azure-client-secret", SETTING_TEXT, "muster-sim-client-secret",
        .help = "its secret; it protects nothing but pretend machines"),
    ROW(azure_certificate, "azure-certificate", SETTING_TEXT, "",
        .help = "PEM file of the certificate and key that it may sign in with; empty: none"),
    ROW(azure_federated_token, "azure-federated-token", SETTING_TEXT, "",
        .help = "another issuer's token that it may sign in with; empty: none"),
    ROW(azure_locations, "azure-locations", SETTING_TEXT, "westeurope",
        .help = "the locations of Azure, split at blanks"),
    ROW(poll_seconds, "poll-seconds", SETTING_INT, "1", .least = 0, .most = 3600,
        .help = "when a client is to ask again how an operation fares; 0: it is not told"),
    ROW(tls_port, "tls-port", SETTING_INT, "0", .least = 0, .most = 65535,
        .help = "port on 127.0.0.1 where all is served by TLS too; 0 takes a free one"),
    ROW(page_most, "page-most", SETTING_INT, "1000", .least = 1, .most = 1000,
        .help = "machines on a page of a describe, whatever was asked for"),
    ROW(gcp_project, "gcp-project", SETTING_TEXT, "muster-sim",
        .help = "the project that Compute Engine's machines are in"),
    ROW(gcp_regions, "gcp-regions", SETTING_TEXT, "us-central1",
        .help = "Compute Engine's regions, split at blanks; each has zones a, b and c"),
    ROW(images, "images", SETTING_TEXT, "",
        .help = "JSON file of the images there are; empty: the built-in ones"),
    ROW(psp_folder, "psp-dir", SETTING_TEXT, "",
        .help = "keys of the simulated chip maker, made when absent; empty: psp below state-dir"),
    ROW(guest.agent_command, "agent-command", SETTING_TEXT, "",
        .help = "what runs in a machine, {config} being its settings file; empty: nothing"),
    ROW(guest.agent_config, "agent-config", SETTING_TEXT, "",
        .help = "file whose lines are added to every agent's settings"),
    ROW(guest.metadata_program, "metadata-program", SETTING_TEXT, "",
        .help = "what agents ask the metadata services with; empty: they do not"),
    ROW(guest.restart_ms, "agent-restart-ms", SETTING_INT, "2000", .least = 0, .most = 600000,
        .help = "an agent that ended is started again after this; 0: never"),
    ROW(world.boot_ms, "boot-ms", SETTING_INT, "200", .least = 0, .most = 600000,
        .help = "how long a machine is pending"),
    ROW(world.stop_ms, "stop-ms", SETTING_INT, "200", .least = 0, .most = 600000,
        .help = "how long a machine takes to stop or terminate at least"),
    ROW(world.listed_seconds, "listed-seconds", SETTING_INT, "3600", .least = 1, .most = 86400,
        .help = "how long a terminated machine is remembered"),
    ROW(world.quotas, "quotas", SETTING_BOOL, "false",
        .help = "throttle whoever calls more often than the clouds' documents grant"),
    ROW(world.fleeting, "fleeting", SETTING_BOOL, "false",
        .help = "write nothing but the ledger, and wait for no disk: for many machines"),
};
/* clang-format on */
const size_t sim_settings_count = countof(sim_settings_table);

enum outcome sim_settings_read(const char *path, struct sim_settings *out, struct error *err)
{
    TRY(config_read(path, sim_settings_table, sim_settings_count, out, err));
    if (out->world.folder[0] != '/' || out->guest.run_folder[0] != '/')
        return fail_at(err, ERR_INVALID, "bad-setting", path,
                       "%s: state-dir and run-dir must be absolute", path);
    return OK;
}

void sim_settings_done(struct sim_settings *settings)
{
    config_done(sim_settings_table, sim_settings_count, settings);
}
