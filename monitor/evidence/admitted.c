/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/admitted.h"

#include "base/guard.h"
#include "evidence/rows.h"
#include "evidence/tasks_internal.h"

static struct iv_str touched(const struct iv_execution *e, enum iv_touch touch)
{
    return touch == IV_TOUCH_AGENT    ? e->touched.agent
           : touch == IV_TOUCH_TENANT ? e->touched.tenant
                                      : e->touched.enclave;
}

bool iv_touches(const struct iv_execution *execution, enum iv_touch touch)
{
    return touch == IV_TOUCH_ANY || touched(execution, touch).n > 0;
}

iv_rc iv_store_admitted(struct iv_store *store, int64_t *out, const struct iv_execution *execution,
                        enum iv_touch touch, iv_ns since, int64_t enough, struct iv_err *err)
{
    static const enum iv_statement statements[] = {
        [IV_TOUCH_ANY] = IV_SQL_ADMITTED,
        [IV_TOUCH_AGENT] = IV_SQL_ADMITTED_AGENTS,
        [IV_TOUCH_TENANT] = IV_SQL_ADMITTED_TENANTS,
        [IV_TOUCH_ENCLAVE] = IV_SQL_ADMITTED_ENCLAVES,
    };
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_store_statement(store, &stmt, statements[touch], err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, execution->playbook);
    iv_sql_bind_int(&args, execution->observed);
    iv_sql_bind_int(&args, since);
    if (touch != IV_TOUCH_ANY) {
        iv_sql_bind_str(&args, touched(execution, touch));
    }
    iv_sql_bind_int(&args, enough);
    TRY(iv_sql_step(&store->sql, stmt, &found, "count what was admitted", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = found ? iv_sql_get_int(&row) : 0;
    return IV_OK;
}

iv_rc iv_store_expired(struct iv_store *store, struct iv_execution **out, size_t *count, iv_ns now,
                       size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    struct iv_execution *rows = iv_arena_zalloc(arena, limit * sizeof *rows);
    ENSURE(rows != NULL, err, IV_E_NOMEM, "no memory left to read executions");
    TRY(iv_store_statement(store, &stmt, IV_SQL_EXPIRED, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, now);
    iv_sql_bind_int(&args, (int64_t)limit);
    for (*count = 0; *count < limit; ++*count) {
        bool more = false;
        TRY(iv_sql_step(&store->sql, stmt, &more, "read what waits", err));
        if (!more) {
            break;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(iv_row_execution(&rows[*count], &row, err));
        ENSURE(iv_execution_keep(&rows[*count], arena), err, IV_E_NOMEM, "no memory left to read executions");
    }
    *out = rows;
    return IV_OK;
}
