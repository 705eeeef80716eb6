/* SPDX-License-Identifier: Apache-2.0 */
/* What the streams must show of a step: what counts, and what follows. */
#include "base/guard.h"
#include "event/decode.h"
#include "evidence/awaited.h"
#include "respond/inquiry.h"
#include "respond/moves.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define USED "{event: token.used, as: use, where: 'use.token_id == target'}"
#define HTTP(name, more) "- name: " name "\n  http: {endpoint: hook, path: /" name "}\n" more
#define UNSEEN "  expect: {unseen: " USED ", after: 1s, within: 5s}\n"
#define SEEN "  expect: {seen: {event: token.revoked, where: 'e.token_id == target'}, within: 5s}\n"
#define EARLIER                                                                                              \
    "  expect: {seen: {event: token.revoked, where: 'e.token_id == target'}, within: 5s, earlier: 1m}\n"

/* A step that was done, and everything that is needed to look for its evidence. */
struct watch {
    struct stage s;
    struct hook_server *hook;
    struct iv_arena arena;
    struct iv_decoder *decoder;
    struct iv_task tasks[8];
    size_t count;
    struct iv_inquiry *inquiry; /* of the first task */
};

static void look(struct watch *w)
{
    w->count = 0;
    struct iv_step *awaited = NULL;
    cr_assert(
        iv_ok(iv_reader_awaited(w->s.reader, &awaited, &w->count, IV_COUNT(w->tasks), &w->arena, NULL)));
    for (size_t i = 0; i < w->count; i++) {
        bool found = false;
        cr_assert(
            iv_ok(iv_reader_awaited_task(w->s.reader, &w->tasks[i], &found, &awaited[i], &w->arena, NULL)));
        cr_assert(found);
    }
    iv_inquiry_free(TAKE(w->inquiry));
    struct iv_err err = {.text = ""};
    if (w->count > 0) {
        cr_assert(
            iv_ok(iv_inquiry_new(&w->inquiry, w->tasks, w->decoder, w->s.sample.catalogue, w->s.now, &err)),
            "%s", err.text);
    }
}

static void watch_init_on(struct watch *w, const char *steps, const struct hook_answer *answers, size_t count,
                          enum iv_grade grade)
{
    const struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    memset(w, 0, sizeof *w);
    iv_arena_init(&w->arena, 0);
    w->hook = hook_start(answers, count);
    stage_init(&w->s, steps);
    w->s.sample.baseline.streams[IV_TELEMETRY].grade = grade;
    iv_playbooks_unref(TAKE(w->s.playbooks));
    stage_load(&w->s, "", steps);
    cr_assert(
        iv_ok(iv_decoder_new(&w->decoder, w->s.sample.catalogue, &limits, (struct iv_hash_key){0, 0}, NULL)));
    stage_find(&w->s);
    stage_respond(&w->s, hook_url(w->hook));
    stage_run(&w->s, false);
    look(w);
}

static void watch_init(struct watch *w, const char *steps, const struct hook_answer *answers, size_t count)
{
    watch_init_on(w, steps, answers, count, IV_GRADE_COMPLETE);
}

static void watch_deinit(struct watch *w)
{
    iv_inquiry_free(w->inquiry);
    iv_decoder_free(w->decoder);
    iv_arena_deinit(&w->arena);
    stage_deinit(&w->s);
    hook_stop(w->hook);
}

/* An event of the type and token, so long after the step was done. */
static bool tell(struct watch *w, const char *type, const char *token, iv_ns after)
{
    char room[1024];
    struct iv_event event;
    IV_AUTO(iv_buf_deinit) struct iv_buf time;
    iv_buf_init(&time, 64);
    iv_ns_format(&time, w->tasks[0].step.done + after);
    int n =
        snprintf(room, sizeof room - IV_RECORD_PADDING,
                 "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"s\",\"type\":\"%s\",\"time\":\"%.*s\","
                 "\"agent\":\"a\",\"tenant\":\"acme\",\"data\":{\"token_id\":\"%s\"}}",
                 type, (int)time.n, time.p, token);
    memset(room + n, 0, IV_RECORD_PADDING);
    struct iv_record record = {.origin = {IV_TELEMETRY, 3, 99, IV_STR("telemetry")},
                               .bytes = {room, (size_t)n}};
    struct iv_err err = {.text = ""};
    cr_assert(iv_ok(iv_decode(w->decoder, &record, &w->arena, &event, &err)), "%s", err.text);
    bool wanted = iv_inquiry_wants(w->inquiry, &record);
    if (wanted) {
        cr_assert(iv_ok(iv_inquiry_event(w->inquiry, &event, &err)), "%s", err.text);
    }
    return wanted;
}

static const struct hook_answer yes[] = {HOOK_OK, HOOK_OK, HOOK_OK};
#define S IV_NS_PER_S

Test(evidence, is_an_event_in_its_time_for_which_the_condition_holds)
{
    static const struct {
        const char *steps;
        const char *type;
        const char *token;
        iv_ns after;
        bool found;
    } rows[] = {
        {HTTP("a", SEEN), "token.revoked", "t-1", 2 * S, true},
        {HTTP("a", SEEN), "token.revoked", "t-1", 5 * S, true},
        {HTTP("a", SEEN), "token.revoked", "t-1", 5 * S + 1000000, false},
        {HTTP("a", SEEN), "token.revoked", "t-1", -S / 2, true}, /* before the answer of the call */
        {HTTP("a", SEEN), "token.revoked", "t-1", -2 * S, false},
        {HTTP("a", EARLIER), "token.revoked", "t-1", -60 * S, true},
        {HTTP("a", EARLIER), "token.revoked", "t-1", -62 * S, false},
        {HTTP("a", SEEN), "token.revoked", "t-2", 2 * S, false},
        {HTTP("a", SEEN), "token.used", "t-1", 2 * S, false},
        {HTTP("a", UNSEEN), "token.used", "t-1", 2 * S, true},
        {HTTP("a", UNSEEN), "token.used", "t-1", S, false}, /* on its way */
        {HTTP("a", UNSEEN), "token.used", "t-1", S + 1000000, true},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(watch_deinit) struct watch w;
        struct iv_proof proof;
        watch_init(&w, rows[i].steps, yes, 1);
        cr_assert(w.inquiry != NULL, "row %zu", i);

        (void)tell(&w, rows[i].type, rows[i].token, rows[i].after);

        struct iv_inquiry_state now = {.reached = IV_NS_MIN, .now = w.s.now};
        bool decided = iv_inquiry_decide(w.inquiry, &proof, &now);
        cr_expect(decided == rows[i].found, "row %zu", i);
        if (decided) {
            bool unseen = strstr(rows[i].steps, "unseen") != NULL;
            cr_expect(proof.verdict == (unseen ? IV_PROOF_FAILED : IV_PROOF_VERIFIED), "row %zu", i);
            cr_expect(memmem(proof.evidence.p, proof.evidence.n,
                             "\"partition\":3,\"offset\":99,\"sha256\":\"", 36) != NULL,
                      "row %zu: %.*s", i, (int)proof.evidence.n, proof.evidence.p);
        }
    }
}

#define FRAGILE(sense)                                                                                       \
    "  expect: {" sense                                                                                      \
    ": {event: token.revoked, where: 'e.reason == \"r\" && e.token_id == target'}, within: 5s}\n"

/* The condition asks for what the record does not have: nobody knows whether it was the one. */
Test(evidence, on_which_the_condition_fails_is_no_proof_and_leaves_no_proof_by_absence)
{
    static const struct {
        const char *steps;
        const char *token;
        iv_ns after;
        enum iv_proof_verdict want; /* when all has been read */
    } rows[] = {
        {HTTP("a", FRAGILE("seen")), "t-1", 2 * S, IV_PROOF_AMBIGUOUS},
        {HTTP("a", FRAGILE("unseen")), "t-1", 2 * S, IV_PROOF_AMBIGUOUS},
        {HTTP("a", FRAGILE("seen")), "t-2", 2 * S, IV_PROOF_FAILED}, /* whatever its reason is */
        {HTTP("a", FRAGILE("unseen")), "t-2", 2 * S, IV_PROOF_VERIFIED},
        {HTTP("a", FRAGILE("unseen")), "t-1", 6 * S, IV_PROOF_VERIFIED}, /* too late to count */
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(watch_deinit) struct watch w;
        struct iv_proof proof;
        watch_init(&w, rows[i].steps, yes, 1);

        cr_assert(tell(&w, "token.revoked", rows[i].token, rows[i].after));

        struct iv_inquiry_state state = {.reached = IV_NS_MIN, .now = w.s.now};
        bool at_once = iv_inquiry_decide(w.inquiry, &proof, &state);
        cr_expect(at_once == false, "row %zu", i);
        state.reached = iv_inquiry_settled(w.inquiry);
        cr_assert(iv_inquiry_decide(w.inquiry, &proof, &state), "row %zu", i);
        cr_expect(proof.verdict == rows[i].want, "row %zu: " IV_STR_FMT, i, IV_STR_ARG(proof.cause));
        static const char why[] =
            "failed on a record that may have told (telemetry, partition 3, offset 99): ";
        cr_expect(rows[i].want != IV_PROOF_AMBIGUOUS ||
                      memmem(proof.cause.p, proof.cause.n, why, strlen(why)) != NULL,
                  "row %zu: " IV_STR_FMT, i, IV_STR_ARG(proof.cause));
    }
}

Test(evidence, that_is_not_there_proves_nothing_where_the_clock_was_set_since_the_call)
{
    static const struct {
        iv_ns set; /* so long behind the call */
        enum iv_proof_verdict want;
    } rows[] = {{-1, IV_PROOF_FAILED}, {0, IV_PROOF_AMBIGUOUS}, {3 * S, IV_PROOF_AMBIGUOUS}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(watch_deinit) struct watch w;
        struct iv_proof proof;
        watch_init(&w, HTTP("a", SEEN), yes, 1);

        iv_inquiry_clock_set(w.inquiry, w.tasks[0].step.started + rows[i].set);

        struct iv_inquiry_state state = {.reached = iv_inquiry_settled(w.inquiry), .now = w.s.now};
        cr_assert(iv_inquiry_decide(w.inquiry, &proof, &state), "row %zu", i);
        cr_expect(proof.verdict == rows[i].want, "row %zu: " IV_STR_FMT, i, IV_STR_ARG(proof.cause));
    }
}

Test(evidence, of_a_later_step_counts_from_the_first_call_of_the_execution_on)
{
    static const struct {
        iv_ns before; /* the later step's call */
        bool found;
    } rows[] = {{4 * S, true}, {10 * S, true}, {12 * S, false}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(watch_deinit) struct watch w;
        struct iv_proof proof;
        watch_init(&w, HTTP("a", SEEN), yes, 1);
        w.tasks[0].execution.started = w.tasks[0].step.started - 10 * S;
        iv_inquiry_free(TAKE(w.inquiry));
        cr_assert(iv_ok(iv_inquiry_new(&w.inquiry, w.tasks, w.decoder, w.s.sample.catalogue, w.s.now, NULL)));

        (void)tell(&w, "token.revoked", "t-1", -rows[i].before);

        struct iv_inquiry_state now = {.reached = IV_NS_MIN, .now = w.s.now};
        cr_expect(iv_inquiry_decide(w.inquiry, &proof, &now) == rows[i].found, "row %zu", i);
        cr_expect(iv_inquiry_since(w.inquiry) == w.tasks[0].step.started - 11 * S);
    }
}

Test(evidence, of_a_type_is_told_from_others_without_decoding_unless_it_is_written_in_escapes)
{
    static const struct {
        const char *bytes;
        const char *header;
        enum iv_stream stream;
        bool wanted;
    } rows[] = {
        {"{\"type\":\"token.revoked\"}", NULL, IV_TELEMETRY, true},
        {"{\"type\":\"token.revoked\"}", NULL, IV_LEDGER, false},
        {"{\"type\":\"token.revoked2\"}", NULL, IV_TELEMETRY, false},
        {"{\"type\":\"token\\u002erevoked\"}", NULL, IV_TELEMETRY, true},
        {"{}", "token.revoked", IV_TELEMETRY, true},
        {"{}", "token.used", IV_TELEMETRY, false},
    };
    IV_AUTO(watch_deinit) struct watch w;
    watch_init(&w, HTTP("a", SEEN), yes, 1);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_header header = {IV_STR("ce_type"), iv_str_of(rows[i].header)};
        struct iv_record record = {.origin = {.stream = rows[i].stream},
                                   .bytes = iv_str_of(rows[i].bytes),
                                   .headers = &header,
                                   .header_count = rows[i].header == NULL ? 0 : 1};
        cr_expect(iv_inquiry_wants(w.inquiry, &record) == rows[i].wanted, "row %zu", i);
    }
}

/* Every combination of what can be known, and what it comes to. */
Test(evidence, that_is_not_there_proves_something_only_when_all_was_looked_at)
{
    enum { OPEN = -1 };
    static const struct {
        bool complete;
        bool missed;
        bool reached;
        bool unheard;
        int seen;   /* what "seen" comes to, */
        int unseen; /* and "unseen" */
    } rows[] = {
        {true, false, true, false, IV_PROOF_FAILED, IV_PROOF_VERIFIED},
        {true, true, true, false, IV_PROOF_AMBIGUOUS, IV_PROOF_AMBIGUOUS},
        {false, false, true, false, IV_PROOF_AMBIGUOUS, IV_PROOF_AMBIGUOUS},
        {false, true, true, false, IV_PROOF_AMBIGUOUS, IV_PROOF_AMBIGUOUS},
        {true, false, true, true, IV_PROOF_FAILED, IV_PROOF_VERIFIED},
        {true, false, false, false, OPEN, OPEN},
        {true, true, false, false, OPEN, OPEN},
        {false, false, false, false, OPEN, OPEN},
        {false, true, false, false, OPEN, OPEN},
        {true, false, false, true, IV_PROOF_AMBIGUOUS, IV_PROOF_AMBIGUOUS},
        {true, true, false, true, IV_PROOF_AMBIGUOUS, IV_PROOF_AMBIGUOUS},
        {false, false, false, true, IV_PROOF_AMBIGUOUS, IV_PROOF_AMBIGUOUS},
    };
    for (size_t i = 0; i < 2 * IV_COUNT(rows); i++) {
        bool unseen = i % 2 == 1;
        IV_AUTO(watch_deinit) struct watch w;
        struct iv_proof proof = {.cause = {NULL, 0}};
        watch_init_on(&w, unseen ? HTTP("a", UNSEEN) : HTTP("a", SEEN), yes, 1,
                      rows[i / 2].complete ? IV_GRADE_COMPLETE : IV_GRADE_BEST_EFFORT);
        iv_ns settled = iv_inquiry_settled(w.inquiry);
        if (rows[i / 2].missed) {
            iv_inquiry_missed(w.inquiry, "a gap");
        }

        struct iv_inquiry_state state = {
            .reached = rows[i / 2].reached ? settled : settled - 1,
            .heard = settled,
            .now = settled + (rows[i / 2].unheard ? 61 : 59) * S,
        };
        int got = iv_inquiry_decide(w.inquiry, &proof, &state) ? (int)proof.verdict : OPEN;

        cr_expect(got == (unseen ? rows[i / 2].unseen : rows[i / 2].seen), "row %zu, %s: %d", i / 2,
                  unseen ? "unseen" : "seen", got);
        cr_expect(got == OPEN || (proof.cause.n > 0 && proof.evidence.n == 0));
    }
}

Test(evidence, that_cannot_be_read_is_ambiguous_and_says_what_is_in_the_way)
{
    IV_AUTO(watch_deinit) struct watch w;
    struct iv_proof proof;
    watch_init(&w, HTTP("a", SEEN), yes, 1);
    iv_ns settled = iv_inquiry_settled(w.inquiry);

    struct iv_inquiry_state state = {.reached = IV_NS_MIN,
                                     .heard = settled,
                                     .now = settled + 61 * S,
                                     .trouble = IV_STR("topic telemetry: not authorized")};
    cr_assert(iv_inquiry_decide(w.inquiry, &proof, &state));
    cr_expect(proof.verdict == IV_PROOF_AMBIGUOUS);
    cr_expect(iv_str_eq(proof.cause, state.trouble));
}

Test(evidence, that_nobody_can_look_for_any_more_leaves_it_ambiguous)
{
    IV_AUTO(watch_deinit) struct watch w;
    struct iv_proof proof;
    watch_init(&w, HTTP("a", SEEN), yes, 1);
    w.tasks[0].step.expectation =
        IV_STR("{\"event\":\"gone.type\",\"where\":\"true\",\"as\":\"e\",\"names\":{}}");
    iv_inquiry_free(TAKE(w.inquiry));

    cr_assert(iv_ok(iv_inquiry_new(&w.inquiry, w.tasks, w.decoder, w.s.sample.catalogue, w.s.now, NULL)));

    struct iv_inquiry_state state = {.reached = IV_NS_MIN, .now = w.s.now};
    cr_assert(iv_inquiry_decide(w.inquiry, &proof, &state));
    cr_expect(proof.verdict == IV_PROOF_AMBIGUOUS &&
              memmem(proof.cause.p, proof.cause.n, "gone.type", 9) != NULL);
}

static void prove_by(struct watch *w, enum iv_proof_verdict verdict, struct iv_str evidence)
{
    look(w);
    cr_assert(w->count == 1, "%zu steps wait", w->count);
    struct iv_proof proof = {verdict, IV_STR("so it is"), evidence};
    struct iv_task task = w->tasks[0];
    cr_assert(iv_ok(iv_store_begin(w->s.store, NULL)));
    cr_assert(iv_ok(iv_move_by_evidence(w->s.store, &task, &proof, w->s.now, &w->arena, NULL)));
    cr_assert(iv_ok(iv_store_commit(w->s.store, NULL)));
    stage_run(&w->s, false);
    look(w);
}

static void prove(struct watch *w, enum iv_proof_verdict verdict)
{
    prove_by(w, verdict, IV_STR("{\"offset\":1}"));
}

static void states(struct watch *w, size_t count, char *out)
{
    static const char letters[IV_STEP_STATES] = {
        [IV_STEP_DONE] = 'd',   [IV_STEP_FAILED] = 'f',  [IV_STEP_SKIPPED] = 's',  [IV_STEP_QUEUED] = 'q',
        [IV_STEP_DUE] = 'D',    [IV_STEP_ABSENT] = '-',  [IV_STEP_VERIFIED] = 'v', [IV_STEP_AMBIGUOUS] = 'a',
        [IV_STEP_UNDONE] = 'u', [IV_STEP_WITHHELD] = 'w'};
    for (size_t i = 0; i < count; i++) {
        out[i] = letters[stage_step(&w->s, (int64_t)i).state];
    }
    out[count] = '\0';
}

#define ESCALATE "  on_failure: escalate\n"
#define ONLY "  only: escalated\n"

Test(proof, decides_what_follows_as_an_outcome_does)
{
    enum { NONE = -1, V = IV_PROOF_VERIFIED, F = IV_PROOF_FAILED, A = IV_PROOF_AMBIGUOUS };
    static const struct {
        const char *steps;
        int proofs[2];
        const char *want;
        enum iv_run_state state;
        const char *cause;
    } rows[] = {
        {HTTP("a", SEEN) HTTP("b", ""), {NONE, NONE}, "dq", IV_RUN_RUNNING, ""},
        {HTTP("a", "") HTTP("b", SEEN), {NONE, NONE}, "dd", IV_RUN_DONE, ""},
        {HTTP("a", SEEN) HTTP("b", ""), {V, NONE}, "vd", IV_RUN_VERIFIED, ""},
        {HTTP("a", SEEN) HTTP("b", ""), {F, NONE}, "fs", IV_RUN_FAILED, "step 'a': so it is"},
        {HTTP("a", SEEN) HTTP("b", ""), {A, NONE}, "as", IV_RUN_AMBIGUOUS, "step 'a': so it is"},
        {HTTP("a", "") HTTP("b", SEEN), {V, NONE}, "dv", IV_RUN_VERIFIED, ""},
        {HTTP("a", "") HTTP("b", SEEN), {A, NONE}, "da", IV_RUN_AMBIGUOUS, "step 'b': so it is"},
        {HTTP("a", SEEN "  on_failure: continue\n") HTTP("b", SEEN),
         {F, V},
         "fv",
         IV_RUN_DONE,
         "in spite of step 'a'"},
        {HTTP("a", SEEN ESCALATE) HTTP("b", ONLY SEEN), {NONE, NONE}, "dq", IV_RUN_DONE, ""},
        {HTTP("a", SEEN ESCALATE) HTTP("b", ONLY SEEN), {V, NONE}, "vs", IV_RUN_VERIFIED, ""},
        {HTTP("a", SEEN ESCALATE) HTTP("b", ONLY SEEN), {A, NONE}, "ad", IV_RUN_DONE, ""},
        {HTTP("a", SEEN ESCALATE) HTTP("b", ONLY SEEN),
         {A, V},
         "av",
         IV_RUN_VERIFIED,
         "in spite of step 'a'"},
        {HTTP("a", SEEN ESCALATE) HTTP("b", ONLY SEEN), {F, A}, "fa", IV_RUN_AMBIGUOUS, "step 'b': so it is"},
        {HTTP("a", SEEN ESCALATE) HTTP("b", ONLY), {F, NONE}, "fd", IV_RUN_DONE, "in spite of step 'a'"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(watch_deinit) struct watch w;
        char got[8];
        watch_init(&w, rows[i].steps, yes, 3);
        for (size_t p = 0; p < 2 && rows[i].proofs[p] != NONE; p++) {
            prove(&w, (enum iv_proof_verdict)rows[i].proofs[p]);
        }

        states(&w, strlen(rows[i].want), got);
        struct iv_execution e = stage_execution(&w.s);
        cr_expect_str_eq(got, rows[i].want, "row %zu", i);
        cr_expect(e.state == rows[i].state, "row %zu: %s", i, iv_run_state_name(e.state));
        cr_expect(strncmp(e.cause.p, rows[i].cause, strlen(rows[i].cause)) == 0, "row %zu: %s", i, e.cause.p);
    }
}

static bool never(void *ctx, const char **why)
{
    *why = "the broker does not answer";
    return *(bool *)ctx;
}

/* A broker outage makes a proof ambiguous: that alone must not kill anything. */
Test(proof, that_is_missing_leads_on_only_when_the_streams_are_fresh)
{
    static const struct {
        enum iv_proof_verdict verdict;
        const char *evidence;
        const char *want;
    } rows[] = {
        {IV_PROOF_AMBIGUOUS, "", "aD"},
        {IV_PROOF_FAILED, "", "fD"},
        {IV_PROOF_FAILED, "{\"offset\":1}", "fd"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(watch_deinit) struct watch w;
        char got[8];
        bool fresh = true;
        watch_init(&w, HTTP("a", SEEN ESCALATE) HTTP("b", ONLY), yes, 2);
        w.s.fresh = never;
        w.s.fresh_ctx = &fresh;
        stage_respond(&w.s, hook_url(w.hook));
        fresh = false;

        prove_by(&w, rows[i].verdict, iv_str_of(rows[i].evidence));

        states(&w, 2, got);
        cr_expect_str_eq(got, rows[i].want, "row %zu", i);
        fresh = true;
        w.s.now += 2 * S;
        stage_run(&w.s, false);
        states(&w, 2, got);
        cr_expect(got[1] == 'd' && hook_count(w.hook) == 2, "row %zu: %s", i, got);
    }
}

Test(proof, decides_also_what_the_other_side_says_is_not_there)
{
    static const struct hook_answer gone[] = {HOOK_STATUS("404 Not Found")};
    IV_AUTO(watch_deinit) struct watch w;
    char got[8];
    watch_init(
        &w, "- name: a\n  oauth.global_revocation: {endpoint: hook, subject: {format: opaque, id: a}}\n" SEEN,
        gone, 1);

    states(&w, 1, got);
    cr_expect_str_eq(got, "d");
    prove_by(&w, IV_PROOF_FAILED, IV_STR(""));

    states(&w, 1, got);
    cr_expect_str_eq(got, "f");
    cr_expect(stage_execution(&w.s).state == IV_RUN_FAILED);
}

Test(proof, is_kept_with_the_step_and_its_undo_counts_from_when_it_was_done)
{
    IV_AUTO(watch_deinit) struct watch w;
    watch_init(&w, HTTP("a", SEEN "  undo: {after: 1h, http: {endpoint: hook, path: /undo}}\n"), yes, 3);
    iv_ns done = w.s.now;
    cr_expect(stage_step(&w.s, 1).state == IV_STEP_QUEUED, "while nobody knows, nothing is taken back");
    w.s.now += 3 * S;

    prove(&w, IV_PROOF_FAILED);

    struct iv_step step = stage_step(&w.s, 0);
    cr_expect(step.done == done && step.finished == w.s.now);
    cr_expect_str_eq(step.evidence.p, "{\"offset\":1}");
    cr_expect_str_eq(step.cause.p, "so it is");
    struct iv_step undo = stage_step(&w.s, 1);
    cr_expect(undo.state == IV_STEP_DUE && undo.due == done + 3600 * S,
              "what had no effect may still be there");
    cr_expect(undo.expectation.n == 0);
}

Test(proof, is_not_waited_for_where_nothing_was_called)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "mode: observe\n", HTTP("a", SEEN) HTTP("b", ""));
    stage_find(&s);
    stage_respond(&s, NULL);

    stage_run(&s, false);

    cr_expect(stage_execution(&s).state != IV_RUN_RUNNING);
    cr_expect(stage_step(&s, 0).state != IV_STEP_DONE);
}

#define UNDO "  undo: {after: 1h, http: {endpoint: hook, path: /undo}}\n"

Test(undo, asked_for_while_nobody_knows_leaves_the_step_ambiguous_and_calls_nothing_more)
{
    IV_AUTO(watch_deinit) struct watch w;
    char got[8];
    size_t moved = 0;
    watch_init(&w, HTTP("a", SEEN UNDO ESCALATE) HTTP("b", ONLY UNDO), yes, 2);
    const struct iv_undo_order order = {w.tasks[0].execution.key, IV_STR("sec-1"), IV_STR("")};
    cr_assert(iv_ok(iv_store_begin(w.s.store, NULL)));
    cr_assert(iv_ok(iv_move_undo(w.s.store, &moved, &order, w.s.now, &w.arena, NULL)));
    cr_assert(iv_ok(iv_store_commit(w.s.store, NULL)));
    states(&w, 4, got);
    cr_expect_str_eq(got, "asDq");
    cr_expect_str_eq(stage_step(&w.s, 0).cause.p, "taken back for sec-1");

    stage_run(&w.s, false);

    states(&w, 4, got);
    cr_expect_str_eq(got, "usds");
    cr_expect(moved == 1 && stage_execution(&w.s).state == IV_RUN_UNDONE && hook_count(w.hook) == 2);
}

Test(outcome, that_comes_late_leaves_what_others_made_of_the_execution_meanwhile)
{
    IV_AUTO(watch_deinit) struct watch w;
    watch_init(&w, HTTP("a", SEEN UNDO), yes, 1);
    struct iv_task late = w.tasks[0]; /* as it was when somebody took it on */
    prove(&w, IV_PROOF_FAILED);
    cr_assert(stage_execution(&w.s).state == IV_RUN_FAILED);
    cr_assert(iv_ok(iv_store_begin(w.s.store, NULL)));
    struct iv_task *all = NULL;
    size_t count = 0;
    cr_assert(iv_ok(
        iv_store_tasks(w.s.store, &all, &count, IV_TASKS_OF, late.execution.key, 0, 8, &w.arena, NULL)));
    late.step = all[1].step; /* its undo */
    struct iv_outcome done = {.kind = IV_OUTCOME_DONE, .answer = IV_STR("")};

    cr_assert(iv_ok(iv_move_by_outcome(w.s.store, &late, &done, w.s.now, &w.arena, NULL)));

    cr_assert(iv_ok(iv_store_commit(w.s.store, NULL)));
    struct iv_execution e = stage_execution(&w.s);
    cr_expect(e.state == IV_RUN_FAILED, "%s", iv_run_state_name(e.state));
    cr_expect_str_eq(e.cause.p, "step 'a': so it is");
}
