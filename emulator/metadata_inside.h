/* What the faces of the three services share; nobody else includes it. */
#ifndef MUSTER_EMULATOR_METADATA_INSIDE_H
#define MUSTER_EMULATOR_METADATA_INSIDE_H

#include "emulator/metadata.h"

struct metadata_call {
    struct metadata *metadata;
    const struct face_request *request;
    const char *path; /* after the machine's part */
    const struct machine *machine;
    enum metadata_lie lie;
    struct face_answer *answer;
};

void metadata_aws(struct metadata_call *call);
void metadata_azure(struct metadata_call *call);
void metadata_gcp(struct metadata_call *call);

const struct metadata_settings *metadata_settings_of(const struct metadata *metadata);
const struct papers *metadata_papers(const struct metadata *metadata);
const char *metadata_subscription(const struct metadata *metadata); /* Azure's */
/* A key for session tokens: 32 bytes. */
struct span metadata_secret(const struct metadata *metadata);

/* The machine's papers as the lie in force has them; texts borrowed from the machine. */
struct paper metadata_paper(const struct metadata_call *call);

void metadata_say(struct metadata_call *call, const char *content_type, const char *text);
void metadata_say_json(struct metadata_call *call, const json_t *value);
void metadata_refuse(struct metadata_call *call, int status, const char *text);
/* Somebody passes requests on from elsewhere: no metadata service answers that. */
bool metadata_is_passed_on(const struct metadata_call *call);

#endif
