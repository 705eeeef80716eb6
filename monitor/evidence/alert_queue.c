/* SPDX-License-Identifier: Apache-2.0 */
/* Who is to be told of an alert, and what waits until he was. */
#include "base/guard.h"
#include "evidence/alert_internal.h"
#include "evidence/rows.h"
#include "evidence/store_internal.h"

#define SINKS_MAX 256

/* Statements whose parameters are texts, then numbers, and that answer nothing. */
struct arguments {
    struct iv_str texts[2];
    size_t text_count;
    int64_t numbers[2];
    size_t number_count;
};

static iv_rc run(struct iv_store *store, enum iv_statement id, const struct arguments *a, const char *doing,
                 struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, id, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    for (size_t i = 0; i < a->text_count; i++) {
        iv_sql_bind_str(&args, a->texts[i]);
    }
    for (size_t i = 0; i < a->number_count; i++) {
        iv_sql_bind_int(&args, a->numbers[i]);
    }
    return iv_sql_run(&store->sql, stmt, doing, err);
}

iv_rc iv_store_add_target(struct iv_store *store, struct iv_str fingerprint, struct iv_str sink,
                          struct iv_err *err)
{
    const struct arguments a = {.texts = {fingerprint, sink}, .text_count = 2};
    return run(store, IV_SQL_TARGET_ADD, &a, "add a sink to an alert", err);
}

iv_rc iv_store_no_targets(struct iv_store *store, struct iv_str fingerprint, struct iv_err *err)
{
    const struct arguments a = {.texts = {fingerprint}, .text_count = 1};
    return run(store, IV_SQL_TARGETS_DELETE, &a, "take the sinks from an alert", err);
}

iv_rc iv_store_notify(struct iv_store *store, struct iv_str fingerprint, iv_ns now, iv_ns due,
                      struct iv_err *err)
{
    const struct arguments more = {.texts = {fingerprint}, .text_count = 1};
    const struct arguments add = {
        .texts = {fingerprint}, .text_count = 1, .numbers = {now, due}, .number_count = 2};
    TRY(run(store, IV_SQL_NOTICES_TELL_MORE, &more, "bring notices up to date", err));
    return run(store, IV_SQL_NOTICES_ADD, &add, "queue notices", err);
}

static iv_rc read_notices(struct iv_store *store, sqlite3_stmt *stmt, struct iv_notice *notices,
                          size_t *count, size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    for (*count = 0; *count < limit; ++*count) {
        bool more = false;
        TRY(iv_sql_step(&store->sql, stmt, &more, "read notices", err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(iv_row_notice(&notices[*count], &row, err));
        ENSURE(iv_alert_keep(&notices[*count].alert, arena), err, IV_E_NOMEM,
               "no memory left to read notices");
    }
    return IV_OK;
}

static iv_rc select_notices(struct iv_store *store, enum iv_statement id, struct iv_notice **out,
                            size_t *count, struct iv_str sink, iv_ns now, size_t limit,
                            struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    *out = iv_arena_zalloc(arena, limit * sizeof **out);
    ENSURE(*out != NULL, err, IV_E_NOMEM, "no memory left to read notices");
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, id, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, sink);
    iv_sql_bind_int(&args, now);
    iv_sql_bind_int(&args, (int64_t)limit);
    return read_notices(store, stmt, *out, count, limit, arena, err);
}

iv_rc iv_store_notices(struct iv_store *store, struct iv_notice **out, size_t *count, struct iv_str sink,
                       iv_ns now, size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    return select_notices(store, IV_SQL_NOTICES_DUE, out, count, sink, now, limit, arena, err);
}

iv_rc iv_store_refreshes(struct iv_store *store, struct iv_notice **out, size_t *count, struct iv_str sink,
                         iv_ns now, size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    return select_notices(store, IV_SQL_REFRESHES_DUE, out, count, sink, now, limit, arena, err);
}

iv_rc iv_store_next_notice(struct iv_store *store, iv_ns *out, struct iv_str sink, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_NOTICE_NEXT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, sink);
    bool found = false;
    TRY(iv_sql_step(&store->sql, stmt, &found, "read when the next notice is due", err));
    bool none = !found || sqlite3_column_type(stmt, 0) == SQLITE_NULL;
    *out = none ? IV_NS_MAX : sqlite3_column_int64(stmt, 0);
    return IV_OK;
}

iv_rc iv_store_notice_told(struct iv_store *store, const struct iv_notice *notice, struct iv_str sink,
                           iv_ns refresh_at, struct iv_err *err)
{
    const struct arguments told = {.numbers = {notice->id, notice->alert.count}, .number_count = 2};
    const struct arguments refresh = {.texts = {notice->alert.fingerprint, sink},
                                      .text_count = 2,
                                      .numbers = {refresh_at},
                                      .number_count = 1};
    TRY(run(store, IV_SQL_NOTICE_TOLD, &told, "take a notice from its queue", err));
    return run(store, IV_SQL_TARGET_REFRESH, &refresh, "note when a sink is told again", err);
}

iv_rc iv_store_notice_refused(struct iv_store *store, const struct iv_notice *notice, struct iv_err *err)
{
    const struct arguments a = {.numbers = {notice->id}, .number_count = 1};
    return run(store, IV_SQL_NOTICE_DELETE, &a, "take a notice from its queue", err);
}

iv_rc iv_store_notice_again(struct iv_store *store, const struct iv_notice *notice, iv_ns due,
                            struct iv_str why, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_NOTICE_AGAIN, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, notice->id);
    iv_sql_bind_int(&args, notice->attempt + 1);
    iv_sql_bind_int(&args, due);
    iv_sql_bind_str(&args, why);
    return iv_sql_run(&store->sql, stmt, "put a notice off", err);
}

iv_rc iv_store_put_sink(struct iv_store *store, const struct iv_alert_sink_state *sink, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_SINK_PUT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, sink->name);
    iv_sql_bind_str(&args, sink->kind);
    iv_sql_bind_int(&args, sink->succeeded);
    iv_sql_bind_int(&args, sink->failing);
    iv_sql_bind_str(&args, sink->why);
    return iv_sql_run(&store->sql, stmt, "write the state of a sink", err);
}

iv_rc iv_store_sink_failing(struct iv_store *store, iv_ns *out, struct iv_str name, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    *out = 0;
    TRY(iv_store_statement(store, &stmt, IV_SQL_SINK_FAILING, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, name);
    TRY(iv_sql_step(&store->sql, stmt, &found, "read the state of a sink", err));
    if (found) {
        struct iv_sql_row row = iv_sql_row(stmt);
        *out = iv_sql_get_int(&row);
    }
    return IV_OK;
}

iv_rc iv_store_add_sink(struct iv_store *store, struct iv_str name, struct iv_str kind, struct iv_err *err)
{
    const struct arguments a = {.texts = {name, kind}, .text_count = 2};
    return run(store, IV_SQL_SINK_ADD, &a, "add a sink", err);
}

static bool is_among(struct iv_str name, const struct iv_str *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (iv_str_eq(name, names[i])) {
            return true;
        }
    }
    return false;
}

static iv_rc others(struct iv_store *store, struct iv_str *out, size_t *out_count, const struct iv_str *names,
                    size_t count, struct iv_arena *arena, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_SINKS_ALL, err));
    for (*out_count = 0; *out_count < SINKS_MAX;) {
        bool more = false;
        TRY(iv_sql_step(&store->sql, stmt, &more, "read the sinks", err));
        if (!more) {
            break;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        struct iv_str name = iv_sql_get_str(&row);
        if (!is_among(name, names, count)) {
            ENSURE(iv_arena_keep(arena, &name), err, IV_E_NOMEM, "no memory left to read the sinks");
            out[(*out_count)++] = name;
        }
    }
    return IV_OK;
}

iv_rc iv_store_keep_sinks(struct iv_store *store, int64_t *lost, const struct iv_str *names, size_t count,
                          struct iv_err *err)
{
    static const enum iv_statement all[] = {IV_SQL_SINK_NOTICES_DELETE, IV_SQL_SINK_TARGETS_DELETE,
                                            IV_SQL_SINK_DELETE};
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_str gone[SINKS_MAX];
    size_t gone_count = 0;
    iv_arena_init(&arena, 0);
    *lost = 0;
    TRY(others(store, gone, &gone_count, names, count, &arena, err));
    for (size_t i = 0; i < gone_count; i++) {
        const struct arguments a = {.texts = {gone[i]}, .text_count = 1};
        for (size_t k = 0; k < IV_COUNT(all); k++) {
            TRY(run(store, all[k], &a, "forget a sink", err));
            *lost += all[k] == IV_SQL_SINK_NOTICES_DELETE ? sqlite3_changes(store->sql.db) : 0;
        }
    }
    return IV_OK;
}
