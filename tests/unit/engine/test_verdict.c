/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "base/guard.h"
#include "event/decode.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define RULE(id, body)                                                                                       \
    "- id: " id "\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: d.a, as: a}\n" body "\n"
#define LATE "streams: {telemetry: {lateness: 10m}, ledger: {lateness: 10m}}\n"

Test(verdict, a_waiver_marks_violations_and_undecided_ones_of_triggers_before_its_end)
{
    stage_script(
        "waivers:\n- {rule: VER-1, match: {agent: 'batch-*'}, reason: r, by: b, until: "
        "2026-01-01T00:00:10Z}\n"
        "- {rule: VER-2, match: {tenant: acme}, reason: r, by: b, until: 2027-01-01T00:00:00Z}\n",
        RULE("VER-1", "  forbid: {if: a.n > 3}")
            RULE("VER-2", "  require: {with: {event: d.b, as: b, by: k, after: 5s}}"),
        "T0 1s d.a a1 n=9 agent=batch-1\n= violated VER-1 a1 [] waived\n"
        "T0 2s d.a a2 n=9 agent=other\n= violated VER-1 a2 [] until\n"
        "T0 10s d.a a3 n=9 agent=batch-1\n= violated VER-1 a3 [] until\n"
        "T0 11s d.a a4 k=x tenant=acme\nT0 17s d.a a5 k=x tenant=acme\n= violated VER-2 a4 [] waived\n"
        "end\n= open VER-2 a5 [] waived\n");
}

Test(verdict, a_waiver_of_equivocations_goes_by_the_least_content)
{
    stage_script(
        LATE
        "waivers:\n- {rule: EVT-001, match: {tenant: acme}, reason: r, by: b, until: 2027-01-01T00:00:00Z}\n",
        RULE("VER-1", "  forbid: {if: a.n > 3}"),
        "T0 5s d.a a1 tenant=other\nT0 4s d.a a1 tenant=acme\n= violated EVT-001 a1 [a1 a1] waived\n"
        "T0 5s d.a a2 tenant=acme\nT0 5s d.a a2 tenant=other\n= violated EVT-001 a2 [a2 a2] waived\n"
        "T0 5s d.a a3 tenant=other\nT0 5s d.a a3 tenant=acme\n= violated EVT-001 a3 [a3 a3] waived\n");
}

Test(verdict, overrides_go_by_the_trigger)
{
    stage_script("parameters: {win: 5s, top: 3}\n"
                 "overrides:\n- match: {tenant: acme}\n  parameters: {win: 1s}\n"
                 "- match: {profile: big}\n  parameters: {top: 10, win: 60s}\n",
                 RULE("VER-1", "  require: {with: {event: d.b, as: b, by: k, after: baseline.win}}")
                     RULE("VER-2", "  forbid: {if: a.n > baseline.top}"),
                 "T0 1s d.a a1 k=x n=5\n= violated VER-2 a1\n"
                 "T0 1s d.a a2 k=x n=5 profile=big tenant=acme\n"
                 "T0 3s d.c c1\n= violated VER-1 a2 [] until 2s\n"
                 "T0 7s d.c c2\n= violated VER-1 a1 [] until 6s\n");
}

Test(verdict, its_uid_is_the_same_on_every_run_and_differs_by_rule_identity_and_content)
{
    static const char *const lines[] = {"T0 1s d.a a1 k=x", "T0 1s d.a a2 k=x", "T0 1s d.a a1 k=y",
                                        "T0 1s d.a a1 k=x source=z", "T0 1s d.a a1 k=x l=1"};
    unsigned char uids[2][IV_COUNT(lines) + 1][IV_UID_BYTES];
    IV_AUTO(stage_freep) struct stage *s = stage_new("", RULE("VER-1", "  forbid: {}"));
    IV_AUTO(stage_freep) struct stage *other = stage_new("", RULE("VER-2", "  forbid: {}"));
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < IV_COUNT(lines); i++) {
            bool malformed = strstr(lines[i], "l=") != NULL;
            stage_reset(s);
            stage_line(s, iv_str_of(malformed ? "T0 1s d.a a1 k=x s=z" : lines[i]));
            memcpy(uids[round][i], stage_uid(s), IV_UID_BYTES);
        }
        stage_reset(other);
        stage_line(other, iv_str_of(lines[0]));
        memcpy(uids[round][IV_COUNT(lines)], stage_uid(other), IV_UID_BYTES);
    }

    cr_expect_arr_eq(uids[0], uids[1], sizeof uids[0]);
    for (size_t i = 0; i <= IV_COUNT(lines); i++) {
        for (size_t j = 0; j < i; j++) {
            cr_expect_neq(memcmp(uids[0][i], uids[0][j], IV_UID_BYTES), 0, "%zu and %zu", i, j);
        }
    }
}

Test(verdict, its_uid_does_not_depend_on_whether_the_trigger_had_to_be_remembered)
{
    static const char rule[] = RULE(
        "VER-1",
        "  forbid: {with: {event: d.b, as: b, by: k, within: 1m}}") "- id: VER-3\n  title: t\n  severity: "
                                                                    "low\n  criteria: [CC7.2]\n  on: {event: "
                                                                    "l.a, as: a}\n"
                                                                    "  forbid: {with: {event: d.b, as: b, "
                                                                    "by: k, within: 1m}}\n";
    static const char *const triggers[] = {"T0 1s d.a a1 k=x n=7 u=0.5 d=1s t=3s agent=g",
                                           "L0 1s l.a a1 k=x n=7 u=0.5"};
    for (size_t i = 0; i < IV_COUNT(triggers); i++) {
        unsigned char uid[IV_UID_BYTES];
        IV_AUTO(stage_freep) struct stage *s = stage_new(LATE, rule);
        stage_line(s, iv_str_of(triggers[i]));
        stage_line(s, IV_STR("T0 2s d.b b1 k=x"));
        memcpy(uid, stage_uid(s), sizeof uid);
        cr_expect_gt(stage_said(s).n, 0);
        stage_reset(s);
        stage_line(s, IV_STR("T0 2s d.b b1 k=x"));
        stage_line(s, iv_str_of(triggers[i]));
        cr_expect_arr_eq(uid, stage_uid(s), sizeof uid, "row %zu", i);
    }
}

Test(verdict, shows_the_first_of_many_witnesses_and_how_many_there_are)
{
    IV_AUTO(stage_freep)
    struct stage *s = stage_new(
        LATE, RULE("VER-1", "  forbid: {with: {event: d.b, as: b, by: k, within: 1h}, at_least: 50}"));
    char line[64];
    for (int i = 0; i < 50; i++) {
        (void)snprintf(line, sizeof line, "T0 %ds d.b b%d k=x", 1000 - i, 99 - i);
        stage_line(s, iv_str_of(line));
    }

    stage_line(s, IV_STR("T0 1000s d.a a1 k=x"));

    struct iv_str said = stage_said(s);
    size_t spaces = 0;
    for (const char *p = memchr(said.p, '[', said.n); *p != ']'; p++) {
        spaces += *p == ' ' ? 1 : 0;
    }
    cr_expect(strncmp(said.p, "violated VER-1 a1 [b50 b51 b52 ", 31) == 0, "%s", said.p);
    cr_expect_eq(spaces, 31);
}

struct seen {
    struct iv_digest digest;
    struct iv_str agent;
    int64_t offset;
    char text[256];
};

static void look(void *ctx, const struct iv_verdict *v)
{
    struct seen *seen = ctx;
    const struct iv_val *slots = v->trigger.object.slots;
    seen->digest = v->trigger.digest;
    seen->offset = v->trigger.origin.offset;
    (void)snprintf(seen->text, sizeof seen->text,
                   IV_STR_FMT " " IV_STR_FMT " " IV_STR_FMT " " IV_STR_FMT "/%d",
                   IV_STR_ARG(v->trigger.source), IV_STR_ARG(iv_val_slice(slots[IV_ATTR_AGENT])),
                   IV_STR_ARG(v->trigger.type->name), IV_STR_ARG(v->trigger.origin.topic),
                   (int)v->trigger.origin.partition);
}

Test(verdict, a_remembered_trigger_is_shown_with_its_origin_digest_and_fields)
{
    static const char json[] =
        "{\"specversion\":\"1.0\",\"id\":\"h1\",\"source\":\"src\",\"type\":\"agent.heartbeat\","
        "\"time\":\"2026-01-01T00:00:00Z\",\"subject\":\"a7\",\"data\":{\"profile\":\"p\"}}";
    static char padded[sizeof json + IV_RECORD_PADDING];
    memcpy(padded, json, sizeof json);
    struct iv_err err;
    struct seen seen = {0};
    IV_AUTO(stage_freep)
    struct stage *s =
        stage_new("", "- id: VER-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: "
                      "agent.heartbeat, as: a}\n"
                      "  require: {with: {event: agent.stopped, as: b, by: agent, after: 5s}}\n");
    IV_AUTO(iv_engine_freep) struct iv_engine *e = NULL;
    IV_AUTO(iv_decoder_freep) struct iv_decoder *d = NULL;
    struct iv_engine_options options = {.verdict = look, .ctx = &seen, .digests = true};
    struct iv_baseline *baseline = stage_baseline(s);
    cr_assert(iv_ok(iv_engine_new(&e, baseline, &options, &err)));
    cr_assert(
        iv_ok(iv_decoder_new(&d, baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, options.hash_key, &err)));
    struct iv_record record = {.origin = {IV_TELEMETRY, 3, 42, IV_STR("tele")},
                               .bytes = {padded, sizeof json - 1}};
    struct iv_arena arena;
    struct iv_event event;
    iv_arena_init(&arena, 0);
    cr_assert(iv_ok(iv_decode(d, &record, &arena, &event, &err)));
    cr_assert(iv_ok(iv_engine_event(e, &event, &err)));
    iv_arena_deinit(&arena);
    memset(padded, 'x', sizeof json - 1);

    cr_assert(iv_ok(iv_engine_idle(e, IV_TELEMETRY, 3, event.time + 6 * IV_NS_PER_S, &err)));

    struct iv_digest expected;
    IV_AUTO(iv_digester_freep) struct iv_digester *digester = NULL;
    cr_assert(iv_ok(iv_digester_new(&digester, &err)));
    iv_digest(digester, &expected, IV_SHA256, (struct iv_str){json, sizeof json - 1});
    cr_expect_str_eq(seen.text, "src a7 agent.heartbeat tele/3");
    cr_expect_eq(seen.offset, 42);
    cr_expect_eq(seen.digest.n, 32);
    cr_expect_arr_eq(seen.digest.bytes, expected.bytes, 32);
}
