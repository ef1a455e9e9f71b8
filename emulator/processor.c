#include "emulator/processor.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/text.h"

enum { LINE_SIZE = 4096, PATIENCE_SECONDS = 2, HOSTS = 4 };

struct door {
    char ref[REF_SIZE];
    int fd;
};

struct processor {
    struct world *world;
    const struct images *images;
    struct psp *psp;
    pthread_t thread;
    pthread_mutex_t lock; /* over what follows */
    struct door *doors;
    size_t count;
    bool ending;
    int wake;
};

static void nudge(const struct processor *p)
{
    const uint64_t one = 1;
    if (write(p->wake, &one, sizeof one) < 0 && errno != EAGAIN)
        LOG(WARN, "processor.not-woken", TEXT("why", strerror(errno)));
}

static bool read_line(int fd, char line[static LINE_SIZE])
{
    size_t len = 0;
    while (len < LINE_SIZE - 1) {
        ssize_t got = recv(fd, line + len, LINE_SIZE - 1 - len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        len += (size_t)got;
        line[len] = '\0';
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
            return true;
        }
    }
    return false;
}

static void send_all(int fd, struct span what)
{
    while (what.len > 0) {
        ssize_t sent = send(fd, what.at, what.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return; /* the guest went away; it will ask again */
        what = span_part(what, (size_t)sent, what.len);
    }
}

/* Every boot lands on one of a few hosts, each with a chip of its own. */
static void choose_chip(const struct machine *machine, struct psp_wish *wish)
{
    char host[64];
    uint8_t wide[SHA512_SIZE];
    snprintf(host, sizeof host, "muster-sim host %lld",
             (long long)((machine->ordinal + machine->boots) % HOSTS));
    digest(DIGEST_SHA512, span_of_text(host), wide);
    memcpy(wish->chip_id, wide, sizeof wish->chip_id);
}

/* What only this machine has, over all its boots: a measured direct boot reports it. */
static void choose_host_data(const struct machine *machine, struct psp_wish *wish)
{
    char anchor[64];
    snprintf(anchor, sizeof anchor, "muster-sim anchor %s", machine->ref);
    digest(DIGEST_SHA256, span_of_text(anchor), wish->host_data);
}

/* A VLEK is a region's; so far only EC2's say it in a way that is known. */
static void choose_provider(const struct machine *machine, struct psp_wish *wish)
{
    static const char *const domains[ACCOUNT_DRIVER_COUNT] = {
        [DRIVER_AWS] = "amazonaws.com",
        [DRIVER_AZURE] = "azure.simulated",
        [DRIVER_GCP] = "google.simulated",
    };
    OWNED(text_done) struct text id = {0};
    text_addf(&id, "CN=cc-%s.%s", machine->region, domains[machine->cloud]);
    snprintf(wish->csp_id, sizeof wish->csp_id, "%.99s", text_str(&id));
}

static enum psp_tamper choose_tamper(const struct machine *machine, const struct image *image)
{
    const char *tag = machine_mark(machine, "muster-sim:tamper");
    const char *word = machine->tamper[0] != '\0' ? machine->tamper : tag;
    int tamper = (int)image->tamper;
    if (word != NULL)
        error_ignore(name_parse(&psp_tamper_names, word, &tamper, NULL));
    return (enum psp_tamper)tamper;
}

static enum outcome make_wish(struct processor *p, const char *ref, struct psp_wish *out,
                              struct error *err)
{
    pthread_mutex_lock(&p->world->lock);
    const struct machine *machine = world_find(p->world, ref);
    const struct image *image =
        machine != NULL ? images_find(p->images, machine->cloud, machine->image) : NULL;
    enum outcome outcome = OK;
    if (machine == NULL || image == NULL || machine->state != VM_RUNNING || !machine->snp) {
        outcome = fail(err, ERR_CONFLICT, "this machine has no security processor now");
    } else {
        *out = psp_wish(image->flavour);
        memcpy(out->measurement, image->measurement, sizeof out->measurement);
        memcpy(out->report_id, machine->report_id, sizeof out->report_id);
        choose_chip(machine, out);
        choose_host_data(machine, out);
        choose_provider(machine, out);
        out->tamper = choose_tamper(machine, image);
    }
    pthread_mutex_unlock(&p->world->lock);
    return outcome;
}

static enum outcome make_report(struct processor *p, const char *ref, const char *line,
                                json_t *answer, struct error *err)
{
    OWNED(json_drop) json_t *asked = NULL;
    OWNED(bytes_done) struct bytes report = {0};
    OWNED(bytes_done) struct bytes table = {0};
    struct psp_wish wish;
    uint8_t report_data[SNP_REPORT_DATA_SIZE];
    TRY(json_parse(span_of_text(line), LINE_SIZE, &asked, err));
    TRY(json_get_hex(asked, "", "report_data", report_data, sizeof report_data, err));
    TRY(make_wish(p, ref, &wish, err));
    memcpy(wish.report_data, report_data, sizeof wish.report_data);
    TRY(psp_report(p->psp, &wish, &report, &table, err));
    json_put_base64(answer, "report", bytes_span(&report));
    if (wish.tamper != PSP_NO_TABLE)
        json_put_base64(answer, "cert_table", bytes_span(&table));
    return OK;
}

static void serve(struct processor *p, const char *ref, int fd)
{
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    char line[LINE_SIZE];
    if (!read_line(fd, line))
        return;
    struct error err = {0};
    OWNED(json_drop) json_t *answer = json_object();
    if (make_report(p, ref, line, answer, &err) != OK) {
        bool clean = text_is_clean(span_of_text(err.text)); /* it may quote the guest */
        json_put_text(answer, "error", clean ? err.text : "(message is not clean text)");
    }
    OWNED(mem_drop) char *text = json_print(answer);
    OWNED(text_done) struct text out = {0};
    text_addf(&out, "%s\n", text);
    send_all(fd, text_span(&out));
}

/* The door may have been taken away since we looked, and its number given to another one. */
static int let_in(struct processor *p, const struct door *door)
{
    int fd = -1;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->count; i++)
        if (p->doors[i].fd == door->fd && strcmp(p->doors[i].ref, door->ref) == 0)
            fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC);
    pthread_mutex_unlock(&p->lock);
    return fd;
}

static void open_door(struct processor *p, const struct door *door)
{
    int fd = let_in(p, door);
    if (fd < 0)
        return;
    serve(p, door->ref, fd);
    close(fd);
}

static struct door *copy_doors(struct processor *p, size_t *count, bool *ending)
{
    pthread_mutex_lock(&p->lock);
    struct door *copy = mem_new(p->count + 1, sizeof *copy);
    if (p->count > 0)
        memcpy(copy, p->doors, p->count * sizeof *copy);
    *count = p->count;
    *ending = p->ending;
    pthread_mutex_unlock(&p->lock);
    return copy;
}

static void *attend(void *context)
{
    struct processor *p = context;
    for (;;) {
        size_t count;
        bool ending;
        OWNED(mem_drop) struct door *doors = copy_doors(p, &count, &ending);
        if (ending)
            return NULL;
        OWNED(mem_drop) struct pollfd *waits = mem_new(count + 1, sizeof *waits);
        for (size_t i = 0; i < count; i++)
            waits[i] = (struct pollfd){.fd = doors[i].fd, .events = POLLIN};
        waits[count] = (struct pollfd){.fd = p->wake, .events = POLLIN};
        if (poll(waits, count + 1, -1) < 0)
            continue;
        uint64_t unused;
        if (waits[count].revents != 0 && read(p->wake, &unused, sizeof unused) > 0)
            continue; /* the doors changed */
        for (size_t i = 0; i < count; i++)
            if (waits[i].revents != 0)
                open_door(p, &doors[i]);
    }
}

enum outcome processor_open(struct world *world, const struct images *images, struct psp *psp,
                            struct processor **out, struct error *err)
{
    struct processor *p = NEW(struct processor);
    p->world = world;
    p->images = images;
    p->psp = psp;
    pthread_mutex_init(&p->lock, NULL);
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->wake < 0 || pthread_create(&p->thread, NULL, attend, p) != 0) {
        free(p);
        return fail(err, ERR_INTERNAL, "the security processor does not start");
    }
    *out = p;
    return OK;
}

void processor_close(struct processor *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_mutex_unlock(&p->lock);
    nudge(p);
    pthread_join(p->thread, NULL);
    for (size_t i = 0; i < p->count; i++)
        close(p->doors[i].fd);
    free(p->doors);
    close(p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static enum outcome listen_at(const char *path, int *out, struct error *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    TRY(text_copy(at.sun_path, sizeof at.sun_path, path, "run-folder", err));
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 8) != 0) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        return fail(err, ERR_INTERNAL, "%s: %s", path, strerror(why));
    }
    *out = fd;
    return OK;
}

enum outcome processor_attach(struct processor *p, const char *ref, const char *path,
                              struct error *err)
{
    int fd;
    processor_detach(p, ref);
    TRY(listen_at(path, &fd, err));
    pthread_mutex_lock(&p->lock);
    p->doors = mem_resize(p->doors, p->count + 1, sizeof *p->doors);
    struct door *door = &p->doors[p->count++];
    snprintf(door->ref, sizeof door->ref, "%s", ref);
    door->fd = fd;
    pthread_mutex_unlock(&p->lock);
    nudge(p);
    return OK;
}

void processor_detach(struct processor *p, const char *ref)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->doors[i].ref, ref) == 0) {
            close(p->doors[i].fd);
            p->doors[i] = p->doors[--p->count];
            break;
        }
    pthread_mutex_unlock(&p->lock);
    nudge(p);
}
