/* SPDX-License-Identifier: Apache-2.0 */
/* What the ramp and escalation ask at each turn is answered from indexes, however much the store holds. */
#include "base/guard.h"
#include "evidence/store_internal.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

Test(course, is_read_from_indexes_in_their_order)
{
    static const struct {
        enum iv_statement id;
        const char *plan;
    } rows[] = {
        {IV_SQL_COURSE_ENDS, "COVERING INDEX executions_ended (playbook=? AND finished>?)"},
        {IV_SQL_COURSE_AT_WORK, "INDEX executions_at_work (playbook=?)"},
        {IV_SQL_COURSE_FRONT, "INDEX executions_queued (playbook>?)"},
        {IV_SQL_COURSE_QUEUE, "INDEX executions_queued (playbook=?)"},
        {IV_SQL_COURSE_ESCALATING, "INDEX executions_escalating"},
        {IV_SQL_COURSE_OUTRANKED, "INDEX executions_outranked (escalate_to=? AND target=?)"},
    };
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), NULL)));
    sqlite3 *db = NULL;
    cr_assert(sqlite3_open(scratch_file(&dir, "s.db").p, &db) == SQLITE_OK);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        char text[2048];
        char plan[1024] = "";
        sqlite3_stmt *stmt = NULL;
        (void)snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", iv_store_text(rows[i].id));
        cr_assert(sqlite3_prepare_v2(db, text, -1, &stmt, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
        while (sqlite3_step(stmt) == SQLITE_ROW && strlen(plan) < sizeof plan - 300) {
            (void)snprintf(plan + strlen(plan), sizeof plan - strlen(plan), "%.256s\n",
                           (const char *)sqlite3_column_text(stmt, 3));
        }
        cr_expect(strstr(plan, rows[i].plan) != NULL && strstr(plan, "TEMP B-TREE") == NULL, "row %zu: %s", i,
                  plan);
        (void)sqlite3_finalize(stmt);
    }
    (void)sqlite3_close(db);
}
