/* SPDX-License-Identifier: Apache-2.0 */
/* The process that has a virtual machine: it is found by the API socket that it listens on. */
#include "hand/beneath.h"
#include "hand/process.h"

#include "base/json_write.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX_BYTES 8192
#define REQUEST_MAX_BYTES 16384

/* -1: nobody listens. */
static int connect_to(int socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* The listener's number; 0: nobody listens. */
static pid_t listener(int socket_path)
{
    struct ucred who = {.pid = 0};
    socklen_t n = sizeof who;
    int fd = connect_to(socket_path);
    bool there = fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return there ? who.pid : 0;
}

/* A handle of the process that listens now. It is asked for twice: who answers with the same number after the
 * handle was taken is who the handle is of. */
static int handle_of(int socket_path, bool *nobody)
{
    pid_t pid = listener(socket_path);
    *nobody = pid == 0;
    int handle = pid <= 1 ? -1 : pidfd_open(pid, 0);
    if (handle >= 0 && listener(socket_path) != pid) {
        (void)close(handle);
        *nobody = true;
        return -1;
    }
    return handle;
}

static void end(struct iv_job *job, int handle)
{
    struct pollfd fd = {.fd = handle, .events = POLLIN};
    if (pidfd_send_signal(handle, SIGKILL, NULL, 0) != 0) {
        IV_JOB_END(job, errno == ESRCH ? IV_HAND_ABSENT : IV_HAND_FAILED,
                   "cannot kill the process behind the socket: %s", strerror(errno));
        return;
    }
    int left = iv_job_left_ms(job);
    while (left > 0 && poll(&fd, 1, left) <= 0) {
        left = iv_job_left_ms(job);
    }
    if (fd.revents == 0) {
        IV_JOB_END(job, IV_HAND_AGAIN, "the process behind the socket was killed and has not ended");
    }
}

static bool open_socket(struct iv_job *job, size_t words, int *out)
{
    struct stat about;
    bool whole = job->count == words;
    if (job->options->sockets.p == NULL) {
        IV_JOB_END(job, IV_HAND_UNSUPPORTED,
                   "the configuration names no folder of virtual machines' sockets");
        return false;
    }
    *out = whole ? iv_open_beneath(job->options->sockets, job->words[0], O_PATH) : -1;
    if (*out < 0 && whole && errno == ENOENT) {
        IV_JOB_END(job, IV_HAND_ABSENT, "there is no such socket");
    } else if (*out < 0 || fstat(*out, &about) != 0 || !S_ISSOCK(about.st_mode)) {
        IV_JOB_END(job, IV_HAND_FAILED, "that is no socket below the configured folder");
    }
    return job->result == IV_HAND_DONE;
}

void iv_job_vmm_kill(struct iv_job *job)
{
    int path = -1;
    bool nobody = false;
    if (open_socket(job, 1, &path)) {
        int handle = handle_of(path, &nobody);
        if (handle >= 0) {
            end(job, handle);
            (void)close(handle);
        } else if (nobody) {
            IV_JOB_END(job, IV_HAND_ABSENT, "nobody listens on the socket");
        } else {
            IV_JOB_END(job, IV_HAND_FAILED, "the process behind the socket cannot be had: %s",
                       strerror(errno));
        }
    }
    if (path >= 0) {
        (void)close(path);
    }
}

/* Whether there is a head, and behind it as much of a body as it announces: a reason may come in a packet of
 * its own. */
static bool is_whole(const char *answer, size_t n)
{
    static const char name[] = "\r\ncontent-length:";
    const char *end = memmem(answer, n, "\r\n\r\n", 4);
    size_t body = 0;
    for (const char *at = answer; end != NULL && at < end; at++) {
        if (strncasecmp(at, name, sizeof name - 1) == 0) {
            body = strtoul(at + sizeof name - 1, NULL, 10);
        }
    }
    return end != NULL && n - (size_t)(end + 4 - answer) >= body;
}

/* What the machine's process answers: as much as fits the job's output, of which the status line is all that
 * is needed. 0: nothing that is HTTP, in time. */
static int read_status(struct iv_job *job, int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int status = 0;
    for (int left = iv_job_left_ms(job); left > 0; left = iv_job_left_ms(job)) {
        if (poll(&poll_fd, 1, left) <= 0) {
            continue;
        }
        ssize_t n = read(fd, job->output + job->output_n, ANSWER_MAX_BYTES - job->output_n);
        job->output_n += n > 0 ? (size_t)n : 0;
        job->output[job->output_n] = '\0';
        if (n <= 0 || is_whole(job->output, job->output_n) || job->output_n == ANSWER_MAX_BYTES) {
            break;
        }
    }
    job->output[job->output_n] = '\0';
    bool http = strncmp(job->output, "HTTP/1.", 7) == 0 && strlen(job->output) > 12;
    for (size_t i = 9; http && i < 12; i++) {
        http = job->output[i] >= '0' && job->output[i] <= '9';
        status = status * 10 + (job->output[i] - '0');
    }
    return http ? status : 0;
}

static void ask(struct iv_job *job, int path, const char *method, const char *resource, struct iv_str body)
{
    struct iv_buf request;
    int fd = connect_to(path);
    if (fd < 0) {
        IV_JOB_END(job, IV_HAND_ABSENT, "nobody listens on the socket");
        return;
    }
    iv_buf_init(&request, REQUEST_MAX_BYTES);
    iv_buf_printf(&request,
                  "%s %s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
                  "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                  method, resource, body.n);
    iv_buf_str(&request, body);
    bool sent =
        !iv_buf_failed(&request) && send(fd, request.p, request.n, MSG_NOSIGNAL) == (ssize_t)request.n;
    job->status = sent ? read_status(job, fd) : 0;
    if (job->status == 0) {
        IV_JOB_END(job, IV_HAND_AGAIN, "the process behind the socket did not answer");
    } else if (job->status != 204) {
        IV_JOB_END(job, job->status >= 500 ? IV_HAND_AGAIN : IV_HAND_FAILED,
                   "the process behind the socket answered %d", job->status);
    }
    iv_buf_deinit(&request);
    (void)close(fd);
}

/*= Firecracker API "PATCH /vm", Vm.state: Paused, Resumed */
static void set_state(struct iv_job *job, struct iv_str body)
{
    int path = -1;
    if (open_socket(job, 1, &path)) {
        ask(job, path, "PATCH", "/vm", body);
    }
    if (path >= 0) {
        (void)close(path);
    }
}

void iv_job_vmm_pause(struct iv_job *job)
{
    set_state(job, IV_STR("{\"state\":\"Paused\"}"));
}

void iv_job_vmm_resume(struct iv_job *job)
{
    set_state(job, IV_STR("{\"state\":\"Resumed\"}"));
}

/*= Firecracker API "PUT /snapshot/create", SnapshotCreateParams: snapshot_type, snapshot_path, mem_file_path
 */
void iv_job_vmm_snapshot(struct iv_job *job)
{
    int path = -1;
    if (open_socket(job, 3, &path)) {
        struct iv_buf body;
        iv_buf_init(&body, REQUEST_MAX_BYTES);
        struct iv_json json = iv_json_to(&body);
        iv_json_open_object(&json, NULL);
        iv_json_text(&json, "snapshot_type", "Full");
        iv_json_str(&json, "snapshot_path", job->words[1]);
        iv_json_str(&json, "mem_file_path", job->words[2]);
        iv_json_close_object(&json);
        if (iv_buf_failed(&body)) {
            IV_JOB_END(job, IV_HAND_FAILED, "the paths of the snapshot are too long");
        } else {
            ask(job, path, "PUT", "/snapshot/create", iv_buf_slice(&body));
        }
        iv_buf_deinit(&body);
    }
    if (path >= 0) {
        (void)close(path);
    }
}
