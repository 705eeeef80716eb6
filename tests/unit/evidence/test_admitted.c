/* SPDX-License-Identifier: Apache-2.0 */
/* What guards ask for: counted right, and from an index alone. */
#include "base/arena.h"
#include "base/guard.h"
#include "evidence/admitted_internal.h"
#include "support/sample.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define WINDOW (60 * IV_NS_PER_S)
#define START (1000 * IV_NS_PER_S)

static struct iv_store *open_store(const struct scratch *dir)
{
    struct iv_store *store = NULL;
    struct iv_err err = {0};
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(dir, "s.db"), &err)), "%s", err.text);
    return store;
}

Test(admitted, is_counted_from_an_index_without_a_look_at_the_rows)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = open_store(&dir);
    sqlite3 *db = NULL;
    cr_assert(sqlite3_open(scratch_file(&dir, "s.db").p, &db) == SQLITE_OK);
    for (enum iv_touch touch = IV_TOUCH_ANY; touch <= IV_TOUCH_ENCLAVE; touch++) {
        char text[1024];
        sqlite3_stmt *stmt = NULL;
        bool found = false;
        (void)snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s",
                       iv_counting_text(IV_MEASURE_ADMITTED, touch));
        cr_assert(sqlite3_prepare_v2(db, text, -1, &stmt, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            const char *line = (const char *)sqlite3_column_text(stmt, 3);
            found = found || strstr(line, "SEARCH executions USING COVERING INDEX executions_admitted "
                                          "(playbook=? AND observed=? AND admitted>?)") != NULL;
        }
        cr_expect(found, "touch %d", (int)touch);
        (void)sqlite3_finalize(stmt);
    }
    (void)sqlite3_close(db);
}

Test(begun, is_counted_from_indexes_without_a_look_at_the_rows)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = open_store(&dir);
    sqlite3 *db = NULL;
    cr_assert(sqlite3_open(scratch_file(&dir, "s.db").p, &db) == SQLITE_OK);
    for (enum iv_touch touch = IV_TOUCH_ANY; touch <= IV_TOUCH_ENCLAVE; touch++) {
        char text[2048];
        sqlite3_stmt *stmt = NULL;
        int found = 0;
        (void)snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s",
                       iv_counting_text(IV_MEASURE_BEGINNING, touch));
        cr_assert(sqlite3_prepare_v2(db, text, -1, &stmt, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            const char *line = (const char *)sqlite3_column_text(stmt, 3);
            found += strstr(line, "INDEX executions_begun (playbook=? AND started>?)") != NULL;
            found += strstr(line, "INDEX executions_at_work (playbook=? AND state=?)") != NULL;
        }
        cr_expect(found == 2, "touch %d", (int)touch);
        (void)sqlite3_finalize(stmt);
    }
    (void)sqlite3_close(db);
}

/* The same by hand: what was admitted, when, and whom it touched. */
#define ROWS 400
struct model {
    struct {
        iv_ns admitted;
        int agent; /* 0: none */
    } rows[ROWS];
    size_t count;
};

static int64_t expected(const struct model *m, enum iv_touch touch, iv_ns now, int agent)
{
    bool seen[10] = {false};
    int64_t count = 0;
    for (size_t i = 0; i < m->count; i++) {
        int a = m->rows[i].agent;
        if (m->rows[i].admitted <= now - WINDOW) {
            continue;
        }
        count += touch == IV_TOUCH_ANY || (a != 0 && a != agent && !seen[a]);
        seen[a] = true;
    }
    return count;
}

static struct iv_execution make(char room[2][64], size_t number, int agent, iv_ns admitted)
{
    (void)snprintf(room[0], sizeof room[0], "%032zu", number);
    (void)snprintf(room[1], sizeof room[1], "agent-%d", agent);
    return (struct iv_execution){
        .key = iv_str_of(room[0]),
        .finding = iv_str_of(room[0]),
        .playbook = IV_STR("revoke"),
        .tactic = IV_TACTIC_EVICT,
        .state = IV_RUN_PLANNED,
        .planned = admitted,
        .admitted = admitted,
        .touched = {.agent = agent == 0 ? IV_STR("") : iv_str_of(room[1])},
    };
}

static uint64_t next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static void compare(struct iv_store *store, const struct model *m, iv_ns now, uint64_t *seed)
{
    char room[2][64];
    int agent = (int)(next(seed) % 10);
    int64_t most = (int64_t)(next(seed) % 12);
    struct iv_execution asking = make(room, ROWS, agent, 0);
    for (enum iv_touch touch = IV_TOUCH_ANY; touch <= IV_TOUCH_AGENT; touch++) {
        bool enough = false;
        const struct iv_counting counting = {IV_MEASURE_ADMITTED, touch, WINDOW, now, most};
        cr_assert(iv_ok(iv_store_enough(store, &enough, &asking, &counting, NULL)));
        cr_assert(enough == (expected(m, touch, now, agent) >= most), "touch %d, row %zu, most %d",
                  (int)touch, m->count, (int)most);
    }
}

Test(admitted, is_what_the_rows_say_however_the_clock_goes_and_whatever_is_rolled_back)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = open_store(&dir);
    struct model m = {.count = 0};
    uint64_t seed = 7;
    iv_ns now = START;
    while (m.count < ROWS) {
        size_t before = m.count;
        cr_assert(iv_ok(iv_store_begin(store, NULL)));
        for (uint64_t n = next(&seed) % 8; n > 0 && m.count < ROWS; n--) {
            char room[2][64];
            int agent = (int)(next(&seed) % 10);
            bool fresh = false;
            struct iv_execution e = make(room, m.count, agent, now);
            cr_assert(iv_ok(iv_store_plan(store, &fresh, &e, NULL, 0, NULL)) && fresh);
            m.rows[m.count].admitted = now;
            m.rows[m.count++].agent = agent;
            compare(store, &m, now, &seed);
            now += (iv_ns)(next(&seed) % 20) * IV_NS_PER_S;
        }
        compare(store, &m, now, &seed);
        if (next(&seed) % 8 == 0) {
            iv_store_rollback(store);
            m.count = before;
        } else {
            cr_assert(iv_ok(iv_store_commit(store, NULL)));
        }
        now -= next(&seed) % 8 == 0 ? 30 * IV_NS_PER_S : 0;
    }
}
