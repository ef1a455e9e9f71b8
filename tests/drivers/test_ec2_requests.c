/* What we send to EC2: every key exists in AWS's own model with the right type, and where a real
 * client asked the same it asked in the same words. */
#include "drivers/aws/ec2_requests.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/aws/ec2_leftovers.h"
#include "tests/support/aws_model.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

static const struct account account = {
    .region = "us-east-2",
    .zone = "us-east-2a",
    .owner = "lab",
    .security_group = "sg-0123",
    .instance_profile = "arn:aws:iam::123456789012:instance-profile/none",
};

static struct launch_order an_order(void)
{
    return (struct launch_order){
        .instance = {{1, 2, 3}},
        .generation = 1,
        .fleet = "payments",
        .client_token = "tok-0001",
        .image = "ami-04681a1dbd79675a5",
        .size = "m6a.large",
        .user_data = span_of_text("hello world"),
        .root_device = "/dev/xvda",
        .root_gib = 20,
    };
}

/* The form as a flat JSON object. */
static json_t *form_read(const struct form *form)
{
    struct error err = {0};
    json_t *out = json_object();
    OWNED(mem_drop) char *copy = mem_text(text_str(&form->body));
    for (char *rest = copy, *pair; (pair = strsep(&rest, "&")) != NULL;) {
        char *value = strchr(pair, '=');
        assert_non_null(value);
        *value++ = '\0';
        OWNED(text_done) struct text k = {0};
        OWNED(text_done) struct text v = {0};
        assert_ok(percent_decode(span_of_text(pair), &k, &err));
        assert_ok(percent_decode(span_of_text(value), &v, &err));
        if (json_object_get(out, text_str(&k)) != NULL)
            fail_msg("%s is there twice", text_str(&k));
        json_put_text(out, text_str(&k), text_str(&v));
    }
    return out;
}

static const char *word(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* The member whose name on the wire is `part`. */
static const json_t *member_of(const json_t *structure, const char *part)
{
    const char *name;
    json_t *member;
    json_object_foreach (json_object_get(structure, "members"), name, member) {
        const char *query = word(member, "queryName");
        const char *location = word(member, "locationName");
        char wire[128];
        snprintf(wire, sizeof wire, "%s",
                 query != NULL      ? query
                 : location != NULL ? location
                                    : name);
        wire[0] = (char)toupper((unsigned char)wire[0]);
        if (strcmp(wire, part) == 0)
            return member;
    }
    return NULL;
}

static bool fits(const json_t *shape, const char *value)
{
    const char *type = word(shape, "type");
    if (strcmp(type, "boolean") == 0)
        return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
    if (strcmp(type, "integer") == 0 || strcmp(type, "long") == 0)
        return value[0] != '\0' && strspn(value, "0123456789") == strlen(value);
    if (strcmp(type, "string") != 0 && strcmp(type, "blob") != 0)
        return false;
    const json_t *words = json_object_get(shape, "enum");
    size_t i;
    json_t *one;
    json_array_foreach (words, i, one)
        if (strcmp(json_string_value(one), value) == 0)
            return true;
    return words == NULL;
}

static void check_key(const json_t *model, const json_t *input, const char *key, const char *value)
{
    OWNED(mem_drop) char *copy = mem_text(key);
    const json_t *shape = input;
    for (char *rest = copy, *part; (part = strsep(&rest, ".")) != NULL;) {
        const json_t *member;
        if (strcmp(word(shape, "type"), "list") == 0) {
            assert_true(strspn(part, "0123456789") == strlen(part));
            member = json_object_get(shape, "member");
        } else {
            member = member_of(shape, part);
        }
        if (member == NULL)
            fail_msg("%s: the model knows no %s", key, part);
        shape = aws_model_shape(model, member);
        assert_non_null(shape);
    }
    if (!fits(shape, value))
        fail_msg("%s=%s is no %s", key, value, word(shape, "type"));
}

static void check_form(const char *service, const struct form *form)
{
    OWNED(json_drop) json_t *sent = form_read(form);
    OWNED(json_drop) json_t *model = aws_model(service, word(sent, "Action"));
    const json_t *operation =
        json_object_get(json_object_get(model, "operations"), word(sent, "Action"));
    assert_string_equal(word(sent, "Version"),
                        word(json_object_get(model, "metadata"), "apiVersion"));
    const json_t *input = aws_model_shape(model, json_object_get(operation, "input"));
    const char *key;
    json_t *value;
    json_object_foreach (sent, key, value)
        if (strcmp(key, "Action") != 0 && strcmp(key, "Version") != 0)
            check_key(model, input, key, json_string_value(value));
    size_t i;
    json_array_foreach (json_object_get(input, "required"), i, value) {
        char first[96];
        const json_t *member =
            json_object_get(json_object_get(input, "members"), json_string_value(value));
        const char *location = word(member, "locationName");
        snprintf(first, sizeof first, "%s", location != NULL ? location : json_string_value(value));
        first[0] = (char)toupper((unsigned char)first[0]);
        bool found = json_object_get(sent, first) != NULL;
        snprintf(first + strlen(first), 3, ".1");
        if (!found && json_object_get(sent, first) == NULL)
            fail_msg("%s is required", first);
    }
}

/* The captured form, without the keys named; ours must have the same under each. */
static void compare_with_capture(const char *file, const struct form *form,
                                 const char *const *but_for)
{
    char path[128];
    snprintf(path, sizeof path, "clouds/aws/requests/%s.json", file);
    OWNED(json_drop) json_t *capture = vectors_json(path);
    OWNED(json_drop) json_t *ours = form_read(form);
    const char *key;
    json_t *value;
    json_object_foreach (json_object_get(capture, "form"), key, value) {
        bool skipped = false;
        for (const char *const *at = but_for; *at != NULL; at++)
            skipped |= strncmp(key, *at, strlen(*at)) == 0;
        if (skipped)
            continue;
        const char *sent = word(ours, key);
        if (sent == NULL || strcmp(sent, json_string_value(value)) != 0)
            fail_msg("%s: %s is %s in %s, ours %s", file, key, json_string_value(value), file,
                     sent != NULL ? sent : "absent");
    }
}

static void a_launch_has_only_keys_that_the_model_knows(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    struct error err = {0};
    OWNED(form_done) struct form form = {0};
    struct launch_order order = an_order();
    const struct cloud_tag more[] = {{"team", "red & blue"}};
    order.tags = more;
    order.tag_count = 1;
    assert_ok(ec2_run_instances(&account, &order, &form, &err));
    check_form("ec2", &form);
    form_done(&form);
    order.spot = true;
    order.subnet = "subnet-1";
    assert_ok(ec2_run_instances(&account, &order, &form, &err));
    check_form("ec2", &form);
}

static const char *const all_of_it[] = {NULL};

static void a_launch_says_what_a_real_client_says(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    struct error err = {0};
    OWNED(form_done) struct form form = {0};
    const struct launch_order order = an_order();
    assert_ok(ec2_run_instances(&account, &order, &form, &err));
    compare_with_capture("awscli-RunInstances-01", &form,
                         (const char *const[]){"TagSpecification.1.Tag", "TagSpecification.2.Tag",
                                               "MetadataOptions.HttpPutResponseHopLimit", NULL});
    compare_with_capture("awscli-RunInstances-02", &form, all_of_it);
}

static void every_other_call_is_in_the_model_and_like_a_real_clients(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    static const struct {
        void (*build)(const char *, struct form *);
        const char *ref;
        const char *capture;
    } calls[] = {
        {ec2_stop_instance, "i-9e0318c6f808cc1bc", "awscli-StopInstances-01"},
        {ec2_stop_instance, "i-9e0318c6f808cc1bc", "awscli-StopInstances-02"},
        {ec2_start_instance, "i-9e0318c6f808cc1bc", "awscli-StartInstances-01"},
        {ec2_start_instance, "i-9e0318c6f808cc1bc", "awscli-StartInstances-02"},
        {ec2_terminate_instance, "i-9e0318c6f808cc1bc", "awscli-TerminateInstances-01"},
        {ec2_terminate_instance, "i-0123456789abcdef0", "awscli-TerminateInstances-02"},
    };
    for (size_t i = 0; i < countof(calls); i++) {
        OWNED(form_done) struct form form = {0};
        calls[i].build(calls[i].ref, &form);
        check_form("ec2", &form);
        compare_with_capture(calls[i].capture, &form, all_of_it);
    }
    OWNED(form_done) struct form who = {0};
    sts_get_caller_identity(&who);
    check_form("sts", &who);
    compare_with_capture("awscli-GetCallerIdentity-01", &who, all_of_it);
}

/* A real client that asks for one machine, or for those in some states, names them; we ask for all
 * that have our tag, and for all with an event. */
static void every_list_is_in_the_model_and_like_a_real_clients(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(form_done) struct form one = {0};
    OWNED(form_done) struct form page = {0};
    OWNED(form_done) struct form events = {0};
    OWNED(form_done) struct form types = {0};
    ec2_describe("instance-id", "i-0a1", "", &one);
    check_form("ec2", &one);
    ec2_describe("tag:muster:vm", "vm-1", "next", &page);
    check_form("ec2", &page);
    compare_with_capture("awscli-DescribeInstances-01", &page,
                         (const char *const[]){"Filter.2", NULL});
    compare_with_capture("awscli-DescribeInstances-02", &page, all_of_it);
    ec2_describe_events("next", &events);
    check_form("ec2", &events);
    compare_with_capture("awscli-DescribeInstanceStatus-01", &events,
                         (const char *const[]){"InstanceId", NULL});
    compare_with_capture("awscli-DescribeInstanceStatus-02", &events,
                         (const char *const[]){"InstanceId", NULL});
    ec2_describe_types("next", &types);
    check_form("ec2", &types);
    compare_with_capture("awscli-DescribeInstanceTypes-02", &types,
                         (const char *const[]){"InstanceType", NULL});
}

/* The codes that we ask for are all that there are. */
static void every_kind_of_event_is_asked_for(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    size_t i;
    json_t *code;
    OWNED(form_done) struct form form = {0};
    OWNED(json_drop) json_t *model = aws_model("ec2", "DescribeInstanceStatus");
    ec2_describe_events("", &form);
    OWNED(json_drop) json_t *sent = form_read(&form);
    const json_t *codes =
        json_object_get(json_object_get(json_object_get(model, "shapes"), "EventCode"), "enum");
    json_array_foreach (codes, i, code) {
        bool asked = false;
        for (size_t n = 1; n <= json_array_size(codes); n++) {
            char key[32];
            snprintf(key, sizeof key, "Filter.1.Value.%zu", n);
            asked |= json_equal(json_object_get(sent, key), code);
        }
        if (!asked)
            fail_msg("nobody asks for %s", json_string_value(code));
    }
    assert_true(i > 0);
}

static void what_machines_left_is_asked_for_and_given_up_in_the_model(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    for (int kind = 0; kind < LEFTOVER_KIND_COUNT; kind++) {
        OWNED(form_done) struct form first = {0};
        OWNED(form_done) struct form next = {0};
        OWNED(form_done) struct form end = {0};
        const char *page = ec2_leftovers[kind].has_pages ? "two" : "";
        ec2_describe_leftovers((enum leftover_kind)kind, "lab", "", &first);
        ec2_describe_leftovers((enum leftover_kind)kind, "lab", page, &next);
        ec2_discard((enum leftover_kind)kind, "vol-0a1", &end);
        check_form("ec2", &first);
        check_form("ec2", &next);
        check_form("ec2", &end);
    }
}

static void a_launch_asks_for_one_confidential_machine_behind_imdsv2(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(form_done) struct form form = {0};
    const struct launch_order order = an_order();
    assert_ok(ec2_run_instances(&account, &order, &form, &err));
    OWNED(json_drop) json_t *sent = form_read(&form);
    static const char *const expected[][2] = {
        {"MinCount", "1"},
        {"MaxCount", "1"},
        {"CpuOptions.AmdSevSnp", "enabled"},
        {"MetadataOptions.HttpTokens", "required"},
        {"MetadataOptions.HttpPutResponseHopLimit", "1"},
        {"BlockDeviceMapping.1.Ebs.Encrypted", "true"},
        {"UserData", "aGVsbG8gd29ybGQ="},
        {"Placement.AvailabilityZone", "us-east-2a"},
    };
    for (size_t i = 0; i < countof(expected); i++)
        assert_string_equal(word(sent, expected[i][0]), expected[i][1]);
    assert_null(json_object_get(sent, "EnclaveOptions.Enabled"));
}

/* A machine without our tags could never be found again after a crash. */
static void machine_disk_and_interface_are_tagged_at_birth(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(form_done) struct form form = {0};
    const struct launch_order order = an_order();
    assert_ok(ec2_run_instances(&account, &order, &form, &err));
    OWNED(json_drop) json_t *sent = form_read(&form);
    static const char *const kinds[] = {"instance", "volume", "network-interface"};
    for (size_t i = 0; i < countof(kinds); i++) {
        char key[64];
        snprintf(key, sizeof key, "TagSpecification.%zu.ResourceType", i + 1);
        assert_string_equal(word(sent, key), kinds[i]);
        snprintf(key, sizeof key, "TagSpecification.%zu.Tag.2.Key", i + 1);
        assert_string_equal(word(sent, key), TAG_INSTANCE);
        snprintf(key, sizeof key, "TagSpecification.%zu.Tag.2.Value", i + 1);
        assert_string_equal(word(sent, key), "01020300-0000-0000-0000-000000000000");
    }
}

static void the_same_order_makes_the_same_bytes(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(form_done) struct form one = {0};
    OWNED(form_done) struct form two = {0};
    const struct launch_order order = an_order();
    assert_ok(ec2_run_instances(&account, &order, &one, &err));
    assert_ok(ec2_run_instances(&account, &order, &two, &err));
    assert_string_equal(text_str(&one.body), text_str(&two.body));
}

static void orders_that_ec2_would_refuse_never_leave(void **state)
{
    (void)state;
    struct error err = {0};
    static uint8_t big[USER_DATA_MAX + 1];
    static const char long_token[] = "0123456789012345678901234567890123456789012345678901234567890"
                                     "1234";
    const struct cloud_tag reserved[] = {{"aws:x", "1"}};
    struct launch_order orders[6];
    for (size_t i = 0; i < countof(orders); i++)
        orders[i] = an_order();
    orders[0].user_data = SPAN_OF(big);
    orders[1].client_token = long_token;
    orders[2].client_token = "t\xc3\xa4";
    orders[3].tags = reserved;
    orders[3].tag_count = 1;
    orders[4].image = NULL;
    orders[5].enclaves =
        true; /* and SEV-SNP, as every machine has that is not said to be without */
    for (size_t i = 0; i < countof(orders); i++) {
        OWNED(form_done) struct form form = {0};
        assert_fails(ec2_run_instances(&account, &orders[i], &form, &err), ERR_INVALID, "invalid");
    }
}

static void a_client_token_follows_instance_and_generation(void **state)
{
    (void)state;
    const struct uuid id = {{0xab}};
    char one[LAUNCH_TOKEN_SIZE], again[LAUNCH_TOKEN_SIZE], next[LAUNCH_TOKEN_SIZE];
    launch_token(&id, 1, one);
    launch_token(&id, 1, again);
    launch_token(&id, INT64_MAX, next);
    assert_string_equal(one, again);
    assert_string_not_equal(one, next);
    assert_true(strlen(next) <= 64);
}

static void only_real_instance_ids_are_taken(void **state)
{
    (void)state;
    assert_true(ec2_ref_is_valid("i-0123456789abcdef0"));
    assert_false(ec2_ref_is_valid("i-"));
    assert_false(ec2_ref_is_valid("i-xyz"));
    assert_false(ec2_ref_is_valid("i-12&Action=x"));
    assert_false(ec2_ref_is_valid(""));
}

static void endpoints_are_https_or_loopback(void **state)
{
    (void)state;
    struct error err = {0};
    struct endpoint out;
    assert_ok(endpoint_parse("http://127.0.0.1:4566", &out, &err));
    assert_string_equal(out.host, "127.0.0.1:4566");
    assert_string_equal(out.url, "http://127.0.0.1:4566/");
    assert_ok(endpoint_parse("https://ec2.us-east-2.amazonaws.com:443/", &out, &err));
    assert_string_equal(out.host, "ec2.us-east-2.amazonaws.com");
    static const char *const bad[] = {
        "http://ec2.us-east-2.amazonaws.com",
        "http://127.0.0.1.evil.example/",
        "ftp://x",
        "https://",
        "https://user@host/",
        "https://host/path",
        "127.0.0.1",
    };
    for (size_t i = 0; i < countof(bad); i++)
        assert_fails(endpoint_parse(bad[i], &out, &err), ERR_INVALID, "bad-endpoint");
}

static void a_parent_of_enclaves_is_launched_without_sev_snp(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(form_done) struct form form = {0};
    struct launch_order order = an_order();
    order.enclaves = true;
    order.no_snp = true;
    assert_ok(ec2_run_instances(&account, &order, &form, &err));
    OWNED(json_drop) json_t *ours = form_read(&form);
    assert_string_equal(word(ours, "EnclaveOptions.Enabled"), "true");
    assert_null(word(ours, "CpuOptions.AmdSevSnp"));
    if (vectors_folder() == NULL)
        skip();
    check_form("ec2", &form);
    compare_with_capture("awscli-RunInstances-03", &form,
                         (const char *const[]){"TagSpecification", "ClientToken", "InstanceType",
                                               "MinCount", "MaxCount", NULL});
}

static void roles_are_asked_for_as_a_real_client_does(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(form_done) struct form by_token = {0};
    OWNED(form_done) struct form by_keys = {0};
    const struct role role = {"arn:aws:iam::123456789012:role/r", "muster-1", "4711"};
    sts_assume_role_with_web_identity(&role, "eyJhbGciOiJub25lIn0.e30.", &by_token);
    check_form("sts", &by_token);
    compare_with_capture("awscli-AssumeRoleWithWebIdentity-01", &by_token, all_of_it);
    compare_with_capture("awscli-AssumeRoleWithWebIdentity-02", &by_token, all_of_it);
    sts_assume_role(&role, &by_keys);
    check_form("sts", &by_keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_launch_has_only_keys_that_the_model_knows),
        cmocka_unit_test(a_launch_says_what_a_real_client_says),
        cmocka_unit_test(every_other_call_is_in_the_model_and_like_a_real_clients),
        cmocka_unit_test(every_list_is_in_the_model_and_like_a_real_clients),
        cmocka_unit_test(every_kind_of_event_is_asked_for),
        cmocka_unit_test(what_machines_left_is_asked_for_and_given_up_in_the_model),
        cmocka_unit_test(a_launch_asks_for_one_confidential_machine_behind_imdsv2),
        cmocka_unit_test(machine_disk_and_interface_are_tagged_at_birth),
        cmocka_unit_test(the_same_order_makes_the_same_bytes),
        cmocka_unit_test(orders_that_ec2_would_refuse_never_leave),
        cmocka_unit_test(a_client_token_follows_instance_and_generation),
        cmocka_unit_test(only_real_instance_ids_are_taken),
        cmocka_unit_test(endpoints_are_https_or_loopback),
        cmocka_unit_test(a_parent_of_enclaves_is_launched_without_sev_snp),
        cmocka_unit_test(roles_are_asked_for_as_a_real_client_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
