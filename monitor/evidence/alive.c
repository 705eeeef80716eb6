/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/alive.h"

#include "base/guard.h"
#include "evidence/alive_internal.h"
#include "evidence/coverage_text.h"
#include "evidence/reader_internal.h"
#include "evidence/store_internal.h"

static const struct iv_str names[] = {
    [IV_ALIVE_AGENTS] = IV_STR_INIT("agents"),
    [IV_ALIVE_TENANTS] = IV_STR_INIT("tenants"),
    [IV_ALIVE_ENCLAVES] = IV_STR_INIT("enclaves"),
};

const char *iv_alive_name(enum iv_alive kind)
{
    return names[kind].p;
}

bool iv_alive_of(enum iv_alive *out, struct iv_str name)
{
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        if (iv_str_eq(name, names[i])) {
            *out = (enum iv_alive)i;
            return true;
        }
    }
    return false;
}

/* A crowd with the cell and the kind that it is of. */
struct site {
    struct iv_store *store;
    struct iv_str topic;
    int32_t partition;
    enum iv_alive kind;
};

static iv_rc prepare(const struct site *s, sqlite3_stmt **stmt, struct iv_sql_args *args,
                     enum iv_statement id, struct iv_err *err)
{
    TRY(iv_store_statement(s->store, stmt, id, err));
    *args = iv_sql_args(*stmt);
    iv_sql_bind_str(args, s->topic);
    iv_sql_bind_int(args, s->partition);
    iv_sql_bind_str(args, names[s->kind]);
    return IV_OK;
}

static iv_rc add_bytes(struct iv_crowd *crowd, struct iv_str bytes, struct iv_err *err)
{
    bool bad = false;
    bool whole = iv_crowd_read(crowd, &bad, bytes);
    ENSURE(whole, err, IV_E_NOMEM, "cannot allocate who is alive");
    ENSURE(!bad, err, IV_E_STORE, "the store's %zu bytes of who is alive are damaged", bytes.n);
    return IV_OK;
}

/* Adds the crowds that the statement answers. */
static iv_rc add_all(const struct site *s, struct iv_crowd *crowd, sqlite3_stmt *stmt, struct iv_err *err)
{
    for (bool more = true;;) {
        TRY(iv_sql_step(&s->store->sql, stmt, &more, "read who is alive", err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(add_bytes(crowd, iv_sql_get_bytes(&row), err));
    }
}

/* span: a number behind whose it is; a span's beginning, or the hour's end. */
static iv_rc write_crowd(const struct site *s, enum iv_statement id, iv_ns span, const struct iv_crowd *crowd,
                         struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes;
    struct iv_sql_args args;
    iv_buf_init(&bytes, IV_CROWD_BYTES + 1);
    iv_crowd_write(&bytes, crowd);
    TRY(iv_buf_check(&bytes, "who is alive", err));
    TRY(prepare(s, &stmt, &args, id, err));
    iv_sql_bind_int(&args, span);
    iv_sql_bind_bytes(&args, iv_buf_slice(&bytes));
    return iv_sql_run(&s->store->sql, stmt, "write who is alive", err);
}

/* Adds to what is known of the span. */
static iv_rc add_span(const struct site *s, const struct iv_alive_row *row, struct iv_err *err)
{
    IV_AUTO(iv_crowd_deinit) struct iv_crowd crowd = {.hashes = NULL};
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    struct iv_sql_args args;
    TRY(prepare(s, &stmt, &args, IV_SQL_ALIVE_SPAN, err));
    iv_sql_bind_int(&args, row->span);
    TRY(add_all(s, &crowd, stmt, err));
    TRY(add_bytes(&crowd, row->crowd, err));
    return write_crowd(s, IV_SQL_ALIVE_SPAN_PUT, row->span, &crowd, err);
}

/* The spans of a kind that make up the hour; older ones go. */
static iv_rc sum_hour(const struct site *s, iv_ns as_of, struct iv_err *err)
{
    IV_AUTO(iv_crowd_deinit) struct iv_crowd crowd = {.hashes = NULL};
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *old = NULL;
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    struct iv_sql_args args;
    iv_ns first = iv_ns_add(as_of, -IV_ALIVE_SPANS * IV_ALIVE_SPAN);
    TRY(prepare(s, &old, &args, IV_SQL_ALIVE_SPANS_FORGET, err));
    iv_sql_bind_int(&args, first);
    TRY(iv_sql_run(&s->store->sql, old, "write who is alive", err));
    TRY(prepare(s, &stmt, &args, IV_SQL_ALIVE_SPANS, err));
    TRY(add_all(s, &crowd, stmt, err));
    return write_crowd(s, IV_SQL_ALIVE_CELL_PUT, as_of, &crowd, err);
}

/* Of all cells that are not far behind the foremost one. */
static iv_rc sum_cells(struct iv_store *store, enum iv_alive kind, struct iv_err *err)
{
    IV_AUTO(iv_crowd_deinit) struct iv_crowd crowd = {.hashes = NULL};
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *cells = NULL;
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *put = NULL;
    const struct site s = {.store = store};
    TRY(iv_store_statement(store, &cells, IV_SQL_ALIVE_CELLS, err));
    struct iv_sql_args args = iv_sql_args(cells);
    iv_sql_bind_str(&args, names[kind]);
    iv_sql_bind_int(&args, IV_ALIVE_AGE);
    TRY(add_all(&s, &crowd, cells, err));
    TRY(iv_store_statement(store, &put, IV_SQL_ALIVE_PUT, err));
    args = iv_sql_args(put);
    iv_sql_bind_str(&args, names[kind]);
    iv_sql_bind_int(&args, (int64_t)iv_crowd_count(&crowd));
    return iv_sql_run(&store->sql, put, "write who is alive", err);
}

iv_rc iv_alive_settle(struct iv_store *store, struct iv_err *err)
{
    for (int kind = 0; kind < IV_ALIVE_KINDS; kind++) {
        if ((store->unsummed >> kind & 1u) != 0) {
            TRY(sum_cells(store, (enum iv_alive)kind, err));
            store->unsummed &= ~(1u << kind);
        }
    }
    return IV_OK;
}

iv_rc iv_store_put_alive(struct iv_store *store, struct iv_str topic, int32_t partition, iv_ns as_of,
                         const struct iv_alive_row *rows, size_t count, struct iv_err *err)
{
    struct site s = {.store = store, .topic = topic, .partition = partition};
    IV_CHECK(store->inside);
    for (size_t i = 0; i < count; i++) {
        s.kind = rows[i].kind;
        TRY(add_span(&s, &rows[i], err));
    }
    for (s.kind = 0; s.kind < IV_ALIVE_KINDS; s.kind++) {
        TRY(sum_hour(&s, as_of, err));
        store->unsummed |= 1u << s.kind;
    }
    return IV_OK;
}

static iv_rc is_news(const struct site *s, bool *out, iv_ns as_of, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    struct iv_sql_args args;
    bool known = false;
    TRY(prepare(s, &stmt, &args, IV_SQL_ALIVE_CELL, err));
    TRY(iv_sql_step(&s->store->sql, stmt, &known, "read who is alive", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = !known || iv_sql_get_int(&row) < as_of;
    return IV_OK;
}

iv_rc iv_store_tell_alive(struct iv_store *store, struct iv_str topic, int32_t partition,
                          const struct iv_alive_row *rows, size_t count, struct iv_err *err)
{
    struct site s = {.store = store, .topic = topic, .partition = partition};
    IV_CHECK(store->inside);
    for (size_t i = 0; i < count; i++) {
        IV_AUTO(iv_crowd_deinit) struct iv_crowd crowd = {.hashes = NULL};
        bool news = false;
        s.kind = rows[i].kind;
        TRY(is_news(&s, &news, rows[i].span, err));
        if (news) {
            TRY(add_bytes(&crowd, rows[i].crowd, err));
            TRY(write_crowd(&s, IV_SQL_ALIVE_CELL_PUT, rows[i].span, &crowd, err));
            store->unsummed |= 1u << s.kind;
        }
    }
    return IV_OK;
}

iv_rc iv_store_alive_text(struct iv_store *store, struct iv_buf *out, struct iv_str topic, int32_t partition,
                          struct iv_err *err)
{
    struct site s = {.store = store, .topic = topic, .partition = partition};
    struct iv_json j = iv_alive_text_open(out, topic, partition);
    IV_CHECK(store->inside);
    for (s.kind = 0; s.kind < IV_ALIVE_KINDS; s.kind++) {
        IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
        struct iv_sql_args args;
        bool known = false;
        TRY(prepare(&s, &stmt, &args, IV_SQL_ALIVE_CELL, err));
        TRY(iv_sql_step(&store->sql, stmt, &known, "read who is alive", err));
        if (known) {
            struct iv_sql_row row = iv_sql_row(stmt);
            iv_ns as_of = iv_sql_get_int(&row);
            iv_alive_text_crowd(&j, names[s.kind], as_of, iv_sql_get_bytes(&row));
        }
    }
    iv_alive_text_close(&j);
    return iv_buf_check(out, "who is alive", err);
}

iv_rc iv_store_alive(struct iv_store *store, enum iv_alive kind, int64_t *alive, iv_ns *as_of,
                     struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool known = false;
    IV_CHECK(store->inside);
    TRY(iv_alive_settle(store, err));
    TRY(iv_store_statement(store, &stmt, IV_SQL_ALIVE_NOW, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, names[kind]);
    TRY(iv_sql_step(&store->sql, stmt, &known, "read who is alive", err));
    ENSURE(known, err, IV_E_ABSENT, "nobody has said how many %s are alive", names[kind].p);
    struct iv_sql_row row = iv_sql_row(stmt);
    *alive = iv_sql_get_int(&row);
    *as_of = iv_sql_get_int(&row);
    return IV_OK;
}

iv_rc iv_reader_alive(struct iv_reader *reader, iv_alive_visit visit, void *ctx, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(iv_sql_prepare(&reader->sql, &stmt, "SELECT kind, alive, as_of FROM alive ORDER BY kind", err));
    for (bool more = true;;) {
        TRY(iv_sql_step(&reader->sql, stmt, &more, "read who is alive", err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        struct iv_str kind = iv_sql_get_str(&row);
        int64_t alive = iv_sql_get_int(&row);
        visit(ctx, kind, alive, iv_sql_get_int(&row));
    }
}
