/* SPDX-License-Identifier: Apache-2.0 */
#include "support/hook_server.h"

#include "base/guard.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HANGING_MAX 64
#define FLOOD_BYTES (10u << 20)

struct hook_server {
    const struct hook_answer *answers;
    size_t answer_count;
    int listener;
    int stop_pipe[2];
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    char requests[HOOK_REQUESTS_MAX][HOOK_REQUEST_BYTES];
    size_t request_count;
    int hanging[HANGING_MAX];
    size_t hanging_count;
};

/* Readable, or the server is to stop. */
static bool wait_readable(struct hook_server *s, int fd)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = s->stop_pipe[0], .events = POLLIN}};
    IV_CHECK(poll(fds, 2, -1) > 0);
    return fds[1].revents == 0;
}

static bool complete(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n");
    if (end == NULL) {
        return false;
    }
    const char *length = strcasestr(request, "\r\nContent-Length:");
    size_t want = length == NULL ? 0 : strtoul(length + 17, NULL, 10);
    return strlen(end + 4) >= want;
}

static void read_request(struct hook_server *s, int fd)
{
    char request[HOOK_REQUEST_BYTES] = "";
    size_t n = 0;
    while (!complete(request) && n + 1 < sizeof request && wait_readable(s, fd)) {
        ssize_t got = read(fd, request + n, sizeof request - 1 - n);
        if (got <= 0) {
            break;
        }
        n += (size_t)got;
        request[n] = '\0';
    }
    (void)pthread_mutex_lock(&s->lock);
    IV_CHECK(s->request_count < HOOK_REQUESTS_MAX);
    memcpy(s->requests[s->request_count++], request, n + 1);
    (void)pthread_mutex_unlock(&s->lock);
}

static void send_text(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        text += sent;
        n -= (size_t)sent;
    }
}

static void flood(int fd)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n";
    static char block[64 << 10];
    memset(block, 'x', sizeof block);
    send_text(fd, head, sizeof head - 1);
    for (size_t sent = 0; sent < FLOOD_BYTES; sent += sizeof block) {
        send_text(fd, block, sizeof block);
    }
}

static void serve(struct hook_server *s, int fd, const struct hook_answer *answer)
{
    if (answer->kind != HOOK_REFUSE) {
        read_request(s, fd);
    }
    if (answer->kind == HOOK_HANG) {
        IV_CHECK(s->hanging_count < HANGING_MAX);
        s->hanging[s->hanging_count++] = fd;
        return;
    }
    if (answer->kind == HOOK_SEND) {
        send_text(fd, answer->text, strlen(answer->text));
    } else if (answer->kind == HOOK_FLOOD) {
        flood(fd);
    }
    (void)close(fd);
}

static void *run(void *ctx)
{
    struct hook_server *s = ctx;
    for (size_t i = 0; wait_readable(s, s->listener); i++) {
        int fd = accept(s->listener, NULL, NULL);
        if (fd >= 0) {
            serve(s, fd, &s->answers[i < s->answer_count ? i : s->answer_count - 1]);
        }
    }
    return NULL;
}

struct hook_server *hook_start(const struct hook_answer *answers, size_t count)
{
    struct hook_server *s = calloc(1, sizeof *s);
    IV_CHECK(s != NULL && pipe(s->stop_pipe) == 0);
    s->answers = answers;
    s->answer_count = count;
    (void)pthread_mutex_init(&s->lock, NULL);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    IV_CHECK(s->listener >= 0 && bind(s->listener, (struct sockaddr *)&at, sizeof at) == 0);
    IV_CHECK(listen(s->listener, 64) == 0);
    IV_CHECK(getsockname(s->listener, (struct sockaddr *)&at, &length) == 0);
    (void)snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", ntohs(at.sin_port));
    IV_CHECK(pthread_create(&s->thread, NULL, run, s) == 0);
    return s;
}

void hook_stop(struct hook_server *s)
{
    if (s == NULL) {
        return;
    }
    IV_CHECK(write(s->stop_pipe[1], "", 1) == 1);
    (void)pthread_join(s->thread, NULL);
    for (size_t i = 0; i < s->hanging_count; i++) {
        (void)close(s->hanging[i]);
    }
    (void)close(s->listener);
    (void)close(s->stop_pipe[0]);
    (void)close(s->stop_pipe[1]);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

void hook_stopp(struct hook_server **server)
{
    hook_stop(*server);
}

const char *hook_url(const struct hook_server *server)
{
    return server->url;
}

size_t hook_count(struct hook_server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    size_t count = s->request_count;
    (void)pthread_mutex_unlock(&s->lock);
    return count;
}

/* A request is written once, before it is counted. */
const char *hook_request(struct hook_server *s, size_t index)
{
    IV_CHECK(index < hook_count(s));
    return s->requests[index];
}

void hook_header(char *out, size_t size, struct hook_server *s, size_t index, const char *name)
{
    char wanted[128];
    (void)snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
    const char *at = strcasestr(hook_request(s, index), wanted);
    const char *value = at == NULL ? "" : at + strlen(wanted);
    size_t n = strcspn(value, "\r");
    IV_CHECK(n < size);
    memcpy(out, value, n);
    out[n] = '\0';
}

const char *hook_body(struct hook_server *s, size_t index)
{
    const char *end = strstr(hook_request(s, index), "\r\n\r\n");
    return end == NULL ? "" : end + 4;
}
