/* SPDX-License-Identifier: Apache-2.0 */
/* How far the partitions are known to reach: what lets time pass where nothing comes.
 * Purpose: a partition that is silent for the baseline's idle time follows the wall clock, but only as far as
 * the broker has confirmed the silence. A process that was stopped, a broker that was cut off, a consumer
 * that lost its partition without knowing are silent too, and must not conclude anything from it.
 * Owner/thread: started and stopped by one thread; iv_tide_look from any. Its own thread asks, ten times a
 * second, and only for what was looked for since.
 * Guarantee: whoever has read a partition up to mark.end has all that was written to it before mark.wall,
 * which a step of the clock does not move (base/clock.h). After an outage of the broker there are no marks
 * for some time: producers that were cut off as well have yet to tell what happened meanwhile. */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "event/event.h"
#include "stream/property.h"
#include "stream/source.h"

#include <stdbool.h>

struct iv_tide;

struct iv_tide_mark {
    int64_t end;
    iv_ns asked; /* monotonic, and */
    iv_ns wall;  /* by the wall clock, just before the question was sent */
};

struct iv_tide_options {
    const struct iv_property *properties; /* of the Kafka client */
    size_t property_count;
    struct iv_str topics[IV_STREAMS];
    /* On the tide's thread: how many records lie behind a reader that says nothing (iv_tide_follow); must not
     * call back. */
    void (*lag)(void *ctx, enum iv_stream stream, int32_t partition, int64_t records);
    void *ctx;
};

iv_rc iv_tide_start(struct iv_tide **out, const struct iv_tide_options *options, struct iv_err *err);
void iv_tide_stop(struct iv_tide *tide);

/* The newest mark of a partition; false: there is none yet. In any case it will be asked for. */
bool iv_tide_look(struct iv_tide *tide, struct iv_tide_mark *out, enum iv_stream stream, int32_t partition);

/* How far the readers of this process have come, as many as fit; answers how many there are. */
size_t iv_tide_positions(struct iv_tide *tide, struct iv_cursor *out, size_t room);

/* A reader says now and then how far it has come; -1: it reads the partition no longer. When it has said
 * nothing for some time, because what it found finds no room, its lag is looked for and told in its place. */
void iv_tide_follow(struct iv_tide *tide, enum iv_stream stream, int32_t partition, int64_t next);
