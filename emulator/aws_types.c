/* DescribeInstanceTypes: what sizes there are, filters and pages. */
#include <fnmatch.h>
#include <string.h>

#include "emulator/aws_actions.h"

enum { PAGE_LEAST = 5, PAGE_MOST = 100 };

/* A few of each kind; those with SEV-SNP all. */
static const struct type {
    const char *name;
    int vcpus;
    int mib;
    bool snp;
} types[] = {
    {"c6a.large", 2, 4096, true},       {"c6a.xlarge", 4, 8192, true},
    {"c6a.2xlarge", 8, 16384, true},    {"c6a.4xlarge", 16, 32768, true},
    {"c6a.8xlarge", 32, 65536, true},   {"c6a.12xlarge", 48, 98304, true},
    {"c6a.16xlarge", 64, 131072, true}, {"c6a.24xlarge", 96, 196608, false},
    {"m6a.large", 2, 8192, true},       {"m6a.xlarge", 4, 16384, true},
    {"m6a.2xlarge", 8, 32768, true},    {"m6a.4xlarge", 16, 65536, true},
    {"m6a.8xlarge", 32, 131072, true},  {"m6a.12xlarge", 48, 196608, false},
    {"r6a.large", 2, 16384, true},      {"r6a.xlarge", 4, 32768, true},
    {"r6a.2xlarge", 8, 65536, true},    {"r6a.4xlarge", 16, 131072, true},
    {"r6a.8xlarge", 32, 262144, false}, {"m7a.large", 2, 8192, false},
    {"t3.micro", 2, 1024, false},       {"m5.large", 2, 8192, false},
};

static const char *field_of_filter(const struct type *type, const char *name)
{
    if (strcmp(name, "processor-info.supported-features") == 0)
        return type->snp ? "amd-sev-snp" : "";
    if (strcmp(name, "instance-type") == 0)
        return type->name;
    if (strcmp(name, "bare-metal") == 0)
        return "false";
    if (strcmp(name, "hypervisor") == 0)
        return "nitro";
    return NULL;
}

static bool passes_filter(const struct form_in *form, size_t n, const char *value)
{
    for (size_t i = 1;; i++) {
        const char *pattern = form_getf(form, "Filter.%zu.Value.%zu", n, i);
        if (pattern == NULL)
            return false;
        if (fnmatch(pattern, value, FNM_NOESCAPE) == 0)
            return true;
    }
}

static bool passes(const struct form_in *form, const struct type *type)
{
    const char *name = form_get(form, "InstanceType.1");
    bool is_named = name == NULL;
    for (size_t i = 1; name != NULL; name = form_getf(form, "InstanceType.%zu", ++i))
        is_named = is_named || strcmp(name, type->name) == 0;
    for (size_t n = 1; is_named && (name = form_getf(form, "Filter.%zu.Name", n)) != NULL; n++)
        is_named = passes_filter(form, n, field_of_filter(type, name));
    return is_named;
}

static bool check(const struct aws_call *call, int64_t *after, int64_t *size, struct refusal *out)
{
    const char *name;
    const char *most = form_get(call->form, "MaxResults");
    const char *token = form_get(call->form, "NextToken");
    for (size_t n = 1; (name = form_getf(call->form, "Filter.%zu.Name", n)) != NULL; n++)
        if (field_of_filter(&types[0], name) == NULL)
            return refuse(out, 400, "InvalidParameterValue", "The filter '%.60s' is invalid", name);
    *after = 0;
    *size = PAGE_MOST;
    if (most != NULL && number_parse(most, PAGE_LEAST, PAGE_MOST, size, NULL) != OK)
        return refuse(out, 400, "InvalidParameterValue", "MaxResults is %d to %d", PAGE_LEAST,
                      PAGE_MOST);
    if (*size > call->api->page_most)
        *size = call->api->page_most;
    if (token != NULL && (strncmp(token, "type-", 5) != 0 ||
                          number_parse(token + 5, 0, (int64_t)countof(types), after, NULL) != OK))
        return refuse(out, 400, "InvalidNextToken", "The token '%.40s' is invalid", token);
    return true;
}

static void show_processor(struct text *out, const struct type *type)
{
    text_add(out, "<processorInfo><supportedArchitectures><item>x86_64</item>"
                  "</supportedArchitectures><sustainedClockSpeedInGhz>3.6"
                  "</sustainedClockSpeedInGhz>");
    if (type->snp)
        text_add(out, "<supportedFeatures><item>amd-sev-snp</item></supportedFeatures>");
    text_add(out, "<manufacturer>AMD</manufacturer></processorInfo><vCpuInfo>");
    xml_add_int(out, "defaultVCpus", type->vcpus);
    xml_add_int(out, "defaultCores", type->vcpus / 2);
    xml_add_int(out, "defaultThreadsPerCore", 2);
    text_add(out, "</vCpuInfo><memoryInfo>");
    xml_add_int(out, "sizeInMiB", type->mib);
    text_add(out, "</memoryInfo>");
}

static void show_type(struct text *out, const struct type *type)
{
    text_add(out, "<item>");
    xml_add(out, "instanceType", type->name);
    xml_add(out, "currentGeneration", "true");
    xml_add(out, "freeTierEligible", "false");
    text_add(out, "<supportedUsageClasses><item>on-demand</item><item>spot</item>"
                  "</supportedUsageClasses><supportedRootDeviceTypes><item>ebs</item>"
                  "</supportedRootDeviceTypes><supportedVirtualizationTypes><item>hvm</item>"
                  "</supportedVirtualizationTypes>");
    xml_add(out, "bareMetal", "false");
    xml_add(out, "hypervisor", "nitro");
    show_processor(out, type);
    xml_add(out, "instanceStorageSupported", "false");
    xml_add(out, "hibernationSupported", "true");
    xml_add(out, "burstablePerformanceSupported",
            strncmp(type->name, "t3.", 3) == 0 ? "true" : "false");
    xml_add(out, "dedicatedHostsSupported", "true");
    xml_add(out, "autoRecoverySupported", "true");
    text_add(out, "<supportedBootModes><item>legacy-bios</item><item>uefi</item>"
                  "</supportedBootModes>");
    xml_add(out, "nitroEnclavesSupport", type->vcpus >= 4 ? "supported" : "unsupported");
    xml_add(out, "nitroTpmSupport", "supported");
    text_add(out, "</item>");
}

bool describe_instance_types(struct aws_call *call, struct refusal *out)
{
    int64_t after, size, shown = 0;
    if (!check(call, &after, &size, out))
        return false;
    text_add(call->out, "<instanceTypeSet>");
    size_t i = (size_t)after;
    for (; i < countof(types) && shown < size; i++) {
        if (!passes(call->form, &types[i]))
            continue;
        show_type(call->out, &types[i]);
        shown++;
    }
    text_add(call->out, "</instanceTypeSet>");
    if (i < countof(types))
        text_addf(call->out, "<nextToken>type-%zu</nextToken>", i);
    return true;
}
