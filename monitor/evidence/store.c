/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/store.h"

#include "base/alloc.h"
#include "base/fault.h"
#include "base/guard.h"
#include "evidence/alive_internal.h"
#include "evidence/approvals.h"
#include "evidence/rows.h"
#include "evidence/schema.h"
#include "evidence/store_internal.h"

#include <stdatomic.h>

static const char *const statement_texts[] = {
#define STATEMENT(id, text) [IV_SQL_##id] = text,
#include "evidence/statements.def"
#undef STATEMENT
};

/* A store of an older version has findings that its log does not know of. */
static iv_rc catch_up(struct iv_store *store, struct iv_err *err)
{
    int64_t behind = 0;
    TRY(iv_sql_int(&store->sql, &behind, "SELECT EXISTS (SELECT 1 FROM findings WHERE leaf = -1)",
                   "read findings", err));
    if (behind == 0) {
        return IV_OK;
    }
    TRY(iv_store_begin(store, err));
    struct iv_rc_s rc = iv_log_catch_up(store, err);
    if (!iv_ok(rc)) {
        iv_store_rollback(store);
        return rc;
    }
    return iv_store_commit(store, err);
}

static iv_rc open_store(struct iv_store *store, struct iv_str path, struct iv_err *err)
{
    int64_t waiting = 0;
    store->log.clock = iv_clock_system();
    TRY(iv_digester_new(&store->log.digester, err));
    TRY(iv_sql_open(&store->sql, path, true, err));
    TRY(iv_schema_migrate(&store->sql, err));
    TRY(iv_sql_int(&store->sql, &waiting, "SELECT count(*) FROM outbox", "count the outbox", err));
    atomic_store_explicit(&store->outbox, waiting, memory_order_relaxed);
    return catch_up(store, err);
}

iv_rc iv_store_open(struct iv_store **out, struct iv_str path, struct iv_err *err)
{
    struct iv_store *store = iv_calloc(1, sizeof *store);
    ENSURE(store != NULL, err, IV_E_NOMEM, "cannot allocate the store '" IV_STR_FMT "'", IV_STR_ARG(path));
    iv_fair_init(&store->lock);
    struct iv_rc_s rc = open_store(store, path, err);
    if (!iv_ok(rc)) {
        iv_store_close(store);
        return rc;
    }
    *out = store;
    return IV_OK;
}

void iv_store_patience(struct iv_store *store, iv_ns length)
{
    (void)sqlite3_busy_timeout(store->sql.db, (int)(length / IV_NS_PER_MS));
}

void iv_store_close(struct iv_store *store)
{
    if (store == NULL) {
        return;
    }
    for (size_t i = 0; i < IV_COUNT(store->statements); i++) {
        (void)sqlite3_finalize(store->statements[i]);
    }
    iv_sql_close(&store->sql);
    iv_digester_free(store->log.digester);
    iv_fair_deinit(&store->lock);
    iv_free(store);
}

void iv_store_closep(struct iv_store **store)
{
    iv_store_close(*store);
}

const char *iv_store_text(enum iv_statement id)
{
    return statement_texts[id];
}

iv_rc iv_store_statement(struct iv_store *store, sqlite3_stmt **out, enum iv_statement id, struct iv_err *err)
{
    if (store->statements[id] == NULL) {
        TRY(iv_sql_prepare(&store->sql, &store->statements[id], statement_texts[id], err));
    }
    *out = store->statements[id];
    return IV_OK;
}

iv_rc iv_store_end_left_over(struct iv_store *store, struct iv_err *err)
{
    return sqlite3_get_autocommit(store->sql.db) != 0
               ? IV_OK
               : iv_sql_exec(&store->sql, "ROLLBACK", "roll back", err);
}

static iv_rc begin(struct iv_store *store, struct iv_err *err)
{
    TRY(iv_store_end_left_over(store, err));
    return iv_sql_exec(&store->sql, "BEGIN IMMEDIATE", "begin a transaction", err);
}

iv_rc iv_store_begin(struct iv_store *store, struct iv_err *err)
{
    iv_fair_take(&store->lock);
    struct iv_rc_s rc = begin(store, err);
    if (!iv_ok(rc)) {
        iv_fair_give(&store->lock);
        return rc;
    }
    store->inside = true;
    store->changes = sqlite3_total_changes64(store->sql.db);
    store->posted = 0;
    store->unsummed = 0;
    store->log.current = false;
    store->log.seal = false;
    return IV_OK;
}

static void leave(struct iv_store *store)
{
    store->inside = false;
    iv_fair_give(&store->lock);
}

iv_rc iv_store_commit(struct iv_store *store, struct iv_err *err)
{
    IV_CHECK(store->inside);
    struct iv_rc_s rc = iv_alive_settle(store, err);
    rc = iv_ok(rc) ? iv_log_before_commit(store, err) : rc;
    iv_fault("store.before_commit");
    rc = iv_ok(rc) ? iv_sql_exec(&store->sql, "COMMIT", "commit", err) : rc;
    if (!iv_ok(rc)) {
        iv_store_rollback(store);
        return rc;
    }
    iv_fault("store.after_commit");
    iv_log_committed(store);
    (void)atomic_fetch_add_explicit(&store->outbox, store->posted, memory_order_relaxed);
    leave(store);
    return IV_OK;
}

void iv_store_rollback(struct iv_store *store)
{
    IV_CHECK(store->inside);
    store->log.trusted = store->log.trusted && !store->log.current; /* untouched unless looked at */
    if (sqlite3_total_changes64(store->sql.db) != store->changes) {
        store->counts = (struct iv_counts){.admitted = 0};
        store->courses = (struct iv_courses){.begun = 0};
    }
    /* SQLite has rolled back by itself after some failures; then this one says so, and nothing is lost by
     * it. Where memory was out even for this, it is made up for before the store is used again. */
    (void)sqlite3_exec(store->sql.db, "ROLLBACK", NULL, NULL, NULL);
    leave(store);
}

static iv_rc write_finding(struct iv_store *store, enum iv_statement how, const struct iv_finding *f,
                           const char *doing, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    int64_t leaf = 0;
    TRY(iv_log_append(store, &leaf, IV_LEAF_FINDING, f->uid, f->time, f->ocsf, err));
    TRY(iv_store_statement(store, &stmt, how, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, f->uid);
    iv_sql_bind_int(&args, iv_kind_rank(f->kind));
    iv_sql_bind_str(&args, f->rule);
    iv_sql_bind_str(&args, f->title);
    iv_sql_bind_int(&args, f->severity);
    iv_sql_bind_int(&args, f->mode);
    iv_sql_bind_int(&args, f->suppressed);
    iv_sql_bind_str(&args, f->criteria);
    iv_sql_bind_str(&args, f->tenant);
    iv_sql_bind_str(&args, f->agent);
    iv_sql_bind_str(&args, f->trigger_source);
    iv_sql_bind_str(&args, f->trigger_id);
    iv_sql_bind_str(&args, f->trigger_type);
    iv_sql_bind_int(&args, f->time);
    iv_sql_bind_int(&args, f->detected);
    iv_sql_bind_int(&args, f->witnesses);
    iv_sql_bind_str(&args, f->ocsf);
    iv_sql_bind_int(&args, f->told);
    iv_sql_bind_int(&args, leaf);
    return iv_sql_run(&store->sql, stmt, doing, err);
}

/* The text that the log's last entry of this finding is of. */
static iv_rc keep_superseded(struct iv_store *store, struct iv_str uid, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_FINDING_SUPERSEDED, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, uid);
    return iv_sql_run(&store->sql, stmt, "keep what a finding was", err);
}

/* Whether the store has this uid, how far its row has come, and whose it is. */
struct finding_state {
    bool known;
    bool told;
    int64_t rank;
    int64_t witnesses;
    iv_ns time;
};

static iv_rc finding_state(struct iv_store *store, struct finding_state *out, struct iv_str uid,
                           struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    *out = (struct finding_state){.known = false};
    TRY(iv_store_statement(store, &stmt, IV_SQL_FINDING_STATE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, uid);
    TRY(iv_sql_step(&store->sql, stmt, &out->known, "look a finding up", err));
    if (out->known) {
        struct iv_sql_row row = iv_sql_row(stmt);
        out->rank = iv_sql_get_int(&row);
        out->witnesses = iv_sql_get_int(&row);
        out->told = iv_sql_get_int(&row) != 0;
        out->time = iv_sql_get_int(&row);
    }
    return IV_OK;
}

static iv_rc claim_finding(struct iv_store *store, struct iv_str uid, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_FINDING_CLAIM, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, uid);
    return iv_sql_run(&store->sql, stmt, "claim a finding", err);
}

/* What this means for a row of that state. An equivocation stands at the least time of its events, and after
 * a crash they may be met in another order: the earlier one is the more that is known. */
static enum iv_put compare(const struct finding_state *state, const struct iv_finding *finding)
{
    int64_t rank = iv_kind_rank(finding->kind);
    int64_t violated = iv_kind_rank(IV_VIOLATED);
    if (!state->known || (rank > state->rank && state->rank < violated && rank >= violated)) {
        return IV_PUT_NEW;
    }
    bool grows =
        rank == state->rank && (finding->time < state->time ||
                                (finding->witnesses > state->witnesses && finding->kind != IV_VIOLATED));
    return rank > state->rank || grows ? IV_PUT_UPDATED : IV_PUT_SAME;
}

iv_rc iv_store_put_finding(struct iv_store *store, enum iv_put *out, const struct iv_finding *finding,
                           struct iv_err *err)
{
    IV_CHECK(store->inside);
    struct finding_state state;
    TRY(finding_state(store, &state, finding->uid, err));
    *out = compare(&state, finding);
    if (!state.known) {
        return write_finding(store, IV_SQL_FINDING_INSERT, finding, "write a finding", err);
    }
    if (*out != IV_PUT_SAME) {
        TRY(keep_superseded(store, finding->uid, err));
        TRY(write_finding(store, IV_SQL_FINDING_UPDATE, finding, "update a finding", err));
    }
    if (state.told && !finding->told) {
        /* Whoever found it first may be gone, with what was to be done about it. */
        *out = iv_kind_rank(finding->kind) >= state.rank ? IV_PUT_NEW : *out;
        return claim_finding(store, finding->uid, err);
    }
    return IV_OK;
}

iv_rc iv_store_take_finding(struct iv_store *store, enum iv_put *out, const struct iv_finding *finding,
                            struct iv_err *err)
{
    IV_CHECK(store->inside);
    struct finding_state state = {.time = finding->time, .witnesses = finding->witnesses};
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *taken = NULL;
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *take = NULL;
    TRY(iv_store_statement(store, &taken, IV_SQL_FINDING_TAKEN, err));
    struct iv_sql_args args = iv_sql_args(taken);
    iv_sql_bind_str(&args, finding->uid);
    TRY(iv_sql_step(&store->sql, taken, &state.known, "look up what was answered", err));
    struct iv_sql_row row = iv_sql_row(taken);
    state.rank = state.known ? iv_sql_get_int(&row) : 0;
    *out = compare(&state, finding);
    if (*out == IV_PUT_SAME) {
        return IV_OK;
    }
    TRY(iv_store_statement(store, &take, IV_SQL_FINDING_TAKE, err));
    args = iv_sql_args(take);
    iv_sql_bind_str(&args, finding->uid);
    iv_sql_bind_int(&args, iv_kind_rank(finding->kind));
    return iv_sql_run(&store->sql, take, "write what is answered", err);
}

iv_rc iv_store_put_dead_letter(struct iv_store *store, bool *fresh, const struct iv_dead_letter *letter,
                               struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_DEAD_LETTER_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, letter->topic);
    iv_sql_bind_int(&args, letter->partition);
    iv_sql_bind_int(&args, letter->offset);
    iv_sql_bind_str(&args, letter->reason);
    iv_sql_bind_str(&args, letter->json);
    iv_sql_bind_int(&args, letter->time);
    TRY(iv_sql_run(&store->sql, stmt, "write a dead letter", err));
    *fresh = sqlite3_changes(store->sql.db) > 0;
    return IV_OK;
}

iv_rc iv_store_put_position(struct iv_store *store, struct iv_str topic, int64_t partition,
                            int64_t next_offset, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_POSITION_PUT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, topic);
    iv_sql_bind_int(&args, partition);
    iv_sql_bind_int(&args, next_offset);
    return iv_sql_run(&store->sql, stmt, "write a position", err);
}

iv_rc iv_store_position(struct iv_store *store, int64_t *next_offset, struct iv_str topic, int64_t partition,
                        struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_POSITION_GET, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, topic);
    iv_sql_bind_int(&args, partition);
    bool found = false;
    TRY(iv_sql_step(&store->sql, stmt, &found, "read a position", err));
    ENSURE(found, err, IV_E_ABSENT, "the store '%s' holds no position of " IV_STR_FMT "/%lld",
           store->sql.path, IV_STR_ARG(topic), (long long)partition);
    struct iv_sql_row row = iv_sql_row(stmt);
    *next_offset = iv_sql_get_int(&row);
    return IV_OK;
}

iv_rc iv_store_fact(struct iv_store *store, struct iv_buf *out, struct iv_str name, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_FACT_GET, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, name);
    bool found = false;
    TRY(iv_sql_step(&store->sql, stmt, &found, "read a fact", err));
    ENSURE(found, err, IV_E_ABSENT, "the store '%s' holds no fact '" IV_STR_FMT "'", store->sql.path,
           IV_STR_ARG(name));
    struct iv_sql_row row = iv_sql_row(stmt);
    iv_buf_str(out, iv_sql_get_str(&row));
    return iv_buf_check(out, "a fact", err);
}

iv_rc iv_store_put_fact(struct iv_store *store, struct iv_str name, struct iv_str value, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_FACT_PUT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, name);
    iv_sql_bind_str(&args, value);
    return iv_sql_run(&store->sql, stmt, "write a fact", err);
}
