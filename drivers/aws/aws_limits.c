#include "drivers/aws/aws_limits.h"

/* Read in November 2026. Buckets are per account, region and call; launches, starts, stops and ends
 * take a token for each machine besides. */
#define EC2_RATES "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html"
#define STS_RATES "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"

/* clang-format off */
static const struct call_limit limits[] = {
    {"RunInstances",       "RunInstances",                 5,   120, EC2_RATES},
    {"RunInstances",       "RunInstances resources",    1000,   120, EC2_RATES},
    {"StartInstances",     "StartInstances",               5,   120, EC2_RATES},
    {"StartInstances",     "StartInstances resources",  1000,   120, EC2_RATES},
    {"StopInstances",      "StopInstances",               50,   300, EC2_RATES},
    {"StopInstances",      "StopInstances resources",   1000,  1200, EC2_RATES},
    {"TerminateInstances", "TerminateInstances",          50,   300, EC2_RATES},
    {"TerminateInstances", "TerminateInstances resources", 1000, 1200, EC2_RATES},
    {"DescribeInstances",  "DescribeInstances",          100,  1200, EC2_RATES}, /* with a filter */
    {"DescribeInstanceStatus", "DescribeInstanceStatus", 100,  1200, EC2_RATES},
    {"DescribeInstanceTypes", "DescribeInstanceTypes",   100,  1200, EC2_RATES},
    {"DescribeVolumes",    "DescribeVolumes",            100,  1200, EC2_RATES},
    {"DescribeAddresses",  "DescribeAddresses",          100,  1200, EC2_RATES},
    {"DescribeNetworkInterfaces", "DescribeNetworkInterfaces", 100, 1200, EC2_RATES},
    {"DeleteVolume",       "DeleteVolume",                50,   300, EC2_RATES},
    {"ReleaseAddress",     "ReleaseAddress",              50,   300, EC2_RATES},
    {"DeleteNetworkInterface", "DeleteNetworkInterface",  50,   300, EC2_RATES},
    {"GetCallerIdentity",  "sts",                        600, 36000, STS_RATES},
};
const struct call_limits aws_limits = {limits, countof(limits)};

/* doc/clouds/aws.md has them as a policy, with the conditions that narrow each. */
static const struct call_permission permissions[] = {
    {"RunInstances",       "ec2:RunInstances"},
    {"RunInstances",       "ec2:CreateTags"},
    {"RunInstances",       "iam:PassRole"}, /* with an instance profile */
    {"StartInstances",     "ec2:StartInstances"},
    {"StopInstances",      "ec2:StopInstances"},
    {"TerminateInstances", "ec2:TerminateInstances"},
    {"DescribeInstances",  "ec2:DescribeInstances"},
    {"DescribeInstanceStatus", "ec2:DescribeInstanceStatus"},
    {"DescribeInstanceTypes", "ec2:DescribeInstanceTypes"},
    {"DescribeVolumes",    "ec2:DescribeVolumes"},
    {"DescribeAddresses",  "ec2:DescribeAddresses"},
    {"DescribeNetworkInterfaces", "ec2:DescribeNetworkInterfaces"},
    {"DeleteVolume",       "ec2:DeleteVolume"},
    {"ReleaseAddress",     "ec2:ReleaseAddress"},
    {"DeleteNetworkInterface", "ec2:DeleteNetworkInterface"},
    {"GetCallerIdentity",  "sts:GetCallerIdentity"},
};
const struct call_permissions aws_permissions = {permissions, countof(permissions)};
/* clang-format on */
