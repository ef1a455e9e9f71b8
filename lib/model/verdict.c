#include "lib/model/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/text.h"
#include "lib/model/verdict_vector.h"

/* clang-format off */
static const char *const reason_words[] = {
    [REASON_OK]                    = "ok",
    [REASON_UNSUPPORTED_EVIDENCE]  = "unsupported-evidence",
    [REASON_WRONG_REALM]           = "wrong-realm",
    [REASON_UNSUPPORTED_VERSION]   = "unsupported-version",
    [REASON_UNSUPPORTED_ALGORITHM] = "unsupported-algorithm",
    [REASON_MALFORMED]             = "malformed",
    [REASON_CERT_MISSING]          = "cert-missing",
    [REASON_SIGNING_KEY_MISMATCH]  = "signing-key-mismatch",
    [REASON_CHAIN_UNTRUSTED]       = "chain-untrusted",
    [REASON_CERT_NOT_YET_VALID]    = "cert-not-yet-valid",
    [REASON_CERT_EXPIRED]          = "cert-expired",
    [REASON_CRL_MISSING]           = "crl-missing",
    [REASON_CRL_UNTRUSTED]         = "crl-untrusted",
    [REASON_CRL_EXPIRED]           = "crl-expired",
    [REASON_REVOKED]               = "revoked",
    [REASON_PRODUCT_MISMATCH]      = "product-mismatch",
    [REASON_CHIP_ID_MISMATCH]      = "chip-id-mismatch",
    [REASON_TCB_MISMATCH]          = "tcb-mismatch",
    [REASON_BAD_SIGNATURE]         = "bad-signature",
    [REASON_UNSUPPORTED_REPORT_TYPE] = "unsupported-report-type",
    [REASON_RUNTIME_DATA_MISMATCH] = "runtime-data-mismatch",
    [REASON_AK_UNTRUSTED]          = "ak-untrusted",
    [REASON_QUOTE_BAD_SIGNATURE]   = "quote-bad-signature",
    [REASON_NONCE_MISMATCH]        = "nonce-mismatch",
    [REASON_PCR_MISMATCH]          = "pcr-mismatch",
    [REASON_EVENT_DIGEST_MISMATCH] = "event-digest-mismatch",
    [REASON_POLICY_DEBUG]          = "policy-debug",
    [REASON_POLICY_MIGRATION]      = "policy-migration",
    [REASON_POLICY_SMT]            = "policy-smt",
    [REASON_POLICY_VMPL]           = "policy-vmpl",
    [REASON_POLICY_SIGNING_KEY]    = "policy-signing-key",
    [REASON_POLICY_CSP]            = "policy-csp",
    [REASON_POLICY_TCB]            = "policy-tcb",
    [REASON_POLICY_PLATFORM_INFO]  = "policy-platform-info",
    [REASON_POLICY_MEASUREMENT]    = "policy-measurement",
    [REASON_POLICY_REPORT_DATA]    = "policy-report-data",
    [REASON_POLICY_HOST_DATA]      = "policy-host-data",
    [REASON_POLICY_ID_KEY]         = "policy-id-key",
    [REASON_POLICY_GUEST_POLICY]   = "policy-guest-policy",
    [REASON_POLICY_MIT_VECTOR]     = "policy-mit-vector",
    [REASON_POLICY_COMMITTED_TCB]  = "policy-committed-tcb",
    [REASON_POLICY_GUEST_SVN]      = "policy-guest-svn",
    [REASON_POLICY_CHIP_ID]        = "policy-chip-id",
    [REASON_POLICY_AGE]            = "policy-age",
    [REASON_POLICY_PCR]            = "policy-pcr",
    [REASON_POLICY_NONCE]          = "policy-nonce",
    [REASON_POLICY_VTPM_ROOT]      = "policy-vtpm-root",
    [REASON_POLICY_SECURE_BOOT]    = "policy-secure-boot",
    [REASON_POLICY_BOOT_COMPONENT] = "policy-boot-component",
    [REASON_IDENTITY_FORMAT]       = "identity-format",
    [REASON_IDENTITY_SIGNER]       = "identity-signer",
    [REASON_IDENTITY_SIGNATURE]    = "identity-signature",
    [REASON_IDENTITY_TIME]         = "identity-time",
    [REASON_IDENTITY_NONCE]        = "identity-nonce",
    [REASON_IDENTITY_CONFIDENTIAL] = "identity-confidential",
    [REASON_IDENTITY_ACCOUNT]      = "identity-account",
    [REASON_IDENTITY_INSTANCE]     = "identity-instance",
    [REASON_IDENTITY_REGION]       = "identity-region",
};
_Static_assert(countof(reason_words) == REASON_COUNT);
const struct names reason_names = NAMES("reason", reason_words);

static const char *const meanings[] = {
    [REASON_OK]                    = "every check passed",
    [REASON_UNSUPPORTED_EVIDENCE]  = "this kind of evidence is known but not appraised here",
    [REASON_WRONG_REALM]           = "simulated evidence outside the simulation realm",
    [REASON_UNSUPPORTED_VERSION]   = "the layout of this report version is not known",
    [REASON_UNSUPPORTED_ALGORITHM] = "the report names a signature algorithm other than ECDSA P-384 with SHA-384",
    [REASON_MALFORMED]             = "bytes that no genuine firmware or certificate service makes",
    [REASON_CERT_MISSING]          = "no VCEK or VLEK certificate came with the evidence",
    [REASON_SIGNING_KEY_MISMATCH]  = "the report was signed by another kind of key than the certificate's",
    [REASON_CHAIN_UNTRUSTED]       = "the certificates do not lead to a pinned root",
    [REASON_CERT_NOT_YET_VALID]    = "a certificate is from the future: compare the clocks",
    [REASON_CERT_EXPIRED]          = "a certificate is past its last day: fetch a new one",
    [REASON_CRL_MISSING]           = "the policy demands a revocation list and none was given",
    [REASON_CRL_UNTRUSTED]         = "the revocation list is not signed by the root of this chain",
    [REASON_CRL_EXPIRED]           = "the revocation list is older than its next update",
    [REASON_REVOKED]               = "a certificate of the chain has been revoked",
    [REASON_PRODUCT_MISMATCH]      = "report, certificate and chain are of different processor products",
    [REASON_CHIP_ID_MISMATCH]      = "the certificate belongs to another chip",
    [REASON_TCB_MISMATCH]          = "the certificate was issued for another TCB than the one reported",
    [REASON_BAD_SIGNATURE]         = "the report was not signed by the key in the certificate",
    [REASON_UNSUPPORTED_REPORT_TYPE] = "the evidence wraps a report of another technology",
    [REASON_RUNTIME_DATA_MISMATCH] = "the report speaks for other runtime claims, so for another TPM key",
    [REASON_AK_UNTRUSTED]          = "what should vouch for the vTPM's attestation key does not",
    [REASON_QUOTE_BAD_SIGNATURE]   = "the quote was not signed by the key that the report speaks for",
    [REASON_NONCE_MISMATCH]        = "the quote answers another challenge",
    [REASON_PCR_MISMATCH]          = "the registers are others than the quote or the boot log speaks of",
    [REASON_EVENT_DIGEST_MISMATCH] = "an event of the boot log says something else than was measured",
    [REASON_POLICY_DEBUG]          = "the guest may be debugged by its host",
    [REASON_POLICY_MIGRATION]      = "a migration agent may move the guest",
    [REASON_POLICY_SMT]            = "the guest may share a core with others",
    [REASON_POLICY_VMPL]           = "the report was asked for from a less privileged level than allowed, or by the host",
    [REASON_POLICY_SIGNING_KEY]    = "the policy does not take this kind of signing key",
    [REASON_POLICY_CSP]            = "the VLEK belongs to another provider or region",
    [REASON_POLICY_TCB]            = "the reported TCB is below the policy's floor",
    [REASON_POLICY_PLATFORM_INFO]  = "a platform setting is one the policy forbids, or lacks one it requires",
    [REASON_POLICY_MEASUREMENT]    = "the launch digest is not one of the reference values",
    [REASON_POLICY_REPORT_DATA]    = "the report answers another challenge or speaks for other keys",
    [REASON_POLICY_HOST_DATA]      = "the host data is not the expected one",
    [REASON_POLICY_ID_KEY]         = "the ID block was signed by a key the policy does not name",
    [REASON_POLICY_GUEST_POLICY]   = "the guest was launched without a safeguard that the policy requires, or with leave that it forbids",
    [REASON_POLICY_MIT_VECTOR]     = "the firmware does not say that it has a mitigation the policy requires",
    [REASON_POLICY_COMMITTED_TCB]  = "the host can still go back to an older TCB than it runs",
    [REASON_POLICY_GUEST_SVN]      = "the guest's security version is below the policy's least",
    [REASON_POLICY_CHIP_ID]        = "the chip is not one that the policy names, or nothing names it",
    [REASON_POLICY_AGE]            = "the evidence is older than the policy allows, or its age is unknown",
    [REASON_POLICY_PCR]            = "a platform configuration register differs from its reference value",
    [REASON_POLICY_NONCE]          = "the evidence answers another challenge",
    [REASON_POLICY_VTPM_ROOT]      = "the policy does not take a vTPM on such a word",
    [REASON_POLICY_SECURE_BOOT]    = "the boot log does not prove that secure boot was on",
    [REASON_POLICY_BOOT_COMPONENT] = "something started the machine that the policy does not name",
    [REASON_IDENTITY_FORMAT]       = "what the metadata service gave is no identity document",
    [REASON_IDENTITY_SIGNER]       = "the identity document was not signed by whom the charter names for that cloud",
    [REASON_IDENTITY_SIGNATURE]    = "the signature does not belong to the identity document",
    [REASON_IDENTITY_TIME]         = "the identity document is expired, or from the future",
    [REASON_IDENTITY_NONCE]        = "the identity document answers another challenge",
    [REASON_IDENTITY_CONFIDENTIAL] = "the identity document is of a machine that is not confidential",
    [REASON_IDENTITY_ACCOUNT]      = "the identity document is of an account that the charter does not call ours",
    [REASON_IDENTITY_INSTANCE]     = "the identity document is of another machine",
    [REASON_IDENTITY_REGION]       = "the identity document is of another region or cloud than the machine",
};
_Static_assert(countof(meanings) == REASON_COUNT);

static const char *const result_words[] = {"pass", "fail", "skip"};
_Static_assert(countof(result_words) == CHECK_RESULT_COUNT);
const struct names check_result_names = NAMES("check result", result_words);

static const char *const source_words[] = {"none", "provider", "hardware"};
_Static_assert(countof(source_words) == SOURCE_COUNT);
const struct names source_names = NAMES("source", source_words);

static const char *const level_words[] = {"L0", "L1", "L2", "L3"};
_Static_assert(countof(level_words) == LEVEL_COUNT);
const struct names level_names = NAMES("level", level_words);

static const char *const missing_words[] = {
    [MISSING_HARDWARE]           = "hardware",
    [MISSING_DEBUG_OFF]          = "debug-off",
    [MISSING_SOFTWARE]           = "software",
    [MISSING_SOFTWARE_HARDWARE]  = "software-by-hardware",
    [MISSING_IDENTITY]           = "identity",
    [MISSING_CLEAR_IDENTITY]     = "clear-identity",
    [MISSING_PINNED_MEASUREMENT] = "pinned-measurement",
    [MISSING_PROVIDER_EXECUTION] = "provider-execution-off",
    [MISSING_FRESHNESS]          = "freshness",
    [MISSING_DISK_ENCRYPTION]    = "disk-encryption",
    [MISSING_TRANSIT_ENCRYPTION] = "transit-encryption",
    [MISSING_ENDPOINT_KEYS]      = "endpoint-keys",
    [MISSING_OUTSIDE_CUSTODY]    = "outside-custody",
};
_Static_assert(countof(missing_words) == MISSING_COUNT);
const struct names missing_names = NAMES("missing", missing_words);

static const char *const residual_words[] = {
    [RESIDUAL_PROVIDER_FIRMWARE] = "provider-firmware",
    [RESIDUAL_MILAN_ROOT_SEED]   = "milan-root-seed",
    [RESIDUAL_NO_CHIP_IDENTITY]  = "vlek-no-chip-identity",
    [RESIDUAL_NO_TCB_FLOOR]      = "no-tcb-floor",
    [RESIDUAL_NO_REVOCATION]     = "revocation-not-checked",
    [RESIDUAL_MIGRATION_AGENT]   = "migration-agent",
    [RESIDUAL_PARAVISOR]         = "provider-paravisor",
    [RESIDUAL_VTPM_UNROOTED]     = "vtpm-unrooted",
};
_Static_assert(countof(residual_words) == RESIDUAL_COUNT);
const struct names residual_names = NAMES("residual", residual_words);

static const char *const anchor_words[] = {"none", "host-data", "id-block", "vtpm", "enclave",
                                            "cloud-token"};
_Static_assert(countof(anchor_words) == ANCHOR_KIND_COUNT);
const struct names anchor_kind_names = NAMES("anchor", anchor_words);
/* clang-format on */

const char *reason_meaning(enum reason reason)
{
    return reason < REASON_COUNT ? meanings[reason] : "?";
}

void verdict_done(struct verdict *v)
{
    json_decref(v->claims);
    free(v->printed);
    *v = (struct verdict){0};
}

static json_t *parse_claims(const char *printed)
{
    json_t *made = NULL;
    const struct span in = span_of_text(printed);
    if (json_parse(in, in.len, &made, NULL) != OK)
        abort(); /* what we printed */
    return made;
}

json_t *verdict_claims(struct verdict *v)
{
    if (v->claims == NULL && v->printed != NULL) {
        v->claims = parse_claims(v->printed);
        free(TAKE(v->printed));
    }
    return v->claims;
}

void verdict_print_claims(const struct verdict *v, struct text *out)
{
    if (v->printed != NULL)
        text_add(out, v->printed);
    else if (v->claims != NULL)
        json_print_to(v->claims, out);
    else
        text_add(out, "{}");
}

/* Its detail is the caller's to write. */
static struct check *check_new(struct verdict *v, const char *name, enum check_result result,
                               enum reason reason)
{
    if (v->check_count == VERDICT_CHECKS_MAX)
        abort(); /* checks are listed in code, never by input */
    if (result == CHECK_FAIL && fault_blinds(name))
        result = CHECK_PASS;
    struct check *check = &v->checks[v->check_count++];
    *check = (struct check){.name = name, .result = result};
    if (result == CHECK_FAIL)
        check->reason = reason;
    if (result == CHECK_FAIL && v->reason == REASON_OK)
        v->reason = reason;
    return check;
}

void verdict_add(struct verdict *v, const char *name, enum check_result result, enum reason reason,
                 const char *detail, ...)
{
    struct check *check = check_new(v, name, result, reason);
    va_list args;
    va_start(args, detail);
    vsnprintf(check->detail, sizeof check->detail, detail, args);
    va_end(args);
    text_make_clean(check->detail); /* it may quote what came in, cut within a character */
}

/* As it is: most details are words of ours, and a verdict has thirty. */
static void add_word(struct verdict *v, const char *name, enum check_result result,
                     enum reason reason, const char *detail)
{
    struct check *check = check_new(v, name, result, reason);
    memcpy(check->detail, detail, strnlen(detail, sizeof check->detail - 1));
    text_make_clean(check->detail);
}

void verdict_pass(struct verdict *v, const char *name, const char *detail)
{
    add_word(v, name, CHECK_PASS, REASON_OK, detail);
}

void verdict_skip(struct verdict *v, const char *name, const char *detail)
{
    add_word(v, name, CHECK_SKIP, REASON_OK, detail);
}

void verdict_refuse(struct verdict *v, const char *name, enum reason reason, const char *detail)
{
    add_word(v, name, CHECK_FAIL, reason, detail);
}

void verdict_append(struct verdict *v, const struct verdict *more, const char *without)
{
    for (size_t i = 0; i < more->check_count; i++) {
        const struct check *check = &more->checks[i];
        if (without == NULL || strcmp(check->name, without) != 0)
            verdict_add(v, check->name, check->result, check->reason, "%s", check->detail);
    }
}

const struct check *verdict_check(const struct verdict *v, const char *name)
{
    for (size_t i = 0; i < v->check_count; i++)
        if (strcmp(v->checks[i].name, name) == 0)
            return &v->checks[i];
    return NULL;
}

bool verdict_passed(const struct verdict *v, const char *name)
{
    const struct check *check = verdict_check(v, name);
    return check != NULL && check->result == CHECK_PASS;
}

static bool lacks(const struct verdict *v, unsigned which)
{
    return (v->missing & which) != 0;
}

void verdict_miss(struct verdict *v, enum missing what, bool is_missing)
{
    if (is_missing)
        v->missing |= 1u << what;
}

void verdict_grade(struct verdict *v, const struct standing *standing)
{
    verdict_miss(v, MISSING_HARDWARE, !v->trusted || v->hardware == SOURCE_NONE);
    verdict_miss(v, MISSING_SOFTWARE, v->software == SOURCE_NONE);
    verdict_miss(v, MISSING_SOFTWARE_HARDWARE, v->software == SOURCE_PROVIDER);
    verdict_miss(v, MISSING_IDENTITY, v->identity == SOURCE_NONE);
    verdict_miss(v, MISSING_DISK_ENCRYPTION, !standing->disk_encrypted);
    verdict_miss(v, MISSING_TRANSIT_ENCRYPTION, !standing->transit_encrypted);
    verdict_miss(v, MISSING_ENDPOINT_KEYS, !standing->endpoint_keys);
    verdict_miss(v, MISSING_OUTSIDE_CUSTODY, !standing->custody_outside);

    const unsigned for_1 = 1u << MISSING_HARDWARE | 1u << MISSING_DEBUG_OFF;
    const unsigned for_2 = 1u << MISSING_SOFTWARE | 1u << MISSING_IDENTITY |
                           1u << MISSING_CLEAR_IDENTITY | 1u << MISSING_PINNED_MEASUREMENT |
                           1u << MISSING_FRESHNESS | 1u << MISSING_PROVIDER_EXECUTION |
                           1u << MISSING_DISK_ENCRYPTION | 1u << MISSING_TRANSIT_ENCRYPTION;
    if (lacks(v, for_1))
        v->level = LEVEL_0;
    else if (lacks(v, for_2))
        v->level = LEVEL_1;
    else if (v->missing != 0)
        v->level = LEVEL_2;
    else
        v->level = LEVEL_3;
}

json_t *name_set_to_json(const struct names *names, unsigned set)
{
    json_t *list = json_array();
    for (size_t i = 0; i < names->count; i++)
        if ((set >> i & 1) != 0)
            json_add_new(list, json_string(names->words[i]));
    return list;
}

static void print_check(const struct check *check, struct text *out)
{
    text_add(out, "{\"check\":");
    json_print_text(span_of_text(check->name), out);
    text_add(out, ",\"detail\":");
    json_print_text(span_of_text(check->detail), out);
    if (check->result == CHECK_FAIL) {
        text_add(out, ",\"reason\":");
        json_print_text(span_of_text(name_of(&reason_names, (int)check->reason)), out);
    }
    text_add(out, ",\"result\":");
    json_print_text(span_of_text(name_of(&check_result_names, (int)check->result)), out);
    text_add(out, "}");
}

void verdict_print_checks(const struct verdict *v, struct text *out)
{
    enum { CHECK_ROOM = 96 };
    text_reserve(out, v->check_count * CHECK_ROOM);
    text_add(out, "[");
    for (size_t i = 0; i < v->check_count; i++) {
        text_add(out, i > 0 ? "," : "");
        print_check(&v->checks[i], out);
    }
    text_add(out, "]");
}

json_t *verdict_checks_to_json(const struct verdict *v)
{
    OWNED(text_done) struct text printed = {0};
    json_t *list = NULL;
    verdict_print_checks(v, &printed);
    error_ignore(json_parse(text_span(&printed), printed.len, &list, NULL));
    return list;
}

static json_t *anchor_to_json(const struct verdict *v)
{
    if (v->anchor == ANCHOR_NONE)
        return json_null();
    json_t *anchor = json_object();
    json_put_text(anchor, "kind", name_of(&anchor_kind_names, (int)v->anchor));
    json_put_hex(anchor, "sha256", SPAN_OF(v->anchor_hash));
    return anchor;
}

static json_t *claims_to_json(const struct verdict *v)
{
    if (v->printed != NULL)
        return parse_claims(v->printed);
    return v->claims != NULL ? json_incref(v->claims) : json_object();
}

json_t *verdict_to_json(const struct verdict *v)
{
    const struct trust_vector vector = verdict_vector(v);
    json_t *out = json_object();
    json_put_text(out, "verdict", v->trusted ? "trusted" : "rejected");
    json_put_text(out, "reason", name_of(&reason_names, (int)v->reason));
    json_put_text(out, "level", name_of(&level_names, (int)v->level));
    json_put_text(out, "hardware", name_of(&source_names, (int)v->hardware));
    json_put_text(out, "software", name_of(&source_names, (int)v->software));
    json_put_text(out, "identity", name_of(&source_names, (int)v->identity));
    json_put_new(out, "missing", name_set_to_json(&missing_names, v->missing));
    json_put_new(out, "residuals", name_set_to_json(&residual_names, v->residuals));
    json_put_bool(out, "simulated", v->simulated);
    json_put_text(out, "roots", v->custom_roots ? "custom" : "built-in");
    json_put_new(out, "anchor", anchor_to_json(v));
    json_put_new(out, "trust_vector", trust_vector_to_json(&vector));
    json_put_new(out, "checks", verdict_checks_to_json(v));
    json_put_new(out, "claims", claims_to_json(v));
    return out;
}
