/* SPDX-License-Identifier: Apache-2.0 */
/* Executions, their steps and the log of their changes: the part of the store that respond/ writes. */
#include "base/guard.h"
#include "evidence/rows.h"
#include "evidence/tasks_internal.h"

#include <inttypes.h>
#include <string.h>

/* how: IV_SQL_EXECUTION_INSERT or IV_SQL_EXECUTION_TELL. */
static iv_rc insert_execution(struct iv_store *store, bool *fresh, enum iv_statement how,
                              const struct iv_execution *e, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, how, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, e->key);
    iv_sql_bind_str(&args, e->finding);
    iv_sql_bind_str(&args, e->playbook);
    iv_sql_bind_str(&args, e->title);
    iv_sql_bind_str(&args, e->target);
    iv_sql_bind_int(&args, e->tactic);
    iv_sql_bind_str(&args, e->rule);
    iv_sql_bind_int(&args, e->severity);
    iv_sql_bind_str(&args, e->tenant);
    iv_sql_bind_str(&args, e->agent);
    iv_sql_bind_str(&args, e->baseline);
    iv_sql_bind_str(&args, iv_str_of(iv_run_state_name(e->state)));
    iv_sql_bind_str(&args, e->cause);
    iv_sql_bind_int(&args, e->event_time);
    iv_sql_bind_int(&args, e->planned);
    iv_sql_bind_int(&args, e->started);
    iv_sql_bind_int(&args, e->finished);
    iv_sql_bind_str(&args, e->touched.agent);
    iv_sql_bind_str(&args, e->touched.tenant);
    iv_sql_bind_str(&args, e->touched.enclave);
    iv_sql_bind_int(&args, e->admitted);
    iv_sql_bind_int(&args, e->expires);
    iv_sql_bind_int(&args, e->observed);
    iv_sql_bind_int(&args, e->quorum);
    iv_sql_bind_str(&args, e->approvers);
    iv_sql_bind_int(&args, e->ramp.start);
    iv_sql_bind_int(&args, e->ramp.errors);
    iv_sql_bind_str(&args, e->escalate_to);
    iv_sql_bind_int(&args, e->absence);
    TRY(iv_sql_run(&store->sql, stmt, "write an execution", err));
    *fresh = sqlite3_changes(store->sql.db) > 0;
    store->counts.admitted += e->admitted > 0;
    store->courses.begun++;
    return IV_OK;
}

static iv_rc insert_step(struct iv_store *store, const struct iv_step *s, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_STEP_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, s->execution);
    iv_sql_bind_int(&args, s->position);
    iv_sql_bind_str(&args, s->key);
    iv_sql_bind_str(&args, s->name);
    iv_sql_bind_str(&args, s->kind);
    iv_sql_bind_str(&args, s->request);
    iv_sql_bind_int(&args, s->timeout);
    iv_sql_bind_int(&args, s->attempts);
    iv_sql_bind_int(&args, s->backoff);
    iv_sql_bind_int(&args, s->backoff_max);
    iv_sql_bind_str(&args, iv_str_of(iv_step_state_name(s->state)));
    iv_sql_bind_str(&args, s->cause);
    iv_sql_bind_int(&args, s->attempt);
    iv_sql_bind_int(&args, s->due);
    iv_sql_bind_int(&args, s->outbox);
    iv_sql_bind_int(&args, s->status);
    iv_sql_bind_str(&args, s->answer);
    iv_sql_bind_int(&args, s->started);
    iv_sql_bind_int(&args, s->finished);
    iv_sql_bind_int(&args, s->on_failure);
    iv_sql_bind_int(&args, s->only_escalated);
    iv_sql_bind_int(&args, s->undoes);
    iv_sql_bind_int(&args, s->undo_after);
    iv_sql_bind_int(&args, s->done);
    iv_sql_bind_str(&args, s->expectation);
    iv_sql_bind_int(&args, s->within);
    iv_sql_bind_str(&args, s->evidence);
    return iv_sql_run(&store->sql, stmt, "write a step", err);
}

/* One that another process was seen to work on, and has not finished, becomes ours: it may be gone, and its
 * endpoints know a call that comes twice by its key. */
static iv_rc claim(struct iv_store *store, struct iv_str key, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_EXECUTION_CLAIM, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, key);
    return iv_sql_run(&store->sql, stmt, "claim an execution", err);
}

iv_rc iv_store_plan(struct iv_store *store, bool *fresh, const struct iv_execution *execution,
                    const struct iv_step *steps, size_t count, struct iv_err *err)
{
    IV_CHECK(store->inside);
    bool inserted = false;
    TRY(claim(store, execution->key, err));
    TRY(insert_execution(store, &inserted, IV_SQL_EXECUTION_INSERT, execution, err));
    for (size_t i = 0; inserted && i < count; i++) {
        TRY(insert_step(store, &steps[i], err));
    }
    if (inserted) {
        TRY(iv_store_answer(store, execution->key, execution->finding, true, err));
    }
    *fresh = inserted;
    return IV_OK;
}

iv_rc iv_store_move_execution(struct iv_store *store, const struct iv_execution *execution,
                              struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    store->counts.admitted += execution->state == IV_RUN_PLANNED; /* it waited until now */
    store->courses.begun += execution->state == IV_RUN_PLANNED || execution->state == IV_RUN_RUNNING;
    store->courses.moved++;
    TRY(iv_store_statement(store, &stmt, IV_SQL_EXECUTION_MOVE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, iv_str_of(iv_run_state_name(execution->state)));
    iv_sql_bind_str(&args, execution->cause);
    iv_sql_bind_int(&args, execution->admitted);
    iv_sql_bind_int(&args, execution->started);
    iv_sql_bind_int(&args, execution->finished);
    iv_sql_bind_int(&args, execution->awaits ? 1 : 0);
    iv_sql_bind_str(&args, execution->key);
    return iv_sql_run(&store->sql, stmt, "move an execution", err);
}

iv_rc iv_store_move_step(struct iv_store *store, const struct iv_step *step, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_STEP_MOVE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, iv_str_of(iv_step_state_name(step->state)));
    iv_sql_bind_str(&args, step->cause);
    iv_sql_bind_int(&args, step->attempt);
    iv_sql_bind_int(&args, step->due);
    iv_sql_bind_int(&args, step->outbox);
    iv_sql_bind_int(&args, step->status);
    iv_sql_bind_str(&args, step->answer);
    iv_sql_bind_int(&args, step->started);
    iv_sql_bind_int(&args, step->finished);
    iv_sql_bind_int(&args, step->done);
    iv_sql_bind_str(&args, step->evidence);
    iv_sql_bind_str(&args, step->execution);
    iv_sql_bind_int(&args, step->position);
    return iv_sql_run(&store->sql, stmt, "move a step", err);
}

static iv_rc enter_action(struct iv_store *store, int64_t *leaf, const struct iv_action *action,
                          struct iv_err *err)
{
    char room[256];
    IV_AUTO(iv_buf_deinit) struct iv_buf key;
    iv_buf_init_lent(&key, room, sizeof room, 65536);
    iv_buf_str(&key, action->execution);
    if (action->step >= 0) {
        iv_buf_printf(&key, "/%" PRId64, action->step);
    }
    TRY(iv_buf_check(&key, "the key of an action", err));
    return iv_log_append(store, leaf, IV_LEAF_ACTION, iv_buf_slice(&key), IV_NS_MIN, action->ocsf, err);
}

iv_rc iv_store_log_action(struct iv_store *store, const struct iv_action *action, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    int64_t leaf = 0;
    TRY(enter_action(store, &leaf, action, err));
    TRY(iv_store_statement(store, &stmt, IV_SQL_ACTION_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, action->execution);
    iv_sql_bind_int(&args, action->step);
    iv_sql_bind_str(&args, action->state);
    iv_sql_bind_int(&args, action->time);
    iv_sql_bind_str(&args, action->ocsf);
    iv_sql_bind_int(&args, leaf);
    return iv_sql_run(&store->sql, stmt, "log an action", err);
}

static bool keep(struct iv_arena *arena, struct iv_str *s)
{
    *s = iv_arena_str(arena, *s);
    return s->p != NULL;
}

bool iv_execution_keep(struct iv_execution *e, struct iv_arena *arena)
{
    return keep(arena, &e->key) && keep(arena, &e->finding) && keep(arena, &e->playbook) &&
           keep(arena, &e->title) && keep(arena, &e->target) && keep(arena, &e->rule) &&
           keep(arena, &e->tenant) && keep(arena, &e->agent) && keep(arena, &e->baseline) &&
           keep(arena, &e->cause) && keep(arena, &e->touched.agent) && keep(arena, &e->touched.tenant) &&
           keep(arena, &e->touched.enclave) && keep(arena, &e->approvers) && keep(arena, &e->escalate_to);
}

static bool keep_step(struct iv_step *s, struct iv_arena *arena)
{
    return keep(arena, &s->execution) && keep(arena, &s->key) && keep(arena, &s->name) &&
           keep(arena, &s->kind) && keep(arena, &s->request) && keep(arena, &s->cause) &&
           keep(arena, &s->answer) && keep(arena, &s->expectation) && keep(arena, &s->evidence);
}

bool iv_task_keep(struct iv_task *task, struct iv_arena *arena)
{
    return iv_execution_keep(&task->execution, arena) && keep_step(&task->step, arena);
}

iv_rc iv_executions_read(struct iv_store *store, sqlite3_stmt *stmt, struct iv_execution **out, size_t *count,
                         size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_execution *rows = NULL;
    for (*count = 0; *count < limit; ++*count) {
        bool more = false;
        TRY(iv_sql_step(&store->sql, stmt, &more, "read executions", err));
        if (!more) {
            break;
        }
        rows = rows == NULL ? iv_arena_zalloc(arena, limit * sizeof *rows) : rows;
        ENSURE(rows != NULL, err, IV_E_NOMEM, "no memory left to read executions");
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(iv_row_execution(&rows[*count], &row, err));
        ENSURE(iv_execution_keep(&rows[*count], arena), err, IV_E_NOMEM, "no memory left to read executions");
    }
    *out = rows;
    return IV_OK;
}

/* Room for one more behind count of them: most sets have one row or none, whatever their limit. */
static iv_rc make_room(struct iv_task **tasks, size_t *room, size_t count, struct iv_arena *arena,
                       struct iv_err *err)
{
    if (count < *room) {
        return IV_OK;
    }
    *room = *room == 0 ? 2 : *room * 4;
    struct iv_task *more = iv_arena_zalloc(arena, *room * sizeof *more);
    ENSURE(more != NULL, err, IV_E_NOMEM, "no memory left to read executions");
    if (count > 0) {
        memcpy(more, *tasks, count * sizeof *more);
    }
    *tasks = more;
    return IV_OK;
}

static iv_rc read_tasks(struct iv_store *store, sqlite3_stmt *stmt, struct iv_task **out, size_t *count,
                        size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_task *tasks = NULL;
    size_t room = 0;
    for (*count = 0; *count < limit; ++*count) {
        bool more = false;
        TRY(iv_sql_step(&store->sql, stmt, &more, "read executions", err));
        if (!more) {
            break;
        }
        TRY(make_room(&tasks, &room, *count, arena, err));
        struct iv_task *task = &tasks[*count];
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(iv_row_step(&task->step, &row, err));
        TRY(iv_row_execution(&task->execution, &row, err));
        ENSURE(iv_task_keep(task, arena), err, IV_E_NOMEM, "no memory left to read executions");
    }
    *out = tasks;
    return IV_OK;
}

static const enum iv_statement set_statements[] = {
    [IV_TASKS_DUE] = IV_SQL_TASKS_DUE,
    [IV_TASKS_CALLING] = IV_SQL_TASKS_CALLING,
    [IV_TASKS_DELIVERED] = IV_SQL_TASKS_DELIVERED,
    [IV_TASKS_OVERDUE] = IV_SQL_TASKS_OVERDUE,
    [IV_TASKS_OF] = IV_SQL_TASKS_OF,
};

iv_rc iv_store_tasks(struct iv_store *store, struct iv_task **out, size_t *count, enum iv_task_set set,
                     struct iv_str key, iv_ns now, size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, set_statements[set], err));
    struct iv_sql_args args = iv_sql_args(stmt);
    if (set == IV_TASKS_DUE || set == IV_TASKS_OVERDUE) {
        iv_sql_bind_int(&args, now);
    }
    if (set == IV_TASKS_DUE) {
        iv_sql_bind_int(&args, iv_ns_add(now, -store->ahead));
    }
    if (set == IV_TASKS_OF) {
        iv_sql_bind_str(&args, key);
    }
    iv_sql_bind_int(&args, (int64_t)limit);
    return read_tasks(store, stmt, out, count, limit, arena, err);
}

iv_rc iv_store_renew_posted(struct iv_store *store, bool *any, iv_ns now, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_STEPS_RENEW, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, now);
    TRY(iv_sql_run(&store->sql, stmt, "give messages more time", err));
    *any = *any || sqlite3_changes(store->sql.db) > 0;
    return IV_OK;
}

iv_rc iv_store_lift(struct iv_store *store, int64_t *lifted, struct iv_str cause, int64_t most, iv_ns now,
                    struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_STEPS_LIFT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, now);
    iv_sql_bind_str(&args, cause);
    iv_sql_bind_int(&args, most);
    TRY(iv_sql_run(&store->sql, stmt, "let steps go on", err));
    *lifted = sqlite3_changes(store->sql.db);
    return IV_OK;
}

iv_rc iv_store_next_due(struct iv_store *store, iv_ns *out, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_store_statement(store, &stmt, store->ahead > 0 ? IV_SQL_NEXT_DUE_AHEAD : IV_SQL_NEXT_DUE, err));
    if (store->ahead > 0) {
        struct iv_sql_args args = iv_sql_args(stmt);
        iv_sql_bind_int(&args, store->ahead);
    }
    TRY(iv_sql_step(&store->sql, stmt, &found, "read when the next step is due", err));
    bool none = !found || sqlite3_column_type(stmt, 0) == SQLITE_NULL;
    *out = none ? IV_NS_MAX : sqlite3_column_int64(stmt, 0);
    return IV_OK;
}

static iv_rc is_told(struct iv_store *store, bool *told, struct iv_str key, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool more = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_EXECUTION_TOLD, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, key);
    TRY(iv_sql_step(&store->sql, stmt, &more, "look up an execution", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *told = more && iv_sql_get_int(&row) != 0;
    return IV_OK;
}

iv_rc iv_store_tell_execution(struct iv_store *store, bool *ours, const struct iv_execution *execution,
                              bool moves, struct iv_err *err)
{
    IV_CHECK(store->inside);
    bool inserted = false;
    bool told = false;
    TRY(insert_execution(store, &inserted, IV_SQL_EXECUTION_TELL, execution, err));
    TRY(is_told(store, &told, execution->key, err));
    *ours = !told;
    /* Of ours, too: another responder may have found that it answers one more. */
    TRY(iv_store_answer(store, execution->key, execution->finding, inserted, err));
    return told && !inserted && moves ? iv_store_move_execution(store, execution, err) : IV_OK;
}
