/* SPDX-License-Identifier: Apache-2.0 */
/* What people have made of findings, as far as alerts are concerned. */
#include "base/guard.h"
#include "evidence/alert.h"
#include "evidence/rows.h"
#include "evidence/store_internal.h"

iv_rc iv_store_triage_last(struct iv_store *store, int64_t *out, struct iv_err *err)
{
    IV_CHECK(store->inside);
    return iv_sql_int(&store->sql, out, "SELECT ifnull(max(seq), 0) FROM triage", "read triage", err);
}

static iv_rc read_line(struct iv_triaged *out, sqlite3_stmt *stmt, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_sql_row row = iv_sql_row(stmt);
    struct iv_triaged line = {.seq = iv_sql_get_int(&row)};
    int64_t what = iv_sql_get_int(&row);
    line.what = what == 1 ? IV_TRIAGED_ACKNOWLEDGED : what == 2 ? IV_TRIAGED_SETTLED : IV_TRIAGED_NOTHING;
    line.rule = iv_sql_get_str(&row);
    line.tenant = iv_sql_get_str(&row);
    line.agent = iv_sql_get_str(&row);
    TRY(iv_kind_of_rank(&line.kind, iv_sql_get_int(&row), err));
    line.detected = iv_sql_get_int(&row);
    ENSURE(iv_arena_keep(arena, &line.rule) && iv_arena_keep(arena, &line.tenant) &&
               iv_arena_keep(arena, &line.agent),
           err, IV_E_NOMEM, "no memory left to read triage");
    *out = line;
    return IV_OK;
}

iv_rc iv_store_triaged(struct iv_store *store, struct iv_triaged *out, size_t *count, int64_t after,
                       size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_TRIAGED, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, after);
    iv_sql_bind_int(&args, (int64_t)limit);
    for (*count = 0; *count < limit; ++*count) {
        bool more = false;
        TRY(iv_sql_step(&store->sql, stmt, &more, "read triage", err));
        if (!more) {
            break;
        }
        TRY(read_line(&out[*count], stmt, arena, err));
    }
    return IV_OK;
}

iv_rc iv_store_stands(struct iv_store *store, bool *out, const struct iv_triaged *like, iv_ns since,
                      struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_FINDING_STANDS, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, like->rule);
    iv_sql_bind_str(&args, like->tenant);
    iv_sql_bind_str(&args, like->agent);
    iv_sql_bind_int(&args, iv_kind_rank(like->kind));
    iv_sql_bind_int(&args, since);
    return iv_sql_step(&store->sql, stmt, out, "look for a finding that stands", err);
}

iv_rc iv_store_stands_beyond(struct iv_store *store, bool *out, const struct iv_triaged *like, iv_ns since,
                             struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_FINDING_STANDS_BEYOND, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, like->rule);
    iv_sql_bind_int(&args, iv_kind_rank(like->kind));
    iv_sql_bind_int(&args, since);
    return iv_sql_step(&store->sql, stmt, out, "look for a finding that stands", err);
}

iv_rc iv_store_notify_acknowledged(struct iv_store *store, struct iv_str fingerprint, struct iv_str sink,
                                   iv_ns now, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_NOTICE_ACKNOWLEDGE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, fingerprint);
    iv_sql_bind_str(&args, sink);
    iv_sql_bind_int(&args, now);
    return iv_sql_run(&store->sql, stmt, "queue a notice", err);
}
