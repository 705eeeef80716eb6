/* SPDX-License-Identifier: Apache-2.0 */
/* What a step of the clock does to the times that are written down.
 * Owner/thread: whoever is inside the store's transaction. Not here: that it was one (respond/clock_jump.h).
 */
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <stdbool.h>

struct iv_store;

/* From now on the clock counts as so much ahead of the time; 0: it does not. By as much further back begin
 * the windows in which executions are counted, ended or are joined; as much later comes what is taken back in
 * its time, and what nobody approved is refused. */
void iv_store_clock_ahead(struct iv_store *store, iv_ns ahead);
/* By how much it counts as ahead. */
iv_ns iv_store_clock_is_ahead(const struct iv_store *store);

/* It was set back, to now: what waits, for its next attempt, to be taken back, for the broker or for an
 * approval, waits from now no longer than it had to at first. *any: something did. */
iv_rc iv_store_clock_back(struct iv_store *store, bool *any, iv_ns now, struct iv_err *err);
