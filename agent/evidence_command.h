/* `muster-agent evidence --nonce HEX`: asks the agent that runs on this machine for evidence to
 * show to a relying party, and prints it. */
#ifndef MUSTER_AGENT_EVIDENCE_COMMAND_H
#define MUSTER_AGENT_EVIDENCE_COMMAND_H

/* argv[0] is "evidence"; answers the exit code. */
int evidence_command(int argc, char **argv);

#endif
