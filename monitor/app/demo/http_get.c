/* SPDX-License-Identifier: Apache-2.0 */
#include "app/demo/http_get.h"
#include "base/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void close_fd(const int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

static iv_rc connect_to(int *fd, const char *url, struct iv_err *err)
{
    char host[64];
    unsigned port = 0;
    ENSURE(sscanf(url, "http://%63[0-9.]:%u", host, &port) == 2 && port < 65536, err, IV_E_IO,
           "'%s' is no address of this machine", url);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    ENSURE(inet_pton(AF_INET, host, &to.sin_addr) == 1, err, IV_E_IO, "'%s' is no address of this machine",
           url);
    struct timeval wait = {.tv_sec = 5};
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ENSURE(*fd >= 0, err, IV_E_IO, "cannot open a socket: %s", strerror(errno));
    (void)setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ENSURE(connect(*fd, (const struct sockaddr *)&to, sizeof to) == 0, err, IV_E_IO,
           "cannot connect to %s: %s", url, strerror(errno));
    return IV_OK;
}

iv_rc iv_http_get(struct iv_buf *out, const char *url, const char *path, struct iv_err *err)
{
    IV_AUTO(close_fd) int fd = -1;
    TRY(connect_to(&fd, url, err));
    char request[512];
    int n =
        snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: localhost\r\nAccept: */*\r\n\r\n", path);
    ENSURE(n > 0 && (size_t)n < sizeof request && send(fd, request, (size_t)n, MSG_NOSIGNAL) == n, err,
           IV_E_IO, "cannot send a request to %s", url);
    size_t before = out->n;
    char part[16384];
    ssize_t got = 0;
    while ((got = recv(fd, part, sizeof part, 0)) > 0) {
        iv_buf_add(out, part, (size_t)got);
    }
    ENSURE(got == 0 && !iv_buf_failed(out), err, IV_E_IO, "cannot read the answer of %s%s", url, path);
    ENSURE(out->n - before > 12 && memcmp(out->p + before + 8, " 200", 4) == 0, err, IV_E_IO,
           "%s%s does not answer 200", url, path);
    return IV_OK;
}
