/* SPDX-License-Identifier: Apache-2.0 */
/* What would have led to a playbook is not needed any more when that one may begin.
 * Purpose: of two rungs of a ladder for one target, the higher one alone is climbed.
 * Owner/thread: whoever is inside the store's transaction. Not here: what follows one that failed
 * (escalate.h). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"

struct iv_execution;
struct iv_store;

/* by may begin: it waits for neither its turn nor an approval. Those for the same target of the same tenant
 * that have not begun, and that it would follow if they failed, end as superseded. */
iv_rc iv_supersede(struct iv_store *store, const struct iv_execution *by, iv_ns now, struct iv_arena *arena,
                   struct iv_err *err);
