#include "emulator/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/crypto/random.h"

enum { CONFIG_EXTRA_MAX = 64 * 1024, WORDS_MAX = 32, END_WAIT_MS = 3000, REAP_MS = 20 };

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static char *run_path(const struct guests *g, const struct machine *machine, const char *name)
{
    struct text path = {0};
    text_addf(&path, "%s/%s%s%s", g->settings->run_folder, machine->ref, name[0] != '\0' ? "/" : "",
              name);
    return text_take(&path);
}

static void wipe_run(const struct guests *g, const struct machine *machine)
{
    OWNED(mem_drop) char *path = run_path(g, machine, "");
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void add_metadata(const struct guests *g, const struct machine *machine, struct text *config)
{
    if (g->metadata == NULL || g->settings->metadata_program[0] == '\0')
        return;
    OWNED(mem_drop) char *url = metadata_url(g->metadata, machine->cloud, machine);
    text_addf(config, "metadata = %s\nmetadata-endpoint = %s\nmetadata-program = %s\n",
              name_of(&account_driver_names, (int)machine->cloud), url,
              g->settings->metadata_program);
}

static enum outcome write_config(const struct guests *g, const struct machine *machine,
                                 const char *path, struct error *err)
{
    OWNED(mem_drop) char *data = machine_path(g->world, machine, "user-data");
    OWNED(mem_drop) char *socket = run_path(g, machine, "psp");
    OWNED(mem_drop) char *secrets = run_path(g, machine, "secrets");
    OWNED(mem_drop) char *hooks = machine_path(g->world, machine, "hooks.d");
    OWNED(mem_drop) char *passports = run_path(g, machine, "agent.sock");
    OWNED(text_done) struct text config = {0};
    text_addf(&config,
              "user-data = %s\ntee = simulated\ntee-socket = %s\nsecrets-dir = %s\n"
              "hooks-dir = %s\npassport-socket = %s\n",
              data, socket, secrets, hooks, passports);
    add_metadata(g, machine, &config);
    if (g->settings->agent_config[0] != '\0') {
        OWNED(bytes_done) struct bytes more = {0};
        TRY(file_read(g->settings->agent_config, CONFIG_EXTRA_MAX, &more, err));
        text_add_span(&config, bytes_span(&more));
    }
    return file_write(path, text_span(&config), 0600, err);
}

/* A disk that stays, a /run that is new at each boot. */
static enum outcome prepare(const struct guests *g, const struct machine *machine,
                            struct error *err)
{
    OWNED(mem_drop) char *config = machine_path(g->world, machine, "agent.conf");
    OWNED(mem_drop) char *data = machine_path(g->world, machine, "user-data");
    OWNED(mem_drop) char *hooks = machine_path(g->world, machine, "hooks.d");
    OWNED(mem_drop) char *secrets = run_path(g, machine, "secrets");
    OWNED(mem_drop) char *socket = run_path(g, machine, "psp");
    wipe_run(g, machine);
    TRY(folder_make(secrets, 0700, err));
    TRY(folder_make(hooks, 0700, err));
    TRY(file_write(data, bytes_span(&machine->user_data), 0600, err));
    TRY(write_config(g, machine, config, err));
    if (!machine->snp)
        return OK;
    return processor_attach(g->processor, machine->ref, socket, err);
}

/* In the child, between fork and exec: nothing here may lock or allocate. */
static void become(char *const *words, int log, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nothing = open("/dev/null", O_RDONLY);
    if (getppid() == parent && nothing >= 0 && dup2(nothing, 0) == 0 && dup2(log, 1) == 1 &&
        dup2(log, 2) == 2)
        execvp(words[0], words);
    _exit(127);
}

/* Splits in place, with {config} replaced. */
static size_t split_command(char *command, char *config, char *words[static WORDS_MAX])
{
    size_t count = 0;
    char *rest = command;
    for (char *word; count < WORDS_MAX - 1 && (word = strsep(&rest, " ")) != NULL;)
        if (word[0] != '\0')
            words[count++] = strcmp(word, "{config}") == 0 ? config : word;
    words[count] = NULL;
    return count;
}

static bool has_agents(const struct guests *g)
{
    return g->settings->agent_command[0] != '\0';
}

static void start_agent(struct guests *g, struct machine *machine)
{
    OWNED(mem_drop) char *command = mem_text(g->settings->agent_command);
    OWNED(mem_drop) char *config = machine_path(g->world, machine, "agent.conf");
    OWNED(mem_drop) char *log_path = machine_path(g->world, machine, "agent.log");
    char *words[WORDS_MAX];
    if (split_command(command, config, words) == 0)
        return;
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t parent = getpid();
    pid_t pid = log >= 0 ? fork() : -1;
    if (pid == 0)
        become(words, log, parent);
    if (log >= 0)
        close(log);
    if (pid < 0) {
        LOG(ERROR, "agent.not-started", TEXT("ref", machine->ref), TEXT("why", strerror(errno)));
        return;
    }
    machine->pid = pid;
    ledger_note(g->world->ledger, "agent-started",
                &(struct ledger_line){.ref = machine->ref, .pid = pid});
}

static void boot(struct guests *g, struct machine *machine)
{
    struct error err = {0};
    machine->boots++;
    random_fill(machine->report_id, sizeof machine->report_id);
    /* Where no agent runs nobody looks at disk, /run or processor. */
    if (has_agents(g) && prepare(g, machine, &err) != OK) {
        log_error("machine.not-booted", &err);
        snprintf(machine->reason, sizeof machine->reason, "Server.InternalError");
        world_move(g->world, machine, VM_SHUTTING_DOWN);
        return;
    }
    world_move(g->world, machine, VM_RUNNING);
    start_agent(g, machine);
}

/* Has the agent ended? Its pid is forgotten only after it was reaped: it can be nobody else's. */
static void reap(struct guests *g, struct machine *machine)
{
    int status;
    if (machine->pid == 0 || waitpid((pid_t)machine->pid, &status, WNOHANG) != (pid_t)machine->pid)
        return;
    char how[48];
    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "signal %d", WTERMSIG(status));
    else
        snprintf(how, sizeof how, "exit %d", WEXITSTATUS(status));
    ledger_note(g->world->ledger, "agent-ended",
                &(struct ledger_line){.ref = machine->ref, .pid = machine->pid, .detail = how});
    machine->pid = 0;
    if (machine->state == VM_RUNNING && g->settings->restart_ms > 0)
        machine->due_ms = clock_monotonic_ms() + g->settings->restart_ms;
}

static void tell(struct machine *machine, int signal_number)
{
    if (machine->pid != 0 && kill((pid_t)machine->pid, signal_number) != 0)
        LOG(WARN, "agent.not-told", TEXT("ref", machine->ref), TEXT("why", strerror(errno)));
}

/* The power button first; when time is up, the plug. */
static void power_off(struct guests *g, struct machine *machine, enum vm_state to, int64_t now)
{
    if (!machine->told_to_end) {
        tell(machine, SIGTERM);
        machine->told_to_end = true;
    }
    if (now < machine->due_ms)
        return;
    if (machine->pid != 0) {
        tell(machine, SIGKILL);
        return;
    }
    if (has_agents(g)) {
        processor_detach(g->processor, machine->ref);
        wipe_run(g, machine);
    }
    world_move(g->world, machine, machine->reboots && to != VM_TERMINATED ? VM_PENDING : to);
    machine->reboots = false;
}

static void move_on(struct guests *g, struct machine *machine, int64_t now)
{
    reap(g, machine);
    switch (machine->state) {
    case VM_PENDING:
        if (now >= machine->due_ms)
            boot(g, machine);
        break;
    case VM_RUNNING:
        if (machine->pid == 0 && machine->due_ms != 0 && now >= machine->due_ms) {
            machine->due_ms = 0;
            start_agent(g, machine);
        }
        break;
    case VM_STOPPING:
        power_off(g, machine, machine->halts ? VM_HALTED : VM_STOPPED, now);
        break;
    case VM_SHUTTING_DOWN:
        power_off(g, machine, VM_TERMINATED, now);
        break;
    case VM_STOPPED:
    case VM_TERMINATED:
    case VM_HALTED:
    case VM_FAILED:
    case VM_STATE_COUNT:
        break;
    }
}

static int64_t time_left(const struct machine *machine, int64_t now)
{
    if (machine->told_to_end && machine->pid != 0)
        return REAP_MS;
    if (machine->due_ms == 0)
        return 1000;
    return machine->due_ms > now ? machine->due_ms - now : REAP_MS;
}

int64_t guests_tick(struct guests *g)
{
    int64_t now = clock_monotonic_ms();
    int64_t next = 1000;
    world_tidy(g->world);
    for (size_t i = 0; i < g->world->count; i++) {
        struct machine *machine = g->world->machines[i];
        move_on(g, machine, now);
        int64_t left = time_left(machine, now);
        next = left < next ? left : next;
    }
    return next;
}

static bool any_left(struct guests *g)
{
    bool any = false;
    for (size_t i = 0; i < g->world->count; i++) {
        reap(g, g->world->machines[i]);
        any |= g->world->machines[i]->pid != 0;
    }
    return any;
}

void guests_end(struct guests *g)
{
    int64_t until = clock_monotonic_ms() + END_WAIT_MS;
    for (size_t i = 0; i < g->world->count; i++)
        tell(g->world->machines[i], SIGTERM);
    while (any_left(g)) {
        if (clock_monotonic_ms() > until)
            for (size_t i = 0; i < g->world->count; i++)
                tell(g->world->machines[i], SIGKILL);
        poll(NULL, 0, REAP_MS);
    }
    for (size_t i = 0; has_agents(g) && i < g->world->count; i++)
        wipe_run(g, g->world->machines[i]);
}
