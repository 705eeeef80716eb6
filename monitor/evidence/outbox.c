/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "evidence/store_internal.h"

#include <stdatomic.h>

iv_rc iv_store_post(struct iv_store *store, int64_t *id, const struct iv_posting *message, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_OUTBOX_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, message->channel);
    iv_sql_bind_str(&args, message->topic);
    iv_sql_bind_str(&args, message->key);
    iv_sql_bind_str(&args, message->value);
    iv_sql_bind_str(&args, message->idempotency_key);
    iv_sql_bind_int(&args, message->time);
    TRY(iv_sql_run(&store->sql, stmt, "write a message to the outbox", err));
    store->posted++;
    if (id != NULL) {
        *id = sqlite3_last_insert_rowid(store->sql.db);
    }
    return IV_OK;
}

static iv_rc read_outbox(struct iv_store *store, int64_t after, size_t limit, iv_posting_fn visit, void *ctx,
                         struct iv_err *err)
{
    TRY(iv_store_end_left_over(store, err));
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_OUTBOX_AFTER, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, after);
    iv_sql_bind_int(&args, (int64_t)limit);
    for (;;) {
        bool more = false;
        TRY(iv_sql_step(&store->sql, stmt, &more, "read the outbox", err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        struct iv_posting m = {.id = iv_sql_get_int(&row)};
        int64_t channel = iv_sql_get_int(&row);
        ENSURE(channel >= 0 && channel <= IV_CHANNEL_COMMAND, err, IV_E_STORE,
               "a message in the outbox of the store '%s' has channel %lld, which is none", store->sql.path,
               (long long)channel);
        m.channel = (enum iv_channel)channel;
        m.topic = iv_sql_get_str(&row);
        m.key = iv_sql_get_str(&row);
        m.value = iv_sql_get_str(&row);
        m.idempotency_key = iv_sql_get_str(&row);
        m.time = iv_sql_get_int(&row);
        visit(ctx, &m);
    }
}

iv_rc iv_store_outbox(struct iv_store *store, int64_t after, size_t limit, iv_posting_fn visit, void *ctx,
                      struct iv_err *err)
{
    iv_fair_take(&store->lock);
    struct iv_rc_s rc = read_outbox(store, after, limit, visit, ctx, err);
    iv_fair_give(&store->lock);
    return rc;
}

static iv_rc run_for_id(struct iv_store *store, enum iv_statement statement, int64_t id, const char *doing,
                        struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, statement, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, id);
    return iv_sql_run(&store->sql, stmt, doing, err);
}

iv_rc iv_store_delivered(struct iv_store *store, const int64_t *ids, size_t count, struct iv_err *err)
{
    IV_CHECK(store->inside);
    for (size_t i = 0; i < count; i++) {
        TRY(run_for_id(store, IV_SQL_OUTBOX_DELETE, ids[i], "take a message from the outbox", err));
        store->posted -= sqlite3_changes(store->sql.db);
    }
    return IV_OK;
}

iv_rc iv_store_withdraw(struct iv_store *store, int64_t id, struct iv_err *err)
{
    return iv_store_delivered(store, &id, 1, err);
}

iv_rc iv_store_undeliverable(struct iv_store *store, const int64_t *ids, size_t count, struct iv_err *err)
{
    IV_CHECK(store->inside);
    for (size_t i = 0; i < count; i++) {
        TRY(run_for_id(store, IV_SQL_STEP_REFUSED, ids[i], "mark the step of a message", err));
    }
    return iv_store_delivered(store, ids, count, err);
}

int64_t iv_store_outbox_count(const struct iv_store *store)
{
    return atomic_load_explicit(&store->outbox, memory_order_relaxed);
}
