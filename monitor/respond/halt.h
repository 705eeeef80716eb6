/* SPDX-License-Identifier: Apache-2.0 */
/* The global stop: while it holds, no action is called.
 * Purpose: one word of one person, from any process on the store, that outlives restarts.
 * Owner/thread: whoever is inside the store's transaction.
 * Guarantee: set and lifted on record: who, when and why are in the store and in the monitor's own log.
 * Not here: who may write to the store (the file's mode), what a pause stops (responder.h). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>

struct iv_store;

struct iv_halt {
    bool holds;
    struct iv_str by;
    struct iv_str reason; /* may be empty */
    iv_ns since;
};

/* Sets or lifts it. Again is on record again. */
iv_rc iv_halt_put(struct iv_store *store, bool holds, struct iv_str by, struct iv_str reason, iv_ns now,
                  struct iv_err *err);
/* The store's word of it; texts in the arena. */
iv_rc iv_halt_get(struct iv_halt *out, struct iv_store *store, struct iv_arena *arena, struct iv_err *err);
/* The same for whoever reads the store. */
struct iv_reader;
iv_rc iv_halt_read(struct iv_halt *out, struct iv_reader *reader, struct iv_arena *arena, struct iv_err *err);
/* Only whether it holds. */
iv_rc iv_halt_holds(bool *out, struct iv_store *store, struct iv_err *err);

/* The file that does the same: whether it is there. p NULL: there is none to look for. */
bool iv_halt_by_file(struct iv_str path);
