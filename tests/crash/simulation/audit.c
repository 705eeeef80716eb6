/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "evidence/reader.h"
#include "support/log_audit.h"

#include <sqlite3.h>

#define ROWS_MAX 100000

/* Of one partition. A store that does not work at the moment tells nothing. */
static bool audit_position(struct iv_buf *why, int64_t *before, struct machine *m, enum iv_stream stream,
                           int32_t partition)
{
    struct iv_err err;
    int64_t now = 0;
    struct iv_rc_s rc = iv_store_position(m->store, &now, m->site.topics[stream], partition, &err);
    if (!iv_ok(rc) && rc.code != IV_E_ABSENT) {
        return true;
    }
    if (now < *before || now > (int64_t)m->outside->inflows[stream][partition].count) {
        iv_buf_printf(why, "the store's position of %s/%d went from %lld to %lld\n", iv_stream_name(stream),
                      (int)partition, (long long)*before, (long long)now);
        return false;
    }
    *before = now;
    return true;
}

bool audit_positions(struct iv_buf *why, struct progress *progress, struct machine *m)
{
    struct iv_err err;
    bool holds = true;
    if (!iv_ok(iv_store_begin(m->store, &err))) {
        return true;
    }
    for (int s = 0; s < IV_STREAMS; s++) {
        for (int32_t p = 0; p < m->partitions[s]; p++) {
            holds = holds && audit_position(why, &progress->next[s][p], m, (enum iv_stream)s, p);
        }
    }
    iv_store_rollback(m->store);
    return holds;
}

/* The store as it lies on the disk. A connection reads the whole schema first, so one has all the queries. */
static sqlite3 *open_left(struct iv_str path)
{
    sqlite3 *db = NULL;
    IV_CHECK(sqlite3_open_v2(path.p, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    return db;
}

struct query {
    sqlite3_stmt *stmt;
};

static struct query query_open(sqlite3 *db, const char *sql)
{
    struct query q = {NULL};
    if (sqlite3_prepare_v2(db, sql, -1, &q.stmt, NULL) != SQLITE_OK) {
        q.stmt = NULL; /* there is no such table yet */
    }
    return q;
}

static bool query_next(struct query *q)
{
    return q->stmt != NULL && sqlite3_step(q->stmt) == SQLITE_ROW;
}

static struct iv_str query_text(struct query *q, int column)
{
    return iv_str_of((const char *)sqlite3_column_text(q->stmt, column));
}

static void query_close(struct query *q)
{
    (void)sqlite3_finalize(q->stmt);
}

static const struct effect *find_effect(const struct outside *o, struct iv_str key)
{
    for (size_t i = 0; i < o->effect_count; i++) {
        if (iv_str_eq(o->effects[i].key, key)) {
            return &o->effects[i];
        }
    }
    return NULL;
}

static bool all_intended(struct iv_buf *why, sqlite3 *db, const struct outside *o)
{
    size_t known = 0;
    struct query q =
        query_open(db, "SELECT key FROM steps WHERE kind = 'http' AND attempt > 0 AND state <> 'queued'");
    while (query_next(&q)) {
        known += find_effect(o, query_text(&q, 0)) != NULL;
    }
    query_close(&q);
    if (known != o->effect_count) {
        iv_buf_printf(why, "%zu keys were called, the store knows %zu of them\n", o->effect_count, known);
        return false;
    }
    return true;
}

bool audit_intents(struct iv_buf *why, struct iv_str path, const struct outside *o)
{
    if (o->effect_count == 0) {
        return true;
    }
    sqlite3 *db = open_left(path);
    bool holds = all_intended(why, db, o);
    (void)sqlite3_close(db);
    return holds;
}

/* The findings, as emissions of a run, and how many of them call for action. */
struct findings {
    struct scene *scene;
    struct engine_run *run;
    size_t actionable;
};

static bool take_finding(void *ctx, const struct iv_finding *f)
{
    struct findings *all = ctx;
    struct engine_run *run = all->run;
    const struct iv_rule *rule = iv_baseline_rule(all->scene->baseline, f->rule);
    bool is_violation = f->kind == IV_VIOLATED || f->kind == IV_UPDATED || f->kind == IV_CONTRADICTED;
    run->emissions = iv_realloc(run->emissions, (run->emission_count + 1) * sizeof *run->emissions);
    IV_CHECK(run->emissions != NULL && rule != NULL);
    run->emissions[run->emission_count++] = (struct emission){
        .rule = rule,
        .kind = f->kind,
        .source = iv_arena_str(&run->arena, f->trigger_source),
        .id = iv_arena_str(&run->arena, f->trigger_id),
        .time = f->time,
        .waived = f->suppressed,
        .uid = {(unsigned char)run->emission_count, (unsigned char)(run->emission_count >> 8)},
    };
    all->actionable += is_violation && f->mode == IV_MODE_ENFORCE && !f->suppressed && rule->remediate.n > 0;
    return true;
}

/* Far behind all windows, with nothing at its end: as live, when everything has been silent for long. */
static bool audit_verdicts(struct iv_buf *why, struct scene *scene, struct iv_str path, size_t *actionable)
{
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    struct iv_err err = {.text = ""};
    const struct reference_horizon horizon = {{IV_NS_MAX, IV_NS_MAX}, {false, false}};
    struct iv_finding_filter filter = {.kinds = UINT32_MAX, .limit = ROWS_MAX};
    struct findings all = {scene, &scene->run, 0};
    scene->run.emission_count = 0;
    if (!iv_ok(iv_reader_open(&reader, path, &err)) ||
        !iv_ok(iv_reader_findings(reader, &filter, take_finding, &all, &err))) {
        iv_buf_printf(why, "%s\n", err.text);
        return false;
    }
    *actionable = all.actionable;
    return compare_settled(why, scene->reference, &scene->run, &horizon);
}

static int64_t number_of(sqlite3 *db, const char *sql)
{
    struct query q = query_open(db, sql);
    int64_t number = query_next(&q) ? sqlite3_column_int64(q.stmt, 0) : -1;
    query_close(&q);
    return number;
}

/* How many messages of this key the topic holds; *same: those with this value. */
static size_t messages_of(const struct outside *o, const char *topic, struct iv_str key, struct iv_str value,
                          size_t *same)
{
    size_t count = 0;
    for (size_t i = 0; i < o->message_count; i++) {
        const struct sent *m = &o->messages[i];
        if (iv_str_eq(m->topic, iv_str_of(topic)) && iv_str_eq(m->key, key)) {
            count++;
            *same += iv_str_eq(m->value, value);
        }
    }
    return count;
}

/* Each finding as the store has it; one that never changed has never been sent otherwise. An equivocation may
 * have: what was met again in another order after a crash can begin at an earlier event. */
static bool audit_published(struct iv_buf *why, sqlite3 *db, const struct outside *o)
{
    bool holds = true;
    struct query q = query_open(db, "SELECT uid, ocsf, kind > 2 OR rule = 'EVT-001' FROM findings");
    while (holds && query_next(&q)) {
        size_t same = 0;
        struct iv_str uid = query_text(&q, 0);
        size_t count = messages_of(o, OUTSIDE_TOPIC_FINDINGS, uid, query_text(&q, 1), &same);
        bool changed = sqlite3_column_int(q.stmt, 2) != 0;
        holds = same > 0 && (changed || same == count);
        if (!holds) {
            iv_buf_printf(why, "finding " IV_STR_FMT " was sent %zu times, %zu times as the store has it\n",
                          IV_STR_ARG(uid), count, same);
        }
    }
    query_close(&q);
    return holds;
}

static bool audit_commands(struct iv_buf *why, sqlite3 *db, const struct outside *o)
{
    bool holds = true;
    struct query q = query_open(db, "SELECT s.key, e.target FROM steps s JOIN executions e"
                                    " ON e.key = s.execution WHERE s.kind = 'kafka'");
    while (holds && query_next(&q)) {
        size_t count = 0;
        for (size_t i = 0; i < o->message_count; i++) {
            const struct sent *m = &o->messages[i];
            if (iv_str_eq(m->topic, IV_STR(OUTSIDE_TOPIC_COMMANDS)) && iv_str_eq(m->key, query_text(&q, 1))) {
                count++;
                holds = holds && iv_str_eq(m->idempotency_key, query_text(&q, 0));
            }
        }
        holds = holds && count > 0;
        if (!holds) {
            iv_buf_printf(why, "command " IV_STR_FMT " was sent %zu times, or under another key\n",
                          IV_STR_ARG(query_text(&q, 0)), count);
        }
    }
    query_close(&q);
    return holds;
}

static bool audit_executions(struct iv_buf *why, sqlite3 *db, const struct outside *o, size_t actionable)
{
    const int64_t wanted = (int64_t)actionable;
    int64_t executions = number_of(db, "SELECT count(*) FROM executions");
    int64_t findings = number_of(db, "SELECT count(DISTINCT finding) FROM executions");
    int64_t done = number_of(db, "SELECT count(*) FROM executions WHERE state = 'done'");
    int64_t keys = number_of(db, "SELECT count(*) FROM steps WHERE kind = 'http'");
    if (executions != wanted || findings != wanted || done != wanted || keys != (int64_t)o->effect_count) {
        iv_buf_printf(
            why,
            "%lld findings call for action: %lld executions of %lld findings, %lld done; %lld calls "
            "were planned, %zu keys were called\n",
            (long long)wanted, (long long)executions, (long long)findings, (long long)done, (long long)keys,
            o->effect_count);
        return false;
    }
    return all_intended(why, db, o);
}

static bool audit_rows(struct iv_buf *why, sqlite3 *db, const struct outside *o, size_t actionable)
{
    if (number_of(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check") != 1) {
        iv_buf_text(why, "the store is damaged\n");
        return false;
    }
    return audit_published(why, db, o) && audit_executions(why, db, o, actionable) &&
           audit_commands(why, db, o);
}

static bool audit_log(struct iv_buf *why, sqlite3 *db)
{
    const char *wrong = log_audit_by(NULL, db);
    if (wrong != NULL) {
        iv_buf_printf(why, "the log: %s\n", wrong);
    }
    return wrong == NULL;
}

bool audit_end(struct iv_buf *why, struct scene *scene, struct iv_str path, const struct outside *outside)
{
    size_t actionable = 0;
    if (!audit_verdicts(why, scene, path, &actionable)) {
        return false;
    }
    sqlite3 *db = open_left(path);
    bool holds = audit_log(why, db) && audit_rows(why, db, outside, actionable);
    (void)sqlite3_close(db);
    return holds;
}
