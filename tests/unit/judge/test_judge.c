/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/judge.h"

#include "base/encode.h"
#include "base/guard.h"
#include "event/decode.h"
#include "event/sign.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <pthread.h>

#define EVENTS 3000

static const char usual[] =
    "apiVersion: invigil/v1\nkind: RulePack\nmetadata: {name: p, title: P}\nrules:\n"
    "- {id: SIG-1, title: t, severity: low, criteria: [CC6.1], on: {event: x.signed, as: a},"
    " forbid: {if: \"!receipt_valid(a.receipt, 'orchestrator')\"}}\n"
    "- {id: SIG-2, title: t, severity: low, criteria: [CC6.1], on: {event: x.signed, as: a},"
    " where: receipt_valid(a.receipt), require: {with: {event: x.plain, by: k, after: 20ms}}}\n"
    "- {id: FAST-1, title: t, severity: low, criteria: [CC6.1], on: {event: x.plain, as: a},"
    " forbid: {if: a.n > 95}}\n"
    "- {id: FAST-2, title: t, severity: low, criteria: [CC6.1], on: {event: x.plain, as: a},"
    " require: {with: {event: x.signed, by: k, after: 10ms}}}\n";

static const char *pack = usual;
static const struct iv_hash_key key = {1, 2};

/* A stream of signed and plain events, and what was told of it. */
struct play {
    struct scratch dir;
    struct iv_signer *signer;
    struct iv_baseline *baseline;
    struct iv_decoder *decoder;
    struct iv_judge *judge;
    struct iv_arena arena;
    struct iv_buf told;
    int64_t offset;
    /* With `through`. */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool held;               /* the verifying thread waits */
    size_t forgotten;        /* evictions that were told at once, */
    size_t forgotten_beside; /* and with what was found beside */
    size_t through;
};

static void tell(struct iv_buf *out, const struct iv_verdict *v)
{
    iv_buf_printf(out, IV_STR_FMT " " IV_STR_FMT " %d\n", IV_STR_ARG(v->rule->id), IV_STR_ARG(v->trigger.id),
                  (int)v->kind);
}

static void on_verdict(void *ctx, const struct iv_verdict *verdict)
{
    struct play *p = ctx;
    (void)pthread_mutex_lock(&p->lock); /* on_through tells from its own thread */
    tell(&p->told, verdict);
    (void)pthread_mutex_unlock(&p->lock);
}

static void on_evicted(void *ctx, const struct iv_rule *rule, const struct iv_loss *loss)
{
    struct play *p = ctx;
    cr_expect(!rule->checks_signature && loss->from < loss->until && loss->cause == IV_LOSS_EVICTED);
    p->forgotten++;
}

static void on_through(void *ctx, struct iv_commit *before, struct iv_commit *found)
{
    struct play *p = ctx;
    (void)pthread_mutex_lock(&p->lock);
    while (p->held) {
        (void)pthread_cond_wait(&p->moved, &p->lock);
    }
    for (const struct iv_verdict_node *n = found == NULL ? NULL : found->verdicts; n != NULL; n = n->next) {
        tell(&p->told, &n->verdict);
    }
    for (const struct iv_evicted_node *n = found == NULL ? NULL : found->evicted; n != NULL; n = n->next) {
        cr_expect(n->rule->checks_signature);
        p->forgotten_beside++;
    }
    if (before != NULL) {
        iv_buf_printf(&p->told, "position %d\n", (int)before->positions->cursor.offset);
    }
    p->through++;
    (void)pthread_mutex_unlock(&p->lock);
    iv_commit_free(before);
    iv_commit_free(found);
}

static void load(struct play *p)
{
    static const unsigned char seed[32] = {9};
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    struct iv_buf text;
    struct iv_err err;
    unsigned char public_key[32];
    cr_assert(iv_ok(iv_signer_of_seed(&p->signer, seed, &err)) && iv_ok(iv_problems_new(&problems, &err)));
    iv_signer_public_bytes(public_key, p->signer);
    iv_buf_init(&text, 4096);
    iv_buf_text(&text, "apiVersion: invigil/v1\nkind: Baseline\nmetadata: {name: b, version: \"1\"}\n"
                       "streams: {telemetry: {lateness: 5ms}}\npacks: [pack.yaml]\nevents:\n"
                       "  x.signed: {stream: telemetry, fields: {k: string, receipt: map}}\n"
                       "  x.plain: {stream: telemetry, fields: {k: string, n: int}}\n"
                       "keys:\n- {id: orch, role: orchestrator, public_key: \"");
    iv_base64_encode(&text, (struct iv_str){(const char *)public_key, sizeof public_key});
    iv_buf_text(&text, "\"}\n");
    scratch_write(&p->dir, "baseline.yaml", iv_buf_slice(&text));
    scratch_write(&p->dir, "pack.yaml", iv_str_of(pack));
    iv_buf_deinit(&text);
    cr_assert(iv_ok(iv_baseline_load(&p->baseline, iv_str_of(p->dir.path), problems, &err)), "%s", err.text);
}

/* A judge, who goes on from the one before where there is one. */
static void appoint(struct play *p, unsigned verifiers, bool ordered)
{
    struct iv_err err;
    struct iv_judge *from = p->judge;
    const struct iv_judge_options options = {.baseline = p->baseline,
                                             .from = from,
                                             .verdict = on_verdict,
                                             .through = ordered ? NULL : on_through,
                                             .evicted = on_evicted,
                                             .ctx = p,
                                             .hash_key = key,
                                             .verifiers = verifiers};
    cr_assert(iv_ok(iv_judge_new(&p->judge, &options, &err)), "%s", err.text);
    iv_judge_free(from);
}

static void begin(struct play *p, unsigned verifiers, bool ordered)
{
    struct iv_err err;
    *p = (struct play){.dir = scratch_make()};
    iv_arena_init(&p->arena, 0);
    iv_buf_init(&p->told, 1u << 20);
    cr_assert(pthread_mutex_init(&p->lock, NULL) == 0 && pthread_cond_init(&p->moved, NULL) == 0);
    load(p);
    cr_assert(
        iv_ok(iv_decoder_new(&p->decoder, p->baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, key, &err)));
    appoint(p, verifiers, ordered);
    cr_assert(iv_ok(iv_judge_open(p->judge, IV_TELEMETRY, 0, &err)));
}

static void end(struct play *p)
{
    iv_judge_free(p->judge);
    iv_decoder_free(p->decoder);
    iv_baseline_unref(p->baseline);
    iv_signer_free(p->signer);
    iv_arena_deinit(&p->arena);
    iv_buf_deinit(&p->told);
    (void)pthread_cond_destroy(&p->moved);
    (void)pthread_mutex_destroy(&p->lock);
    scratch_remove(&p->dir);
}

/* The receipt is written in its canonical form; a wrong one is of another number. */
static void add_receipt(struct iv_buf *out, const struct play *p, int number, bool wrong)
{
    struct iv_buf text;
    unsigned char signature[64];
    iv_buf_init(&text, 4096);
    iv_buf_printf(&text, "{\"issued_at\":\"2026-01-01T00:00:00Z\",\"key_id\":\"orch\",\"receipt_id\":\"%d\"}",
                  number);
    iv_sign(signature, p->signer, iv_buf_slice(&text));
    iv_buf_printf(out,
                  "{\"issued_at\":\"2026-01-01T00:00:00Z\",\"key_id\":\"orch\",\"receipt_id\":\"%d\","
                  "\"signature\":\"",
                  number + (wrong ? 1 : 0));
    iv_base64_encode(out, (struct iv_str){(const char *)signature, sizeof signature});
    iv_buf_text(out, "\"}");
    iv_buf_deinit(&text);
}

static void arrive(struct play *p, struct iv_str json)
{
    struct iv_err err;
    struct iv_event event;
    char *copy = iv_arena_zalloc(&p->arena, json.n + IV_RECORD_PADDING);
    cr_assert_not_null(copy);
    memcpy(copy, json.p, json.n);
    const struct iv_record record = {.origin = {IV_TELEMETRY, 0, p->offset++, IV_STR("telemetry")},
                                     .bytes = {copy, json.n}};
    cr_assert(iv_ok(iv_decode(p->decoder, &record, &p->arena, &event, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_judge_event(p->judge, &event, &err)), "%s", err.text);
    memset(copy, '?', json.n); /* what is needed later must have been copied */
    iv_arena_reset(&p->arena);
}

/* The n-th event: two of three are plain, each tenth repeats the one before it. */
static void play_event(struct play *p, int n)
{
    struct iv_buf json;
    int i = n % 10 == 9 ? n - 1 : n;
    bool is_signed = i % 3 == 0;
    iv_buf_init(&json, 8192);
    iv_buf_printf(&json,
                  "{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"s\",\"type\":\"x.%s\","
                  "\"time\":\"2026-01-01T00:00:%02d.%03dZ\",\"data\":{\"k\":\"k%d\",",
                  i, is_signed ? "signed" : "plain", i / 1000, i % 1000, i * 7 % 40);
    if (is_signed) {
        iv_buf_text(&json, "\"receipt\":");
        add_receipt(&json, p, i, i % 17 == 0);
    } else {
        iv_buf_printf(&json, "\"n\":%d", i % 101);
    }
    iv_buf_text(&json, "}}");
    cr_assert(!iv_buf_failed(&json));
    arrive(p, iv_buf_slice(&json));
    iv_buf_deinit(&json);
}

/* A violation of SIG-1 that costs no signature. */
static void play_unsigned(struct play *p, int n)
{
    struct iv_buf json;
    iv_buf_init(&json, 8192);
    iv_buf_printf(&json,
                  "{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"s\",\"type\":\"x.signed\","
                  "\"time\":\"2026-01-01T00:00:%02d.%03dZ\",\"data\":{\"receipt\":{}}}",
                  n, n / 1000, n % 1000);
    arrive(p, iv_buf_slice(&json));
    iv_buf_deinit(&json);
}

Test(judge, tells_the_same_in_the_same_order_for_any_number_of_threads)
{
    struct play plain;
    struct iv_err err;
    begin(&plain, 0, true);
    for (int i = 0; i < EVENTS; i++) {
        play_event(&plain, i);
    }
    cr_assert(iv_ok(iv_judge_finish(plain.judge, &err)));
    static const char *const rules[] = {"SIG-1", "SIG-2", "FAST-1", "FAST-2"};
    for (size_t i = 0; i < IV_COUNT(rules); i++) {
        cr_assert(strstr(plain.told.p, rules[i]) != NULL, "%s says nothing", rules[i]);
    }
    struct iv_engine_stats wanted;
    iv_judge_stats(plain.judge, &wanted);

    for (unsigned threads = 1; threads <= 4; threads++) {
        struct play beside;
        struct iv_engine_stats stats;
        begin(&beside, threads, true);
        for (int i = 0; i < EVENTS; i++) {
            play_event(&beside, i);
        }
        cr_assert(iv_ok(iv_judge_finish(beside.judge, &err)));
        iv_judge_stats(beside.judge, &stats);

        cr_expect_str_eq(beside.told.p, plain.told.p, "%u threads", threads);
        cr_expect_eq(stats.events, EVENTS);
        cr_expect_eq(stats.duplicates, EVENTS / 10);
        cr_expect_eq(stats.duplicates, wanted.duplicates);
        cr_expect_arr_eq(stats.verdicts, wanted.verdicts, sizeof stats.verdicts);
        end(&beside);
    }
    end(&plain);
}

Test(judge, one_goes_on_where_another_has_settled)
{
    static const unsigned threads[][2] = {{0, 2}, {3, 1}, {1, 0}};
    struct play whole;
    struct iv_err err;
    begin(&whole, 0, true);
    for (int i = 0; i < EVENTS; i++) {
        play_event(&whole, i);
    }
    cr_assert(iv_ok(iv_judge_finish(whole.judge, &err)));

    for (size_t t = 0; t < IV_COUNT(threads); t++) {
        struct play p;
        begin(&p, threads[t][0], true);
        for (int i = 0; i < EVENTS; i++) {
            if (i == EVENTS / 2) {
                cr_assert(iv_ok(iv_judge_settle(p.judge, &err)));
                appoint(&p, threads[t][1], true);
            }
            play_event(&p, i);
        }
        cr_assert(iv_ok(iv_judge_finish(p.judge, &err)));

        cr_expect_str_eq(p.told.p, whole.told.p, "from %u to %u threads", threads[t][0], threads[t][1]);
        end(&p);
    }
    end(&whole);
}

static void release(struct play *p)
{
    (void)pthread_mutex_lock(&p->lock);
    p->held = false;
    (void)pthread_cond_broadcast(&p->moved);
    (void)pthread_mutex_unlock(&p->lock);
}

static bool has_told(struct play *p, const char *what)
{
    (void)pthread_mutex_lock(&p->lock);
    bool told = p->told.n > 0 && strstr(p->told.p, what) != NULL;
    (void)pthread_mutex_unlock(&p->lock);
    return told;
}

Test(judge, other_rules_do_not_wait_for_those_that_check_signatures)
{
    struct play p;
    struct iv_err err;
    begin(&p, 2, false);
    p.held = true;
    play_event(&p, 0); /* signed, and wrong */
    cr_assert(iv_ok(iv_judge_flush(p.judge, NULL, &err)));

    play_event(&p, 97); /* plain, above 95 */

    cr_expect(has_told(&p, "FAST-1 e97"));
    cr_expect(!has_told(&p, "SIG-1"));
    cr_expect_eq(iv_judge_queue(p.judge), 2, "the plain one is a partner for SIG-2");
    release(&p);
    cr_assert(iv_ok(iv_judge_settle(p.judge, &err)));
    cr_expect(has_told(&p, "SIG-1 e0"));
    cr_expect_eq(iv_judge_queue(p.judge), 0);
    end(&p);
}

Test(judge, a_position_comes_after_all_that_was_found_before_it)
{
    struct play p;
    struct iv_err err;
    begin(&p, 3, false);
    p.held = true;
    for (int i = 0; i < 400; i++) {
        play_unsigned(&p, i);
    }
    struct iv_commit *position = NULL;
    const struct iv_cursor next = {IV_TELEMETRY, 0, 400};
    cr_assert(iv_ok(iv_commit_new(&position, p.baseline, &err)) &&
              iv_ok(iv_commit_position(position, IV_STR("telemetry"), &next, &err)));
    release(&p);
    cr_assert(iv_ok(iv_judge_flush(p.judge, position, &err)));
    cr_assert(iv_ok(iv_judge_settle(p.judge, &err)));

    size_t found = 0;
    for (const char *at = p.told.p; (at = strstr(at, "SIG-1")) != NULL; at++) {
        found++;
    }
    const char *last = "position 400\n";
    cr_expect_eq(found, 400);
    cr_expect_str_eq(p.told.p + p.told.n - strlen(last), last);
    end(&p);
}

Test(judge, waits_while_too_much_is_on_its_way_and_goes_on_when_it_is_through)
{
    enum { MANY = 40000 };
    struct play p;
    struct iv_err err;
    begin(&p, 1, true);
    for (int i = 0; i < MANY; i++) {
        play_unsigned(&p, i);
        cr_assert_leq(iv_judge_queue(p.judge), 512 * 64);
    }
    cr_assert(iv_ok(iv_judge_settle(p.judge, &err)));

    struct iv_rule_stats stats;
    iv_judge_rule_stats(p.judge, 0, &stats);
    cr_expect_eq(stats.violations, MANY);
    end(&p);
}

Test(judge, a_baseline_without_signatures_runs_beside_nobody)
{
    struct play p;
    begin(&p, 0, true);
    cr_expect(!iv_judge_beside(p.judge));
    cr_expect_eq(iv_judge_queue(p.judge), 0);
    end(&p);
    begin(&p, 1, true);
    cr_expect(iv_judge_beside(p.judge));
    end(&p);
}

static const char unsigned_only[] =
    "apiVersion: invigil/v1\nkind: RulePack\nmetadata: {name: p, title: P}\nrules:\n"
    "- {id: FAST-1, title: t, severity: low, criteria: [CC6.1], on: {event: x.plain, as: a},"
    " forbid: {if: a.n > 95}}\n";

Test(judge, counts_what_was_done_once_where_the_first_rule_that_checks_signatures_comes)
{
    for (unsigned threads = 0; threads <= 2; threads += 2) {
        struct play p;
        struct iv_err err;
        struct iv_engine_stats before;
        struct iv_engine_stats after;
        pack = unsigned_only;
        begin(&p, 0, true);
        for (int i = 0; i < EVENTS / 10; i++) {
            play_event(&p, i);
        }
        cr_assert(iv_ok(iv_judge_settle(p.judge, &err)));
        iv_judge_stats(p.judge, &before);
        cr_assert(before.evaluations > 0 && before.verdicts[IV_VIOLATED] > 0);

        iv_signer_free(p.signer);
        iv_baseline_unref(p.baseline);
        pack = usual;
        load(&p);
        appoint(&p, threads, true);
        iv_judge_stats(p.judge, &after);

        cr_expect_eq(after.evaluations, before.evaluations, "%u threads", threads);
        cr_expect_arr_eq(after.verdicts, before.verdicts, sizeof after.verdicts);
        end(&p);
    }
}

static uint64_t verified_under(const char *rule)
{
    struct play p;
    struct iv_err err;
    struct iv_keyring_counts counts;
    struct iv_buf text;
    iv_buf_init(&text, 4096);
    iv_buf_printf(
        &text,
        "apiVersion: invigil/v1\nkind: RulePack\nmetadata: {name: p, title: P}\nrules:\n"
        "- {id: SIG-1, title: t, severity: low, criteria: [CC6.1], on: {event: x.signed, as: a}, %s}\n",
        rule);
    pack = text.p;
    begin(&p, 2, true);
    for (int i = 0; i < 300; i++) {
        play_event(&p, i);
    }
    cr_assert(iv_ok(iv_judge_finish(p.judge, &err)));
    iv_keyring_counts(p.baseline->keyring, &counts);
    end(&p);
    iv_buf_deinit(&text);
    return counts.verified;
}

Test(judge, verifies_the_signatures_that_rules_ask_for_and_no_others)
{
    static const struct {
        const char *rule;
        uint64_t verified;
    } rows[] = {
        {"forbid: {if: '!receipt_valid(a.receipt)'}", 90},
        {"where: a.k == 'none', forbid: {if: '!receipt_valid(a.receipt)'}", 0},
        {"forbid: {if: 'a.k == \"none\" && receipt_valid(a.receipt)'}", 0},
        {"forbid: {if: '!receipt_valid(a.receipt, \"approver\")'}", 0},
        {"require: {with: {event: x.plain, as: b, by: k, within: 1s}, if: 'receipt_valid(a.receipt)'}", 90},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect_eq(verified_under(rows[i].rule), rows[i].verified, "%s", rows[i].rule);
    }
}

Test(judge, tells_what_its_rules_had_to_forget_to_stay_within_a_limit)
{
    struct play p;
    struct iv_err err;
    begin(&p, 2, false);
    for (int i = 0; i < 600; i++) {
        play_event(&p, i);
    }
    cr_expect_eq(p.forgotten, 0);

    iv_judge_limit(p.judge, 1024);
    for (int i = 600; i < 640; i++) {
        play_event(&p, i);
    }
    cr_assert(iv_ok(iv_judge_settle(p.judge, &err)));

    cr_expect_gt(p.forgotten, 0);
    cr_expect_gt(p.forgotten_beside, 0);
    end(&p);
}
