/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/watermark.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <string.h>

void iv_watermark_init(struct iv_watermark *w, const struct iv_baseline *baseline)
{
    *w = (struct iv_watermark){.greatest = IV_NS_MIN};
    for (int s = 0; s < IV_STREAMS; s++) {
        const struct iv_stream_policy *policy = &baseline->streams[s];
        w->streams[s] = (struct iv_stream_mark){.lateness = policy->lateness,
                                                .least = IV_NS_MAX,
                                                .greatest = IV_NS_MIN,
                                                .partial = policy->history == IV_HISTORY_PARTIAL};
    }
    for (int set = 0; set < IV_STREAM_SETS; set++) {
        w->passed[set] = IV_NS_MIN;
        w->forgotten[set] = IV_NS_MIN;
    }
}

void iv_watermark_deinit(struct iv_watermark *w)
{
    for (int s = 0; s < IV_STREAMS; s++) {
        iv_free(w->streams[s].open);
        w->streams[s].open = NULL;
    }
    iv_free(w->joins);
    w->joins = NULL;
}

/* The position of a partition, or where it would stand. */
static uint32_t position(const struct iv_stream_mark *s, int32_t partition)
{
    uint32_t low = 0;
    uint32_t high = s->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->open[middle].partition < partition) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_open(const struct iv_stream_mark *s, uint32_t at, int32_t partition)
{
    return at < s->count && s->open[at].partition == partition;
}

static iv_ns stream_passed(const struct iv_watermark *w, const struct iv_stream_mark *s)
{
    if (w->finished || s->count == 0) {
        return w->greatest == IV_NS_MIN ? IV_NS_MIN : iv_ns_add(w->greatest, 1);
    }
    iv_ns least = IV_NS_MAX;
    for (uint32_t i = 0; i < s->count; i++) {
        least = s->open[i].watermark < least ? s->open[i].watermark : least;
    }
    return least;
}

void iv_watermark_refresh(struct iv_watermark *w)
{
    for (int s = 0; s < IV_STREAMS; s++) {
        w->passed[1 << s] = stream_passed(w, &w->streams[s]);
    }
    for (unsigned set = 1; set < IV_STREAM_SETS; set++) {
        iv_ns least = IV_NS_MAX;
        for (unsigned s = 0; s < IV_STREAMS; s++) {
            if ((set >> s & 1) != 0 && w->passed[1U << s] < least) {
                least = w->passed[1U << s];
            }
        }
        w->passed[set] = least;
    }
}

static struct iv_rc_s insert(struct iv_stream_mark *s, uint32_t at, int32_t partition, struct iv_err *err)
{
    if (s->count == s->capacity) {
        uint32_t capacity = s->capacity == 0 ? 8 : s->capacity * 2;
        struct iv_partition_mark *open = iv_realloc(s->open, capacity * sizeof *open);
        ENSURE(open != NULL, err, IV_E_NOMEM, "cannot allocate the watermark of partition %d",
               (int)partition);
        s->open = open;
        s->capacity = capacity;
    }
    memmove(&s->open[at + 1], &s->open[at], (s->count - at) * sizeof *s->open);
    s->open[at] = (struct iv_partition_mark){partition, IV_NS_MIN};
    s->count++;
    return IV_OK;
}

struct iv_rc_s iv_watermark_open(struct iv_watermark *w, enum iv_stream stream, int32_t partition,
                                 struct iv_err *err)
{
    struct iv_stream_mark *s = &w->streams[stream];
    uint32_t at = position(s, partition);
    if (!is_open(s, at, partition)) {
        TRY(insert(s, at, partition, err));
        iv_watermark_refresh(w);
    }
    return IV_OK;
}

struct iv_rc_s iv_watermark_put(struct iv_watermark *w, enum iv_stream stream, int32_t partition, iv_ns mark,
                                struct iv_err *err)
{
    struct iv_stream_mark *s = &w->streams[stream];
    TRY(insert(s, s->count, partition, err));
    s->open[s->count - 1].watermark = mark;
    return IV_OK;
}

struct iv_rc_s iv_watermark_event(struct iv_watermark *w, bool *late, const struct iv_event *event,
                                  struct iv_err *err)
{
    struct iv_stream_mark *s = &w->streams[event->origin.stream];
    uint32_t at = position(s, event->origin.partition);
    if (!is_open(s, at, event->origin.partition)) {
        TRY(insert(s, at, event->origin.partition, err));
    }
    struct iv_partition_mark *p = &s->open[at];
    *late = event->time < p->watermark;
    iv_ns mark = iv_ns_add(event->time, -s->lateness);
    p->watermark = mark > p->watermark ? mark : p->watermark;
    s->least = event->time < s->least ? event->time : s->least;
    s->greatest = event->time > s->greatest ? event->time : s->greatest;
    w->greatest = event->time > w->greatest ? event->time : w->greatest;
    for (uint16_t j = 1; j < w->join_count; j++) {
        iv_ns *least = &w->joins[j].least[event->origin.stream];
        *least = event->time < *least ? event->time : *least;
    }
    iv_watermark_refresh(w);
    return IV_OK;
}

struct iv_rc_s iv_watermark_idle(struct iv_watermark *w, enum iv_stream stream, int32_t partition, iv_ns wall,
                                 struct iv_err *err)
{
    struct iv_stream_mark *s = &w->streams[stream];
    TRY(iv_watermark_open(w, stream, partition, err));
    struct iv_partition_mark *p = &s->open[position(s, partition)];
    iv_ns mark = iv_ns_add(wall, -s->lateness);
    p->watermark = mark > p->watermark ? mark : p->watermark;
    iv_watermark_refresh(w);
    return IV_OK;
}

void iv_watermark_rejoin(struct iv_watermark *w, uint16_t join, uint64_t order, iv_ns until)
{
    struct iv_join *j = &w->joins[join];
    j->order = order;
    for (int s = 0; s < IV_STREAMS; s++) {
        j->before[s] = w->streams[s].greatest > until ? w->streams[s].greatest : until;
        j->least[s] = IV_NS_MAX;
    }
}

uint16_t iv_watermark_join(struct iv_watermark *w, uint64_t order)
{
    size_t count = w->join_count == 0 ? 1 : w->join_count;
    struct iv_join *joins = count < UINT16_MAX ? iv_realloc(w->joins, (count + 1) * sizeof *joins) : NULL;
    if (joins == NULL) {
        return 0;
    }
    joins[0] = (struct iv_join){0};
    w->joins = joins;
    w->join_count = (uint16_t)(count + 1);
    iv_watermark_rejoin(w, (uint16_t)count, order, IV_NS_MIN);
    return (uint16_t)count;
}

/* Where rules joined midway, an event of a time that was there before may have come before: only behind the
 * greatest of those times is every event seen. */
static bool begins_behind(const struct iv_watermark *w, uint16_t join, unsigned stream, iv_ns time)
{
    if (join > 0) {
        const struct iv_join *j = &w->joins[join];
        return j->least[stream] == IV_NS_MAX || time < j->least[stream] || time <= j->before[stream];
    }
    const struct iv_stream_mark *s = &w->streams[stream];
    return s->partial && (s->least == IV_NS_MAX || time < s->least);
}

int iv_watermark_begins_behind(const struct iv_watermark *w, uint16_t join, unsigned streams, iv_ns time)
{
    for (unsigned s = 0; s < IV_STREAMS; s++) {
        if ((streams >> s & 1) != 0 && begins_behind(w, join, s, time)) {
            return (int)s;
        }
    }
    return -1;
}

void iv_watermark_finish(struct iv_watermark *w)
{
    w->finished = true;
    iv_watermark_refresh(w);
}
