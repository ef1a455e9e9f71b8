/* What EC2 and STS answer, and the only door to libxml2. Pure: bytes in, structs out. Document
 * types and entities are refused, nothing is fetched, and an answer that cannot be read is never
 * taken for a no. */
#ifndef MUSTER_DRIVERS_AWS_EC2_ANSWERS_H
#define MUSTER_DRIVERS_AWS_EC2_ANSWERS_H

#include "drivers/aws/credentials.h"
#include "drivers/driver.h"
#include "lib/base/text.h"

enum { EC2_MACHINES_MAX = 100 * 1000 }; /* in one list: some 100 MB */

struct ec2_error {
    enum cloud_error kind;
    char code[96]; /* AWS's own; "HTTP 502" where the body says nothing */
    char message[256];
};

/* OK for 2xx; otherwise fails with the word of the error class. */
enum outcome ec2_check_status(int status, struct span body, struct error *err);
struct ec2_error ec2_error_read(int status, struct span body);

/* The answer to `action` is well-formed and is that. All readers below do this first; they fail
 * with `ambiguous`, for a 2xx that cannot be read says that something was done. */
enum outcome ec2_read_nothing(const char *action, struct span body, struct error *err);

/* For what tells us nothing anyway: a look-alike of EC2 may name the type of its answer instead. */
enum outcome ec2_read_other(const char *action, struct span body, struct error *err);

/* RunInstances and DescribeInstances: adds to `out`, EC2_MACHINES_MAX at most; `next_token` is set,
 * or emptied. */
enum outcome ec2_read_machines(const char *action, struct span body, struct sighting_list *out,
                               struct text *next_token, struct error *err);

/* Start-, Stop- and TerminateInstances: only `ref`, `state` and `state_word` of each are filled. */
enum outcome ec2_read_changes(const char *action, struct span body, struct sighting_list *out,
                              struct error *err);

/* DescribeInstanceStatus: of each machine `ref`, `state`, `state_word` and `zone`; and what EC2
 * says that it will do to their hosts, but for what it did already or took back. */
enum outcome ec2_read_statuses(const char *action, struct span body, struct sighting_list *out,
                               struct notice_list *notices, struct text *next_token,
                               struct error *err);
/* Is that the text of an event which is over? */
bool ec2_event_is_over(const char *text);

/* DescribeInstanceTypes: adds the sizes that have SEV-SNP, whatever was filtered for. */
enum outcome ec2_read_offers(struct span body, struct offer_list *out, struct text *next_token,
                             struct error *err);

/* DescribeVolumes, DescribeAddresses, DescribeNetworkInterfaces: adds what bears the owner's tag
 * and nothing has, whatever was filtered for. */
enum outcome ec2_read_leftovers(enum leftover_kind kind, const char *owner, struct span body,
                                struct leftover_list *out, struct text *next_token,
                                struct error *err);

/* AssumeRole and AssumeRoleWithWebIdentity. `body` is the caller's to wipe. */
enum outcome sts_read_credentials(const char *action, struct span body, struct credentials *out,
                                  struct error *err);
enum outcome sts_read_identity(struct span body, struct cloud_identity *out, struct error *err);

#endif
