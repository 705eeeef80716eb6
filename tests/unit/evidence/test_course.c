/* SPDX-License-Identifier: Apache-2.0 */
/* What the ramp, escalation and the observer ask again and again is answered from indexes, however much the
 * store holds. */
#include "base/guard.h"
#include "evidence/course.h"
#include "evidence/store_internal.h"
#include "evidence/tasks_internal.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct question {
    const char *text;
    const char *plan; /* has this in it, */
    bool sorts;       /* and a sort */
};

static void check_plans(const struct question *questions, size_t count)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), NULL)));
    sqlite3 *db = NULL;
    cr_assert(sqlite3_open(scratch_file(&dir, "s.db").p, &db) == SQLITE_OK);
    for (size_t i = 0; i < count; i++) {
        char text[2048];
        char plan[1024] = "";
        sqlite3_stmt *stmt = NULL;
        (void)snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", questions[i].text);
        cr_assert(sqlite3_prepare_v2(db, text, -1, &stmt, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
        while (sqlite3_step(stmt) == SQLITE_ROW && strlen(plan) < sizeof plan - 300) {
            (void)snprintf(plan + strlen(plan), sizeof plan - strlen(plan), "%.256s\n",
                           (const char *)sqlite3_column_text(stmt, 3));
        }
        cr_expect(strstr(plan, questions[i].plan) != NULL, "row %zu: %s", i, plan);
        bool sorts = strstr(plan, "TEMP B-TREE") != NULL;
        cr_expect(sorts == questions[i].sorts, "row %zu: %s", i, plan);
        (void)sqlite3_finalize(stmt);
    }
    (void)sqlite3_close(db);
}

Test(course, is_read_from_indexes_in_their_order)
{
    const struct question questions[] = {
        {iv_store_text(IV_SQL_COURSE_ENDS), "COVERING INDEX executions_ended (playbook=? AND finished>?)",
         false},
        {iv_store_text(IV_SQL_COURSE_AT_WORK), "INDEX executions_at_work (playbook=?)", false},
        {iv_store_text(IV_SQL_COURSE_FRONT), "INDEX executions_queued (playbook>?)", false},
        {iv_store_text(IV_SQL_COURSE_QUEUE), "INDEX executions_queued (playbook=?)", false},
        {iv_store_text(IV_SQL_COURSE_QUEUED), "INDEX executions_queued (playbook=?)", false},
        {iv_store_text(IV_SQL_COURSE_OUTRANKING), "INDEX executions_by_target (playbook=? AND target=?)",
         false},
        {iv_store_text(IV_SQL_COURSE_ESCALATING), "INDEX executions_escalating", false},
        {iv_store_text(IV_SQL_COURSE_OUTRANKED), "INDEX executions_outranked (escalate_to=? AND target=?)",
         false},
        {iv_store_text(IV_SQL_TRIAGED), "SEARCH t USING INTEGER PRIMARY KEY (rowid>?)", false},
        {iv_store_text(IV_SQL_FINDING_STANDS),
         "INDEX findings_standing (rule=? AND tenant=? AND agent=? AND detected>?)", false},
        {iv_store_text(IV_SQL_FINDING_STANDS_BEYOND), "INDEX findings_standing (rule=?", false},
    };
    check_plans(questions, IV_COUNT(questions));
}

Test(awaited, steps_are_found_by_an_index_of_them_alone_and_read_by_their_key)
{
    static const struct question questions[] = {
        {IV_AWAITED_STEPS, "SCAN s USING INDEX steps_expected", true},
        {IV_AWAITED_TASK, "SEARCH s USING PRIMARY KEY (execution=? AND position=?)", false},
        {IV_AWAITED_TASK, "SEARCH e USING INDEX", false},
    };
    check_plans(questions, IV_COUNT(questions));
}

#define EXECUTIONS 40

/* What is remembered, against what it stands for: every execution's state, by hand. */
struct model {
    enum iv_run_state states[EXECUTIONS];
    enum iv_run_state kept[EXECUTIONS]; /* as of the last commit */
    int64_t ended_at[EXECUTIONS];
    size_t count;
    size_t kept_count;
    int64_t clock;
};

static struct iv_execution execution_at(const struct model *m, size_t i, char key[16])
{
    (void)snprintf(key, 16, "e%zu", i);
    bool ended = m->states[i] == IV_RUN_DONE || m->states[i] == IV_RUN_FAILED;
    return (struct iv_execution){.key = iv_str_of(key),
                                 .finding = iv_str_of(key),
                                 .playbook = IV_STR("revoke"),
                                 .tactic = IV_TACTIC_EVICT,
                                 .severity = IV_SEV_HIGH,
                                 .state = m->states[i],
                                 .admitted = 1,
                                 .started = m->states[i] == IV_RUN_PLANNED ? 0 : 1,
                                 .finished = ended ? m->ended_at[i] : 0};
}

static void change(struct iv_store *store, struct model *m, unsigned *seed)
{
    static const enum iv_run_state next[] = {IV_RUN_RUNNING, IV_RUN_DONE, IV_RUN_FAILED, IV_RUN_RUNNING};
    char key[16];
    bool fresh = false;
    size_t i = (size_t)rand_r(seed) % EXECUTIONS;
    if (i >= m->count) {
        i = m->count++;
        m->states[i] = IV_RUN_PLANNED;
        struct iv_execution e = execution_at(m, i, key);
        cr_assert(iv_ok(iv_store_plan(store, &fresh, &e, NULL, 0, NULL)));
        return;
    }
    m->states[i] = next[rand_r(seed) % IV_COUNT(next)];
    m->ended_at[i] = ++m->clock;
    struct iv_execution e = execution_at(m, i, key);
    cr_assert(iv_ok(iv_store_move_execution(store, &e, NULL)));
}

static void compare(struct iv_store *store, const struct model *m, unsigned seed)
{
    const struct iv_str playbook = IV_STR("revoke");
    int64_t enough = 1 + (int64_t)(seed % (EXECUTIONS / 2));
    int64_t at_work = 0;
    size_t ends = 0;
    size_t failed = 0;
    for (size_t i = 0; i < m->count; i++) {
        bool ended = m->states[i] == IV_RUN_DONE || m->states[i] == IV_RUN_FAILED;
        at_work += !ended;
        ends += ended;
        failed += m->states[i] == IV_RUN_FAILED;
    }
    int64_t most = 0;
    bool wrong[EXECUTIONS];
    size_t count = 0;
    size_t told = 0;
    cr_assert(iv_ok(iv_store_at_work_most(store, &most, playbook, enough, NULL)));
    cr_assert(iv_ok(iv_store_ends(store, wrong, &count, playbook, 0, EXECUTIONS, NULL)));
    for (size_t i = 0; i < count; i++) {
        told += wrong[i];
    }
    cr_assert(most >= (at_work < enough ? at_work : enough), "seed %u: %d", seed, (int)most);
    cr_assert(most < enough || at_work >= enough, "seed %u: held up at %d of %d", seed, (int)at_work,
              (int)enough);
    cr_assert(count == ends && told == failed, "seed %u: %zu of %zu, %zu of %zu", seed, count, ends, told,
              failed);
}

Test(course, remembers_no_less_than_there_is_whatever_is_rolled_back)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    struct model m = {.clock = 1};
    unsigned seed = 1;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), NULL)));
    for (unsigned transaction = 0; transaction < 300; transaction++) {
        cr_assert(iv_ok(iv_store_begin(store, NULL)));
        for (int i = rand_r(&seed) % 6; i > 0; i--) {
            change(store, &m, &seed);
            compare(store, &m, seed);
        }
        compare(store, &m, seed);
        if (rand_r(&seed) % 3 == 0) {
            iv_store_rollback(store);
            memcpy(m.states, m.kept, sizeof m.states);
            m.count = m.kept_count;
        } else {
            cr_assert(iv_ok(iv_store_commit(store, NULL)));
            memcpy(m.kept, m.states, sizeof m.kept);
            m.kept_count = m.count;
        }
    }
}
