#include "cli/measure.h"

#include <stdio.h>
#include <string.h>

#include "cli/arguments.h"
#include "lib/attest/firmware.h"
#include "lib/attest/id_block.h"
#include "lib/base/json.h"

enum { KERNEL_MAX = 1 << 30, KEY_FILE_MAX = 64 * 1024, EXIT_REFUSED = 3 };

/* ---- values ------------------------------------------------------------------------------- */

static enum outcome read_hex_bytes(const char *name, const char *text, void *out, size_t len,
                                   struct error *err)
{
    if (text != NULL && hex_decode_exact(text, out, len, err) != OK)
        return error_context(err, "%s", name);
    return OK;
}

static enum outcome read_output(const char *text, bool *json, struct error *err)
{
    *json = text != NULL && strcmp(text, "json") == 0;
    if (text != NULL && !*json && strcmp(text, "table") != 0)
        return fail(err, ERR_INVALID, "-o is table or json");
    return OK;
}

static enum outcome print_object_as_json(const json_t *object, struct error *err)
{
    OWNED(mem_drop) char *text = json_print_pretty(object);
    return print_line(text, err);
}

/* ---- the launch digest -------------------------------------------------------------------- */

/* As named on the command line. */
struct words {
    const char *ovmf, *vcpus, *vcpu_type, *vcpu_sig, *vmm, *kernel, *initrd, *append;
    const char *guest_features, *ovmf_hash, *svsm, *ovmf_vars_size, *ec2_rdx, *output;
};

/* What the launch borrows from. */
struct inputs {
    struct bytes ovmf, svsm, kernel, initrd;
    struct kernel_hashes hashes;
    uint8_t ovmf_digest[LAUNCH_DIGEST_SIZE];
    struct launch launch;
    bool json;
};

static void inputs_done(struct inputs *in)
{
    bytes_done(&in->ovmf);
    bytes_done(&in->svsm);
    bytes_done(&in->kernel);
    bytes_done(&in->initrd);
}

/* What makes no sense together is refused before any file is read. */
static enum outcome check_words(const struct words *w, struct error *err)
{
    if (w->ovmf == NULL || w->vcpus == NULL)
        return fail(err, ERR_INVALID, "--ovmf FILE and --vcpus N must be there");
    if (w->vcpu_type != NULL && w->vcpu_sig != NULL)
        return fail(err, ERR_INVALID, "--vcpu-type and --vcpu-sig exclude each other");
    if (w->kernel == NULL && (w->initrd != NULL || w->append != NULL))
        return fail(err, ERR_INVALID, "--initrd and --append need --kernel");
    if ((w->svsm == NULL) != (w->ovmf_vars_size == NULL))
        return fail(err, ERR_INVALID, "--svsm and --ovmf-vars-size need each other");
    if (w->svsm != NULL && w->kernel != NULL)
        return fail(err, ERR_INVALID, "an SVSM measures no kernel");
    return OK;
}

static enum outcome read_cpu(const struct words *w, struct launch *launch, struct error *err)
{
    uint64_t cpuid = 0;
    int vmm = VMM_QEMU;
    if (w->vmm != NULL && name_parse(&vmm_names, w->vmm, &vmm, err) != OK)
        return error_context(err, "--vmm");
    launch->vmm = (enum vmm)vmm;
    TRY(argument_hex_number("--vcpu-sig", w->vcpu_sig, UINT32_MAX, &cpuid, err));
    launch->cpuid = (uint32_t)cpuid;
    if (w->vcpu_type != NULL)
        TRY(vmsa_cpuid_of(w->vcpu_type, &launch->cpuid, err));
    if (launch->vmm == VMM_QEMU && w->vcpu_type == NULL && w->vcpu_sig == NULL)
        return fail(err, ERR_INVALID, "under QEMU --vcpu-type or --vcpu-sig must be there");
    return OK;
}

static enum outcome read_numbers(const struct words *w, struct inputs *in, struct error *err)
{
    struct launch *launch = &in->launch;
    int64_t vcpus;
    int64_t vars = 0;
    launch->guest_features = 1;
    launch->ec2_rdx = VMSA_EC2_RDX;
    TRY(argument_number("--vcpus", w->vcpus, LAUNCH_VCPUS_MAX, &vcpus, err));
    launch->vcpus = (int)vcpus;
    TRY(read_cpu(w, launch, err));
    TRY(argument_hex_number("--guest-features", w->guest_features, UINT64_MAX,
                            &launch->guest_features, err));
    TRY(argument_hex_number("--ec2-rdx", w->ec2_rdx, UINT64_MAX, &launch->ec2_rdx, err));
    if (w->ovmf_vars_size != NULL)
        TRY(argument_number("--ovmf-vars-size", w->ovmf_vars_size, FIRMWARE_SIZE_MAX, &vars, err));
    launch->ovmf_vars_size = (uint64_t)vars;
    TRY(read_hex_bytes("--ovmf-hash", w->ovmf_hash, in->ovmf_digest, sizeof in->ovmf_digest, err));
    launch->ovmf_digest = w->ovmf_hash != NULL ? in->ovmf_digest : NULL;
    return OK;
}

static enum outcome read_files(const struct words *w, struct inputs *in, struct error *err)
{
    struct launch *launch = &in->launch;
    TRY(argument_file(w->ovmf, FIRMWARE_SIZE_MAX, &in->ovmf, err));
    TRY(argument_file(w->svsm, FIRMWARE_SIZE_MAX, &in->svsm, err));
    TRY(argument_file(w->kernel, KERNEL_MAX, &in->kernel, err));
    TRY(argument_file(w->initrd, KERNEL_MAX, &in->initrd, err));
    launch->ovmf = bytes_span(&in->ovmf);
    launch->svsm = bytes_span(&in->svsm);
    if (w->svsm != NULL && in->svsm.len == 0)
        return fail_code(err, ERR_DENIED, "malformed", "an SVSM of 0 bytes");
    if (w->kernel == NULL)
        return OK;
    kernel_hashes_of(bytes_span(&in->kernel), bytes_span(&in->initrd), w->append, &in->hashes);
    launch->kernel = &in->hashes;
    return OK;
}

static void put_hex_number(json_t *object, const char *name, uint64_t value)
{
    char text[20];
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)value);
    json_put_text(object, name, text);
}

static json_t *hashes_to_json(const struct kernel_hashes *hashes)
{
    json_t *out = json_object();
    json_put_hex(out, "kernel_sha256", SPAN_OF(hashes->kernel));
    json_put_hex(out, "initrd_sha256", SPAN_OF(hashes->initrd));
    json_put_hex(out, "append_sha256", SPAN_OF(hashes->command));
    return out;
}

static json_t *result_to_json(const struct launch *launch, const struct launch_result *result)
{
    json_t *out = json_object();
    json_put_hex(out, "launch_digest", SPAN_OF(result->digest));
    json_put_hex(out, "ovmf_hash", SPAN_OF(result->ovmf_digest));
    json_put_text(out, "vmm", name_of(&vmm_names, (int)launch->vmm));
    json_put_int(out, "vcpus", launch->vcpus);
    put_hex_number(out, "guest_features", launch->guest_features);
    if (launch->vmm == VMM_QEMU)
        put_hex_number(out, "vcpu_sig", launch->cpuid);
    if (launch->vmm == VMM_EC2)
        put_hex_number(out, "ec2_rdx", launch->ec2_rdx);
    if (launch->svsm.len > 0)
        json_put_int(out, "ovmf_vars_size", (int64_t)launch->ovmf_vars_size);
    if (launch->kernel != NULL)
        json_put_new(out, "direct_boot", hashes_to_json(launch->kernel));
    return out;
}

static enum outcome measure_launch(int argc, char **argv, struct error *err)
{
    struct words w = {0};
    struct launch_result result;
    const struct argument arguments[] = {
        {"--ovmf", .text = &w.ovmf},
        {"--vcpus", .text = &w.vcpus},
        {"--vcpu-type", .text = &w.vcpu_type},
        {"--vcpu-sig", .text = &w.vcpu_sig},
        {"--vmm", .text = &w.vmm},
        {"--kernel", .text = &w.kernel},
        {"--initrd", .text = &w.initrd},
        {"--append", .text = &w.append},
        {"--guest-features", .text = &w.guest_features},
        {"--ovmf-hash", .text = &w.ovmf_hash},
        {"--svsm", .text = &w.svsm},
        {"--ovmf-vars-size", .text = &w.ovmf_vars_size},
        {"--ec2-rdx", .text = &w.ec2_rdx},
        {"-o", .text = &w.output},
    };
    TRY(arguments_read(argc, argv, 1, arguments, countof(arguments), err));
    OWNED(inputs_done) struct inputs in = {0};
    TRY(check_words(&w, err));
    TRY(read_output(w.output, &in.json, err));
    TRY(read_numbers(&w, &in, err));
    TRY(read_files(&w, &in, err));
    TRY(launch_digest(&in.launch, &result, err));
    if (in.json) {
        OWNED(json_drop) json_t *object = result_to_json(&in.launch, &result);
        return print_object_as_json(object, err);
    }
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(result.digest));
    return print_line(hex, err);
}

/* ---- the ID block ------------------------------------------------------------------------- */

struct id_words {
    const char *launch_digest, *policy, *guest_svn, *id_key, *author_key, *family_id, *image_id;
    const char *output;
};

static enum outcome read_block(const struct id_words *w, struct id_block *out, struct error *err)
{
    int64_t svn;
    if (w->launch_digest == NULL || w->policy == NULL || w->guest_svn == NULL || w->id_key == NULL)
        return fail(err, ERR_INVALID,
                    "--launch-digest, --policy, --guest-svn and --id-key must be there");
    TRY(read_hex_bytes("--launch-digest", w->launch_digest, out->launch_digest,
                       sizeof out->launch_digest, err));
    TRY(read_hex_bytes("--family-id", w->family_id, out->family_id, sizeof out->family_id, err));
    TRY(read_hex_bytes("--image-id", w->image_id, out->image_id, sizeof out->image_id, err));
    TRY(argument_hex_number("--policy", w->policy, UINT64_MAX, &out->policy, err));
    TRY(argument_number("--guest-svn", w->guest_svn, UINT32_MAX, &svn, err));
    out->guest_svn = (uint32_t)svn;
    return OK;
}

static enum outcome put_key_digest(json_t *out, const char *name, const char *path,
                                   struct error *err)
{
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(key_drop) struct key *key = NULL;
    uint8_t hash[SHA384_SIZE];
    if (path == NULL)
        return OK;
    TRY(argument_file(path, KEY_FILE_MAX, &pem, err));
    if (key_from_private_pem(bytes_span(&pem), &key, err) != OK &&
        key_from_public_pem(bytes_span(&pem), &key, err) != OK)
        return error_context(err, "%s", path);
    TRY(id_key_digest(key, hash, err));
    json_put_hex(out, name, SPAN_OF(hash));
    return OK;
}

/* In the order in which a reader wants them. */
static enum outcome print_lines(const json_t *values, struct error *err)
{
    static const char *const names[] = {"id_block", "id_key_digest", "author_key_digest"};
    for (size_t i = 0; i < countof(names); i++) {
        const char *value = json_string_value(json_object_get(values, names[i]));
        OWNED(text_done) struct text line = {0};
        if (value == NULL)
            continue;
        text_addf(&line, "%s %s", names[i], value);
        TRY(print_line(text_str(&line), err));
    }
    return OK;
}

static enum outcome measure_id_block(int argc, char **argv, struct error *err)
{
    struct id_words w = {0};
    struct id_block block = {0};
    uint8_t printed[ID_BLOCK_SIZE];
    bool json;
    const struct argument arguments[] = {
        {"--launch-digest", .text = &w.launch_digest}, {"--policy", .text = &w.policy},
        {"--guest-svn", .text = &w.guest_svn},         {"--id-key", .text = &w.id_key},
        {"--author-key", .text = &w.author_key},       {"--family-id", .text = &w.family_id},
        {"--image-id", .text = &w.image_id},           {"-o", .text = &w.output},
    };
    TRY(arguments_read(argc, argv, 2, arguments, countof(arguments), err));
    TRY(read_output(w.output, &json, err));
    TRY(read_block(&w, &block, err));
    OWNED(json_drop) json_t *values = json_object();
    id_block_print(&block, printed);
    json_put_hex(values, "id_block", SPAN_OF(printed));
    TRY(put_key_digest(values, "id_key_digest", w.id_key, err));
    TRY(put_key_digest(values, "author_key_digest", w.author_key, err));
    return json ? print_object_as_json(values, err) : print_lines(values, err);
}

/* ---- the command -------------------------------------------------------------------------- */

int measure_main(int argc, char **argv)
{
    struct error err = {0};
    bool id_block = argc > 1 && strcmp(argv[1], "id-block") == 0;
    enum outcome outcome =
        id_block ? measure_id_block(argc, argv, &err) : measure_launch(argc, argv, &err);
    if (outcome == OK)
        return 0;
    if (outcome != ERR_DENIED)
        return command_failed(&err);
    fprintf(stderr, "muster: %s: %s\n", err.code, err.text);
    return EXIT_REFUSED;
}
