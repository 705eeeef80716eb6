/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the daemon gets on: its parts' turns, counted by themselves.
 * Purpose: a service manager's watchdog is fed by what was done, never by the time that passed. A part is a
 * thread; a turn is one round of its work: what it waited for has come, or was asked for in vain.
 * Owner/thread: parts are added by the main thread before their threads are started, and looked at by it;
 * each part counts on its own.
 * Guarantee: iv_watch_moved is true at most once for the same turns. A part that waits at a queue for another
 * part, which is slow, is not taken for stuck; that other part answers for both.
 * Not here: whom it is told (notify.h). */
#pragma once

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct iv_handoff;
struct iv_watch;

struct iv_turns {
    atomic_uint_fast64_t count;
};

/* turns may be NULL: nobody looks. */
static inline void iv_turn(struct iv_turns *turns)
{
    if (turns != NULL) {
        (void)atomic_fetch_add_explicit(&turns->count, 1, memory_order_relaxed);
    }
}

iv_rc iv_watch_new(struct iv_watch **out, struct iv_err *err);
void iv_watch_free(struct iv_watch *watch);

/* A further part, by a constant name. fills: the queue that it may have to wait at, or NULL. The turns are
 * the watch's. */
iv_rc iv_watch_part(struct iv_turns **out, struct iv_watch *watch, const char *name, struct iv_handoff *fills,
                    struct iv_err *err);

/* Whether every part has turned since the last time that this was true, which is what is remembered then. */
bool iv_watch_moved(struct iv_watch *watch);
/* The first part that has not; NULL: there is none. */
const char *iv_watch_standing(const struct iv_watch *watch);
