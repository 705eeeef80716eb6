/* SPDX-License-Identifier: Apache-2.0 */
#include "console/listen.h"

#include "base/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128 };

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t size;
};

static bool port_parse(in_port_t *out, struct iv_str text)
{
    unsigned port = 0;
    if (text.n == 0 || text.n > 5) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
        port = port * 10 + (unsigned)(text.p[i] - '0');
    }
    if (port > 65535) {
        return false;
    }
    *out = htons((in_port_t)port);
    return true;
}

static bool host_parse(struct address *out, struct iv_str host, bool brackets, in_port_t port)
{
    char name[64];
    if (host.n >= sizeof name) {
        return false;
    }
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    *out = (struct address){0};
    if (brackets) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = port;
        out->size = sizeof out->v6;
        return inet_pton(AF_INET6, name, &out->v6.sin6_addr) == 1;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = port;
    out->size = sizeof out->v4;
    return inet_pton(AF_INET, strcmp(name, "localhost") == 0 ? "127.0.0.1" : name, &out->v4.sin_addr) == 1;
}

static iv_rc address_parse(struct address *out, struct iv_str text, struct iv_err *err)
{
    const char *colon = text.n == 0 ? NULL : memrchr(text.p, ':', text.n);
    in_port_t port = 0;
    bool good = colon != NULL;
    if (good) {
        struct iv_str host = {text.p, (size_t)(colon - text.p)};
        bool brackets = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
        if (brackets) {
            host = (struct iv_str){host.p + 1, host.n - 2};
        }
        good = port_parse(&port, (struct iv_str){colon + 1, text.n - host.n - (brackets ? 3 : 1)}) &&
               host_parse(out, host, brackets, port);
    }
    ENSURE(good, err, IV_E_REFUSED,
           "console.listen must be a numeric address with a port, such as 127.0.0.1:8088 or [::1]:8088, got "
           "'" IV_STR_FMT "'",
           IV_STR_ARG(text));
    return IV_OK;
}

static bool is_loopback(const struct address *a)
{
    if (a->any.sa_family == AF_INET) {
        return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

iv_rc iv_listen_is_loopback(bool *out, struct iv_str text, struct iv_err *err)
{
    struct address a;
    TRY(address_parse(&a, text, err));
    *out = is_loopback(&a);
    return IV_OK;
}

iv_rc iv_listen_port(unsigned *out, struct iv_str text, struct iv_err *err)
{
    struct address a;
    TRY(address_parse(&a, text, err));
    *out = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
    return IV_OK;
}

static void name_it(struct iv_listen *out, const struct address *bound)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (bound->any.sa_family == AF_INET) {
        out->port = ntohs(bound->v4.sin_port);
        (void)inet_ntop(AF_INET, &bound->v4.sin_addr, text, sizeof text);
        (void)snprintf(out->host, sizeof out->host, "%s", text);
    } else {
        out->port = ntohs(bound->v6.sin6_port);
        (void)inet_ntop(AF_INET6, &bound->v6.sin6_addr, text, sizeof text);
        (void)snprintf(out->host, sizeof out->host, "[%s]", text);
    }
}

static iv_rc bind_it(struct iv_listen *out, int fd, const struct address *a, struct iv_str text,
                     struct iv_err *err)
{
    static const int on = 1;
    struct address bound = {.size = sizeof bound.v6};
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ENSURE(bind(fd, &a->any, a->size) == 0 && listen(fd, BACKLOG) == 0 &&
               getsockname(fd, &bound.any, &bound.size) == 0,
           err, IV_E_IO, "the console cannot listen on " IV_STR_FMT ": %s", IV_STR_ARG(text),
           strerror(errno));
    name_it(out, &bound);
    return IV_OK;
}

iv_rc iv_listen_open(struct iv_listen *out, struct iv_str text, struct iv_err *err)
{
    struct address a;
    TRY(address_parse(&a, text, err));
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ENSURE(fd >= 0, err, IV_E_IO, "the console cannot open a socket: %s", strerror(errno));
    struct iv_listen made = {.fd = fd, .loopback = is_loopback(&a)};
    struct iv_rc_s rc = bind_it(&made, fd, &a, text, err);
    if (!iv_ok(rc)) {
        (void)close(fd);
        return rc;
    }
    *out = made;
    return IV_OK;
}
