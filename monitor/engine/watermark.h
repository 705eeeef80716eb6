/* SPDX-License-Identifier: Apache-2.0 */
/* How far each stream has come in event time.
 * Purpose: one number for each set of streams, so that "every stream that can carry it has passed t" is a
 * comparison.
 * Owner/thread: one engine.
 * Source: contract "Rules", watermark, and "the watermark has passed". */
#pragma once

#include "base/err.h"
#include "baseline/baseline.h"
#include "engine/engine.h"

#include <stdbool.h>
#include <stdint.h>

/* A set of streams as bits: 1 << stream. */
#define IV_STREAM_SETS (1 << IV_STREAMS)
#define IV_ALL_STREAMS (IV_STREAM_SETS - 1)

struct iv_partition_mark {
    int32_t partition;
    iv_ns watermark; /* greatest event time less lateness; IV_NS_MIN: nothing read yet */
};

struct iv_stream_mark {
    struct iv_partition_mark *open; /* by number */
    uint32_t count;
    uint32_t capacity;
    iv_ns lateness;
    iv_ns least;    /* event time; IV_NS_MAX: no event */
    iv_ns greatest; /* event time; IV_NS_MIN: no event */
    bool partial;   /* what came before the least is unknown: the baseline says so, or its records are gone */
    bool midway;    /* its records are gone */
};

/* A moment from which on rules look at the streams: a baseline with new rules came into force. Nothing that
 * arrived before is an event to them, so to them every stream was joined midway there. */
struct iv_join {
    uint64_t order;           /* of arrival: later events are seen */
    iv_ns before[IV_STREAMS]; /* the greatest event time that had arrived; IV_NS_MIN: none */
    iv_ns least[IV_STREAMS];  /* of those seen; IV_NS_MAX: no event */
};

struct iv_watermark {
    struct iv_stream_mark streams[IV_STREAMS];
    iv_ns greatest; /* event time of any stream; IV_NS_MIN: no event */
    bool finished;
    struct iv_join
        *joins; /* by moment; the first stands for the engine's own beginning, and is not looked at */
    uint16_t join_count;
    /* By set of streams: what lies before was forgotten under a shorter dedup than that in force. */
    iv_ns forgotten[IV_STREAM_SETS];
    /* By set of streams: what lies strictly below has been passed by all of them. A stream at the end of its
     * input has passed the greatest event time, too. */
    iv_ns passed[IV_STREAM_SETS];
};

void iv_watermark_init(struct iv_watermark *w, const struct iv_baseline *baseline);
void iv_watermark_deinit(struct iv_watermark *w);

iv_rc iv_watermark_open(struct iv_watermark *w, enum iv_stream stream, int32_t partition, struct iv_err *err);
/* A partition behind all that are open, as it stood before; to be followed by iv_watermark_refresh. */
iv_rc iv_watermark_put(struct iv_watermark *w, enum iv_stream stream, int32_t partition, iv_ns mark,
                       struct iv_err *err);
/* Works out what has been passed. */
void iv_watermark_refresh(struct iv_watermark *w);
/* An event was read; *late: it is older than its partition's watermark was. */
iv_rc iv_watermark_event(struct iv_watermark *w, bool *late, const struct iv_event *event,
                         struct iv_err *err);
iv_rc iv_watermark_idle(struct iv_watermark *w, enum iv_stream stream, int32_t partition, iv_ns wall,
                        struct iv_err *err);
void iv_watermark_finish(struct iv_watermark *w);

/* Of a set of streams, the first of which the rules of a join do not know what came at the time: its history
 * is partial, and begins behind it. -1 if there is none. */
int iv_watermark_begins_behind(const struct iv_watermark *w, uint16_t join, unsigned streams, iv_ns time);
/* Rules join now. Answers the join's number; 0 when memory is out. */
uint16_t iv_watermark_join(struct iv_watermark *w, uint64_t order);
/* That the rules of a join have not seen something before the greatest time now, or `until`, proves nothing;
 * they see events as of that order. */
void iv_watermark_rejoin(struct iv_watermark *w, uint16_t join, uint64_t order, iv_ns until);

static inline bool iv_watermark_passed(const struct iv_watermark *w, unsigned streams, iv_ns t)
{
    return w->passed[streams] > t;
}

/* Whether an event of this time came later than the engine remembers. */
static inline bool iv_watermark_forgot(const struct iv_watermark *w, unsigned streams, iv_ns t, iv_ns dedup)
{
    return iv_watermark_passed(w, streams, iv_ns_add(t, dedup)) || t < w->forgotten[streams];
}
