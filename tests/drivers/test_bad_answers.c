/* What may come back instead of an answer, from the cloud or from something between: each row of
 * drivers.c says the same of it, and takes no machine for gone. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drivers/rest.h"
#include "lib/base/text.h"
#include "tests/support/fake_http.h"
#include "tests/support/test.h"

#define NAME "muster-01020300000000000000000000000000-1"
#define GOOGLE "https://www.googleapis.com/compute/v1/projects/p/zones/us-central1-a"
#define GOOGLES_MACHINE                                                                            \
    "{\"kind\":\"compute#instance\",\"id\":\"1\",\"name\":\"" NAME                                 \
    "\",\"status\":\"%s\",\"zone\":\"" GOOGLE "\"}"
#define AZURES_MACHINE                                                                             \
    "{\"name\":\"vm-1\",\"id\":\"/subscriptions/0/resourceGroups/rg/x\",\"properties\":{"          \
    "\"provisioningState\":\"Succeeded\",\"instanceView\":{\"statuses\":[{\"code\":"               \
    "\"PowerState/%s\"}]}}}"
#define AMAZONS_MACHINE                                                                            \
    "<item><instancesSet><item><instanceId>i-0123456789abcdef0</instanceId><instanceState>"        \
    "<name>%s</name></instanceState></item></instancesSet></item>"
#define AMAZONS_PAGE(machines, token)                                                              \
    "<DescribeInstancesResponse><reservationSet>" machines "</reservationSet><nextToken>" token    \
    "</nextToken></DescribeInstancesResponse>"
#define AMAZONS_CALLER                                                                             \
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/u</Arn>"         \
    "<Account>%s</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"

struct cloud_row {
    const char *name;
    const struct driver *driver;
    const char *ref;
    const char *client_token;
    const char *image, *size;
    int missing_status; /* that a machine is not there, in the cloud's own words */
    const char *missing;
    const char *machine; /* in a state, as find() gets it */
    const char *page;    /* of a list, with a next one called so */
    const char *last_page;
    const char *doubled;      /* the same machine, with members twice; NULL: it has no JSON */
    const char *refusal_body; /* a code that nobody told us of */
    const char *whose;        /* of which account somebody is */
    int searches_more;        /* calls of find() after a 404 */
};

static const struct cloud_row rows[] = {
    {.name = "aws",
     .driver = &aws_driver,
     .ref = "i-0123456789abcdef0",
     .client_token = NAME,
     .image = "ami-0123456789abcdef0",
     .size = "m6a.large",
     .missing_status = 400,
     .missing = "<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code></Error></Errors>"
                "</Response>",
     .machine = AMAZONS_PAGE(AMAZONS_MACHINE, ""),
     .page = AMAZONS_PAGE("", "%s"),
     .last_page = AMAZONS_PAGE("", ""),
     .refusal_body = "<Response><Errors><Error><Code>Unheard</Code></Error></Errors></Response>",
     .whose = AMAZONS_CALLER},
    {.name = "azure",
     .driver = &azure_driver,
     .ref = "vm-1",
     .client_token = "vm-1",
     .image = "a:b:c:d",
     .size = "Standard_DC2as_v5",
     .missing_status = 404,
     .missing = "{\"error\":{\"code\":\"ResourceNotFound\"}}",
     .machine = AZURES_MACHINE,
     .page = "{\"value\":[],\"nextLink\":\"%s\"}",
     .last_page = "{\"value\":[]}",
     .doubled = "{\"name\":\"vm-1\",\"name\":\"vm-1\",\"properties\":{}}",
     .refusal_body = "{\"error\":{\"code\":\"Unheard\"}}",
     .whose = "{\"subscriptionId\":\"%s\"}"},
    {.name = "gcp",
     .driver = &gcp_driver,
     .ref = "us-central1-a/" NAME,
     .client_token = NAME,
     .image = "projects/p/global/images/i",
     .size = "n2d-standard-2",
     .missing_status = 404,
     .missing =
         "{\"error\":{\"code\":404,\"message\":\"m\",\"errors\":[{\"reason\":\"notFound\"}]}}",
     .machine = GOOGLES_MACHINE,
     .page = "{\"kind\":\"compute#instanceAggregatedList\",\"nextPageToken\":\"%s\"}",
     .last_page = "{\"kind\":\"compute#instanceAggregatedList\"}",
     .doubled = "{\"kind\":\"compute#instance\",\"id\":\"1\",\"id\":\"2\",\"name\":\"" NAME
                "\",\"status\":\"RUNNING\",\"zone\":\"" GOOGLE "\"}",
     .refusal_body = "{\"error\":{\"code\":400,\"errors\":[{\"reason\":\"unheard\"}]}}",
     .whose = "{\"name\":\"us-central1\",\"selfLink\":\"https://www.googleapis.com/compute/v1/"
              "projects/%s/regions/us-central1\"}",
     .searches_more = 1},
};
_Static_assert(countof(rows) == ACCOUNT_DRIVER_COUNT, "each driver meets each bad answer");

struct world {
    const struct cloud_row *row;
    struct fake_http *far, *metadata;
    struct account account;
    struct cloud *cloud;
};

static void open_row(struct world *w, const struct cloud_row *row)
{
    struct error err = {0};
    *w = (struct world){.row = row, .far = fake_http_start(), .metadata = fake_http_start()};
    w->account = (struct account){.name = "bad",
                                  .driver = row->driver->id,
                                  .region = "us-central1",
                                  .zone = "us-central1-a",
                                  .owner = "tests",
                                  .subscription = "0",
                                  .resource_group = "rg",
                                  .subnet = "/subnet"};
    snprintf(w->account.project, sizeof w->account.project, "p");
    snprintf(w->account.endpoint, sizeof w->account.endpoint, "%s", fake_http_url(w->far));
    if (row->driver->id == DRIVER_GCP)
        w->account.credentials = json_pack("{s:s}", "source", "metadata-server");
    setenv("GCE_METADATA_HOST", fake_http_url(w->metadata) + strlen("http://"), 1);
    assert_ok(row->driver->open(&w->account, &w->cloud, &err));
    fake_http_say_with(w->metadata, 200, "Metadata-Flavor: Google\r\n",
                       "{\"access_token\":\"tok\",\"expires_in\":3600}");
    if (row->driver->id == DRIVER_AZURE)
        fake_http_say(w->far, 200, "{\"expires_in\":3599,\"access_token\":\"tok\"}");
}

static void world_done(struct world *w)
{
    w->row->driver->close(w->cloud);
    account_done(&w->account);
    fake_http_stop(w->far);
    fake_http_stop(w->metadata);
}

static enum outcome find(struct world *w, struct sighting *seen, struct error *err)
{
    return w->row->driver->find(w->cloud, w->row->ref, "1", seen, err);
}

static enum outcome terminate(struct world *w, struct error *err)
{
    return w->row->driver->terminate(w->cloud, w->row->ref, "1", NULL, err);
}

static enum outcome launch(struct world *w, struct error *err)
{
    struct sighting machine;
    struct cloud_operation operation;
    const struct launch_order order = {.instance = {{1, 2, 3}},
                                       .generation = 1,
                                       .fleet = "f",
                                       .client_token = w->row->client_token,
                                       .image = w->row->image,
                                       .size = w->row->size};
    return w->row->driver->launch(w->cloud, &order, &machine, &operation, err);
}

#define EACH_CLOUD(w)                                                                              \
    for (size_t nth = 0; nth < countof(rows); nth++)                                               \
        for (struct world w = {0}; w.row == NULL && (open_row(&w, &rows[nth]), true);              \
             world_done(&w))

/* ---- not found ------------------------------------------------------------------------------ */

/* A proxy, a load balancer or a wrong address says 404 of everything. */
static void a_404_in_other_words_than_the_clouds_is_not_gone(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "<html><body>404 Not Found</body></html>",
        "{}",
        "[]",
        "{\"error\":\"not found\"}",
        "{\"error\":{\"code\":\"Res",
        "404 page not found\n",
    };
    EACH_CLOUD(w)
    {
        struct sighting seen;
        for (size_t i = 0; i < countof(bodies); i++) {
            struct error err = {0};
            fake_http_say(w.far, 404, bodies[i]);
            if (find(&w, &seen, &err) != ERR_UNREACHABLE || strcmp(err.code, "server-error") != 0)
                fail_msg("%s: find: '%s' is %s", w.row->name, bodies[i], err.code);
            fake_http_say(w.far, 404, bodies[i]);
            if (terminate(&w, &err) == ERR_NOT_FOUND)
                fail_msg("%s: terminate: '%s' is %s", w.row->name, bodies[i], err.code);
        }
        struct error err = {0};
        fake_http_say(w.far, 404, bodies[1]);
        assert_fails(launch(&w, &err), ERR_AMBIGUOUS, "ambiguous");
    }
}

static void a_machine_is_gone_when_its_cloud_says_so_in_its_own_words(void **state)
{
    (void)state;
    EACH_CLOUD(w)
    {
        struct error err = {0};
        struct sighting seen;
        fake_http_say(w.far, w.row->missing_status, w.row->missing);
        for (int i = 0; i < w.row->searches_more; i++)
            fake_http_say(w.far, 200, "{\"kind\":\"compute#instanceAggregatedList\"}");
        assert_fails(find(&w, &seen, &err), ERR_NOT_FOUND, "not-found");
    }
}

/* ---- accounts that are refused --------------------------------------------------------------- */

#define EC2_ERROR(code) "<Response><Errors><Error><Code>" code "</Code></Error></Errors></Response>"
#define ARM_ERROR(code) "{\"error\":{\"code\":\"" code "\"}}"
#define GCE_ERROR(code, reason, message)                                                           \
    "{\"error\":{\"code\":" code ",\"message\":\"" message "\",\"errors\":[{\"reason\":\"" reason  \
    "\"}]}}"

/* Wrong and expired credentials, a clock that is off, a place that is not ours, an account, a
 * subscription or a project that was closed or deleted while it was in use. */
static const struct {
    enum account_driver cloud;
    int status;
    const char *body;
} refusals[] = {
    {DRIVER_AWS, 401, EC2_ERROR("AuthFailure")},
    {DRIVER_AWS, 400, EC2_ERROR("ExpiredToken")},
    {DRIVER_AWS, 403, EC2_ERROR("SignatureDoesNotMatch")},
    {DRIVER_AWS, 403, EC2_ERROR("RequestTimeTooSkewed")},
    {DRIVER_AWS, 400, EC2_ERROR("RequestExpired")},
    {DRIVER_AWS, 401, EC2_ERROR("OptInRequired")},
    {DRIVER_AWS, 400, EC2_ERROR("Blocked")},
    {DRIVER_AWS, 403, EC2_ERROR("InvalidClientTokenId")},
    {DRIVER_AZURE, 401, ARM_ERROR("InvalidAuthenticationToken")},
    {DRIVER_AZURE, 401, ARM_ERROR("ExpiredAuthenticationToken")},
    {DRIVER_AZURE, 401, ARM_ERROR("InvalidAuthenticationTokenTenant")},
    {DRIVER_AZURE, 403, ARM_ERROR("AuthorizationFailed")},
    {DRIVER_AZURE, 404, ARM_ERROR("SubscriptionNotFound")},
    {DRIVER_AZURE, 409, ARM_ERROR("ReadOnlyDisabledSubscription")},
    {DRIVER_GCP, 401, GCE_ERROR("401", "authError", "Invalid Credentials")},
    {DRIVER_GCP, 403, GCE_ERROR("403", "forbidden", "no")},
    {DRIVER_GCP, 403, GCE_ERROR("403", "accessNotConfigured", "Project p has been deleted.")},
    {DRIVER_GCP, 404, GCE_ERROR("404", "notFound", "The resource 'projects/p' was not found")},
};

static void a_refused_account_has_no_word_on_its_machines(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * countof(refusals); i++)
        EACH_CLOUD(w)
        {
            struct error err = {0};
            struct sighting seen;
            if (w.row->driver->id != refusals[i / 2].cloud)
                continue;
            fake_http_say(w.far, refusals[i / 2].status, refusals[i / 2].body);
            const enum outcome found = i % 2 == 0 ? find(&w, &seen, &err) : terminate(&w, &err);
            if (found != ERR_DENIED || strcmp(err.code, "auth") != 0)
                fail_msg("%s: %s is %s", w.row->name, refusals[i / 2].body, err.code);
        }
}

/* ---- answers that are none ------------------------------------------------------------------ */

static void say_and_find(struct world *w, const char *what, const char *body)
{
    struct error err = {0};
    struct sighting seen;
    fake_http_say(w->far, 200, body);
    if (find(w, &seen, &err) != ERR_AMBIGUOUS || strcmp(err.code, "ambiguous") != 0)
        fail_msg("%s: %s is %s", w->row->name, what, err.code);
    fake_http_say(w->far, 200, body);
    if (launch(w, &err) != ERR_AMBIGUOUS || strcmp(err.code, "ambiguous") != 0)
        fail_msg("%s: a launch: %s is %s", w->row->name, what, err.code);
}

static void a_200_with_half_a_body_html_or_nothing_is_no_answer(void **state)
{
    (void)state;
    EACH_CLOUD(w)
    {
        OWNED(mem_drop) char *half = mem_new(strlen(w.row->machine) + 1, 1);
        memcpy(half, w.row->machine, strlen(w.row->machine) / 2);
        say_and_find(&w, "half a body", half);
        say_and_find(&w, "HTML", "<html><body>ok</body></html>");
        say_and_find(&w, "an empty body", "");
    }
}

static void an_answer_of_ten_megabytes_is_left(void **state)
{
    (void)state;
    OWNED(mem_drop) char *flood = mem_new(10 * 1024 * 1024 + 1, 1);
    memset(flood, ' ', 10 * 1024 * 1024);
    EACH_CLOUD(w)
    say_and_find(&w, "a flood", flood);
}

static void members_that_come_twice_make_no_answer(void **state)
{
    (void)state;
    EACH_CLOUD(w)
    if (w.row->doubled != NULL)
        say_and_find(&w, "a double", w.row->doubled);
}

static void deep_nesting_and_entities_make_no_answer(void **state)
{
    (void)state;
    OWNED(text_done) struct text deep = {0};
    for (int i = 0; i < 5000; i++)
        text_add(&deep, "{\"a\":");
    OWNED(text_done) struct text deep_xml = {0};
    for (int i = 0; i < 5000; i++)
        text_add(&deep_xml, "<a>");
    EACH_CLOUD(w)
    {
        say_and_find(&w, "deep JSON", text_str(&deep));
        say_and_find(&w, "deep XML", text_str(&deep_xml));
        say_and_find(&w, "entities",
                     "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
                     "<DescribeInstancesResponse>&b;</DescribeInstancesResponse>");
    }
}

/* ---- words that nobody told us of ------------------------------------------------------------ */

static void a_state_that_nobody_told_us_of_is_unknown(void **state)
{
    (void)state;
    EACH_CLOUD(w)
    {
        struct error err = {0};
        struct sighting seen;
        OWNED(text_done) struct text body = {0};
        const char *at = strstr(w.row->machine, "%s");
        text_add_span(&body, SPAN(w.row->machine, (size_t)(at - w.row->machine)));
        text_addf(&body, "levitating%s", at + 2);
        fake_http_say(w.far, 200, text_str(&body));
        assert_ok(find(&w, &seen, &err));
        assert_int_equal(seen.state, MACHINE_UNKNOWN);
    }
}

static void an_error_that_nobody_told_us_of_goes_by_its_status(void **state)
{
    (void)state;
    EACH_CLOUD(w)
    {
        struct error err = {0};
        fake_http_say(w.far, 400, w.row->refusal_body);
        assert_fails(launch(&w, &err), ERR_INVALID, "invalid");
        fake_http_say(w.far, 500, w.row->refusal_body);
        assert_fails(launch(&w, &err), ERR_AMBIGUOUS, "ambiguous");
    }
}

/* ---- pages ---------------------------------------------------------------------------------- */

static void say_page(struct world *w, const char *next)
{
    OWNED(text_done) struct text body = {0};
    char name[128];
    const char *at = strstr(w->row->page, "%s");
    const bool by_address = w->row->driver->id == DRIVER_AZURE;
    snprintf(name, sizeof name, "%s%s%s", by_address ? fake_http_url(w->far) : "",
             by_address ? "/more?page=" : "", next);
    text_add_span(&body, SPAN(w->row->page, (size_t)(at - w->row->page)));
    text_addf(&body, "%s%s", name, at + 2);
    fake_http_say(w->far, 200, text_str(&body));
}

/* Also when the circle has more than one page. */
static void pages_in_a_circle_are_left_soon(void **state)
{
    (void)state;
    static const char *const circle[] = {"two", "three", "four"};
    for (size_t length = 1; length <= countof(circle); length++)
        EACH_CLOUD(w)
        {
            struct error err = {0};
            OWNED(sighting_list_done) struct sighting_list list = {0};
            for (size_t i = 0; i < 20; i++)
                say_page(&w, circle[i % length]);
            assert_fails(w.row->driver->list(w.cloud, &list, &err), ERR_UNREACHABLE,
                         "server-error");
            assert_non_null(strstr(err.text, "the same page again"));
            assert_int_equal(list.count, 0);
        }
}

static int freeze(void **state)
{
    (void)state;
    clock_freeze(clock_now());
    return 0;
}

static int thaw(void **state)
{
    (void)state;
    clock_thaw();
    return 0;
}

static unsigned pages_asked(const struct world *w)
{
    unsigned n = 0;
    while (fake_http_heard(w->far, n) != NULL)
        n++;
    return w->row->driver->id == DRIVER_AZURE ? n - 1 : n; /* one of them signs in */
}

/* The same account, that may use so little of its limits; eight pages are ready. */
static void begin_long_list(struct world *w, struct cloud **out)
{
    struct error err = {0};
    static const char *const names[] = {"2", "3", "4", "5", "6", "7", "8"};
    w->account.pace_percent = 2;
    setenv("GCE_METADATA_HOST", fake_http_url(w->metadata) + strlen("http://"), 1);
    assert_ok(w->row->driver->open(&w->account, out, &err));
    for (size_t i = 0; i < countof(names); i++)
        say_page(w, names[i]);
    fake_http_say(w->far, 200, w->row->last_page);
    fake_http_say(w->far, 200, w->row->last_page); /* Azure's power states */
}

/* A list with more pages than the limit has room for would else begin anew for ever. */
static void a_list_goes_on_where_its_limit_was_used_up(void **state)
{
    (void)state;
    EACH_CLOUD(w)
    {
        struct cloud *slow = NULL;
        struct error err = {0};
        OWNED(sighting_list_done) struct sighting_list list = {0};
        int pauses = 0;
        begin_long_list(&w, &slow);
        while (w.row->driver->list(slow, &list, &err) != OK) {
            assert_string_equal(err.code, "paced");
            assert_true(++pauses < 20);
            clock_advance_ms(err.retry_ms);
        }
        w.row->driver->close(slow);
        assert_true(pauses > 1);
        assert_int_equal(pages_asked(&w), w.row->driver->id == DRIVER_AZURE ? 9 : 8);
    }
}

/* Its first pages may know machines no more, or not yet. */
static void a_list_that_was_begun_long_ago_is_begun_anew(void **state)
{
    (void)state;
    EACH_CLOUD(w)
    {
        struct cloud *slow = NULL;
        struct error err = {0};
        OWNED(sighting_list_done) struct sighting_list list = {0};
        begin_long_list(&w, &slow);
        assert_fails(w.row->driver->list(slow, &list, &err), ERR_THROTTLED, "paced");
        const unsigned before = pages_asked(&w);
        clock_advance_ms(LISTING_KEPT_MS + 1);
        assert_int_not_equal(w.row->driver->list(slow, &list, &err), OK);
        const bool signed_in = w.row->driver->id == DRIVER_AZURE;
        const char *again = fake_http_heard(w.far, before + signed_in);
        w.row->driver->close(slow);
        assert_non_null(again);
        assert_null(strstr(again, "oken="));
        assert_null(strstr(again, "more?page"));
    }
}

/* ---- silence --------------------------------------------------------------------------------- */

/* Takes connections, hears requests, and says nothing: until the caller goes, or so long. */
enum { MUTE_MS = SILENT_MS + 200 };

struct mute {
    int listener;
    char url[64];
    pthread_t thread;
};

static void *say_nothing(void *context)
{
    const struct mute *mute = context;
    for (int fd; (fd = accept(mute->listener, NULL, NULL)) >= 0; close(fd)) {
        const int64_t until = clock_monotonic_ms() + MUTE_MS;
        char heard[4096];
        struct pollfd event = {.fd = fd, .events = POLLIN};
        for (int64_t left; (left = until - clock_monotonic_ms()) > 0;)
            if (poll(&event, 1, (int)left) > 0 && recv(fd, heard, sizeof heard, 0) <= 0)
                break;
    }
    return NULL;
}

static void mute_start(struct mute *mute)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    mute->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(mute->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(mute->listener, 16), 0);
    assert_int_equal(getsockname(mute->listener, (struct sockaddr *)&address, &len), 0);
    snprintf(mute->url, sizeof mute->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&mute->thread, NULL, say_nothing, mute), 0);
}

static void mute_stop(struct mute *mute)
{
    shutdown(mute->listener, SHUT_RDWR);
    pthread_join(mute->thread, NULL);
    close(mute->listener);
}

/* Signing in counts as well: where Azure's is, so is its token service here. */
static void an_account_that_says_nothing_is_waited_for_once(void **state)
{
    (void)state;
    EACH_CLOUD(w)
    {
        struct error err = {0};
        struct sighting seen;
        struct mute mute;
        struct account account = w.account;
        struct cloud *silent = NULL;
        mute_start(&mute);
        snprintf(account.endpoint, sizeof account.endpoint, "%s", mute.url);
        assert_ok(w.row->driver->open(&account, &silent, &err));
        const int64_t from_ms = clock_monotonic_ms();
        assert_int_not_equal(w.row->driver->find(silent, w.row->ref, "1", &seen, &err), OK);
        const int64_t once_ms = clock_monotonic_ms();
        for (int i = 0; i < 10; i++)
            assert_fails(w.row->driver->find(silent, w.row->ref, "1", &seen, &err), ERR_THROTTLED,
                         "paced");
        const int64_t all_ms = clock_monotonic_ms();
        w.row->driver->close(silent);
        mute_stop(&mute);
        assert_true(once_ms - from_ms >= SILENT_MS);
        assert_true(all_ms - once_ms < 1000);
        fake_http_say(w.far, 500, "");
        assert_fails(find(&w, &seen, &err), ERR_UNREACHABLE, "server-error"); /* it was asked */
    }
}

static enum outcome identify(struct world *w, const char *account, struct cloud_identity *who,
                             struct error *err)
{
    OWNED(text_done) struct text body = {0};
    text_add_span(&body, SPAN(w->row->whose, strcspn(w->row->whose, "%")));
    text_addf(&body, "%s%s", account, strchr(w->row->whose, '%') + strlen("%s"));
    fake_http_say(w->far, 200, text_str(&body));
    return w->row->driver->identify(w->cloud, who, err);
}

/* It is learned, compared and shown from then on. */
static void an_account_that_is_no_word_is_none(void **state)
{
    (void)state;
    char longest[2 * CLOUD_ACCOUNT_SIZE];
    snprintf(longest, sizeof longest, "%0*d", CLOUD_ACCOUNT_SIZE, 7);
    const char *const bad[] = {"", "two words", "caf\xc3\xa9", "it's", longest};
    EACH_CLOUD(w)
    {
        struct error err = {0};
        struct cloud_identity who;
        for (size_t i = 0; i < countof(bad); i++)
            assert_fails(identify(&w, bad[i], &who, &err), ERR_AMBIGUOUS, "ambiguous");
        assert_ok(identify(&w, "our-own", &who, &err));
        assert_string_equal(who.account, "our-own");
    }
}

/* Whoever waits for his turn to launch is asked whose he is before, and that may be silent too. */
static void a_turn_is_waited_for_once_as_well(void **state)
{
    (void)state;
    EACH_CLOUD(w)
    {
        struct error err = {0};
        struct mute mute;
        struct account account = w.account;
        struct cloud *silent = NULL;
        mute_start(&mute);
        snprintf(account.endpoint, sizeof account.endpoint, "%s", mute.url);
        snprintf(account.cloud_account, sizeof account.cloud_account, "ours");
        assert_ok(w.row->driver->open(&account, &silent, &err));
        const int64_t from_ms = clock_monotonic_ms();
        assert_int_not_equal(w.row->driver->turn(silent, &err), OK);
        const int64_t once_ms = clock_monotonic_ms();
        for (int i = 0; i < 3; i++)
            assert_fails(w.row->driver->turn(silent, &err), ERR_THROTTLED, "paced");
        const int64_t all_ms = clock_monotonic_ms();
        w.row->driver->close(silent);
        mute_stop(&mute);
        assert_true(once_ms - from_ms >= SILENT_MS);
        assert_true(all_ms - once_ms < 1000);
    }
}

/* AWS signs in where an account is opened, and those that wait would be opened each time. */
static void an_account_that_does_not_open_is_waited_for_once(void **state)
{
    (void)state;
    struct error err = {0};
    struct mute mute;
    struct account account = {
        .name = "bad", .driver = DRIVER_AWS, .region = "eu-west-1", .owner = "tests"};
    struct cloud *cloud = NULL;
    char file[] = "/tmp/muster-token-XXXXXX";
    const int fd = mkstemp(file);
    assert_int_equal(write(fd, "a.b.c", 5), 5);
    close(fd);
    mute_start(&mute);
    snprintf(account.endpoint, sizeof account.endpoint, "%s", mute.url);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file, 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r", 1);
    const int64_t from_ms = clock_monotonic_ms();
    assert_int_not_equal(aws_driver.open(&account, &cloud, &err), OK);
    const int64_t once_ms = clock_monotonic_ms();
    for (int i = 0; i < 3; i++)
        assert_fails(aws_driver.open(&account, &cloud, &err), ERR_THROTTLED, "paced");
    const int64_t all_ms = clock_monotonic_ms();
    mute_stop(&mute);
    unlink(file);
    assert_true(once_ms - from_ms >= SILENT_MS);
    assert_true(all_ms - once_ms < 1000);
}

int main(void)
{
    setenv("AWS_ACCESS_KEY_ID", "AKIATEST", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    unsetenv("AWS_SESSION_TOKEN");
    setenv("AZURE_TENANT_ID", "t", 1);
    setenv("AZURE_CLIENT_ID", "app", 1);
    setenv("AZURE_CLIENT_SECRET", "s3cret", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_404_in_other_words_than_the_clouds_is_not_gone),
        cmocka_unit_test(a_machine_is_gone_when_its_cloud_says_so_in_its_own_words),
        cmocka_unit_test(a_refused_account_has_no_word_on_its_machines),
        cmocka_unit_test(a_200_with_half_a_body_html_or_nothing_is_no_answer),
        cmocka_unit_test(an_answer_of_ten_megabytes_is_left),
        cmocka_unit_test(members_that_come_twice_make_no_answer),
        cmocka_unit_test(deep_nesting_and_entities_make_no_answer),
        cmocka_unit_test(a_state_that_nobody_told_us_of_is_unknown),
        cmocka_unit_test(an_error_that_nobody_told_us_of_goes_by_its_status),
        cmocka_unit_test(pages_in_a_circle_are_left_soon),
        cmocka_unit_test_setup_teardown(a_list_goes_on_where_its_limit_was_used_up, freeze, thaw),
        cmocka_unit_test_setup_teardown(a_list_that_was_begun_long_ago_is_begun_anew, freeze, thaw),
        cmocka_unit_test(an_account_that_says_nothing_is_waited_for_once),
        cmocka_unit_test(an_account_that_is_no_word_is_none),
        cmocka_unit_test(a_turn_is_waited_for_once_as_well),
        cmocka_unit_test(an_account_that_does_not_open_is_waited_for_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
