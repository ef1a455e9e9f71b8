/* Every command that is one call of the API. doc/api.md tells what the calls do. */
#include "cli/api.h"

/* clang-format off */
#define NAME_ARG {"NAME", IN_PATH, NULL, true}
#define ID_ARG   {"ID", IN_PATH, NULL, true}
#define FILE_ARG {"FILE", BODY_FILE, NULL, true}

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
    {"ID", "id"}, {"FLEET", "fleet"}, {"REGION", "region"}, {"PHASE", "phase"},
    {"REASON", "reason"}, {"TRUST", "trust"}, {"LEVEL", "level"}, {"WHY", "trust_reason"},
    {"VALID-UNTIL", "valid_until"}, {"SIMULATED", "simulated"}, {NULL, NULL}};
static const struct column verdict_columns[] = {
    {"ID", "id"}, {"VERDICT", "verdict"}, {"REASON", "reason"}, {"LEVEL", "level"},
    {"HARDWARE", "hardware"}, {"SOFTWARE", "software"}, {"IDENTITY", "identity"},
    {"ISSUED", "issued"}, {"SIMULATED", "simulated"}, {NULL, NULL}};
static const struct column secret_columns[] = {
    {"NAME", "name"}, {"KIND", "kind"}, {"SCOPE", "scope"}, {"ORIGIN", "origin"},
    {"GRANT", "grant_name"}, {"NEWEST", "newest"}, {NULL, NULL}};
static const struct column version_columns[] = {
    {"VERSION", "version"}, {"STATE", "state"}, {"SINCE", "state_since"},
    {"INSTANCE", "instance"}, {"PUBLIC", "public_part"}, {NULL, NULL}};
static const struct column audit_columns[] = {
    {"NUMBER", "number"}, {"AT", "at"}, {"ACTOR", "actor"}, {"ACTION", "action"},
    {"SUBJECT", "subject"}, {NULL, NULL}};

const struct api_command api_commands[] = {
    {"accounts", "list", "GET", "/v1/accounts", true, NULL, {{0}}, account_columns,
     "cloud accounts"},
    {"accounts", "get", "GET", "/v1/accounts/{}", false, NULL, {NAME_ARG}, NULL, "one of them"},
    {"accounts", "create", "POST", "/v1/accounts", false, NULL, {FILE_ARG}, NULL,
     "add one (the file of `muster account test`)"},
    {"accounts", "delete", "DELETE", "/v1/accounts/{}", false, NULL, {NAME_ARG}, NULL,
     "remove one that nothing uses"},

    {"images", "list", "GET", "/v1/images", true, NULL, {{0}}, image_columns, "machine images"},
    {"images", "get", "GET", "/v1/images/{}", false, NULL, {NAME_ARG}, NULL, "one of them"},
    {"images", "create", "POST", "/v1/images", false, NULL, {FILE_ARG}, NULL, "add one"},
    {"images", "delete", "DELETE", "/v1/images/{}", false, NULL, {NAME_ARG}, NULL,
     "remove one that nothing uses"},

    {"fleets", "list", "GET", "/v1/fleets", true, NULL, {{0}}, fleet_columns, "fleets"},
    {"fleets", "get", "GET", "/v1/fleets/{}", false, NULL, {NAME_ARG}, NULL,
     "what one should be"},
    {"fleets", "status", "GET", "/v1/fleets/{}/status", false, NULL, {NAME_ARG}, NULL,
     "what one is"},
    {"fleets", "create", "POST", "/v1/fleets", false, NULL, {FILE_ARG}, NULL, "add one"},
    {"fleets", "scale", "POST", "/v1/fleets/{}/scale", false, NULL,
     {NAME_ARG, {"COUNT", BODY_INT, "desired", true}}, NULL, "say how many there should be"},
    {"fleets", "delete", "DELETE", "/v1/fleets/{}", false, NULL, {NAME_ARG}, NULL,
     "terminate its instances and forget it"},

    {"instances", "list", "GET", "/v1/instances", true, NULL,
     {{"--fleet", IN_QUERY, "fleet", false}, {"--phase", IN_QUERY, "phase", false},
      {"--trust", IN_QUERY, "trust", false}, {"--reason", IN_QUERY, "reason", false},
      {"--cloud", IN_QUERY, "cloud", false}, {"--region", IN_QUERY, "region", false}},
     instance_columns, "instances"},
    {"instances", "get", "GET", "/v1/instances/{}", false, NULL, {ID_ARG}, NULL, "one of them"},
    {"instances", "verdicts", "GET", "/v1/instances/{}/verdicts", true, NULL, {ID_ARG},
     verdict_columns, "its verdicts, newest first"},
    {"instances", "attest", "POST", "/v1/instances/{}/attest", false, NULL, {ID_ARG}, NULL,
     "have it prove itself now"},
    {"instances", "quarantine", "POST", "/v1/instances/{}/quarantine", false, NULL, {ID_ARG}, NULL,
     "set it apart: no secret goes there"},
    {"instances", "release", "POST", "/v1/instances/{}/release", false, NULL, {ID_ARG}, NULL,
     "end its quarantine"},
    {"instances", "terminate", "POST", "/v1/instances/{}/terminate", false, NULL, {ID_ARG}, NULL,
     "end it; its fleet may start another"},

    {"verdicts", "get", "GET", "/v1/verdicts/{}", false, NULL, {ID_ARG}, NULL,
     "one verdict with every check"},
    {"verdicts", "evidence", "GET", "/v1/verdicts/{}/evidence", false, NULL, {ID_ARG}, NULL,
     "the evidence it judged"},

    {"secrets", "list", "GET", "/v1/secrets", true, NULL, {{0}}, secret_columns,
     "secrets (never their values)"},
    {"secrets", "get", "GET", "/v1/secrets/{}", false, NULL, {NAME_ARG}, NULL, "one of them"},
    {"secrets", "generate", "POST", "/v1/secrets", false, "{\"origin\":\"generate\"}",
     {{"NAME", BODY_TEXT, "name", true}, {"--kind", BODY_TEXT, "kind", true},
      {"--scope", BODY_TEXT, "scope", true}, {"--grant", BODY_TEXT, "grant_name", true}},
     NULL, "have the keeper make one"},
    {"secrets", "versions", "GET", "/v1/secrets/{}/versions", true, NULL, {NAME_ARG},
     version_columns, "its versions and their states"},
    {"secrets", "rotate", "POST", "/v1/secrets/{}/rotate", false, NULL, {NAME_ARG}, NULL,
     "make and hand out a new version"},
    {"secrets", "delete", "DELETE", "/v1/secrets/{}", false, NULL, {NAME_ARG}, NULL,
     "forget one that no fleet uses"},

    {"charter", "get", "GET", "/v1/charter", false, NULL, {{0}}, NULL, "what the keepers obey"},
    {"charter", "apply", "PUT", "/v1/charter", false, NULL, {FILE_ARG}, NULL,
     "offer a signed charter to the keepers"},
    {"audit", "list", "GET", "/v1/audit", true, NULL, {{"--after", IN_QUERY, "after", false}},
     audit_columns, "who did what"},
};
/* clang-format on */
const size_t api_command_count = countof(api_commands);
