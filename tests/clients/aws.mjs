// @aws-sdk/client-ec2, as it comes from npm, takes the emulator for EC2: a machine from launch to
// delete. Prints TAP without a plan and without numbers.
import {
    DescribeInstancesCommand, DescribeInstanceStatusCommand, DescribeInstanceTypesCommand, EC2Client,
    paginateDescribeInstances, RunInstancesCommand, StartInstancesCommand, StopInstancesCommand,
    TerminateInstancesCommand, waitUntilInstanceRunning, waitUntilInstanceStopped,
    waitUntilInstanceTerminated
} from '@aws-sdk/client-ec2';

const endpoint = process.env.SIM_URL;
const credentials = {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY
};
const ec2 = new EC2Client({ region: 'us-east-2', endpoint, credentials, maxAttempts: 1 });

const say = (fine, sentence, why) => {
    console.log(`${fine ? 'ok' : 'not ok'} - ${sentence}`);
    if (!fine) console.log(`# ${JSON.stringify(why)}`);
};
const prank = (action, fault) => fetch(`${endpoint}/_control/mischief`,
    { method: 'POST', body: JSON.stringify({ action, fault }) });
const refusal = async promise => {
    try {
        await promise;
        return 'none';
    } catch (error) {
        return error.name;
    }
};
const launch = (token, size = 'm6a.large') => ec2.send(new RunInstancesCommand({
    ImageId: 'ami-0ec20000000000001', InstanceType: size, MinCount: 1, MaxCount: 1,
    ClientToken: token,
    CpuOptions: { AmdSevSnp: 'enabled' },
    MetadataOptions: { HttpTokens: 'required', InstanceMetadataTags: 'enabled' },
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'muster:vm', Value: token }] }]
}));
const ours = { Filters: [{ Name: 'tag-key', Values: ['muster:vm'] }] };
const waiter = { client: ec2, maxWaitTime: 30, minDelay: 1, maxDelay: 1 };

const { Instances: [born] } = await launch('vm-1');
const ids = { InstanceIds: [born.InstanceId] };
say(born.State.Name === 'pending' && born.CpuOptions.AmdSevSnp === 'enabled' &&
    born.ClientToken === 'vm-1', 'a confidential machine is launched', born);
const { Instances: [again] } = await launch('vm-1');
say(again.InstanceId === born.InstanceId, 'the same order again is the same machine', again);
const other = await refusal(launch('vm-1', 'm6a.xlarge'));
say(other === 'IdempotentParameterMismatch', 'another order under its token is refused', other);

const running = await waitUntilInstanceRunning(waiter, ids);
say(running.state === 'SUCCESS', 'its waiter sees it run', running);
const { InstanceStatuses: statuses } = await ec2.send(new DescribeInstanceStatusCommand(ids));
say(statuses.length === 1 && statuses[0].SystemStatus.Status === 'ok', 'its host is well', statuses);

for (let i = 2; i < 8; i++) await launch(`vm-${i}`);
const seen = [];
for await (const page of paginateDescribeInstances({ client: ec2, pageSize: 5 }, ours))
    for (const reservation of page.Reservations ?? []) seen.push(...reservation.Instances);
say(seen.length === 7 && new Set(seen.map(one => one.InstanceId)).size === 7,
    'its pages hold each machine once', seen.length);

await ec2.send(new StopInstancesCommand(ids));
const stopped = await waitUntilInstanceStopped(waiter, ids);
say(stopped.state === 'SUCCESS', 'it stops', stopped);
await ec2.send(new StartInstancesCommand(ids));
const started = await waitUntilInstanceRunning(waiter, ids);
say(started.state === 'SUCCESS', 'and starts', started);

const words = {
    throttle: 'RequestLimitExceeded', capacity: 'InsufficientInstanceCapacity',
    quota: 'VcpuLimitExceeded', auth: 'UnauthorizedOperation', 'server-error': 'InternalError'
};
for (const [fault, word] of Object.entries(words)) {
    await prank('RunInstances', fault);
    const name = await refusal(launch('vm-9'));
    say(name === word, `a refusal is read: ${fault}`, name);
}
const absent = await refusal(ec2.send(
    new DescribeInstancesCommand({ InstanceIds: ['i-0123456789abcdef0'] })));
say(absent === 'InvalidInstanceID.NotFound', 'what is not there is not found', absent);
const wrong = new EC2Client({
    region: 'us-east-2', endpoint, maxAttempts: 1,
    credentials: { ...credentials, secretAccessKey: 'wrong' }
});
const stranger = await refusal(wrong.send(new DescribeInstancesCommand({})));
say(stranger === 'SignatureDoesNotMatch', 'a stranger signs in vain', stranger);
const { InstanceTypes: types } = await ec2.send(new DescribeInstanceTypesCommand({
    Filters: [{ Name: 'processor-info.supported-features', Values: ['amd-sev-snp'] }]
}));
say(types.length > 5 && types.every(one => one.ProcessorInfo.SupportedFeatures.includes('amd-sev-snp')),
    'sizes with SEV-SNP are told', types.length);

const all = { InstanceIds: seen.map(one => one.InstanceId) };
await ec2.send(new TerminateInstancesCommand(all));
const gone = await waitUntilInstanceTerminated(waiter, all);
say(gone.state === 'SUCCESS', 'all are ended', gone);
