/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"
#include "base/guard.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512

/* "@name" is an abstract socket: its name begins with a zero byte, and its length counts. */
static iv_rc connect_to(int *out, const char *name, struct iv_err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static const struct timeval patience = {1, 0};
    size_t n = strlen(name);
    ENSURE((name[0] == '/' || name[0] == '@') && n > 1 && n < sizeof address.sun_path, err, IV_E_REFUSED,
           "NOTIFY_SOCKET is '%s', which is neither an absolute path nor '@' and a name, of less than %zu "
           "bytes",
           name, sizeof address.sun_path);
    memcpy(address.sun_path, name, n);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, size) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) {
        int failure = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return iv_err_set(err, IV_E_IO, "cannot connect to NOTIFY_SOCKET '%s': %s", name, strerror(failure));
    }
    *out = fd;
    return IV_OK;
}

static iv_rc number_of(long long *out, const char *name, const char *text, struct iv_err *err)
{
    char *end = NULL;
    errno = 0;
    *out = strtoll(text, &end, 10);
    ENSURE(errno == 0 && end != text && *end == '\0' && *out > 0, err, IV_E_REFUSED,
           "%s is '%s', which is no positive number", name, text);
    return IV_OK;
}

static iv_rc watchdog(iv_ns *out, struct iv_err *err)
{
    const char *time = getenv("WATCHDOG_USEC");
    const char *whose = getenv("WATCHDOG_PID");
    long long us = 0;
    long long pid = getpid();
    *out = 0;
    if (time == NULL) {
        return IV_OK;
    }
    TRY(number_of(&us, "WATCHDOG_USEC", time, err));
    if (whose != NULL) {
        TRY(number_of(&pid, "WATCHDOG_PID", whose, err));
    }
    if (pid == getpid() && us <= IV_NS_MAX / 1000) {
        *out = us * 1000 / 4; /* well under the half that the manager asks for */
    }
    return IV_OK;
}

iv_rc iv_notify_open(struct iv_notify *out, struct iv_err *err)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct iv_notify opened = {.fd = -1};
    if (name != NULL) {
        TRY(watchdog(&opened.alive_every, err));
        TRY(connect_to(&opened.fd, name, err));
    }
    *out = opened;
    return IV_OK;
}

void iv_notify_close(struct iv_notify *notify)
{
    if (notify->fd >= 0) {
        (void)close(notify->fd);
        notify->fd = -1;
    }
}

static void tell(const struct iv_notify *notify, const char *words)
{
    if (notify->fd >= 0) {
        ssize_t sent = send(notify->fd, words, strlen(words), MSG_NOSIGNAL);
        (void)sent;
    }
}

void iv_notify_ready(const struct iv_notify *notify, const char *status)
{
    char words[LINE_MAX_BYTES];
    (void)snprintf(words, sizeof words, "READY=1\nSTATUS=%s", status);
    tell(notify, words);
}

void iv_notify_reloading(const struct iv_notify *notify, iv_ns monotonic)
{
    char words[LINE_MAX_BYTES];
    (void)snprintf(words, sizeof words, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(monotonic / 1000));
    tell(notify, words);
}

void iv_notify_stopping(const struct iv_notify *notify)
{
    tell(notify, "STOPPING=1\nSTATUS=making durable what was read");
}

void iv_notify_alive(const struct iv_notify *notify)
{
    tell(notify, "WATCHDOG=1");
}

void iv_notify_status(const struct iv_notify *notify, const char *status)
{
    char words[LINE_MAX_BYTES];
    (void)snprintf(words, sizeof words, "STATUS=%s", status);
    tell(notify, words);
}
