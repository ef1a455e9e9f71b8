/* What the files of EC2's actions share; only they and the table in aws_machines.c use it. */
#ifndef MUSTER_EMULATOR_AWS_ACTIONS_H
#define MUSTER_EMULATOR_AWS_ACTIONS_H

#include "emulator/aws_api.h"

/* aws_show.c: machines as XML. */
int ec2_state_code(enum vm_state state);
void show_state(struct text *out, const char *name, enum vm_state state);
void show_reservation(struct text *out, const struct machine *machine);
void show_machine(struct text *out, const struct machine *machine);

/* aws_launch.c */
bool run_instances(struct aws_call *call, struct refusal *out);
/* `<prefix>.N.Key` and `.Value` onto the machine. */
bool tags_read(const struct form_in *form, const char *prefix, struct machine *machine,
               struct refusal *out);

/* aws_describe.c */
bool describe_instances(struct aws_call *call, struct refusal *out);
bool describe_instance_status(struct aws_call *call, struct refusal *out);
/* In the region of the call; NULL: no such machine. */
struct machine *ec2_find(const struct aws_call *call, const char *ref);
bool ec2_is_here(const struct aws_call *call, const struct machine *machine);
/* Every InstanceId.N is one we know and show. */
bool ids_check(const struct aws_call *call, struct refusal *out);

/* aws_types.c */
bool describe_instance_types(struct aws_call *call, struct refusal *out);

/* aws_remnants.c */
bool describe_volumes(struct aws_call *call, struct refusal *out);
bool describe_addresses(struct aws_call *call, struct refusal *out);
bool describe_network_interfaces(struct aws_call *call, struct refusal *out);
bool delete_volume(struct aws_call *call, struct refusal *out);
bool release_address(struct aws_call *call, struct refusal *out);
bool delete_network_interface(struct aws_call *call, struct refusal *out);

/* aws_roles.c */
bool assume_role(struct aws_call *call, struct refusal *out);
bool assume_role_with_web_identity(struct aws_call *call, struct refusal *out);

#endif
