/* SPDX-License-Identifier: Apache-2.0 */
/* Which findings an execution answers: the part of the store that keeps one action from being taken twice. */
#include "base/guard.h"
#include "evidence/rows.h"
#include "evidence/tasks_internal.h"

static iv_rc count_one_more(struct iv_store *store, struct iv_str execution, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_JOIN_COUNT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, execution);
    return iv_sql_run(&store->sql, stmt, "count an execution's findings", err);
}

iv_rc iv_store_answer(struct iv_store *store, struct iv_str execution, struct iv_str finding, bool first,
                      struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_JOIN_ADD, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, finding);
    iv_sql_bind_str(&args, execution);
    TRY(iv_sql_run(&store->sql, stmt, "write what an execution answers", err));
    bool added = sqlite3_changes(store->sql.db) > 0;
    return added && !first ? count_one_more(store, execution, err) : IV_OK;
}

static iv_rc is_answered(struct iv_store *store, bool *known, const struct iv_execution *planned,
                         struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_JOIN_KNOWN, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, planned->finding);
    iv_sql_bind_str(&args, planned->playbook);
    return iv_sql_step(&store->sql, stmt, known, "look up what answers a finding", err);
}

static iv_rc find_host(struct iv_store *store, bool *found, struct iv_execution *host,
                       const struct iv_execution *planned, iv_ns since, struct iv_arena *arena,
                       struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_JOIN_HOST, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, planned->playbook);
    iv_sql_bind_str(&args, planned->target);
    iv_sql_bind_str(&args, planned->tenant);
    iv_sql_bind_int(&args, planned->observed);
    iv_sql_bind_int(&args, iv_ns_add(since, -store->ahead));
    iv_sql_bind_int(&args, planned->event_time); /* after the proof: it has not had its effect, or no more */
    TRY(iv_sql_step(&store->sql, stmt, found, "look for an execution to join", err));
    if (!*found) {
        return IV_OK;
    }
    struct iv_sql_row row = iv_sql_row(stmt);
    TRY(iv_row_execution(host, &row, err));
    ENSURE(iv_execution_keep(host, arena), err, IV_E_NOMEM, "no memory left to read an execution");
    return IV_OK;
}

iv_rc iv_store_join(struct iv_store *store, enum iv_join *out, struct iv_execution *host,
                    const struct iv_execution *planned, iv_ns since, struct iv_arena *arena,
                    struct iv_err *err)
{
    IV_CHECK(store->inside);
    bool found = false;
    *out = IV_JOIN_KNOWN;
    TRY(is_answered(store, &found, planned, err));
    if (found) {
        return IV_OK;
    }
    *out = IV_JOIN_NOT;
    if (planned->target.n == 0) {
        return IV_OK;
    }
    TRY(find_host(store, &found, host, planned, since, arena, err));
    if (!found) {
        return IV_OK;
    }
    *out = IV_JOIN_JOINED;
    host->findings++;
    return iv_store_answer(store, host->key, planned->finding, false, err);
}
