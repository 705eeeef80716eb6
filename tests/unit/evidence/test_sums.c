/* SPDX-License-Identifier: Apache-2.0 */
/* Every figure that the console shows of findings, against a recount of the rows, under random changes: new
 * findings, findings that become something else, what people make of them, sums taken now or later. Set
 * IV_SEED to repeat a run. */
#include "base/clock.h"
#include "base/guard.h"
#include "evidence/incident.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "evidence/sums.h"
#include "evidence/triage.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY (86400 * IV_NS_PER_S)
#define NOON (20000 * DAY + DAY / 2)

enum { FINDINGS_MAX = 300, CHANGES = 400, LOOK_EVERY = 50 };

static const char *const rules[] = {"TOK-001", "TOK-002", "ISO-001"};
static const char *const tenants[] = {"acme", "globex"};
static const char *const agents[] = {"a", "b", "c"};

struct made {
    const char *rule;
    const char *tenant;
    const char *agent;
    iv_ns time;
};

struct trial {
    struct scratch dir;
    struct iv_store *store;
    struct iv_reader *reader;
    sqlite3 *raw;
    uint64_t dice;
    uint64_t seed;
    struct made made[FINDINGS_MAX];
    unsigned count;
};

static unsigned roll(struct trial *t, unsigned sides)
{
    t->dice = t->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(t->dice >> 33) % sides;
}

static void trial_init(struct trial *t, uint64_t seed)
{
    struct iv_err err = {.text = ""};
    *t = (struct trial){.dir = scratch_make(), .dice = seed, .seed = seed};
    const char *path = scratch_file(&t->dir, "s.db").p;
    cr_assert(iv_ok(iv_store_open(&t->store, iv_str_of(path), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_reader_open(&t->reader, iv_str_of(path), &err)), "%s", err.text);
    cr_assert(sqlite3_open_v2(path, &t->raw, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
}

static void trial_deinit(struct trial *t)
{
    (void)sqlite3_close(t->raw);
    iv_reader_close(t->reader);
    iv_store_close(t->store);
    scratch_remove(&t->dir);
}

static void commit(struct trial *t, struct iv_rc_s rc, struct iv_err *err)
{
    if (iv_ok(rc)) {
        cr_assert(iv_ok(iv_store_commit(t->store, err)), "%s", err->text);
    } else {
        iv_store_rollback(t->store);
    }
}

/* A rule has one, and with it all that it found. */
static enum iv_severity severity_of(const char *rule)
{
    return rule[0] == 'I' ? IV_SEV_CRITICAL : rule[6] == '1' ? IV_SEV_HIGH : IV_SEV_LOW;
}

/* A new finding, or one of before that is something else now. */
static void put(struct trial *t, unsigned number)
{
    static const enum iv_verdict_kind kinds[] = {IV_VIOLATED, IV_VIOLATED,     IV_VIOLATED,
                                                 IV_UPDATED,  IV_INCONCLUSIVE, IV_CONTRADICTED};
    const struct made *m = &t->made[number];
    struct iv_err err = {.text = ""};
    char uid[IV_UID_HEX + 1];
    enum iv_put how;
    (void)snprintf(uid, sizeof uid, "%064u", number);
    const struct iv_finding f = {.uid = iv_str_of(uid),
                                 .kind = kinds[roll(t, IV_COUNT(kinds))],
                                 .rule = iv_str_of(m->rule),
                                 .title = IV_STR("Token used after it was revoked"),
                                 .severity = severity_of(m->rule),
                                 .suppressed = roll(t, 8) == 0,
                                 .criteria = IV_STR("CC6.1"),
                                 .tenant = iv_str_of(m->tenant),
                                 .agent = iv_str_of(m->agent),
                                 .trigger_id = iv_str_of(uid),
                                 .time = m->time,
                                 .detected = m->time,
                                 .ocsf = IV_STR("{}")};
    cr_assert(iv_ok(iv_store_begin(t->store, &err)));
    commit(t, iv_store_put_finding(t->store, &how, &f, &err), &err);
}

static void put_new(struct trial *t)
{
    if (t->count < FINDINGS_MAX) {
        t->made[t->count] = (struct made){rules[roll(t, 3)], tenants[roll(t, 2)], agents[roll(t, 3)],
                                          NOON - (iv_ns)roll(t, 20 * 86400) * IV_NS_PER_S};
        put(t, t->count++);
    }
}

/* What the state does not allow is refused, and changes nothing. */
static void triage(struct trial *t, unsigned number)
{
    static const enum iv_triage_verb verbs[] = {IV_TRIAGE_ACKNOWLEDGE, IV_TRIAGE_ASSIGN, IV_TRIAGE_COMMENT,
                                                IV_TRIAGE_CLOSE,       IV_TRIAGE_REOPEN, IV_TRIAGE_SUPPRESS};
    struct iv_err err = {.text = ""};
    char uid[IV_UID_HEX + 1];
    (void)snprintf(uid, sizeof uid, "%064u", number);
    const struct iv_triage change = {.finding = iv_str_of(uid),
                                     .verb = verbs[roll(t, IV_COUNT(verbs))],
                                     .who = IV_STR("carol"),
                                     .assignee = IV_STR("mira"),
                                     .at = NOON,
                                     .until = NOON + DAY};
    cr_assert(iv_ok(iv_store_begin(t->store, &err)));
    commit(t, iv_store_triage(t->store, &change, &err), &err);
}

static void sum_up(struct trial *t)
{
    struct iv_err err = {.text = ""};
    for (bool more = true; more;) {
        cr_assert(iv_ok(iv_store_begin(t->store, &err)));
        cr_assert(iv_ok(iv_sums_take(t->store, &more, &err)), "%s", err.text);
        cr_assert(iv_ok(iv_store_commit(t->store, &err)));
    }
}

/* One figure of the rows themselves; the parameters stand for ?1, ?2 … */
static double recount(struct trial *t, const char *select, const struct iv_str *texts, size_t count)
{
    sqlite3_stmt *stmt = NULL;
    cr_assert(sqlite3_prepare_v2(t->raw, select, -1, &stmt, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(t->raw));
    for (size_t i = 0; i < count; i++) {
        (void)sqlite3_bind_text(stmt, (int)i + 1, texts[i].p, (int)texts[i].n, SQLITE_TRANSIENT);
    }
    cr_assert(sqlite3_step(stmt) == SQLITE_ROW, "%s", sqlite3_errmsg(t->raw));
    double figure = sqlite3_column_double(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return figure;
}

static void same(struct trial *t, const char *what, double told, double there)
{
    cr_assert(fabs(told - there) < 0.00051, "IV_SEED=%llu, %u findings, %s: %g, not %g",
              (unsigned long long)t->seed, t->count, what, told, there);
}

#define LIVE "kind < 4 AND suppressed = 0 AND state < 2"
#define OF_INCIDENT " FROM findings WHERE kind >= 2 AND rule = ?1 AND tenant = ?2 AND agent = ?3"

struct seen {
    struct trial *t;
    iv_ns from; /* of a period */
    iv_ns until;
    double rows;
    double sum;
};

static bool see_incident(void *ctx, const struct iv_incident *i)
{
    struct seen *s = ctx;
    const struct iv_str key[] = {i->rule, i->tenant, i->agent};
    struct iv_err err = {.text = ""};
    int64_t sparks[IV_SPARKS];
    double sparked = 0;
    same(s->t, "an incident's count", (double)i->count, recount(s->t, "SELECT count(*)" OF_INCIDENT, key, 3));
    same(s->t, "what stands of it", (double)i->live,
         recount(s->t, "SELECT total(" LIVE ")" OF_INCIDENT, key, 3));
    same(s->t, "what is waived of it", (double)i->waived,
         recount(s->t, "SELECT total(suppressed = 1 OR state = 3)" OF_INCIDENT, key, 3));
    same(s->t, "its last event", (double)i->last, recount(s->t, "SELECT max(time)" OF_INCIDENT, key, 3));
    same(s->t, "when it was first found", (double)i->detected,
         recount(s->t, "SELECT min(detected)" OF_INCIDENT, key, 3));
    cr_assert(iv_ok(iv_reader_sparks(s->t->reader, sparks, i->id, NOON - 30 * DAY, NOON + DAY, &err)));
    for (size_t k = 0; k < IV_SPARKS; k++) {
        sparked += (double)sparks[k];
    }
    same(s->t, "its course", sparked, (double)i->count);
    s->rows++;
    s->sum += (double)i->count;
    return true;
}

/* Of a period that begins and ends anywhere. */
static bool see_incident_of_period(void *ctx, const struct iv_incident *i)
{
    struct seen *s = ctx;
    const struct iv_str key[] = {i->rule, i->tenant, i->agent};
    struct iv_err err = {.text = ""};
    int64_t sparks[IV_SPARKS];
    char select[256];
    iv_ns bar = (s->until / IV_SPARKS - s->from / IV_SPARKS) + 1;
    (void)snprintf(select, sizeof select, "SELECT count(*)" OF_INCIDENT " AND time >= %lld AND time < %lld",
                   (long long)s->from, (long long)s->until);
    same(s->t, "an incident's count of a period", (double)i->count, recount(s->t, select, key, 3));
    cr_assert(iv_ok(iv_reader_sparks(s->t->reader, sparks, i->id, s->from, s->until, &err)));
    for (int k = 0; k < IV_SPARKS; k++) {
        iv_ns begin = s->from + k * bar;
        iv_ns end = begin + bar < s->until ? begin + bar : s->until;
        (void)snprintf(select, sizeof select,
                       "SELECT count(*)" OF_INCIDENT " AND time >= %lld AND time < %lld", (long long)begin,
                       (long long)end);
        same(s->t, "a bar of its course", (double)sparks[k], recount(s->t, select, key, 3));
    }
    s->rows++;
    return true;
}

static void look_at_incidents_of_a_period(struct trial *t)
{
    struct iv_err err = {.text = ""};
    struct seen s = {.t = t};
    char select[256];
    s.from = NOON - (iv_ns)roll(t, 20 * 86400) * IV_NS_PER_S - (iv_ns)roll(t, 1000000);
    s.until = s.from + 1 + (iv_ns)roll(t, 3 * 86400) * IV_NS_PER_S;
    const struct iv_finding_filter filter = {.from = s.from, .until = s.until, .limit = 500};
    cr_assert(iv_ok(iv_reader_incidents(t->reader, &filter, see_incident_of_period, &s, &err)), "%s",
              err.text);
    (void)snprintf(select, sizeof select,
                   "SELECT count(*) FROM (SELECT DISTINCT rule, tenant, agent FROM findings WHERE kind >= 2"
                   " AND time >= %lld AND time < %lld)",
                   (long long)s.from, (long long)s.until);
    same(t, "incidents of a period", s.rows, recount(t, select, NULL, 0));
}

static void look_at_incidents(struct trial *t)
{
    struct seen s = {.t = t};
    struct iv_err err = {.text = ""};
    const struct iv_finding_filter all = {.limit = 500};
    cr_assert(iv_ok(iv_reader_incidents(t->reader, &all, see_incident, &s, &err)), "%s", err.text);
    same(t, "incidents", s.rows,
         recount(t,
                 "SELECT count(*) FROM (SELECT DISTINCT rule, tenant, agent FROM findings WHERE kind >= 2)",
                 NULL, 0));
}

#define OF_AGENT " FROM findings WHERE kind >= 2 AND tenant = ?1 AND agent = ?2"

static bool see_agent(void *ctx, const struct iv_fleet_item *item)
{
    struct seen *s = ctx;
    const struct iv_str key[] = {item->tenant, item->agent};
    char select[256];
    same(s->t, "an agent's findings", (double)item->findings,
         recount(s->t, "SELECT count(*)" OF_AGENT, key, 2));
    for (int severity = 0; severity <= IV_SEV_CRITICAL; severity++) {
        (void)snprintf(select, sizeof select, "SELECT total(" LIVE " AND severity = %d)" OF_AGENT, severity);
        same(s->t, "what stands by severity", (double)item->live[severity], recount(s->t, select, key, 2));
    }
    /* Whole days, each a half: 20000 is the day of NOON. It is told to the thousandth. */
    same(s->t, "an agent's risk", item->risk,
         recount(s->t,
                 "SELECT total((" LIVE ") * CASE severity WHEN 4 THEN 10.0 WHEN 3 THEN 5.0 WHEN 2 THEN 2.0"
                 " WHEN 1 THEN 1.0 ELSE 0.0 END / (1 << (20000 - time / 86400000000000)))" OF_AGENT,
                 key, 2));
    s->rows++;
    return true;
}

static void look_at_the_fleet(struct trial *t)
{
    struct seen s = {.t = t};
    struct iv_err err = {.text = ""};
    const struct iv_fleet_filter filter = {.day = NOON / DAY, .limit = 500};
    cr_assert(iv_ok(iv_reader_fleet(t->reader, &filter, see_agent, &s, &err)), "%s", err.text);
    same(t, "agents", s.rows,
         recount(t, "SELECT count(*) FROM (SELECT DISTINCT tenant, agent FROM findings WHERE kind >= 2)",
                 NULL, 0));
}

static bool see_live(void *ctx, struct iv_str rule, int64_t live)
{
    struct seen *s = ctx;
    same(s->t, "what stands of a rule", (double)live,
         recount(s->t, "SELECT total(" LIVE ") FROM findings WHERE kind >= 2 AND rule = ?1", &rule, 1));
    s->sum += (double)live;
    return true;
}

static bool see_count(void *ctx, const struct iv_finding_count *c)
{
    struct seen *s = ctx;
    s->sum += (double)c->count * (1 + (double)c->severity) * (c->suppressed ? 7 : 1) * (double)c->rule.p[0];
    return true;
}

/* Each finding weighs what it is, so that none is taken for another kind of one. */
#define WEIGHED "SELECT total((1 + severity) * (1 + 6 * suppressed) * unicode(rule)) FROM findings"

/* Posture's figures, of a period that begins and ends anywhere, and those of the status. They hold whether
 * the sums are up to date or not. */
static void look_at_counts(struct trial *t)
{
    struct iv_err err = {.text = ""};
    iv_ns from = NOON - (iv_ns)roll(t, 20 * 86400) * IV_NS_PER_S;
    iv_ns until = from + (iv_ns)roll(t, 10 * 86400) * IV_NS_PER_S;
    char select[256];
    struct seen all = {.t = t};
    struct seen some = {.t = t};
    cr_assert(iv_ok(iv_reader_counts(t->reader, see_count, &all, &err)), "%s", err.text);
    same(t, "all findings", all.sum, recount(t, WEIGHED, NULL, 0));
    cr_assert(iv_ok(iv_reader_counts_of(t->reader, from, until, see_count, &some, &err)), "%s", err.text);
    (void)snprintf(select, sizeof select, WEIGHED " WHERE time >= %lld AND time < %lld", (long long)from,
                   (long long)until);
    same(t, "findings of a period", some.sum, recount(t, select, NULL, 0));
}

static void look_at_all(struct trial *t)
{
    struct iv_err err = {.text = ""};
    struct seen live = {.t = t};
    look_at_counts(t);
    sum_up(t);
    look_at_counts(t);
    look_at_incidents(t);
    look_at_incidents_of_a_period(t);
    look_at_the_fleet(t);
    cr_assert(iv_ok(iv_reader_live(t->reader, see_live, &live, &err)), "%s", err.text);
    same(t, "what stands", live.sum,
         recount(t, "SELECT total(" LIVE ") FROM findings WHERE kind >= 2", NULL, 0));
}

static void change(struct trial *t)
{
    unsigned what = roll(t, 10);
    unsigned number = roll(t, t->count);
    if (what < 4) {
        put_new(t);
    } else if (what < 6) {
        put(t, number);
    } else if (what < 9) {
        triage(t, number);
    } else {
        sum_up(t);
    }
}

static void run(uint64_t seed)
{
    IV_AUTO(trial_deinit) struct trial t;
    trial_init(&t, seed);
    put_new(&t);
    for (int i = 1; i <= CHANGES; i++) {
        change(&t);
        if (i % LOOK_EVERY == 0) {
            look_at_all(&t);
        }
    }
}

Test(sums, every_figure_is_that_of_the_rows_whatever_becomes_of_them)
{
    run(1);
}

Test(sums, so_it_is_with_a_fresh_seed)
{
    struct iv_clock clock = iv_clock_system();
    const char *from = getenv("IV_SEED"); /* tests may */
    uint64_t seed = from != NULL ? strtoull(from, NULL, 10) : (uint64_t)iv_wall(&clock) % 1000000;
    (void)printf("IV_SEED=%llu\n", (unsigned long long)seed);
    run(seed);
}
