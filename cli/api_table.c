/* Every command that is one call of the API; a test holds it to the controller's own routes. */
#include "cli/api.h"

/* clang-format off */
#define NAME_ARG {"NAME", IN_PATH, NULL, true}
#define ID_ARG   {"ID", IN_PATH, NULL, true}
#define FILE_ARG {"FILE", BODY_FILE, NULL, true}
#define DRY_RUN  {"--dry-run", QUERY_TRUE, "dry_run", false}

#define AT       {"--at", IN_QUERY, "at", false}
#define OUT      {"--out", ANSWER_FILE, "charter", false}

#define OBJECT ANSWERS_OBJECT
#define LIST   ANSWERS_LIST
#define BYTES  ANSWERS_BYTES

static const struct column account_columns[] = {
    {"NAME", "name"}, {"DRIVER", "driver"}, {"REGION", "region"}, {"ZONE", "zone"},
    {"ENDPOINT", "endpoint"}, {NULL, NULL}};
static const struct column image_columns[] = {
    {"NAME", "name"}, {"DRIVER", "driver"}, {"REF", "ref"}, {"BOOT", "boot_mode"},
    {"PROVIDER-EXECUTION", "provider_execution"}, {NULL, NULL}};
static const struct column fleet_columns[] = {
    {"NAME", "name"}, {"DESIRED", "desired"}, {"ACCOUNT", "account"}, {"IMAGE", "image"},
    {"SIZE", "size"}, {"POLICY", "policy"}, {"SECRETS", "secrets"}, {"PAUSED", "paused"},
    {NULL, NULL}};
static const struct column instance_columns[] = {
    {"ID", "id"}, {"FLEET", "fleet"}, {"ACCOUNT", "account"}, {"REGION", "region"}, {"PHASE", "phase"},
    {"REASON", "reason"}, {"TRUST", "trust"}, {"LEVEL", "level"}, {"WHY", "trust_reason"},
    {"AGE", "verdict_age_seconds"}, {"RENEW-AT", "renew_at"}, {"SOFTWARE", "software"},
    {"IDENTITY", "identity"}, {"SIMULATED", "simulated"}, {NULL, NULL}};
static const struct column verdict_columns[] = {
    {"ID", "id"}, {"VERDICT", "verdict"}, {"REASON", "reason"}, {"LEVEL", "level"},
    {"HARDWARE", "hardware"}, {"SOFTWARE", "software"}, {"IDENTITY", "identity"},
    {"ISSUED", "nonce_issued"}, {"VALID-UNTIL", "valid_until"}, {"SIMULATED", "simulated"},
    {NULL, NULL}};
static const struct column secret_columns[] = {
    {"NAME", "name"}, {"KIND", "kind"}, {"SCOPE", "scope"}, {"ORIGIN", "origin"},
    {"GRANT", "grant_name"}, {"NEWEST", "newest"}, {NULL, NULL}};
static const struct column tcb_columns[] = {
    {"INSTANCES", "instances"}, {"PRODUCT", "product"}, {"REGION", "region"}, {"KEY", "signing_key"},
    {"FIRMWARE", "firmware"}, {"REPORTED", "reported"}, {"COMMITTED", "committed"},
    {"CURRENT", "current"}, {"LAUNCH", "launch"}, {"OLDEST", "oldest"}, {"FLOORS", "floors"},
    {NULL, NULL}};
static const struct column tcb_group_columns[] = {
    {"VALUE", "value"}, {"INSTANCES", "instances"}, {"REPORTED", "reported"}, {"COMMITTED", "committed"},
    {"CURRENT", "current"}, {"LAUNCH", "launch"}, {"OLDEST", "oldest"}, {"NEWEST", "newest"},
    {"FLOORS", "floors"}, {NULL, NULL}};
static const struct column orphan_columns[] = {
    {"ID", "id"}, {"KIND", "kind"}, {"CLOUD", "cloud"}, {"ACCOUNT", "account"}, {"REGION", "region"},
    {"REF", "ref"}, {"STATE", "state"}, {"AGE", "age_seconds"}, {"FLEET", "fleet"},
    {"INSTANCE", "instance"}, {"COPIED", "copied"}, {"REMOVAL", "removal"}, {"REASON", "reason"}, {NULL, NULL}};
static const struct column notice_columns[] = {
    {"ID", "id"}, {"BEGINS", "begins"}, {"NOT-AFTER", "not_after"}, {"DEADLINE", "deadline"},
    {"KIND", "kind"}, {"STATUS", "status"}, {"FLEET", "fleet"}, {"INSTANCE", "instance"},
    {"CLOUD", "cloud"}, {"ACCOUNT", "account"}, {"REF", "ref"}, {"ENDED", "ended"}, {NULL, NULL}};
static const struct column case_columns[] = {
    {"ID", "id"}, {"STATE", "state"}, {"MEASUREMENT", "measurement"}, {"PRODUCT", "product"},
    {"REGION", "region"}, {"INSTANCES", "instances"}, {"CHIPS", "chips"}, {"FIRST", "first_seen"},
    {"LAST", "last_seen"}, {"ENDS", "ends"}, {NULL, NULL}};
static const struct column rule_columns[] = {
    {"RULE", "id"}, {"CLOUD", "cloud"}, {"KIND", "kind"}, {"EFFECT", "effect"}, {"SURE", "sure"},
    {"FROM", "valid_from"}, {"UNTIL", "valid_until"}, {"SAYS", "says"}, {NULL, NULL}};
static const struct column edition_columns[] = {
    {"EDITION", "edition"}, {"VERSION", "version"}, {"ISSUED", "issued"}, {"ORIGIN", "origin"},
    {"RULES", "rules"}, {"IN-FORCE", "in_force"}, {NULL, NULL}};
static const struct column drift_columns[] = {
    {"ACCOUNT", "account"}, {"EDITION", "edition"}, {"VERSION", "version"}, {"LOOKED", "looked"},
    {"FAILURE", "failure"}, {"SINCE", "drifted_since"}, {"DRIFT", "drift"}, {NULL, NULL}};
static const struct column distrust_columns[] = {
    {"ID", "id"}, {"WHAT", "what"}, {"VALUE", "value"}, {"SERIAL", "serial"}, {"IN-FORCE", "in_force_at"},
    {"LIFTED", "lifted_at"}, {"INSTANCES", "instances"}, {"ASKED", "asked"}, {"TRUSTED", "trusted"},
    {"THERE", "there"}, {NULL, NULL}};
static const struct column endorsement_columns[] = {
    {"NAME", "name"}, {"SOURCE", "source"}, {"SIZE", "size"}, {"THIS-UPDATE", "this_update"},
    {"NEXT-UPDATE", "next_update"}, {"CHECKED", "checked"}, {NULL, NULL}};
static const struct column alarm_columns[] = {
    {"SEVERITY", "severity"}, {"CODE", "code"}, {"OBJECT", "object"}, {"SINCE", "since"},
    {"TEXT", "text"}, {NULL, NULL}};
static const struct column keeper_columns[] = {
    {"NAME", "name"}, {"REALM", "realm"}, {"CHARTER", "charter_serial"}, {"VERSION", "version"},
    {"SILENT", "silent"}, {"LAST-SEEN", "last_seen"}, {"APPRAISALS", "appraisals"},
    {"RELEASES", "releases"}, {"REFUSALS", "refusals"}, {NULL, NULL}};
static const struct column probe_columns[] = {
    {"KEEPER", "keeper"}, {"PROBER", "prober"}, {"SAMPLES", "samples"}, {"HELD", "held"},
    {"WRONG", "wrong"}, {"ACCEPTED", "accepted"}, {"FAULT", "fault_alteration"},
    {"CODE", "fault_code"}, {"HALTED", "halted"}, {"HALT", "halt"}, {"RAN-AT", "ran_at"}, {NULL, NULL}};
static const struct column audit_columns[] = {
    {"NUMBER", "number"}, {"AT", "at"}, {"ACTOR", "actor"}, {"VERB", "verb"},
    {"OBJECT", "object"}, {NULL, NULL}};

/* Whom it hits, what they have seen; --out takes the charter to sign. */
#define DISTRUST(what, help)                                                                       \
    {"distrust", what, "POST", "/v1/distrust", OBJECT, "{\"what\":\"" what "\"}",                   \
     {{"VALUE", BODY_TEXT, "value", true}, DRY_RUN, {"--expires", BODY_TEXT, "expires", false}, OUT}, \
     NULL, "distrust " help, .left_out = {"charter"}}

const struct api_command api_commands[] = {
    {"accounts", "list", "GET", "/v1/accounts", LIST, NULL, {{0}}, account_columns,
     "cloud accounts"},
    {"accounts", "get", "GET", "/v1/accounts/{}", OBJECT, NULL, {NAME_ARG}, NULL, "one of them"},
    {"accounts", "create", "POST", "/v1/accounts", OBJECT, NULL, {FILE_ARG}, NULL,
     "add one (the file of `muster account test`)"},
    {"accounts", "change", "PUT", "/v1/accounts/{}", OBJECT, NULL, {NAME_ARG, FILE_ARG}, NULL,
     "replace the members that FILE has"},
    {"accounts", "delete", "DELETE", "/v1/accounts/{}", OBJECT, NULL, {NAME_ARG}, NULL,
     "remove one that nothing uses"},
    {"accounts", "confirm", "POST", "/v1/accounts/{}/confirm", OBJECT, NULL,
     {NAME_ARG, {"CLOUD-ACCOUNT", BODY_TEXT, "cloud_account", true}}, NULL,
     "say what its cloud calls it, also while machines live in it; doc/orphans.md first"},
    {"accounts", "vanished", "POST", "/v1/accounts/{}/confirm", OBJECT, "{\"vanished\":true}",
     {NAME_ARG}, NULL, "say that the many machines that its list lacks are gone, and may be replaced"},

    {"images", "list", "GET", "/v1/images", LIST, NULL, {{0}}, image_columns, "machine images"},
    {"images", "get", "GET", "/v1/images/{}", OBJECT, NULL, {NAME_ARG}, NULL, "one of them"},
    {"images", "create", "POST", "/v1/images", OBJECT, NULL, {FILE_ARG}, NULL, "add one"},
    {"images", "change", "PUT", "/v1/images/{}", OBJECT, NULL, {NAME_ARG, FILE_ARG}, NULL,
     "replace the members that FILE has"},
    {"images", "delete", "DELETE", "/v1/images/{}", OBJECT, NULL, {NAME_ARG}, NULL,
     "remove one that nothing uses"},

    {"fleets", "list", "GET", "/v1/fleets", LIST, NULL, {{0}}, fleet_columns, "fleets"},
    {"fleets", "get", "GET", "/v1/fleets/{}", OBJECT, NULL, {NAME_ARG}, NULL,
     "what one should be"},
    {"fleets", "status", "GET", "/v1/fleets/{}/status", OBJECT, NULL, {NAME_ARG}, NULL,
     "what one is"},
    {"fleets", "create", "POST", "/v1/fleets", OBJECT, NULL, {FILE_ARG, DRY_RUN}, NULL,
     "add one"},
    {"fleets", "change", "PUT", "/v1/fleets/{}", OBJECT, NULL, {NAME_ARG, FILE_ARG, DRY_RUN}, NULL,
     "replace the members that FILE has"},
    {"fleets", "scale", "PUT", "/v1/fleets/{}", OBJECT, NULL,
     {NAME_ARG, {"COUNT", BODY_INT, "desired", true}, DRY_RUN}, NULL,
     "say how many there should be"},
    {"fleets", "objective", "PUT", "/v1/fleets/{}", OBJECT, NULL,
     {NAME_ARG, {"PERCENT", BODY_NUMBER, "objective/verified_percent", true},
      {"SECONDS", BODY_INT, "objective/within_seconds", true}, DRY_RUN}, NULL,
     "say how much of it is to be verified within how long"},
    {"fleets", "delete", "DELETE", "/v1/fleets/{}", OBJECT, NULL, {NAME_ARG, DRY_RUN}, NULL,
     "terminate its instances and forget it"},

    {"instances", "list", "GET", "/v1/instances", LIST, NULL,
     {{"--fleet", IN_QUERY, "fleet", false}, {"--account", IN_QUERY, "account", false},
      {"--cloud", IN_QUERY, "cloud", false}, {"--region", IN_QUERY, "region", false},
      {"--phase", IN_QUERY, "phase", false}, {"--trust", IN_QUERY, "trust", false},
      {"--reason", IN_QUERY, "reason", false}, {"--terminated", QUERY_TRUE, "terminated", false}},
     instance_columns, "instances"},
    {"instances", "get", "GET", "/v1/instances/{}", OBJECT, NULL, {ID_ARG}, NULL,
     "one of them, and how it came to be so"},
    {"instances", "verdicts", "GET", "/v1/instances/{}/verdicts", LIST, NULL, {ID_ARG},
     verdict_columns, "its verdicts, newest first"},
    {"instances", "attest", "POST", "/v1/instances/{}/attest", OBJECT, NULL, {ID_ARG}, NULL,
     "have it prove itself now"},
    {"instances", "terminate", "POST", "/v1/instances/{}/terminate", OBJECT, NULL, {ID_ARG}, NULL,
     "end it; its fleet may start another"},

    {"verdicts", "get", "GET", "/v1/verdicts/{}", OBJECT, NULL, {ID_ARG}, NULL,
     "one verdict with every check"},
    {"verdicts", "evidence", "GET", "/v1/verdicts/{}/evidence", BYTES, NULL, {ID_ARG}, NULL,
     "the evidence it judged, as it came"},
    {"verdicts", "bundle", "GET", "/v1/verdicts/{}/bundle", BYTES, NULL, {ID_ARG}, NULL,
     "all that it rests on, for `muster verify bundle`"},

    {"keys", "show", "GET", "/.well-known/jwks.json", OBJECT, NULL, {{0}}, NULL,
     "what opinions and passports are signed with"},

    {"opinions", "ask", "POST", "/v1/verify", OBJECT, NULL, {FILE_ARG}, NULL,
     "what is to be thought of any evidence, or of a batch"},

    {"secrets", "list", "GET", "/v1/secrets", LIST, NULL, {{0}}, secret_columns,
     "secrets (never their values)"},
    {"secrets", "get", "GET", "/v1/secrets/{}", OBJECT, NULL, {NAME_ARG}, NULL,
     "one of them with its versions"},
    {"secrets", "generate", "POST", "/v1/secrets", OBJECT, "{\"origin\":\"generate\"}",
     {{"NAME", BODY_TEXT, "name", true}, {"--kind", BODY_TEXT, "kind", true},
      {"--grant", BODY_TEXT, "grant_name", true}, {"--scope", BODY_TEXT, "scope", false}},
     NULL, "have the keeper make one"},

    {"charter", "get", "GET", "/v1/charter", OBJECT, NULL, {{0}}, NULL, "what the keepers obey",
     .left_out = {"charter", "jws"}},
    {"charter", "plan", "POST", "/v1/charter/plan", OBJECT, NULL, {FILE_ARG, AT}, NULL,
     "what a candidate (the JSON, unsigned) would change"},
    {"charter", "apply", "POST", "/v1/charter", OBJECT, NULL,
     {{"FILE", BODY_FILE_TEXT, "jws", true}, {"--if-plan", BODY_TEXT, "if_plan", false}}, NULL,
     "offer a signed charter to the keepers", .left_out = {"charter", "jws"}},

    {"catalogue", "show", "GET", "/v1/catalogue", OBJECT, NULL,
     {{"--edition", IN_QUERY, "edition", false}}, NULL,
     "the providers' rules in force here, with what is overridden", .left_out = {"rules"}},
    {"catalogue", "rules", "GET", "/v1/catalogue/rules", LIST, NULL,
     {{"--edition", IN_QUERY, "edition", false}}, rule_columns, "its rules, one a line"},
    {"catalogue", "editions", "GET", "/v1/catalogue/editions", LIST, NULL, {{0}}, edition_columns,
     "what comes with muster, and what was loaded"},
    {"catalogue", "drift", "GET", "/v1/catalogue/drift", LIST, NULL, {{0}}, drift_columns,
     "how what the clouds say themselves differs from it, by account"},
    {"catalogue", "load", "PUT", "/v1/catalogue", OBJECT, NULL,
     {{"FILE", BODY_FILE_TEXT, "jws", true}, DRY_RUN}, NULL,
     "take in a signed edition; it counts where its name is in use"},
    {"catalogue", "use", "PUT", "/v1/catalogue", OBJECT, NULL,
     {{"EDITION", BODY_TEXT, "use", true}, DRY_RUN}, NULL, "go by that edition from now on"},
    {"catalogue", "override", "PUT", "/v1/catalogue", OBJECT, NULL,
     {{"RULE", BODY_TEXT, "override/rule", true}, {"--reason", BODY_TEXT, "override/reason", true},
      {"--ends", BODY_TEXT, "override/ends", false}, DRY_RUN}, NULL,
     "do not refuse what breaks that rule"},
    {"catalogue", "withdraw", "PUT", "/v1/catalogue", OBJECT, NULL,
     {{"RULE", BODY_TEXT, "withdraw", true}, DRY_RUN}, NULL, "follow an overridden rule again"},

    {"policy", "plan", "POST", "/v1/policies/{}/plan", OBJECT, NULL,
     {{"FILE", BODY_FILE_NAMED, "name", true}, AT, OUT}, NULL,
     "what another policy, by the name in FILE, would change; --out: the charter to sign",
     .left_out = {"charter"}},
    {"tcb", "plan", "POST", "/v1/tcb/plan", OBJECT, NULL, {FILE_ARG, AT, OUT}, NULL,
     "what other floors (FILE) would change, now and at their dates", .left_out = {"charter"}},
    {"tcb", "list", "GET", "/v1/tcb", LIST, NULL, {{0}}, tcb_columns,
     "which products run which TCB, and how many trusted instances", .usual = true},

    {"tcb", "by-product", "GET", "/v1/tcb?by=product", LIST, NULL, {{0}}, tcb_group_columns,
     "the same, counted by product alone, beside its floors"},
    {"tcb", "by-region", "GET", "/v1/tcb?by=region", LIST, NULL, {{0}}, tcb_group_columns,
     "the same, counted by region alone"},
    {"tcb", "by-measurement", "GET", "/v1/tcb?by=measurement", LIST, NULL, {{0}}, tcb_group_columns,
     "the same, counted by launch digest alone"},
    {"notices", "list", "GET", "/v1/notices", LIST, NULL,
     {{"--fleet", IN_QUERY, "fleet", false}, {"--account", IN_QUERY, "account", false},
      {"--instance", IN_QUERY, "instance", false}, {"--ended", QUERY_TRUE, "ended", false}}, notice_columns,
     "what clouds will do to hosts, the next first; --ended: also what is over", .usual = true},
    {"notices", "get", "GET", "/v1/notices/{}", OBJECT, NULL, {ID_ARG}, NULL,
     "one of them, with what its cloud said before"},
    {"orphans", "list", "GET", "/v1/orphans", LIST, NULL, {{0}}, orphan_columns,
     "what is paid for and no row stands for, and rows that lost their machine", .usual = true},
    {"orphans", "remove", "POST", "/v1/orphans/{}/remove", OBJECT, NULL,
     {ID_ARG, {"REF", BODY_TEXT, "ref", true}}, NULL,
     "have the next look at its cloud remove it; REF as the list shows it, so that it is the right one"},
    {"cases", "list", "GET", "/v1/cases", LIST, NULL, {{"--state", IN_QUERY, "state", false}},
     case_columns, "launch digests that no reference names", .usual = true},
    {"cases", "show", "GET", "/v1/cases/{}", OBJECT, NULL, {ID_ARG}, NULL, "one of them"},
    {"cases", "accept", "POST", "/v1/cases/{}/accept", OBJECT, NULL,
     {ID_ARG, {"--expires", BODY_TEXT, "expires", true}, {"--reference", BODY_TEXT, "reference", false},
      {"--policy", BODY_TEXT, "policy", false}, AT, OUT}, NULL,
     "the charter to sign that names it until then, and what that flips", .left_out = {"charter"}},
    {"cases", "dismiss", "POST", "/v1/cases/{}/dismiss", OBJECT, NULL,
     {ID_ARG, {"REASON", BODY_TEXT, "reason", true}}, NULL, "it stays unknown, and nobody is alarmed"},

    {"distrust", "list", "GET", "/v1/distrust", LIST, NULL, {{0}}, distrust_columns,
     "what is to be distrusted, and how far it has come"},
    {"distrust", "get", "GET", "/v1/distrust/{}", OBJECT, NULL, {ID_ARG}, NULL,
     "one of them with its steps"},
    DISTRUST("chip", "a chip, by its id"),
    DISTRUST("generation", "Milan, Genoa or Turin"),
    DISTRUST("measurement", "a launch digest"),
    DISTRUST("region", "a region, or what a VLEK says of its provider"),
    DISTRUST("signer", "an ID key, author key or enclave's signer, by its digest"),
    DISTRUST("image", "a reference of the charter, by its name"),
    DISTRUST("anchor", "a machine, by its anchor"),
    DISTRUST("guest-key", "a guest, by its link key"),

    {"endorsements", "list", "GET", "/v1/endorsements", LIST, NULL, {{0}}, endorsement_columns,
     "the chip maker's certificates and lists"},
    {"endorsements", "get", "GET", "/v1/endorsements/{}", BYTES, NULL, {NAME_ARG}, NULL,
     "one of them, as it is kept"},

    {"alarms", "list", "GET", "/v1/alarms", LIST, NULL, {{0}}, alarm_columns,
     "what is wrong now, the critical first", .usual = true},

    {"keepers", "list", "GET", "/v1/keepers", LIST, NULL, {{0}}, keeper_columns,
     "which keepers were seen, and when they last answered"},
    {"keepers", "forget", "DELETE", "/v1/keepers/{}", OBJECT, NULL, {NAME_ARG}, NULL,
     "one is gone for good: wait for it no more"},

    {"probes", "list", "GET", "/v1/probes", LIST, NULL, {{0}}, probe_columns,
     "what keepers' probes of their own judges found, and ours of keepers"},

    {"audit", "list", "GET", "/v1/audit", LIST, NULL,
     {{"--after", IN_QUERY, "after", false}}, audit_columns, "who did what, from a number on"},
};
/* clang-format on */
const size_t api_command_count = countof(api_commands);
