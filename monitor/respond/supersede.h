/* SPDX-License-Identifier: Apache-2.0 */
/* What would have led to a playbook is not needed any more when that one begins.
 * Purpose: of two rungs of a ladder for one target, the higher one alone is climbed; the lower one yields to
 * one that may begin (iv_store_outranked), and is there again if that one does not begin after all.
 * Owner/thread: whoever is inside the store's transaction. Not here: what follows one that failed
 * (escalate.h). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"

struct iv_execution;
struct iv_store;

/* by is about to be called, for the first time where it is planned; else nothing happens. Those for the same
 * target of the same tenant that have not begun, and that it would follow if they failed, end as superseded.
 */
iv_rc iv_supersede(struct iv_store *store, const struct iv_execution *by, iv_ns now, struct iv_arena *arena,
                   struct iv_err *err);
