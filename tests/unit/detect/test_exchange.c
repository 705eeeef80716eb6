/* SPDX-License-Identifier: Apache-2.0 */
/* What a back makes of packets that are missing, of others, or of readers that others have followed. That all
 * goes right otherwise is a law in tests/property. */
#include "detect/exchange_back.h"
#include "detect/exchange_front.h"

#include "base/guard.h"
#include "event/decode.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define PACKETS_MAX 64

static const struct iv_hash_key key = {1, 2};

#define HEAD "apiVersion: invigil/v1\nkind: RulePack\nmetadata: {name: p, title: P}\nrules:\n"
#define NEEDS(id, after)                                                                                     \
    "- {id: " id ", title: t, severity: low, criteria: [CC6.1], on: {event: x.a, as: a},"                    \
    " require: {with: {event: x.b, by: k, after: " after "}}}\n"
#define SIGNED                                                                                               \
    "- {id: SIG-1, title: t, severity: low, criteria: [CC6.1], on: {event: x.a, as: a},"                     \
    " forbid: {with: {event: x.b, as: b, by: k, within: 9s}, if: \"!receipt_valid(b.receipt)\"}}\n"

/* One partition, one share; a front and a back that may have different baselines. */
struct play {
    struct scratch dir;
    struct iv_baseline *sends;
    struct iv_baseline *takes;
    struct iv_decoder *decoder;
    struct iv_front *front;
    struct iv_judge *judge;
    struct iv_back *back;
    struct iv_arena arena;
    struct iv_str packets[PACKETS_MAX];
    size_t sent;
    size_t gaps;
    char told[4096];
    int64_t offset;
    struct iv_err err;
};

static void on_verdict(void *ctx, const struct iv_verdict *v)
{
    struct play *p = ctx;
    size_t n = strlen(p->told);
    (void)snprintf(p->told + n, sizeof p->told - n, IV_STR_FMT " " IV_STR_FMT " %d\n",
                   IV_STR_ARG(v->rule->id), IV_STR_ARG(v->trigger.id), (int)v->kind);
}

static void on_through(void *ctx, struct iv_commit *before, struct iv_commit *found)
{
    for (const struct iv_verdict_node *n = found == NULL ? NULL : found->verdicts; n != NULL; n = n->next) {
        on_verdict(ctx, &n->verdict);
    }
    iv_commit_free(before);
    iv_commit_free(found);
}

static struct iv_rc_s on_send(void *ctx, uint32_t share, struct iv_str packet, struct iv_err *err)
{
    struct play *p = ctx;
    (void)err;
    cr_assert(share == 0 && p->sent < PACKETS_MAX);
    p->packets[p->sent++] = iv_arena_str(&p->arena, packet);
    return IV_OK;
}

static void on_gap(void *ctx, enum iv_stream stream, int32_t partition, int64_t from, int64_t to)
{
    struct play *p = ctx;
    cr_expect(stream == IV_TELEMETRY && partition == 0 && from < to);
    p->gaps++;
}

static struct iv_baseline *load(struct play *p, const char *rules)
{
    static const char yaml[] = "apiVersion: invigil/v1\nkind: Baseline\nmetadata: {name: b, version: \"1\"}\n"
                               "streams: {telemetry: {lateness: 0s}}\npacks: [pack.yaml]\nevents:\n"
                               "  x.a: {stream: telemetry, fields: {k: string}}\n"
                               "  x.b: {stream: telemetry, fields: {k: string, receipt: map}}\n";
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    struct iv_baseline *baseline = NULL;
    scratch_write(&p->dir, "baseline.yaml", iv_str_of(yaml));
    scratch_write(&p->dir, "pack.yaml", iv_str_of(rules));
    cr_assert(iv_ok(iv_problems_new(&problems, &p->err)));
    cr_assert(iv_ok(iv_baseline_load(&baseline, iv_str_of(p->dir.path), problems, &p->err)), "%s",
              p->err.text);
    return baseline;
}

/* A reader that begins at this offset. */
static void read_from(struct play *p, int64_t next)
{
    const struct iv_front_options options = {
        .deployment = IV_STR("us"),
        .baseline = p->sends,
        .shares = 1,
        .digests = true,
        .read = {[IV_LEDGER] = {.next = -1}, [IV_TELEMETRY] = {IV_STR("telemetry"), next}},
        .send = on_send,
        .ctx = p};
    iv_front_free(p->front);
    p->offset = next < 0 ? 0 : next;
    cr_assert(iv_ok(iv_front_new(&p->front, &options, &p->err)));
}

static void begin(struct play *p, const char *sends, const char *takes, unsigned verifiers)
{
    *p = (struct play){.dir = scratch_make()};
    iv_arena_init(&p->arena, 0);
    p->sends = load(p, sends);
    p->takes = load(p, takes);
    cr_assert(
        iv_ok(iv_decoder_new(&p->decoder, p->sends->catalogue, &IV_DECODE_LIMITS_DEFAULT, key, &p->err)));
    const struct iv_judge_options judge = {.baseline = p->takes,
                                           .part = IV_JUDGE_GLOBAL,
                                           .share = {1, 0},
                                           .verifiers = verifiers,
                                           .verdict = on_verdict,
                                           .through = on_through,
                                           .hash_key = key,
                                           .ctx = p};
    cr_assert(iv_ok(iv_judge_new(&p->judge, &judge, &p->err)));
    const struct iv_back_options back = {.deployment = IV_STR("us"),
                                         .judge = p->judge,
                                         .baseline = p->takes,
                                         .share = {1, 0},
                                         .topics = {[IV_TELEMETRY] = IV_STR("telemetry")},
                                         .gap = on_gap,
                                         .ctx = p};
    cr_assert(iv_ok(iv_back_new(&p->back, &back, &p->err)));
    read_from(p, -1);
}

static void end(struct play *p)
{
    iv_front_free(p->front);
    iv_back_free(p->back);
    iv_judge_free(p->judge);
    iv_decoder_free(p->decoder);
    iv_baseline_unref(p->sends);
    iv_baseline_unref(p->takes);
    iv_arena_deinit(&p->arena);
    scratch_remove(&p->dir);
}

static void arrive(struct play *p, const char *type, const char *id, int second)
{
    struct iv_buf json;
    struct iv_event event;
    iv_buf_init(&json, 4096);
    iv_buf_printf(
        &json,
        "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"s\",\"type\":\"%s\","
        "\"time\":\"2026-01-01T00:00:%02dZ\",\"data\":{\"k\":\"k\",\"receipt\":{\"key_id\":\"x\"}}}",
        id, type, second);
    char *copy = iv_arena_zalloc(&p->arena, json.n + IV_RECORD_PADDING);
    memcpy(copy, json.p, json.n);
    const struct iv_record record = {.origin = {IV_TELEMETRY, 0, p->offset++, IV_STR("telemetry")},
                                     .bytes = {copy, json.n}};
    cr_assert(iv_ok(iv_decode(p->decoder, &record, &p->arena, &event, &p->err)), "%s", p->err.text);
    event.standing = IV_STANDING_NEW;
    cr_assert(iv_ok(iv_front_event(p->front, &event, &p->err)), "%s", p->err.text);
    iv_buf_deinit(&json);
}

static void flush(struct play *p)
{
    cr_assert(iv_ok(iv_front_flush(p->front, true, &p->err)));
}

static void take(struct play *p, size_t packet)
{
    cr_assert(iv_ok(iv_back_take(p->back, p->packets[packet], &p->err)), "%s", p->err.text);
    cr_assert(iv_ok(iv_judge_settle(p->judge, &p->err)));
}

Test(exchange, events_that_are_cut_are_verified_beside_the_other_rules)
{
    for (unsigned verifiers = 0; verifiers <= 2; verifiers++) {
        struct play p;
        begin(&p, HEAD SIGNED, HEAD SIGNED, verifiers);
        arrive(&p, "x.a", "a1", 1);
        arrive(&p, "x.b", "b1", 2);
        flush(&p);
        take(&p, 0);
        cr_expect_str_eq(p.told, "SIG-1 a1 0\n", "%u threads: %s", verifiers, p.told);
        end(&p);
    }
}

Test(exchange, what_comes_again_is_taken_once)
{
    struct play p;
    struct iv_back_stats stats;
    begin(&p, HEAD NEEDS("REQ-1", "5s"), HEAD NEEDS("REQ-1", "5s"), 0);
    arrive(&p, "x.a", "a1", 1);
    flush(&p);
    read_from(&p, -1);
    arrive(&p, "x.a", "a1", 1);
    arrive(&p, "x.a", "a2", 9);
    flush(&p);
    take(&p, 0);
    take(&p, 1);
    take(&p, 0);

    iv_back_stats(p.back, &stats);
    cr_expect(stats.events == 2 && stats.skipped == 2 && stats.gaps == 0);
    cr_expect(iv_back_next(p.back, IV_TELEMETRY, 0) == 2);
    cr_expect_str_eq(p.told, "REQ-1 a1 0\n");
    end(&p);
}

Test(exchange, offsets_that_no_packet_covers_are_told_and_convict_nobody)
{
    struct play p;
    begin(&p, HEAD NEEDS("REQ-1", "5s"), HEAD NEEDS("REQ-1", "5s"), 0);
    arrive(&p, "x.a", "a1", 1);
    flush(&p);
    arrive(&p, "x.b", "b1", 2); /* this packet never comes */
    flush(&p);
    arrive(&p, "x.a", "a2", 20);
    flush(&p);
    take(&p, 0);
    take(&p, 2);

    cr_expect(p.gaps == 1);
    cr_expect(strstr(p.told, "REQ-1 a1 0") == NULL, "%s", p.told);
    end(&p);
}

Test(exchange, a_reader_that_has_not_read_what_was_taken_moves_no_time)
{
    const iv_ns later = INT64_C(1800000000) * IV_NS_PER_S;
    struct play p;
    begin(&p, HEAD NEEDS("REQ-1", "5s"), HEAD NEEDS("REQ-1", "5s"), 0);
    flush(&p);
    struct iv_front *zombie = p.front;
    p.front = NULL;
    read_from(&p, -1);
    arrive(&p, "x.a", "a1", 1);
    flush(&p);
    iv_front_idle(zombie, IV_TELEMETRY, later);
    cr_assert(iv_ok(iv_front_flush(zombie, true, &p.err)));
    for (size_t i = 0; i < p.sent; i++) {
        take(&p, i);
    }
    cr_expect_str_eq(p.told, "");

    iv_front_idle(p.front, IV_TELEMETRY, later);
    flush(&p);
    take(&p, p.sent - 1);
    cr_expect_str_eq(p.told, "REQ-1 a1 0\n");
    iv_front_free(zombie);
    end(&p);
}

Test(exchange, what_a_reader_does_not_serve_convicts_nobody)
{
    struct play p;
    begin(&p, HEAD NEEDS("REQ-1", "5s"), HEAD NEEDS("REQ-1", "5s") NEEDS("REQ-2", "4s"), 0);
    arrive(&p, "x.a", "a1", 1);
    flush(&p);
    arrive(&p, "x.a", "a2", 30);
    flush(&p);
    take(&p, 0);
    take(&p, 1);

    cr_expect(strstr(p.told, "REQ-1 a1 0") != NULL, "%s", p.told);
    cr_expect(strstr(p.told, "REQ-2 a1 0") == NULL, "%s", p.told);
    end(&p);
}

Test(exchange, a_gap_of_the_source_is_passed_on_and_what_was_seen_still_convicts)
{
    struct play p;
    begin(&p, HEAD NEEDS("REQ-1", "5s") SIGNED, HEAD NEEDS("REQ-1", "5s") SIGNED, 0);
    arrive(&p, "x.a", "a1", 1);
    iv_front_gap(p.front, IV_TELEMETRY, 9);
    p.offset = 9;
    arrive(&p, "x.b", "b1", 8);
    arrive(&p, "x.a", "a2", 20);
    flush(&p);
    take(&p, 0);

    cr_expect(strstr(p.told, "REQ-1 a1 0") == NULL, "%s", p.told);
    cr_expect(strstr(p.told, "REQ-1 a1 3") != NULL, "%s", p.told);
    cr_expect(strstr(p.told, "SIG-1 a1 0") != NULL, "%s", p.told);
    cr_expect(p.gaps == 0 && iv_back_next(p.back, IV_TELEMETRY, 0) == 11);
    end(&p);
}

/* What was missing may have come behind the last that was seen: with what comes next it is known how far. */
Test(exchange, a_trigger_within_a_gap_that_is_open_is_not_violated)
{
    struct play p;
    begin(&p, HEAD NEEDS("REQ-1", "5s"), HEAD NEEDS("REQ-1", "5s"), 0);
    arrive(&p, "x.b", "b0", 1);
    iv_front_gap(p.front, IV_TELEMETRY, 9);
    p.offset = 9;
    arrive(&p, "x.a", "a1", 20);
    arrive(&p, "x.a", "a2", 21);
    arrive(&p, "x.a", "a3", 40);
    arrive(&p, "x.b", "b3", 59);
    flush(&p);
    take(&p, 0);

    cr_expect_str_eq(p.told, "REQ-1 a1 3\nREQ-1 a2 0\nREQ-1 a3 0\n", "%s", p.told);
    end(&p);
}

Test(exchange, another_log_is_taken_from_its_beginning)
{
    struct play p;
    struct iv_back_stats stats;
    begin(&p, HEAD SIGNED, HEAD SIGNED, 0);
    p.offset = 100;
    arrive(&p, "x.a", "a1", 1);
    flush(&p);
    iv_front_gap(p.front, IV_TELEMETRY, 0);
    p.offset = 0;
    arrive(&p, "x.b", "b1", 2);
    flush(&p);
    take(&p, 0);
    take(&p, 1);

    iv_back_stats(p.back, &stats);
    cr_expect(stats.events == 2 && stats.skipped == 0);
    cr_expect(iv_back_next(p.back, IV_TELEMETRY, 0) == 1);
    cr_expect_str_eq(p.told, "SIG-1 a1 0\n");
    end(&p);
}

Test(exchange, a_packet_for_another_share_is_refused)
{
    struct play p;
    struct iv_judge *judge = NULL;
    struct iv_back *other = NULL;
    begin(&p, HEAD NEEDS("REQ-1", "5s"), HEAD NEEDS("REQ-1", "5s"), 0);
    arrive(&p, "x.a", "a1", 1);
    flush(&p);
    const struct iv_judge_options options = {.baseline = p.takes,
                                             .part = IV_JUDGE_GLOBAL,
                                             .share = {2, 0},
                                             .verdict = on_verdict,
                                             .hash_key = key,
                                             .ctx = &p};
    cr_assert(iv_ok(iv_judge_new(&judge, &options, &p.err)));
    const struct iv_back_options back = {.deployment = IV_STR("us"),
                                         .judge = judge,
                                         .baseline = p.takes,
                                         .share = {2, 0},
                                         .topics = {[IV_TELEMETRY] = IV_STR("telemetry")}};
    cr_assert(iv_ok(iv_back_new(&other, &back, &p.err)));

    cr_expect(iv_back_take(other, p.packets[0], &p.err).code == IV_E_MALFORMED);
    cr_expect_str_eq(p.err.text, "the packet is for share 0 of 1, and this one is 0 of 2");
    cr_expect(iv_back_take(other, IV_STR("IVPACKET?"), &p.err).code == IV_E_MALFORMED);

    struct iv_buf saved;
    iv_buf_init(&saved, 4096);
    iv_back_save(other, &saved);
    cr_expect(iv_back_restore(p.back, iv_buf_slice(&saved), &p.err).code == IV_E_MALFORMED);
    cr_expect(iv_ok(iv_back_restore(other, iv_buf_slice(&saved), &p.err)));
    saved.n--;
    cr_expect(iv_back_restore(other, iv_buf_slice(&saved), &p.err).code == IV_E_MALFORMED);
    iv_buf_deinit(&saved);
    iv_back_free(other);
    iv_judge_free(judge);
    end(&p);
}

Test(exchange, a_packet_of_another_deployment_is_not_taken)
{
    struct play p;
    struct iv_back *other = NULL;
    struct iv_back_stats stats;
    begin(&p, HEAD NEEDS("REQ-1", "5s"), HEAD NEEDS("REQ-1", "5s"), 0);
    arrive(&p, "x.a", "a1", 1);
    flush(&p);
    const struct iv_back_options back = {.deployment = IV_STR("them"),
                                         .judge = p.judge,
                                         .baseline = p.takes,
                                         .share = {1, 0},
                                         .topics = {[IV_TELEMETRY] = IV_STR("telemetry")}};
    cr_assert(iv_ok(iv_back_new(&other, &back, &p.err)));

    cr_expect(iv_back_take(other, p.packets[0], &p.err).code == IV_E_REFUSED);
    cr_expect_str_eq(p.err.text, "the packet is of the deployment whose group.id is 'us', and this one's is "
                                 "'them': each must have an exchange topic of its own");

    iv_back_stats(other, &stats);
    cr_expect(stats.events == 0 && stats.gaps == 0 && iv_back_next(other, IV_TELEMETRY, 0) == -1);
    iv_back_free(other);
    end(&p);
}
