#include "keeper/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/program.h"

/* ---- rights ------------------------------------------------------------------------------- */

static enum outcome broken(struct error *err, const char *what)
{
    return fail_code(err, ERR_INTERNAL, "sandbox", "%s: %s", what, strerror(errno));
}

static enum outcome become(const char *user, struct error *err)
{
    if (user[0] == '\0' || geteuid() != 0)
        return OK;
    const struct passwd *found = getpwnam(user);
    if (found == NULL)
        return fail_code(err, ERR_INVALID, "sandbox", "there is no user '%.40s'", user);
    if (setgroups(0, NULL) != 0 || setresgid(found->pw_gid, found->pw_gid, found->pw_gid) != 0 ||
        setresuid(found->pw_uid, found->pw_uid, found->pw_uid) != 0)
        return broken(err, "becoming another user");
    return OK;
}

/* Pages are locked as they are touched, so that unused stacks cost nothing. */
static void lock_memory(void)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
        LOG(WARN, "memory.not-locked", TEXT("why", strerror(errno)));
}

enum outcome sandbox_drop(const char *user, struct error *err)
{
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    if (geteuid() == 0 && setrlimit(RLIMIT_MEMLOCK, &all) != 0)
        LOG(WARN, "memory.limit-not-raised", TEXT("why", strerror(errno)));
    TRY(become(user, err));
    if (program_close_shutters(NULL) != OK || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return broken(err, "giving up cores and privileges");
    lock_memory();
    return OK;
}

/* ---- system calls ------------------------------------------------------------------------- */

/* clang-format off */
static const int allowed[] = {
    /* files: the folder's, and what name resolution reads */
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
    SCMP_SYS(pwrite64), SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(fstat),
    SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(lseek),
    SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(fsync),
    SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), SCMP_SYS(fchmod), SCMP_SYS(fcntl), SCMP_SYS(flock),
    SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink),
    SCMP_SYS(unlinkat), SCMP_SYS(getcwd), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    /* memory */
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock),
    SCMP_SYS(mlock2), SCMP_SYS(munlock), SCMP_SYS(membarrier),
    /* threads, time, signals */
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait), SCMP_SYS(sigaltstack), SCMP_SYS(tgkill), SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    /* who and where we are */
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrandom),
    SCMP_SYS(getrlimit), SCMP_SYS(getcpu),
    /* the network: outwards only */
    SCMP_SYS(connect), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(setsockopt),
    SCMP_SYS(getsockopt), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg),
    SCMP_SYS(recvmsg), SCMP_SYS(sendmmsg), SCMP_SYS(shutdown), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
    SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(ioctl),
};

/* Nobody asks for these by mistake. */
static const int deadly[] = {
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev), SCMP_SYS(kexec_load), SCMP_SYS(init_module), SCMP_SYS(mount),
};
/* clang-format on */

static bool add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (seccomp_rule_add(filter, action, calls[i], 0) != 0)
            return false;
    return true;
}

/* No executable memory, so what is not our code stays data. */
static bool add_memory(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, not_executable) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_executable) == 0;
}

/* Threads, not processes. clone3 hides its flags behind a pointer; without it glibc takes clone. */
static bool add_threads(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp thread =
        SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM);
    const struct scmp_arg_cmp set_name = SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME);
    const struct scmp_arg_cmp only_ask = SCMP_A2(SCMP_CMP_EQ, 0);
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, thread) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, set_name) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, only_ask) == 0;
}

/* Without bind, listen and accept there is no way in. */
static bool add_sockets(scmp_filter_ctx filter)
{
    static const uint64_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};
    for (size_t i = 0; i < countof(families); i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                             SCMP_A0(SCMP_CMP_EQ, families[i])) != 0)
            return false;
    return true;
}

static void filter_drop(scmp_filter_ctx *filter)
{
    if (*filter != NULL)
        seccomp_release(*filter);
}

static enum outcome load_filter(struct error *err)
{
    OWNED(filter_drop) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool made = filter != NULL && seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
                add_all(filter, SCMP_ACT_ALLOW, allowed, countof(allowed)) &&
                add_all(filter, SCMP_ACT_KILL_PROCESS, deadly, countof(deadly)) &&
                add_memory(filter) && add_threads(filter) && add_sockets(filter);
    if (!made || seccomp_load(filter) != 0)
        return broken(err, "closing the list of system calls");
    return OK;
}

enum outcome sandbox_close(struct error *err)
{
#ifdef __SANITIZE_ADDRESS__
    /* The sanitizer itself needs calls that the keeper does not. */
    (void)load_filter, (void)err;
    LOG(WARN, "sandbox.open", TEXT("why", "this build carries an address sanitizer"));
    return OK;
#else
    return load_filter(err);
#endif
}
