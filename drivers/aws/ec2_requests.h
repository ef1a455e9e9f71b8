/* The forms of the EC2 and STS Query protocols. Pure: an order in, a form out. */
#ifndef MUSTER_DRIVERS_AWS_EC2_REQUESTS_H
#define MUSTER_DRIVERS_AWS_EC2_REQUESTS_H

#include "drivers/rest.h"

#define EC2_VERSION "2016-11-15"
#define STS_VERSION "2011-06-15"
#define EC2_SNP_FEATURE "amd-sev-snp"

enum {
    EC2_PAGE_SIZE = 1000,
    EC2_TYPES_PAGE_SIZE = 100,
    EC2_LEFTOVERS_PAGE_SIZE = 500,
    EC2_TAGS_MAX = 50,
};

/* One machine, SNP unless the order says otherwise: exactly one, tagged at birth, IMDSv2 only.
 * Refuses what EC2 would refuse. */
enum outcome ec2_run_instances(const struct account *account, const struct launch_order *order,
                               struct form *out, struct error *err);

/* By a filter, never by id: an id nobody knows then gives an empty set instead of an error.
 * `filter` is "instance-id" or "tag:KEY"; `next_token` is empty for the first page. */
void ec2_describe(const char *filter, const char *value, const char *next_token, struct form *out);

/* Which machines of the region have a scheduled event; `next_token` as above. */
void ec2_describe_events(const char *next_token, struct form *out);
/* The sizes with SEV-SNP. */
void ec2_describe_types(const char *next_token, struct form *out);

void ec2_stop_instance(const char *ref, struct form *out);
void ec2_start_instance(const char *ref, struct form *out);
void ec2_terminate_instance(const char *ref, struct form *out);
/* Whose credentials to ask for, and under what name it shall appear in AWS's own log. */
struct role {
    const char *arn;
    const char *session;     /* 2 to 64 characters */
    const char *external_id; /* NULL: none */
};
void sts_assume_role(const struct role *role, struct form *out);
void sts_assume_role_with_web_identity(const struct role *role, const char *token,
                                       struct form *out);
void sts_get_caller_identity(struct form *out);

/* Is it "i-" and hex digits? What goes into a request or comes from an answer must be. */
bool ec2_ref_is_valid(const char *ref);

#endif
