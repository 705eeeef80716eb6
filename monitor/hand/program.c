/* SPDX-License-Identifier: Apache-2.0 */
#include "hand/process.h"

#include "base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_MAX_BYTES (16u << 20) /* beyond, a program is taken to have lost its way */
#define STATUS_NOT_STARTED 127

static void drop_to(const struct iv_identity *who)
{
    bool good = !who->change ||
                (initgroups(who->user, who->gid) == 0 && setresgid(who->gid, who->gid, who->gid) == 0 &&
                 setresuid(who->uid, who->uid, who->uid) == 0);
    if (!good) {
        _exit(STATUS_NOT_STARTED);
    }
}

/* Between fork and exec: its own session and group, no input, nothing else open, no environment. */
static _Noreturn void become_program(const char *const *words, const struct iv_identity *become, int out,
                                     int failure)
{
    char *const environment[] = {NULL};
    int null = open("/dev/null", O_RDONLY);
    (void)setsid();
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGHUP, SIG_DFL);
    if (become != NULL) {
        drop_to(become);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user takes it away */
    (void)execve(words[0], (char *const *)(uintptr_t)words, environment);
    int why = errno;
    (void)!write(failure, &why, sizeof why);
    _exit(STATUS_NOT_STARTED);
}

enum flow { FLOW_MORE, FLOW_END, FLOW_ENDLESS };

/* All that is there now; what is beyond keep is read and dropped. */
static enum flow drain(struct iv_job *job, int fd, size_t keep, size_t *total)
{
    char bytes[8192];
    for (;;) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n <= 0) {
            return n == 0 ? FLOW_END : FLOW_MORE;
        }
        size_t room = keep - job->output_n;
        size_t kept = (size_t)n < room ? (size_t)n : room;
        memcpy(job->output + job->output_n, bytes, kept);
        job->output_n += kept;
        *total += (size_t)n;
        if (*total > READ_MAX_BYTES) {
            return FLOW_ENDLESS;
        }
    }
}

/* Until it has exited; what it has left running may keep its output open. False: the deadline came, or there
 * was no end of its output. */
static bool wait_for(struct iv_job *job, int pidfd, int fd, size_t keep)
{
    struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    size_t total = 0;
    for (int left = iv_job_left_ms(job); left > 0; left = iv_job_left_ms(job)) {
        if (poll(fds, IV_COUNT(fds), left) < 0) {
            continue;
        }
        enum flow flow = drain(job, fd, keep, &total);
        if (fds[0].revents != 0 || flow == FLOW_ENDLESS) {
            return flow != FLOW_ENDLESS;
        }
        fds[1].fd = flow == FLOW_END ? -1 : fd;
    }
    return false;
}

static bool conclude(struct iv_job *job, const char *program, int status, int failure)
{
    int why = 0;
    if (read(failure, &why, sizeof why) == sizeof why) {
        IV_JOB_END(job, IV_HAND_FAILED, "'%s' cannot be started: %s", program, strerror(why));
        return false;
    }
    if (WIFSIGNALED(status)) {
        IV_JOB_END(job, IV_HAND_FAILED, "'%s' was ended by signal %d", program, WTERMSIG(status));
        return false;
    }
    job->status = WEXITSTATUS(status);
    return true;
}

/* Its group of processes ends with it, before its number can be another's. */
static bool follow(struct iv_job *job, const char *program, pid_t pid, const int *pipes, size_t keep)
{
    int status = 0;
    int pidfd = pidfd_open(pid, 0);
    bool ended = pidfd >= 0 && wait_for(job, pidfd, pipes[0], keep);
    (void)kill(-pid, SIGKILL);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    iv_orphans_end();
    if (pidfd >= 0) {
        (void)close(pidfd);
    }
    if (!ended) {
        IV_JOB_END(job, IV_HAND_AGAIN, "'%s' did not end in time, and was killed", program);
    }
    return ended && conclude(job, program, status, pipes[2]);
}

bool iv_program_run(struct iv_job *job, const char *const *words, const struct iv_identity *become,
                    size_t keep)
{
    int pipes[4]; /* what it writes; why it was not started */
    job->output_n = 0;
    if (pipe2(pipes, O_CLOEXEC) != 0 || pipe2(pipes + 2, O_CLOEXEC) != 0) {
        IV_JOB_END(job, IV_HAND_AGAIN, "cannot make a pipe: %s", strerror(errno));
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        become_program(words, become, pipes[1], pipes[3]);
    }
    (void)close(pipes[1]);
    (void)close(pipes[3]);
    (void)fcntl(pipes[0], F_SETFL, O_NONBLOCK);
    bool ended = false;
    if (pid < 0) {
        IV_JOB_END(job, IV_HAND_AGAIN, "cannot start a process: %s", strerror(errno));
    } else {
        ended = follow(job, words[0], pid, pipes, keep < sizeof job->output ? keep : sizeof job->output);
    }
    (void)close(pipes[0]);
    (void)close(pipes[2]);
    return ended;
}
