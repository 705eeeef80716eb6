/* SPDX-License-Identifier: Apache-2.0 */
#include "hand/process.h"

#include "base/clock.h"
#include "base/guard.h"
#include "hand/words.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX 64

static void (*const verbs[IV_HAND_VERBS])(struct iv_job *job) = {
    [IV_HAND_RUN] = iv_job_run,
    [IV_HAND_CGROUP_KILL] = iv_job_cgroup_kill,
    [IV_HAND_CGROUP_FREEZE] = iv_job_cgroup_freeze,
    [IV_HAND_CGROUP_THAW] = iv_job_cgroup_thaw,
    [IV_HAND_OCI_KILL] = iv_job_oci_kill,
    [IV_HAND_OCI_PAUSE] = iv_job_oci_pause,
    [IV_HAND_OCI_RESUME] = iv_job_oci_resume,
    [IV_HAND_VMM_PAUSE] = iv_job_vmm_pause,
    [IV_HAND_VMM_RESUME] = iv_job_vmm_resume,
    [IV_HAND_VMM_SNAPSHOT] = iv_job_vmm_snapshot,
    [IV_HAND_VMM_KILL] = iv_job_vmm_kill,
};

int iv_job_left_ms(const struct iv_job *job)
{
    struct iv_clock clock = iv_clock_system();
    iv_ns left = job->deadline - iv_monotonic(&clock);
    return left <= 0 ? 0 : (int)(left / IV_NS_PER_MS) + 1;
}

static void report(int fd, uint64_t id, const struct iv_job *job)
{
    struct iv_buf message;
    struct iv_hand_tail tail = {.id = id, .result = job->result, .status = job->status};
    iv_buf_init(&message, IV_HAND_MESSAGE_BYTES);
    iv_words_add(&message, (struct iv_str){(const char *)&tail, sizeof tail});
    iv_words_add(&message, iv_str_of(job->cause));
    iv_words_add(&message, (struct iv_str){job->output, job->output_n});
    if (!iv_buf_failed(&message)) {
        (void)send(fd, message.p, message.n, MSG_NOSIGNAL);
    }
    iv_buf_deinit(&message);
}

static void carry_out(int fd, const struct iv_hand_options *options, const struct iv_hand_head *head,
                      const struct iv_words_list *words)
{
    static struct iv_job job; /* large; a process has one */
    struct iv_clock clock = iv_clock_system();
    job = (struct iv_job){
        .options = options,
        .words = words->items + 1,
        .count = words->count - 1,
        .deadline = iv_ns_add(iv_monotonic(&clock), head->timeout),
        .result = IV_HAND_DONE,
    };
    verbs[head->verb](&job);
    report(fd, head->id, &job);
}

/* An order that no child can be made for is answered at once. */
static void refuse(int fd, uint64_t id)
{
    static struct iv_job job;
    IV_JOB_END(&job, IV_HAND_AGAIN, "the hand has no process left for this order");
    report(fd, id, &job);
}

static void take(int fd, const struct iv_hand_options *options, struct iv_str message, int *children)
{
    struct iv_words_list words;
    struct iv_hand_head head;
    if (!iv_words_read(&words, message) || words.count == 0 || words.items[0].n != sizeof head) {
        return;
    }
    memcpy(&head, words.items[0].p, sizeof head);
    if (head.verb >= IV_HAND_VERBS) {
        return;
    }
    pid_t pid = *children < JOBS_MAX ? fork() : -1;
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
        carry_out(fd, options, &head, &words);
        _exit(0);
    }
    *children += pid > 0;
    if (pid < 0) {
        refuse(fd, head.id);
    }
}

/* It ends when the other end of its socket is closed, which nobody but the monitor has, and not by a signal
 * that is meant for the monitor. */
static void settle_in(int fd)
{
    sigset_t none;
    struct rlimit no_core = {0, 0};
    (void)prctl(PR_SET_NAME, "iv-hand");
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)setsid();
    (void)chdir("/");
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int other = STDERR_FILENO + 1; other < fd; other++) {
        (void)close(other);
    }
    (void)close_range((unsigned)fd + 1, ~0U, 0);
}

_Noreturn void iv_hand_main(int fd, const struct iv_hand_options *options)
{
    static char message[IV_HAND_MESSAGE_BYTES];
    int children = 0;
    settle_in(fd);
    for (;;) {
        ssize_t n = recv(fd, message, sizeof message, 0);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            _exit(0);
        }
        while (children > 0 && waitpid(-1, NULL, WNOHANG) > 0) {
            children--;
        }
        if (n > 0) {
            take(fd, options, (struct iv_str){message, (size_t)n}, &children);
        }
    }
}
