/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents and the fleet: the sums that the console's answers come from, held against the rows that they are
 * sums of. */
#include "unit/evidence/incident_world.h"

#include <criterion/new/assert.h>
#include <sqlite3.h>

Test(sums, incidents_follow_every_change)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct listed l;
    struct iv_err err = {.text = ""};
    struct row row = used;
    unsigned first = put(&w, &row);
    unsigned second = put(&w, &row);
    row.kind = IV_INCONCLUSIVE;
    unsigned open = put(&w, &row);
    sum_up(&w);
    const struct iv_finding_filter all = {.limit = 10};
    cr_expect_str_eq(incidents(&w, &l, all), "TOK-002/a 2 2 0 new;");
    put_as(&w, open, &used); /* it was decided */
    row.kind = IV_CONTRADICTED;
    put_as(&w, first, &row);
    sum_up(&w);
    cr_expect_str_eq(incidents(&w, &l, all), "TOK-002/a 3 2 0 new;");
    cr_assert(iv_ok(triage(&w, second, (struct iv_triage){.verb = IV_TRIAGE_ACKNOWLEDGE}, &err)));
    cr_assert(iv_ok(triage(&w, open, (struct iv_triage){.verb = IV_TRIAGE_CLOSE}, &err)));
    cr_expect_str_eq(incidents(&w, &l, all), "TOK-002/a 3 2 0 new;", "as of the last step");
    sum_up(&w);
    cr_expect_str_eq(incidents(&w, &l, all), "TOK-002/a 3 1 0 acknowledged;");
    cr_assert(iv_ok(triage(&w, second, (struct iv_triage){.verb = IV_TRIAGE_CLOSE}, &err)));
    sum_up(&w);
    cr_expect_str_eq(incidents(&w, &l, all), "TOK-002/a 3 0 0 closed;");
    cr_expect_str_eq(fleet(&w, &l, NOON), "a 0;");
}

Test(sums, risk_is_halved_for_each_day)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct listed l;
    const struct row rows[] = {
        {"TOK-002", "a", IV_SEV_CRITICAL, IV_VIOLATED, NOON},       /* 10, in two days 2.5 */
        {"TOK-003", "a", IV_SEV_LOW, IV_VIOLATED, NOON + 2 * DAY},  /* 1 */
        {"TOK-002", "a", IV_SEV_CRITICAL, IV_VIOLATED, NOON + DAY}, /* 5 */
        {"TOK-002", "b", IV_SEV_HIGH, IV_VIOLATED, NOON + 2 * DAY}, /* 5 */
        {"TOK-004", "b", IV_SEV_INFO, IV_VIOLATED, NOON + 2 * DAY}, /* 0 */
        {"TOK-002", "c", IV_SEV_CRITICAL, IV_VIOLATED, NOON - 90 * DAY},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        put(&w, &rows[i]);
        sum_up(&w);
    }
    cr_expect_str_eq(fleet(&w, &l, NOON + 2 * DAY), "a 8.5;b 5;c 0;");
    cr_expect_str_eq(fleet(&w, &l, NOON + 3 * DAY), "a 4.25;b 2.5;c 0;");
}

static bool add_count(void *ctx, const struct iv_finding_count *count)
{
    *(int64_t *)ctx += count->count;
    return true;
}

Test(sums, counts_of_any_period_are_those_of_the_rows_summed_up_or_not)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct iv_err err = {.text = ""};
    iv_ns step = 7 * 60 * IV_NS_PER_S;
    for (int i = 0; i < 60; i++) {
        struct row row = used;
        row.time = NOON + i * step;
        put(&w, &row);
        if (i == 40) {
            sum_up(&w);
        }
    }
    put_as(&w, 1, &(struct row){"TOK-002", "a", IV_SEV_CRITICAL, IV_CONTRADICTED, NOON});
    for (int from = -1; from < 60; from += 3) {
        for (int until = from; until < 62; until += 7) {
            int64_t counted = 0;
            int64_t there = 0;
            for (int i = 0; i < 60; i++) {
                there += i >= from && i < until;
            }
            cr_assert(iv_ok(iv_reader_counts_of(w.reader, NOON + from * step, NOON + until * step, add_count,
                                                &counted, &err)),
                      "%s", err.text);
            cr_expect(counted == there, "from %d until %d: %lld, not %lld", from, until, (long long)counted,
                      (long long)there);
        }
    }
    int64_t all = 0;
    cr_assert(iv_ok(iv_reader_counts(w.reader, add_count, &all, &err)));
    cr_expect(all == 60);
}

Test(sums, an_incident_has_a_course)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct iv_err err = {.text = ""};
    int64_t sparks[IV_SPARKS];
    struct row row = used;
    for (int hour = 0; hour < 24; hour += 12) {
        row.time = NOON + hour * 3600 * IV_NS_PER_S + 1800 * IV_NS_PER_S;
        put(&w, &row);
    }
    sum_up(&w);
    cr_assert(iv_ok(iv_reader_sparks(w.reader, sparks, 1, NOON, NOON + DAY, &err)), "%s", err.text);
    for (int i = 0; i < IV_SPARKS; i++) {
        cr_expect(sparks[i] == (i == 0 || i == 12), "hour %d: %lld", i, (long long)sparks[i]);
    }
}

Test(sums, an_incident_of_a_period_has_what_fell_into_it_and_is_not_there_where_nothing_did)
{
    static const iv_ns hour = 3600 * IV_NS_PER_S;
    static const struct {
        iv_ns from;
        iv_ns until;
        const char *want;
    } rows[] = {
        {NOON - 4 * hour, NOON + 9 * hour, "TOK-002/a 3 3 0 new;"},
        {NOON - 2 * hour, NOON, ""}, /* between its first and its last */
        {NOON - 4 * hour, NOON - 4 * hour + 1, "TOK-002/a 1 3 0 new;"},
        {NOON - 4 * hour + 1, NOON + 8 * hour, "TOK-002/a 1 3 0 new;"},
        {NOON - 4 * hour - 1, NOON - 4 * hour, ""},
        {NOON - 4 * hour + 1, IV_NS_MAX, "TOK-002/a 2 3 0 new;"},
        {IV_NS_MIN, NOON + 8 * hour, "TOK-002/a 2 3 0 new;"},
        {IV_NS_MIN, IV_NS_MAX, "TOK-002/a 3 3 0 new;"},
    };
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct listed l;
    struct row row = used;
    const iv_ns times[] = {NOON - 4 * hour, NOON + 8 * hour - 1, NOON + 8 * hour};
    for (size_t i = 0; i < IV_COUNT(times); i++) {
        row.time = times[i];
        put(&w, &row);
    }
    sum_up(&w);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct iv_finding_filter filter = {.from = rows[i].from, .until = rows[i].until};
        const char *got = incidents(&w, &l, filter);
        cr_expect_str_eq(got, rows[i].want, "row %zu: '%s'", i, got);
    }
}

Test(sums, the_bars_of_a_course_begin_and_end_where_the_period_says_however_short)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct iv_err err = {.text = ""};
    int64_t sparks[IV_SPARKS];
    struct row row = used;
    iv_ns bar = 150 * IV_NS_PER_S; /* of an hour */
    for (int i = 0; i < IV_SPARKS; i++) {
        for (int k = 0; k <= i % 3; k++) {
            row.time = NOON + i * bar + (k == 0 ? IV_SPARKS : k * bar / 3);
            put(&w, &row);
        }
    }
    row.time = NOON - 1;
    put(&w, &row);
    row.time = NOON + IV_SPARKS * bar;
    put(&w, &row);
    sum_up(&w);
    cr_assert(iv_ok(iv_reader_sparks(w.reader, sparks, 1, NOON, NOON + IV_SPARKS * bar, &err)));
    for (int i = 0; i < IV_SPARKS; i++) {
        cr_expect(sparks[i] == i % 3 + 1, "bar %d: %lld", i, (long long)sparks[i]);
    }
}

Test(sums, findings_are_found_alike_whether_they_are_summed_up_or_not)
{
    static const struct {
        const char *what;
        struct iv_finding_filter filter;
        const char *want;
    } rows[] = {
        {"rule", {.rule = IV_STR_INIT("ISO-001")}, "0002 0004 0006 "},
        {"newest first", {.rule = IV_STR_INIT("ISO-001"), .newest_first = true}, "0006 0004 0002 "},
        {"behind a cursor",
         {.rule = IV_STR_INIT("ISO-001"), .newest_first = true, .before = 6},
         "0004 0002 "},
        {"agent", {.agent = IV_STR_INIT("b"), .limit = 2}, "0002 0004 "},
        {"text, whatever its case", {.text = IV_STR_INIT("EVENT-3")}, "0003 "},
        {"text with a rule",
         {.rule = IV_STR_INIT("TOK-002"), .text = IV_STR_INIT("event")},
         "0001 0003 0005 "},
        {"state", {.states = 1u << IV_TRIAGE_ACKNOWLEDGED}, ""},
        {"assignee", {.assignee = IV_STR_INIT("carol")}, ""},
        {"SQL in a text", {.text = IV_STR_INIT("' OR 1=1 --")}, ""},
        {"SQL in a rule", {.rule = IV_STR_INIT("x' OR 'a'='a")}, ""},
    };
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct listed l;
    for (int i = 0; i < 6; i++) {
        put(&w, &(struct row){i % 2 == 0 ? "TOK-002" : "ISO-001", i % 2 == 0 ? "a" : "b", IV_SEV_HIGH,
                              IV_VIOLATED, NOON + i});
        if (i == 3) {
            sum_up(&w);
        }
    }
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect_str_eq(findings(&w, &l, rows[i].filter), rows[i].want, "%s: %s", rows[i].what, l.text);
    }
}

/* What the console asks of many findings walks through an index, or a table that is small. */
Test(sums, no_question_of_the_console_walks_through_the_findings_themselves)
{
    static const char *const questions[] = {
        "SELECT f.seq FROM findings f INDEXED BY findings_listed WHERE f.seq >= 1 AND f.seq <= 100000"
        " AND (1 << f.kind) & 28 AND f.tenant = 'a' AND instr(lower(f.title || char(10) || f.trigger_id ||"
        " char(10) || f.agent), 'x') > 0 AND (1 << max(f.state, 3 * f.suppressed)) & 1 ORDER BY f.seq DESC "
        "LIMIT 100",
        "SELECT rule, severity, kind, suppressed, 1 FROM findings INDEXED BY findings_by_time WHERE time >= "
        "1 AND time < 2",
        "SELECT * FROM to_sum",
    };
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_store *store = NULL;
    sqlite3 *db = NULL;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), NULL)));
    iv_store_close(store);
    cr_assert(sqlite3_open(scratch_file(&dir, "s.db").p, &db) == SQLITE_OK);
    for (size_t i = 0; i < IV_COUNT(questions); i++) {
        char text[1024];
        sqlite3_stmt *stmt = NULL;
        (void)snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", questions[i]);
        cr_assert(sqlite3_prepare_v2(db, text, -1, &stmt, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            const char *detail = (const char *)sqlite3_column_text(stmt, 3);
            bool of_findings = strstr(detail, "SEARCH f") != NULL || strstr(detail, "SCAN f") != NULL;
            bool covered = strstr(detail, "COVERING INDEX") != NULL;
            cr_expect(covered || !of_findings, "%s", detail);
        }
        (void)sqlite3_finalize(stmt);
    }
    (void)sqlite3_close(db);
}
