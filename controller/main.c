/* musterd: the controller. The API's edge here, the link and the workers behind service.h. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controller/routes.h"
#include "controller/settings.h"
#include "controller/token_command.h"
#include "controller/verify_gate.h"
#include "db/migrate.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/program.h"
#include "lib/crypto/cert_life.h"
#include "lib/model/charter.h"

enum { PEM_MOST = 64 * 1024 };

static const struct program program = {
    .name = "musterd",
    .commands = "       musterd token add --config FILE --role ROLE --label TEXT [--days N]\n"
                "       musterd token revoke --config FILE --label TEXT\n",
    .purpose = "Runs a fleet of confidential machines: API, link and workers.",
    .config = "/etc/muster/musterd.conf",
    .check = "read settings, certificate and key",
    .settings = musterd_settings_table,
    .setting_count = &musterd_settings_count,
    .stopping = "controller.stopping",
    .failed = "controller.failed",
    .hangup_ends = true,
};

struct musterd {
    struct musterd_settings settings;
    struct bytes cert_pem; /* both end in NUL, as the HTTP server takes them */
    struct bytes key_pem;
    struct cert *cert;
    struct key *key;
    struct charter_signers signers; /* of editions of the catalogue; nobody where none are named */
    struct service *service;
    struct api api;
    struct http_server *http;
};

static void musterd_done(struct musterd *p)
{
    auth_guard_free(p->api.guard);
    verify_gate_free(p->api.verify_gate);
    bytes_done(&p->cert_pem);
    bytes_wipe(&p->key_pem);
    cert_free(p->cert);
    key_free(p->key);
    charter_signers_done(&p->signers);
    musterd_settings_done(&p->settings);
}

/* ---- starting ------------------------------------------------------------------------------ */

/* Of the file only the certificate of our key: while keys are replaced it holds two. */
static enum outcome check_key(struct musterd *p, struct error *err)
{
    OWNED(key_drop) struct key *certified = NULL;
    TRY(key_from_private_pem(bytes_span(&p->key_pem), &p->key, err));
    TRY(cert_of_key(bytes_span(&p->cert_pem), p->key, &p->cert, err));
    TRY(cert_key(p->cert, &certified, err));
    if (!key_equal(p->key, certified))
        return fail_code(err, ERR_INVALID, "bad-setting", "key-file does not belong to cert-file");
    if (cert_claimed_role(p->cert) != ROLE_CONTROLLER)
        return fail_code(err, ERR_INVALID, "wrong-role", "cert-file is not a controller's");
    return cert_to_pem(p->cert, &p->cert_pem, err);
}

static enum outcome read_signers(struct musterd *p, struct error *err)
{
    OWNED(bytes_done) struct bytes json = {0};
    if (p->settings.catalogue_signers[0] == '\0')
        return OK;
    TRY(file_read(p->settings.catalogue_signers, PEM_MOST, &json, err));
    return charter_signers_parse(bytes_span(&json), &p->signers, err);
}

static enum outcome read_inputs(struct musterd *p, const char *config, struct error *err)
{
    OWNED(bytes_done) struct bytes root = {0};
    const struct musterd_settings *s = &p->settings;
    TRY(musterd_settings_read(config, &p->settings, err));
    TRY(file_read(s->cert_file, PEM_MOST, &p->cert_pem, err));
    TRY(file_read_private(s->key_file, PEM_MOST, &p->key_pem, err));
    TRY(file_read(s->root_file, PEM_MOST, &root, err));
    TRY(check_key(p, err));
    TRY(read_signers(p, err));
    bytes_add_u8(&p->cert_pem, '\0');
    bytes_add_u8(&p->key_pem, '\0');
    return OK;
}

static enum outcome prepare_database(const struct musterd *p, struct error *err)
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

static enum outcome open_api(struct musterd *p, struct error *err)
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
        .endorsement_roots = service_endorsement_roots(p->service),
        .catalogue_signers = &p->signers,
        .seal_key = p->key,
        .seal_cert = p->cert,
        .verify_gate = verify_gate_new(verify_most(&p->settings)),
        .service = {.service = p->service,
                    .generate = service_generate,
                    .opinion = service_opinion,
                    .keys = service_keys,
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
static enum outcome say_ready(const struct musterd *p, struct error *err)
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

/* Everything is in the database, so ending in the middle of something loses nothing. */
static void end_at_once(int number)
{
    (void)number;
    static const char line[] = "musterd: stop-seconds are over, ending at once\n";
    if (write(STDERR_FILENO, line, sizeof line - 1) < 0)
        _exit(1);
    _exit(0);
}

static void stop(struct musterd *p)
{
    signal(SIGALRM, end_at_once);
    alarm((unsigned)p->settings.stop_seconds);
    http_server_close(TAKE(p->http));
    if (p->service != NULL && !service_stop(TAKE(p->service), p->settings.stop_seconds * 1000))
        end_at_once(0);
    alarm(0);
}

static enum outcome start(struct musterd *p, struct error *err)
{
    struct service_settings settings = musterd_service_settings(&p->settings);
    settings.catalogue_signers = &p->signers;
    TRY(prepare_database(p, err));
    TRY(service_start(&settings, &p->service, err));
    TRY(open_api(p, err));
    return say_ready(p, err);
}

static enum outcome read_and_run(const struct program_call *call, struct error *err)
{
    OWNED(musterd_done) struct musterd p = {0};
    TRY(program_close_shutters(err));
    TRY(read_inputs(&p, call->config, err));
    if (call->only_check)
        return OK;
    program_block_signals(&program);
    enum outcome started = start(&p, err);
    if (started == OK)
        program_wait(&program);
    stop(&p);
    return started;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "token") == 0) {
        log_start(program.name);
        return token_command(argc - 1, argv + 1);
    }
    return program_main(&program, argc, argv, read_and_run);
}
