#include "emulator/aws_api.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "emulator/wire.h"
#include "lib/crypto/random.h"

bool refuse(struct refusal *out, int status, const char *code, const char *format, ...)
{
    *out = (struct refusal){.status = status};
    snprintf(out->code, sizeof out->code, "%s", code);
    va_list args;
    va_start(args, format);
    vsnprintf(out->message, sizeof out->message, format, args);
    va_end(args);
    if (!text_is_clean(span_of_text(out->message))) /* a quotation was cut inside a character */
        snprintf(out->message, sizeof out->message, "%s", code);
    return false;
}

static void say_refusal(const struct refusal *why, const char *service, struct face_answer *out)
{
    out->status = why->status;
    out->content_type = "text/xml;charset=UTF-8";
    const struct uuid made = uuid_new();
    const struct uuid_text id = uuid_text(&made);
    bool sts = strcmp(service, "sts") == 0;
    text_add(&out->body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text_add(&out->body, sts ? "<ErrorResponse xmlns=\"" STS_NAMESPACE "\"><Error>"
                               "<Type>Sender</Type>"
                             : "<Response><Errors><Error>");
    xml_add(&out->body, "Code", why->code);
    xml_add(&out->body, "Message", why->message);
    text_add(&out->body, sts ? "</Error>" : "</Error></Errors>");
    xml_add(&out->body, sts ? "RequestId" : "RequestID", id.at);
    text_add(&out->body, sts ? "</ErrorResponse>" : "</Response>");
}

static void say_success(const struct action *action, const struct text *inner,
                        struct face_answer *out)
{
    const struct uuid made = uuid_new();
    const struct uuid_text id = uuid_text(&made);
    bool sts = strcmp(action->service, "sts") == 0;
    out->status = 200;
    out->content_type = "text/xml;charset=UTF-8";
    text_add(&out->body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text_addf(&out->body, "<%sResponse xmlns=\"%s\">", action->name,
              sts ? STS_NAMESPACE : EC2_NAMESPACE);
    if (!sts)
        xml_add(&out->body, "requestId", id.at);
    text_add_span(&out->body, text_span(inner));
    if (sts) {
        text_add(&out->body, "<ResponseMetadata>");
        xml_add(&out->body, "RequestId", id.at);
        text_add(&out->body, "</ResponseMetadata>");
    }
    text_addf(&out->body, "</%sResponse>", action->name);
}

/* Faults that refuse before anything is done. */
static bool refuse_by_mischief(const struct prank *prank, struct refusal *out)
{
    static const struct {
        enum fault fault;
        int status;
        const char *code;
        const char *message;
    } refusals[] = {
        {FAULT_THROTTLE, 503, "RequestLimitExceeded", "Request limit exceeded."},
        {FAULT_CAPACITY, 500, "InsufficientInstanceCapacity",
         "We currently do not have sufficient capacity in the Availability Zone you requested."},
        {FAULT_UNSUPPORTED, 400, "Unsupported",
         "Your requested instance type is not supported in your requested Availability Zone."},
        {FAULT_QUOTA, 400, "VcpuLimitExceeded",
         "You have requested more vCPU capacity than your current vCPU limit allows."},
        {FAULT_AUTH, 403, "UnauthorizedOperation",
         "You are not authorized to perform this operation."},
        {FAULT_SERVER_ERROR, 500, "InternalError", "An internal error has occurred"},
    };
    if (prank->fault == FAULT_AUTH && prank->permission[0] != '\0')
        return refuse(out, 403, "UnauthorizedOperation",
                      "You are not authorized to perform this operation. User: %s is not "
                      "authorized to perform: %s on resource: *",
                      "arn:aws:iam::000000000000:user/sim", prank->permission);
    for (size_t i = 0; i < countof(refusals); i++)
        if (refusals[i].fault == prank->fault)
            return refuse(out, refusals[i].status, refusals[i].code, "%s", refusals[i].message);
    return true;
}

/* Faults that spoil the answer to what was done. */
static void spoil(const struct prank *prank, const char *service, struct face_answer *out)
{
    wire_spoils(prank, out);
    if (prank->fault == FAULT_LATE_ERROR) {
        const struct refusal late = {500, "InternalError", "An internal error has occurred"};
        text_done(&out->body);
        say_refusal(&late, service, out);
    }
}

static const struct action *find_action(const char *name, const char *service)
{
    for (size_t i = 0; i < aws_action_count; i++)
        if (strcmp(aws_actions[i].name, name) == 0 && strcmp(aws_actions[i].service, service) == 0)
            return &aws_actions[i];
    return NULL;
}

/* A launch that EC2 takes back a moment later. */
static void take_back(const struct aws_api *api, const struct form_in *form)
{
    const char *token = form_get(form, "ClientToken");
    struct machine *machine =
        token != NULL ? world_find_token(api->world, DRIVER_AWS, token) : NULL;
    if (machine == NULL)
        return;
    snprintf(machine->reason, sizeof machine->reason, "Server.InsufficientInstanceCapacity");
    world_move(api->world, machine, VM_SHUTTING_DOWN);
}

static void perform(const struct aws_api *api, const struct action *action, const char *region,
                    const struct form_in *form, const struct prank *prank, struct face_answer *out)
{
    struct refusal why;
    OWNED(text_done) struct text inner = {0};
    struct aws_call call = {.api = api,
                            .form = form,
                            .region = region,
                            .out = &inner,
                            .hide_fresh = prank->fault == FAULT_HIDDEN,
                            .leaves = prank->fault == FAULT_LEFT_BEHIND};
    if (refuse_by_mischief(prank, &why) && action->run(&call, &why)) {
        if (prank->fault == FAULT_LATE_CAPACITY)
            take_back(api, form);
        say_success(action, &inner, out);
    } else {
        say_refusal(&why, action->service, out);
    }
    spoil(prank, action->service, out);
}

static void act(const struct aws_api *api, const struct action *action, const char *region,
                const struct form_in *form, struct face_answer *out)
{
    pthread_mutex_lock(&api->world->lock);
    const struct prank prank = world_prank(api->world, DRIVER_AWS, action->name);
    if (prank.fault != FAULT_NONE)
        ledger_note(api->world->ledger, "fault",
                    &(struct ledger_line){.action = action->name,
                                          .client_token = form_get(form, "ClientToken"),
                                          .detail = name_of(&fault_names, (int)prank.fault)});
    if (!wire_breaks(&prank, out)) {
        perform(api, action, region, form, &prank, out);
        if (prank.fault == FAULT_DOUBLED) {
            text_done(&out->body);
            perform(api, action, region, form, &prank, out);
        }
    }
    pthread_mutex_unlock(&api->world->lock);
}

/* Who comes with another issuer's token has nothing to sign with yet. */
static bool needs_no_signature(const struct face_request *request, const char *name,
                               struct aws_scope *scope)
{
    if (name == NULL || strcmp(name, "AssumeRoleWithWebIdentity") != 0 ||
        face_header(request, "authorization") != NULL)
        return false;
    snprintf(scope->service, sizeof scope->service, "sts");
    return true;
}

/* The action asked for, rightly signed; NULL with the reason why not. */
static const struct action *understand(const struct aws_api *api,
                                       const struct face_request *request, struct aws_scope *scope,
                                       struct form_in *form, struct refusal *why)
{
    struct error err = {0};
    if (strcmp(request->method, "POST") != 0 || strcmp(request->path, "/") != 0) {
        refuse(why, 400, "InvalidAction", "Only POST of a form to / is understood here");
        return NULL;
    }
    if (form_read(request->body, form, &err) != OK) {
        refuse(why, 400, "MalformedQueryString", "%s", err.text);
        return NULL;
    }
    const char *name = form_get(form, "Action");
    if (!needs_no_signature(request, name, scope) && !aws_auth_check(api, request, scope, why))
        return NULL;
    const struct action *action = name != NULL ? find_action(name, scope->service) : NULL;
    if (action == NULL)
        refuse(why, 400, "InvalidAction", "The action %.60s is not valid for this service.",
               name != NULL ? name : "");
    return action;
}

void aws_api_answer(const struct aws_api *api, const struct face_request *request,
                    struct face_answer *out)
{
    OWNED(form_in_done) struct form_in form = {0};
    struct aws_scope scope = {0};
    struct refusal why;
    const struct action *action = understand(api, request, &scope, &form, &why);
    if (action != NULL)
        act(api, action, scope.region, &form, out);
    else
        say_refusal(&why, scope.service, out);
}
