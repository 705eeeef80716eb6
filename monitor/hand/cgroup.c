/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups, version 2.
 * Source: Documentation/admin-guide/cgroup-v2.rst of the kernel: cgroup.kill, cgroup.freeze, cgroup.events.
 */
#include "hand/beneath.h"
#include "hand/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

struct group {
    struct iv_job *job;
    int folder;
    int events;
};

/* What the group's own files say of it. */
enum standing { STANDING_NOT_YET, STANDING_REACHED, STANDING_EMPTY, STANDING_GONE };

static bool open_group(struct group *g)
{
    struct iv_job *job = g->job;
    struct statfs about;
    if (job->options->cgroups.p == NULL) {
        IV_JOB_END(job, IV_HAND_UNSUPPORTED, "the configuration names no folder of control groups");
        return false;
    }
    g->folder = job->count != 1 ? -1 : iv_open_beneath(job->options->cgroups, job->words[0], O_DIRECTORY);
    if (g->folder < 0 && job->count == 1 && errno == ENOENT) {
        IV_JOB_END(job, IV_HAND_ABSENT, "there is no such control group");
        return false;
    }
    if (g->folder < 0) {
        IV_JOB_END(job, IV_HAND_FAILED, "that is no control group below the configured folder: %s",
                   strerror(errno));
        return false;
    }
    if (fstatfs(g->folder, &about) != 0 || about.f_type != CGROUP2_SUPER_MAGIC) {
        IV_JOB_END(job, IV_HAND_UNSUPPORTED, "the configured folder is not of control groups, version 2");
        return false;
    }
    g->events = openat(g->folder, "cgroup.events", O_RDONLY | O_CLOEXEC);
    if (g->events < 0) {
        IV_JOB_END(job, IV_HAND_ABSENT, "the control group is gone");
    }
    return g->events >= 0;
}

/* line: "frozen 1\n" or "populated 0\n". */
static enum standing standing_of(const struct group *g, const char *line)
{
    char text[256];
    ssize_t n = pread(g->events, text, sizeof text - 1, 0);
    if (n <= 0) {
        return STANDING_GONE;
    }
    text[n] = '\0';
    if (strstr(text, line) != NULL) {
        return STANDING_REACHED;
    }
    return strstr(text, "populated 0\n") != NULL ? STANDING_EMPTY : STANDING_NOT_YET;
}

static bool write_file(struct group *g, const char *name, const char *value)
{
    int fd = openat(g->folder, name, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, value, 1) == 1;
    int why = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (!written) {
        enum iv_hand_result how = why == ENOENT ? IV_HAND_UNSUPPORTED : IV_HAND_FAILED;
        IV_JOB_END(g->job, how, "cannot write %s of the control group: %s", name, strerror(why));
    }
    return written;
}

/* The kernel tells of a change of cgroup.events as an exceptional condition. */
static enum standing wait_until(const struct group *g, const char *line)
{
    struct pollfd fd = {.fd = g->events, .events = POLLPRI};
    enum standing now = standing_of(g, line);
    for (int left = iv_job_left_ms(g->job); now == STANDING_NOT_YET && left > 0;
         left = iv_job_left_ms(g->job)) {
        (void)poll(&fd, 1, left);
        now = standing_of(g, line);
    }
    return now;
}

static void act(struct iv_job *job, const char *file, const char *value, const char *line, const char *still)
{
    struct group g = {job, -1, -1};
    if (open_group(&g)) {
        if (standing_of(&g, "populated 1\n") != STANDING_REACHED) {
            IV_JOB_END(job, IV_HAND_ABSENT, "there is no process in the control group");
        } else if (write_file(&g, file, value) && wait_until(&g, line) == STANDING_NOT_YET) {
            IV_JOB_END(job, IV_HAND_AGAIN, "%s", still);
        }
    }
    if (g.folder >= 0) {
        (void)close(g.folder);
    }
    if (g.events >= 0) {
        (void)close(g.events);
    }
}

void iv_job_cgroup_kill(struct iv_job *job)
{
    act(job, "cgroup.kill", "1", "populated 0\n", "the control group was killed and still has processes");
}

void iv_job_cgroup_freeze(struct iv_job *job)
{
    act(job, "cgroup.freeze", "1", "frozen 1\n", "the control group was told to freeze and has not");
}

void iv_job_cgroup_thaw(struct iv_job *job)
{
    act(job, "cgroup.freeze", "0", "frozen 0\n", "the control group was told to thaw and has not");
}
