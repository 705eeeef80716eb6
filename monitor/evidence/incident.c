/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/incident.h"

#include "base/guard.h"
#include "evidence/query.h"
#include "evidence/rows.h"

#define SPAN_BITS 40 /* of incident_spans */

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

#define SELECT_INCIDENTS                                                                                     \
    "SELECT i.id, i.seq, i.rule, i.title, i.severity, i.criteria, i.assignee, i.tenant,"                     \
    " i.agent, i.count, i.live, i.waived, " STATE ", i.first, i.last, i.detected,"                           \
    " (SELECT f.uid FROM findings f INDEXED BY findings_by_incident WHERE f.rule = i.rule"                   \
    " AND f.tenant = i.tenant AND f.agent = i.agent ORDER BY f.seq DESC LIMIT 1)"                            \
    " FROM incidents i"

iv_rc iv_reader_incidents(struct iv_reader *reader, const struct iv_finding_filter *filter,
                          iv_incident_visit visit, void *ctx, struct iv_err *err)
{
    const struct iv_finding_filter *f = filter;
    struct visiting v = {.visit.incident = visit, .ctx = ctx};
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, SELECT_INCIDENTS);
    iv_query_int(&q, true, "i.count > ?", 0);
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
    iv_query_int(&q, f->from != 0, "i.last >= ?", f->from);
    iv_query_int(&q, f->until != 0, "i.first < ?", f->until);
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
    iv_query_init(&q, SELECT_INCIDENTS);
    iv_query_condition(&q, "i.count > 0 AND i.rule = ? AND i.tenant = ? AND i.agent = ?");
    iv_query_bind_str(&q, finding->rule);
    iv_query_bind_str(&q, finding->tenant);
    iv_query_bind_str(&q, finding->agent);
    return iv_query_each(reader, &q, read_incident, &v, "read an incident", err);
}

struct sparks {
    int64_t *out;
    iv_ns from;
    iv_ns width;
};

/* A span counts where its middle lies. */
static iv_rc read_spark(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    (void)on;
    (void)err;
    struct sparks *s = ctx;
    iv_ns middle = iv_ns_add(iv_sql_get_int(row) * (INT64_C(1) << SPAN_BITS), INT64_C(1) << (SPAN_BITS - 1));
    int64_t place = iv_ns_add(middle, iv_ns_negate(s->from)) / s->width;
    place = place < 0 ? 0 : place;
    s->out[place < IV_SPARKS ? place : IV_SPARKS - 1] += iv_sql_get_int(row);
    return IV_OK;
}

iv_rc iv_reader_sparks(struct iv_reader *reader, int64_t out[IV_SPARKS], int64_t incident, iv_ns from,
                       iv_ns until, struct iv_err *err)
{
    struct sparks s = {.out = out, .from = from, .width = (until / IV_SPARKS - from / IV_SPARKS) + 1};
    memset(out, 0, IV_SPARKS * sizeof *out);
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT span, count FROM incident_spans");
    iv_query_int(&q, true, "incident = ?", incident);
    iv_query_int(&q, true, "span >= ?", from >> SPAN_BITS);
    iv_query_int(&q, true, "span <= ?", (until - 1) >> SPAN_BITS);
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
