/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/awaited.h"

#include "base/guard.h"
#include "evidence/reader_internal.h"
#include "evidence/rows.h"
#include "evidence/tasks_internal.h"

static iv_rc read_steps(struct iv_reader *reader, sqlite3_stmt *stmt, struct iv_step *steps, size_t *count,
                        size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    for (*count = 0; *count < limit; ++*count) {
        bool more = false;
        TRY(iv_sql_step(&reader->sql, stmt, &more, "read steps that wait for evidence", err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        struct iv_step *s = &steps[*count];
        s->execution = iv_arena_str(arena, iv_sql_get_str(&row));
        s->position = iv_sql_get_int(&row);
        s->done = iv_sql_get_int(&row);
        ENSURE(s->execution.p != NULL, err, IV_E_NOMEM, "no memory left to read steps");
    }
    return IV_OK;
}

iv_rc iv_reader_awaited(struct iv_reader *reader, struct iv_step **out, size_t *count, size_t limit,
                        struct iv_arena *arena, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    struct iv_step *steps = iv_arena_zalloc(arena, limit * sizeof *steps);
    ENSURE(steps != NULL, err, IV_E_NOMEM, "no memory left to read steps");
    TRY(iv_sql_prepare(&reader->sql, &stmt, IV_AWAITED_STEPS, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, (int64_t)limit);
    TRY(read_steps(reader, stmt, steps, count, limit, arena, err));
    *out = steps;
    return IV_OK;
}

iv_rc iv_reader_awaited_task(struct iv_reader *reader, struct iv_task *out, bool *found,
                             const struct iv_step *step, struct iv_arena *arena, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(iv_sql_prepare(&reader->sql, &stmt, IV_AWAITED_TASK, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, step->execution);
    iv_sql_bind_int(&args, step->position);
    TRY(iv_sql_step(&reader->sql, stmt, found, "read a step that waits for evidence", err));
    if (!*found) {
        return IV_OK;
    }
    struct iv_sql_row row = iv_sql_row(stmt);
    TRY(iv_row_step(&out->step, &row, err));
    TRY(iv_row_execution(&out->execution, &row, err));
    *found = iv_step_awaits(&out->step) && out->step.done == step->done;
    ENSURE(iv_task_keep(out, arena), err, IV_E_NOMEM, "no memory left to read a step");
    return IV_OK;
}
