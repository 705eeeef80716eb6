/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/audit.h"

#include "base/guard.h"
#include "base/json_write.h"
#include "evidence/log.h"
#include "evidence/reader_internal.h"
#include "evidence/store_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { DOCUMENT_MAX_BYTES = 256 * 1024 };

static iv_rc insert(struct iv_store *store, struct iv_audit *placed, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool row = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_AUDIT_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, placed->at);
    iv_sql_bind_str(&args, placed->who);
    iv_sql_bind_str(&args, placed->via);
    iv_sql_bind_str(&args, placed->address);
    iv_sql_bind_str(&args, placed->what);
    iv_sql_bind_str(&args, placed->object);
    iv_sql_bind_str(&args, placed->detail);
    TRY(iv_sql_step(&store->sql, stmt, &row, "write an audit record", err));
    IV_CHECK(row);
    struct iv_sql_row answer = iv_sql_row(stmt);
    placed->seq = iv_sql_get_int(&answer);
    placed->at = iv_sql_get_int(&answer);
    return iv_sql_run(&store->sql, stmt, "write an audit record", err);
}

static void write_document(struct iv_buf *out, const struct iv_audit *a)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_int(&j, "seq", a->seq);
    iv_json_time(&j, "at", a->at);
    iv_json_str(&j, "who", a->who);
    iv_json_str(&j, "via", a->via);
    iv_json_str(&j, "from", a->address);
    iv_json_str(&j, "what", a->what);
    iv_json_str(&j, "object", a->object);
    iv_json_str(&j, "detail", a->detail);
    iv_json_close_object(&j);
}

iv_rc iv_store_put_audit(struct iv_store *store, const struct iv_audit *audit, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_buf_deinit) struct iv_buf document;
    iv_buf_init(&document, DOCUMENT_MAX_BYTES);
    struct iv_audit placed = *audit;
    char key[24];
    TRY(insert(store, &placed, err));
    (void)snprintf(key, sizeof key, "%" PRId64, placed.seq);
    write_document(&document, &placed);
    TRY(iv_buf_check(&document, "an audit record", err));
    return iv_store_log(store, IV_LEAF_AUDIT, iv_str_of(key), iv_buf_slice(&document), err);
}

/* Time never goes back along seq, so a period is one piece of the table, found by its ends. */
#define SELECT_AUDIT(who)                                                                                    \
    "SELECT seq, at, who, via, address, what, object, detail FROM audit WHERE " who                          \
    " seq > max(?3, CASE ?5 WHEN 0 THEN 0 ELSE"                                                              \
    " coalesce((SELECT seq FROM audit WHERE at < ?5 ORDER BY at DESC, seq DESC LIMIT 1), 0) END)"            \
    " AND seq < min(?4, CASE ?6 WHEN 0 THEN ?4 ELSE"                                                         \
    " coalesce((SELECT seq FROM audit WHERE at >= ?6 ORDER BY at, seq LIMIT 1), ?4) END)"

static void bind(sqlite3_stmt *stmt, const struct iv_audit_filter *f)
{
    struct iv_sql_args args = {stmt, 2};
    iv_sql_bind_str(&args, f->who);
    iv_sql_bind_int(&args, f->after);
    iv_sql_bind_int(&args, f->before == 0 ? INT64_MAX : f->before);
    iv_sql_bind_int(&args, f->from);
    iv_sql_bind_int(&args, f->until);
    iv_sql_bind_int(&args, (int64_t)f->limit);
}

iv_rc iv_reader_audit(struct iv_reader *reader, const struct iv_audit_filter *filter, iv_audit_visit visit,
                      void *ctx, struct iv_err *err)
{
    static const char *const texts[2][2] = {
        {SELECT_AUDIT("") " ORDER BY seq LIMIT ?7", SELECT_AUDIT("") " ORDER BY seq DESC LIMIT ?7"},
        {SELECT_AUDIT("who = ?2 AND") " ORDER BY seq LIMIT ?7",
         SELECT_AUDIT("who = ?2 AND") " ORDER BY seq DESC LIMIT ?7"},
    };
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(iv_sql_prepare(&reader->sql, &stmt, texts[filter->who.p != NULL][filter->newest_first], err));
    bind(stmt, filter);
    for (bool on = true; on;) {
        bool more = false;
        TRY(iv_sql_step(&reader->sql, stmt, &more, "read audit records", err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        struct iv_audit a = {.seq = iv_sql_get_int(&row), .at = 0};
        a.at = iv_sql_get_int(&row);
        a.who = iv_sql_get_str(&row);
        a.via = iv_sql_get_str(&row);
        a.address = iv_sql_get_str(&row);
        a.what = iv_sql_get_str(&row);
        a.object = iv_sql_get_str(&row);
        a.detail = iv_sql_get_str(&row);
        on = visit(ctx, &a);
    }
    return IV_OK;
}
