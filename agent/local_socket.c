#include "agent/local_socket.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/queue.h"

enum { BACKLOG = 8, IDLE_MS = 60 * 1000, DEAF_MS = 1000 };

enum seat_state { SEAT_FREE, SEAT_READING, SEAT_WAITING, SEAT_WRITING };

struct seat {
    enum seat_state state;
    int fd;
    uint64_t ticket;
    int64_t until_ms;
    struct bytes in;
    struct bytes out;
    size_t sent;
};

struct want {
    uint64_t ticket;
    struct local_request request;
};

struct local_answer {
    uint64_t ticket;
    struct bytes line;
};

struct local_socket {
    struct local_plan plan;
    char *path;
    int listener;
    int bell; /* an eventfd: an answer is there, or it is time to end */
    struct seat seats[LOCAL_SEATS];
    int64_t deaf_until_ms; /* nobody is let in before */
    uint64_t next_ticket;
    struct queue *wants;
    struct queue *answers;
    _Atomic bool stopping;
    pthread_t thread;
    bool running;
};

/* ---- seats ----------------------------------------------------------------------------------- */

static void leave(struct seat *seat)
{
    close(seat->fd);
    bytes_wipe(&seat->in);
    bytes_wipe(&seat->out);
    *seat = (struct seat){0};
}

static void begin_writing(const struct local_socket *l, struct seat *seat, struct bytes *line)
{
    seat->state = SEAT_WRITING;
    seat->until_ms = clock_monotonic_ms() + l->plan.slow_ms;
    seat->out = *line;
    *line = (struct bytes){0};
}

static void refuse(const struct local_socket *l, struct seat *seat, const struct error *why)
{
    struct bytes line = {0};
    local_problem_print(why, &line);
    begin_writing(l, seat, &line);
}

static enum outcome pass_on(struct local_socket *l, struct seat *seat, struct span line,
                            struct error *err)
{
    struct local_request request = {0};
    TRY(local_request_parse(line, &request, err));
    struct want *want = NEW(struct want);
    *want = (struct want){.ticket = ++l->next_ticket, .request = request};
    if (!queue_push(l->wants, want)) {
        free(want);
        return fail_code(err, ERR_THROTTLED, "busy", "the agent is busy");
    }
    seat->ticket = l->next_ticket;
    seat->state = SEAT_WAITING;
    seat->until_ms = clock_monotonic_ms() + l->plan.answer_ms;
    l->plan.wake(l->plan.self);
    return OK;
}

static void read_more(struct local_socket *l, struct seat *seat)
{
    struct error err = {0};
    uint8_t some[LOCAL_LINE_MAX];
    ssize_t n = recv(seat->fd, some, sizeof some, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        leave(seat);
        return;
    }
    bytes_add(&seat->in, SPAN(some, (size_t)n));
    const uint8_t *end = memchr(seat->in.at, '\n', seat->in.len);
    if (end == NULL && seat->in.len <= LOCAL_LINE_MAX)
        return;
    const size_t len = end != NULL ? (size_t)(end - seat->in.at) : seat->in.len;
    if (pass_on(l, seat, SPAN(seat->in.at, len), &err) != OK)
        refuse(l, seat, &err);
}

static void write_more(struct seat *seat)
{
    ssize_t n = send(seat->fd, seat->out.at + seat->sent, seat->out.len - seat->sent,
                     MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        seat->sent += (size_t)n;
    if (n <= 0 || seat->sent == seat->out.len)
        leave(seat);
}

/* Who says nothing, reads nothing or is not answered goes. */
static void end_late(struct local_socket *l)
{
    const int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < LOCAL_SEATS; i++) {
        struct seat *seat = &l->seats[i];
        struct error err = {0};
        if (seat->state == SEAT_FREE || seat->until_ms > now_ms)
            continue;
        if (seat->state != SEAT_WAITING) {
            leave(seat);
            continue;
        }
        error_ignore(fail_code(&err, ERR_UNREACHABLE, "no-answer", "no answer came"));
        refuse(l, seat, &err);
    }
}

/* ---- the thread ------------------------------------------------------------------------------ */

static struct seat *free_seat(struct local_socket *l)
{
    for (size_t i = 0; i < LOCAL_SEATS; i++)
        if (l->seats[i].state == SEAT_FREE)
            return &l->seats[i];
    return NULL;
}

static void take_one(struct local_socket *l)
{
    struct seat *seat = free_seat(l);
    int fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) { /* no descriptor is left, say: whoever knocks is heard again in a while */
        l->deaf_until_ms = clock_monotonic_ms() + DEAF_MS;
        return;
    }
    *seat = (struct seat){
        .state = SEAT_READING, .fd = fd, .until_ms = clock_monotonic_ms() + l->plan.slow_ms};
}

static void take_answers(struct local_socket *l)
{
    uint64_t count;
    if (read(l->bell, &count, sizeof count) < 0 && errno != EAGAIN)
        LOG(WARN, "local.bell", TEXT("why", strerror(errno)));
    for (struct local_answer *a; (a = queue_pop(l->answers, 0)) != NULL;) {
        for (size_t i = 0; i < LOCAL_SEATS; i++)
            if (l->seats[i].state == SEAT_WAITING && l->seats[i].ticket == a->ticket)
                begin_writing(l, &l->seats[i], &a->line);
        bytes_wipe(&a->line);
        free(a);
    }
}

static int64_t wait_ms(const struct local_socket *l)
{
    const int64_t now_ms = clock_monotonic_ms();
    int64_t until_ms = l->deaf_until_ms > now_ms ? l->deaf_until_ms : now_ms + IDLE_MS;
    for (size_t i = 0; i < LOCAL_SEATS; i++)
        if (l->seats[i].state != SEAT_FREE && l->seats[i].until_ms < until_ms)
            until_ms = l->seats[i].until_ms;
    return until_ms > now_ms ? until_ms - now_ms : 0;
}

enum { POLL_BELL, POLL_LISTENER, POLL_SEATS, POLL_COUNT = POLL_SEATS + LOCAL_SEATS };

/* Nobody is let in while all seats are taken. One who waits is looked at only to see it leave. */
static void fill_polls(struct local_socket *l, struct pollfd polls[static POLL_COUNT])
{
    polls[POLL_BELL] = (struct pollfd){.fd = l->bell, .events = POLLIN};
    const bool deaf = free_seat(l) == NULL || clock_monotonic_ms() < l->deaf_until_ms;
    polls[POLL_LISTENER] = (struct pollfd){.fd = deaf ? -1 : l->listener, .events = POLLIN};
    for (size_t i = 0; i < LOCAL_SEATS; i++) {
        const struct seat *seat = &l->seats[i];
        polls[POLL_SEATS + i] = (struct pollfd){
            .fd = seat->state != SEAT_FREE ? seat->fd : -1,
            .events = (short)(seat->state == SEAT_READING   ? POLLIN
                              : seat->state == SEAT_WRITING ? POLLOUT
                                                            : 0),
        };
    }
}

static void serve_seat(struct local_socket *l, struct seat *seat, short events)
{
    if (events == 0)
        return;
    if (seat->state == SEAT_READING)
        read_more(l, seat);
    else if (seat->state == SEAT_WRITING)
        write_more(seat);
    else if (seat->state == SEAT_WAITING)
        leave(seat);
}

static void *serve(void *context)
{
    struct local_socket *l = context;
    while (!l->stopping) {
        struct pollfd polls[POLL_COUNT];
        fill_polls(l, polls);
        if (poll(polls, POLL_COUNT, (int)wait_ms(l)) < 0 && errno != EINTR)
            break;
        if ((polls[POLL_BELL].revents & POLLIN) != 0)
            take_answers(l);
        for (size_t i = 0; i < LOCAL_SEATS; i++)
            serve_seat(l, &l->seats[i], polls[POLL_SEATS + i].revents);
        if ((polls[POLL_LISTENER].revents & POLLIN) != 0)
            take_one(l);
        end_late(l);
    }
    return NULL;
}

/* ---- from the agent's thread ----------------------------------------------------------------- */

static void ring(struct local_socket *l)
{
    const uint64_t one = 1;
    if (write(l->bell, &one, sizeof one) < 0 && errno != EAGAIN)
        LOG(WARN, "local.bell", TEXT("why", strerror(errno)));
}

bool local_socket_next(struct local_socket *l, uint64_t *out_ticket, struct local_request *out)
{
    struct want *want = queue_pop(l->wants, 0);
    if (want == NULL)
        return false;
    *out_ticket = want->ticket;
    *out = want->request;
    free(want);
    return true;
}

void local_socket_answer(struct local_socket *l, uint64_t ticket, struct span line)
{
    struct local_answer *a = NEW(struct local_answer);
    a->ticket = ticket;
    bytes_add(&a->line, line);
    if (!queue_push(l->answers, a)) { /* who waits is told so in time */
        bytes_wipe(&a->line);
        free(a);
    }
    ring(l);
}

/* ---- opening and closing --------------------------------------------------------------------- */

static enum outcome clear_the_way(const char *path, struct error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? OK : fail(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return fail_code(err, ERR_CONFLICT, "already-there", "%s is no socket", path);
    return unlink(path) == 0 ? OK : fail(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
}

/* Its mode counts from the first moment on: nobody connects before it is known. */
static enum outcome bind_to(struct local_socket *l, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    TRY(text_copy(address.sun_path, sizeof address.sun_path, l->path, "passport-socket", err));
    TRY(clear_the_way(l->path, err));
    l->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const mode_t before = umask(0177);
    bool fine = l->listener >= 0 &&
                bind(l->listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                listen(l->listener, BACKLOG) == 0;
    const int why = errno;
    umask(before);
    return fine ? OK : fail(err, ERR_INTERNAL, "listening on %s: %s", l->path, strerror(why));
}

enum outcome local_socket_open(const struct local_plan *plan, struct local_socket **out,
                               struct error *err)
{
    struct local_socket *l = NEW(struct local_socket);
    l->plan = *plan;
    l->path = mem_text(plan->path);
    l->listener = -1;
    l->wants = queue_new(LOCAL_SEATS);
    l->answers = queue_new(2 * LOCAL_SEATS);
    l->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum outcome outcome = bind_to(l, err);
    if (outcome == OK && pthread_create(&l->thread, NULL, serve, l) != 0)
        outcome = fail(err, ERR_INTERNAL, "starting a thread");
    if (outcome != OK) {
        local_socket_close(l);
        return outcome;
    }
    l->running = true;
    *out = l;
    return OK;
}

void local_socket_close(struct local_socket *l)
{
    uint64_t ticket;
    struct local_request request;
    if (l == NULL)
        return;
    l->stopping = true;
    if (l->running) {
        ring(l);
        pthread_join(l->thread, NULL);
        unlink(l->path);
    }
    for (size_t i = 0; i < LOCAL_SEATS; i++)
        if (l->seats[i].state != SEAT_FREE)
            leave(&l->seats[i]);
    while (local_socket_next(l, &ticket, &request))
        ;
    take_answers(l);
    queue_free(l->wants);
    queue_free(l->answers);
    if (l->listener >= 0)
        close(l->listener);
    close(l->bell);
    free(l->path);
    free(l);
}
