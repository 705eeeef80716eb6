/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that write executions share. Internal to the room. */
#pragma once

#include "base/arena.h"
#include "evidence/rows.h"
#include "evidence/store_internal.h"

/* Copies the row's texts into the arena; false: no memory is left. */
bool iv_execution_keep(struct iv_execution *execution, struct iv_arena *arena);
bool iv_task_keep(struct iv_task *task, struct iv_arena *arena);

/* The rows of a bound statement that selects IV_COLUMNS_EXECUTION, limit at the most, their texts in the
 * arena. */
iv_rc iv_executions_read(struct iv_store *store, sqlite3_stmt *stmt, struct iv_execution **out, size_t *count,
                         size_t limit, struct iv_arena *arena, struct iv_err *err);

/* What awaited.h asks. The first sorts, but narrow rows only, and of an index that has no other steps. */
#define IV_AWAITED_STEPS                                                                                     \
    "SELECT s.execution, s.position, s.done FROM steps s INDEXED BY steps_expected"                          \
    " WHERE s.state = 'done' AND s.expectation <> '' ORDER BY s.done + s.within LIMIT ?"
#define IV_AWAITED_TASK                                                                                      \
    "SELECT " IV_COLUMNS_STEP ", " IV_COLUMNS_EXECUTION " FROM steps s JOIN executions e"                    \
    " ON e.key = s.execution WHERE s.execution = ? AND s.position = ?"

/* The execution answers the finding. first: it was inserted for it, which counts it already. */
iv_rc iv_store_answer(struct iv_store *store, struct iv_str execution, struct iv_str finding, bool first,
                      struct iv_err *err);
