#include "drivers/azure/azure_limits.h"

/* Read in November 2026: token buckets per subscription, region, caller and kind of call. What
 * Microsoft.Compute allows besides is in the headers of its answers, which drivers/manners.c
 * honours. */
#define ARM_RATES                                                                                  \
    "https://learn.microsoft.com/azure/azure-resource-manager/management/"                         \
    "request-limits-and-throttling"

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
};
/* clang-format on */
const struct call_limits azure_limits = {limits, countof(limits)};
