#include "tests/support/office.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

struct link_event *office_next_event(struct office *o)
{
    struct link_event *event = link_event_next(o->events, OFFICE_WAIT_MS);
    assert_non_null(event);
    return event;
}

static void read_pem(const struct deployment *d, const char *name, struct bytes *out)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(d->folder, name);
    assert_ok(file_read(path, 64 * 1024, out, &err));
}

static void listen_as_controller(struct office *o)
{
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes key_pem = {0};
    OWNED(bytes_done) struct bytes cert_pem = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(cert_drop) struct cert *cert = NULL;
    read_pem(o->d, "controller/key.pem", &key_pem);
    read_pem(o->d, "controller/cert.pem", &cert_pem);
    assert_ok(key_from_private_pem(bytes_span(&key_pem), &key, &err));
    assert_ok(cert_from_pem(bytes_span(&cert_pem), &cert, &err));
    assert_ok(link_identity_new(key, cert, &o->d->root, 1, &o->identity, &err));
    struct link_settings settings = link_settings_usual();
    settings.urls[0] = "127.0.0.1:0";
    o->events = queue_new((size_t)settings.peers_most + 64);
    assert_ok(link_listen(&settings, o->identity, o->events, &o->link, &err));
}

static void write_settings(struct office *o)
{
    struct error err = {0};
    OWNED(text_done) struct text conf = {0};
    OWNED(mem_drop) char *path = scratch_path(o->d->folder, "keeper/keeper.conf");
    text_addf(&conf, "folder = %s\ncontrollers = tls+tcp://127.0.0.1:%d\n", o->d->keeper_folder,
              link_port(o->link));
    assert_ok(file_write(path, text_span(&conf), 0644, &err));
}

void office_start_keeper(struct office *o)
{
    OWNED(text_done) struct text program = {0};
    OWNED(mem_drop) char *conf = scratch_path(o->d->folder, "keeper/keeper.conf");
    const char *build = getenv("MUSTER_BUILD");
    text_addf(&program, "%s/keeper/muster-keeper", build != NULL ? build : ".");
    o->keeper = fork();
    assert_true(o->keeper >= 0);
    if (o->keeper == 0) {
        execl(text_str(&program), "muster-keeper", "--config", conf, (char *)NULL);
        _exit(127);
    }
}

/* The keeper dials, shows a keeper's certificate and says hello. */
void office_await_keeper(struct office *o, struct hello *out)
{
    struct error err = {0};
    OWNED(link_event_drop) struct link_event *opened = office_next_event(o);
    assert_int_equal(opened->kind, LINK_OPENED);
    assert_int_equal(link_peer_role(opened->peer), ROLE_KEEPER_LINK);
    o->peer = link_peer_share(opened->peer);
    OWNED(link_event_drop) struct link_event *frame = office_next_event(o);
    assert_int_equal(frame->kind, LINK_FRAME);
    assert_int_equal(frame->type, FRAME_REQUEST);
    OWNED(json_drop) json_t *body = NULL;
    enum verb verb;
    assert_ok(message_parse(bytes_span(&frame->body), &verb, &body, &err));
    assert_int_equal(verb, VERB_HELLO);
    assert_ok(record_from_json(&hello_record, body, "", out, &err));
    link_peer_admit(o->peer, LINK_READY);
    struct hello_reply reply = {.heartbeat_seconds = 30};
    OWNED(bytes_done) struct bytes answer = {0};
    message_print_reply(&hello_reply_record, &reply, &answer);
    assert_ok(link_send(o->peer, FRAME_REPLY, frame->id, bytes_span(&answer), &err));
}

enum frame_type office_ask_with_id(struct office *o, uint64_t id, struct span request,
                                   struct bytes *out)
{
    struct error err = {0};
    assert_ok(link_send(o->peer, FRAME_REQUEST, id, request, &err));
    OWNED(link_event_drop) struct link_event *event = office_next_event(o);
    assert_int_equal(event->kind, LINK_FRAME);
    assert_int_equal(event->id, id);
    bytes_add(out, bytes_span(&event->body));
    return (enum frame_type)event->type;
}

enum frame_type office_ask(void *context, struct span request, struct bytes *out)
{
    return office_ask_with_id(context, link_id_new(), request, out);
}

int office_open(void **state)
{
    struct office *o = NEW(struct office);
    o->d = deployment_make(REALM_SIMULATION, true);
    o->d->ask = office_ask;
    o->d->ask_context = o;
    listen_as_controller(o);
    write_settings(o);
    office_start_keeper(o);
    *state = o;
    return 0;
}

int office_stop_keeper(struct office *o)
{
    int status = 0;
    if (o->keeper == 0)
        return 0;
    assert_int_equal(kill(o->keeper, SIGTERM), 0);
    assert_int_equal(waitpid(o->keeper, &status, 0), o->keeper);
    o->keeper = 0;
    return status;
}

int office_close(void **state)
{
    struct office *o = *state;
    (void)office_stop_keeper(o);
    link_peer_free(o->peer);
    assert_true(link_close(o->link, OFFICE_WAIT_MS));
    for (struct link_event *event; (event = link_event_next(o->events, 0)) != NULL;)
        link_event_free(event);
    queue_free(o->events);
    link_identity_free(o->identity);
    deployment_free(o->d);
    mem_drop(state);
    return 0;
}
