/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/admitted.h"

#include "base/guard.h"
#include "evidence/admitted_internal.h"
#include "evidence/rows.h"
#include "evidence/tasks_internal.h"

#include <string.h>

static struct iv_str touched(const struct iv_execution *e, enum iv_touch touch)
{
    return touch == IV_TOUCH_AGENT    ? e->touched.agent
           : touch == IV_TOUCH_TENANT ? e->touched.tenant
                                      : e->touched.enclave;
}

bool iv_touches(const struct iv_execution *execution, enum iv_touch touch)
{
    return touch == IV_TOUCH_ANY || touched(execution, touch).n > 0;
}

static const enum iv_statement statements[] = {
    [IV_TOUCH_ANY] = IV_SQL_ADMITTED,
    [IV_TOUCH_AGENT] = IV_SQL_ADMITTED_AGENTS,
    [IV_TOUCH_TENANT] = IV_SQL_ADMITTED_TENANTS,
    [IV_TOUCH_ENCLAVE] = IV_SQL_ADMITTED_ENCLAVES,
};

const char *iv_admitted_text(enum iv_touch touch)
{
    return iv_store_text(statements[touch]);
}

static iv_rc count_rows(struct iv_store *store, int64_t *out, const struct iv_execution *execution,
                        enum iv_touch touch, iv_ns since, int64_t most, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_store_statement(store, &stmt, statements[touch], err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, execution->playbook);
    iv_sql_bind_int(&args, execution->observed);
    iv_sql_bind_int(&args, since);
    if (touch != IV_TOUCH_ANY) {
        iv_sql_bind_str(&args, touched(execution, touch));
    }
    iv_sql_bind_int(&args, most);
    TRY(iv_sql_step(&store->sql, stmt, &found, "count what was admitted", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = found ? iv_sql_get_int(&row) : 0;
    return IV_OK;
}

/* The place of this count among those that are remembered; NULL: its playbook's name is too long for one. */
static struct iv_count *place_of(struct iv_counts *counts, const struct iv_execution *e, enum iv_touch touch,
                                 iv_ns window)
{
    for (size_t i = 0; i < IV_COUNT(counts->items); i++) {
        struct iv_count *c = &counts->items[i];
        if (c->touch == touch && c->window == window && c->observed == e->observed &&
            iv_str_eq((struct iv_str){c->playbook, c->playbook_n}, e->playbook)) {
            return c;
        }
    }
    struct iv_count *c = &counts->items[counts->next];
    if (e->playbook.n == 0 || e->playbook.n > sizeof c->playbook) {
        return NULL;
    }
    counts->next = (counts->next + 1) % IV_COUNT(counts->items);
    *c = (struct iv_count){
        .playbook_n = e->playbook.n, .observed = e->observed, .touch = touch, .window = window};
    memcpy(c->playbook, e->playbook.p, e->playbook.n);
    return c;
}

/* A window that has moved on holds no more than it held, and what was admitted since. */
static bool surely_fewer(const struct iv_counts *counts, const struct iv_count *c, iv_ns now, int64_t most)
{
    return c->known && c->as_of <= now && c->count + (counts->admitted - c->admitted) < most;
}

iv_rc iv_store_admitted(struct iv_store *store, bool *enough, const struct iv_execution *execution,
                        enum iv_touch touch, iv_ns window, iv_ns now, int64_t most, struct iv_err *err)
{
    IV_CHECK(store->inside);
    struct iv_counts *counts = &store->counts;
    struct iv_count *c = place_of(counts, execution, touch, window);
    int64_t count = 0;
    *enough = false;
    if (c != NULL && surely_fewer(counts, c, now, most)) {
        return IV_OK;
    }
    TRY(count_rows(store, &count, execution, touch, iv_ns_add(now, -window), most, err));
    *enough = count >= most;
    if (c != NULL) {
        c->known = !*enough;  /* else it was not counted to its end */
        c->count = count + 1; /* the one that was set aside may be another one next time */
        c->as_of = now;
        c->admitted = counts->admitted;
    }
    return IV_OK;
}

iv_rc iv_store_expired(struct iv_store *store, struct iv_execution **out, size_t *count, iv_ns now,
                       size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    struct iv_execution *rows = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_EXPIRED, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, now);
    iv_sql_bind_int(&args, (int64_t)limit);
    for (*count = 0; *count < limit; ++*count) {
        bool more = false;
        TRY(iv_sql_step(&store->sql, stmt, &more, "read what waits", err));
        if (!more) {
            break;
        }
        rows = rows == NULL ? iv_arena_zalloc(arena, limit * sizeof *rows) : rows;
        ENSURE(rows != NULL, err, IV_E_NOMEM, "no memory left to read executions");
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(iv_row_execution(&rows[*count], &row, err));
        ENSURE(iv_execution_keep(&rows[*count], arena), err, IV_E_NOMEM, "no memory left to read executions");
    }
    *out = rows;
    return IV_OK;
}
