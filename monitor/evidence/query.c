/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/query.h"

#include "base/guard.h"

#define DEFAULT_LIMIT 100
#define QUERY_MAX_BYTES 8192

void iv_query_init(struct iv_query *q, const char *select)
{
    *q = (struct iv_query){.count = 0};
    iv_buf_init(&q->text, QUERY_MAX_BYTES);
    iv_buf_text(&q->text, select);
}

void iv_query_deinit(struct iv_query *q)
{
    iv_buf_deinit(&q->text);
}

void iv_query_more(struct iv_query *q, const char *text)
{
    iv_buf_text(&q->text, text);
    q->conditional = false;
}

void iv_query_condition(struct iv_query *q, const char *condition)
{
    iv_buf_text(&q->text, q->conditional ? " AND " : " WHERE ");
    iv_buf_text(&q->text, condition);
    q->conditional = true;
}

void iv_query_bind_str(struct iv_query *q, struct iv_str s)
{
    IV_CHECK(q->count < IV_QUERY_PARAMETERS_MAX);
    q->parameters[q->count++].s = s;
}

void iv_query_bind_int(struct iv_query *q, int64_t i)
{
    IV_CHECK(q->count < IV_QUERY_PARAMETERS_MAX);
    q->parameters[q->count].is_int = true;
    q->parameters[q->count++].i = i;
}

void iv_query_str(struct iv_query *q, const char *condition, struct iv_str s)
{
    if (s.p != NULL) {
        iv_query_condition(q, condition);
        iv_query_bind_str(q, s);
    }
}

void iv_query_int(struct iv_query *q, bool asked, const char *condition, int64_t i)
{
    if (asked) {
        iv_query_condition(q, condition);
        iv_query_bind_int(q, i);
    }
}

void iv_query_order(struct iv_query *q, const char *column, bool newest_first, size_t limit)
{
    iv_buf_printf(&q->text, " ORDER BY %s %s LIMIT ?", column, newest_first ? "DESC" : "ASC");
    iv_query_bind_int(q, (int64_t)(limit == 0 ? DEFAULT_LIMIT : limit));
}

static void bind(sqlite3_stmt *stmt, const struct iv_query *q)
{
    struct iv_sql_args args = iv_sql_args(stmt);
    for (size_t i = 0; i < q->count; i++) {
        if (q->parameters[i].is_int) {
            iv_sql_bind_int(&args, q->parameters[i].i);
        } else {
            iv_sql_bind_str(&args, q->parameters[i].s);
        }
    }
}

iv_rc iv_query_prepare(struct iv_reader *reader, sqlite3_stmt **out, const struct iv_query *q,
                       struct iv_err *err)
{
    ENSURE(!iv_buf_failed(&q->text), err, IV_E_NOMEM, "no memory left to write a query");
    TRY(iv_sql_prepare(&reader->sql, out, q->text.p, err));
    bind(*out, q);
    return IV_OK;
}

/* NULL: there is none, or one that is at work: a row of it is being looked at. */
static struct iv_kept *find_kept(struct iv_reader *reader, const struct iv_query *q)
{
    for (size_t i = 0; i < IV_READER_KEEPS; i++) {
        struct iv_kept *kept = &reader->kept[i];
        if (kept->stmt != NULL && !kept->at_work &&
            iv_str_eq(iv_str_of(sqlite3_sql(kept->stmt)), iv_buf_slice(&q->text))) {
            return kept;
        }
    }
    return NULL;
}

/* NULL: all are at work. */
static struct iv_kept *find_place(struct iv_reader *reader)
{
    for (size_t i = 0; i < IV_READER_KEEPS; i++) {
        struct iv_kept *kept = &reader->kept[reader->next++ % IV_READER_KEEPS];
        if (!kept->at_work) {
            return kept;
        }
    }
    return NULL;
}

static iv_rc run(struct iv_reader *reader, sqlite3_stmt *stmt, iv_query_row read, void *ctx,
                 const char *doing, struct iv_err *err)
{
    for (bool on = true; on;) {
        bool more = false;
        TRY(iv_sql_step(&reader->sql, stmt, &more, doing, err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(read(ctx, &row, &on, err));
    }
    return IV_OK;
}

iv_rc iv_query_each(struct iv_reader *reader, const struct iv_query *q, iv_query_row read, void *ctx,
                    const char *doing, struct iv_err *err)
{
    ENSURE(!iv_buf_failed(&q->text), err, IV_E_NOMEM, "no memory left to write a query");
    struct iv_kept *kept = find_kept(reader, q);
    struct iv_kept passing = {.stmt = NULL};
    if (kept == NULL) {
        struct iv_kept *place = find_place(reader);
        kept = place == NULL ? &passing : place;
        iv_sql_finalizep(&kept->stmt);
        TRY(iv_sql_prepare(&reader->sql, &kept->stmt, q->text.p, err));
    }
    bind(kept->stmt, q);
    kept->at_work = true;
    struct iv_rc_s rc = run(reader, kept->stmt, read, ctx, doing, err);
    kept->at_work = false;
    sqlite3_stmt *done = kept->stmt;
    iv_sql_resetp(&done); /* and nothing of the caller's stays bound */
    iv_sql_finalizep(&passing.stmt);
    return rc;
}
