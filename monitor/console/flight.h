/* SPDX-License-Identifier: Apache-2.0 */
/* Answers on their way: what the bodies that clients have not taken yet hold together.
 * Owner/thread: any thread that answers.
 * Guarantee: bodies of more than IV_FLIGHT_SMALL bytes hold at most console->flight_max together, however
 * many clients read them slowly, and those of one name a quarter of it, or are one; smaller ones, health and
 * problems among them, always go. A body's memory is wiped before it is given back: it may have shown a
 * secret. Not here: how long a client may take (peer.h), live streams, whose pieces are shared (chunk.h). */
#pragma once

#include "console/server.h"

enum { IV_FLIGHT_SMALL = 16 * 1024 };

enum iv_flight_end {
    IV_FLIGHT_GOES,
    IV_FLIGHT_NO_ROOM,
    IV_FLIGHT_NO_SHARE, /* who asks has as much under way as he may */
};

/* Takes the body over, and gives its memory back when the client has it or is gone. Where it does not go, the
 * body is the caller's as before. */
enum iv_flight_end iv_flight_response(struct MHD_Response **out, struct iv_request *request,
                                      struct iv_buf *body);
