/* SPDX-License-Identifier: Apache-2.0 */
/* What the ramp, escalation and the observer ask again and again is answered from indexes, however much the
 * store holds. */
#include "base/guard.h"
#include "evidence/store_internal.h"
#include "evidence/tasks_internal.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
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
        {iv_store_text(IV_SQL_COURSE_ESCALATING), "INDEX executions_escalating", false},
        {iv_store_text(IV_SQL_COURSE_OUTRANKED), "INDEX executions_outranked (escalate_to=? AND target=?)",
         false},
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
