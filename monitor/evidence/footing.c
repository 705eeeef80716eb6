/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/footing.h"

#include "base/guard.h"
#include "evidence/rows.h"
#include "evidence/store_internal.h"

static iv_rc read_footing(struct iv_footing *out, sqlite3_stmt *stmt, struct iv_err *err)
{
    struct iv_sql_row row = iv_sql_row(stmt);
    out->finding = iv_sql_get_str(&row);
    out->rule = iv_sql_get_str(&row);
    TRY(iv_kind_of_rank(&out->kind, iv_sql_get_int(&row), err));
    out->mode = iv_sql_get_int(&row) == 0 ? IV_MODE_ENFORCE : IV_MODE_OBSERVE;
    out->waived = iv_sql_get_int(&row) != 0;
    out->triage = (enum iv_triage_state)iv_sql_get_int(&row);
    out->tenant = iv_sql_get_str(&row);
    out->agent = iv_sql_get_str(&row);
    out->time = iv_sql_get_int(&row);
    return IV_OK;
}

static iv_rc visit_rows(struct iv_store *store, bool *more, sqlite3_stmt *stmt, iv_footing_visit visit,
                        void *ctx, struct iv_err *err)
{
    while (*more) {
        bool found = false;
        TRY(iv_sql_step(&store->sql, stmt, &found, "read what an execution rests on", err));
        if (!found) {
            break;
        }
        struct iv_footing s;
        TRY(read_footing(&s, stmt, err));
        *more = visit(ctx, &s);
    }
    return IV_OK;
}

iv_rc iv_store_footings(struct iv_store *store, const struct iv_execution *execution, iv_footing_visit visit,
                        void *ctx, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *first = NULL;
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *joined = NULL;
    bool more = true;
    TRY(iv_store_statement(store, &first, IV_SQL_FOOTING_FIRST, err));
    struct iv_sql_args args = iv_sql_args(first);
    iv_sql_bind_str(&args, execution->finding);
    TRY(visit_rows(store, &more, first, visit, ctx, err));
    if (!more) {
        return IV_OK;
    }
    TRY(iv_store_statement(store, &joined, IV_SQL_FOOTING_JOINED, err));
    args = iv_sql_args(joined);
    iv_sql_bind_str(&args, execution->key);
    iv_sql_bind_str(&args, execution->finding);
    return visit_rows(store, &more, joined, visit, ctx, err);
}
