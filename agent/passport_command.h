/* `muster-agent passport NAME`: asks the agent that runs on this machine, and prints what it got.
 */
#ifndef MUSTER_AGENT_PASSPORT_COMMAND_H
#define MUSTER_AGENT_PASSPORT_COMMAND_H

/* argv[0] is "passport"; answers the exit code. */
int passport_command(int argc, char **argv);

#endif
