/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/course.h"

#include "base/guard.h"
#include "evidence/rows.h"
#include "evidence/tasks_internal.h"

#include <string.h>

/* NULL: the playbook's name is too long to be remembered by. */
static struct iv_course *course_of(struct iv_courses *courses, struct iv_str playbook)
{
    for (size_t i = 0; i < IV_COUNT(courses->items); i++) {
        struct iv_course *c = &courses->items[i];
        if (c->playbook_n > 0 && iv_str_eq((struct iv_str){c->playbook, c->playbook_n}, playbook)) {
            return c;
        }
    }
    struct iv_course *c = &courses->items[courses->next];
    if (playbook.n == 0 || playbook.n > sizeof c->playbook) {
        return NULL;
    }
    courses->next = (courses->next + 1) % IV_COUNT(courses->items);
    *c = (struct iv_course){.playbook_n = playbook.n};
    memcpy(c->playbook, playbook.p, playbook.n);
    return c;
}

static iv_rc read_ends(struct iv_store *store, bool *wrong, size_t *count, struct iv_str playbook,
                       iv_ns since, size_t limit, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_COURSE_ENDS, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, playbook);
    iv_sql_bind_int(&args, since);
    iv_sql_bind_int(&args, (int64_t)limit);
    for (*count = 0; *count < limit; ++*count) {
        bool more = false;
        TRY(iv_sql_step(&store->sql, stmt, &more, "read how executions ended", err));
        if (!more) {
            break;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        wrong[*count] = iv_sql_get_int(&row) != 0;
    }
    for (size_t i = 0; i < *count / 2; i++) { /* they were read newest first */
        bool other = wrong[*count - 1 - i];
        wrong[*count - 1 - i] = wrong[i];
        wrong[i] = other;
    }
    return IV_OK;
}

/* A window that begins up to a second later is taken for the same. */
static bool still_holds(const struct iv_courses *courses, const struct iv_course *c, iv_ns since,
                        size_t limit)
{
    return c->ends.known && c->ends.moved == courses->moved && c->ends.limit == limit &&
           c->ends.since <= since && since - c->ends.since < IV_NS_PER_S;
}

iv_rc iv_store_ends(struct iv_store *store, bool *wrong, size_t *count, struct iv_str playbook, iv_ns since,
                    size_t limit, struct iv_err *err)
{
    IV_CHECK(store->inside);
    struct iv_course *c = limit <= IV_COURSE_ENDS_MAX ? course_of(&store->courses, playbook) : NULL;
    since = iv_ns_add(since, -store->ahead);
    if (c == NULL) {
        return read_ends(store, wrong, count, playbook, since, limit, err);
    }
    if (!still_holds(&store->courses, c, since, limit)) {
        c->ends.known = false;
        TRY(read_ends(store, c->ends.wrong, &c->ends.count, playbook, since, limit, err));
        c->ends.known = true;
        c->ends.since = since;
        c->ends.limit = limit;
        c->ends.moved = store->courses.moved;
    }
    *count = c->ends.count;
    memcpy(wrong, c->ends.wrong, c->ends.count * sizeof *wrong);
    return IV_OK;
}

iv_rc iv_store_at_work(struct iv_store *store, int64_t *out, struct iv_str playbook, int64_t enough,
                       struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    struct iv_course *c = course_of(&store->courses, playbook);
    bool found = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_COURSE_AT_WORK, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, playbook);
    iv_sql_bind_int(&args, enough);
    TRY(iv_sql_step(&store->sql, stmt, &found, "count executions at work", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = found ? iv_sql_get_int(&row) : 0;
    if (c != NULL) {
        c->at_work.known = *out < enough;
        c->at_work.count = *out;
        c->at_work.begun = store->courses.begun;
    }
    return IV_OK;
}

iv_rc iv_store_at_work_most(struct iv_store *store, int64_t *out, struct iv_str playbook, int64_t enough,
                            struct iv_err *err)
{
    IV_CHECK(store->inside);
    const struct iv_course *c = course_of(&store->courses, playbook);
    if (c != NULL && c->at_work.known) {
        *out = c->at_work.count + (store->courses.begun - c->at_work.begun);
        if (*out < enough) {
            return IV_OK;
        }
    }
    return iv_store_at_work(store, out, playbook, enough, err);
}

static const struct {
    enum iv_statement statement;
    bool playbook;
    bool target;
} sets[] = {
    [IV_COURSE_FRONT] = {IV_SQL_COURSE_FRONT, true, false},
    [IV_COURSE_QUEUE] = {IV_SQL_COURSE_QUEUE, true, false},
    [IV_COURSE_ESCALATING] = {IV_SQL_COURSE_ESCALATING, false, false},
    [IV_COURSE_OUTRANKED] = {IV_SQL_COURSE_OUTRANKED, true, true},
};

iv_rc iv_store_course(struct iv_store *store, struct iv_execution **out, size_t *count,
                      enum iv_course_set set, struct iv_str playbook, struct iv_str target, size_t limit,
                      struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, sets[set].statement, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    if (sets[set].playbook) {
        iv_sql_bind_str(&args, playbook);
    }
    if (sets[set].target) {
        iv_sql_bind_str(&args, target);
    }
    iv_sql_bind_int(&args, (int64_t)limit);
    return iv_executions_read(store, stmt, out, count, limit, arena, err);
}

iv_rc iv_store_queued(struct iv_store *store, bool *out, struct iv_str playbook, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_COURSE_QUEUED, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, playbook);
    return iv_sql_step(&store->sql, stmt, out, "look for executions that wait for their turn", err);
}

iv_rc iv_store_outranked(struct iv_store *store, bool *out, const struct iv_execution *execution,
                         struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    *out = false;
    if (execution->escalate_to.n == 0 || execution->target.n == 0) {
        return IV_OK;
    }
    TRY(iv_store_statement(store, &stmt, IV_SQL_COURSE_OUTRANKING, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, execution->escalate_to);
    iv_sql_bind_str(&args, execution->target);
    iv_sql_bind_str(&args, execution->tenant);
    iv_sql_bind_int(&args, execution->observed);
    iv_sql_bind_str(&args, execution->playbook);
    return iv_sql_step(&store->sql, stmt, out, "look for a higher rung", err);
}

iv_rc iv_store_failed_alike(struct iv_store *store, bool *out, const struct iv_execution *execution,
                            iv_ns since, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_COURSE_ALIKE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, execution->playbook);
    iv_sql_bind_str(&args, execution->rule);
    iv_sql_bind_str(&args, execution->cause);
    iv_sql_bind_int(&args, iv_ns_add(since, -store->ahead));
    return iv_sql_step(&store->sql, stmt, out, "look for an execution that failed alike", err);
}

iv_rc iv_store_finding_text(struct iv_store *store, struct iv_buf *out, struct iv_str uid, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_FINDING_TEXT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, uid);
    TRY(iv_sql_step(&store->sql, stmt, &found, "read a finding", err));
    ENSURE(found, err, IV_E_ABSENT, "the store has no finding '" IV_STR_FMT "'", IV_STR_ARG(uid));
    struct iv_sql_row row = iv_sql_row(stmt);
    iv_buf_str(out, iv_sql_get_str(&row));
    return iv_buf_check(out, "a finding", err);
}

iv_rc iv_store_hold_undo(struct iv_store *store, const struct iv_execution *execution,
                         const struct iv_step *undo, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    if (execution->target.n == 0) {
        return IV_OK;
    }
    TRY(iv_store_statement(store, &stmt, IV_SQL_COURSE_HOLD, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, undo->due);
    iv_sql_bind_str(&args, undo->name);
    iv_sql_bind_str(&args, execution->playbook);
    iv_sql_bind_str(&args, execution->target);
    iv_sql_bind_str(&args, execution->tenant);
    iv_sql_bind_str(&args, execution->key);
    iv_sql_bind_int(&args, execution->admitted);
    return iv_sql_run(&store->sql, stmt, "hold back what takes back", err);
}

iv_rc iv_store_undo_yields(struct iv_store *store, bool *yields, iv_ns *until,
                           const struct iv_execution *execution, const struct iv_step *undo, iv_ns now,
                           struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    *yields = false;
    if (execution->target.n == 0) {
        return IV_OK;
    }
    TRY(iv_store_statement(store, &stmt, IV_SQL_COURSE_YIELDS, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, execution->playbook);
    iv_sql_bind_str(&args, execution->target);
    iv_sql_bind_str(&args, execution->tenant);
    iv_sql_bind_str(&args, execution->key);
    iv_sql_bind_int(&args, execution->admitted);
    iv_sql_bind_str(&args, undo->name);
    iv_sql_bind_int(&args, now);
    iv_sql_bind_int(&args, undo->undoes);
    iv_sql_bind_int(&args, undo->undo_after);
    iv_sql_bind_int(&args, undo->due);
    TRY(iv_sql_step(&store->sql, stmt, yields, "look for a later execution", err));
    if (*yields) {
        struct iv_sql_row row = iv_sql_row(stmt);
        int64_t due = iv_sql_get_int(&row);
        *until = due == 0 ? IV_NS_MIN : due;
    }
    return IV_OK;
}

iv_rc iv_store_order(struct iv_store *store, const struct iv_execution *execution, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_EXECUTION_ORDER, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, execution->ramp.start);
    iv_sql_bind_str(&args, execution->escalate_to);
    iv_sql_bind_int(&args, execution->expires);
    iv_sql_bind_int(&args, execution->quorum);
    iv_sql_bind_int(&args, execution->absence ? 1 : 0);
    iv_sql_bind_str(&args, execution->key);
    store->courses.begun++; /* it may have waited for its turn until now */
    return iv_sql_run(&store->sql, stmt, "put an execution in order", err);
}
