/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "evidence/alert.h"
#include "evidence/reader_internal.h"
#include "evidence/rows.h"

#define DEFAULT_LIMIT 100

iv_rc iv_reader_alerts(struct iv_reader *reader, const struct iv_alert_filter *filter, iv_alert_visit visit,
                       void *ctx, struct iv_err *err)
{
    static const char text[] =
        "SELECT " IV_COLUMNS_ALERT
        " FROM alerts a WHERE (?1 = 1 OR a.rule = ?2) AND (?3 = 1 OR a.tenant = ?4)"
        " AND (?5 = 0 OR a.firing = (?5 = 1)) ORDER BY a.firing DESC, a.last DESC, a.fingerprint LIMIT ?6";
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(iv_sql_prepare(&reader->sql, &stmt, text, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, filter->rule.p == NULL);
    iv_sql_bind_str(&args, filter->rule);
    iv_sql_bind_int(&args, filter->tenant.p == NULL);
    iv_sql_bind_str(&args, filter->tenant);
    iv_sql_bind_int(&args, filter->state);
    iv_sql_bind_int(&args, (int64_t)(filter->limit == 0 ? DEFAULT_LIMIT : filter->limit));
    for (bool on = true; on;) {
        bool more = false;
        struct iv_alert alert;
        TRY(iv_sql_step(&reader->sql, stmt, &more, "read alerts", err));
        if (!more) {
            break;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(iv_row_alert(&alert, &row, err));
        on = visit(ctx, &alert);
    }
    return IV_OK;
}

iv_rc iv_reader_alert_sinks(struct iv_reader *reader, iv_alert_sink_visit visit, void *ctx,
                            struct iv_err *err)
{
    static const char text[] =
        "SELECT s.name, s.kind, s.succeeded, s.failing, s.why,"
        " (SELECT count(*) FROM alert_notices n WHERE n.sink = s.name),"
        " ifnull((SELECT min(n.created) FROM alert_notices n WHERE n.sink = s.name), 0)"
        " FROM alert_sinks s ORDER BY s.name";
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(iv_sql_prepare(&reader->sql, &stmt, text, err));
    for (bool on = true; on;) {
        bool more = false;
        TRY(iv_sql_step(&reader->sql, stmt, &more, "read the sinks of alerts", err));
        if (!more) {
            break;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        struct iv_alert_sink_state sink = {.name = iv_sql_get_str(&row)};
        sink.kind = iv_sql_get_str(&row);
        sink.succeeded = iv_sql_get_int(&row);
        sink.failing = iv_sql_get_int(&row);
        sink.why = iv_sql_get_str(&row);
        sink.waiting = iv_sql_get_int(&row);
        sink.oldest = iv_sql_get_int(&row);
        on = visit(ctx, &sink);
    }
    return IV_OK;
}

iv_rc iv_reader_alerts_firing(struct iv_reader *reader, int64_t *out, struct iv_err *err)
{
    return iv_sql_int(&reader->sql, out, "SELECT count(*) FROM alerts WHERE firing = 1", "count alerts", err);
}
