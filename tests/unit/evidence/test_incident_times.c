/* SPDX-License-Identifier: Apache-2.0 */
/* How long an incident took to detect, to act on and to contain: from what is in the store, or why not. */
#include "base/guard.h"
#include "evidence/incident_times.h"
#include "evidence/sums.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define T0 INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */
#define S IV_NS_PER_S

struct world {
    struct scratch dir;
    struct iv_store *store;
    struct iv_reader *reader;
    unsigned made;
};

static void world_init(struct world *w)
{
    *w = (struct world){.dir = scratch_make()};
    cr_assert(iv_ok(iv_store_open(&w->store, scratch_file(&w->dir, "s.db"), NULL)));
    cr_assert(iv_ok(iv_reader_open(&w->reader, scratch_file(&w->dir, "s.db"), NULL)));
}

static void world_deinit(struct world *w)
{
    iv_reader_close(w->reader);
    iv_store_close(w->store);
    scratch_remove(&w->dir);
}

static void name(char uid[IV_UID_HEX + 1], unsigned number)
{
    (void)snprintf(uid, IV_UID_HEX + 1, "%064u", number);
}

/* Of TOK-002 by agent-7 of acme: an event, and when it was found. */
static void find(struct world *w, unsigned number, iv_ns time, iv_ns detected)
{
    char uid[IV_UID_HEX + 1];
    enum iv_put how;
    name(uid, number);
    const struct iv_finding f = {.uid = iv_str_of(uid),
                                 .kind = IV_VIOLATED,
                                 .rule = IV_STR("TOK-002"),
                                 .title = IV_STR("Token used after it was revoked"),
                                 .severity = IV_SEV_CRITICAL,
                                 .criteria = IV_STR("CC6.1"),
                                 .tenant = IV_STR("acme"),
                                 .agent = IV_STR("agent-7"),
                                 .time = time,
                                 .detected = detected,
                                 .ocsf = IV_STR("{}")};
    bool more = true;
    cr_assert(iv_ok(iv_store_begin(w->store, NULL)));
    cr_assert(iv_ok(iv_store_put_finding(w->store, &how, &f, NULL)));
    while (more) {
        cr_assert(iv_ok(iv_sums_take(w->store, &more, NULL)));
    }
    cr_assert(iv_ok(iv_store_commit(w->store, NULL)));
}

struct run {
    enum iv_run_state state;
    bool observed;
    unsigned finding; /* 0: none of these, another rule's */
    iv_ns planned;    /* these three: seconds behind T0 */
    iv_ns started;
    iv_ns finished;
};

static iv_ns moment(iv_ns seconds)
{
    return seconds == 0 ? 0 : T0 + seconds * S;
}

static void answer(struct world *w, const struct run *run)
{
    char key[IV_UID_HEX + 1];
    char uid[IV_UID_HEX + 1];
    bool fresh = false;
    name(key, 1000 + ++w->made);
    name(uid, run->finding == 0 ? 999 : run->finding);
    const struct iv_execution e = {.key = iv_str_of(key),
                                   .finding = iv_str_of(uid),
                                   .playbook = iv_str_of(key),
                                   .title = IV_STR("t"),
                                   .tactic = IV_TACTIC_EVICT,
                                   .target = IV_STR("t-1"),
                                   .rule = run->finding == 0 ? IV_STR("ISO-001") : IV_STR("TOK-002"),
                                   .severity = IV_SEV_CRITICAL,
                                   .tenant = IV_STR("acme"),
                                   .agent = IV_STR("agent-7"),
                                   .baseline = IV_STR("b"),
                                   .observed = run->observed,
                                   .state = run->state,
                                   .event_time = T0,
                                   .planned = moment(run->planned),
                                   .started = moment(run->started),
                                   .finished = moment(run->finished)};
    cr_assert(iv_ok(iv_store_begin(w->store, NULL)));
    cr_assert(iv_ok(iv_store_plan(w->store, &fresh, &e, NULL, 0, NULL)));
    cr_assert(iv_ok(iv_store_commit(w->store, NULL)));
    cr_assert(fresh);
}

struct seen {
    struct world *w;
    struct iv_incident_times times;
    int count;
};

static bool see(void *ctx, const struct iv_incident *i)
{
    struct seen *s = ctx;
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    s->count++;
    cr_assert(iv_ok(iv_reader_open(&reader, scratch_file(&s->w->dir, "s.db"), NULL)));
    cr_assert(iv_ok(iv_reader_incident_times(reader, &s->times, i, NULL)));
    return true;
}

static struct iv_incident_times times(struct world *w)
{
    struct seen s = {.w = w};
    const struct iv_finding_filter filter = {.rule = IV_STR("TOK-002")};
    cr_assert(iv_ok(iv_reader_incidents(w->reader, &filter, see, &s, NULL)));
    cr_assert_eq(s.count, 1);
    return s.times;
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const struct {
    const char *what;
    struct run runs[3];
    iv_ns acted;
    iv_ns contained;
    const char *not_acted;
    const char *not_contained;
} rows[] = {
    {"nothing answers", {{0}}, 0, 0, "no-execution", "no-execution"},
    {"another rule's", {{IV_RUN_VERIFIED, false, 0, 20, 21, 22}}, 0, 0, "no-execution", "no-execution"},
    {"observed", {{IV_RUN_WITHHELD, true, 1, 20, 21, 22}}, 0, 0, "observed", "observed"},
    {"it waits", {{IV_RUN_WAITING, false, 1, 20, 0, 0}}, 0, 0, "not-begun", "under-way"},
    {"it runs", {{IV_RUN_RUNNING, false, 1, 20, 21, 0}}, 21, 0, NULL, "under-way"},
    {"refused", {{IV_RUN_REFUSED, false, 1, 20, 0, 22}}, 0, 0, "not-called", "failed"},
    {"done", {{IV_RUN_DONE, false, 1, 20, 21, 22}}, 21, 0, NULL, "not-proven"},
    {"verified", {{IV_RUN_VERIFIED, false, 1, 20, 21, 25}}, 21, 25, NULL, NULL},
    {"the last proof counts",
     {{IV_RUN_VERIFIED, false, 1, 20, 24, 40}, {IV_RUN_VERIFIED, false, 2, 20, 22, 30}},
     22,
     40,
     NULL,
     NULL},
    {"one of them fails",
     {{IV_RUN_VERIFIED, false, 1, 20, 24, 40}, {IV_RUN_FAILED, false, 2, 20, 22, 30}},
     22,
     0,
     NULL,
     "failed"},
    {"another takes over",
     {{IV_RUN_AMBIGUOUS, false, 1, 20, 22, 30}, {IV_RUN_VERIFIED, false, 1, 30, 31, 33}},
     22,
     33,
     NULL,
     NULL},
    {"an event is later than the proof", {{IV_RUN_VERIFIED, false, 1, 2, 3, 4}}, 3, 0, NULL, "found-since"},
};

Test(incident_times, are_those_of_its_findings_and_of_what_answers_them_or_have_a_reason)
{
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(world_deinit) struct world w;
        world_init(&w);
        find(&w, 1, T0, T0 + 2 * S);
        find(&w, 2, T0 + 10 * S, T0 + 11 * S);
        for (size_t k = 0; k < IV_COUNT(rows[i].runs) && rows[i].runs[k].planned > 0; k++) {
            answer(&w, &rows[i].runs[k]);
        }

        struct iv_incident_times t = times(&w);

        cr_expect(t.detected == T0 + 2 * S && t.detect == 2 * S, "%s", rows[i].what);
        cr_expect(t.acted == moment(rows[i].acted) && same(t.not_acted, rows[i].not_acted), "%s: %s",
                  rows[i].what, t.not_acted);
        cr_expect(t.act == (rows[i].acted == 0 ? -1 : (rows[i].acted - 2) * S), "%s", rows[i].what);
        cr_expect(t.contained == moment(rows[i].contained) && same(t.not_contained, rows[i].not_contained),
                  "%s: %s", rows[i].what, t.not_contained);
        cr_expect(t.contain == (rows[i].contained == 0 ? -1 : rows[i].contained * S), "%s", rows[i].what);
    }
}

Test(incident_times, are_those_of_an_execution_too_that_its_findings_have_joined)
{
    IV_AUTO(world_deinit) struct world w;
    char uid[IV_UID_HEX + 1];
    char key[IV_UID_HEX + 1];
    struct iv_arena arena;
    struct iv_execution host;
    enum iv_join joined = IV_JOIN_NOT;
    struct iv_err err = {.text = ""};
    world_init(&w);
    iv_arena_init(&arena, 0);
    find(&w, 1, T0, T0 + 2 * S);
    answer(&w, &(struct run){IV_RUN_VERIFIED, false, 0, 3, 4, 5});
    name(uid, 1);
    name(key, 1000 + w.made);
    const struct iv_execution planned = {.key = IV_STR("k"),
                                         .finding = iv_str_of(uid),
                                         .playbook = iv_str_of(key),
                                         .target = IV_STR("t-1"),
                                         .tenant = IV_STR("acme")};
    cr_assert(iv_ok(iv_store_begin(w.store, NULL)));
    cr_assert(iv_ok(iv_store_join(w.store, &joined, &host, &planned, T0, &arena, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_commit(w.store, NULL)));
    iv_arena_deinit(&arena);
    cr_assert_eq(joined, IV_JOIN_JOINED);

    struct iv_incident_times t = times(&w);

    cr_expect(t.acted == T0 + 4 * S && t.contained == T0 + 5 * S && t.contain == 5 * S);
}
