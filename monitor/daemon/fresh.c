/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/fresh.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <string.h>

void iv_fresh_init(struct iv_fresh_watch *f, struct iv_clock clock, bool detects)
{
    *f = (struct iv_fresh_watch){.clock = clock};
    f->found = (struct iv_freshness){.heard = IV_NS_MIN,
                                     .returned = IV_NS_MIN,
                                     .detects = detects,
                                     .read = IV_NS_MIN,
                                     .held = IV_NS_MAX,
                                     .stepped = IV_NS_MIN};
    f->known = f->found;
    IV_CHECK(pthread_mutex_init(&f->lock, NULL) == 0);
}

void iv_fresh_deinit(struct iv_fresh_watch *f)
{
    iv_free(f->stable);
    (void)pthread_mutex_destroy(&f->lock);
}

/* For so many partitions, of which nothing is known yet. */
static iv_rc make_room(struct iv_fresh_watch *f, size_t count, struct iv_err *err)
{
    if (f->count == count) {
        return IV_OK;
    }
    struct iv_cursor *room = iv_calloc(2 * count, sizeof *room);
    ENSURE(room != NULL, err, IV_E_NOMEM, "cannot allocate %zu partitions", count);
    iv_free(f->stable);
    f->stable = room;
    f->read = room + count;
    f->count = count;
    for (size_t i = 0; i < count; i++) {
        f->stable[i].offset = -1;
    }
    return IV_OK;
}

/* Some partition's committed records end before its log, and do not get on. */
static bool is_held(const struct iv_fresh_watch *f, const struct iv_cursor *ends,
                    const struct iv_cursor *stable)
{
    for (size_t i = 0; i < f->count; i++) {
        if (stable[i].offset < ends[i].offset && stable[i].offset == f->stable[i].offset) {
            return true;
        }
    }
    return false;
}

static bool are_told(const struct iv_cursor *ends, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ends[i].offset < 0) {
            return false;
        }
    }
    return true;
}

iv_rc iv_fresh_ends(struct iv_fresh_watch *f, const struct iv_cursor *ends, const struct iv_cursor *stable,
                    size_t count, struct iv_err *err)
{
    iv_ns now = iv_monotonic(&f->clock);
    if (!are_told(ends, count) || !are_told(stable, count)) {
        return IV_OK;
    }
    /* Heard for the first time, it may have been away until now as well. */
    bool was_away = f->found.heard == IV_NS_MIN || now - f->found.heard > IV_FRESH_HEARD;
    f->found.returned = was_away ? now : f->found.returned;
    f->found.heard = now;
    TRY(make_room(f, count, err));
    iv_ns since = f->found.held == IV_NS_MAX ? now : f->found.held;
    f->found.held = is_held(f, ends, stable) ? since : IV_NS_MAX;
    memcpy(f->stable, stable, count * sizeof *stable);
    return IV_OK;
}

void iv_fresh_clock_set(struct iv_fresh_watch *f)
{
    f->found.stepped = iv_monotonic(&f->clock);
}

void iv_fresh_tell(struct iv_fresh_watch *f, const struct iv_marks *marks, iv_ns wall,
                   size_t (*positions)(void *ctx, struct iv_cursor *out, size_t room), void *ctx)
{
    iv_ns read = IV_NS_MIN;
    bool stands_by = false;
    if (f->found.detects && f->read != NULL && marks != NULL) {
        size_t count = positions(ctx, f->read, f->count);
        stands_by = count == IV_FRESH_STANDBY;
        read = stands_by ? IV_NS_MIN : iv_marks_read(marks, f->read, count < f->count ? count : f->count);
    }
    f->found.read = read == IV_NS_MIN ? IV_NS_MIN : iv_monotonic(&f->clock) - (wall - read);
    (void)pthread_mutex_lock(&f->lock);
    f->known = f->found;
    f->known.detects = f->found.detects && !stands_by;
    (void)pthread_mutex_unlock(&f->lock);
}

static struct iv_freshness known_by_now(struct iv_fresh_watch *f)
{
    (void)pthread_mutex_lock(&f->lock);
    struct iv_freshness known = f->known;
    (void)pthread_mutex_unlock(&f->lock);
    known.now = iv_monotonic(&f->clock);
    return known;
}

bool iv_fresh_hears(struct iv_fresh_watch *f)
{
    struct iv_freshness known = known_by_now(f);
    return known.heard != IV_NS_MIN && known.now - known.heard <= IV_FRESH_HEARD;
}

bool iv_fresh_ask(struct iv_fresh_watch *f, const char **why)
{
    struct iv_freshness known = known_by_now(f);
    return iv_fresh(&known, why);
}
