/* SPDX-License-Identifier: Apache-2.0 */
#include "console/peer.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <poll.h>
#include <sys/socket.h>

static const iv_ns answer_ns = 60 * IV_NS_PER_S;

struct iv_peer {
    struct iv_peer *next;
    struct iv_peer *prev;
    int fd;
    bool streams;
    iv_ns deadline; /* by the monotonic clock */
};

static iv_ns now_monotonic(void)
{
    struct iv_clock clock = iv_clock_system();
    return iv_monotonic(&clock);
}

static void start(struct iv_console *console, struct MHD_Connection *connection, void **slot)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct iv_peer *peer = iv_calloc(1, sizeof *peer);
    if (peer == NULL || info == NULL) {
        iv_free(peer);
        return; /* served all the same; only inactivity ends it */
    }
    peer->fd = info->connect_fd;
    peer->deadline = iv_ns_add(now_monotonic(), console->head);
    (void)pthread_mutex_lock(&console->lock);
    peer->next = console->peers;
    if (peer->next != NULL) {
        peer->next->prev = peer;
    }
    console->peers = peer;
    (void)pthread_mutex_unlock(&console->lock);
    *slot = peer;
}

/* The library closes the socket after this call, so a sweep never shuts a descriptor that was given to
 * another. */
static void end(struct iv_console *console, void **slot)
{
    struct iv_peer *peer = *slot;
    if (peer == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&console->lock);
    if (peer->next != NULL) {
        peer->next->prev = peer->prev;
    }
    if (peer->prev != NULL) {
        peer->prev->next = peer->next;
    } else {
        console->peers = peer->next;
    }
    (void)pthread_mutex_unlock(&console->lock);
    iv_free(peer);
    *slot = NULL;
}

void iv_peer_notify(void *ctx, struct MHD_Connection *connection, void **slot,
                    enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        start(ctx, connection, slot);
    } else {
        end(ctx, slot);
    }
}

void iv_peer_enter(struct iv_console *console, struct MHD_Connection *connection, enum iv_peer_phase phase)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct iv_peer *peer = info == NULL ? NULL : info->socket_context;
    if (peer == NULL) {
        return;
    }
    iv_ns length = phase == IV_PEER_ANSWER ? answer_ns
                   : phase == IV_PEER_BODY ? console->head
                                           : iv_ns_add(console->idle, console->head);
    (void)pthread_mutex_lock(&console->lock);
    peer->streams = phase == IV_PEER_STREAM;
    peer->deadline = peer->streams ? IV_NS_MAX : iv_ns_add(now_monotonic(), length);
    (void)pthread_mutex_unlock(&console->lock);
}

/* While it streams, the library does not read, and sees no end of the other side. Whoever says that he has
 * nothing more to say has left: no reader of such a stream closes half of his connection. */
static bool has_left(const struct iv_peer *peer)
{
    struct pollfd look = {.fd = peer->fd, .events = POLLRDHUP};
    return peer->streams && poll(&look, 1, 0) == 1 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void iv_peer_sweep(struct iv_console *console, iv_ns now)
{
    (void)pthread_mutex_lock(&console->lock);
    for (struct iv_peer *peer = console->peers; peer != NULL; peer = peer->next) {
        if (peer->deadline <= now || has_left(peer)) {
            (void)shutdown(peer->fd, SHUT_RDWR);
            peer->deadline = IV_NS_MAX;
            peer->streams = false;
        }
    }
    (void)pthread_mutex_unlock(&console->lock);
}
