/* musterd: the controller. The API's edge here, the link and the workers behind service.h. */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "controller/routes.h"
#include "controller/settings.h"
#include "controller/token_command.h"
#include "controller/verify_gate.h"
#include "db/migrate.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/crypto/cert.h"

enum { PEM_MOST = 64 * 1024 };

#define DEFAULT_CONFIG "/etc/muster/musterd.conf"

struct program {
    struct musterd_settings settings;
    struct bytes cert_pem; /* both end in NUL, as the HTTP server takes them */
    struct bytes key_pem;
    struct service *service;
    struct api api;
    struct http_server *http;
};

static void program_done(struct program *p)
{
    auth_guard_free(p->api.guard);
    verify_gate_free(p->api.verify_gate);
    bytes_done(&p->cert_pem);
    bytes_wipe(&p->key_pem);
    musterd_settings_done(&p->settings);
}

/* ---- starting ------------------------------------------------------------------------------ */

/* No core, no other process of this user looking in. */
static enum outcome close_the_shutters(struct error *err)
{
    const struct rlimit none = {0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        return fail(err, ERR_INTERNAL, "forbidding core dumps: %s", strerror(errno));
    return OK;
}

static enum outcome check_key(const struct program *p, struct error *err)
{
    OWNED(cert_drop) struct cert *cert = NULL;
    OWNED(key_drop) struct key *key = NULL, *certified = NULL;
    TRY(cert_from_pem(bytes_span(&p->cert_pem), &cert, err));
    TRY(key_from_private_pem(bytes_span(&p->key_pem), &key, err));
    TRY(cert_key(cert, &certified, err));
    if (!key_equal(key, certified))
        return fail_code(err, ERR_INVALID, "bad-setting", "key-file does not belong to cert-file");
    if (cert_claimed_role(cert) != ROLE_CONTROLLER)
        return fail_code(err, ERR_INVALID, "wrong-role", "cert-file is not a controller's");
    return OK;
}

static enum outcome read_inputs(struct program *p, const char *config, struct error *err)
{
    OWNED(bytes_done) struct bytes root = {0};
    const struct musterd_settings *s = &p->settings;
    TRY(musterd_settings_read(config, &p->settings, err));
    TRY(file_read(s->cert_file, PEM_MOST, &p->cert_pem, err));
    TRY(file_read_private(s->key_file, PEM_MOST, &p->key_pem, err));
    TRY(file_read(s->root_file, PEM_MOST, &root, err));
    TRY(check_key(p, err));
    bytes_add_u8(&p->cert_pem, '\0');
    bytes_add_u8(&p->key_pem, '\0');
    return OK;
}

static enum outcome prepare_database(const struct program *p, struct error *err)
{
    OWNED(db_drop) struct db *db = NULL;
    TRY(db_open(p->settings.database, &db, err));
    return migrate(db, err);
}

/* One thread at least stays for everything else, where there is more than one. */
static int64_t verify_most(const struct musterd_settings *s)
{
    const int64_t spare = s->api_threads > 1 ? s->api_threads - 1 : 1;
    return s->verify_most < spare ? s->verify_most : spare;
}

static enum outcome open_api(struct program *p, struct error *err)
{
    struct http_server_settings http = http_server_settings_usual();
    struct listen_at at;
    TRY(listen_parse(p->settings.api_listen, "api-listen", &at, err));
    http.address = at.address;
    http.port = at.port;
    http.certificate_pem = (const char *)p->cert_pem.at;
    http.key_pem = (const char *)p->key_pem.at;
    http.workers = p->settings.api_threads;
    http.connections_most = p->settings.api_connections;
    http.per_address_most = p->settings.api_per_address;
    p->api = (struct api){
        .database = p->settings.database,
        .project = p->settings.project,
        .guard = auth_guard_new(),
        .verify_gate = verify_gate_new(verify_most(&p->settings)),
        .service = {.service = p->service,
                    .generate = service_generate,
                    .opinion = service_opinion,
                    .charter = service_charter,
                    .keepers = service_keepers,
                    .attest = service_attest,
                    .wake = service_wake},
    };
    const struct http_owner owner = api_http_owner(&p->api);
    return http_server_open(&http, &owner, &p->http, err);
}

static void add_url(struct text *out, const char *scheme, const struct listen_at *at, int port)
{
    bool v6 = strchr(at->address, ':') != NULL;
    text_addf(out, "%s://%s%s%s:%d", scheme, v6 ? "[" : "", at->address, v6 ? "]" : "", port);
}

/* One line for whoever started us: where we are to be found. */
static enum outcome say_ready(const struct program *p, struct error *err)
{
    struct listen_at api, link;
    OWNED(text_done) struct text api_url = {0}, link_url = {0};
    TRY(listen_parse(p->settings.api_listen, "api-listen", &api, err));
    TRY(listen_parse(p->settings.link_listen, "link-listen", &link, err));
    add_url(&api_url, "https", &api, http_server_port(p->http));
    add_url(&link_url, "tls+tcp", &link, service_link_port(p->service));
    OWNED(json_drop) json_t *line = json_object();
    json_put_bool(line, "ready", true);
    json_put_text(line, "api", text_str(&api_url));
    json_put_text(line, "link", text_str(&link_url));
    json_put_int(line, "pid", getpid());
    OWNED(mem_drop) char *printed = json_print(line);
    if (puts(printed) < 0 || fflush(stdout) != 0)
        return fail(err, ERR_INTERNAL, "standard output is closed");
    LOG(INFO, "controller.ready", TEXT("api", text_str(&api_url)),
        TEXT("link", text_str(&link_url)));
    return OK;
}

/* ---- running ------------------------------------------------------------------------------- */

static sigset_t ending_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    return signals;
}

static void block_signals(void)
{
    sigset_t signals = ending_signals();
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

static void wait_for_the_end(void)
{
    sigset_t signals = ending_signals();
    int number;
    while (sigwait(&signals, &number) != 0)
        ;
    LOG(INFO, "controller.stopping", INT("signal", number));
}

/* Everything is in the database, so ending in the middle of something loses nothing. */
static void end_at_once(int number)
{
    (void)number;
    static const char line[] = "musterd: stop-seconds are over, ending at once\n";
    if (write(STDERR_FILENO, line, sizeof line - 1) < 0)
        _exit(1);
    _exit(0);
}

static void stop(struct program *p)
{
    signal(SIGALRM, end_at_once);
    alarm((unsigned)p->settings.stop_seconds);
    http_server_close(TAKE(p->http));
    if (p->service != NULL && !service_stop(TAKE(p->service), p->settings.stop_seconds * 1000))
        end_at_once(0);
    alarm(0);
}

static enum outcome start(struct program *p, struct error *err)
{
    const struct service_settings settings = musterd_service_settings(&p->settings);
    TRY(prepare_database(p, err));
    TRY(service_start(&settings, &p->service, err));
    TRY(open_api(p, err));
    return say_ready(p, err);
}

/* ---- the command line ---------------------------------------------------------------------- */

static int help(FILE *out)
{
    fprintf(out, "usage: musterd [--config FILE] [--check-config]\n"
                 "       musterd token add --config FILE --role ROLE --label TEXT [--days N]\n"
                 "       musterd token revoke --config FILE --label TEXT\n"
                 "Runs a fleet of confidential machines: API, link and workers.\n\n"
                 "  --config FILE                settings (default " DEFAULT_CONFIG ")\n"
                 "  --check-config               read settings, certificate and key, then stop\n"
                 "  --help, --version\n\nsettings:\n");
    config_print_help(musterd_settings_table, musterd_settings_count, out);
    return out == stderr ? outcome_exit_code(ERR_INVALID) : 0;
}

static int end(const struct error *err)
{
    log_error("controller.failed", err);
    return outcome_exit_code(err->outcome);
}

static int run(const char *config, bool only_check)
{
    struct error err = {0};
    OWNED(program_done) struct program p = {0};
    if (close_the_shutters(&err) != OK || read_inputs(&p, config, &err) != OK)
        return end(&err);
    if (only_check)
        return printf("ok\n") < 0;
    block_signals();
    enum outcome started = start(&p, &err);
    if (started == OK)
        wait_for_the_end();
    stop(&p);
    return started == OK ? 0 : end(&err);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", no_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    const char *config = DEFAULT_CONFIG;
    bool only_check = false;
    log_start("musterd");
    if (argc > 1 && strcmp(argv[1], "token") == 0)
        return token_command(argc - 1, argv + 1);
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h')
            return help(stdout);
        if (c == 'v')
            return printf("musterd %s\n", PACKAGE_VERSION) < 0;
        if (c == '?')
            return help(stderr);
        if (c == 'c')
            config = optarg;
        else
            only_check = true;
    }
    if (optind != argc)
        return help(stderr);
    return run(config, only_check);
}
