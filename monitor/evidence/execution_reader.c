/* SPDX-License-Identifier: Apache-2.0 */
/* Executions by filters. Few among many are found by an index; many are walked through in their order. */
#include "base/guard.h"
#include "evidence/query.h"
#include "evidence/rows.h"

#define WINDOW 10000 /* rows that one walk looks at */
#define FEW 5000     /* that an index finds: they are all looked at */

struct visiting {
    iv_execution_visit visit;
    void *ctx;
    size_t rows;
    int64_t last; /* seq */
    bool on;
};

static iv_rc read_execution(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    struct visiting *v = ctx;
    struct iv_execution execution;
    TRY(iv_row_execution(&execution, row, err));
    *on = v->on = v->visit(v->ctx, &execution);
    v->last = execution.seq;
    v->rows++;
    return IV_OK;
}

/* States are kept by name; a mask of them becomes a list. The names are ours, not the caller's. */
static void where_states(struct iv_query *q, uint32_t states)
{
    static const char *const names[] = {
#define STATE(id, name, final) "'" name "'",
#include "evidence/run_states.def"
#undef STATE
    };
    if (states == 0) {
        return;
    }
    iv_query_condition(q, "e.state IN (''");
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        if ((states >> i & 1u) != 0) {
            iv_buf_printf(&q->text, ", %s", names[i]);
        }
    }
    iv_buf_char(&q->text, ')');
}

static void where(struct iv_query *q, const struct iv_execution_filter *f)
{
    iv_query_str(q, "e.key IN (SELECT execution FROM execution_findings WHERE finding = ?)", f->finding);
    iv_query_str(q, "e.playbook = ?", f->playbook);
    iv_query_str(q, "e.key = ?", f->key);
    iv_query_str(q, "e.tenant = ?", f->tenant);
    iv_query_str(q, "e.agent = ?", f->agent);
    iv_query_int(q, f->from != 0, "e.planned >= ?", f->from);
    iv_query_int(q, f->until != 0, "e.planned < ?", f->until);
    where_states(q, f->states);
}

/* Seqs that are still to be looked at, both ends included. */
struct range {
    int64_t low;
    int64_t high;
};

/* index: "INDEXED BY …", or empty. */
static iv_rc select_range(struct iv_reader *reader, struct visiting *v, const struct iv_execution_filter *f,
                          const char *index, struct range range, struct iv_err *err)
{
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT " IV_COLUMNS_EXECUTION " FROM executions e");
    iv_query_more(&q, index);
    where(&q, f);
    iv_query_int(&q, range.low > 0, "e.seq >= ?", range.low);
    iv_query_int(&q, range.high < INT64_MAX, "e.seq <= ?", range.high);
    iv_query_order(&q, "e.seq", f->newest_first, f->limit);
    return iv_query_each(reader, &q, read_execution, v, "read executions", err);
}

static struct range range_of(const struct iv_execution_filter *f, int64_t head)
{
    return (struct range){f->after == INT64_MAX ? f->after : f->after + 1,
                          f->before == 0 || f->before > head ? head : f->before - 1};
}

iv_rc iv_reader_executions(struct iv_reader *reader, const struct iv_execution_filter *filter,
                           iv_execution_visit visit, void *ctx, struct iv_err *err)
{
    struct visiting v = {.visit = visit, .ctx = ctx};
    return select_range(reader, &v, filter, "", range_of(filter, INT64_MAX), err);
}

static iv_rc read_count(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    (void)err;
    *on = false;
    *(int64_t *)ctx = iv_sql_get_int(row);
    return IV_OK;
}

/* Whether the index finds few by these conditions. */
static iv_rc finds_few(bool *few, struct iv_reader *reader, const struct iv_execution_filter *part,
                       const char *index, struct iv_err *err)
{
    int64_t count = 0;
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT count(*) FROM (SELECT 1 FROM executions e");
    iv_query_more(&q, index);
    where(&q, part);
    iv_query_more(&q, " LIMIT ?)");
    iv_query_bind_int(&q, FEW + 1);
    TRY(iv_query_each(reader, &q, read_count, &count, "count executions", err));
    *few = count <= FEW;
    return IV_OK;
}

/* "": by their keys. NULL: none finds few. */
static iv_rc choose_index(const char **index, struct iv_reader *reader, const struct iv_execution_filter *f,
                          struct iv_err *err)
{
    const struct {
        bool asked;
        const char *index;
        struct iv_execution_filter part;
    } ways[] = {
        {f->tenant.p != NULL && f->agent.p != NULL,
         " INDEXED BY executions_by_agent",
         {.tenant = f->tenant, .agent = f->agent}},
        {f->from != 0 || f->until != 0,
         " INDEXED BY executions_planned",
         {.from = f->from, .until = f->until}},
        {f->states != 0, " INDEXED BY executions_by_state", {.states = f->states}},
    };
    *index = f->finding.p != NULL || f->key.p != NULL ? "" : NULL;
    for (size_t i = 0; *index == NULL && i < IV_COUNT(ways); i++) {
        bool few = false;
        if (ways[i].asked) {
            TRY(finds_few(&few, reader, &ways[i].part, ways[i].index, err));
        }
        *index = few ? ways[i].index : NULL;
    }
    return IV_OK;
}

static bool is_plain(const struct iv_execution_filter *f)
{
    return f->playbook.p == NULL && f->tenant.p == NULL && f->agent.p == NULL && f->from == 0 &&
           f->until == 0 && f->states == 0;
}

iv_rc iv_reader_executions_page(struct iv_reader *reader, const struct iv_execution_filter *filter,
                                int64_t *next, iv_execution_visit visit, void *ctx, struct iv_err *err)
{
    struct visiting v = {.visit = visit, .ctx = ctx, .on = true};
    int64_t head = 0;
    const char *index = NULL;
    TRY(iv_sql_int(&reader->sql, &head, "SELECT ifnull(max(seq), 0) FROM executions", "read executions",
                   err));
    TRY(choose_index(&index, reader, filter, err));
    struct range range = filter->after >= head ? (struct range){1, 0} : range_of(filter, head);
    struct range window = range;
    if (index == NULL && !is_plain(filter) && range.high - range.low >= WINDOW) {
        window.low = filter->newest_first ? range.high - WINDOW + 1 : range.low;
        window.high = filter->newest_first ? range.high : range.low + WINDOW - 1;
    }
    *next = 0;
    if (range.low > range.high) {
        return IV_OK;
    }
    TRY(select_range(reader, &v, filter, index == NULL ? "" : index, window, err));
    if (v.rows >= (filter->limit == 0 ? 100 : filter->limit) || !v.on) {
        *next = v.last;
    } else if (filter->newest_first ? window.low > range.low : window.high < range.high) {
        *next = filter->newest_first ? window.low : window.high;
    }
    return IV_OK;
}
