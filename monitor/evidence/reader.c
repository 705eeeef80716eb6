/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/reader.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/guard.h"
#include "evidence/reader_internal.h"
#include "evidence/rows.h"
#include "evidence/schema.h"

#define DEFAULT_LIMIT 100
#define QUERY_MAX_BYTES 4096

iv_rc iv_reader_open(struct iv_reader **out, struct iv_str path, struct iv_err *err)
{
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = iv_calloc(1, sizeof *reader);
    ENSURE(reader != NULL, err, IV_E_NOMEM, "cannot allocate a reader");
    TRY(iv_sql_open(&reader->sql, path, false, err));
    TRY(iv_schema_check(&reader->sql, err));
    *out = TAKE(reader);
    return IV_OK;
}

void iv_reader_close(struct iv_reader *reader)
{
    if (reader != NULL) {
        iv_sql_close(&reader->sql);
        iv_free(reader);
    }
}

void iv_reader_closep(struct iv_reader **reader)
{
    iv_reader_close(*reader);
}

/* A query that grows by conditions. Each takes at most one parameter, bound in the
 * order of the conditions. */
struct query {
    struct iv_buf text;
    struct {
        struct iv_str s;
        int64_t i;
        bool is_int;
    } parameters[16];
    size_t count;
    bool conditional;
};

static void query_init(struct query *q, const char *select)
{
    *q = (struct query){0};
    iv_buf_init(&q->text, QUERY_MAX_BYTES);
    iv_buf_text(&q->text, select);
}

static void query_deinit(struct query *q)
{
    iv_buf_deinit(&q->text);
}

static void add_condition(struct query *q, const char *condition)
{
    iv_buf_text(&q->text, q->conditional ? " AND " : " WHERE ");
    iv_buf_text(&q->text, condition);
    q->conditional = true;
}

static void where_str(struct query *q, const char *condition, struct iv_str s)
{
    if (s.p != NULL) {
        add_condition(q, condition);
        q->parameters[q->count++].s = s;
    }
}

static void where_int(struct query *q, bool asked, const char *condition, int64_t i)
{
    if (asked) {
        add_condition(q, condition);
        q->parameters[q->count].is_int = true;
        q->parameters[q->count++].i = i;
    }
}

static void order_limit(struct query *q, const char *column, bool newest_first, size_t limit)
{
    iv_buf_printf(&q->text, " ORDER BY %s %s LIMIT ?", column, newest_first ? "DESC" : "ASC");
    q->parameters[q->count].is_int = true;
    q->parameters[q->count++].i = (int64_t)(limit == 0 ? DEFAULT_LIMIT : limit);
}

static iv_rc query_prepare(struct iv_reader *reader, sqlite3_stmt **out, const struct query *q,
                           struct iv_err *err)
{
    ENSURE(!iv_buf_failed(&q->text), err, IV_E_NOMEM, "no memory left to write a query");
    TRY(iv_sql_prepare(&reader->sql, out, q->text.p, err));
    struct iv_sql_args args = iv_sql_args(*out);
    for (size_t i = 0; i < q->count; i++) {
        if (q->parameters[i].is_int) {
            iv_sql_bind_int(&args, q->parameters[i].i);
        } else {
            iv_sql_bind_str(&args, q->parameters[i].s);
        }
    }
    return IV_OK;
}

/* Reads one row and hands it to the caller's visitor; *on: whether to go on. */
struct walk {
    struct iv_reader *reader;
    void *ctx;
    union {
        iv_finding_visit finding;
        iv_execution_visit execution;
        iv_step_visit step;
        iv_action_visit action;
        iv_count_visit count;
    } visit;
    size_t rows;
};
typedef struct iv_rc_s (*row_fn)(struct walk *walk, struct iv_sql_row *row, bool *on, struct iv_err *err);

static iv_rc walk_rows(struct walk *walk, const struct query *q, row_fn read, const char *doing,
                       struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(query_prepare(walk->reader, &stmt, q, err));
    for (bool on = true; on;) {
        bool more = false;
        TRY(iv_sql_step(&walk->reader->sql, stmt, &more, doing, err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(read(walk, &row, &on, err));
        walk->rows++;
    }
    return IV_OK;
}

static iv_rc read_finding(struct walk *walk, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    struct iv_finding finding;
    TRY(iv_row_finding(&finding, row, err));
    finding.action = iv_sql_get_str(row);
    *on = walk->visit.finding(walk->ctx, &finding);
    return IV_OK;
}

/* The newest execution's state beside each finding, so that a list of findings needs one query. */
#define SELECT_FINDINGS                                                                                      \
    "SELECT " IV_COLUMNS_FINDING ", (SELECT e.state FROM execution_findings x JOIN executions e"             \
    " ON e.key = x.execution WHERE x.finding = f.uid ORDER BY e.seq DESC LIMIT 1) FROM findings f"

iv_rc iv_reader_findings(struct iv_reader *reader, const struct iv_finding_filter *filter,
                         iv_finding_visit visit, void *ctx, struct iv_err *err)
{
    uint32_t violations = 1u << IV_VIOLATED | 1u << IV_UPDATED | 1u << IV_CONTRADICTED;
    IV_AUTO(query_deinit) struct query q;
    query_init(&q, SELECT_FINDINGS);
    where_int(&q, true, "(1 << f.kind) & ?",
              iv_kind_rank_mask(filter->kinds == 0 ? violations : filter->kinds));
    where_str(&q, "f.rule = ?", filter->rule);
    where_str(&q, "instr(' ' || f.criteria || ' ', ' ' || ? || ' ') > 0", filter->criterion);
    where_str(&q, "f.tenant = ?", filter->tenant);
    where_str(&q, "f.agent = ?", filter->agent);
    where_int(&q, filter->severities != 0, "(1 << f.severity) & ?", filter->severities);
    where_int(&q, filter->suppressed != IV_SUPPRESSED_ANY, "f.suppressed = ?",
              filter->suppressed == IV_SUPPRESSED_ONLY);
    where_int(&q, filter->from != 0, "f.time >= ?", filter->from);
    where_int(&q, filter->until != 0, "f.time < ?", filter->until);
    where_int(&q, filter->after != 0, "f.seq > ?", filter->after);
    where_int(&q, filter->before != 0, "f.seq < ?", filter->before);
    order_limit(&q, "f.seq", filter->newest_first, filter->limit);
    struct walk walk = {.reader = reader, .ctx = ctx, .visit.finding = visit};
    return walk_rows(&walk, &q, read_finding, "read findings", err);
}

iv_rc iv_reader_finding(struct iv_reader *reader, struct iv_str uid, iv_finding_visit visit, void *ctx,
                        struct iv_err *err)
{
    IV_AUTO(query_deinit) struct query q;
    query_init(&q, SELECT_FINDINGS);
    where_str(&q, "f.uid = ?", uid.p == NULL ? IV_STR("") : uid);
    struct walk walk = {.reader = reader, .ctx = ctx, .visit.finding = visit};
    TRY(walk_rows(&walk, &q, read_finding, "read a finding", err));
    ENSURE(walk.rows > 0, err, IV_E_ABSENT, "there is no finding '" IV_STR_FMT "'", IV_STR_ARG(uid));
    return IV_OK;
}

static iv_rc read_execution(struct walk *walk, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    struct iv_execution execution;
    TRY(iv_row_execution(&execution, row, err));
    *on = walk->visit.execution(walk->ctx, &execution);
    return IV_OK;
}

/* States are kept by name; a mask of them becomes a list. The names are ours, not the caller's. */
static void where_states(struct query *q, uint32_t states)
{
    static const char *const names[] = {
#define STATE(id, name, final) "'" name "'",
#include "evidence/run_states.def"
#undef STATE
    };
    if (states == 0) {
        return;
    }
    add_condition(q, "e.state IN (''");
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        if ((states >> i & 1u) != 0) {
            iv_buf_printf(&q->text, ", %s", names[i]);
        }
    }
    iv_buf_char(&q->text, ')');
}

iv_rc iv_reader_executions(struct iv_reader *reader, const struct iv_execution_filter *filter,
                           iv_execution_visit visit, void *ctx, struct iv_err *err)
{
    IV_AUTO(query_deinit) struct query q;
    query_init(&q, "SELECT " IV_COLUMNS_EXECUTION " FROM executions e");
    where_str(&q, "e.key IN (SELECT execution FROM execution_findings WHERE finding = ?)", filter->finding);
    where_str(&q, "e.playbook = ?", filter->playbook);
    where_str(&q, "e.key = ?", filter->key);
    where_int(&q, filter->after != 0, "e.seq > ?", filter->after);
    where_int(&q, filter->before != 0, "e.seq < ?", filter->before);
    where_states(&q, filter->states);
    order_limit(&q, "e.seq", filter->newest_first, filter->limit);
    struct walk walk = {.reader = reader, .ctx = ctx, .visit.execution = visit};
    return walk_rows(&walk, &q, read_execution, "read executions", err);
}

static iv_rc read_step(struct walk *walk, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    struct iv_step step;
    TRY(iv_row_step(&step, row, err));
    *on = walk->visit.step(walk->ctx, &step);
    return IV_OK;
}

iv_rc iv_reader_steps(struct iv_reader *reader, struct iv_str execution, iv_step_visit visit, void *ctx,
                      struct iv_err *err)
{
    IV_AUTO(query_deinit) struct query q;
    query_init(&q, "SELECT " IV_COLUMNS_STEP " FROM steps s");
    where_str(&q, "s.execution = ?", execution.p == NULL ? IV_STR("") : execution);
    order_limit(&q, "s.position", false, INT32_MAX);
    struct walk walk = {.reader = reader, .ctx = ctx, .visit.step = visit};
    return walk_rows(&walk, &q, read_step, "read steps", err);
}

static iv_rc read_action(struct walk *walk, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    (void)err;
    struct iv_action action = {.seq = iv_sql_get_int(row)};
    action.execution = iv_sql_get_str(row);
    action.step = iv_sql_get_int(row);
    action.state = iv_sql_get_str(row);
    action.time = iv_sql_get_int(row);
    action.ocsf = iv_sql_get_str(row);
    *on = walk->visit.action(walk->ctx, &action);
    return IV_OK;
}

iv_rc iv_reader_actions(struct iv_reader *reader, struct iv_str execution, int64_t after, size_t limit,
                        iv_action_visit visit, void *ctx, struct iv_err *err)
{
    IV_AUTO(query_deinit) struct query q;
    query_init(&q, "SELECT a.seq, a.execution, a.step, a.state, a.time, a.ocsf FROM actions a");
    where_str(&q, "a.execution = ?", execution);
    where_int(&q, true, "a.seq > ?", after);
    order_limit(&q, "a.seq", false, limit);
    struct walk walk = {.reader = reader, .ctx = ctx, .visit.action = visit};
    return walk_rows(&walk, &q, read_action, "read actions", err);
}

static iv_rc read_count(struct walk *walk, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    struct iv_finding_count count = {.rule = iv_sql_get_str(row)};
    count.severity = (enum iv_severity)iv_sql_get_int(row);
    TRY(iv_kind_of_rank(&count.kind, iv_sql_get_int(row), err));
    count.suppressed = iv_sql_get_int(row) != 0;
    count.count = iv_sql_get_int(row);
    *on = walk->visit.count(walk->ctx, &count);
    return IV_OK;
}

iv_rc iv_reader_counts(struct iv_reader *reader, iv_count_visit visit, void *ctx, struct iv_err *err)
{
    IV_AUTO(query_deinit) struct query q;
    query_init(&q, "SELECT rule, severity, kind, suppressed, count(*) FROM findings"
                   " GROUP BY rule, severity, kind, suppressed");
    struct walk walk = {.reader = reader, .ctx = ctx, .visit.count = visit};
    return walk_rows(&walk, &q, read_count, "count findings", err);
}

iv_rc iv_reader_counts_of(struct iv_reader *reader, iv_ns from, iv_ns until, iv_count_visit visit, void *ctx,
                          struct iv_err *err)
{
    IV_AUTO(query_deinit) struct query q;
    query_init(&q, "SELECT rule, severity, kind, suppressed, count(*) FROM findings");
    where_int(&q, true, "time >= ?", from);
    where_int(&q, true, "time < ?", until);
    iv_buf_text(&q.text, " GROUP BY rule, severity, kind, suppressed ORDER BY rule");
    struct walk walk = {.reader = reader, .ctx = ctx, .visit.count = visit};
    return walk_rows(&walk, &q, read_count, "count findings", err);
}

iv_rc iv_reader_baseline(struct iv_reader *reader, struct iv_buf *digest, struct iv_buf *document,
                         uint64_t *count, iv_ns until, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_sql_prepare(
        &reader->sql, &stmt,
        "SELECT l.entry ->> '$.key', d.document, (SELECT count(*) FROM log b"
        " WHERE b.time < ?1 AND b.entry ->> '$.kind' = 'baseline')"
        " FROM log l JOIN log_documents d ON d.leaf = l.leaf"
        " WHERE l.entry ->> '$.kind' = 'baseline'"
        " ORDER BY l.time < ?1 DESC, CASE WHEN l.time < ?1 THEN -l.leaf ELSE l.leaf END LIMIT 1",
        err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, until);
    TRY(iv_sql_step(&reader->sql, stmt, &found, "read baselines", err));
    ENSURE(found, err, IV_E_ABSENT, "the log of '%s' has no baseline", reader->sql.path);
    struct iv_sql_row row = iv_sql_row(stmt);
    iv_buf_str(digest, iv_sql_get_str(&row));
    iv_buf_str(document, iv_sql_get_str(&row));
    *count = (uint64_t)iv_sql_get_int(&row);
    TRY(iv_buf_check(digest, "a baseline's digest", err));
    return iv_buf_check(document, "a baseline's files", err);
}

iv_rc iv_reader_heads(struct iv_reader *reader, struct iv_store_heads *out, struct iv_err *err)
{
    const char *doing = "read its newest rows";
    struct iv_store_heads h = {0};
    TRY(iv_sql_int(&reader->sql, &h.findings, "SELECT ifnull(max(seq), 0) FROM findings", doing, err));
    TRY(iv_sql_int(&reader->sql, &h.executions, "SELECT ifnull(max(seq), 0) FROM executions", doing, err));
    TRY(iv_sql_int(&reader->sql, &h.actions, "SELECT ifnull(max(seq), 0) FROM actions", doing, err));
    TRY(iv_sql_int(&reader->sql, &h.dead_letters, "SELECT ifnull(max(seq), 0) FROM dead_letters", doing,
                   err));
    *out = h;
    return IV_OK;
}

static iv_rc count_executions(struct iv_reader *reader, int64_t *counts, struct iv_err *err)
{
    static const char *const texts[] = {
#define STATE(id, name, final) [IV_RUN_##id] = "SELECT count(*) FROM executions WHERE state = '" name "'",
#include "evidence/run_states.def"
#undef STATE
    };
    for (size_t i = 0; i < IV_COUNT(texts); i++) {
        TRY(iv_sql_int(&reader->sql, &counts[i], texts[i], "count executions", err));
    }
    return IV_OK;
}

iv_rc iv_reader_totals(struct iv_reader *reader, struct iv_store_totals *out, struct iv_err *err)
{
    struct iv_store_totals t = {0};
    TRY(iv_sql_int(&reader->sql, &t.dead_letters, "SELECT count(*) FROM dead_letters", "count dead letters",
                   err));
    TRY(iv_sql_int(&reader->sql, &t.outbox, "SELECT count(*) FROM outbox", "count the outbox", err));
    TRY(iv_sql_int(&reader->sql, &t.outbox_oldest,
                   "SELECT ifnull((SELECT time FROM outbox ORDER BY id LIMIT 1), 0)", "count the outbox",
                   err));
    TRY(count_executions(reader, t.executions, err));
    *out = t;
    return IV_OK;
}

iv_rc iv_reader_outbox(struct iv_reader *reader, int64_t *oldest, int64_t *newest, struct iv_err *err)
{
    TRY(iv_sql_int(&reader->sql, newest,
                   "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)",
                   "number the outbox", err));
    return iv_sql_int(&reader->sql, oldest, "SELECT ifnull(min(id), 0) FROM outbox", "number the outbox",
                      err);
}
