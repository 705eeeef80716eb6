/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the streams are fresh, as the observer finds out while it asks for their ends.
 * Purpose: keeps what respond/freshness.h decides by.
 * Owner/thread: the observer's thread, but for iv_fresh_ask, which is for any.
 * Not here: what fresh is (respond/freshness.h), asking for ends (reading.h). */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "daemon/marks.h"
#include "respond/freshness.h"
#include "stream/source.h"

#include <pthread.h>
#include <stdint.h>

struct iv_fresh_watch {
    struct iv_clock clock;
    struct iv_freshness found;
    struct iv_cursor *stable; /* of all partitions: up to where records are committed */
    struct iv_cursor *read;   /* of those that the detector reads */
    size_t count;
    pthread_mutex_t lock;
    struct iv_freshness known; /* under lock: found, as of the last telling */
};

void iv_fresh_init(struct iv_fresh_watch *fresh, struct iv_clock clock, bool detects);
void iv_fresh_deinit(struct iv_fresh_watch *fresh);

/* All partitions, in the order of the time before unless there are others, have just told these ends, and up
 * to where their records are committed. One that was not told makes it no answer. */
iv_rc iv_fresh_ends(struct iv_fresh_watch *fresh, const struct iv_cursor *ends,
                    const struct iv_cursor *stable, size_t count, struct iv_err *err);
void iv_fresh_clock_set(struct iv_fresh_watch *fresh);
/* For `positions`: the group has given this process's detector no partition, and others read them all: it
 * waits for none of them, as a process without a detector. */
#define IV_FRESH_STANDBY SIZE_MAX

/* How far the detector has read, held against the marks; makes known what was found. */
void iv_fresh_tell(struct iv_fresh_watch *fresh, const struct iv_marks *marks, iv_ns wall,
                   size_t (*positions)(void *ctx, struct iv_cursor *out, size_t room), void *ctx);
/* Whether the broker answers, of whatever it has told. */
bool iv_fresh_hears(struct iv_fresh_watch *fresh);
/* *why: what is not fresh, a constant. */
bool iv_fresh_ask(struct iv_fresh_watch *fresh, const char **why);
