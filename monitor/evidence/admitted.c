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

static const enum iv_statement statements[][IV_TOUCH_ENCLAVE + 1] = {
    {IV_SQL_ADMITTED, IV_SQL_ADMITTED_AGENTS, IV_SQL_ADMITTED_TENANTS, IV_SQL_ADMITTED_ENCLAVES},
    {IV_SQL_BEGUN, IV_SQL_BEGUN_AGENTS, IV_SQL_BEGUN_TENANTS, IV_SQL_BEGUN_ENCLAVES},
};

static enum iv_statement statement_of(enum iv_measure measure, enum iv_touch touch)
{
    return statements[measure == IV_MEASURE_ADMITTED ? 0 : 1][touch];
}

const char *iv_counting_text(enum iv_measure measure, enum iv_touch touch)
{
    return iv_store_text(statement_of(measure, touch));
}

static iv_rc count_rows(struct iv_store *store, int64_t *out, const struct iv_execution *execution,
                        const struct iv_counting *c, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    iv_ns since = iv_ns_add(c->now, -c->window - store->ahead);
    TRY(iv_store_statement(store, &stmt, statement_of(c->measure, c->touch), err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, execution->playbook);
    if (c->measure == IV_MEASURE_ADMITTED) {
        iv_sql_bind_int(&args, execution->observed);
        iv_sql_bind_int(&args, since);
    } else {
        iv_sql_bind_int(&args, since);
        iv_sql_bind_int(&args, c->measure == IV_MEASURE_BEGINNING);
    }
    if (c->touch != IV_TOUCH_ANY) {
        iv_sql_bind_str(&args, touched(execution, c->touch));
    }
    iv_sql_bind_int(&args, c->most);
    TRY(iv_sql_step(&store->sql, stmt, &found, "count executions", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = found ? iv_sql_get_int(&row) : 0;
    return IV_OK;
}

/* The place of this count among those that are remembered; NULL: its playbook's name is too long for one. */
static struct iv_count *place_of(struct iv_counts *counts, const struct iv_execution *e,
                                 const struct iv_counting *counting)
{
    for (size_t i = 0; i < IV_COUNT(counts->items); i++) {
        struct iv_count *c = &counts->items[i];
        if (c->measure == counting->measure && c->touch == counting->touch && c->window == counting->window &&
            c->observed == e->observed &&
            iv_str_eq((struct iv_str){c->playbook, c->playbook_n}, e->playbook)) {
            return c;
        }
    }
    struct iv_count *c = &counts->items[counts->next];
    if (e->playbook.n == 0 || e->playbook.n > sizeof c->playbook) {
        return NULL;
    }
    counts->next = (counts->next + 1) % IV_COUNT(counts->items);
    *c = (struct iv_count){.playbook_n = e->playbook.n,
                           .observed = e->observed,
                           .measure = counting->measure,
                           .touch = counting->touch,
                           .window = counting->window};
    memcpy(c->playbook, e->playbook.p, e->playbook.n);
    return c;
}

/* What may have come to a count since the store was opened, of whatever playbook. */
static int64_t added_so_far(const struct iv_store *store, enum iv_measure measure)
{
    return measure == IV_MEASURE_ADMITTED ? store->counts.admitted : store->courses.begun;
}

iv_rc iv_store_enough(struct iv_store *store, bool *enough, const struct iv_execution *execution,
                      const struct iv_counting *counting, struct iv_err *err)
{
    IV_CHECK(store->inside);
    struct iv_count *c = place_of(&store->counts, execution, counting);
    int64_t added = added_so_far(store, counting->measure);
    int64_t count = 0;
    *enough = false;
    /* A window that has moved on holds no more than it held, and what came to it since. */
    if (c != NULL && c->known && c->as_of <= counting->now &&
        c->count + (added - c->added) < counting->most) {
        return IV_OK;
    }
    TRY(count_rows(store, &count, execution, counting, err));
    *enough = count >= counting->most;
    if (c != NULL) {
        c->known = !*enough;  /* else it was not counted to its end */
        c->count = count + 1; /* the one that was set aside may be another one next time */
        c->as_of = counting->now;
        c->added = added;
    }
    return IV_OK;
}

iv_rc iv_store_expired(struct iv_store *store, struct iv_execution **out, size_t *count, iv_ns now,
                       size_t limit, struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_EXPIRED, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, iv_ns_add(now, -store->ahead));
    iv_sql_bind_int(&args, (int64_t)limit);
    return iv_executions_read(store, stmt, out, count, limit, arena, err);
}
