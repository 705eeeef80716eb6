/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots that are damaged, and baselines that change between a snapshot and its restore. */
#include "stage.h"

#include "base/buf.h"
#include "base/guard.h"
#include "base/hash.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define RULE(id, text) "- {id: " id ", title: t, severity: low, criteria: [CC7.2], " text "}\n"
#define NEEDS_A_AFTER "on: {event: d.a, as: a}, require: {with: {event: d.b, as: b, by: k, after: 5s}}"
#define NEEDS_A_BEFORE "on: {event: d.a, as: a}, require: {with: {event: d.b, as: b, by: k, before: 5s}}"
#define FORBIDS_BOTH "on: {event: d.a, as: a}, forbid: {with: {event: d.b, as: b, by: k, within: 60s}}"
#define LATE "streams: {telemetry: {lateness: 60s}, ledger: {lateness: 60s}}\n"
#define MASKS 3

/* Something of everything. */
static const char rules_of_all_kinds[] = RULE("REQ-1", NEEDS_A_AFTER) RULE("FOR-1", FORBIDS_BOTH)
    RULE("FOR-2", "on: {event: d.a, as: a}, forbid: {with: {event: d.b, as: b, by: k, until: a.t}}")
        RULE("LIM-1", "on: {event: d.a}, limit: {by: k, window: 9s, sum: {of: n, max: 3}}")
            RULE("LIM-2", "on: {event: d.a}, limit: {by: k, window: 9s, count: {max: 1}}")
                RULE("SAM-1", "on: {event: d.a}, same: {by: k, value: v, within: 9s}")
                    RULE("TRE-1", "on: {event: l.b, as: a}, require: {with: {stream: ledger, by: ledger_id, "
                                  "before: 1h}, tree: a.v}");
static void play_some(struct stage *s)
{
    static const char *const lines[] = {
        "open T0",
        "open L0",
        "T0 1s d.a a1 k=x v=1 n=2 t=9s",
        "T0 2s d.a a2 k=x v=2 n=2 t=9s tenant=acme",
        "T0 2s d.a a2 k=x v=2 n=3 t=9s tenant=acme",
        "L0 0s l.a l0 k=x",
        "L0 3s l.a l1 k=x",
        "L0 90s l.a l2 k=x",
        "L0 4s l.a l3 k=x",
        "T0 3s d.b b1 k=z",
        "T0 9s d.c c1 k=x",
        "L0 9s l.b l4 k=x v=none",
    };
    for (size_t i = 0; i < IV_COUNT(lines); i++) {
        stage_line(s, iv_str_of(lines[i]));
    }
    stage_forget(s);
}

static void go_on(struct stage *s)
{
    static const char *const lines[] = {"T0 3s d.b b2 k=x",
                                        "T0 10s d.a a3 k=x v=1 n=1 t=12s",
                                        "T0 10s d.a a1 k=x v=1 n=2 t=9s",
                                        "T1 11s d.b b3 k=x",
                                        "idle L0 500s",
                                        "idle T0 500s",
                                        "idle T1 700s",
                                        "T0 600s d.a a4 k=x v=1",
                                        "L0 600s l.a l3 k=x",
                                        "T0 100000s d.b b4 k=x",
                                        "end"};
    for (size_t i = 0; i < IV_COUNT(lines); i++) {
        stage_line(s, iv_str_of(lines[i]));
        stage_forget(s);
    }
}

static void seal(struct iv_buf *bytes)
{
    size_t n = bytes->n - 16;
    struct iv_hash128 sum = iv_hash128((struct iv_hash_key){0}, (struct iv_str){bytes->p, n});
    memcpy(bytes->p + n, &sum, sizeof sum);
}

static struct iv_buf snapshot_of(struct stage *s)
{
    struct iv_buf bytes;
    iv_buf_init(&bytes, 1u << 20);
    stage_snapshot(s, &bytes);
    return bytes;
}

Test(snapshot, with_a_byte_that_is_wrong_is_refused_wherever_it_stands)
{
    IV_AUTO(stage_freep) struct stage *s = stage_new(LATE, rules_of_all_kinds);
    play_some(s);
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes = snapshot_of(s);
    struct iv_err err;

    for (size_t i = 0; i < bytes.n; i++) {
        bytes.p[i] ^= (char)(1u << (i % 8));
        struct iv_rc_s rc = stage_restore(s, iv_buf_slice(&bytes), &err);
        cr_assert(rc.code == IV_E_MALFORMED, "byte %zu of %zu", i, bytes.n);
        bytes.p[i] ^= (char)(1u << (i % 8));
    }
    cr_expect(iv_ok(stage_restore(s, iv_buf_slice(&bytes), &err)));
}

Test(snapshot, that_is_cut_short_or_goes_on_is_refused)
{
    IV_AUTO(stage_freep) struct stage *s = stage_new(LATE, rules_of_all_kinds);
    play_some(s);
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes = snapshot_of(s);
    struct iv_err err;

    for (size_t n = 0; n < bytes.n; n++) {
        struct iv_rc_s rc = stage_restore(s, (struct iv_str){bytes.p, n}, &err);
        cr_assert(rc.code == IV_E_MALFORMED, "%zu of %zu bytes", n, bytes.n);
    }
    iv_buf_char(&bytes, 0);
    cr_expect(stage_restore(s, iv_buf_slice(&bytes), &err).code == IV_E_MALFORMED);
}

Test(snapshot, of_another_version_is_refused_with_both_numbers)
{
    IV_AUTO(stage_freep) struct stage *s = stage_new("", rules_of_all_kinds);
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes = snapshot_of(s);
    struct iv_err err;

    bytes.p[8] = 7;
    seal(&bytes);
    cr_expect(stage_restore(s, iv_buf_slice(&bytes), &err).code == IV_E_MALFORMED);
    cr_expect(strstr(err.text, "version 7") != NULL, "%s", err.text);
}

/* A sum keeps out accidents, not intent: what passes it is checked piece by piece. */
Test(snapshot, that_lies_under_a_right_sum_never_breaks_the_engine, .timeout = 110)
{
    static const unsigned char masks[MASKS] = {0x01, 0x80, 0xff};
    IV_AUTO(stage_freep) struct stage *s = stage_new(LATE, rules_of_all_kinds);
    play_some(s);
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes = snapshot_of(s);
    struct iv_err err;
    size_t taken = 0;

    for (size_t i = 0; i < MASKS * bytes.n; i++) {
        bytes.p[i / MASKS] ^= (char)masks[i % MASKS];
        seal(&bytes);
        struct iv_rc_s rc = stage_restore(s, iv_buf_slice(&bytes), &err);
        if (iv_ok(rc)) {
            go_on(s);
            taken++;
        } else {
            cr_assert(rc.code == IV_E_MALFORMED, "byte %zu: %s", i / MASKS, err.text);
        }
        bytes.p[i / MASKS] ^= (char)masks[i % MASKS];
    }
    cr_expect(taken > 0);
}

/* A script under one baseline, then another baseline, then the rest. */
static void across(const char *settings, const char *rules, const char *before, const char *new_settings,
                   const char *new_rules, const char *after)
{
    IV_AUTO(stage_freep) struct stage *s = stage_new(settings, rules);
    stage_play(s, before);
    stage_forget(s);
    stage_reload(s, new_settings, new_rules);
    stage_play(s, after);
}

Test(reload, a_rule_that_has_not_changed_knows_what_came_before)
{
    across("", RULE("AA-1", NEEDS_A_AFTER) RULE("BB-1", FORBIDS_BOTH), "open T0\nT0 1s d.a a1 k=x\n", "",
           RULE("NEW-1", "on: {event: d.c}, forbid: {}") RULE("BB-1", FORBIDS_BOTH)
               RULE("AA-1", NEEDS_A_AFTER),
           "armed 1\nT0 2s d.b b1 k=x\n= violated BB-1 a1 [b1]\narmed 0\nkept 1\n"
           "T0 3s d.c c1\n= violated NEW-1 c1\n");
}

Test(reload, a_rule_that_has_changed_convicts_on_what_has_come_since)
{
    across("", RULE("BB-1", FORBIDS_BOTH), "open T0\nT0 1s d.a a1 k=x\nT0 1s d.b b1 k=y\n", "",
           RULE("BB-1", "on: {event: d.a, as: a}, "
                        "forbid: {with: {event: d.b, as: b, by: k, within: 59s}}"),
           "T0 2s d.b b2 k=x\nT0 2s d.a a2 k=y\nT0 3s d.b b3 k=y\n= violated BB-1 a2 [b3]\n");
}

Test(reload, a_changed_require_whose_window_reaches_behind_it_is_inconclusive)
{
    across("", RULE("AA-1", "on: {event: d.a}, forbid: {}"), "open T0\nT0 8s d.b b1 k=x\n", "",
           RULE("AA-1", NEEDS_A_BEFORE),
           "T0 10s d.a a1 k=x\nT0 11s d.c c1\n= inconclusive AA-1 a1\n"
           "T0 16s d.a a2 k=x\nT0 17s d.a a3 k=x\n= violated AA-1 a2\n");
}

Test(reload, the_time_of_an_event_from_before_is_behind_the_moment)
{
    /* b1 may stand for an event at 8s that came before: only behind 8s is everything seen. */
    across(LATE, RULE("AA-1", "on: {event: d.a}, forbid: {}"), "open T0\nT0 8s d.b b1 k=x\n", LATE,
           RULE("AA-1", NEEDS_A_BEFORE),
           "T0 1s d.c c0\nT0 12s d.a a1 k=x\nT0 14s d.a a2 k=x\nT0 100s d.c c1\n"
           "= inconclusive AA-1 a1\n= violated AA-1 a2\n");
}

Test(reload, what_waits_for_a_rule_that_is_gone_is_dropped)
{
    across("", RULE("AA-1", NEEDS_A_AFTER) RULE("BB-1", NEEDS_A_AFTER),
           "open T0\nT0 1s d.a a1 k=x\narmed 2\n", "", RULE("BB-1", NEEDS_A_AFTER),
           "armed 1\nT0 100s d.c c1\n= violated BB-1 a1\n");
}

Test(reload, words_modes_and_waivers_hold_at_once_and_reset_nothing)
{
    across("", RULE("AA-1", NEEDS_A_AFTER), "open T0\nT0 1s d.a a1 k=x\n",
           "waivers: [{rule: AA-1, match: {agent: \"*\"}, reason: r, by: b, until: 2027-01-01T00:00:00Z}]\n"
           "mode: observe\nidle: 9s\n",
           "- {id: AA-1, title: other words, description: d, severity: high, criteria: [CC6.1], mode: "
           "enforce, " NEEDS_A_AFTER "}\n",
           "T0 2s d.a a2 k=y agent=me\nT0 100s d.c c1\n= violated AA-1 a1 [] until 6s\n"
           "= violated AA-1 a2 [] waived until 7s\n");
}

Test(reload, a_repetition_of_what_came_before_is_one_still)
{
    across(
        "", RULE("AA-1", "on: {event: d.a}, forbid: {}"), "open T0\nT0 1s d.a a1 k=x\n= violated AA-1 a1\n",
        "", RULE("AA-1", "on: {event: [d.a]}, forbid: {}"),
        "T0 1s d.a a1 k=x\nduplicates 1\nT0 1s d.a a1 k=other\n= violated EVT-001 a1\n= violated AA-1 a1\n");
}

Test(reload, a_longer_dedup_does_not_know_what_was_forgotten)
{
    across("dedup: 1s\n", RULE("AA-1", "on: {event: d.a}, forbid: {}"),
           "open T0\nT0 1s d.a a1 k=x\n= violated AA-1 a1\nT0 10s d.c c1\nT0 10s d.c c2\nT0 10s d.c c3\n",
           "dedup: 60s\n", RULE("AA-1", "on: {event: d.a}, forbid: {}"),
           "T0 1s d.a a1 k=x\nduplicates 0\nlate 1\nT0 9500ms d.c c4\nT0 9500ms d.c c4\nduplicates 1\n");
}

Test(reload, a_field_or_type_that_is_gone_takes_nothing_else_with_it)
{
    across("", RULE("AA-1", NEEDS_A_AFTER), "open T0\nT0 1s d.a a1 k=x\nT0 1s d.c c1 k=x\nlive 2\n",
           "parameters: {never: {read: 1s}}\n", RULE("AA-1", NEEDS_A_AFTER),
           "T0 100s d.c c2\n= violated AA-1 a1\n");
}

Test(reload, twice_the_first_moment_counts_for_what_changed_first)
{
    IV_AUTO(stage_freep) struct stage *s = stage_new("", RULE("AA-1", "on: {event: d.a}, forbid: {}"));
    stage_play(s, "open T0\nT0 1s d.b b1 k=x\n");
    stage_reload(s, "", RULE("AA-1", NEEDS_A_BEFORE));
    stage_play(s, "T0 10s d.b b2 k=y\nT0 11s d.b b3 k=z\n");
    stage_reload(s, "", RULE("AA-1", NEEDS_A_BEFORE) RULE("BB-1", NEEDS_A_BEFORE));
    stage_play(s,
               "restore\nT0 16s d.a a1 k=q\nT0 17s d.c c1\n= violated AA-1 a1 []\n= inconclusive BB-1 a1\n");
}

Test(reload, before_the_first_event_has_missed_nothing)
{
    across("", RULE("AA-1", "on: {event: d.a}, forbid: {}"), "open T0\n", "", RULE("AA-1", NEEDS_A_BEFORE),
           "T0 1s d.a a1 k=x\nT0 2s d.c c1\n= violated AA-1 a1\n");
}
