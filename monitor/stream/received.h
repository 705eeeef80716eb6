/* SPDX-License-Identifier: Apache-2.0 */
/* A record as the library delivers it, as ours. Private to this room. */
#pragma once

#include "base/arena.h"
#include "event/event.h"
#include "stream/client.h"

/* Copied into the arena, because the library promises no readable bytes behind a payload, and so that its
 * memory is free at once. */
iv_rc iv_received(struct iv_record *out, struct iv_arena *arena, const struct iv_origin *origin,
                  const rd_kafka_message_t *message, struct iv_err *err);
