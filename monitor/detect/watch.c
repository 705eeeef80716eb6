/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/watch.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "detect/handoff.h"

/* A worker is two parts, and there are at most 64 of them. */
#define PARTS_MAX 160

struct iv_watch {
    size_t count;
    struct part {
        const char *name;
        struct iv_handoff *fills;
        struct iv_turns turns;
        uint_fast64_t seen;
    } parts[PARTS_MAX];
};

iv_rc iv_watch_new(struct iv_watch **out, struct iv_err *err)
{
    struct iv_watch *watch = iv_calloc(1, sizeof *watch);
    ENSURE(watch != NULL, err, IV_E_NOMEM, "cannot allocate the watch over the parts");
    *out = watch;
    return IV_OK;
}

void iv_watch_free(struct iv_watch *watch)
{
    iv_free(watch);
}

iv_rc iv_watch_part(struct iv_turns **out, struct iv_watch *watch, const char *name, struct iv_handoff *fills,
                    struct iv_err *err)
{
    ENSURE(watch->count < PARTS_MAX, err, IV_E_LIMIT, "there are more than %d parts to watch over",
           PARTS_MAX);
    struct part *part = &watch->parts[watch->count++];
    part->name = name;
    part->fills = fills;
    *out = &part->turns;
    return IV_OK;
}

static bool has_turned(const struct part *part)
{
    return atomic_load_explicit(&part->turns.count, memory_order_relaxed) != part->seen ||
           (part->fills != NULL && iv_handoff_full(part->fills));
}

const char *iv_watch_standing(const struct iv_watch *watch)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (!has_turned(&watch->parts[i])) {
            return watch->parts[i].name;
        }
    }
    return NULL;
}

bool iv_watch_moved(struct iv_watch *watch)
{
    if (iv_watch_standing(watch) != NULL) {
        return false;
    }
    for (size_t i = 0; i < watch->count; i++) {
        struct part *part = &watch->parts[i];
        part->seen = atomic_load_explicit(&part->turns.count, memory_order_relaxed);
    }
    return true;
}
