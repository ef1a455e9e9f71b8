#include "cli/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/print.h"
#include "lib/attest/firmware.h"
#include "lib/attest/launch_reference.h"
#include "lib/model/image.h"
#include "lib/model/verdict.h"

enum { KERNEL_MAX = 1 << 30, LIST_TEXT_MAX = 512, EXIT_REFUSED = 3 };

/* As named on the command line. */
struct words {
    struct argument_list ovmf, vcpu_type, vcpu_sig, guest_features;
    const char *vmm, *sizes, *vcpus, *kernel, *initrd, *append, *svsm, *ovmf_vars_size;
    const char *anchor, *provider_execution, *output;
};

/* What the wish borrows from. */
struct inputs {
    struct bytes kernel, initrd, svsm;
    struct kernel_hashes hashes;
    struct reference_wish wish;
    enum anchor_kind anchor;
    enum provider_execution execution;
    bool json;
};

static void inputs_done(struct inputs *in)
{
    bytes_done(&in->kernel);
    bytes_done(&in->initrd);
    bytes_done(&in->svsm);
}

/* ---- the command line ---------------------------------------------------------------------- */

static enum outcome check_words(const struct words *w, enum vmm vmm, struct error *err)
{
    if (w->ovmf.count == 0)
        return fail(err, ERR_INVALID, "--ovmf FILE must be there");
    if (w->sizes != NULL && w->vcpus != NULL)
        return fail(err, ERR_INVALID, "--sizes and --vcpus exclude each other");
    if (w->sizes != NULL && vmm != VMM_EC2)
        return fail(err, ERR_INVALID, "--sizes are those of EC2; elsewhere say --vcpus N,N...");
    if (w->vcpus == NULL && vmm != VMM_EC2)
        return fail(err, ERR_INVALID, "--vcpus N,N... must be there");
    if (w->kernel == NULL && (w->initrd != NULL || w->append != NULL))
        return fail(err, ERR_INVALID, "--initrd and --append need --kernel");
    if ((w->svsm == NULL) != (w->ovmf_vars_size == NULL))
        return fail(err, ERR_INVALID, "--svsm and --ovmf-vars-size need each other");
    if (w->svsm != NULL && w->kernel != NULL)
        return fail(err, ERR_INVALID, "an SVSM measures no kernel");
    if (w->kernel != NULL && vmm != VMM_QEMU)
        return fail(err, ERR_INVALID, "only QEMU hosts measure a kernel");
    const bool cpus = w->vcpu_type.count + w->vcpu_sig.count > 0;
    if (vmm == VMM_QEMU && !cpus)
        return fail(err, ERR_INVALID, "under QEMU --vcpu-type or --vcpu-sig must be there");
    return OK;
}

/* "2,4,8": one after the other; the text is cut up. */
static enum outcome next_item(char **rest, const char *name, char **out, struct error *err)
{
    *out = strsep(rest, ",");
    return (*out)[0] != '\0' ? OK : fail(err, ERR_INVALID, "%s: an empty item", name);
}

static enum outcome add_vcpus(struct reference_wish *wish, int64_t vcpus, struct error *err)
{
    for (size_t i = 0; i < wish->vcpu_count; i++)
        if (wish->vcpus[i] == vcpus)
            return OK; /* sizes of several families have as many */
    if (wish->vcpu_count == REFERENCE_LIST_MAX)
        return fail(err, ERR_INVALID, "more than %d counts of vCPUs", REFERENCE_LIST_MAX);
    wish->vcpus[wish->vcpu_count++] = (int)vcpus;
    return OK;
}

static enum outcome add_size(struct reference_wish *wish, const char *name, struct error *err)
{
    const struct ec2_size *size = ec2_size_find(name);
    if (size == NULL)
        return fail(err, ERR_INVALID, "--sizes: %.40s is no size of EC2 that runs SEV-SNP", name);
    return add_vcpus(wish, size->vcpus, err);
}

static enum outcome read_sizes(const struct words *w, struct reference_wish *wish,
                               struct error *err)
{
    char text[LIST_TEXT_MAX];
    char *rest = text;
    char *item;
    const char *list = w->sizes != NULL ? w->sizes : w->vcpus;
    for (size_t i = 0; list == NULL && i < EC2_SIZE_COUNT; i++)
        TRY(add_vcpus(wish, ec2_sizes[i].vcpus, err));
    if (list == NULL)
        return OK;
    const char *name = w->sizes != NULL ? "--sizes" : "--vcpus";
    if (text_copy(text, sizeof text, list, name, err) != OK)
        return error_context(err, "%s", name);
    while (rest != NULL) {
        int64_t vcpus = 0;
        TRY(next_item(&rest, name, &item, err));
        if (w->sizes == NULL && number_parse(item, 1, LAUNCH_VCPUS_MAX, &vcpus, err) != OK)
            return error_context(err, "%s", name);
        TRY(w->sizes != NULL ? add_size(wish, item, err) : add_vcpus(wish, vcpus, err));
    }
    return OK;
}

static enum outcome read_hosts(const struct words *w, struct reference_wish *wish,
                               struct error *err)
{
    if (w->vcpu_type.count + w->vcpu_sig.count > REFERENCE_LIST_MAX)
        return fail(err, ERR_INVALID, "more than %d kinds of vCPU", REFERENCE_LIST_MAX);
    for (size_t i = 0; i < w->vcpu_type.count; i++)
        TRY(vmsa_cpuid_of(w->vcpu_type.at[i], &wish->cpuids[wish->cpuid_count++], err));
    for (size_t i = 0; i < w->vcpu_sig.count; i++) {
        uint64_t cpuid = 0;
        TRY(argument_hex_number("--vcpu-sig", w->vcpu_sig.at[i], UINT32_MAX, &cpuid, err));
        wish->cpuids[wish->cpuid_count++] = (uint32_t)cpuid;
    }
    for (size_t i = 0; i < w->guest_features.count; i++)
        TRY(argument_hex_number("--guest-features", w->guest_features.at[i], UINT64_MAX,
                                &wish->features[wish->feature_count++], err));
    if (wish->feature_count == 0)
        wish->features[wish->feature_count++] = 1;
    return OK;
}

static enum outcome read_facts(const struct words *w, struct inputs *out, struct error *err)
{
    int anchor = ANCHOR_NONE;
    int execution = PROVIDER_EXECUTION_ON;
    if (w->anchor != NULL && name_parse(&anchor_kind_names, w->anchor, &anchor, err) != OK)
        return error_context(err, "--anchor");
    if (w->provider_execution != NULL &&
        name_parse(&provider_execution_names, w->provider_execution, &execution, err) != OK)
        return error_context(err, "--provider-execution");
    if (anchor == ANCHOR_VTPM)
        return fail(err, ERR_INVALID, "--anchor is none, host-data or id-block");
    if (anchor != ANCHOR_NONE && w->kernel == NULL)
        return fail(err, ERR_INVALID,
                    "an anchor counts only where the digest covers what boots: --kernel");
    out->anchor = (enum anchor_kind)anchor;
    out->execution = (enum provider_execution)execution;
    out->json = w->output != NULL && strcmp(w->output, "json") == 0;
    if (w->output != NULL && !out->json && strcmp(w->output, "reference") != 0)
        return fail(err, ERR_INVALID, "-o is reference or json");
    return OK;
}

static enum outcome read_inputs(const struct words *w, struct inputs *out, struct error *err)
{
    struct launch *launch = &out->wish.launch;
    int vmm = VMM_QEMU;
    int64_t vars = 0;
    if (w->vmm != NULL && name_parse(&vmm_names, w->vmm, &vmm, err) != OK)
        return error_context(err, "--vmm");
    launch->vmm = (enum vmm)vmm;
    TRY(check_words(w, launch->vmm, err));
    TRY(read_facts(w, out, err));
    TRY(read_sizes(w, &out->wish, err));
    TRY(read_hosts(w, &out->wish, err));
    TRY(argument_number("--ovmf-vars-size", w->ovmf_vars_size, FIRMWARE_SIZE_MAX, &vars, err));
    launch->ovmf_vars_size = (uint64_t)vars;
    TRY(argument_file(w->svsm, FIRMWARE_SIZE_MAX, &out->svsm, err));
    TRY(argument_file(w->kernel, KERNEL_MAX, &out->kernel, err));
    TRY(argument_file(w->initrd, KERNEL_MAX, &out->initrd, err));
    launch->svsm = bytes_span(&out->svsm);
    if (w->svsm != NULL && out->svsm.len == 0)
        return fail_code(err, ERR_DENIED, "malformed", "an SVSM of 0 bytes");
    if (w->kernel == NULL)
        return OK;
    kernel_hashes_of(bytes_span(&out->kernel), bytes_span(&out->initrd), w->append, &out->hashes);
    launch->kernel = &out->hashes;
    return OK;
}

/* ---- the answer ---------------------------------------------------------------------------- */

/* As it stands under /references in a charter. */
static json_t *reference_to_json(const struct inputs *in, const struct reference_values *values)
{
    json_t *out = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < values->count; i++) {
        OWNED(mem_drop) char *hex = hex_of(SPAN_OF(values->at[i].digest));
        json_add_new(list, json_string(hex));
    }
    json_put_new(out, "measurement", list);
    json_put_bool(out, "measured_boot", in->wish.launch.kernel != NULL);
    json_put_text(out, "anchor", name_of(&anchor_kind_names, (int)in->anchor));
    json_put_text(out, "provider_execution",
                  name_of(&provider_execution_names, (int)in->execution));
    return out;
}

static void put_hex_number(json_t *object, const char *name, uint64_t value)
{
    char text[20];
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)value);
    json_put_text(object, name, text);
}

static json_t *sizes_to_json(int vcpus)
{
    json_t *list = json_array();
    for (size_t i = 0; i < EC2_SIZE_COUNT; i++)
        if (ec2_sizes[i].vcpus == vcpus)
            json_add_new(list, json_string(ec2_sizes[i].name));
    return list;
}

static json_t *value_to_json(const struct reference_value *value, enum vmm vmm)
{
    json_t *out = json_object();
    json_put_hex(out, "launch_digest", SPAN_OF(value->digest));
    json_put_int(out, "vcpus", value->vcpus);
    put_hex_number(out, "guest_features", value->guest_features);
    if (vmm == VMM_QEMU)
        put_hex_number(out, "vcpu_sig", value->cpuid);
    if (vmm == VMM_EC2) {
        put_hex_number(out, "ec2_rdx", value->ec2_rdx);
        json_put_new(out, "sizes", sizes_to_json(value->vcpus));
    }
    return out;
}

/* The reference, and what each of its values stands for. */
static json_t *answer_to_json(const struct inputs *in, const struct reference_values *values)
{
    json_t *out = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < values->count; i++)
        json_add_new(list, value_to_json(&values->at[i], in->wish.launch.vmm));
    json_put_text(out, "vmm", name_of(&vmm_names, (int)in->wish.launch.vmm));
    json_put_new(out, "reference", reference_to_json(in, values));
    json_put_new(out, "values", list);
    return out;
}

static enum outcome add_firmware(const char *path, struct reference_wish *wish,
                                 struct reference_values *values, struct error *err)
{
    OWNED(bytes_done) struct bytes ovmf = {0};
    TRY(argument_file(path, FIRMWARE_SIZE_MAX, &ovmf, err));
    wish->launch.ovmf = bytes_span(&ovmf);
    if (reference_values_add(wish, values, err) != OK)
        return error_context(err, "%.200s", path);
    return OK;
}

static enum outcome image_add(int argc, char **argv, struct error *err)
{
    struct words w = {0};
    const struct argument arguments[] = {
        {"--ovmf", .list = &w.ovmf},
        {"--vmm", .text = &w.vmm},
        {"--sizes", .text = &w.sizes},
        {"--vcpus", .text = &w.vcpus},
        {"--vcpu-type", .list = &w.vcpu_type},
        {"--vcpu-sig", .list = &w.vcpu_sig},
        {"--guest-features", .list = &w.guest_features},
        {"--kernel", .text = &w.kernel},
        {"--initrd", .text = &w.initrd},
        {"--append", .text = &w.append},
        {"--svsm", .text = &w.svsm},
        {"--ovmf-vars-size", .text = &w.ovmf_vars_size},
        {"--anchor", .text = &w.anchor},
        {"--provider-execution", .text = &w.provider_execution},
        {"-o", .text = &w.output},
    };
    OWNED(inputs_done) struct inputs in = {0};
    OWNED(mem_drop) struct reference_values *values = NEW(struct reference_values);
    TRY(arguments_read(argc, argv, 2, arguments, countof(arguments), err));
    TRY(read_inputs(&w, &in, err));
    for (size_t i = 0; i < w.ovmf.count; i++)
        TRY(add_firmware(w.ovmf.at[i], &in.wish, values, err));
    OWNED(json_drop)
    json_t *answer = in.json ? answer_to_json(&in, values) : reference_to_json(&in, values);
    OWNED(mem_drop) char *text = in.json ? json_print_pretty(answer) : json_print(answer);
    return print_line(text, err);
}

int image_main(int argc, char **argv)
{
    struct error err = {0};
    if (argc < 2 || strcmp(argv[1], "add") != 0) {
        fputs("muster: which? try 'muster image --help'\n", stderr);
        return outcome_exit_code(ERR_INVALID);
    }
    enum outcome outcome = image_add(argc, argv, &err);
    if (outcome == OK)
        return 0;
    if (outcome != ERR_DENIED)
        return command_failed(&err);
    fprintf(stderr, "muster: %s: %s\n", err.code, err.text);
    return EXIT_REFUSED;
}
