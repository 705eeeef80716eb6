/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/guard.h"
#include "evidence/population.h"
#include "evidence/reader_internal.h"

static const char select_text[] =
    "SELECT s.rule, s.since, ifnull(p.judged, 0), ifnull(p.within, 0) FROM"
    " (SELECT r.rule AS rule, max(max(r.since, c.floor)) AS since FROM population_rules r"
    " JOIN population_cells c ON c.id = r.cell GROUP BY r.rule) s LEFT JOIN"
    " (SELECT p.rule AS rule, sum(p.judged) AS judged,"
    " sum(CASE WHEN p.hour >= ?3 AND p.hour <= ?4 THEN p.judged ELSE 0 END) AS within"
    " FROM population_cells c CROSS JOIN population p ON p.cell = c.id AND p.hour > ?1 AND p.hour < ?2"
    " GROUP BY p.rule) p ON p.rule = s.rule ORDER BY s.rule";

static iv_rc prepare(sqlite3_stmt **stmt, struct iv_reader *reader, const struct iv_covered *covered,
                     iv_ns from, iv_ns until, struct iv_err *err)
{
    iv_ns first = 0;
    iv_ns last = 0;
    bool known = iv_covered_period(covered, &first, &last);
    iv_ns hour_before = iv_ns_add(from, -IV_POPULATION_HOUR);
    iv_ns last_whole = iv_ns_add(until, -IV_POPULATION_HOUR);
    TRY(iv_sql_prepare(&reader->sql, stmt, select_text, err));
    struct iv_sql_args args = iv_sql_args(*stmt);
    iv_sql_bind_int(&args, hour_before);
    iv_sql_bind_int(&args, until);
    iv_sql_bind_int(&args, known && from <= first ? IV_NS_MIN : from);
    iv_sql_bind_int(&args, known && until >= last ? IV_NS_MAX : last_whole);
    return IV_OK;
}

static iv_rc add(struct iv_populations *p, struct iv_sql_row *row, iv_ns from, struct iv_err *err)
{
    size_t bytes = (p->rule_count + 1) * sizeof *p->rules;
    struct iv_population_of *rules = iv_realloc(p->rules, bytes);
    ENSURE(rules != NULL, err, IV_E_NOMEM, "cannot allocate what rules have judged");
    p->rules = rules;
    struct iv_population_of *r = &rules[p->rule_count];
    *r = (struct iv_population_of){.rule = iv_sql_get_str(row)};
    ENSURE(iv_arena_keep(&p->arena, &r->rule), err, IV_E_NOMEM, "cannot allocate what rules have judged");
    r->known.kept = iv_sql_get_int(row) <= from;
    r->known.judged = (uint64_t)iv_sql_get_int(row);
    r->known.within = (uint64_t)iv_sql_get_int(row);
    p->rule_count++;
    return IV_OK;
}

static iv_rc read_all(struct iv_populations *p, struct iv_reader *reader, const struct iv_covered *covered,
                      iv_ns from, iv_ns until, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    TRY(prepare(&stmt, reader, covered, from, until, err));
    for (bool more = true;;) {
        TRY(iv_sql_step(&reader->sql, stmt, &more, "read populations", err));
        if (!more) {
            return IV_OK;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        TRY(add(p, &row, from, err));
    }
}

iv_rc iv_populations_read(struct iv_populations *out, struct iv_reader *reader,
                          const struct iv_covered *covered, iv_ns from, iv_ns until, struct iv_err *err)
{
    struct iv_populations p = {.rules = NULL};
    iv_arena_init(&p.arena, 0);
    struct iv_rc_s rc = read_all(&p, reader, covered, from, until, err);
    if (!iv_ok(rc)) {
        iv_populations_deinit(&p);
        return rc;
    }
    *out = p;
    return IV_OK;
}

void iv_populations_deinit(struct iv_populations *populations)
{
    iv_free(populations->rules);
    iv_arena_deinit(&populations->arena);
}

struct iv_population_known iv_population_of(const struct iv_populations *populations, struct iv_str rule)
{
    for (size_t i = 0; i < populations->rule_count; i++) {
        if (iv_str_eq(populations->rules[i].rule, rule)) {
            return populations->rules[i].known;
        }
    }
    return (struct iv_population_known){.kept = false};
}
