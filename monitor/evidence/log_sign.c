/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: what the log signs of itself, inside the transaction whose commit makes it true. */
#include "base/fault.h"
#include "base/guard.h"
#include "event/checkpoint.h"
#include "evidence/log.h"
#include "evidence/reader_internal.h"
#include "evidence/store_internal.h"

#define ORIGIN IV_STR("log.origin")

iv_rc iv_store_sign_log(struct iv_store *store, const struct iv_log_signing *signing, struct iv_err *err)
{
    int64_t size = 0;
    iv_fair_take(&store->lock);
    struct iv_rc_s rc = iv_sql_int(&store->sql, &size, "SELECT ifnull(max(size), 0) FROM checkpoints",
                                   "read what was signed of its log", err);
    if (iv_ok(rc)) {
        store->log.signing = *signing;
        store->log.signed_size = (uint64_t)size;
        store->log.signed_time = IV_NS_MIN;
    }
    iv_fair_give(&store->lock);
    return rc;
}

void iv_store_seal_log(struct iv_store *store)
{
    IV_CHECK(store->inside);
    store->log.seal = true;
}

static iv_rc write_note(struct iv_buf *out, struct iv_store *store, struct iv_err *err)
{
    struct iv_log *log = &store->log;
    struct iv_checkpoint checkpoint = {.size = log->tree.size};
    IV_AUTO(iv_buf_deinit) struct iv_buf origin;
    iv_buf_init(&origin, 256);
    TRY(iv_store_fact(store, &origin, ORIGIN, err));
    checkpoint.origin = iv_buf_slice(&origin);
    iv_merkle_root(&checkpoint.root, log->digester, &log->tree);
    TRY(iv_checkpoint_sign(out, &checkpoint, checkpoint.origin, log->signing.signer, log->digester, err));
    return iv_buf_check(out, "a checkpoint", err);
}

static iv_rc insert(struct iv_store *store, iv_ns now, struct iv_str note, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_CHECKPOINT_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, (int64_t)store->log.tree.size);
    iv_sql_bind_int(&args, now);
    iv_sql_bind_str(&args, note);
    TRY(iv_sql_run(&store->sql, stmt, "write a checkpoint", err));
    iv_fault("log.signed");
    return IV_OK;
}

iv_rc iv_log_before_commit(struct iv_store *store, struct iv_err *err)
{
    struct iv_log *log = &store->log;
    iv_ns now = iv_wall(&log->clock);
    log->signing_size = log->signed_size;
    if (log->signing.signer == NULL ||
        (!log->current && log->trusted && log->tree.size == log->signed_size)) {
        return IV_OK;
    }
    TRY(iv_log_load(store, err));
    uint64_t behind = log->tree.size - log->signed_size;
    bool due = log->seal || behind >= log->signing.entries ||
               now >= iv_ns_add(log->signed_time, log->signing.every) || now < log->signed_time;
    if (behind == 0 || !due) {
        return IV_OK;
    }
    IV_AUTO(iv_buf_deinit) struct iv_buf note;
    iv_buf_init(&note, IV_NOTE_BYTES);
    TRY(write_note(&note, store, err));
    TRY(insert(store, now, iv_buf_slice(&note), err));
    log->signing_size = log->tree.size;
    log->signing_time = now;
    return IV_OK;
}

void iv_log_committed(struct iv_store *store)
{
    struct iv_log *log = &store->log;
    if (log->signing_size != log->signed_size) {
        log->signed_size = log->signing_size;
        log->signed_time = log->signing_time;
    }
}

iv_rc iv_reader_checkpoint(struct iv_reader *reader, struct iv_buf *note, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_sql_prepare(&reader->sql, &stmt, "SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1", err));
    TRY(iv_sql_step(&reader->sql, stmt, &found, "read a checkpoint", err));
    ENSURE(found, err, IV_E_ABSENT, "nothing was signed of the log of '%s'", reader->sql.path);
    struct iv_sql_row row = iv_sql_row(stmt);
    iv_buf_str(note, iv_sql_get_str(&row));
    return iv_buf_check(note, "a checkpoint", err);
}
