/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/journal.h"

#include "base/guard.h"
#include "base/json_write.h"
#include "evidence/log.h"
#include "evidence/reader_internal.h"
#include "evidence/store_internal.h"

#define DEFAULT_LIMIT 100
#define DOCUMENT_MAX_BYTES (64u << 10)

static const struct {
    const char *name;
    bool entered;
} kinds[] = {
#define JOURNAL(id, name, entered, about) [IV_JOURNAL_##id] = {name, entered},
#include "evidence/journal_kinds.def"
#undef JOURNAL
};

const char *iv_journal_kind_name(enum iv_journal_kind kind)
{
    return kinds[kind].name;
}

bool iv_journal_kind_of(enum iv_journal_kind *out, struct iv_str name)
{
    for (size_t i = 0; i < IV_COUNT(kinds); i++) {
        if (iv_str_eq(iv_str_of(kinds[i].name), name)) {
            *out = (enum iv_journal_kind)i;
            return true;
        }
    }
    return false;
}

static iv_rc enter(struct iv_store *store, enum iv_journal_kind kind, const struct iv_journal_row *row,
                   struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf document;
    iv_buf_init(&document, DOCUMENT_MAX_BYTES);
    struct iv_json j = iv_json_to(&document);
    iv_json_open_object(&j, NULL);
    iv_json_time(&j, "time", row->at);
    iv_json_str(&j, "about", row->about);
    iv_json_str(&j, "cause", row->cause);
    iv_json_close_object(&j);
    TRY(iv_buf_check(&document, "an entry of the journal", err));
    return iv_store_log(store, IV_LEAF_JOURNAL, iv_str_of(kinds[kind].name), iv_buf_slice(&document), err);
}

/* Rows are numbered without gaps but for what a rollback took, so this keeps as many as it says, or fewer. */
static iv_rc forget_old(struct iv_store *store, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_JOURNAL_FORGET, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, sqlite3_last_insert_rowid(store->sql.db) - IV_JOURNAL_ROWS);
    return iv_sql_run(&store->sql, stmt, "forget what is old of the journal", err);
}

iv_rc iv_store_put_journal(struct iv_store *store, enum iv_journal_kind kind,
                           const struct iv_journal_row *row, struct iv_err *err)
{
    IV_CHECK(store->inside);
    if (kinds[kind].entered) {
        TRY(enter(store, kind, row, err));
    }
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_JOURNAL_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, row->at);
    iv_sql_bind_str(&args, iv_str_of(kinds[kind].name));
    iv_sql_bind_str(&args, row->about);
    iv_sql_bind_str(&args, row->cause);
    TRY(iv_sql_run(&store->sql, stmt, "write to the journal", err));
    return forget_old(store, err);
}

iv_rc iv_store_journal_ended(struct iv_store *store, bool *known, bool *ended, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_JOURNAL_LAST_RUN, err));
    TRY(iv_sql_step(&store->sql, stmt, known, "read the journal", err));
    if (*known) {
        struct iv_sql_row row = iv_sql_row(stmt);
        *ended = iv_str_eq(iv_sql_get_str(&row), iv_str_of(kinds[IV_JOURNAL_STOPPED].name));
    }
    return IV_OK;
}

static void bind_filter(sqlite3_stmt *stmt, const struct iv_journal_filter *filter)
{
    bool ever = filter->from == 0 && filter->until == 0;
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, filter->what.p == NULL);
    iv_sql_bind_str(&args, filter->what);
    iv_sql_bind_int(&args, ever ? IV_NS_MIN : filter->from);
    iv_sql_bind_int(&args, ever ? IV_NS_MAX : filter->until);
    iv_sql_bind_int(&args, filter->after);
    iv_sql_bind_int(&args, filter->before == 0 ? INT64_MAX : filter->before);
    iv_sql_bind_int(&args, (int64_t)(filter->limit == 0 ? DEFAULT_LIMIT : filter->limit));
}

#define ROWS                                                                                                 \
    "SELECT seq, at, what, about, cause FROM journal WHERE (?1 = 1 OR what = ?2) AND at >= ?3 AND at < ?4"   \
    " AND seq > ?5 AND seq < ?6 ORDER BY seq"

iv_rc iv_reader_journal(struct iv_reader *reader, const struct iv_journal_filter *filter,
                        iv_journal_visit visit, void *ctx, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(iv_sql_prepare(&reader->sql, &stmt, filter->newest_first ? ROWS " DESC LIMIT ?7" : ROWS " LIMIT ?7",
                       err));
    bind_filter(stmt, filter);
    for (bool on = true; on;) {
        bool more = false;
        TRY(iv_sql_step(&reader->sql, stmt, &more, "read the journal", err));
        if (!more) {
            break;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        struct iv_journal_row told = {.seq = iv_sql_get_int(&row)};
        told.at = iv_sql_get_int(&row);
        told.what = iv_sql_get_str(&row);
        told.about = iv_sql_get_str(&row);
        told.cause = iv_sql_get_str(&row);
        on = visit(ctx, &told);
    }
    return IV_OK;
}
