/* SPDX-License-Identifier: Apache-2.0 */
/* Answers on their way: what the bodies that clients have not taken yet hold together.
 * Owner/thread: any thread that answers.
 * Guarantee: bodies of more than IV_FLIGHT_SMALL bytes hold at most console->flight_max together, however
 * many clients read them slowly; smaller ones, health and problems among them, always go. A body's memory is
 * wiped before it is given back: it may have shown a secret. Not here: how long a client may take (peer.h),
 * live streams, whose pieces are shared (chunk.h). */
#pragma once

#include "console/server.h"

enum { IV_FLIGHT_SMALL = 16 * 1024 };

/* Takes the body over, and gives its memory back when the client has it or is gone. NULL: there is no room
 * for it, and the body is the caller's as before. */
struct MHD_Response *iv_flight_response(struct iv_console *console, struct iv_buf *body);
