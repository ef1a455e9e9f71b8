#include "drivers/aws/ec2_leftovers.h"

#include <string.h>

#include "drivers/aws/ec2_requests.h"

/* clang-format off */
const struct ec2_leftover_facts ec2_leftovers[LEFTOVER_KIND_COUNT] = {
    [LEFTOVER_DISK]      = {"DescribeVolumes", "DeleteVolume", "VolumeId", "volumeSet", "volumeId",
                            "vol-", {"attachmentSet"}, .has_status = true, .has_pages = true},
    [LEFTOVER_ADDRESS]   = {"DescribeAddresses", "ReleaseAddress", "AllocationId", "addressesSet",
                            "allocationId", "eipalloc-",
                            {"associationId", "instanceId", "networkInterfaceId"}},
    [LEFTOVER_INTERFACE] = {"DescribeNetworkInterfaces", "DeleteNetworkInterface",
                            "NetworkInterfaceId", "networkInterfaceSet", "networkInterfaceId",
                            "eni-", {"attachment"}, .has_status = true, .has_pages = true},
};
/* clang-format on */

static void begin(struct form *form, const char *action)
{
    form->call = action;
    form_add(form, "Action", action);
    form_add(form, "Version", EC2_VERSION);
}

void ec2_describe_leftovers(enum leftover_kind kind, const char *owner, const char *next_token,
                            struct form *out)
{
    const struct ec2_leftover_facts *facts = &ec2_leftovers[kind];
    begin(out, facts->describe);
    form_add(out, "Filter.1.Name", "tag:" TAG_OWNER);
    form_add(out, "Filter.1.Value.1", owner);
    if (facts->has_status) {
        form_add(out, "Filter.2.Name", "status");
        form_add(out, "Filter.2.Value.1", "available");
    }
    if (facts->has_pages)
        form_addf(out, "MaxResults", "%d", EC2_LEFTOVERS_PAGE_SIZE);
    if (next_token[0] != '\0')
        form_add(out, "NextToken", next_token);
}

void ec2_discard(enum leftover_kind kind, const char *ref, struct form *out)
{
    begin(out, ec2_leftovers[kind].discard);
    form_add(out, ec2_leftovers[kind].parameter, ref);
}

bool ec2_leftover_ref_is_valid(enum leftover_kind kind, const char *ref)
{
    const char *prefix = ec2_leftovers[kind].prefix;
    const size_t len = strlen(ref), head = strlen(prefix);
    return len > head && len < 64 && strncmp(ref, prefix, head) == 0 &&
           strspn(ref + head, "0123456789abcdef") == len - head;
}
