#include "agent/settings.h"

#include <string.h>

#define ROW(member, key, kind, ...) SETTING(agent_settings, member, key, kind, __VA_ARGS__)

/* clang-format off */
const struct setting agent_settings_table[] = {
    ROW(user_data, "user-data", SETTING_TEXT, "/var/lib/cloud/instance/user-data.txt",
        .help = "file with what the controller told this machine"),
    ROW(root_file, "root-file", SETTING_TEXT, "",
        .help = "deployment root of the measured image (PEM); empty: the one in the user-data"),
    ROW(next_root_file, "next-root-file", SETTING_TEXT, "",
        .help = "the root that will follow it (PEM), while roots change"),
    ROW(tee, "tee", SETTING_TEXT, "snp",
        .help = "where evidence comes from: snp, azure, vtpm, nitro, or simulated in builds that have it"),
#ifdef MUSTER_SIMULATION
    ROW(tee_socket, "tee-socket", SETTING_TEXT, "",
        .help = "tee = simulated: the simulator's unix socket"),
#endif
    ROW(tsm_path, "tsm-path", SETTING_TEXT, "/sys/kernel/config/tsm/report",
        .help = "tee = snp, vtpm: configfs-tsm's folder of reports"),
    ROW(privlevel, "privlevel", SETTING_INT, "-1", .least = -1, .most = 3,
        .help = "tee = snp, vtpm: the VMPL a report is asked for at; -1: the kernel's choice"),
    ROW(svsm, "svsm", SETTING_BOOL, "false",
        .help = "tee = vtpm: it is an SVSM's, whose manifest is asked for"),
    ROW(tpm, "tpm", SETTING_TEXT, "device:/dev/tpmrm0",
        .help = "tee = azure, vtpm: the TPM, as tpm2-tss calls it"),
    ROW(tpm_key, "tpm-key", SETTING_TEXT, "0x81000003",
        .help = "tee = vtpm: the key that signs: a handle, template and an index, or make"),
    ROW(tpm_key_cert, "tpm-key-cert", SETTING_TEXT, "",
        .help = "tee = vtpm: index with that key's certificate; empty: there is none"),
    ROW(tpm_document, "tpm-document", SETTING_TEXT, "",
        .help = "tee = vtpm: AWS's NitroTPM itself, whose document is sent; empty: a quote is"),
    ROW(report_from, "report-from", SETTING_TEXT, "boot",
        .help = "tee = azure: the report of the boot, or a new one each time (now)"),
    ROW(event_log, "event-log", SETTING_TEXT, "",
        .help = "tee = azure, vtpm: the kernel's log of measured boot, sent along; empty: none"),
    ROW(thim_program, "thim-program", SETTING_TEXT, MUSTER_LIBEXECDIR "/muster-agent-thim",
        .help = "tee = azure: the program that asks the host for the chip's certificates"),
    ROW(thim_url, "thim-url", SETTING_TEXT,
        "http://169.254.169.254/metadata/THIM/amd/certification",
        .help = "tee = azure: where it asks; empty: it does not"),
    ROW(thim_seconds, "thim-seconds", SETTING_INT, "5", .least = 1, .most = 30,
        .help = "tee = azure: how long that may take; then evidence goes without them"),
    ROW(nsm_path, "nsm-path", SETTING_TEXT, "/dev/nsm",
        .help = "tee = nitro: the enclave's security module"),
    ROW(metadata, "metadata", SETTING_TEXT, "auto",
        .help = "whose identity documents go along: aws, azure, gcp, none, or auto: as the machine says"),
    ROW(metadata_endpoint, "metadata-endpoint", SETTING_TEXT, "http://169.254.169.254",
        .help = "where the cloud's metadata service answers"),
    ROW(metadata_program, "metadata-program", SETTING_TEXT, MUSTER_LIBEXECDIR "/muster-agent-metadata",
        .help = "the program that asks it"),
    ROW(metadata_seconds, "metadata-seconds", SETTING_INT, "4", .least = 1, .most = 30,
        .help = "how long that may take; then evidence goes without documents"),
    ROW(smbios_vendor, "smbios-vendor", SETTING_TEXT, "/sys/class/dmi/id/sys_vendor",
        .help = "metadata = auto: file with the machine's maker"),
    ROW(secrets_dir, "secrets-dir", SETTING_TEXT, "/run/muster/secrets",
        .help = "where secrets are put, by name; must be on tmpfs"),
    ROW(allow_non_tmpfs, "allow-non-tmpfs", SETTING_BOOL, "false",
        .help = "let secrets-dir be on a disk; for tests only"),
    ROW(hooks_dir, "hooks-dir", SETTING_TEXT, "/etc/muster/hooks.d",
        .help = "programs run after a secret was put, by the secret's name"),
    ROW(hook_seconds, "hook-seconds", SETTING_INT, "30", .least = 1, .most = 600,
        .help = "how long such a program may take"),
    ROW(redial_most_seconds, "redial-most-seconds", SETTING_INT, "60", .least = 1, .most = 3600,
        .help = "longest wait between two attempts to reach a controller"),
    ROW(retry_first_seconds, "retry-first-seconds", SETTING_INT, "5", .least = 1, .most = 3600,
        .help = "first wait after an appraisal that came to nothing; doubles, with full jitter"),
    ROW(retry_most_seconds, "retry-most-seconds", SETTING_INT, "300", .least = 1, .most = 86400,
        .help = "longest such wait"),
    ROW(answer_seconds, "answer-seconds", SETTING_INT, "60", .least = 1, .most = 600,
        .help = "how long a controller may take to answer"),
    ROW(passport_socket, "passport-socket", SETTING_TEXT, "",
        .help = "unix socket where programs of this machine ask for passports; empty: none"),
};
/* clang-format on */
const size_t agent_settings_count = countof(agent_settings_table);

static enum outcome check(const char *path, const struct agent_settings *s, struct error *err)
{
    if (s->secrets_dir[0] != '/')
        return fail_at(err, ERR_INVALID, "bad-setting", path, "%s: secrets-dir must be absolute",
                       path);
    if (s->passport_socket[0] != '\0' && s->passport_socket[0] != '/')
        return fail_at(err, ERR_INVALID, "bad-setting", path,
                       "%s: passport-socket must be absolute", path);
    if (s->next_root_file[0] != '\0' && s->root_file[0] == '\0')
        return fail_at(err, ERR_INVALID, "bad-setting", path,
                       "%s: next-root-file without root-file", path);
    if (s->retry_first_seconds > s->retry_most_seconds)
        return fail_at(err, ERR_INVALID, "bad-setting", path,
                       "%s: retry-first-seconds is more than retry-most-seconds", path);
    return OK;
}

enum outcome agent_settings_read(const char *path, struct agent_settings *out, struct error *err)
{
    TRY(config_read(path, agent_settings_table, agent_settings_count, out, err));
    return check(path, out, err);
}

void agent_settings_done(struct agent_settings *s)
{
    config_done(agent_settings_table, agent_settings_count, s);
}
