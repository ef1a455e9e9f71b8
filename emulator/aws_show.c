#include <stdio.h>

#include "emulator/aws_actions.h"

int ec2_state_code(enum vm_state state)
{
    static const int codes[VM_STATE_COUNT] = {
        [VM_PENDING] = 0,        [VM_RUNNING] = 16,    [VM_STOPPING] = 64, [VM_STOPPED] = 80,
        [VM_SHUTTING_DOWN] = 32, [VM_TERMINATED] = 48, [VM_HALTED] = 80,   [VM_FAILED] = 48,
    };
    return codes[state];
}

void show_state(struct text *out, const char *name, enum vm_state state)
{
    text_addf(out, "<%s>", name);
    xml_add_int(out, "code", ec2_state_code(state));
    xml_add(out, "name", name_of(&vm_state_names, (int)state));
    text_addf(out, "</%s>", name);
}

static void add_tags(struct text *out, const struct machine *machine)
{
    text_add(out, "<tagSet>");
    for (size_t i = 0; i < machine->tag_count; i++) {
        text_add(out, "<item>");
        xml_add(out, "key", machine->tags[i].key);
        xml_add(out, "value", machine->tags[i].value);
        text_add(out, "</item>");
    }
    text_add(out, "</tagSet>");
}

static void add_address(struct text *out, const struct machine *machine)
{
    if (machine->state == VM_TERMINATED || machine->state == VM_SHUTTING_DOWN)
        return;
    char address[32];
    snprintf(address, sizeof address, "10.%d.%d.%d", (int)(machine->ordinal >> 16 & 0xff),
             (int)(machine->ordinal >> 8 & 0xff), (int)(machine->ordinal & 0xff));
    xml_add(out, "privateIpAddress", address);
}

static void add_reason(struct text *out, const struct machine *machine)
{
    if (machine->reason[0] == '\0')
        return;
    text_add(out, "<stateReason>");
    xml_add(out, "code", machine->reason);
    xml_add(out, "message", machine->reason);
    text_add(out, "</stateReason>");
}

void show_machine(struct text *out, const struct machine *machine)
{
    text_add(out, "<item>");
    xml_add(out, "instanceId", machine->ref);
    xml_add(out, "imageId", machine->image);
    show_state(out, "instanceState", machine->state);
    xml_add(out, "privateDnsName", "");
    xml_add(out, "dnsName", "");
    xml_add(out, "reason", "");
    xml_add(out, "amiLaunchIndex", "0");
    xml_add(out, "productCodes", "");
    xml_add(out, "instanceType", machine->size);
    xml_add(out, "launchTime", moment_text(machine->launched).at);
    text_add(out, "<placement>");
    xml_add(out, "availabilityZone", machine->zone);
    xml_add(out, "groupName", "");
    xml_add(out, "tenancy", "default");
    text_add(out, "</placement><monitoring><state>disabled</state></monitoring>");
    if (machine->subnet[0] != '\0')
        xml_add(out, "subnetId", machine->subnet);
    add_address(out, machine);
    add_reason(out, machine);
    xml_add(out, "architecture", "x86_64");
    xml_add(out, "rootDeviceType", "ebs");
    xml_add(out, "rootDeviceName", "/dev/xvda");
    xml_add(out, "virtualizationType", "hvm");
    xml_add(out, "clientToken", machine->client_token);
    add_tags(out, machine);
    xml_add(out, "hypervisor", "xen");
    text_add(out, "<cpuOptions><coreCount>1</coreCount><threadsPerCore>2</threadsPerCore>");
    if (machine->snp)
        xml_add(out, "amdSevSnp", "enabled");
    text_add(out, "</cpuOptions><enclaveOptions><enabled>false</enabled></enclaveOptions>"
                  "<metadataOptions><state>applied</state><httpTokens>required</httpTokens>"
                  "<httpPutResponseHopLimit>1</httpPutResponseHopLimit>"
                  "<httpEndpoint>enabled</httpEndpoint></metadataOptions>"
                  "<currentInstanceBootMode>uefi</currentInstanceBootMode></item>");
}

void show_reservation(struct text *out, const struct machine *machine)
{
    xml_add(out, "reservationId", machine->reservation);
    xml_add(out, "ownerId", SIM_ACCOUNT);
    xml_add(out, "groupSet", "");
}
