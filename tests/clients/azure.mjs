// A machine's life through Azure's own SDK. Prints TAP without numbers and plan: clients_azure.sh adds them.
import { ComputeManagementClient } from "@azure/arm-compute";
import { ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential } from "@azure/identity";

const { SIM_TLS, SIM_URL, SIM_CERTIFICATE, SIM_FEDERATED } = process.env;
const subscription = "00000000-0000-0000-0000-000000000001";
const tenant = "00000000-0000-0000-0000-00000000000a";
const options = { authorityHost: SIM_TLS, disableInstanceDiscovery: true };
const group = "fleet";
const adminUsername = "muster";
const fast = { updateIntervalInMs: 20 };
let failures = 0;

const say = (good, sentence) => {
    failures += good ? 0 : 1;
    console.log(`${good ? "ok" : "not ok"} - ${sentence}`);
};

const step = async (sentence, work) => {
    try {
        say((await work()) !== false, sentence);
    } catch (error) {
        console.log(`# ${error.code ?? ""} ${error.message}`.replaceAll("\n", "\n# "));
        say(false, sentence);
    }
};

const prank = (action, fault) =>
    fetch(`${SIM_URL}/_control/mischief`, { method: "POST", body: JSON.stringify({ action, fault }) });

const client = (credential) =>
    new ComputeManagementClient(credential, subscription, {
        endpoint: SIM_TLS,
        retryOptions: { maxRetries: 3, retryDelayInMs: 20 },
    });

const machine = {
    location: "westeurope",
    zones: ["1"],
    tags: { "muster:token": "vm-1" },
    hardwareProfile: { vmSize: "Standard_DC2as_v5" },
    securityProfile: {
        securityType: "ConfidentialVM",
        uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
    },
    storageProfile: {
        imageReference: { publisher: "muster", offer: "confidential-vm", sku: "firmware-cvm", version: "1.0.0" },
        osDisk: {
            createOption: "FromImage",
            caching: "ReadOnly",
            deleteOption: "Delete",
            managedDisk: {
                storageAccountType: "Premium_LRS",
                securityProfile: { securityEncryptionType: "VMGuestStateOnly" },
            },
        },
    },
    osProfile: {
        computerName: "vm-1",
        adminUsername,
        linuxConfiguration: {
            disablePasswordAuthentication: true,
            ssh: { publicKeys: [{ path: `/home/${adminUsername}/.ssh/authorized_keys`, keyData: "ssh-ed25519 AAAA" }] },
        },
    },
    networkProfile: {
        networkApiVersion: "2022-11-01",
        networkInterfaceConfigurations: [
            { name: "nic", primary: true, deleteOption: "Delete", ipConfigurations: [{ name: "ip", subnet: { id: "/s" } }] },
        ],
    },
    userData: "dQ==",
};

const refused = async (work, status, code) => {
    try {
        await work();
    } catch (error) {
        if (error.statusCode === status && error.code === code) return true;
        console.log(`# ${error.statusCode} ${error.code} ${error.message}`);
    }
    return false;
};

const power = async (vms, name) => {
    const view = await vms.instanceView(group, name);
    return view.statuses.map((status) => status.code).find((code) => code.startsWith("PowerState/"));
};

const vms = client(new ClientSecretCredential(tenant, "muster-sim", "muster-sim-client-secret", options)).virtualMachines;
let born;

await step("a confidential machine is made, and its operation is followed to the end", async () => {
    born = await vms.createOrUpdate(group, "vm-1", machine, { ...fast, ifNoneMatch: "*" });
    return born.provisioningState === "Succeeded" && born.securityProfile.securityType === "ConfidentialVM";
});
await step("the same again is refused, for it is there", () =>
    refused(() => vms.createOrUpdate(group, "vm-1", machine, { ...fast, ifNoneMatch: "*" }), 412, "PreconditionFailed"),
);
await step("it runs, as its instance view says", async () => {
    const seen = await vms.get(group, "vm-1", { expand: "instanceView" });
    return seen.vmId === born.vmId && (await power(vms, "vm-1")) === "PowerState/running" && seen.instanceView !== undefined;
});
await step("it is in the lists, over all pages", async () => {
    for (const name of ["vm-2", "vm-3"]) await vms.createOrUpdate(group, name, machine, fast);
    const names = [];
    for await (const one of vms.list(group)) names.push(one.name);
    for await (const one of vms.listAll({ statusOnly: "true" })) names.push(one.instanceView?.statuses ? one.name : "?");
    return names.join() === "vm-1,vm-2,vm-3,vm-1,vm-2,vm-3";
});
await step("tags are changed", async () => {
    const changed = await vms.update(group, "vm-1", { tags: { colour: "blue" } }, fast);
    return changed.tags.colour === "blue";
});
for (const [verb, after] of [
    ["powerOff", "stopped"],
    ["start", "running"],
    ["deallocate", "deallocated"],
    ["start", "running"],
    ["restart", "running"],
    ["redeploy", "running"],
    ["performMaintenance", "running"],
])
    await step(`after ${verb} it is ${after}`, async () => {
        await vms[verb](group, "vm-1", fast);
        return (await power(vms, "vm-1")) === `PowerState/${after}`;
    });
await step("want of capacity shows in the operation, after a 201", async () => {
    await prank("VirtualMachines_CreateOrUpdate", "late-capacity");
    try {
        await vms.createOrUpdate(group, "vm-4", machine, fast);
    } catch (error) {
        console.log(`# ${error.code} ${error.message}`);
        const seen = await vms.get(group, "vm-4");
        return /AllocationFailed|Allocation failed/.test(`${error.code} ${error.message}`) && seen.provisioningState === "Failed";
    }
    return false;
});
await step("a refusal has Azure's code", async () => {
    await prank("VirtualMachines_Get", "auth");
    return refused(() => vms.get(group, "vm-1"), 403, "AuthorizationFailed");
});
await step("what is throttled is asked for again after Retry-After", async () => {
    await prank("VirtualMachines_Get", "throttle");
    return (await vms.get(group, "vm-1")).name === "vm-1";
});
await step("it is deleted, and is not there any more", async () => {
    for (const name of ["vm-1", "vm-2", "vm-3", "vm-4"]) await vms.delete(group, name, { ...fast, forceDeletion: true });
    return refused(() => vms.get(group, "vm-1"), 404, "ResourceNotFound");
});
await step("sizes say which are SEV-SNP", async () => {
    for await (const sku of client(new ClientSecretCredential(tenant, "muster-sim", "muster-sim-client-secret", options)).resourceSkus.list())
        if (sku.capabilities.some((one) => one.name === "ConfidentialComputingType" && one.value === "SNP")) return true;
    return false;
});
await step("a certificate signs in", async () => {
    const by = client(new ClientCertificateCredential(tenant, "muster-sim", SIM_CERTIFICATE, options)).virtualMachines;
    return refused(() => by.get(group, "vm-1"), 404, "ResourceNotFound");
});
await step("another issuer's token signs in", async () => {
    const by = client(new ClientAssertionCredential(tenant, "muster-sim", async () => SIM_FEDERATED, options)).virtualMachines;
    return refused(() => by.get(group, "vm-1"), 404, "ResourceNotFound");
});
await step("a wrong secret does not", async () => {
    const by = client(new ClientSecretCredential(tenant, "muster-sim", "wrong", options)).virtualMachines;
    try {
        await by.get(group, "vm-1");
    } catch (error) {
        return error.name === "AuthenticationError" || /AADSTS7000215/.test(error.message);
    }
    return false;
});
process.exit(failures > 0 ? 1 : 0);
