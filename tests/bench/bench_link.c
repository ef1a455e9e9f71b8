/* What the link costs: handshakes a second, memory of an idle peer, round trips a second. The
 * server is a process of its own, so that its memory and processor time can be told from the
 * clients'.
 *
 *     bench_link [PEERS]     prints `name value` lines */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/net/link_frame.h"
#include "tests/support/hostile_peer.h"
#include "tests/support/test.h"

enum { CLIENTS = 4, WINDOW = 16, BODY = 200, SECONDS = 4, IDLE_SECONDS = 3 };

static int port;
static struct credential guest;

/* ---- the server ---------------------------------------------------------------------------- */

/* Says its port, then serves until its standard input ends. */
static int serve(int say, int hear)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct link_settings settings = desk_settings();
    settings.peers_most = settings.strangers_most = settings.per_address_most = 100000;
    struct desk *desk = desk_open(&settings, 200000);
    int where = link_port(desk->link);
    if (write(say, &where, sizeof where) != sizeof where)
        return 1;
    char end;
    while (read(hear, &end, 1) > 0)
        ;
    return 0; /* without tidying: the clients are gone */
}

static int64_t server_rss_kib(pid_t server)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)server);
    FILE *file = fopen(path, "r");
    long pages = 0;
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static double server_seconds(pid_t server)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)server);
    FILE *file = fopen(path, "r");
    unsigned long user = 0;
    unsigned long system = 0;
    if (file == NULL || fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                               &user, &system) != 2)
        user = system = 0;
    if (file != NULL)
        fclose(file);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* ---- the clients --------------------------------------------------------------------------- */

static void hear_exactly(struct hostile *peer, size_t len)
{
    char waste[16384];
    while (len > 0) {
        size_t n = hostile_hear(peer, waste, len < sizeof waste ? len : sizeof waste);
        if (n == 0) {
            fputs("a connection was lost\n", stderr);
            exit(1);
        }
        len -= n;
    }
}

static struct hostile come(void)
{
    struct hostile peer = hostile_open(port, &(struct hostile_ways){.credential = &guest});
    if (!hostile_shake(&peer) || !hostile_frame(&peer, TYPE_HELLO, 1, 0, SPAN("", 0))) {
        fputs("a handshake failed\n", stderr);
        exit(1);
    }
    hear_exactly(&peer, FRAME_HEAD_SIZE);
    return peer;
}

static _Atomic int64_t done;
static int64_t until_ms;

static void *shake_hands(void *unused)
{
    (void)unused;
    while (clock_monotonic_ms() < until_ms) {
        struct hostile peer = come();
        hostile_close(&peer, true);
        done++;
    }
    return NULL;
}

static void *go_round(void *unused)
{
    (void)unused;
    static const uint8_t body[BODY];
    struct hostile peer = come();
    for (uint64_t id = 0; clock_monotonic_ms() < until_ms; id += WINDOW) {
        for (int i = 0; i < WINDOW; i++)
            hostile_frame(&peer, TYPE_ECHO, id, BODY, SPAN_OF(body));
        hear_exactly(&peer, (size_t)WINDOW * (FRAME_HEAD_SIZE + BODY));
        done += WINDOW;
    }
    hostile_close(&peer, false);
    return NULL;
}

static void run(pid_t server, const char *name, const char *cost, void *(*work)(void *))
{
    pthread_t threads[CLIENTS];
    double before = server_seconds(server);
    done = 0;
    until_ms = clock_monotonic_ms() + SECONDS * 1000;
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    printf("%s %lld\n", name, (long long)(done / SECONDS));
    printf("%s %.0f\n", cost, (server_seconds(server) - before) * 1e6 / (double)done);
    fflush(stdout);
}

static void hold(pid_t server, int64_t peers)
{
    struct hostile *held = mem_new((size_t)peers, sizeof *held);
    int64_t before = server_rss_kib(server);
    for (int64_t i = 0; i < peers; i++)
        held[i] = come();
    int64_t after = server_rss_kib(server);
    printf("idle_peers %lld\n", (long long)peers);
    printf("server_kib_per_idle_peer %.1f\n", (double)(after - before) / (double)peers);
    double cpu = server_seconds(server);
    hostile_pause(held[0].fd, IDLE_SECONDS * 1000); /* what is measured is this time */
    printf("idle_cpu_percent %.1f\n", (server_seconds(server) - cpu) * 100 / IDLE_SECONDS);
    run(server, "round_trips_per_second_beside_them", "server_us_per_round_trip_beside_them",
        go_round);
    for (int64_t i = 0; i < peers; i++)
        hostile_close(&held[i], true);
    free(held);
}

int main(int argc, char **argv)
{
    int64_t peers = 1000;
    struct error err;
    if (argc > 1 && number_parse(argv[1], 1, 100000, &peers, &err) != OK) {
        fputs("usage: bench_link [PEERS]\n", stderr);
        return 2;
    }
    int say[2];
    int hear[2];
    if (pipe(say) != 0 || pipe(hear) != 0)
        return 1;
    pid_t server = fork(); /* before any thread or library is up */
    if (server == 0) {
        close(hear[1]);
        return serve(say[1], hear[0]);
    }
    close(hear[0]);
    signal(SIGPIPE, SIG_IGN);
    if (server < 0 || read(say[0], &port, sizeof port) != sizeof port)
        return 1;
    guest = credential_guest();
    run(server, "handshakes_per_second", "server_us_per_handshake", shake_hands);
    run(server, "round_trips_per_second", "server_us_per_round_trip", go_round);
    hold(server, peers);
    credential_done(&guest);
    close(hear[1]);
    return waitpid(server, NULL, 0) == server ? 0 : 1;
}
