/* SPDX-License-Identifier: Apache-2.0 */
/* Findings by filters. Few among many are found by their incidents; many are walked through in their order,
 * in an index that has all that is asked for. */
#include "base/guard.h"
#include "evidence/query.h"
#include "evidence/rows.h"

/* The newest execution's state beside each finding, so that a list of findings needs one query. */
#define SELECT_FINDINGS                                                                                      \
    "SELECT " IV_COLUMNS_FINDING ", (SELECT e.state FROM execution_findings x JOIN executions e"             \
    " ON e.key = x.execution WHERE x.finding = f.uid ORDER BY e.seq DESC LIMIT 1) FROM "

#define VIOLATIONS (1u << IV_VIOLATED | 1u << IV_UPDATED | 1u << IV_CONTRADICTED)
#define WINDOW 100000 /* rows that one walk looks at, where it does not search each for a text */
#define FEW 5000      /* findings of the incidents that fit: they are looked at one by one */

struct visiting {
    iv_finding_visit visit;
    void *ctx;
    size_t rows;
    int64_t last; /* seq */
    bool on;
};

static iv_rc read_finding(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    struct visiting *v = ctx;
    struct iv_finding finding;
    TRY(iv_row_finding(&finding, row, err));
    finding.action = iv_sql_get_str(row);
    *on = v->on = v->visit(v->ctx, &finding);
    v->last = finding.seq;
    v->rows++;
    return IV_OK;
}

iv_rc iv_reader_finding(struct iv_reader *reader, struct iv_str uid, iv_finding_visit visit, void *ctx,
                        struct iv_err *err)
{
    struct visiting v = {.visit = visit, .ctx = ctx};
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, SELECT_FINDINGS "findings f");
    iv_query_str(&q, "f.uid = ?", uid.p == NULL ? IV_STR("") : uid);
    TRY(iv_query_each(reader, &q, read_finding, &v, "read a finding", err));
    ENSURE(v.rows > 0, err, IV_E_ABSENT, "there is no finding '" IV_STR_FMT "'", IV_STR_ARG(uid));
    return IV_OK;
}

/* Seqs that are still to be looked at, both ends included. */
struct range {
    int64_t low;
    int64_t high;
};

struct search {
    struct iv_reader *reader;
    const struct iv_finding_filter *filter;
    size_t limit;
    struct visiting visiting;
    int64_t summed;         /* incidents know of all up to here, */
    int64_t count;          /* and have so many findings, */
    struct range incidents; /* which lie here */
};

static bool by_incident(const struct iv_finding_filter *f)
{
    uint32_t kinds = f->kinds == 0 ? VIOLATIONS : f->kinds;
    return (kinds & ~VIOLATIONS) == 0 && (f->rule.p != NULL || f->tenant.p != NULL || f->agent.p != NULL);
}

static bool is_plain(const struct iv_finding_filter *f)
{
    return f->rule.p == NULL && f->criterion.p == NULL && f->tenant.p == NULL && f->agent.p == NULL &&
           f->severities == 0 && f->states == 0 && f->assignee.p == NULL && f->text.p == NULL &&
           f->suppressed == IV_SUPPRESSED_ANY && f->from == 0 && f->until == 0;
}

static iv_rc read_bounds(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    (void)err;
    struct search *s = ctx;
    *on = false;
    s->summed = iv_sql_get_int(row);
    s->count = iv_sql_get_int(row);
    s->incidents.low = iv_sql_get_int(row);
    s->incidents.high = iv_sql_get_int(row);
    return IV_OK;
}

static iv_rc find_bounds(struct search *s, struct iv_err *err)
{
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT (SELECT seq FROM summed), ifnull(sum(count), 0), ifnull(min(oldest_seq), 0),"
                      " ifnull(max(seq), 0) FROM incidents");
    iv_query_str(&q, "rule = ?", s->filter->rule);
    iv_query_str(&q, "tenant = ?", s->filter->tenant);
    iv_query_str(&q, "agent = ?", s->filter->agent);
    return iv_query_each(s->reader, &q, read_bounds, s, "look incidents up", err);
}

static void add_conditions(struct iv_query *q, const struct iv_finding_filter *f, struct range range)
{
    iv_query_int(q, true, "f.seq >= ?", range.low);
    iv_query_int(q, true, "f.seq <= ?", range.high);
    iv_query_int(q, true, "(1 << f.kind) & ?", iv_kind_rank_mask(f->kinds == 0 ? VIOLATIONS : f->kinds));
    iv_query_str(q, "f.rule = ?", f->rule);
    iv_query_str(q, "instr(' ' || f.criteria || ' ', ' ' || ? || ' ') > 0", f->criterion);
    iv_query_str(q, "f.tenant = ?", f->tenant);
    iv_query_str(q, "f.agent = ?", f->agent);
    iv_query_int(q, f->severities != 0, "(1 << f.severity) & ?", f->severities);
    iv_query_int(q, f->states != 0, "(1 << max(f.state, 3 * f.suppressed)) & ?", f->states);
    iv_query_str(q, "f.assignee = ?", f->assignee);
    iv_query_str(q, "instr(lower(f.trigger_id || char(10) || " IV_SEARCHED("f") "), lower(?)) > 0", f->text);
    iv_query_int(q, f->suppressed != IV_SUPPRESSED_ANY, "f.suppressed = ?",
                 f->suppressed == IV_SUPPRESSED_ONLY);
    iv_query_int(q, f->from != 0, "f.time >= ?", f->from);
    iv_query_int(q, f->until != 0, "f.time < ?", f->until);
}

static iv_rc select_range(struct search *s, bool few, struct range range, struct iv_err *err)
{
    const struct iv_finding_filter *f = s->filter;
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, SELECT_FINDINGS "(SELECT f.seq AS place FROM ");
    if (few) {
        iv_query_more(&q, "incidents i CROSS JOIN findings f INDEXED BY findings_by_incident"
                          " ON f.rule = i.rule AND f.tenant = i.tenant AND f.agent = i.agent");
        iv_query_str(&q, "i.rule = ?", f->rule);
        iv_query_str(&q, "i.tenant = ?", f->tenant);
        iv_query_str(&q, "i.agent = ?", f->agent);
    } else {
        iv_query_more(&q, "findings f INDEXED BY findings_listed");
    }
    add_conditions(&q, f, range);
    iv_query_order(&q, "f.seq", f->newest_first, s->limit - s->visiting.rows);
    iv_query_more(&q, ") CROSS JOIN findings f ON f.seq = place ORDER BY place");
    iv_query_more(&q, f->newest_first ? " DESC" : " ASC");
    return iv_query_each(s->reader, &q, read_finding, &s->visiting, "read findings", err);
}

static bool is_full(const struct search *s)
{
    return s->visiting.rows >= s->limit || !s->visiting.on;
}

/* A window's length of the range, from the end that the order begins with; *range: what is left of it. */
static iv_rc walk(struct search *s, struct range *range, struct iv_err *err)
{
    struct range window = *range;
    int64_t most = s->filter->text.p == NULL ? WINDOW : IV_SEARCHED_NEWEST;
    bool whole = is_plain(s->filter) || range->high - range->low < most;
    if (!whole && s->filter->newest_first) {
        window.low = window.high - most + 1;
    } else if (!whole) {
        window.high = window.low + most - 1;
    }
    TRY(select_range(s, false, window, err));
    range->low = s->filter->newest_first ? range->low : window.high + 1;
    range->high = s->filter->newest_first ? window.low - 1 : range->high;
    return IV_OK;
}

/* What incidents know of, and what has come since. */
static iv_rc search_known(struct search *s, struct range *range, struct iv_err *err)
{
    struct range known = *range;
    known.low = known.low < s->incidents.low ? s->incidents.low : known.low;
    known.high = known.high > s->incidents.high ? s->incidents.high : known.high;
    if (s->count == 0 || known.low > known.high) {
        *range = (struct range){1, 0};
        return IV_OK;
    }
    if (s->count > FEW) {
        *range = known;
        return walk(s, range, err);
    }
    TRY(select_range(s, true, known, err));
    *range = (struct range){1, 0};
    return IV_OK;
}

static iv_rc search_parts(struct search *s, struct range *range, struct iv_err *err)
{
    struct range known = {range->low, range->high < s->summed ? range->high : s->summed};
    struct range since = {range->low > s->summed ? range->low : s->summed + 1, range->high};
    bool newest_first = s->filter->newest_first;
    for (int part = 0; part < 2 && !is_full(s); part++) {
        bool is_since = (part == 0) == newest_first;
        struct range *mine = is_since ? &since : &known;
        if (mine->low > mine->high) {
            continue;
        }
        TRY(is_since ? walk(s, mine, err) : search_known(s, mine, err));
        if (mine->low <= mine->high && !is_full(s)) {
            /* Its window ended before it did: the other part is for the next page. */
            *range = newest_first ? (struct range){range->low, mine->high}
                                  : (struct range){mine->low, range->high};
            return IV_OK;
        }
    }
    *range = (struct range){1, 0};
    return IV_OK;
}

iv_rc iv_reader_findings_page(struct iv_reader *reader, const struct iv_finding_filter *filter, int64_t *next,
                              iv_finding_visit visit, void *ctx, struct iv_err *err)
{
    struct search s = {.reader = reader, .filter = filter, .limit = filter->limit == 0 ? 100 : filter->limit};
    s.visiting = (struct visiting){.visit = visit, .ctx = ctx, .on = true};
    int64_t head = 0;
    TRY(iv_sql_int(&reader->sql, &head, "SELECT ifnull(max(seq), 0) FROM findings", "read findings", err));
    *next = 0;
    if (filter->after >= head) {
        return IV_OK;
    }
    struct range range = {filter->after + 1, filter->before == 0 ? head : filter->before - 1};
    range.high = range.high > head ? head : range.high;
    if (range.low > range.high) {
        return IV_OK;
    }
    if (by_incident(filter)) {
        TRY(find_bounds(&s, err));
        TRY(search_parts(&s, &range, err));
    } else {
        TRY(walk(&s, &range, err));
    }
    if (is_full(&s)) {
        *next = s.visiting.last;
    } else if (range.low <= range.high) {
        *next = filter->newest_first ? range.high + 1 : range.low - 1;
    }
    return IV_OK;
}

struct counting {
    iv_finding_visit visit;
    void *ctx;
    size_t rows;
    bool on;
};

static bool count_and_visit(void *ctx, const struct iv_finding *finding)
{
    struct counting *c = ctx;
    c->rows++;
    c->on = c->visit(c->ctx, finding);
    return c->on;
}

iv_rc iv_reader_findings(struct iv_reader *reader, const struct iv_finding_filter *filter,
                         iv_finding_visit visit, void *ctx, struct iv_err *err)
{
    struct iv_finding_filter rest = *filter;
    struct counting c = {.visit = visit, .ctx = ctx, .on = true};
    size_t limit = filter->limit == 0 ? 100 : filter->limit;
    for (int64_t next = 0; c.on && c.rows < limit;) {
        rest.limit = limit - c.rows;
        TRY(iv_reader_findings_page(reader, &rest, &next, count_and_visit, &c, err));
        if (next == 0) {
            break;
        }
        *(filter->newest_first ? &rest.before : &rest.after) = next;
    }
    return IV_OK;
}

iv_rc iv_reader_saw(struct iv_reader *reader, struct iv_buf *out, int64_t *left_out, struct iv_str uid,
                    struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_sql_prepare(&reader->sql, &stmt,
                       "SELECT ocsf -> '$.unmapped.saw', ifnull(ocsf ->> '$.unmapped.saw_left_out', 0)"
                       " FROM findings WHERE uid = ? AND json_valid(ocsf)"
                       " AND json_type(ocsf, '$.unmapped.saw') = 'array'",
                       err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, uid);
    TRY(iv_sql_step(&reader->sql, stmt, &found, "read what a rule saw", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *left_out = 0;
    if (found) {
        iv_buf_str(out, iv_sql_get_str(&row));
        *left_out = iv_sql_get_int(&row);
    }
    return iv_buf_check(out, "what a rule saw", err);
}
