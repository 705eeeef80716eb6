/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/approvals.h"

#include "base/guard.h"
#include "evidence/query.h"
#include "evidence/store_internal.h"

iv_rc iv_store_put_approval(struct iv_store *store, const struct iv_approval *approval, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_APPROVAL_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, approval->execution);
    iv_sql_bind_int(&args, approval->approve);
    iv_sql_bind_str(&args, approval->role);
    iv_sql_bind_str(&args, approval->key);
    iv_sql_bind_int(&args, approval->at);
    iv_sql_bind_str(&args, approval->reason);
    iv_sql_bind_bytes(&args, approval->signature);
    iv_sql_bind_str(&args, IV_STR(IV_APPROVAL_PENDING));
    return iv_sql_run(&store->sql, stmt, "write an approval", err);
}

static bool keep(struct iv_str *s, struct iv_arena *arena)
{
    *s = iv_arena_str(arena, *s);
    return s->p != NULL;
}

static void read_row(struct iv_approval *a, struct iv_sql_row *row)
{
    a->seq = iv_sql_get_int(row);
    a->execution = iv_sql_get_str(row);
    a->approve = iv_sql_get_int(row) != 0;
    a->role = iv_sql_get_str(row);
    a->key = iv_sql_get_str(row);
    a->at = iv_sql_get_int(row);
    a->reason = iv_sql_get_str(row);
    a->signature = iv_sql_get_bytes(row);
    a->verdict = iv_sql_get_str(row);
}

static iv_rc read_one(struct iv_approval *a, sqlite3_stmt *stmt, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_sql_row row = iv_sql_row(stmt);
    read_row(a, &row);
    bool kept = keep(&a->execution, arena) && keep(&a->role, arena) && keep(&a->key, arena) &&
                keep(&a->reason, arena) && keep(&a->signature, arena) && keep(&a->verdict, arena);
    ENSURE(kept, err, IV_E_NOMEM, "no memory left to read approvals");
    return IV_OK;
}

static iv_rc read_all(struct iv_store *store, sqlite3_stmt *stmt, struct iv_approval **out, size_t *count,
                      size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_approval *rows = iv_arena_zalloc(arena, limit * sizeof *rows);
    ENSURE(rows != NULL, err, IV_E_NOMEM, "no memory left to read approvals");
    *out = rows;
    for (*count = 0; *count < limit; ++*count) {
        bool more = false;
        TRY(iv_sql_step(&store->sql, stmt, &more, "read approvals", err));
        if (!more) {
            return IV_OK;
        }
        TRY(read_one(&rows[*count], stmt, arena, err));
    }
    return IV_OK;
}

iv_rc iv_store_pending_approvals(struct iv_store *store, struct iv_approval **out, size_t *count,
                                 size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_APPROVALS_PENDING, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, (int64_t)limit);
    return read_all(store, stmt, out, count, limit, arena, err);
}

static iv_rc read_of(struct iv_store *store, enum iv_statement which, struct iv_approval **out, size_t *count,
                     struct iv_str execution, size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, which, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, execution);
    iv_sql_bind_int(&args, (int64_t)limit);
    return read_all(store, stmt, out, count, limit, arena, err);
}

iv_rc iv_store_approvals(struct iv_store *store, struct iv_approval **out, size_t *count,
                         struct iv_str execution, size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    return read_of(store, IV_SQL_APPROVALS_OF, out, count, execution, limit, arena, err);
}

iv_rc iv_store_counted_approvals(struct iv_store *store, struct iv_approval **out, size_t *count,
                                 struct iv_str execution, size_t limit, struct iv_arena *arena,
                                 struct iv_err *err)
{
    return read_of(store, IV_SQL_APPROVALS_COUNTED, out, count, execution, limit, arena, err);
}

iv_rc iv_store_judge_approval(struct iv_store *store, int64_t seq, struct iv_str verdict, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_APPROVAL_JUDGE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, verdict);
    iv_sql_bind_int(&args, seq);
    return iv_sql_run(&store->sql, stmt, "judge an approval", err);
}

struct visiting {
    iv_approval_visit visit;
    void *ctx;
};

static iv_rc visit_one(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    (void)err;
    const struct visiting *v = ctx;
    struct iv_approval approval;
    read_row(&approval, row);
    *on = v->visit(v->ctx, &approval);
    return IV_OK;
}

static iv_rc visit_of(struct iv_reader *reader, struct iv_str execution, struct iv_str verdict, size_t limit,
                      struct visiting *v, struct iv_err *err)
{
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q,
                  "SELECT seq, execution, approve, role, key, at, reason, signature, verdict FROM approvals");
    iv_query_str(&q, "execution = ?", execution);
    if (verdict.n > 0) {
        iv_query_str(&q, "verdict = ?", verdict);
    }
    iv_query_order(&q, "seq", false, limit);
    return iv_query_each(reader, &q, visit_one, v, "read approvals", err);
}

iv_rc iv_reader_approvals(struct iv_reader *reader, struct iv_str execution, size_t limit,
                          iv_approval_visit visit, void *ctx, struct iv_err *err)
{
    struct visiting v = {visit, ctx};
    return visit_of(reader, execution, IV_STR(""), limit, &v, err);
}

iv_rc iv_reader_counted_approvals(struct iv_reader *reader, struct iv_str execution, size_t limit,
                                  iv_approval_visit visit, void *ctx, struct iv_err *err)
{
    struct visiting v = {visit, ctx};
    return visit_of(reader, execution, IV_STR(IV_APPROVAL_COUNTS), limit, &v, err);
}
