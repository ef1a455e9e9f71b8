// @google-cloud/compute, as it comes from npm, takes the emulator for Compute Engine: a machine from
// launch to delete. Prints TAP without a plan and without numbers.
import { InstancesClient, ZoneOperationsClient } from '@google-cloud/compute';
import { GoogleAuth, OAuth2Client } from 'google-auth-library';

const site = new URL(process.env.SIM_URL);
const project = 'muster-sim';
const zone = 'us-central1-a';
const name = 'vm-1';

const authClient = new OAuth2Client();
const token = await fetch(`${site.origin}/computeMetadata/v1/instance/service-accounts/default/token`,
    { headers: { 'Metadata-Flavor': 'Google' } });
authClient.setCredentials(await token.json());
const options = {
    fallback: true, protocol: 'http', apiEndpoint: site.hostname, port: Number(site.port), authClient
};
const instances = new InstancesClient(options);
const operations = new ZoneOperationsClient(options);

const say = (fine, sentence, why) => {
    console.log(`${fine ? 'ok' : 'not ok'} - ${sentence}`);
    if (!fine) console.log(`# ${JSON.stringify(why)}`);
};
const done = async ([{ latestResponse: begun }]) => {
    let operation = begun;
    while (operation.status !== 'DONE')
        [operation] = await operations.wait({ project, zone, operation: operation.name });
    return operation;
};
const prank = (action, fault) => fetch(`${site.origin}/_control/mischief`,
    { method: 'POST', body: JSON.stringify({ action, fault }) });
const code = async promise => {
    try {
        await promise;
        return 0;
    } catch (error) {
        return error.code;
    }
};
const insert = (what, requestId) => instances.insert({
    project, zone, requestId,
    instanceResource: {
        name: what,
        machineType: `zones/${zone}/machineTypes/n2d-standard-2`,
        minCpuPlatform: 'AMD Milan',
        confidentialInstanceConfig: { confidentialInstanceType: 'SEV_SNP' },
        scheduling: { onHostMaintenance: 'TERMINATE', automaticRestart: true },
        shieldedInstanceConfig: { enableVtpm: true, enableSecureBoot: true },
        labels: { 'muster-vm': what },
        metadata: { items: [{ key: 'user-data', value: 'hello' }] },
        networkInterfaces: [{ network: 'global/networks/default', nicType: 'GVNIC' }],
        disks: [{
            boot: true, autoDelete: true,
            initializeParams: {
                sourceImage: 'projects/muster-sim/global/images/firmware-snp', diskSizeGb: '20'
            }
        }]
    }
});
const get = async () => (await instances.get({ project, zone, instance: name }))[0];

const request = '11111111-2222-4333-8444-555555555555';
const born = await done(await insert(name, request));
say(!born.error && born.operationType === 'insert', 'a launch is done', born);
const machine = await get();
say(machine.status === 'RUNNING' && machine.confidentialInstanceConfig.confidentialInstanceType === 'SEV_SNP',
    'it runs, and is confidential', machine);
const again = await done(await insert(name, request));
say(again.name === born.name, 'the same request id is the same operation', again);
say(await code(insert(name, '21111111-2222-4333-8444-555555555555')) === 10,
    'another request under its name is refused');

const filter = `labels.muster-vm=${name}`;
const [listed] = await instances.list({ project, zone, filter });
say(listed.length === 1 && listed[0].name === name, 'it is listed by its label', listed);
const zones = {};
for await (const [scope, held] of instances.aggregatedListAsync({ project, filter }))
    zones[scope] = held.instances.length;
say(zones[`zones/${zone}`] === 1, 'and among those of all zones', zones);

const label = (labelFingerprint, labels) => instances.setLabels({
    project, zone, instance: name, instancesSetLabelsRequestResource: { labelFingerprint, labels }
});
await done(await label(machine.labelFingerprint, { 'muster-vm': name, team: 'red' }));
say((await get()).labels.team === 'red', 'it takes another label');
say(await code(label(machine.labelFingerprint, {})) !== 0, 'but not over an older state');

await done(await instances.stop({ project, zone, instance: name }));
say((await get()).status === 'TERMINATED', 'stopped, it is TERMINATED and still there');
await done(await instances.start({ project, zone, instance: name }));
say((await get()).status === 'RUNNING', 'it starts again');
await done(await instances.simulateMaintenanceEvent({ project, zone, instance: name }));
say((await get()).status === 'RUNNING', 'maintenance stops and restarts it');

await prank('instances.insert', 'capacity');
const full = await done(await insert('vm-2'));
say(full.error?.errors[0].code === 'ZONE_RESOURCE_POOL_EXHAUSTED',
    'a lack of capacity is told in an operation, after a 200', full);
await prank('instances.get', 'throttle');
say(await code(get()) === 7, 'a throttle reaches the client as a 403');
await prank('instances.get', 'bad-gateway');
say(await code(get()) !== 0, 'so does a gateway that fails');

await done(await instances.delete({ project, zone, instance: name }));
say(await code(get()) === 5, 'deleted, it is not found');

// Another provider's token, as Google's own library exchanges it.
const federated = new GoogleAuth({
    keyFilename: process.env.SIM_FEDERATED, scopes: ['https://www.googleapis.com/auth/cloud-platform']
});
const bearer = await federated.getAccessToken();
const told = await fetch(`${site.origin}/compute/v1/projects/${project}/zones/${zone}/instances`,
    { headers: { Authorization: `Bearer ${bearer}` } });
say(told.status === 200, "another provider's token signs in", await told.text());
