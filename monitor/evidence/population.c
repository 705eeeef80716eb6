/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/population.h"

#include "base/guard.h"
#include "evidence/coverage_text.h"
#include "evidence/reader_internal.h"
#include "evidence/store_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define TELL_EVERY (10 * IV_NS_PER_S)
/* Of a cell at a time, and in one transaction even where all is to be told. What is left is told by the next
 * call, which after a stop is the next run's. */
enum { TELL_HOURS = 64, TELL_ALL = 1024 };

static iv_rc cell_of(struct iv_store *store, int64_t *cell, iv_ns *floor, struct iv_str topic,
                     int32_t partition, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool row = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_POPULATION_CELL, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, topic);
    iv_sql_bind_int(&args, partition);
    TRY(iv_sql_step(&store->sql, stmt, &row, "write populations", err));
    struct iv_sql_row columns = iv_sql_row(stmt);
    *cell = row ? iv_sql_get_int(&columns) : 0;
    *floor = row ? iv_sql_get_int(&columns) : IV_NS_MIN;
    return IV_OK;
}

/* Runs a statement of integers; *any: it answered, or, of one that answers nothing, never. */
static iv_rc run(struct iv_store *store, enum iv_statement id, bool *any, const int64_t *values, size_t count,
                 struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, id, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    for (size_t i = 0; i < count; i++) {
        iv_sql_bind_int(&args, values[i]);
    }
    return iv_sql_step(&store->sql, stmt, any, "write populations", err);
}

static iv_rc put_since(struct iv_store *store, int64_t cell, const struct iv_population_row *row, bool ours,
                       struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_POPULATION_SINCE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, cell);
    iv_sql_bind_str(&args, row->rule);
    iv_sql_bind_int(&args, row->since);
    iv_sql_bind_int(&args, ours);
    return iv_sql_run(&store->sql, stmt, "write populations", err);
}

static iv_rc put_count(struct iv_store *store, bool *grew, int64_t cell, const struct iv_population_row *row,
                       struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_POPULATION_PUT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, cell);
    iv_sql_bind_int(&args, row->hour);
    iv_sql_bind_str(&args, row->rule);
    iv_sql_bind_int(&args, row->count);
    return iv_sql_step(&store->sql, stmt, grew, "write populations", err);
}

/* The oldest hours go; what is said of the time before them from now on is that nobody knows. */
static iv_rc hold(struct iv_store *store, int64_t cell, struct iv_err *err)
{
    for (;;) {
        IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
        bool any = false;
        TRY(iv_store_statement(store, &stmt, IV_SQL_POPULATION_OLDEST, err));
        struct iv_sql_args args = iv_sql_args(stmt);
        iv_sql_bind_int(&args, cell);
        iv_sql_bind_int(&args, IV_POPULATION_KEPT);
        TRY(iv_sql_step(&store->sql, stmt, &any, "read populations", err));
        if (!any) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        iv_ns hour = iv_sql_get_int(&row);
        TRY(run(store, IV_SQL_POPULATION_FORGET, &any, (int64_t[]){cell, hour}, 2, err));
        TRY(run(store, IV_SQL_POPULATION_FORGET_HOUR, &any, (int64_t[]){cell, hour}, 2, err));
        TRY(run(store, IV_SQL_POPULATION_FLOOR, &any, (int64_t[]){cell, iv_ns_add(hour, IV_POPULATION_HOUR)},
                2, err));
    }
}

static iv_rc put_row(struct iv_store *store, int64_t cell, const struct iv_population_row *row, bool ours,
                     struct iv_err *err)
{
    bool grew = false;
    bool fresh = false;
    if (row->count == 0 || !ours) {
        TRY(put_since(store, cell, row, ours, err));
    }
    if (row->count == 0) {
        return IV_OK;
    }
    TRY(put_count(store, &grew, cell, row, err));
    if (!grew) {
        return IV_OK;
    }
    TRY(run(store, IV_SQL_POPULATION_HOUR, &fresh, (int64_t[]){cell, row->hour}, 2, err));
    if (ours) {
        bool none = false;
        TRY(run(store, IV_SQL_POPULATION_UNTOLD, &none, (int64_t[]){cell, row->hour}, 2, err));
    }
    return fresh ? hold(store, cell, err) : IV_OK;
}

iv_rc iv_store_put_population(struct iv_store *store, struct iv_str topic, int32_t partition,
                              const struct iv_population_row *rows, size_t count, iv_ns now, bool ours,
                              struct iv_err *err)
{
    int64_t cell = 0;
    iv_ns floor = IV_NS_MIN;
    iv_ns ceiling = iv_ns_add(now, IV_POPULATION_AHEAD);
    IV_CHECK(store->inside);
    TRY(cell_of(store, &cell, &floor, topic, partition, err));
    for (size_t i = 0; i < count; i++) {
        if (rows[i].count == 0 || (rows[i].hour >= floor && rows[i].hour <= ceiling)) {
            TRY(put_row(store, cell, &rows[i], ours, err));
        }
    }
    return IV_OK;
}

/* A cell that is to be told of. */
struct teller {
    struct iv_store *store;
    iv_population_visit visit;
    void *ctx;
    int64_t cell;
    struct iv_buf topic;
    int32_t partition;
    struct iv_buf text;
    size_t left; /* hours that may be told yet */
};

static iv_rc take_cell(struct teller *t, bool *any, iv_ns now, bool all, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(t->store, &stmt, IV_SQL_POPULATION_CLAIM, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, now);
    iv_sql_bind_int(&args, all ? 0 : TELL_EVERY);
    TRY(iv_sql_step(&t->store->sql, stmt, any, "write populations", err));
    if (*any) {
        struct iv_sql_row row = iv_sql_row(stmt);
        t->cell = iv_sql_get_int(&row);
        iv_buf_clear(&t->topic);
        iv_buf_str(&t->topic, iv_sql_get_str(&row));
        t->partition = (int32_t)iv_sql_get_int(&row);
        return iv_buf_check(&t->topic, "the name of a topic", err);
    }
    return IV_OK;
}

/* The rows that the statement answers as one text. hour: IV_NS_MIN: of none. */
static iv_rc write_rows(struct teller *t, enum iv_statement id, iv_ns hour, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(t->store, &stmt, id, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, t->cell);
    if (hour != IV_NS_MIN) {
        iv_sql_bind_int(&args, hour);
    }
    iv_buf_clear(&t->text);
    struct iv_json j = iv_population_text_open(&t->text, iv_buf_slice(&t->topic), t->partition, hour);
    for (bool more = true;;) {
        TRY(iv_sql_step(&t->store->sql, stmt, &more, "read populations", err));
        if (!more) {
            break;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        struct iv_str rule = iv_sql_get_str(&row);
        iv_ns since = iv_sql_get_int(&row);
        iv_population_text_row(&j, rule, since, iv_sql_get_int(&row));
    }
    iv_population_text_close(&j);
    return iv_buf_check(&t->text, "a population", err);
}

static iv_rc tell_rows(struct teller *t, enum iv_statement id, iv_ns hour, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf key;
    iv_buf_init(&key, 512);
    TRY(write_rows(t, id, hour, err));
    iv_buf_printf(&key, "population/" IV_STR_FMT "/%" PRId32, IV_STR_ARG(iv_buf_slice(&t->topic)),
                  t->partition);
    if (hour != IV_NS_MIN) {
        iv_buf_printf(&key, "/%" PRId64, hour);
    }
    TRY(iv_buf_check(&key, "the key of a population", err));
    return t->visit(t->ctx, iv_buf_slice(&key), iv_buf_slice(&t->text), err);
}

/* The next hour that others were not told of, from now on they were. */
static iv_rc take_hour(struct teller *t, bool *any, iv_ns *hour, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(t->store, &stmt, IV_SQL_POPULATION_TAKE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, t->cell);
    TRY(iv_sql_step(&t->store->sql, stmt, any, "write populations", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *hour = *any ? iv_sql_get_int(&row) : IV_NS_MIN;
    return IV_OK;
}

static iv_rc tell_cell(struct teller *t, struct iv_err *err)
{
    bool any = false;
    iv_ns hour = IV_NS_MIN;
    TRY(run(t->store, IV_SQL_POPULATION_TAKE_SINCE, &any, &t->cell, 1, err));
    if (any) {
        TRY(tell_rows(t, IV_SQL_POPULATION_RULES, IV_NS_MIN, err));
    }
    for (size_t i = 0; i < TELL_HOURS && t->left > 0; i++, t->left--) {
        TRY(take_hour(t, &any, &hour, err));
        if (!any) {
            break;
        }
        TRY(tell_rows(t, IV_SQL_POPULATION_ROWS, hour, err));
    }
    return IV_OK;
}

iv_rc iv_store_tell_populations(struct iv_store *store, iv_ns now, bool all, iv_population_visit visit,
                                void *ctx, struct iv_err *err)
{
    struct teller t = {.store = store, .visit = visit, .ctx = ctx, .left = TELL_ALL};
    struct iv_rc_s rc = IV_OK;
    bool any = true;
    IV_CHECK(store->inside);
    iv_buf_init(&t.topic, 512);
    iv_buf_init(&t.text, IV_COVERAGE_TEXT_MAX);
    while (iv_ok(rc) && t.left > 0) {
        rc = take_cell(&t, &any, now, all, err);
        if (!iv_ok(rc) || !any) {
            break;
        }
        rc = tell_cell(&t, err);
    }
    iv_buf_deinit(&t.topic);
    iv_buf_deinit(&t.text);
    return rc;
}
