/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/vain.h"

#include "base/guard.h"
#include "evidence/rows.h"
#include "evidence/store_internal.h"

#define AT_ONCE 4096

static iv_rc head(struct iv_store *store, int64_t *out, int64_t after, struct iv_err *err)
{
    TRY(iv_sql_int(&store->sql, out, "SELECT ifnull(max(seq), 0) FROM actions", "read the log", err));
    *out = *out > after + AT_ONCE ? after + AT_ONCE : *out;
    return IV_OK;
}

static iv_rc read_one(struct iv_vain *out, sqlite3_stmt *stmt, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_sql_row row = iv_sql_row(stmt);
    struct iv_vain v = {.state = iv_sql_get_str(&row)};
    v.playbook = iv_sql_get_str(&row);
    v.target = iv_sql_get_str(&row);
    v.step = iv_sql_get_str(&row);
    v.cause = iv_sql_get_str(&row);
    ENSURE(iv_arena_keep(arena, &v.state) && iv_arena_keep(arena, &v.playbook) &&
               iv_arena_keep(arena, &v.target) && iv_arena_keep(arena, &v.step) &&
               iv_arena_keep(arena, &v.cause),
           err, IV_E_NOMEM, "no memory left to read what was carried out in vain");
    *out = v;
    return IV_OK;
}

iv_rc iv_store_vain(struct iv_store *store, struct iv_vain *last, int64_t *count, int64_t *seen,
                    int64_t after, struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool more = true;
    *count = 0;
    TRY(head(store, seen, after, err));
    if (*seen <= after) {
        *seen = after;
        return IV_OK;
    }
    TRY(iv_store_statement(store, &stmt, IV_SQL_VAIN, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, after);
    iv_sql_bind_int(&args, *seen);
    for (;;) {
        TRY(iv_sql_step(&store->sql, stmt, &more, "look for what was carried out in vain", err));
        if (!more) {
            return IV_OK;
        }
        TRY(read_one(last, stmt, arena, err));
        ++*count;
    }
}

iv_rc iv_store_log_before(struct iv_store *store, int64_t *out, iv_ns time, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_ACTION_BEFORE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, time);
    TRY(iv_sql_step(&store->sql, stmt, &found, "read the log", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = found ? iv_sql_get_int(&row) : 0;
    return IV_OK;
}

iv_rc iv_store_any_waits(struct iv_store *store, bool *out, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_ANY_WAITS, err));
    return iv_sql_step(&store->sql, stmt, out, "look for executions that wait", err);
}

iv_rc iv_store_waiting(struct iv_store *store, int64_t *out, struct iv_buf *lines, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool more = true;
    *out = 0;
    TRY(iv_store_statement(store, &stmt, IV_SQL_WAITING, err));
    for (;;) {
        TRY(iv_sql_step(&store->sql, stmt, &more, "count executions that wait", err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        struct iv_str playbook = iv_sql_get_str(&row);
        struct iv_str why = iv_sql_get_str(&row);
        *out += iv_sql_get_int(&row);
        if (lines->n + playbook.n + why.n + 8 < lines->max) {
            iv_buf_printf(lines, IV_STR_FMT " (" IV_STR_FMT ")\n", IV_STR_ARG(playbook), IV_STR_ARG(why));
        }
    }
}

iv_rc iv_store_held(struct iv_store *store, int64_t *out, struct iv_str *playbook, iv_ns admitted,
                    struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_HELD, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, admitted);
    TRY(iv_sql_step(&store->sql, stmt, &found, "look for steps that wait for the streams", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = found ? iv_sql_get_int(&row) : 0;
    *playbook = found ? iv_sql_get_str(&row) : IV_STR("");
    ENSURE(iv_arena_keep(arena, playbook), err, IV_E_NOMEM, "no memory left to read what waits");
    return IV_OK;
}

iv_rc iv_store_newest_execution(struct iv_store *store, int64_t *out, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_NEWEST_EXECUTION, err));
    TRY(iv_sql_step(&store->sql, stmt, &found, "look for changes of executions", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = found ? iv_sql_get_int(&row) : 0;
    return IV_OK;
}
