/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/alert.h"

#include "base/guard.h"
#include "evidence/alert_internal.h"
#include "evidence/rows.h"
#include "evidence/store_internal.h"

static bool keep(struct iv_arena *arena, struct iv_str *s)
{
    return iv_arena_keep(arena, s);
}

bool iv_alert_keep(struct iv_alert *a, struct iv_arena *arena)
{
    return keep(arena, &a->fingerprint) && keep(arena, &a->rule) && keep(arena, &a->title) &&
           keep(arena, &a->criteria) && keep(arena, &a->tenant) && keep(arena, &a->agent) &&
           keep(arena, &a->subject) && keep(arena, &a->finding) && keep(arena, &a->detail) &&
           keep(arena, &a->cause);
}

/* Runs a statement that answers one number; *out stays as it is where it answers none. */
static iv_rc answer(struct iv_store *store, sqlite3_stmt *stmt, int64_t *out, const char *doing,
                    struct iv_err *err)
{
    bool found = false;
    TRY(iv_sql_step(&store->sql, stmt, &found, doing, err));
    if (!found) {
        return IV_OK;
    }
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = iv_sql_get_int(&row);
    return IV_OK;
}

iv_rc iv_store_alert_again(struct iv_store *store, int64_t *count, struct iv_str fingerprint, iv_ns now,
                           iv_ns quiet_at, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_ALERT_AGAIN, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, fingerprint);
    iv_sql_bind_int(&args, now);
    iv_sql_bind_int(&args, quiet_at);
    *count = 0;
    return answer(store, stmt, count, "count a finding of an alert", err);
}

iv_rc iv_store_alert_less(struct iv_store *store, int64_t *open, struct iv_str fingerprint,
                          struct iv_str finding, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_ALERT_LESS, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, fingerprint);
    iv_sql_bind_str(&args, finding);
    *open = -1;
    return answer(store, stmt, open, "take a finding from an alert", err);
}

iv_rc iv_store_alert(struct iv_store *store, struct iv_alert *out, struct iv_str fingerprint,
                     struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_ALERT_GET, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, fingerprint);
    bool found = false;
    TRY(iv_sql_step(&store->sql, stmt, &found, "read an alert", err));
    ENSURE(found, err, IV_E_ABSENT, "the store '%s' holds no alert " IV_STR_FMT, store->sql.path,
           IV_STR_ARG(fingerprint));
    struct iv_sql_row row = iv_sql_row(stmt);
    TRY(iv_row_alert(out, &row, err));
    ENSURE(iv_alert_keep(out, arena), err, IV_E_NOMEM, "no memory left to read an alert");
    return IV_OK;
}

iv_rc iv_store_alerts_firing(struct iv_store *store, int64_t *out, struct iv_str rule, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_ALERTS_FIRING, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, rule);
    return answer(store, stmt, out, "count alerts", err);
}

iv_rc iv_store_notices_of(struct iv_store *store, int64_t *out, struct iv_str fingerprint, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_NOTICES_OF, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, fingerprint);
    return answer(store, stmt, out, "count notices", err);
}

iv_rc iv_store_put_alert(struct iv_store *store, const struct iv_alert *a, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_ALERT_PUT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, a->fingerprint);
    iv_sql_bind_str(&args, a->rule);
    iv_sql_bind_str(&args, a->title);
    iv_sql_bind_int(&args, a->severity);
    iv_sql_bind_str(&args, a->criteria);
    iv_sql_bind_str(&args, a->tenant);
    iv_sql_bind_str(&args, a->agent);
    iv_sql_bind_str(&args, a->subject);
    iv_sql_bind_int(&args, iv_kind_rank(a->kind));
    iv_sql_bind_str(&args, a->finding);
    iv_sql_bind_str(&args, a->detail);
    iv_sql_bind_int(&args, a->count);
    iv_sql_bind_int(&args, a->open);
    iv_sql_bind_int(&args, a->firing);
    iv_sql_bind_int(&args, a->started);
    iv_sql_bind_int(&args, a->last);
    iv_sql_bind_int(&args, a->quiet_at);
    iv_sql_bind_int(&args, a->ended);
    iv_sql_bind_str(&args, a->cause);
    return iv_sql_run(&store->sql, stmt, "write an alert", err);
}

static iv_rc read_alerts(struct iv_store *store, sqlite3_stmt *stmt, struct iv_alert *alerts, size_t *count,
                         size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    for (*count = 0; *count < limit; ++*count) {
        bool more = false;
        TRY(iv_sql_step(&store->sql, stmt, &more, "read alerts", err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(iv_row_alert(&alerts[*count], &row, err));
        ENSURE(iv_alert_keep(&alerts[*count], arena), err, IV_E_NOMEM, "no memory left to read alerts");
    }
    return IV_OK;
}

iv_rc iv_store_alerts_quiet(struct iv_store *store, struct iv_alert **out, size_t *count, iv_ns now,
                            size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    *out = iv_arena_zalloc(arena, limit * sizeof **out);
    ENSURE(*out != NULL, err, IV_E_NOMEM, "no memory left to read alerts");
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_ALERTS_QUIET, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, now);
    iv_sql_bind_int(&args, (int64_t)limit);
    return read_alerts(store, stmt, *out, count, limit, arena, err);
}

iv_rc iv_store_alerts_forget(struct iv_store *store, iv_ns before, struct iv_err *err)
{
    static const enum iv_statement both[] = {IV_SQL_TARGETS_FORGET, IV_SQL_ALERTS_FORGET};
    IV_CHECK(store->inside);
    for (size_t i = 0; i < IV_COUNT(both); i++) {
        IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
        TRY(iv_store_statement(store, &stmt, both[i], err));
        struct iv_sql_args args = iv_sql_args(stmt);
        iv_sql_bind_int(&args, before);
        TRY(iv_sql_run(&store->sql, stmt, "forget alerts", err));
    }
    return IV_OK;
}
