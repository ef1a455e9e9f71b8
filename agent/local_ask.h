/* How the commands of this program ask the agent that runs on this machine. */
#ifndef MUSTER_AGENT_LOCAL_ASK_H
#define MUSTER_AGENT_LOCAL_ASK_H

#include "agent/local_request.h"

#define AGENT_CONFIG "/etc/muster/agent.conf"

/* The answer's line without its end. ERR_INVALID "bad-setting": the settings name no socket;
 * ERR_UNREACHABLE "agent-unreachable". */
enum outcome local_ask(const char *config, const struct local_request *request, struct bytes *out,
                       struct error *err);

/* On standard error; answers the exit code. */
int local_failed(const struct error *why);

#endif
