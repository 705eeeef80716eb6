/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "evidence/alert.h"
#include "evidence/query.h"
#include "evidence/rows.h"

struct visiting {
    iv_alert_visit visit;
    void *ctx;
};

static iv_rc read_alert(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    const struct visiting *v = ctx;
    struct iv_alert alert;
    TRY(iv_row_alert(&alert, row, err));
    *on = v->visit(v->ctx, &alert);
    return IV_OK;
}

iv_rc iv_reader_alerts(struct iv_reader *reader, const struct iv_alert_filter *filter, iv_alert_visit visit,
                       void *ctx, struct iv_err *err)
{
    struct visiting v = {.visit = visit, .ctx = ctx};
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT " IV_COLUMNS_ALERT " FROM alerts a");
    iv_query_str(&q, "a.rule = ?", filter->rule);
    iv_query_str(&q, "a.tenant = ?", filter->tenant);
    iv_query_int(&q, filter->state != IV_ALERTS_ANY, "a.firing = ?", filter->state == IV_ALERTS_FIRING);
    iv_query_int(&q, filter->from != 0, "max(a.last, a.ended) >= ?", filter->from);
    iv_query_int(&q, filter->until != 0, "max(a.last, a.ended) < ?", filter->until);
    if (filter->after.fingerprint.p != NULL) {
        iv_query_condition(&q, "(-a.firing, -a.last, a.fingerprint) > (?, ?, ?)");
        iv_query_bind_int(&q, filter->after.firing ? -1 : 0);
        iv_query_bind_int(&q, iv_ns_negate(filter->after.last));
        iv_query_bind_str(&q, filter->after.fingerprint);
    }
    iv_query_order(&q, "a.firing DESC, a.last DESC, a.fingerprint", false, filter->limit);
    return iv_query_each(reader, &q, read_alert, &v, "read alerts", err);
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
