/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/tide.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "stream/ends.h"

#include <pthread.h>

#define ROUND (100 * IV_NS_PER_MS)
#define ANSWER_WAIT IV_NS_PER_S
/* A reader that turns says how far it is twice a second. */
#define STUCK_AFTER (2 * IV_NS_PER_S)
#define STUCK_ROUND IV_NS_PER_S
/* A broker that was away was away for the producers too, and what they have to tell comes when they have
 * found it again: clients wait up to 10 s between two tries. */
#define RETURN_WAIT (15 * IV_NS_PER_S)

struct watched {
    struct iv_tide_mark mark;
    bool wanted;
    bool marked;
    bool stuck;   /* of this round */
    int64_t next; /* of its reader; -1: it has none */
    iv_ns said;   /* monotonic: when the reader said so */
};

struct iv_tide {
    struct iv_tide_options options;
    struct iv_ends *ends;
    struct iv_clock clock;
    pthread_t thread;
    bool started;
    struct iv_cursor *asked; /* the thread's own */
    size_t asked_room;
    bool silent;    /* the broker did not answer last time */
    iv_ns returned; /* monotonic: when it answered again after that; 0: never */
    struct iv_steady steady;

    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    bool wanted;     /* any */
    size_t followed; /* how many have a reader */
    struct watched *watched[IV_STREAMS];
    int32_t count[IV_STREAMS];
};

/* Under the lock. False when memory is out: then nothing is known of it, and no time passes. */
static bool make_room(struct iv_tide *t, enum iv_stream stream, int32_t partition)
{
    if (partition < t->count[stream]) {
        return true;
    }
    struct watched *grown =
        iv_realloc(t->watched[stream], ((size_t)partition + 1) * sizeof *t->watched[stream]);
    if (grown == NULL) {
        return false;
    }
    for (int32_t p = t->count[stream]; p <= partition; p++) {
        grown[p] = (struct watched){.next = -1};
    }
    t->watched[stream] = grown;
    t->count[stream] = partition + 1;
    return true;
}

bool iv_tide_look(struct iv_tide *tide, struct iv_tide_mark *out, enum iv_stream stream, int32_t partition)
{
    bool marked = false;
    (void)pthread_mutex_lock(&tide->lock);
    if (make_room(tide, stream, partition)) {
        struct watched *w = &tide->watched[stream][partition];
        marked = w->marked;
        *out = w->mark;
        w->wanted = true;
        if (!tide->wanted) {
            tide->wanted = true;
            (void)pthread_cond_signal(&tide->wake);
        }
    }
    (void)pthread_mutex_unlock(&tide->lock);
    return marked;
}

void iv_tide_follow(struct iv_tide *tide, enum iv_stream stream, int32_t partition, int64_t next)
{
    (void)pthread_mutex_lock(&tide->lock);
    if (make_room(tide, stream, partition)) {
        struct watched *w = &tide->watched[stream][partition];
        bool first = next >= 0 && tide->followed == 0;
        tide->followed += next >= 0 ? 1 : 0;
        tide->followed -= w->next >= 0 ? 1 : 0;
        w->next = next;
        w->said = iv_monotonic(&tide->clock);
        if (first) {
            (void)pthread_cond_signal(&tide->wake);
        }
    }
    (void)pthread_mutex_unlock(&tide->lock);
}

size_t iv_tide_positions(struct iv_tide *tide, struct iv_cursor *out, size_t room)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&tide->lock);
    for (int s = 0; s < IV_STREAMS; s++) {
        for (int32_t p = 0; p < tide->count[s]; p++) {
            int64_t next = tide->watched[s][p].next;
            if (next >= 0 && count < room) {
                out[count] = (struct iv_cursor){(enum iv_stream)s, p, next};
            }
            count += next >= 0 ? 1 : 0;
        }
    }
    (void)pthread_mutex_unlock(&tide->lock);
    return count;
}

/* Under the lock: what is wanted of one stream, and whose reader is stuck. */
static size_t collect(struct iv_tide *t, enum iv_stream stream)
{
    size_t count = 0;
    if (t->asked_room < (size_t)t->count[stream]) {
        struct iv_cursor *grown = iv_realloc(t->asked, (size_t)t->count[stream] * sizeof *t->asked);
        if (grown == NULL) {
            return 0;
        }
        t->asked = grown;
        t->asked_room = (size_t)t->count[stream];
    }
    iv_ns now = iv_monotonic(&t->clock);
    for (int32_t p = 0; p < t->count[stream]; p++) {
        struct watched *w = &t->watched[stream][p];
        w->stuck = w->next >= 0 && now - w->said >= STUCK_AFTER;
        if (w->wanted || w->stuck) {
            w->wanted = false;
            t->asked[count++] = (struct iv_cursor){stream, p, -1};
        }
    }
    return count;
}

/* A wall clock that was stepped would let absences be proven that are none. */
static iv_ns believed_wall(struct iv_tide *t, iv_ns monotonic)
{
    bool stepped = t->steady.stepped;
    iv_ns wall = iv_wall(&t->clock);
    iv_ns believed = iv_steady_wall(&t->steady, wall, monotonic);
    if (t->steady.stepped && !stepped) {
        LOG_WARN("clock.stepped", KV_F64("by_s", (double)(wall - monotonic - t->steady.ahead) / 1e9),
                 KV_TEXT("then", "silent partitions do not follow it until it agrees with the monotonic "
                                 "clock again, or the monitor is started anew"));
    } else if (stepped && !t->steady.stepped) {
        LOG_INFO("clock.mended", KV_TEXT("then", "silent partitions follow it again"));
    }
    return believed;
}

/* Under the lock: what its reader would say, if it could. */
static void tell_lag(const struct iv_tide *t, const struct iv_cursor *end)
{
    const struct watched *w = &t->watched[end->stream][end->partition];
    if (w->stuck && w->next >= 0 && t->options.lag != NULL) {
        t->options.lag(t->options.ctx, end->stream, end->partition,
                       end->offset > w->next ? end->offset - w->next : 0);
    }
}

/* Both clocks are read before the question goes out: what is written from then on may be missing in the
 * answer. */
static void ask(struct iv_tide *t, size_t count)
{
    struct iv_err err;
    struct iv_tide_mark mark = {.asked = iv_monotonic(&t->clock)};
    mark.wall = believed_wall(t, mark.asked);
    bool silent = !iv_ok(iv_ends_ask(t->ends, t->asked, count, ANSWER_WAIT, &err));
    if (silent && !t->silent) {
        LOG_WARN("tide.silent", KV_TEXT("why", err.text),
                 KV_TEXT("then", "no time passes for silent partitions"));
    }
    t->returned = t->silent && !silent ? mark.asked : t->returned;
    t->silent = silent;
    bool believed = !silent && (t->returned == 0 || mark.asked - t->returned >= RETURN_WAIT);
    (void)pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < count && !silent; i++) {
        if (t->asked[i].offset >= 0) {
            struct watched *w = &t->watched[t->asked[i].stream][t->asked[i].partition];
            mark.end = t->asked[i].offset;
            w->mark = believed ? mark : w->mark;
            w->marked = w->marked || believed;
            tell_lag(t, &t->asked[i]);
        }
    }
    (void)pthread_mutex_unlock(&t->lock);
}

/* False when it is time to stop. At most one round within its time, and none while there is nobody to ask
 * for.
 */
static bool await_round(struct iv_tide *t, iv_ns begun)
{
    (void)pthread_mutex_lock(&t->lock);
    while (!t->stopping) {
        bool work = t->wanted || t->followed > 0;
        iv_ns left = begun + (t->wanted ? ROUND : STUCK_ROUND) - iv_monotonic(&t->clock);
        if (work && left <= 0) {
            break;
        }
        if (work) {
            struct timespec until;
            iv_monotonic_in(&until, left);
            (void)pthread_cond_timedwait(&t->wake, &t->lock, &until);
        } else {
            (void)pthread_cond_wait(&t->wake, &t->lock);
        }
    }
    t->wanted = false;
    bool on = !t->stopping;
    (void)pthread_mutex_unlock(&t->lock);
    return on;
}

static void *tide_thread(void *argument)
{
    struct iv_tide *t = argument;
    iv_ns begun = 0;
    while (await_round(t, begun)) {
        begun = iv_monotonic(&t->clock);
        /* Stream by stream: a topic that is missing holds up the answer to the whole question. */
        for (int s = 0; s < IV_STREAMS; s++) {
            (void)pthread_mutex_lock(&t->lock);
            size_t count = collect(t, (enum iv_stream)s);
            (void)pthread_mutex_unlock(&t->lock);
            if (count > 0) {
                ask(t, count);
            }
        }
    }
    return NULL;
}

static void tide_init(struct iv_tide *t)
{
    iv_monotonic_cond_init(&t->wake);
    IV_CHECK(pthread_mutex_init(&t->lock, NULL) == 0);
    t->clock = iv_clock_system();
}

iv_rc iv_tide_start(struct iv_tide **out, const struct iv_tide_options *options, struct iv_err *err)
{
    struct iv_tide *t = iv_calloc(1, sizeof *t);
    ENSURE(t != NULL, err, IV_E_NOMEM, "cannot allocate the watch on partitions' ends");
    t->options = *options;
    tide_init(t);
    struct iv_rc_s rc =
        iv_ends_open(&t->ends, options->properties, options->property_count, options->topics, err);
    if (iv_ok(rc)) {
        t->started = pthread_create(&t->thread, NULL, tide_thread, t) == 0;
        rc = t->started ? IV_OK : iv_err_set(err, IV_E_NOMEM, "cannot start a thread");
    }
    if (!iv_ok(rc)) {
        iv_tide_stop(t);
        return rc;
    }
    *out = t;
    return IV_OK;
}

void iv_tide_stop(struct iv_tide *tide)
{
    if (tide == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&tide->lock);
    tide->stopping = true;
    (void)pthread_cond_signal(&tide->wake);
    (void)pthread_mutex_unlock(&tide->lock);
    if (tide->started) {
        (void)pthread_join(tide->thread, NULL);
    }
    iv_ends_close(tide->ends);
    for (size_t s = 0; s < IV_STREAMS; s++) {
        iv_free(tide->watched[s]);
    }
    iv_free(tide->asked);
    (void)pthread_cond_destroy(&tide->wake);
    (void)pthread_mutex_destroy(&tide->lock);
    iv_free(tide);
}
