/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/times.h"

#include "base/guard.h"
#include "evidence/reader_internal.h"

#define AT_ONCE 5000

static iv_ns between(iv_ns from, iv_ns to)
{
    return from > 0 && to >= from ? to - from : -1;
}

struct iv_times iv_times_of(const struct iv_execution *e)
{
    return (struct iv_times){
        .detect = between(e->event_time, e->planned),
        .act = between(e->planned, e->started),
        .contain = e->state == IV_RUN_VERIFIED ? between(e->event_time, e->finished) : -1,
    };
}

/* An execution whose evidence failed runs again: only the first beginning is one. */
static const char changes[] = "SELECT a.seq, a.state = 'verified', a.time, e.event_time, e.planned, e.started"
                              " FROM actions a JOIN executions e ON e.key = a.execution"
                              " WHERE a.seq > ? AND a.step = -1 AND a.state IN ('running', 'verified') AND "
                              "e.told = 0 AND e.observed = 0"
                              " AND (a.state = 'verified' OR a.time = e.started) ORDER BY a.seq LIMIT ?";

static struct iv_times read_times(struct iv_sql_row *row)
{
    bool verified = iv_sql_get_int(row) != 0;
    iv_ns time = iv_sql_get_int(row);
    iv_ns event_time = iv_sql_get_int(row);
    iv_ns planned = iv_sql_get_int(row);
    return (struct iv_times){.detect = -1,
                             .act = verified ? -1 : between(planned, time),
                             .contain = verified ? between(event_time, time) : -1};
}

iv_rc iv_reader_times(struct iv_reader *reader, int64_t *last, int64_t after, iv_times_visit visit, void *ctx,
                      struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    int64_t newest = 0;
    size_t count = 0;
    TRY(iv_sql_int(&reader->sql, &newest, "SELECT ifnull(max(seq), 0) FROM actions", "read actions", err));
    TRY(iv_sql_prepare(&reader->sql, &stmt, changes, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, after);
    iv_sql_bind_int(&args, AT_ONCE);
    for (bool more = true; count < AT_ONCE; count++) {
        TRY(iv_sql_step(&reader->sql, stmt, &more, "read when executions began", err));
        if (!more) {
            break;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        int64_t seq = iv_sql_get_int(&row);
        struct iv_times times = read_times(&row);
        visit(ctx, &times);
        newest = count + 1 == AT_ONCE || seq > newest ? seq : newest;
    }
    *last = newest;
    return IV_OK;
}
