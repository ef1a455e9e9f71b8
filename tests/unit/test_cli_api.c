/* The operator's commands against a server that the test plays: what is sent, what is shown, and
 * the exit codes of design.md section 8. */
#include "cli/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/explain.h"
#include "cli/machines.h"
#include "cli/status.h"
#include "controller/routes.h"
#include "drivers/driver.h"
#include "lib/base/file.h"
#include "lib/model/catalogue_drift.h"
#include "lib/model/verdict.h"
#include "tests/support/fake_http.h"
#include "tests/support/test.h"

struct world {
    struct fake_http *server;
    char base[64];
    struct bytes out; /* what the last command printed, NUL-terminated */
    struct bytes complaint;
};

static int set_up(void **state)
{
    struct world *w = NEW(struct world);
    w->server = fake_http_start();
    snprintf(w->base, sizeof w->base, "/tmp/muster-cli-XXXXXX");
    assert_non_null(mkdtemp(w->base));
    setenv("MUSTER_SERVER", fake_http_url(w->server), 1);
    setenv("MUSTER_TOKEN", "abc123", 1);
    unsetenv("MUSTER_CA");
    unsetenv("MUSTER_TOKEN_FILE");
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    fake_http_stop(w->server);
    bytes_done(&w->out);
    bytes_done(&w->complaint);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", w->base);
    free(w);
    return system(command);
}

static void take_back(FILE *stream, int fd, int kept, struct bytes *out)
{
    char block[4096];
    fflush(stream);
    dup2(kept, fd);
    close(kept);
    bytes_done(out);
    char path[64];
    snprintf(path, sizeof path, "/tmp/muster-cli-%d-%d", (int)getpid(), fd);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;)
        bytes_add(out, SPAN(block, n));
    fclose(file);
    unlink(path);
    bytes_add_u8(out, '\0');
}

static int send_away(FILE *stream, int fd)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/muster-cli-%d-%d", (int)getpid(), fd);
    fflush(stream);
    int kept = dup(fd);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    dup2(fileno(file), fd);
    fclose(file);
    return kept;
}

/* Runs a command and keeps what it printed. */
static int run(struct world *w, int (*command)(int, char **), const char *line)
{
    OWNED(mem_drop) char *copy = mem_text(line);
    char *words[32] = {0};
    int count = 0;
    for (char *rest = copy, *word; (word = strsep(&rest, " ")) != NULL;)
        words[count++] = word;
    int out = send_away(stdout, STDOUT_FILENO);
    int complaint = send_away(stderr, STDERR_FILENO);
    int code = command(count, words);
    take_back(stdout, STDOUT_FILENO, out, &w->out);
    take_back(stderr, STDERR_FILENO, complaint, &w->complaint);
    return code;
}

static void assert_said(const struct bytes *text, const char *part)
{
    if (strstr((const char *)text->at, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, (const char *)text->at);
}

static void assert_heard(struct world *w, unsigned n, const char *part)
{
    const char *heard = fake_http_heard(w->server, n);
    assert_non_null(heard);
    if (strstr(heard, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, heard);
}

static void a_list_is_a_table_with_all_pages(void **state)
{
    struct world *w = *state;
    fake_http_say(w->server, 200,
                  "{\"items\":[{\"name\":\"web\",\"desired\":3,\"secrets\":[\"a\",\"b\"]}],"
                  "\"cursor\":\"x/1\"}");
    fake_http_say(w->server, 200, "{\"items\":[{\"name\":\"db\",\"desired\":0}],\"cursor\":null}");
    assert_int_equal(run(w, api_main, "fleets list"), 0);
    assert_heard(w, 0, "GET /v1/fleets HTTP/1.1\r\n");
    assert_heard(w, 0, "Authorization: Bearer abc123\r\n");
    assert_heard(w, 1, "GET /v1/fleets?cursor=x%2F1 HTTP/1.1\r\n");
    assert_string_equal((char *)w->out.at,
                        "NAME  DESIRED  ACCOUNT  IMAGE  SIZE  POLICY  SECRETS  PAUSED\n"
                        "web   3        -        -      -     -       a,b      -\n"
                        "db    0        -        -      -     -       -        -\n");
}

static void json_output_is_the_same_bytes_for_the_same_answer(void **state)
{
    struct world *w = *state;
    fake_http_say(w->server, 200, "{\"items\":[{\"b\":1,\"a\":2}]}");
    assert_int_equal(run(w, api_main, "fleets list -o json"), 0);
    assert_string_equal(
        (char *)w->out.at,
        "{\n  \"items\": [\n    {\n      \"a\": 2,\n      \"b\": 1\n    }\n  ]\n}\n");
}

static void filters_travel_encoded_and_limits_end_the_walk(void **state)
{
    struct world *w = *state;
    fake_http_say(w->server, 200, "{\"items\":[{\"id\":\"1\"},{\"id\":\"2\"}],\"cursor\":\"c\"}");
    assert_int_equal(run(w, api_main, "instance list --fleet a&b --trust trusted --limit 1"), 0);
    assert_heard(w, 0, "GET /v1/instances?fleet=a%26b&trust=trusted HTTP/1.1\r\n");
    assert_null(fake_http_heard(w->server, 1));
    assert_null(strstr((char *)w->out.at, "\n2 "));
}

static void every_list_ends_at_its_limit(void **state)
{
    struct world *w = *state;
    unsigned asked = 0;
    for (size_t i = 0; i < api_command_count; i++) {
        const struct api_command *c = &api_commands[i];
        if (c->answer != ANSWERS_LIST)
            continue;
        OWNED(text_done) struct text line = {0};
        text_addf(&line, "%s %s --limit 1 -o json", c->noun, c->verb);
        if (strstr(c->path, "{}") != NULL)
            text_add(&line, " x");
        fake_http_say(w->server, 200,
                      "{\"items\":[{\"id\":\"1\"},{\"id\":\"2\"}],\"cursor\":\"c\"}");
        assert_int_equal(run(w, api_main, text_str(&line)), 0);
        assert_null(fake_http_heard(w->server, ++asked));
        assert_null(strstr((char *)w->out.at, "\"2\""));
    }
}

static void a_body_comes_from_a_file_or_from_the_words(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    char path[128];
    char line[256];
    snprintf(path, sizeof path, "%s/fleet.json", w->base);
    assert_ok(file_write(path, span_of_text("{\"name\": \"web\"}"), 0600, &err));
    snprintf(line, sizeof line, "fleets create %s", path);
    fake_http_say(w->server, 201, "{\"name\":\"web\"}");
    assert_int_equal(run(w, api_main, line), 0);
    assert_heard(w, 0, "POST /v1/fleets HTTP/1.1\r\n");
    assert_heard(w, 0, "Idempotency-Key: ");
    assert_heard(w, 0, "\r\n\r\n{\"name\":\"web\"}");
    fake_http_say(w->server, 202, "{}");
    assert_int_equal(
        run(w, api_main, "secrets generate web-key --kind opaque --scope fleet --grant web"), 0);
    assert_heard(w, 1,
                 "{\"grant_name\":\"web\",\"kind\":\"opaque\",\"name\":\"web-key\","
                 "\"origin\":\"generate\",\"scope\":\"fleet\"}");
    fake_http_say(w->server, 204, "");
    assert_int_equal(run(w, api_main, "fleets delete web --dry-run"), 0);
    assert_heard(w, 2, "DELETE /v1/fleets/web?dry_run=true HTTP/1.1\r\n");
    assert_string_equal((char *)w->out.at, "done\n");
    fake_http_say(w->server, 200, "{\"desired\":7}");
    assert_int_equal(run(w, api_main, "fleet scale web 7"), 0);
    assert_heard(w, 3, "PUT /v1/fleets/web HTTP/1.1\r\n");
    assert_heard(w, 3, "\r\n\r\n{\"desired\":7}");
}

static void a_signed_charter_travels_as_text(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    char path[128];
    char line[256];
    snprintf(path, sizeof path, "%s/charter.jws", w->base);
    snprintf(line, sizeof line, "charter apply %s", path);
    assert_ok(file_write(path, span_of_text("{\"payload\":\"x\"}\n"), 0600, &err));
    fake_http_say(w->server, 200, "{\"serial\":2}");
    assert_int_equal(run(w, api_main, line), 0);
    assert_heard(w, 0, "POST /v1/charter HTTP/1.1\r\n");
    assert_heard(w, 0, "\r\n\r\n{\"jws\":\"{\\\"payload\\\":\\\"x\\\"}\"}");
    assert_ok(file_write(path, span_of_text("\n"), 0600, &err));
    assert_int_equal(run(w, api_main, line), 2);
}

/* What is to be signed goes to a file, and not to the terminal as well. */
static void a_candidate_charter_goes_to_a_file(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    char path[128];
    char line[256];
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(json_drop) json_t *charter = NULL;
    snprintf(path, sizeof path, "%s/candidate.json", w->base);
    snprintf(line, sizeof line, "distrust generation Milan --dry-run --out %s -o json", path);
    fake_http_say(w->server, 200, "{\"charter\":{\"serial\":8},\"exposed\":[]}");
    assert_int_equal(run(w, api_main, line), 0);
    assert_heard(w, 0, "POST /v1/distrust?dry_run=true HTTP/1.1\r\n");
    assert_heard(w, 0, "\r\n\r\n{\"value\":\"Milan\",\"what\":\"generation\"}");
    assert_null(strstr((char *)w->out.at, "serial"));
    assert_non_null(strstr((char *)w->out.at, "exposed"));
    assert_ok(file_read(path, 1024, &content, &err));
    assert_ok(json_parse(bytes_span(&content), 1024, &charter, &err));
    assert_int_equal(json_integer_value(json_object_get(charter, "serial")), 8);
    snprintf(line, sizeof line, "tcb plan %s --out %s/no/such/folder/x", path, w->base);
    fake_http_say(w->server, 200, "{\"charter\":{\"serial\":8}}");
    assert_int_not_equal(run(w, api_main, line), 0);
}

static void a_table_only_names_what_fills_the_screen(void **state)
{
    struct world *w = *state;
    static const char answer[] = "{\"charter\":{\"realm\":\"simulation\"},\"jws\":\"e30\"}";
    fake_http_say(w->server, 200, answer);
    assert_int_equal(run(w, api_main, "charter get"), 0);
    assert_string_equal((char *)w->out.at, "charter  long: -o json has it\n"
                                           "jws      long: -o json has it\n");
    fake_http_say(w->server, 200, answer);
    assert_int_equal(run(w, api_main, "charter get -o json"), 0);
    assert_said(&w->out, "simulation");
}

static void a_list_of_objects_takes_a_line_for_each(void **state)
{
    struct world *w = *state;
    fake_http_say(w->server, 200,
                  "{\"name\":\"web\",\"places\":[{\"account\":\"a\",\"size\":\"s\"},"
                  "{\"account\":\"b\"}]}");
    assert_int_equal(run(w, api_main, "fleets get web"), 0);
    assert_string_equal((char *)w->out.at, "name    web\n"
                                           "places  account a, size s\n"
                                           "        account b\n");
    fake_http_say(w->server, 200,
                  "{\"flips\":{\"count\":2,\"none\":0,\"items\":[{\"to\":\"a\"},{\"to\":\"b\"}]}}");
    assert_int_equal(run(w, api_main, "fleets get web"), 0);
    assert_string_equal((char *)w->out.at, "flips  count 2\n"
                                           "       items to a\n"
                                           "             to b\n");
    fake_http_say(w->server, 200,
                  "{\"items\":[{\"account\":\"a\",\"drift\":[{\"kind\":\"x\"},{\"kind\":\"y\"}]},"
                  "{\"account\":\"b\",\"drift\":[]}]}");
    assert_int_equal(run(w, api_main, "catalogue drift"), 0);
    assert_said(&w->out, "SINCE  DRIFT\n"
                         "a        -        -        -       -        -      kind x\n"
                         "                                                   kind y\n"
                         "b        -        -        -       -        -      -\n");
}

/* The file alone must do, so that nobody plans one policy in the name of another. */
static void a_policy_says_itself_which_one_it_is(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    char path[128];
    char line[256];
    snprintf(path, sizeof path, "%s/policy.json", w->base);
    snprintf(line, sizeof line, "policy plan %s --at 2026-12-01T00:00:00Z", path);
    assert_ok(file_write(path, span_of_text("{\"name\":\"web\",\"snp\":{}}"), 0600, &err));
    fake_http_say(w->server, 200, "{\"flips\":[]}");
    assert_int_equal(run(w, api_main, line), 0);
    assert_heard(w, 0, "POST /v1/policies/web/plan?at=2026-12-01T00%3A00%3A00Z HTTP/1.1\r\n");
    assert_heard(w, 0, "\r\n\r\n{\"name\":\"web\",\"snp\":{}}");
    static const char *const nameless[] = {"{\"snp\":{}}", "{\"name\":\"\"}", "{\"name\":1}",
                                           "{\"name\":\"a/b\"}"};
    for (size_t i = 0; i < countof(nameless); i++) {
        assert_ok(file_write(path, span_of_text(nameless[i]), 0600, &err));
        assert_int_equal(run(w, api_main, line), 2);
    }
    snprintf(line, sizeof line, "policy plan web %s", path);
    assert_int_equal(run(w, api_main, line), 2);
    assert_null(fake_http_heard(w->server, 1));
}

static void evidence_comes_out_byte_for_byte(void **state)
{
    struct world *w = *state;
    fake_http_say(w->server, 200, "{ \"kind\":  \"snp\" }");
    assert_int_equal(run(w, api_main, "verdicts evidence 1 -o json"), 0);
    assert_string_equal((char *)w->out.at, "{ \"kind\":  \"snp\" }");
    fake_http_say(w->server, 403, "{\"code\":\"denied\",\"detail\":\"role\"}");
    assert_int_equal(run(w, api_main, "verdicts evidence 1"), 3);
}

static void names_cannot_leave_their_place_in_the_path(void **state)
{
    struct world *w = *state;
    fake_http_say(w->server, 404, "{\"code\":\"not-found\",\"detail\":\"no such fleet\"}");
    assert_int_equal(run(w, api_main, "fleets get ../../v1/accounts?x"), 1);
    assert_heard(w, 0, "GET /v1/fleets/..%2F..%2Fv1%2Faccounts%3Fx HTTP/1.1\r\n");
}

static void problems_are_one_line_with_the_servers_code(void **state)
{
    struct world *w = *state;
    static const struct {
        int status;
        const char *body;
        int exit_code;
        const char *line;
    } cases[] = {
        {404, "{\"code\":\"not-found\",\"detail\":\"no fleet 'x'\"}", 1,
         "muster: not-found: no fleet 'x'\n"},
        {409, "{\"code\":\"in-use\",\"detail\":\"fleet web uses it\"}", 1,
         "muster: in-use: fleet web uses it\n"},
        {422, "{\"code\":\"unknown-member\",\"detail\":\"unknown\",\"where\":\"/x\"}", 2,
         "muster: unknown-member: unknown at /x\n"},
        {422, "{\"code\":\"wrong-type\",\"detail\":\"/x: not a number\",\"where\":\"/x\"}", 2,
         "muster: wrong-type: /x: not a number\n"},
        {422, "{\"code\":\"against-the-catalogue\",\"detail\":\"breaks snp-sizes\"}", 3,
         "muster: against-the-catalogue: breaks snp-sizes\n"},
        {401, "{\"code\":\"unauthenticated\",\"title\":\"Unauthenticated\"}", 3,
         "muster: unauthenticated: Unauthenticated\n"},
        {403, "{\"code\":\"denied\",\"detail\":\"role\"}", 3, "muster: denied: role\n"},
        {503, "{\"code\":\"no-keeper\",\"detail\":\"none\"}", 4, "muster: no-keeper: none\n"},
        {429, "{\"code\":\"busy\",\"detail\":\"later\"}", 4, "muster: busy: later\n"},
        {500, "<html>", 1, "muster: internal: GET /v1/fleets/x: status 500\n"},
        {200, "not json", 1, "muster: bad-answer: GET /v1/fleets/x: "},
        {404, "{\"code\":\"a\\u001b[31m\",\"detail\":\"b\\u001b[31m\"}", 1,
         "muster: not-found: refused\n"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        fake_http_say(w->server, cases[i].status, cases[i].body);
        assert_int_equal(run(w, api_main, "fleets get x"), cases[i].exit_code);
        assert_said(&w->complaint, cases[i].line);
        assert_string_equal((char *)w->out.at, "");
    }
}

static void a_server_that_is_not_there_is_unreachable(void **state)
{
    struct world *w = *state;
    assert_int_equal(run(w, api_main, "fleets list --server=http://127.0.0.1:1"), 4);
    assert_said(&w->complaint, "muster: unreachable: ");
    fake_http_say(w->server, 0, "");
    assert_int_equal(run(w, api_main, "fleets list"), 4);
}

static void wrong_use_is_told_before_anything_is_sent(void **state)
{
    struct world *w = *state;
    static const char *const lines[] = {
        "fleets",
        "fleets paint",
        "fleets get",
        "fleets get a b",
        "fleets list --color",
        "fleets list --limit",
        "fleets list --limit 0",
        "fleets scale web many",
        "fleets create /nonexistent.json",
        "fleets list -o xml",
        "fleets list -o",
        "fleets list --server ftp://x",
        "fleets list --server http://muster.example:80",
        "fleets list --token-file /nonexistent",
        "secrets generate x --kind opaque",
        "instances list --fleet",
    };
    for (size_t i = 0; i < countof(lines); i++)
        if (run(w, api_main, lines[i]) != 2)
            fail_msg("'%s' is taken", lines[i]);
    unsetenv("MUSTER_SERVER");
    assert_int_equal(run(w, api_main, "fleets list"), 2);
    assert_said(&w->complaint, "muster: no-server: ");
    assert_null(fake_http_heard(w->server, 0));
}

static void every_command_tells_how_it_is_used(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < api_command_count; i++) {
        const struct api_command *c = &api_commands[i];
        for (int form = 0; form < 3; form++) {
            static const char *const asks[] = {"--help", "-h", "x --help"};
            OWNED(text_done) struct text line = {0};
            OWNED(text_done) struct text own = {0};
            text_addf(&line, "%s %s %s", c->noun, c->verb, asks[form]);
            text_addf(&own, "muster %s %s", c->noun, c->verb);
            assert_int_equal(run(w, api_main, text_str(&line)), 0);
            assert_said(&w->out, text_str(&own));
        }
    }
    assert_int_equal(run(w, api_main, "fleets --help"), 0);
    assert_null(fake_http_heard(w->server, 0));
}

static void a_token_comes_from_a_file_and_must_be_one(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    char path[128];
    char line[256];
    snprintf(path, sizeof path, "%s/token", w->base);
    snprintf(line, sizeof line, "fleets list --token-file %s", path);
    assert_ok(file_write(path, span_of_text("from-a-file\n"), 0600, &err));
    fake_http_say(w->server, 200, "{\"items\":[]}");
    assert_int_equal(run(w, api_main, line), 0);
    assert_heard(w, 0, "Authorization: Bearer from-a-file\r\n");
    assert_ok(file_write(path, span_of_text("a\r\nX-Evil: 1"), 0600, &err));
    assert_int_equal(run(w, api_main, line), 2);
    assert_said(&w->complaint, "muster: bad-token: ");
    assert_null(strstr((char *)w->complaint.at, "Evil"));
}

static void the_status_shows_counts_and_says_simulated(void **state)
{
    struct world *w = *state;
    fake_http_say(w->server, 200, "{\"items\":[{\"name\":\"web\"},{\"name\":\"gone\"}]}");
    fake_http_say(w->server, 200,
                  "{\"fleet\":\"web\",\"desired\":6,\"phases\":{\"running\":5,\"booting\":1,"
                  "\"failed\":0},\"trust\":{\"trusted\":5,\"pending\":1},\"levels\":{\"L1\":5},"
                  "\"reasons\":{\"phase\":{},\"trust\":{\"bad-signature\":2}},"
                  "\"simulated\":6}");
    fake_http_say(w->server, 404, "{\"code\":\"not-found\"}");
    fake_http_say(w->server, 200,
                  "{\"items\":[{\"code\":\"no-keeper\",\"severity\":\"critical\"}],\"total\":1}");
    assert_int_equal(run(w, status_main, "status"), 0);
    assert_heard(w, 1, "GET /v1/fleets/web/status HTTP/1.1\r\n");
    assert_heard(w, 3, "GET /v1/alarms HTTP/1.1\r\n");
    assert_said(&w->out, "no-keeper  critical");
    assert_said(&w->out, "FLEET  DESIRED  WHERE  PHASES                ");
    assert_said(&w->out,
                "web    6        -      running 5, booting 1  trusted 5, pending 1  L1 5 ");
    assert_said(&w->out, "  trust bad-signature 2  ");
    assert_said(&w->out, "SIMULATED: web ");
}

static void alarms_are_listed_without_a_verb(void **state)
{
    struct world *w = *state;
    static const char answer[] = "{\"items\":[{\"code\":\"no-keeper\",\"severity\":\"critical\","
                                 "\"object\":\"keepers\"}],\"total\":1}";
    fake_http_say(w->server, 200, answer);
    assert_int_equal(run(w, api_main, "alarms"), 0);
    assert_heard(w, 0, "GET /v1/alarms HTTP/1.1\r\n");
    assert_said(&w->out, "critical  no-keeper  keepers");
    fake_http_say(w->server, 200, answer);
    assert_int_equal(run(w, api_main, "alarms -o json"), 0);
    assert_said(&w->out, "\"code\": \"no-keeper\"");
    fake_http_say(w->server, 200, answer);
    assert_int_equal(run(w, api_main, "alarms --limit 1"), 0);
    assert_int_equal(run(w, api_main, "fleets"), 2); /* it has more than a list */
    assert_said(&w->complaint, "muster: invalid: 'muster fleets' does what?\nusage:\n");
    assert_int_equal(run(w, api_main, "fleets statuss web"), 2);
    assert_said(&w->complaint, "muster: invalid: 'muster fleets' does no 'statuss'\nusage:\n");
    assert_int_equal(run(w, api_main, "alarms --color"), 2);
    assert_said(&w->complaint, "'--color' is not something 'muster alarms list' takes");
}

static void an_objective_is_said_in_numbers(void **state)
{
    struct world *w = *state;
    fake_http_say(w->server, 200, "{\"name\":\"web\"}");
    assert_int_equal(run(w, api_main, "fleets objective web 99.5 300"), 0);
    assert_heard(w, 0, "PUT /v1/fleets/web HTTP/1.1\r\n");
    assert_heard(w, 0, "{\"objective\":{\"verified_percent\":99.5,\"within_seconds\":300}}");
    assert_int_equal(run(w, api_main, "fleets objective web most 300"), 2);
    assert_int_equal(run(w, api_main, "fleets objective web [1] 300"), 2);
    assert_int_equal(run(w, api_main, "fleets objective web 99 soon"), 2);
    assert_int_equal(run(w, api_main, "fleets objective web 99"), 2);
}

static void an_override_says_its_rule_and_reason_in_one_member(void **state)
{
    struct world *w = *state;
    fake_http_say(w->server, 200, "{\"overrides\":[]}");
    assert_int_equal(run(w, api_main,
                         "catalogue override snp-regions --reason mail "
                         "--ends 2027-01-01T00:00:00Z --dry-run"),
                     0);
    assert_heard(w, 0, "PUT /v1/catalogue?dry_run=true HTTP/1.1\r\n");
    assert_heard(w, 0,
                 "\r\n\r\n{\"override\":{\"ends\":\"2027-01-01T00:00:00Z\",\"reason\":\"mail\","
                 "\"rule\":\"snp-regions\"}}");
}

static void the_status_of_one_fleet_is_its_own_json(void **state)
{
    struct world *w = *state;
    fake_http_say(w->server, 200, "{\"desired\":1}");
    assert_int_equal(run(w, status_main, "status web -o json"), 0);
    assert_string_equal((char *)w->out.at, "{\n  \"desired\": 1,\n  \"fleet\": \"web\"\n}\n");
    fake_http_say(w->server, 404, "{\"code\":\"not-found\",\"detail\":\"no such fleet\"}");
    assert_int_equal(run(w, status_main, "status web"), 1);
    assert_int_equal(run(w, status_main, "status web db"), 2);
    assert_int_equal(run(w, status_main, "status --every 0"), 2);
}

static void codes_are_explained(void **state)
{
    struct world *w = *state;
    assert_int_equal(run(w, explain_main, "explain policy-tcb"), 0);
    assert_said(&w->out, "policy-tcb: ");
    assert_int_equal(run(w, explain_main, "explain vmpck-disabled -o json"), 0);
    assert_said(&w->out, "\"advice\": \"restart the machine");
    assert_int_equal(run(w, explain_main, "explain no-such-code"), 1);
    assert_int_equal(run(w, explain_main, "explain"), 2);
}

static void assert_all_explained(struct world *w, const struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        OWNED(text_done) struct text line = {0};
        text_addf(&line, "explain %s", names->words[i]);
        if (run(w, explain_main, text_str(&line)) != 0)
            fail_msg("nobody explains the %s '%s'", names->what, names->words[i]);
    }
}

/* What tables of status, drift and instances show as their reason. */
static void words_that_are_shown_as_reasons_are_explained(void **state)
{
    assert_all_explained(*state, &cloud_error_names);
    assert_all_explained(*state, &drift_kind_names);
    assert_all_explained(*state, &missing_names);
    assert_all_explained(*state, &residual_names);
}

/* Of two the second would never be read. */
static void a_code_is_explained_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < explanation_count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(explanations[i].code, explanations[k].code) == 0)
                fail_msg("'%s' is there twice", explanations[i].code);
}

static void machines_are_drawn(void **state)
{
    struct world *w = *state;
    assert_int_equal(run(w, machines_main, "machines trust"), 0);
    assert_said(&w->out, "trust\nFROM ");
    assert_int_equal(run(w, machines_main, "machines phase --dot"), 0);
    assert_said(&w->out, "digraph");
    assert_int_equal(run(w, machines_main, "machines -o json"), 0);
    assert_said(&w->out, "\"delivery\": [");
    assert_int_equal(run(w, machines_main, "machines perpetual"), 2);
}

static void no_answer_can_play_with_the_terminal(void **state)
{
    struct world *w = *state;
    fake_http_say(w->server, 200,
                  "{\"name\":\"a\\u001b[2Jb\\nc\",\"evil\\u0007\":true,\"n\":{\"k\":[1,null]}}");
    assert_int_equal(run(w, api_main, "fleets get x"), 0);
    assert_said(&w->out, "a?[2Jb?c");
    assert_said(&w->out, "evil?");
    assert_said(&w->out, "k 1,-");
    assert_null(memchr(w->out.at, '\x1b', w->out.len));
    assert_null(memchr(w->out.at, '\a', w->out.len));
}

static void add_query_of(const struct api_command *c, struct text *path)
{
    for (const struct api_argument *a = c->arguments; a->name != NULL; a++)
        if (a->place == IN_QUERY || a->place == QUERY_TRUE)
            text_addf(path, "%c%s=true", strchr(text_str(path), '?') != NULL ? '&' : '?',
                      a->member);
}

/* Every command asks for something that the controller really serves, with parameters it knows. */
static void every_command_has_its_route(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_command_count; i++) {
        struct error err = {0};
        const struct api_command *c = &api_commands[i];
        OWNED(text_done) struct text path = {0};
        for (const char *at = c->path; *at != '\0'; at++)
            text_add_span(&path, strncmp(at, "{}", 2) == 0 ? span_of_text("x")
                                 : *at == '}'              ? (struct span){0}
                                                           : SPAN(at, 1));
        add_query_of(c, &path);
        struct http_target target = {0};
        const struct route *route = NULL;
        const char *args[REQUEST_ARGS_MAX];
        char allow[64];
        assert_ok(http_target_parse(text_str(&path), &target, &err));
        assert_ok(route_find(c->method, &target, &route, args, allow, sizeof allow, &err));
        assert_ok(route_check_query(route, &target, &err));
        http_target_done(&target);
    }
}

static void every_command_of_the_table_is_well_formed(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_command_count; i++) {
        const struct api_command *c = &api_commands[i];
        int holes = 0;
        int plain = 0;
        for (const char *at = c->path; (at = strstr(at, "{}")) != NULL; at += 2)
            holes++;
        for (const struct api_argument *a = c->arguments; a->name != NULL; a++) {
            plain += a->place == IN_PATH || a->place == BODY_FILE_NAMED;
            assert_true(a < c->arguments + API_ARGUMENTS_MAX - 1);
        }
        assert_int_equal(holes, plain);
        assert_true(c->answer != ANSWERS_LIST || c->columns != NULL);
        assert_true(api_has(c->noun, c->verb));
    }
    assert_true(api_has("fleet", "list"));
    assert_true(api_has("accounts", NULL));
    assert_false(api_has("account", "test"));
    assert_false(api_has("f", NULL));
    assert_false(api_has("", NULL));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_list_is_a_table_with_all_pages),
        T(json_output_is_the_same_bytes_for_the_same_answer),
        T(filters_travel_encoded_and_limits_end_the_walk),
        T(every_list_ends_at_its_limit),
        T(a_body_comes_from_a_file_or_from_the_words),
        T(a_signed_charter_travels_as_text),
        T(a_candidate_charter_goes_to_a_file),
        T(a_table_only_names_what_fills_the_screen),
        T(a_list_of_objects_takes_a_line_for_each),
        T(a_policy_says_itself_which_one_it_is),
        T(evidence_comes_out_byte_for_byte),
        T(names_cannot_leave_their_place_in_the_path),
        T(problems_are_one_line_with_the_servers_code),
        T(a_server_that_is_not_there_is_unreachable),
        T(wrong_use_is_told_before_anything_is_sent),
        T(every_command_tells_how_it_is_used),
        T(a_token_comes_from_a_file_and_must_be_one),
        T(alarms_are_listed_without_a_verb),
        T(an_objective_is_said_in_numbers),
        T(an_override_says_its_rule_and_reason_in_one_member),
        T(the_status_shows_counts_and_says_simulated),
        T(the_status_of_one_fleet_is_its_own_json),
        T(codes_are_explained),
        T(words_that_are_shown_as_reasons_are_explained),
        cmocka_unit_test(a_code_is_explained_once),
        T(machines_are_drawn),
        T(no_answer_can_play_with_the_terminal),
        cmocka_unit_test(every_command_has_its_route),
        cmocka_unit_test(every_command_of_the_table_is_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
