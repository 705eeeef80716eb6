/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that write executions share. Internal to the room. */
#pragma once

#include "base/arena.h"
#include "evidence/store_internal.h"

/* Copies the row's texts into the arena; false: no memory is left. */
bool iv_execution_keep(struct iv_execution *execution, struct iv_arena *arena);

/* The execution answers the finding. first: it was inserted for it, which counts it already. */
iv_rc iv_store_answer(struct iv_store *store, struct iv_str execution, struct iv_str finding, bool first,
                      struct iv_err *err);
