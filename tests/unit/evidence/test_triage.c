/* SPDX-License-Identifier: Apache-2.0 */
/* What people do with findings, and the sums that the console's answers come from: held against the rows that
 * they are sums of. */
#include "evidence/triage.h"

#include "base/buf.h"
#include "base/guard.h"
#include "evidence/incident.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "evidence/sums.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sqlite3.h>
#include <stdio.h>

#define DAY (86400 * IV_NS_PER_S)
#define NOON (20000 * DAY + DAY / 2)

struct world {
    struct scratch dir;
    struct iv_store *store;
    struct iv_reader *reader;
    unsigned made;
};

static void world_init(struct world *w)
{
    struct iv_err err = {.text = ""};
    *w = (struct world){.dir = scratch_make()};
    cr_assert(iv_ok(iv_store_open(&w->store, scratch_file(&w->dir, "s.db"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_reader_open(&w->reader, scratch_file(&w->dir, "s.db"), &err)), "%s", err.text);
}

static void world_deinit(struct world *w)
{
    iv_reader_close(w->reader);
    iv_store_close(w->store);
    scratch_remove(&w->dir);
}

struct row {
    const char *rule;
    const char *agent;
    enum iv_severity severity;
    enum iv_verdict_kind kind;
    iv_ns time;
};

static void put_as(struct world *w, unsigned number, const struct row *row)
{
    struct iv_err err = {.text = ""};
    char uid[IV_UID_HEX + 1];
    char id[32];
    enum iv_put how;
    (void)snprintf(uid, sizeof uid, "%064u", number);
    (void)snprintf(id, sizeof id, "event-%u", number);
    const struct iv_finding f = {
        .uid = iv_str_of(uid),
        .kind = row->kind,
        .rule = iv_str_of(row->rule),
        .title = IV_STR("Token used after it was revoked"),
        .severity = row->severity,
        .criteria = IV_STR("CC6.1 CC6.3"),
        .tenant = IV_STR("acme"),
        .agent = iv_str_of(row->agent),
        .trigger_id = iv_str_of(id),
        .time = row->time,
        .detected = row->time,
        .ocsf = IV_STR("{}"),
    };
    cr_assert(iv_ok(iv_store_begin(w->store, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_put_finding(w->store, &how, &f, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_commit(w->store, &err)), "%s", err.text);
}

static unsigned put(struct world *w, const struct row *row)
{
    put_as(w, ++w->made, row);
    return w->made;
}

static void sum_up(struct world *w)
{
    struct iv_err err = {.text = ""};
    for (bool more = true; more;) {
        cr_assert(iv_ok(iv_store_begin(w->store, &err)));
        cr_assert(iv_ok(iv_sums_take(w->store, &more, &err)), "%s", err.text);
        cr_assert(iv_ok(iv_store_commit(w->store, &err)));
    }
}

static struct iv_rc_s triage(struct world *w, unsigned number, struct iv_triage t, struct iv_err *err)
{
    char uid[IV_UID_HEX + 1];
    (void)snprintf(uid, sizeof uid, "%064u", number);
    t.finding = iv_str_of(uid);
    t.who = IV_STR("carol");
    t.at = NOON;
    cr_assert(iv_ok(iv_store_begin(w->store, err)));
    struct iv_rc_s rc = iv_store_triage(w->store, &t, err);
    if (iv_ok(rc)) {
        cr_assert(iv_ok(iv_store_commit(w->store, err)));
    } else {
        iv_store_rollback(w->store);
    }
    return rc;
}

struct listed {
    char text[512];
};

static bool list_incident(void *ctx, const struct iv_incident *i)
{
    struct listed *l = ctx;
    size_t n = strlen(l->text);
    (void)snprintf(l->text + n, sizeof l->text - n, IV_STR_FMT "/" IV_STR_FMT " %lld %lld %lld %s;",
                   IV_STR_ARG(i->rule), IV_STR_ARG(i->agent), (long long)i->count, (long long)i->live,
                   (long long)i->waived, iv_triage_state_name(i->state));
    return true;
}

static const char *incidents(struct world *w, struct listed *l, struct iv_finding_filter filter)
{
    struct iv_err err = {.text = ""};
    l->text[0] = '\0';
    cr_assert(iv_ok(iv_reader_incidents(w->reader, &filter, list_incident, l, &err)), "%s", err.text);
    return l->text;
}

static bool list_finding(void *ctx, const struct iv_finding *f)
{
    struct listed *l = ctx;
    size_t n = strlen(l->text);
    (void)snprintf(l->text + n, sizeof l->text - n, "%.*s ", 4, f->uid.p + IV_UID_HEX - 4);
    return true;
}

static const char *findings(struct world *w, struct listed *l, struct iv_finding_filter filter)
{
    struct iv_err err = {.text = ""};
    l->text[0] = '\0';
    cr_assert(iv_ok(iv_reader_findings(w->reader, &filter, list_finding, l, &err)), "%s", err.text);
    return l->text;
}

static bool list_agent(void *ctx, const struct iv_fleet_item *item)
{
    struct listed *l = ctx;
    size_t n = strlen(l->text);
    (void)snprintf(l->text + n, sizeof l->text - n, IV_STR_FMT " %g;", IV_STR_ARG(item->agent), item->risk);
    return true;
}

static const char *fleet(struct world *w, struct listed *l, iv_ns now)
{
    struct iv_err err = {.text = ""};
    const struct iv_fleet_filter filter = {.day = now / DAY, .limit = 10};
    l->text[0] = '\0';
    cr_assert(iv_ok(iv_reader_fleet(w->reader, &filter, list_agent, l, &err)), "%s", err.text);
    return l->text;
}

static const struct row used = {"TOK-002", "a", IV_SEV_CRITICAL, IV_VIOLATED, NOON};

Test(triage, goes_from_state_to_state_and_refuses_what_is_none)
{
    static const struct {
        enum iv_triage_verb verb;
        bool fits;
    } rows[] = {
        {IV_TRIAGE_REOPEN, false},      {IV_TRIAGE_ACKNOWLEDGE, true}, {IV_TRIAGE_ACKNOWLEDGE, false},
        {IV_TRIAGE_COMMENT, true},      {IV_TRIAGE_CLOSE, true},       {IV_TRIAGE_CLOSE, false},
        {IV_TRIAGE_ACKNOWLEDGE, false}, {IV_TRIAGE_SUPPRESS, false},   {IV_TRIAGE_REOPEN, true},
        {IV_TRIAGE_SUPPRESS, true},     {IV_TRIAGE_CLOSE, false},      {IV_TRIAGE_REOPEN, true},
    };
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    unsigned number = put(&w, &used);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_err err = {.text = ""};
        struct iv_rc_s rc =
            triage(&w, number, (struct iv_triage){.verb = rows[i].verb, .until = NOON + DAY}, &err);
        cr_expect(iv_ok(rc) == rows[i].fits, "row %zu: %s", i, err.text);
        cr_expect(iv_ok(rc) || rc.code == IV_E_REFUSED, "row %zu", i);
    }
    struct iv_err err;
    cr_expect(triage(&w, 99, (struct iv_triage){.verb = IV_TRIAGE_CLOSE}, &err).code == IV_E_ABSENT);
}

Test(triage, what_was_settled_as_less_than_it_is_now_comes_up_again)
{
    static const struct {
        struct row before;
        struct row after;
        bool again;
    } rows[] = {
        {{"R", "a", IV_SEV_LOW, IV_INCONCLUSIVE, NOON}, {"R", "a", IV_SEV_LOW, IV_VIOLATED, NOON}, true},
        {{"R", "a", IV_SEV_LOW, IV_VIOLATED, NOON}, {"R", "a", IV_SEV_HIGH, IV_UPDATED, NOON}, true},
        {{"R", "a", IV_SEV_HIGH, IV_VIOLATED, NOON}, {"R", "a", IV_SEV_HIGH, IV_UPDATED, NOON}, false},
        {{"R", "a", IV_SEV_HIGH, IV_VIOLATED, NOON}, {"R", "a", IV_SEV_LOW, IV_UPDATED, NOON}, false},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(world_deinit) struct world w;
        struct listed listed;
        struct iv_err err = {.text = ""};
        world_init(&w);
        unsigned number = put(&w, &rows[i].before);
        cr_assert(iv_ok(triage(&w, number, (struct iv_triage){.verb = IV_TRIAGE_CLOSE}, &err)), "%s",
                  err.text);
        put_as(&w, number, &rows[i].after);
        const char *found = findings(&w, &listed, (struct iv_finding_filter){.states = 1U << IV_TRIAGE_NEW});
        cr_expect_eq(strlen(found) > 0, rows[i].again, "row %zu: '%s'", i, found);
    }
}

Test(triage, a_waiver_holds_for_what_comes_later_of_its_incident_until_its_end)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct listed l;
    struct iv_err err = {.text = ""};
    struct row row = used;
    unsigned first = put(&w, &row);
    put(&w, &row);
    cr_assert(
        iv_ok(triage(&w, first, (struct iv_triage){.verb = IV_TRIAGE_SUPPRESS, .until = NOON + DAY}, &err)));
    put(&w, &row);
    row.agent = "b";
    put(&w, &row);
    row = used;
    row.time = NOON + 2 * DAY;
    put(&w, &row);
    cr_expect_str_eq(findings(&w, &l, (struct iv_finding_filter){.states = 1u << IV_TRIAGE_SUPPRESSED}),
                     "0001 0003 ");
    sum_up(&w);
    cr_expect_str_eq(incidents(&w, &l, (struct iv_finding_filter){.rule = IV_STR("TOK-002")}),
                     "TOK-002/b 1 1 0 new;TOK-002/a 4 2 2 new;");
}

static bool count_waiver(void *ctx, const struct iv_console_waiver *waiver)
{
    size_t *count = ctx;
    cr_expect(iv_str_eq(waiver->ended_by, IV_STR("bob")));
    (*count)++;
    return true;
}

Test(triage, a_waiver_that_is_ended_holds_for_nothing_more_and_stays_on_record)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct listed l;
    struct iv_err err = {.text = ""};
    size_t kept = 0;
    unsigned first = put(&w, &used);
    cr_assert(
        iv_ok(triage(&w, first, (struct iv_triage){.verb = IV_TRIAGE_SUPPRESS, .until = NOON + DAY}, &err)));
    put(&w, &used);
    cr_assert(iv_ok(iv_store_begin(w.store, &err)));
    cr_expect(iv_ok(iv_store_end_waiver(w.store, 1, IV_STR("bob"), NOON + 1, &err)), "%s", err.text);
    cr_expect(iv_store_end_waiver(w.store, 1, IV_STR("eve"), NOON + 2, &err).code == IV_E_ABSENT);
    cr_assert(iv_ok(iv_store_commit(w.store, &err)));
    put(&w, &used);
    cr_expect_str_eq(findings(&w, &l, (struct iv_finding_filter){.states = 1u << IV_TRIAGE_SUPPRESSED}),
                     "0001 0002 ");
    cr_expect(iv_ok(iv_reader_waivers(w.reader, 0, 10, count_waiver, &kept, &err)));
    cr_expect(eq(sz, kept, 1));
}

/* In one transaction, as the console does. */
static struct iv_rc_s triage_incident(struct world *w, struct iv_triage_done *done, int64_t upto,
                                      struct iv_triage t, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf what;
    iv_buf_init(&what, 1024);
    t.who = IV_STR("carol");
    t.at = NOON + 1;
    cr_assert(iv_ok(iv_store_begin(w->store, err)));
    struct iv_rc_s rc = iv_store_triage_incident(w->store, done, &what, 1, upto, &t, err);
    if (iv_ok(rc)) {
        cr_expect(iv_str_eq(iv_buf_slice(&what), IV_STR("TOK-002 of a in acme")));
        cr_assert(iv_ok(iv_store_commit(w->store, err)));
    } else {
        iv_store_rollback(w->store);
    }
    return rc;
}

Test(triage, what_is_done_with_an_incident_is_done_with_all_that_stand_of_it_and_no_other)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct listed l;
    struct iv_err err = {.text = ""};
    struct iv_triage_done done;
    struct row row = used;
    put(&w, &row); /* 1: closed before */
    sum_up(&w);
    put(&w, &row);              /* 2: acknowledged before */
    put(&w, &row);              /* 3, 4: new */
    put(&w, &row);              /* 4 */
    row.kind = IV_CONTRADICTED; /* 5: does not stand */
    put(&w, &row);
    put(&w, &(struct row){"TOK-002", "b", IV_SEV_CRITICAL, IV_VIOLATED, NOON}); /* 6 */
    cr_assert(iv_ok(triage(&w, 1, (struct iv_triage){.verb = IV_TRIAGE_CLOSE}, &err)));
    cr_assert(iv_ok(triage(&w, 2, (struct iv_triage){.verb = IV_TRIAGE_ACKNOWLEDGE}, &err)));
    sum_up(&w);
    struct iv_rc_s rc =
        triage_incident(&w, &done, 0, (struct iv_triage){.verb = IV_TRIAGE_ACKNOWLEDGE}, &err);
    cr_assert(iv_ok(rc), "%s", err.text);
    cr_expect(eq(sz, done.changed, 2));
    cr_expect(done.next == 0);
    rc = triage_incident(&w, &done, 0, (struct iv_triage){.verb = IV_TRIAGE_ACKNOWLEDGE}, &err);
    cr_expect(rc.code == IV_E_REFUSED, "none is new any more");
    cr_assert(iv_ok(triage_incident(&w, &done, 0, (struct iv_triage){.verb = IV_TRIAGE_CLOSE}, &err)));
    cr_expect(eq(sz, done.changed, 3));
    cr_expect_str_eq(findings(&w, &l, (struct iv_finding_filter){.states = 1u << IV_TRIAGE_NEW}),
                     "0005 0006 ");
    sum_up(&w);
    cr_expect_str_eq(incidents(&w, &l, (struct iv_finding_filter){.agent = IV_STR("a")}),
                     "TOK-002/a 5 0 0 closed;");
}

Test(triage, an_incident_of_many_findings_is_gone_through_in_steps_and_what_comes_in_meanwhile_is_left)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct iv_err err = {.text = ""};
    struct iv_triage_done done = {.next = 0};
    struct iv_triage comment = {.verb = IV_TRIAGE_COMMENT, .text = IV_STR("so")};
    size_t changed = 0;
    size_t steps = 0;
    for (int i = 0; i < IV_TRIAGED_AT_ONCE + 7; i++) {
        put(&w, &used);
    }
    sum_up(&w);
    do {
        cr_assert(iv_ok(triage_incident(&w, &done, done.next, comment, &err)), "%s", err.text);
        changed += done.changed;
        if (++steps == 1) {
            put(&w, &used);
        }
    } while (done.next != 0 && steps < 4);
    cr_expect(eq(sz, steps, 2));
    cr_expect(eq(sz, changed, IV_TRIAGED_AT_ONCE + 7), "each once, and the one that came in not at all");
}

static bool see_waiver(void *ctx, const struct iv_console_waiver *waiver)
{
    int64_t *seen = ctx;
    cr_expect(iv_str_eq(waiver->reason, IV_STR("a drill")));
    *seen = *seen * 10 + waiver->id;
    return true;
}

Test(triage, an_incident_is_suppressed_by_one_waiver_that_each_of_its_findings_tells)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct iv_err err = {.text = ""};
    struct iv_triage_done done;
    const struct iv_triage suppress = {
        .verb = IV_TRIAGE_SUPPRESS, .reason = IV_STR("a drill"), .until = NOON + DAY};
    for (int i = 0; i < 3; i++) {
        put(&w, &used);
    }
    sum_up(&w);
    cr_assert(iv_ok(triage_incident(&w, &done, 0, suppress, &err)), "%s", err.text);
    cr_expect(eq(sz, done.changed, 3));
    int64_t ids = 0;
    cr_assert(iv_ok(iv_reader_waivers(w.reader, 0, 10, see_waiver, &ids, &err)));
    cr_expect(ids == 1, "one waiver: %lld", (long long)ids);
    for (unsigned number = 1; number <= 3; number++) {
        char uid[IV_UID_HEX + 1];
        (void)snprintf(uid, sizeof uid, "%064u", number);
        const struct iv_finding finding = {.uid = iv_str_of(uid),
                                           .rule = IV_STR("TOK-002"),
                                           .tenant = IV_STR("acme"),
                                           .agent = IV_STR("a"),
                                           .detected = NOON,
                                           .triage = IV_TRIAGE_SUPPRESSED};
        ids = 0;
        cr_assert(iv_ok(iv_reader_waiver_of(w.reader, &finding, see_waiver, &ids, &err)));
        cr_expect(ids == 1, "finding %u", number);
    }
}

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
