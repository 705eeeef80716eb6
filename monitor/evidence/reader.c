/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/reader.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "evidence/query.h"
#include "evidence/reader_internal.h"
#include "evidence/rows.h"
#include "evidence/schema.h"

#define SPAN_BITS 42 /* of tallies */
#define SPAN (INT64_C(1) << SPAN_BITS)
#define STEPS_BETWEEN_LOOKS 10000 /* of SQLite's machine: some hundred microseconds */

iv_rc iv_reader_open(struct iv_reader **out, struct iv_str path, struct iv_err *err)
{
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = iv_calloc(1, sizeof *reader);
    ENSURE(reader != NULL, err, IV_E_NOMEM, "cannot allocate a reader");
    TRY(iv_sql_open(&reader->sql, path, false, err));
    TRY(iv_schema_check(&reader->sql, err));
    *out = TAKE(reader);
    return IV_OK;
}

static int is_late(void *ctx)
{
    const struct iv_reader *reader = ctx;
    struct iv_clock clock = iv_clock_system();
    return iv_monotonic(&clock) > reader->deadline;
}

void iv_reader_within(struct iv_reader *reader, iv_ns length)
{
    struct iv_clock clock = iv_clock_system();
    reader->deadline = length == 0 ? 0 : iv_ns_add(iv_monotonic(&clock), length);
    sqlite3_progress_handler(reader->sql.db, STEPS_BETWEEN_LOOKS, length == 0 ? NULL : is_late, reader);
}

void iv_reader_close(struct iv_reader *reader)
{
    if (reader != NULL) {
        for (size_t i = 0; i < IV_READER_KEEPS; i++) {
            iv_sql_finalizep(&reader->kept[i].stmt);
        }
        iv_sql_close(&reader->sql);
        iv_free(reader);
    }
}

void iv_reader_closep(struct iv_reader **reader)
{
    iv_reader_close(*reader);
}

/* Whom a query's rows are handed to. */
struct walk {
    void *ctx;
    union {
        iv_step_visit step;
        iv_action_visit action;
        iv_count_visit count;
    } visit;
};

static iv_rc read_step(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    const struct walk *walk = ctx;
    struct iv_step step;
    TRY(iv_row_step(&step, row, err));
    *on = walk->visit.step(walk->ctx, &step);
    return IV_OK;
}

iv_rc iv_reader_steps(struct iv_reader *reader, struct iv_str execution, iv_step_visit visit, void *ctx,
                      struct iv_err *err)
{
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT " IV_COLUMNS_STEP " FROM steps s");
    iv_query_str(&q, "s.execution = ?", execution.p == NULL ? IV_STR("") : execution);
    iv_query_order(&q, "s.position", false, INT32_MAX);
    struct walk walk = {.ctx = ctx, .visit.step = visit};
    return iv_query_each(reader, &q, read_step, &walk, "read steps", err);
}

static iv_rc read_action(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    const struct walk *walk = ctx;
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
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT a.seq, a.execution, a.step, a.state, a.time, a.ocsf FROM actions a");
    iv_query_str(&q, "a.execution = ?", execution);
    iv_query_int(&q, true, "a.seq > ?", after);
    iv_query_order(&q, "a.seq", false, limit);
    struct walk walk = {.ctx = ctx, .visit.action = visit};
    return iv_query_each(reader, &q, read_action, &walk, "read actions", err);
}

static iv_rc read_line(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    (void)err;
    const struct walk *walk = ctx;
    struct iv_action action = {.seq = iv_sql_get_int(row)};
    action.execution = iv_sql_get_str(row);
    action.step = iv_sql_get_int(row);
    action.state = iv_sql_get_str(row);
    action.time = iv_sql_get_int(row);
    action.cause = iv_sql_get_str(row);
    *on = walk->visit.action(walk->ctx, &action);
    return IV_OK;
}

iv_rc iv_reader_execution_log(struct iv_reader *reader, struct iv_str execution, size_t limit,
                              iv_action_visit visit, void *ctx, struct iv_err *err)
{
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT * FROM (SELECT a.seq AS place, a.execution, a.step, a.state, a.time,"
                      " CASE WHEN json_valid(a.ocsf) THEN a.ocsf ->> '$.status_detail' END FROM actions a");
    iv_query_str(&q, "a.execution = ?", execution);
    iv_query_order(&q, "a.seq", true, limit);
    iv_query_more(&q, ") ORDER BY place");
    struct walk walk = {.ctx = ctx, .visit.action = visit};
    return iv_query_each(reader, &q, read_line, &walk, "read an execution's log", err);
}

iv_rc iv_reader_fact(struct iv_reader *reader, struct iv_buf *out, struct iv_str name, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_sql_prepare(&reader->sql, &stmt, "SELECT value FROM facts WHERE name = ?", err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, name);
    TRY(iv_sql_step(&reader->sql, stmt, &found, "read a fact", err));
    ENSURE(found, err, IV_E_ABSENT, "the store '%s' holds no fact '" IV_STR_FMT "'", reader->sql.path,
           IV_STR_ARG(name));
    struct iv_sql_row row = iv_sql_row(stmt);
    iv_buf_str(out, iv_sql_get_str(&row));
    return iv_buf_check(out, "a fact", err);
}

/* What the sums do not hold yet (sums.h), behind them. */
#define AND_UNSUMMED                                                                                         \
    " UNION ALL SELECT time >> 42, rule, severity, kind, suppressed, 1 FROM findings"                        \
    " INDEXED BY findings_listed WHERE seq > (SELECT seq FROM summed)"                                       \
    " UNION ALL SELECT time >> 42, rule, severity, kind, suppressed, -1 FROM unsummed"

static iv_rc read_count(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    const struct walk *walk = ctx;
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
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT rule, severity, kind, suppressed, sum(count) FROM ("
                      "SELECT 0, rule, severity, kind, suppressed, count FROM totals" AND_UNSUMMED
                      ") GROUP BY rule, severity, kind, suppressed HAVING sum(count) > 0");
    struct walk walk = {.ctx = ctx, .visit.count = visit};
    return iv_query_each(reader, &q, read_count, &walk, "count findings", err);
}

/* The sums of whole spans of time, and one by one what lies before the first and behind the last of them. */
iv_rc iv_reader_counts_of(struct iv_reader *reader, iv_ns from, iv_ns until, iv_count_visit visit, void *ctx,
                          struct iv_err *err)
{
    int64_t first = (from >> SPAN_BITS) + (from % SPAN != 0);
    int64_t last = until >> SPAN_BITS;
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(
        &q,
        "SELECT rule, severity, kind, suppressed, sum(count) FROM ("
        "SELECT * FROM (SELECT span, rule, severity, kind, suppressed, count FROM tallies" AND_UNSUMMED ")");
    iv_query_int(&q, true, "span >= ?", first);
    iv_query_int(&q, true, "span < ?", last);
    iv_query_more(&q, " UNION ALL SELECT 0, rule, severity, kind, suppressed, 1 FROM findings"
                      " INDEXED BY findings_by_time");
    iv_query_int(&q, true, "time >= ?", from);
    iv_query_int(&q, true, "time < ?", first < last ? first * SPAN : until);
    iv_query_more(&q, " UNION ALL SELECT 0, rule, severity, kind, suppressed, 1 FROM findings"
                      " INDEXED BY findings_by_time");
    iv_query_int(&q, true, "time >= ?", first < last ? last * SPAN : until);
    iv_query_int(&q, true, "time < ?", until);
    iv_query_more(&q, ") GROUP BY rule, severity, kind, suppressed HAVING sum(count) > 0 ORDER BY rule");
    struct walk walk = {.ctx = ctx, .visit.count = visit};
    return iv_query_each(reader, &q, read_count, &walk, "count findings", err);
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

struct files {
    iv_file_visit visit;
    void *ctx;
};

static iv_rc read_file(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    (void)err;
    const struct files *f = ctx;
    struct iv_str path = iv_sql_get_str(row);
    *on = f->visit(f->ctx, path, iv_sql_get_str(row));
    return IV_OK;
}

iv_rc iv_reader_baseline_files(struct iv_reader *reader, struct iv_str digest, struct iv_str with,
                               iv_file_visit visit, void *ctx, struct iv_err *err)
{
    struct files files = {visit, ctx};
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT f.value ->> '$.path', f.value ->> '$.text'"
                      " FROM log l INDEXED BY log_baselines CROSS JOIN log_documents d ON d.leaf = l.leaf"
                      " CROSS JOIN json_each(d.document, '$.files') f WHERE l.entry ->> '$.kind' = 'baseline'"
                      " AND l.entry ->> '$.key' = ? AND instr(f.value ->> '$.text', ?) > 0"
                      " ORDER BY l.leaf DESC, f.key");
    iv_query_bind_str(&q, digest);
    iv_query_bind_str(&q, with);
    return iv_query_each(reader, &q, read_file, &files, "read a baseline's files", err);
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
