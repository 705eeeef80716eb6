/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines of connections: a peer that trickles its request, or drains its answer by the byte, is cut off.
 * The HTTP library counts inactivity only, which one byte now and then avoids. Streams are exempt while they
 * run: what they hold is bounded, inactivity ends them too, and so does a reader who has closed his side.
 * Owner/thread: the HTTP library's threads say what happens, the pulse thread looks. */
#pragma once

#include "console/server.h"

/* For MHD_OPTION_NOTIFY_CONNECTION; ctx is the console. */
void iv_peer_notify(void *ctx, struct MHD_Connection *connection, void **slot,
                    enum MHD_ConnectionNotificationCode what);

enum iv_peer_phase { IV_PEER_BODY, IV_PEER_ANSWER, IV_PEER_STREAM, IV_PEER_BETWEEN };
void iv_peer_enter(struct iv_console *console, struct MHD_Connection *connection, enum iv_peer_phase phase);

/* Shuts the sockets whose time is over, and those of streams that nobody reads any more. */
void iv_peer_sweep(struct iv_console *console, iv_ns now);
