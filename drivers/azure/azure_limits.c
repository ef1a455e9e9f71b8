#include "drivers/azure/azure_limits.h"

/* Read in November 2026: token buckets per subscription, region, caller and kind of call. A call to
 * Microsoft.Compute also counts against that provider's own, per subscription and region; what it
 * allows for each single machine is never reached, and its 429 is honoured as any. */
#define ARM_RATES                                                                                  \
    "https://learn.microsoft.com/azure/azure-resource-manager/management/"                         \
    "request-limits-and-throttling"
#define COMPUTE_RATES "https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits"

/* clang-format off */
static const struct call_limit limits[] = {
    {"Subscriptions_Get",                  "reads",   250, 1500, ARM_RATES},
    {"VirtualMachines_Get",                "reads",   250, 1500, ARM_RATES},
    {"VirtualMachines_List",               "reads",   250, 1500, ARM_RATES},
    {"VirtualMachines_ListAll",            "reads",   250, 1500, ARM_RATES},
    {"ResourceSkus_List",                  "reads",   250, 1500, ARM_RATES},
    {"Disks_ListByResourceGroup",          "reads",   250, 1500, ARM_RATES},
    {"PublicIPAddresses_List",             "reads",   250, 1500, ARM_RATES},
    {"NetworkInterfaces_List",             "reads",   250, 1500, ARM_RATES},
    {"operation",                          "reads",   250, 1500, ARM_RATES},
    {"VirtualMachines_CreateOrUpdate",     "writes",  200,  600, ARM_RATES},
    {"VirtualMachines_Deallocate",         "writes",  200,  600, ARM_RATES},
    {"VirtualMachines_Start",              "writes",  200,  600, ARM_RATES},
    {"VirtualMachines_Redeploy",           "writes",  200,  600, ARM_RATES},
    {"VirtualMachines_PerformMaintenance", "writes",  200,  600, ARM_RATES},
    {"VirtualMachines_Delete",             "deletes", 200,  600, ARM_RATES},
    {"Disks_Delete",                       "deletes", 200,  600, ARM_RATES},
    {"PublicIPAddresses_Delete",           "deletes", 200,  600, ARM_RATES},
    {"NetworkInterfaces_Delete",           "deletes", 200,  600, ARM_RATES},

    {"VirtualMachines_CreateOrUpdate",     "Microsoft.Compute/PutVM",        1500,  500, COMPUTE_RATES},
    {"VirtualMachines_Start",              "Microsoft.Compute/UpdateVM",     1500,  500, COMPUTE_RATES},
    {"VirtualMachines_Redeploy",           "Microsoft.Compute/UpdateVM",     1500,  500, COMPUTE_RATES},
    {"VirtualMachines_PerformMaintenance", "Microsoft.Compute/UpdateVM",     1500,  500, COMPUTE_RATES},
    {"VirtualMachines_Deallocate",         "Microsoft.Compute/DeleteVM",     1500,  500, COMPUTE_RATES},
    {"VirtualMachines_Delete",             "Microsoft.Compute/DeleteVM",     1500,  500, COMPUTE_RATES},
    {"VirtualMachines_Get",                "Microsoft.Compute/LowCostGet",  24000, 8000, COMPUTE_RATES},
    {"VirtualMachines_List",               "Microsoft.Compute/HighCostGet",   900,  300, COMPUTE_RATES},
    {"VirtualMachines_ListAll",            "Microsoft.Compute/HighCostGet",   900,  300, COMPUTE_RATES},
    {"operation",                          "Microsoft.Compute/GetOperation", 15000, 5000, COMPUTE_RATES},
};
/* clang-format on */
const struct call_limits azure_limits = {limits, countof(limits)};
