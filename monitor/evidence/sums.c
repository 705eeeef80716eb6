/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/sums.h"

#include "base/guard.h"
#include "evidence/reader_internal.h"
#include "evidence/store_internal.h"

#define LIVE "(kind < 4 AND suppressed = 0 AND state < 2)"
#define FRESH "(kind < 4 AND suppressed = 0 AND state = 0)"
#define WAIVED "(suppressed = 1 OR state = 3)"
#define DAY "86400000000000"
/* By severity: 0 of info, 1 of low, 2 of medium, 5 of high, 10 of critical. */
#define WEIGHT "((0x0a05020100 >> severity * 8) & 255)"

static const char step_text[] =
    "UPDATE summed SET upto = ifnull((SELECT max(seq) FROM (SELECT seq FROM findings"
    " WHERE seq > (SELECT seq FROM summed) ORDER BY seq LIMIT 1000)), seq);"

    "INSERT INTO tallies (span, rule, severity, kind, suppressed, count)"
    " SELECT time >> 42, rule, severity, kind, suppressed, sum(sign) FROM to_sum GROUP BY 1, 2, 3, 4, 5"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count;"

    "INSERT INTO totals (rule, severity, kind, suppressed, count)"
    " SELECT rule, severity, kind, suppressed, sum(sign) FROM to_sum GROUP BY 1, 2, 3, 4"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count;"

    /* In the order of their newest findings, so that the title that remains is the newest one's. */
    "INSERT INTO incidents (rule, tenant, agent, title, severity, criteria, assignee, count, fresh, live, "
    "waived,"
    " first, last, oldest_seq, seq, heat, day)"
    " SELECT rule, tenant, agent, title, severity, criteria, assignee, sum(sign), sum(sign * " FRESH "),"
    " sum(sign * " LIVE "), sum(sign * " WAIVED "), min(time), max(time), min(seq), max(seq),"
    " 1.0 * sum(sign * " LIVE ") * " WEIGHT ", time / " DAY " AS day"
    " FROM to_sum WHERE kind >= 2 GROUP BY rule, tenant, agent, title, severity, criteria, assignee, day"
    " ORDER BY max(seq)"
    " ON CONFLICT (rule, tenant, agent) DO UPDATE SET title = excluded.title, severity = excluded.severity,"
    " criteria = excluded.criteria, assignee = excluded.assignee, count = count + excluded.count,"
    " fresh = fresh + excluded.fresh, live = live + excluded.live, waived = waived + excluded.waived,"
    " first = min(first, excluded.first), last = max(last, excluded.last), seq = max(seq, excluded.seq),"
    " heat = CASE WHEN live + excluded.live = 0 THEN 0"
    " WHEN excluded.day >= day THEN max(0, heat / (1 << min(62, excluded.day - day)) + excluded.heat)"
    " ELSE max(0, heat + excluded.heat / (1 << min(62, day - excluded.day))) END,"
    " day = max(day, excluded.day);"

    /* Of those that are there for the first time: what a finding has in this it keeps. */
    "UPDATE incidents SET detected = CASE WHEN detected = 0 THEN s.least ELSE min(detected, s.least) END"
    " FROM (SELECT rule, tenant, agent, min(detected) AS least FROM findings"
    " WHERE seq > (SELECT seq FROM summed) AND seq <= (SELECT upto FROM summed) AND kind >= 2"
    " GROUP BY 1, 2, 3) s"
    " WHERE incidents.rule = s.rule AND incidents.tenant = s.tenant AND incidents.agent = s.agent;"

    "INSERT INTO incident_spans (incident, span, count)"
    " SELECT i.id, s.span, s.count FROM (SELECT rule, tenant, agent, time >> 40 AS span, sum(sign) AS count"
    " FROM to_sum WHERE kind >= 2 GROUP BY 1, 2, 3, 4) s"
    " CROSS JOIN incidents i ON i.rule = s.rule AND i.tenant = s.tenant AND i.agent = s.agent WHERE 1"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count;"

    "DELETE FROM unsummed;"
    "UPDATE summed SET seq = upto;";

iv_rc iv_sums_take(struct iv_store *store, bool *more, struct iv_err *err)
{
    const char *doing = "sum findings up";
    int64_t left = 0;
    IV_CHECK(store->inside);
    TRY(iv_sql_exec(&store->sql, step_text, doing, err));
    TRY(iv_sql_int(&store->sql, &left,
                   "SELECT ifnull((SELECT max(seq) FROM findings), 0) > (SELECT seq FROM summed)", doing,
                   err));
    *more = left != 0;
    return IV_OK;
}

iv_rc iv_sums_behind(struct iv_reader *reader, bool *out, struct iv_err *err)
{
    int64_t behind = 0;
    TRY(iv_sql_int(&reader->sql, &behind,
                   "SELECT ifnull((SELECT max(seq) FROM findings), 0) > (SELECT seq FROM summed)"
                   " OR EXISTS (SELECT 1 FROM unsummed)",
                   "look at the sums", err));
    *out = behind != 0;
    return IV_OK;
}
