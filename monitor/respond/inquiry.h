/* SPDX-License-Identifier: Apache-2.0 */
/* One step that was done, and what the streams are looked through for on its behalf.
 * Purpose: from its row (expectation.h) and the events of the streams to what is proven. Pure: time and
 * events are arguments.
 * Owner/thread: one thread. The decoder's catalogue is that of the events, and outlives it.
 * Guarantee: nothing but the row decides what counts, so it is the same after a restart and under another
 * baseline; what no longer can be looked for is ambiguous, never proven. Not here: reading
 * (daemon/observer.h), what follows (moves.h).
 *
 * An event counts whose time lies behind done + after, up to done + within, and for which the condition
 * holds. Without `after` one that must be seen counts from a second before the first call on: what it tells
 * of may come before the answer of the call, and clocks differ. Where the condition fails on an event of
 * that time, nobody knows whether it would have held: that event proves nothing, and neither does it any more
 * that none was found. */
#pragma once

#include "base/arena.h"
#include "event/decode.h"
#include "evidence/store.h"
#include "respond/moves.h"

#include <stdbool.h>

struct iv_inquiry;

iv_rc iv_inquiry_new(struct iv_inquiry **out, const struct iv_task *task, struct iv_decoder *decoder,
                     const struct iv_catalogue *catalogue, iv_ns now, struct iv_err *err);
void iv_inquiry_free(struct iv_inquiry *inquiry);
void iv_inquiry_freep(struct iv_inquiry **inquiry);

/* Of which step. */
struct iv_str iv_inquiry_execution(const struct iv_inquiry *inquiry);
int64_t iv_inquiry_position(const struct iv_inquiry *inquiry);
bool iv_inquiry_is_of(const struct iv_inquiry *inquiry, const struct iv_step *step);

enum iv_stream iv_inquiry_stream(const struct iv_inquiry *inquiry);
/* Everything that was written from then on must be read, by the monitor's clock. */
iv_ns iv_inquiry_since(const struct iv_inquiry *inquiry);
/* What was written by then is all that counts. */
iv_ns iv_inquiry_settled(const struct iv_inquiry *inquiry);

/* The type of event that is looked for; empty: nothing can be found any more. */
struct iv_str iv_inquiry_type(const struct iv_inquiry *inquiry);
/* True: of events that have this field as a string, only those count where it is this text, and others need
 * not be shown. */
bool iv_inquiry_key(const struct iv_inquiry *inquiry, uint16_t *name_id, struct iv_str *value);
/* Whether a record may be an event of the type that is looked for: by its bytes, without decoding them. */
bool iv_inquiry_wants(const struct iv_inquiry *inquiry, const struct iv_record *record);
/* The record, decoded. */
iv_rc iv_inquiry_event(struct iv_inquiry *inquiry, const struct iv_event *event, struct iv_err *err);
/* Something that may have counted was not to be had; why is a sentence, kept of the first time. */
void iv_inquiry_missed(struct iv_inquiry *inquiry, const char *why);

/* The wall clock was set: what was begun by then, by that clock as it was or as it is, cannot be told from
 * what came since. Where that is so of its first call, or of when it was done, something was missed. */
void iv_inquiry_clock_set(struct iv_inquiry *inquiry, iv_ns until);

/* How far the streams have been read. */
struct iv_inquiry_state {
    iv_ns reached;         /* all that was written by then was looked at; IV_NS_MIN: nothing yet */
    iv_ns heard;           /* when reading last came on */
    iv_ns now;             /* wall clock */
    struct iv_str trouble; /* what keeps them from being read; lives as long as the proof; empty: nothing */
};
/* Whether it is decided, and how; texts live as long as the inquiry. */
bool iv_inquiry_decide(const struct iv_inquiry *inquiry, struct iv_proof *out,
                       const struct iv_inquiry_state *state);
