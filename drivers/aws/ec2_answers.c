#include "drivers/aws/ec2_answers.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "drivers/aws/ec2_errors.h"
#include "drivers/aws/ec2_leftovers.h"
#include "drivers/aws/ec2_requests.h"

enum { XML_SIZE_MAX = HTTP_ANSWER_MAX };

DROP(xml_drop, xmlDoc, xmlFreeDoc)

static void start_xml(void)
{
    xmlInitParser();
}

/* A document type is where entities come from. The words cannot hide in another encoding, for we
 * tell the parser that it is UTF-8. */
static bool has_document_type(struct span body)
{
    static const char *const words[] = {"<!DOCTYPE", "<!ENTITY"};
    for (size_t i = 0; i < countof(words); i++)
        if (body.len > 0 && memmem(body.at, body.len, words[i], strlen(words[i])) != NULL)
            return true;
    return false;
}

static xmlDoc *parse_xml(struct span body)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_xml);
    if (body.len == 0 || body.len > XML_SIZE_MAX || has_document_type(body))
        return NULL;
    return xmlReadMemory((const char *)body.at, (int)body.len, NULL, "UTF-8",
                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                             XML_PARSE_NOCDATA);
}

static bool is_named(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* The first child of that name, or NULL; fine on NULL. Namespaces are ignored: emulators differ. */
static const xmlNode *child(const xmlNode *node, const char *name)
{
    if (node == NULL)
        return NULL;
    for (const xmlNode *at = node->children; at != NULL; at = at->next)
        if (is_named(at, name))
            return at;
    return NULL;
}

static const xmlNode *next_item(const xmlNode *list, const xmlNode *before)
{
    const xmlNode *at = before != NULL ? before->next : list != NULL ? list->children : NULL;
    while (at != NULL && !is_named(at, "item"))
        at = at->next;
    return at;
}

/* How much of `text` goes into `room` bytes without cutting a character. */
static size_t whole_part(const char *text, size_t room)
{
    while (room > 0 && ((unsigned char)text[room] & 0xc0) == 0x80)
        room--;
    return room;
}

/* Copies what stands directly in an element; control characters, which would foul a log line,
 * become spaces. False when it does not fit. */
static bool copy_text(const xmlNode *node, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (const xmlNode *at = node != NULL ? node->children : NULL; at != NULL; at = at->next) {
        if (at->type != XML_TEXT_NODE || at->content == NULL)
            continue;
        size_t more = strlen((const char *)at->content);
        bool fits = more < size - len;
        if (!fits)
            more = whole_part((const char *)at->content, size - len - 1);
        memcpy(out + len, at->content, more);
        len += more;
        out[len] = '\0';
        if (!fits)
            return false;
    }
    for (char *c = out; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    return true;
}

static bool copy_child(const xmlNode *node, const char *name, char *out, size_t size)
{
    return copy_text(child(node, name), out, size);
}

#define COPY(node, name, field) copy_child((node), (name), (field), sizeof(field))

static const xmlNode *find_deep(const xmlNode *node, const char *name, int depth)
{
    if (node == NULL || depth > 4)
        return NULL;
    for (const xmlNode *at = node->children; at != NULL; at = at->next) {
        if (is_named(at, name))
            return at;
        const xmlNode *below = find_deep(at, name, depth + 1);
        if (below != NULL)
            return below;
    }
    return NULL;
}

/* EC2, STS and emulators wrap <Code> differently: the first one counts. */
struct ec2_error ec2_error_read(int status, struct span body)
{
    struct ec2_error out = {0};
    OWNED(xml_drop) xmlDoc *doc = parse_xml(body);
    if (doc != NULL) {
        const xmlNode *code = find_deep((const xmlNode *)doc, "Code", 0);
        copy_text(code, out.code, sizeof out.code);
        if (code != NULL)
            COPY(code->parent, "Message", out.message);
    }
    out.kind = ec2_error_kind(out.code, status);
    if (out.code[0] == '\0')
        snprintf(out.code, sizeof out.code, "HTTP %d", status);
    return out;
}

enum outcome ec2_check_status(int status, struct span body, struct error *err)
{
    if (status >= 200 && status < 300)
        return OK;
    const struct ec2_error said = ec2_error_read(status, body);
    return cloud_fail(err, said.kind, "%s (%d): %.180s", said.code, status, said.message);
}

static enum outcome unreadable(struct error *err, const char *action, const char *why)
{
    return cloud_fail(err, CLOUD_AMBIGUOUS, "%s: the answer %s", action, why);
}

static enum outcome open_answer(const char *action, struct span body, xmlDoc **out,
                                const xmlNode **root, struct error *err)
{
    OWNED(xml_drop) xmlDoc *doc = parse_xml(body);
    if (doc == NULL)
        return unreadable(err, action, "is no plain XML");
    char expected[64];
    snprintf(expected, sizeof expected, "%.50sResponse", action);
    *root = xmlDocGetRootElement(doc);
    if (*root == NULL || !is_named(*root, expected))
        return unreadable(err, action, "is to another question");
    *out = TAKE(doc);
    return OK;
}

enum outcome ec2_read_nothing(const char *action, struct span body, struct error *err)
{
    OWNED(xml_drop) xmlDoc *doc = NULL;
    const xmlNode *root;
    return open_answer(action, body, &doc, &root, err);
}

enum outcome ec2_read_other(const char *action, struct span body, struct error *err)
{
    OWNED(xml_drop) xmlDoc *doc = parse_xml(body);
    const xmlNode *root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    char expected[64];
    snprintf(expected, sizeof expected, "%.50sResponse", action);
    if (root == NULL || strncmp((const char *)root->name, expected, strlen(expected)) != 0)
        return unreadable(err, action, "is no plain XML, or to another question");
    return OK;
}

static void read_state(const xmlNode *state, struct sighting *out)
{
    static const struct {
        const char *word;
        enum machine_state state;
    } states[] = {
        {"pending", MACHINE_CREATING},       {"running", MACHINE_RUNNING},
        {"stopping", MACHINE_STOPPING},      {"stopped", MACHINE_STOPPED},
        {"shutting-down", MACHINE_DELETING}, {"terminated", MACHINE_GONE},
    };
    COPY(state, "name", out->state_word);
    for (size_t i = 0; i < countof(states); i++)
        if (strcmp(states[i].word, out->state_word) == 0)
            out->state = states[i].state;
}

/* A machine that EC2 itself ended failed; one that somebody terminated is just gone. */
static void read_reason(const xmlNode *item, struct sighting *out)
{
    COPY(child(item, "stateReason"), "code", out->reason);
    if (out->state != MACHINE_GONE || strncmp(out->reason, "Server.", 7) != 0)
        return;
    out->state = MACHINE_FAILED;
    out->is_over = true;
    snprintf(out->failure, sizeof out->failure, "%s",
             name_of(&cloud_error_names, (int)ec2_reason_kind(out->reason)));
}

/* Our tags. One that does not parse is not ours. */
static void read_tags(const xmlNode *item, struct sighting *out)
{
    const xmlNode *set = child(item, "tagSet");
    for (const xmlNode *tag = next_item(set, NULL); tag != NULL; tag = next_item(set, tag)) {
        char key[129], value[257];
        if (!COPY(tag, "key", key) || !COPY(tag, "value", value))
            continue;
        struct uuid id;
        int64_t number;
        if (strcmp(key, TAG_INSTANCE) == 0 && uuid_parse(value, &id, NULL) == OK)
            out->instance = id;
        else if (strcmp(key, TAG_GENERATION) == 0 &&
                 number_parse(value, 0, INT64_MAX, &number, NULL) == OK)
            out->generation = number;
        else if (strcmp(key, TAG_FLEET) == 0 && text_is_name(value))
            snprintf(out->fleet, sizeof out->fleet, "%.63s", value);
        else if (strcmp(key, TAG_TOKEN) == 0)
            out->is_copy = strcmp(value, out->client_token) != 0;
    }
}

static bool read_machine(const xmlNode *item, struct sighting *out)
{
    char when[40], snp[16];
    bool fits = COPY(item, "instanceId", out->ref);
    fits &= COPY(item, "imageId", out->image);
    fits &= COPY(item, "instanceType", out->size);
    fits &= COPY(item, "clientToken", out->client_token);
    fits &= COPY(item, "privateIpAddress", out->private_address);
    fits &= COPY(child(item, "placement"), "availabilityZone", out->zone);
    if (COPY(item, "launchTime", when))
        error_ignore(moment_parse(when, &out->launched, NULL));
    out->snp_enabled =
        COPY(child(item, "cpuOptions"), "amdSevSnp", snp) && strcmp(snp, "enabled") == 0;
    read_state(child(item, "instanceState"), out);
    read_reason(item, out);
    read_tags(item, out);
    return fits && ec2_ref_is_valid(out->ref);
}

static enum outcome read_reservation(const char *action, const xmlNode *reservation,
                                     struct sighting_list *out, struct error *err)
{
    const xmlNode *set = child(reservation, "instancesSet");
    for (const xmlNode *item = next_item(set, NULL); item != NULL; item = next_item(set, item))
        if (out->count == EC2_MACHINES_MAX || !read_machine(item, sighting_list_add(out)))
            return unreadable(err, action, "names a machine too many, or one we cannot read");
    return OK;
}

static enum outcome read_next_token(const char *action, const xmlNode *root,
                                    struct text *next_token, struct error *err)
{
    char token[2048];
    if (!COPY(root, "nextToken", token))
        return unreadable(err, action, "has a page token we cannot hold");
    text_add(next_token, token);
    return OK;
}

enum outcome ec2_read_machines(const char *action, struct span body, struct sighting_list *out,
                               struct text *next_token, struct error *err)
{
    OWNED(xml_drop) xmlDoc *doc = NULL;
    const xmlNode *root;
    TRY(open_answer(action, body, &doc, &root, err));
    text_done(next_token);
    if (strcmp(action, "RunInstances") == 0) /* the root is the reservation */
        return read_reservation(action, root, out, err);
    const xmlNode *set = child(root, "reservationSet");
    if (set == NULL)
        return unreadable(err, action, "holds no machines");
    for (const xmlNode *at = next_item(set, NULL); at != NULL; at = next_item(set, at))
        TRY(read_reservation(action, at, out, err));
    return read_next_token(action, root, next_token, err);
}

enum outcome ec2_read_changes(const char *action, struct span body, struct sighting_list *out,
                              struct error *err)
{
    OWNED(xml_drop) xmlDoc *doc = NULL;
    const xmlNode *root;
    TRY(open_answer(action, body, &doc, &root, err));
    const xmlNode *set = child(root, "instancesSet");
    for (const xmlNode *item = next_item(set, NULL); item != NULL; item = next_item(set, item)) {
        struct sighting *change = sighting_list_add(out);
        if (!COPY(item, "instanceId", change->ref) || !ec2_ref_is_valid(change->ref))
            return unreadable(err, action, "names a machine we cannot read");
        read_state(child(item, "currentState"), change);
    }
    return OK;
}

bool ec2_event_is_over(const char *text)
{
    static const char *const beginnings[] = {"[Completed]", "[Canceled]"};
    for (size_t i = 0; i < countof(beginnings); i++)
        if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static void read_moment(const xmlNode *node, const char *name, struct moment *out)
{
    char when[40];
    if (copy_child(node, name, when, sizeof when))
        error_ignore(moment_parse(when, out, NULL));
}

static bool read_event(const xmlNode *item, const char *ref, struct notice_list *out)
{
    struct notice made = {0};
    if (!COPY(item, "instanceEventId", made.event) || !COPY(item, "code", made.kind))
        return false;
    COPY(item, "description", made.text);
    if (ec2_event_is_over(made.text))
        return true;
    snprintf(made.ref, sizeof made.ref, "%s", ref);
    read_moment(item, "notBefore", &made.not_before);
    read_moment(item, "notAfter", &made.not_after);
    read_moment(item, "notBeforeDeadline", &made.deadline);
    made.is_ours_to_time = made.deadline.us != 0;
    *notice_list_add(out) = made;
    return true;
}

static bool read_status(const xmlNode *item, struct sighting *out, struct notice_list *notices)
{
    if (!COPY(item, "instanceId", out->ref) || !ec2_ref_is_valid(out->ref) ||
        !COPY(item, "availabilityZone", out->zone))
        return false;
    read_state(child(item, "instanceState"), out);
    const xmlNode *set = child(item, "eventsSet");
    for (const xmlNode *at = next_item(set, NULL); at != NULL; at = next_item(set, at))
        if (!read_event(at, out->ref, notices))
            return false;
    return true;
}

enum outcome ec2_read_statuses(const char *action, struct span body, struct sighting_list *out,
                               struct notice_list *notices, struct text *next_token,
                               struct error *err)
{
    OWNED(xml_drop) xmlDoc *doc = NULL;
    const xmlNode *root;
    TRY(open_answer(action, body, &doc, &root, err));
    text_done(next_token);
    const xmlNode *set = child(root, "instanceStatusSet");
    if (set == NULL)
        return unreadable(err, action, "holds no machines");
    for (const xmlNode *item = next_item(set, NULL); item != NULL; item = next_item(set, item))
        if (out->count == EC2_MACHINES_MAX || !read_status(item, sighting_list_add(out), notices))
            return unreadable(err, action, "names a machine too many, or one we cannot read");
    return read_next_token(action, root, next_token, err);
}

static bool has_item(const xmlNode *set, const char *word)
{
    for (const xmlNode *item = next_item(set, NULL); item != NULL; item = next_item(set, item)) {
        char text[64];
        if (copy_text(item, text, sizeof text) && strcmp(text, word) == 0)
            return true;
    }
    return false;
}

static bool read_number(const xmlNode *node, const char *name, int64_t *out)
{
    char text[24];
    return COPY(node, name, text) && number_parse(text, 1, INT32_MAX, out, NULL) == OK;
}

static bool read_offer(const xmlNode *item, struct offer_list *out)
{
    struct offer made = {0};
    if (!has_item(child(child(item, "processorInfo"), "supportedFeatures"), EC2_SNP_FEATURE))
        return true;
    if (out->count == OFFERS_MAX || !COPY(item, "instanceType", made.size) ||
        !text_is_word(made.size) ||
        !read_number(child(item, "vCpuInfo"), "defaultVCpus", &made.vcpus) ||
        !read_number(child(item, "memoryInfo"), "sizeInMiB", &made.memory_mib))
        return false;
    *offer_list_add(out) = made;
    return true;
}

enum outcome ec2_read_offers(struct span body, struct offer_list *out, struct text *next_token,
                             struct error *err)
{
    static const char action[] = "DescribeInstanceTypes";
    OWNED(xml_drop) xmlDoc *doc = NULL;
    const xmlNode *root;
    TRY(open_answer(action, body, &doc, &root, err));
    text_done(next_token);
    const xmlNode *set = child(root, "instanceTypeSet");
    if (set == NULL)
        return unreadable(err, action, "holds no sizes");
    for (const xmlNode *at = next_item(set, NULL); at != NULL; at = next_item(set, at))
        if (!read_offer(at, out))
            return unreadable(err, action, "names a size too many, or one we cannot read");
    return read_next_token(action, root, next_token, err);
}

static bool has_content(const xmlNode *node)
{
    char text[256];
    if (node == NULL)
        return false;
    for (const xmlNode *at = node->children; at != NULL; at = at->next)
        if (at->type == XML_ELEMENT_NODE)
            return true;
    return !copy_text(node, text, sizeof text) || text[strspn(text, " ")] != '\0';
}

/* Does nothing have it, as its cloud says in each of the ways that it says so? */
static bool is_left(const xmlNode *item, const struct ec2_leftover_facts *facts, const char *status)
{
    for (size_t i = 0; i < countof(facts->users) && facts->users[i] != NULL; i++)
        if (has_content(child(item, facts->users[i])))
            return false;
    return !facts->has_status || strcmp(status, "available") == 0;
}

static bool read_owner(const xmlNode *item, const char *owner, struct leftover *out)
{
    const xmlNode *set = child(item, "tagSet");
    bool is_ours = false;
    for (const xmlNode *tag = next_item(set, NULL); tag != NULL; tag = next_item(set, tag)) {
        char key[129], value[257];
        if (!COPY(tag, "key", key) || !COPY(tag, "value", value))
            continue;
        is_ours |= strcmp(key, TAG_OWNER) == 0 && strcmp(value, owner) == 0;
        leftover_tag(out, key, value);
    }
    return is_ours;
}

static bool read_leftover(enum leftover_kind kind, const char *owner, const xmlNode *item,
                          struct leftover_list *out)
{
    const struct ec2_leftover_facts *facts = &ec2_leftovers[kind];
    struct leftover made = {.kind = kind};
    if (!read_owner(item, owner, &made))
        return true;
    if (!COPY(item, "status", made.state_word) || !COPY(item, "availabilityZone", made.zone) ||
        !COPY(item, facts->id, made.ref) || !ec2_leftover_ref_is_valid(kind, made.ref))
        return false;
    if (!is_left(item, facts, made.state_word))
        return true;
    if (out->count == LEFTOVERS_MAX)
        return false;
    *leftover_list_add(out) = made;
    return true;
}

enum outcome ec2_read_leftovers(enum leftover_kind kind, const char *owner, struct span body,
                                struct leftover_list *out, struct text *next_token,
                                struct error *err)
{
    const struct ec2_leftover_facts *facts = &ec2_leftovers[kind];
    OWNED(xml_drop) xmlDoc *doc = NULL;
    const xmlNode *root;
    TRY(open_answer(facts->describe, body, &doc, &root, err));
    text_done(next_token);
    const xmlNode *set = child(root, facts->set);
    if (set == NULL)
        return unreadable(err, facts->describe, "holds no list");
    for (const xmlNode *at = next_item(set, NULL); at != NULL; at = next_item(set, at))
        if (!read_leftover(kind, owner, at, out))
            return unreadable(err, facts->describe, "names one too many, or one we cannot read");
    return read_next_token(facts->describe, root, next_token, err);
}

enum outcome sts_read_identity(struct span body, struct cloud_identity *out, struct error *err)
{
    OWNED(xml_drop) xmlDoc *doc = NULL;
    const xmlNode *root;
    struct cloud_identity made = {0};
    TRY(open_answer("GetCallerIdentity", body, &doc, &root, err));
    const xmlNode *result = child(root, "GetCallerIdentityResult");
    if (!COPY(result, "Account", made.account) || !COPY(result, "Arn", made.name) ||
        !text_is_word(made.account))
        return unreadable(err, "GetCallerIdentity", "names no account");
    *out = made;
    return OK;
}

/* The document is ours, and goes right afterwards. */
static void wipe_text(const xmlNode *node)
{
    for (const xmlNode *at = node != NULL ? node->children : NULL; at != NULL; at = at->next)
        if (at->content != NULL)
            explicit_bzero(at->content, strlen((const char *)at->content));
}

enum outcome sts_read_credentials(const char *action, struct span body, struct credentials *out,
                                  struct error *err)
{
    OWNED(xml_drop) xmlDoc *doc = NULL;
    const xmlNode *root;
    char result[64], id[130], secret[258], token[4098], expires[40];
    TRY(open_answer(action, body, &doc, &root, err));
    snprintf(result, sizeof result, "%.50sResult", action);
    const xmlNode *given = child(child(root, result), "Credentials");
    const bool fits = COPY(given, "AccessKeyId", id) && COPY(given, "SecretAccessKey", secret) &&
                      COPY(given, "SessionToken", token) && COPY(given, "Expiration", expires);
    enum outcome outcome = given != NULL && fits
                               ? credentials_set(action, id, secret, token, expires, out, err)
                               : unreadable(err, action, "holds no credentials");
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(token, sizeof token);
    wipe_text(child(given, "SecretAccessKey"));
    wipe_text(child(given, "SessionToken"));
    return outcome;
}
