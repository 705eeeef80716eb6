/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/incident.h"

#include "base/guard.h"
#include "evidence/query.h"
#include "evidence/rows.h"

/* Of a row s of incident_spans, in units of 2^40 ns: its first and its last moment. */
#define SPAN_FIRST "(s.span << 40) "
#define SPAN_LAST "((s.span << 40) | 1099511627775) "
/* The findings of incident i that lie in it, and between two moments. */
#define FINDINGS_OF_SPAN(from, last)                                                                         \
    " CROSS JOIN findings f INDEXED BY findings_in_incident ON f.rule = i.rule AND f.tenant = i.tenant"      \
    " AND f.agent = i.agent AND f.kind >= 2 AND f.time >= max(" SPAN_FIRST ", " from ")"                     \
    " AND f.time <= min(" SPAN_LAST ", " last ")"

/* As enum iv_triage_state has it: what asks for attention goes before what does not. */
#define STATE "CASE WHEN i.fresh > 0 THEN 0 WHEN i.live > 0 THEN 1 WHEN i.waived > 0 THEN 3 ELSE 2 END"

struct visiting {
    union {
        iv_incident_visit incident;
        iv_fleet_visit fleet;
        iv_live_visit live;
    } visit;
    void *ctx;
};

static iv_rc severity_of(enum iv_severity *out, int64_t stored, struct iv_err *err)
{
    ENSURE(stored >= IV_SEV_INFO && stored <= IV_SEV_CRITICAL, err, IV_E_STORE,
           "an incident in the store has a severity that is none");
    *out = (enum iv_severity)stored;
    return IV_OK;
}

static iv_rc read_incident(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    const struct visiting *v = ctx;
    struct iv_incident i = {.id = iv_sql_get_int(row)};
    i.seq = iv_sql_get_int(row);
    i.rule = iv_sql_get_str(row);
    i.title = iv_sql_get_str(row);
    TRY(severity_of(&i.severity, iv_sql_get_int(row), err));
    i.criteria = iv_sql_get_str(row);
    i.assignee = iv_sql_get_str(row);
    i.tenant = iv_sql_get_str(row);
    i.agent = iv_sql_get_str(row);
    i.count = iv_sql_get_int(row);
    i.live = iv_sql_get_int(row);
    i.waived = iv_sql_get_int(row);
    i.state = (enum iv_triage_state)iv_sql_get_int(row);
    i.first = iv_sql_get_int(row);
    i.last = iv_sql_get_int(row);
    i.detected = iv_sql_get_int(row);
    i.newest = iv_sql_get_str(row);
    *on = v->visit.incident(v->ctx, &i);
    return IV_OK;
}

/* As findings are searched, but that of triggers' ids those of the newest findings are known. */
static void add_search(struct iv_query *q, struct iv_str text)
{
    iv_query_str(q, "(instr(lower(" IV_SEARCHED("i") "), lower(?)) > 0", text);
    if (text.p != NULL) {
        iv_query_more(q,
                      " OR (i.rule, i.tenant, i.agent) IN (SELECT f.rule, f.tenant, f.agent FROM findings f"
                      " INDEXED BY findings_listed WHERE f.seq > (SELECT max(seq) FROM findings) - ?"
                      " AND instr(lower(f.trigger_id), lower(?)) > 0))");
        iv_query_bind_int(q, IV_SEARCHED_NEWEST);
        iv_query_bind_str(q, text);
        q->conditional = true;
    }
}

#define SELECT_INCIDENTS(count)                                                                              \
    "SELECT i.id, i.seq, i.rule, i.title, i.severity, i.criteria, i.assignee, i.tenant,"                     \
    " i.agent, " count ", i.live, i.waived, " STATE ", i.first, i.last, i.detected,"                         \
    " (SELECT f.uid FROM findings f INDEXED BY findings_by_incident WHERE f.rule = i.rule"                   \
    " AND f.tenant = i.tenant AND f.agent = i.agent ORDER BY f.seq DESC LIMIT 1)"                            \
    " FROM incidents i"

/* How many findings of incident i lie in a period, of which both ends may lie within a span. ?1 and ?2 are
 * its first and its last moment. */
#define WITHIN "(" SPAN_FIRST ">= ?1 AND " SPAN_LAST "<= ?2)"
#define COUNT_WITHIN                                                                                         \
    "(SELECT ifnull(sum(s.count), 0) FROM incident_spans s WHERE s.incident = i.id AND " WITHIN ") +"        \
    " (SELECT count(*) FROM incident_spans s" FINDINGS_OF_SPAN(                                              \
        "?1", "?2") " WHERE s.incident = i.id AND s.span IN (?1 >> 40, ?2 >> 40) AND NOT " WITHIN ")"

static void begin_incidents(struct iv_query *q, const struct iv_finding_filter *f)
{
    if (f->from == 0 && f->until == 0) {
        iv_query_init(q, SELECT_INCIDENTS("i.count"));
        iv_query_condition(q, "i.count > 0");
        return;
    }
    iv_query_init(q, SELECT_INCIDENTS(COUNT_WITHIN));
    iv_query_bind_int(q, f->from);
    iv_query_bind_int(q, iv_ns_add(f->until, -1));
    iv_query_condition(q, "i.last >= ?1 AND i.first <= ?2 AND EXISTS (SELECT 1 FROM findings f"
                          " INDEXED BY findings_in_incident WHERE f.rule = i.rule AND f.tenant = i.tenant"
                          " AND f.agent = i.agent AND f.kind >= 2 AND f.time >= ?1 AND f.time <= ?2)");
}

iv_rc iv_reader_incidents(struct iv_reader *reader, const struct iv_finding_filter *filter,
                          iv_incident_visit visit, void *ctx, struct iv_err *err)
{
    const struct iv_finding_filter *f = filter;
    struct visiting v = {.visit.incident = visit, .ctx = ctx};
    IV_AUTO(iv_query_deinit) struct iv_query q;
    begin_incidents(&q, f);
    iv_query_str(&q, "i.rule = ?", f->rule);
    iv_query_str(&q, "instr(' ' || i.criteria || ' ', ' ' || ? || ' ') > 0", f->criterion);
    iv_query_str(&q, "i.tenant = ?", f->tenant);
    iv_query_str(&q, "i.agent = ?", f->agent);
    iv_query_int(&q, f->severities != 0, "(1 << i.severity) & ?", f->severities);
    iv_query_int(&q, f->states != 0, "(1 << " STATE ") & ?", f->states);
    iv_query_int(&q, f->suppressed == IV_SUPPRESSED_ONLY, "i.waived > ?", 0);
    iv_query_int(&q, f->suppressed == IV_SUPPRESSED_NO, "i.waived < i.count + ?", 0);
    iv_query_str(&q, "i.assignee = ?", f->assignee);
    add_search(&q, f->text);
    iv_query_int(&q, f->after != 0, "i.seq > ?", f->after);
    iv_query_int(&q, f->before != 0, "i.seq < ?", f->before);
    iv_query_order(&q, "i.seq", f->newest_first, f->limit);
    return iv_query_each(reader, &q, read_incident, &v, "read incidents", err);
}

iv_rc iv_reader_incident_of(struct iv_reader *reader, const struct iv_finding *finding,
                            iv_incident_visit visit, void *ctx, struct iv_err *err)
{
    struct visiting v = {.visit.incident = visit, .ctx = ctx};
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, SELECT_INCIDENTS("i.count"));
    iv_query_condition(&q, "i.count > 0 AND i.rule = ? AND i.tenant = ? AND i.agent = ?");
    iv_query_bind_str(&q, finding->rule);
    iv_query_bind_str(&q, finding->tenant);
    iv_query_bind_str(&q, finding->agent);
    return iv_query_each(reader, &q, read_incident, &v, "read an incident", err);
}

struct sparks {
    int64_t *out;
};

static iv_rc read_spark(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    (void)on;
    (void)err;
    const struct sparks *s = ctx;
    int64_t place = iv_sql_get_int(row);
    s->out[place < 0 ? 0 : place < IV_SPARKS ? place : IV_SPARKS - 1] += iv_sql_get_int(row);
    return IV_OK;
}

/* Where all of a span lies in one bar, its sum; else the findings in it. ?1 the incident, ?2 and ?3 the first
 * and the last moment, ?4 how long a bar is. */
#define IN_ONE_BAR                                                                                           \
    "(" SPAN_FIRST ">= ?2 AND " SPAN_LAST "<= ?3 AND (" SPAN_FIRST "- ?2) / ?4 = (" SPAN_LAST "- ?2) / ?4)"

iv_rc iv_reader_sparks(struct iv_reader *reader, int64_t out[IV_SPARKS], int64_t incident, iv_ns from,
                       iv_ns until, struct iv_err *err)
{
    struct sparks s = {.out = out};
    memset(out, 0, IV_SPARKS * sizeof *out);
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(
        &q,
        "SELECT (" SPAN_FIRST "- ?2) / ?4, s.count FROM incident_spans s WHERE s.incident = ?1"
        " AND s.span >= ?2 >> 40 AND s.span <= ?3 >> 40 AND " IN_ONE_BAR
        " UNION ALL SELECT (f.time - ?2) / ?4, count(*) FROM incident_spans s"
        " CROSS JOIN incidents i ON i.id = s.incident" FINDINGS_OF_SPAN(
            "?2",
            "?3") " WHERE s.incident = ?1 AND s.span >= ?2 >> 40 AND s.span <= ?3 >> 40 AND NOT " IN_ONE_BAR
                  " GROUP BY 1");
    iv_query_bind_int(&q, incident);
    iv_query_bind_int(&q, from);
    iv_query_bind_int(&q, iv_ns_add(until, -1));
    iv_query_bind_int(&q, (until / IV_SPARKS - from / IV_SPARKS) + 1);
    return iv_query_each(reader, &q, read_spark, &s, "read an incident's course", err);
}

static iv_rc read_fleet(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    (void)err;
    const struct visiting *v = ctx;
    struct iv_fleet_item item = {.tenant = iv_sql_get_str(row)};
    item.agent = iv_sql_get_str(row);
    item.agents = iv_sql_get_int(row);
    item.risk = (double)iv_sql_get_int(row) / 1000;
    for (int s = 0; s <= IV_SEV_CRITICAL; s++) {
        item.live[s] = iv_sql_get_int(row);
    }
    item.findings = iv_sql_get_int(row);
    item.first = iv_sql_get_int(row);
    item.last = iv_sql_get_int(row);
    item.id = iv_sql_get_int(row);
    item.rank = iv_sql_get_int(row);
    item.executions = iv_sql_get_int(row);
    *on = v->visit.fleet(v->ctx, &item);
    return IV_OK;
}

#define SUMS                                                                                                 \
    " CAST(round(1000 * sum(i.heat / (1 << min(62, max(0, ? - i.day))))) AS INTEGER) AS risk,"               \
    " sum(i.live * (i.severity = 0)), sum(i.live * (i.severity = 1)), sum(i.live * (i.severity = 2)),"       \
    " sum(i.live * (i.severity = 3)), sum(i.live * (i.severity = 4)), sum(i.count) AS findings,"             \
    " min(i.first), max(i.last) AS last, min(i.id) AS id"

/* In the order of the names where two are the same. */
static const char *const ranks[] = {
    [IV_FLEET_BY_RISK] = "risk",
    [IV_FLEET_BY_FINDINGS] = "findings",
    [IV_FLEET_BY_LAST] = "last",
    [IV_FLEET_BY_NAME] = "0",
};

/* Those behind the last item of the page before. */
static iv_rc begin_after(struct iv_query *q, struct iv_reader *reader, const struct iv_fleet_filter *filter,
                         struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_sql_prepare(&reader->sql, &stmt, "SELECT 1 FROM incidents WHERE id = ?", err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, filter->after);
    TRY(iv_sql_step(&reader->sql, stmt, &found, "read the fleet", err));
    ENSURE(found, err, IV_E_REFUSED, "after must be the cursor of the page before");
    iv_query_more(q, " WHERE (-rank, tenant, agent) > (SELECT ?, i.tenant, i.agent FROM incidents i");
    iv_query_bind_int(q, iv_ns_negate(filter->rank));
    iv_query_int(q, true, "i.id = ?", filter->after);
    iv_query_more(q, ")");
    return IV_OK;
}

iv_rc iv_reader_fleet(struct iv_reader *reader, const struct iv_fleet_filter *filter, iv_fleet_visit visit,
                      void *ctx, struct iv_err *err)
{
    struct visiting v = {.visit.fleet = visit, .ctx = ctx};
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, filter->tenants
                          ? "SELECT t.*, (SELECT count(*) FROM executions e WHERE e.tenant = t.tenant)"
                          : "SELECT t.*, (SELECT count(*) FROM executions e WHERE e.tenant = t.tenant"
                            " AND e.agent = t.agent)");
    iv_query_more(&q, " FROM (SELECT * FROM (SELECT s.*, ");
    iv_query_more(&q, ranks[filter->order]);
    iv_query_more(&q,
                  filter->tenants
                      ? " AS rank FROM (SELECT i.tenant AS tenant, '' AS agent, count(DISTINCT i.agent)," SUMS
                      : " AS rank FROM (SELECT i.tenant AS tenant, i.agent AS agent, 1," SUMS);
    iv_query_more(&q, " FROM incidents i");
    iv_query_bind_int(&q, filter->day);
    /* What the monitor finds about itself is no agent's. */
    iv_query_int(&q, true, "i.rule NOT GLOB 'invigil.*' AND i.count > ?", 0);
    iv_query_str(&q, "i.tenant = ?", filter->tenant);
    iv_query_more(&q, filter->tenants ? " GROUP BY i.tenant) s)" : " GROUP BY i.tenant, i.agent) s)");
    if (filter->after != 0) {
        TRY(begin_after(&q, reader, filter, err));
    }
    iv_query_order(&q, "rank DESC, tenant, agent", false, filter->limit);
    iv_query_more(&q, ") t ORDER BY rank DESC, tenant, agent");
    return iv_query_each(reader, &q, read_fleet, &v, "read the fleet", err);
}

static iv_rc read_live(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    (void)err;
    const struct visiting *v = ctx;
    struct iv_str rule = iv_sql_get_str(row);
    *on = v->visit.live(v->ctx, rule, iv_sql_get_int(row));
    return IV_OK;
}

iv_rc iv_reader_live(struct iv_reader *reader, iv_live_visit visit, void *ctx, struct iv_err *err)
{
    struct visiting v = {.visit.live = visit, .ctx = ctx};
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT rule, sum(live) FROM incidents GROUP BY rule");
    return iv_query_each(reader, &q, read_live, &v, "count what stands", err);
}
