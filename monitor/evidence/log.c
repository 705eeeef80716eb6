/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/log.h"

#include "base/fault.h"
#include "base/guard.h"
#include "base/merkle_proof.h"
#include "evidence/store_internal.h"

#define ENTRY_MAX_BYTES 65536

void iv_store_use_clock(struct iv_store *store, const struct iv_clock *clock)
{
    store->log.clock = *clock;
}

/* Of iv_merkle_nodes: a perfect tree stands with its last leaf, behind the smaller ones that end there. */
static iv_rc node(void *ctx, struct iv_merkle_hash *out, unsigned level, uint64_t index, struct iv_err *err)
{
    struct iv_store *store = ctx;
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_LOG_ROW, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, (int64_t)(((index + 1) << level) - 1));
    TRY(iv_sql_step(&store->sql, stmt, &found, "read the log", err));
    return iv_log_root_of(out, stmt, found, level, store->sql.path, err);
}

iv_rc iv_log_root_of(struct iv_merkle_hash *out, sqlite3_stmt *stmt, bool found, unsigned level,
                     const char *path, struct iv_err *err)
{
    struct iv_sql_row row = iv_sql_row(stmt);
    struct iv_str roots = found ? iv_sql_get_bytes(&row) : IV_STR("");
    ENSURE(roots.n / sizeof *out > level, err, IV_E_STORE,
           "the store '%s' is damaged: its log lacks a node of its tree", path);
    memcpy(out, roots.p + level * sizeof *out, sizeof *out);
    return IV_OK;
}

static iv_rc last_time(struct iv_store *store, iv_ns *out, uint64_t size, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    *out = IV_NS_MIN;
    if (size == 0) {
        return IV_OK;
    }
    TRY(iv_store_statement(store, &stmt, IV_SQL_LOG_TIME, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, (int64_t)size - 1);
    TRY(iv_sql_step(&store->sql, stmt, &found, "read the log", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = found ? iv_sql_get_int(&row) : IV_NS_MIN;
    return IV_OK;
}

static iv_rc log_size(struct iv_store *store, uint64_t *out, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_LOG_SIZE, err));
    TRY(iv_sql_step(&store->sql, stmt, &found, "read the log", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = found ? (uint64_t)iv_sql_get_int(&row) : 0;
    return IV_OK;
}

iv_rc iv_log_load(struct iv_store *store, struct iv_err *err)
{
    struct iv_log *log = &store->log;
    uint64_t size = 0;
    if (log->current) {
        return IV_OK;
    }
    TRY(log_size(store, &size, err));
    if (!log->trusted || size != log->tree.size) {
        log->trusted = false;
        TRY(iv_merkle_at(&log->tree, &(struct iv_merkle_nodes){node, store}, size, err));
        TRY(last_time(store, &log->time, size, err));
    }
    log->trusted = true;
    log->current = true;
    return IV_OK;
}

static iv_rc insert(struct iv_store *store, uint64_t leaf, struct iv_str entry,
                    const struct iv_merkle_hash *roots, unsigned count, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_LOG_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, (int64_t)leaf);
    iv_sql_bind_int(&args, store->log.time);
    iv_sql_bind_str(&args, entry);
    iv_sql_bind_bytes(&args, (struct iv_str){(const char *)roots, count * sizeof *roots});
    return iv_sql_run(&store->sql, stmt, "write to the log", err);
}

static iv_rc append(struct iv_store *store, struct iv_leaf *leaf, struct iv_err *err)
{
    struct iv_log *log = &store->log;
    struct iv_merkle_hash roots[IV_MERKLE_PEAKS] IV_UNSET;
    char room[1024];
    IV_AUTO(iv_buf_deinit) struct iv_buf entry;
    iv_buf_init_lent(&entry, room, sizeof room, ENTRY_MAX_BYTES);
    iv_ns now = iv_wall(&log->clock);
    /* A wall clock may step back; the log's time does not, so that a period is one piece of it. */
    log->time = now > log->time ? now : log->time;
    leaf->time = log->time;
    iv_leaf_write(&entry, leaf);
    TRY(iv_buf_check(&entry, "an entry of the log", err));
    unsigned count = iv_merkle_grow(roots, &log->tree, log->digester, iv_buf_slice(&entry));
    TRY(insert(store, log->tree.size - 1, iv_buf_slice(&entry), roots, count, err));
    iv_fault("log.appended");
    return IV_OK;
}

iv_rc iv_log_append(struct iv_store *store, int64_t *leaf, enum iv_leaf_kind kind, struct iv_str key,
                    iv_ns event_time, struct iv_str document, struct iv_err *err)
{
    IV_CHECK(store->inside);
    struct iv_digest digest;
    struct iv_leaf entry = {.kind = kind, .key = key, .event_time = event_time};
    TRY(iv_log_load(store, err));
    iv_digest(store->log.digester, &digest, IV_SHA256, document);
    memcpy(entry.digest.bytes, digest.bytes, sizeof entry.digest.bytes);
    TRY(append(store, &entry, err));
    *leaf = (int64_t)(store->log.tree.size - 1);
    return IV_OK;
}

iv_rc iv_log_keep(struct iv_store *store, int64_t leaf, struct iv_str document, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_LOG_DOCUMENT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, leaf);
    iv_sql_bind_str(&args, document);
    return iv_sql_run(&store->sql, stmt, "write to the log", err);
}

iv_rc iv_store_log(struct iv_store *store, enum iv_leaf_kind kind, struct iv_str key, struct iv_str document,
                   struct iv_err *err)
{
    int64_t leaf = 0;
    TRY(iv_log_append(store, &leaf, kind, key, IV_NS_MIN, document, err));
    return iv_log_keep(store, leaf, document, err);
}

static iv_rc mark_finding(struct iv_store *store, struct iv_str uid, int64_t leaf, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_FINDING_LEAF, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, leaf);
    iv_sql_bind_str(&args, uid);
    return iv_sql_run(&store->sql, stmt, "write to the log", err);
}

/* *more: there was one. */
static iv_rc catch_up_with_one(struct iv_store *store, bool *more, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    int64_t leaf = 0;
    TRY(iv_store_statement(store, &stmt, IV_SQL_FINDING_UNLOGGED, err));
    TRY(iv_sql_step(&store->sql, stmt, more, "read findings", err));
    if (!*more) {
        return IV_OK;
    }
    struct iv_sql_row row = iv_sql_row(stmt);
    struct iv_str uid = iv_sql_get_str(&row);
    iv_ns time = iv_sql_get_int(&row);
    TRY(iv_log_append(store, &leaf, IV_LEAF_FINDING, uid, time, iv_sql_get_str(&row), err));
    return mark_finding(store, uid, leaf, err);
}

iv_rc iv_log_catch_up(struct iv_store *store, struct iv_err *err)
{
    for (bool more = true; more;) {
        TRY(catch_up_with_one(store, &more, err));
    }
    return IV_OK;
}
