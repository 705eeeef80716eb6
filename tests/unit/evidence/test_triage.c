/* SPDX-License-Identifier: Apache-2.0 */
/* What people do with findings, each for itself or an incident's as one. */
#include "unit/evidence/incident_world.h"

#include <criterion/new/assert.h>

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

Test(triage, what_is_done_next_reaches_all_that_was_changed_by_what_an_incident_is_told)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    struct iv_err err = {.text = ""};
    struct iv_triage_done done;
    for (int i = 0; i < 3; i++) {
        put(&w, &used);
    }
    sum_up(&w);
    cr_assert(iv_ok(triage(&w, 2, (struct iv_triage){.verb = IV_TRIAGE_ACKNOWLEDGE}, &err)));
    cr_assert(iv_ok(triage_incident(&w, &done, 4, (struct iv_triage){.verb = IV_TRIAGE_ACKNOWLEDGE}, &err)));
    cr_expect(eq(sz, done.changed, 2));
    cr_expect(done.seq == 6, "1 and 3 are 5 and 6: %lld", (long long)done.seq);
    put(&w, &used);
    cr_assert(iv_ok(triage_incident(&w, &done, done.seq, (struct iv_triage){.verb = IV_TRIAGE_CLOSE}, &err)));
    cr_expect(eq(sz, done.changed, 3), "and not what came in later");
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
