/* SPDX-License-Identifier: Apache-2.0 */
/* What one engine was told, in order, for another one that follows it on other threads.
 * Purpose: the unit that goes from the reading thread through verification to the following engine: few
 * enough events to share the work out, enough of everything to make a wake-up worth it.
 * Owner/thread: filled by one thread, then handed over whole; owns copies of all that it holds. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "event/event.h"
#include "judge/commit.h"

enum iv_move_kind {
    IV_MOVE_EVENT,
    IV_MOVE_REACHED, /* an event that does not concern the follower */
    IV_MOVE_IDLE,
    IV_MOVE_OPEN,
    IV_MOVE_MIDWAY,
};

struct iv_move {
    uint8_t kind; /* enum iv_move_kind */
    uint8_t stream;
    int32_t partition;
    uint64_t ordinal; /* how many moves were taken before it, in all */
    iv_ns time;       /* REACHED: the event's; IDLE: the wall's */
    iv_ns written;    /* EVENT, REACHED: the broker's time of the record, 0 where none is known */
    const struct iv_record *record; /* EVENT: in the parcel's arena */
    const struct iv_event
        *event; /* EVENT that is cut, so that it cannot be decoded from its record: the same */
};

#define IV_PARCEL_MOVES 256
#define IV_PARCEL_EVENTS 64
#define IV_PARCEL_BYTES ((size_t)128 << 10)

struct iv_parcel {
    struct iv_arena arena;
    size_t move_count;
    size_t event_count;
    size_t bytes;             /* of records; beyond IV_PARCEL_BYTES only where a single one is */
    struct iv_commit *before; /* what the leading engine said meanwhile; NULL: nothing to hand on */
    struct iv_move moves[IV_PARCEL_MOVES];
};

iv_rc iv_parcel_new(struct iv_parcel **out, struct iv_err *err);
void iv_parcel_free(struct iv_parcel *parcel);
/* Empties it for another turn; keeps memory of the usual size. */
void iv_parcel_reset(struct iv_parcel *parcel);

/* Whether one more move fits. */
bool iv_parcel_fits(const struct iv_parcel *parcel, const struct iv_move *move);
/* Adds the move, which fits; copies take the place of what move->record, with its headers, and move->event
 * point to. */
iv_rc iv_parcel_add(struct iv_parcel *parcel, const struct iv_move *move, struct iv_err *err);
