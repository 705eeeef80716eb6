/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage against its definition, instant by instant, on random histories of a few partitions and logs:
 *   - what is lost, and to which cause, is what the definition says;
 *   - where the lists are too short for that, more is lost, never less;
 *   - bytes written at any moment and read back go on to the same bytes;
 *   - a run that goes back to such bytes, knowing what it had told since, comes to the same;
 *   - bytes that are damaged are refused, or taken for what they say;
 *   - a run that ends anywhere, and another that reads all of it again, come to what one run would have.
 * Environment: IV_SEED, IV_SEEDS as in trial.h. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "engine/coverage.h"
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPS_MAX = 80, HORIZON = 120, PARTITIONS = 2, LOGS = 3, SEQS = 10, PLACES = 2 * PARTITIONS };

struct op {
    enum { OP_BEGIN, OP_EVENT, OP_LOST, OP_IDLE } kind;
    enum iv_stream stream;
    int32_t partition;
    iv_ns time;
    uint64_t log;
    int64_t seq;
    enum iv_standing standing;
    enum iv_loss_cause cause;
    bool whole;
};

struct history {
    struct op ops[OPS_MAX];
    size_t count;
    iv_ns lateness[IV_STREAMS];
    bool whole;
};

/* By place, cause and instant; an instant stands for the nanosecond behind it. Sequences are told by stream:
 * which of its partitions a hole belongs to is nobody's concern. */
struct picture {
    bool lost[PLACES][IV_LOSS_CAUSES][HORIZON];
    bool any[PLACES][HORIZON];
    bool known[PLACES];
    iv_ns reach[PLACES];
};

static size_t place_of(enum iv_stream stream, int32_t partition)
{
    return (size_t)stream * PARTITIONS + (size_t)partition;
}

static void generate(struct history *h, struct dice *dice)
{
    h->count = 0;
    h->whole = dice_one_in(dice, 2);
    for (int s = 0; s < IV_STREAMS; s++) {
        h->lateness[s] = (iv_ns)dice_below(dice, 6);
        for (int32_t p = 0; p < PARTITIONS; p++) {
            h->ops[h->count++] = (struct op){.kind = OP_BEGIN,
                                             .stream = (enum iv_stream)s,
                                             .partition = p,
                                             .whole = h->whole || dice_one_in(dice, 2)};
            h->whole = h->whole && h->ops[h->count - 1].whole;
        }
    }
    size_t wanted = h->count + (size_t)dice_below(dice, OPS_MAX - h->count);
    iv_ns now = 3;
    int64_t next[LOGS] = {0, (int64_t)dice_below(dice, 3), 0};
    for (; h->count < wanted; h->count++) {
        struct op *op = &h->ops[h->count];
        uint64_t kind = dice_below(dice, 12);
        *op = (struct op){.kind = kind == 0 ? OP_LOST : (kind == 1 ? OP_IDLE : OP_EVENT),
                          .stream = dice_one_in(dice, 3) ? IV_TELEMETRY : IV_LEDGER,
                          .partition = (int32_t)dice_below(dice, PARTITIONS)};
        now += (iv_ns)dice_below(dice, 3);
        op->time = now;
        op->cause = dice_one_in(dice, 2) ? IV_LOSS_DEAD_LETTER : IV_LOSS_RETENTION;
        if (op->kind == OP_EVENT) {
            iv_ns behind = dice_one_in(dice, 4) ? (iv_ns)dice_below(dice, 9) : 0;
            op->time = behind < now ? now - behind : 0;
            op->standing = dice_one_in(dice, 9)
                               ? (dice_one_in(dice, 2) ? IV_STANDING_NONE : IV_STANDING_REPEATED)
                               : IV_STANDING_NEW;
            op->log = dice_below(dice, LOGS);
            op->seq = dice_one_in(dice, 4) ? (int64_t)dice_below(dice, SEQS) : next[op->log];
            next[op->log] = op->seq + 1 < SEQS ? op->seq + 1 : op->seq;
        }
    }
}

/* By definition */

static void lose(struct picture *p, size_t place, enum iv_loss_cause cause, iv_ns from, iv_ns until)
{
    until = until > from ? until : from + 1;
    for (iv_ns t = from < 0 ? 0 : from; t < until && t < HORIZON; t++) {
        p->lost[place][cause][t] = true;
    }
}

/* How far the partition had come before this op. */
static iv_ns watermark(const struct history *h, size_t at)
{
    iv_ns mark = IV_NS_MIN;
    const struct op *here = &h->ops[at];
    for (size_t i = 0; i < at; i++) {
        const struct op *op = &h->ops[i];
        bool moves = op->kind == OP_IDLE || (op->kind == OP_EVENT && op->standing != IV_STANDING_NONE);
        if (moves && op->stream == here->stream && op->partition == here->partition) {
            iv_ns to = op->time - h->lateness[op->stream];
            mark = to > mark ? to : mark;
        }
    }
    return mark;
}

/* How late a record can be that stood before this op; false where the op says nothing of it. */
static bool bounds(const struct history *h, size_t at, iv_ns *until)
{
    const struct op *op = &h->ops[at];
    iv_ns lateness = h->lateness[op->stream];
    if (op->kind == OP_EVENT && op->standing != IV_STANDING_NONE) {
        *until = op->time + lateness;
        return op->time >= watermark(h, at);
    }
    *until = op->time;
    return op->kind == OP_IDLE && op->time - lateness > watermark(h, at);
}

static void define_lost(struct picture *p, const struct history *h, size_t at, enum iv_loss_cause cause)
{
    const struct op *here = &h->ops[at];
    for (size_t i = at + 1; i < h->count; i++) {
        const struct op *op = &h->ops[i];
        iv_ns until = 0;
        if (op->stream == here->stream && op->partition == here->partition && bounds(h, i, &until)) {
            lose(p, place_of(here->stream, here->partition), cause, watermark(h, at), until);
            return;
        }
    }
}

/* The first record of each entry of a log; *whole: it was met where nothing is in front. False where an entry
 * stands there twice, at two times, or behind a later one. */
static bool look_through(const struct op *seen[SEQS], bool *whole, const struct history *h, uint64_t log)
{
    bool any = false;
    bool once = true;
    int64_t last = -1;
    for (size_t i = 0; i < h->count; i++) {
        const struct op *op = &h->ops[i];
        if (op->kind == OP_EVENT && op->stream == IV_LEDGER && op->standing != IV_STANDING_NONE &&
            op->log == log) {
            *whole = any ? *whole : h->ops[place_of(IV_LEDGER, op->partition)].whole;
            any = true;
            seen[op->seq] = seen[op->seq] == NULL ? op : seen[op->seq];
            once = once && seen[op->seq]->time == op->time && (seen[op->seq] != op || op->seq > last);
            last = op->seq > last ? op->seq : last;
        }
    }
    return once;
}

/* in_order: of a log that does not come in order, or forks, nothing is said. */
static void define_log(struct picture *p, const struct history *h, uint64_t log, bool in_order)
{
    const struct op *seen[SEQS] = {NULL};
    const struct op *before = NULL;
    bool whole = false;
    bool once = look_through(seen, &whole, h, log);
    for (int64_t seq = 0; seq < SEQS && in_order; seq++) {
        if (!once) {
            return;
        }
        if (seen[seq] != NULL && before != NULL && seen[seq]->time < before->time) {
            return;
        }
        before = seen[seq] != NULL ? seen[seq] : before;
    }
    before = NULL;
    for (int64_t seq = 0; seq < SEQS; seq++) {
        const struct op *op = seen[seq];
        if (op == NULL) {
            continue;
        }
        if (seq > 0 && seen[seq - 1] == NULL && (before != NULL || whole)) {
            iv_ns one = before == NULL ? IV_NS_MIN : before->time;
            lose(p, 0, IV_LOSS_SEQUENCE, one < op->time ? one : op->time,
                 (one < op->time ? op->time : one) + 1);
        }
        before = op;
    }
}

static void define(struct picture *p, const struct history *h, bool in_order)
{
    memset(p, 0, sizeof *p);
    for (size_t i = 0; i < h->count; i++) {
        const struct op *op = &h->ops[i];
        size_t place = place_of(op->stream, op->partition);
        if (op->kind == OP_BEGIN && !op->whole) {
            define_lost(p, h, i, IV_LOSS_MIDWAY);
        } else if (op->kind == OP_LOST) {
            define_lost(p, h, i, op->cause);
        } else if (op->kind == OP_EVENT && op->standing == IV_STANDING_NEW && op->time < watermark(h, i)) {
            lose(p, place, IV_LOSS_LATE, op->time, watermark(h, i));
        }
    }
    for (uint64_t log = 0; log < LOGS; log++) {
        define_log(p, h, log, in_order);
    }
}

/* By the code */

static void must(struct iv_rc_s rc, const struct iv_err *err)
{
    if (!iv_ok(rc)) {
        (void)fprintf(stderr, "%s\n", err->text);
        exit(1);
    }
}

static void tell(struct iv_coverage *c, const struct op *op)
{
    static const char names[LOGS][2] = {"a", "b", "c"};
    struct iv_err err = {.text = ""};
    struct iv_val slots[IV_ATTRS];
    memset(slots, 0, sizeof slots);
    slots[IV_ATTR_LEDGER_ID] = iv_val_str(iv_str_of(names[op->log]));
    slots[IV_ATTR_LEDGER_SEQ] = iv_val_int(op->seq);
    struct iv_event event = {.time = op->time,
                             .origin = {.stream = op->stream, .partition = op->partition},
                             .slots = slots,
                             .standing = (uint8_t)op->standing};
    switch (op->kind) {
    case OP_BEGIN:
        must(iv_coverage_begin(c, op->stream, op->partition, op->whole, &err), &err);
        break;
    case OP_EVENT:
        must(iv_coverage_event(c, &event, &err), &err);
        break;
    case OP_LOST:
        must(iv_coverage_lost(c, op->stream, op->partition, op->cause, 1, &err), &err);
        break;
    case OP_IDLE:
        must(iv_coverage_idle(c, op->stream, op->partition, op->time, &err), &err);
        break;
    }
}

static iv_rc paint(void *ctx, const struct iv_cover *cover, struct iv_err *err)
{
    (void)err;
    struct picture *p = ctx;
    size_t place = place_of(cover->stream, cover->partition);
    p->known[place] = true;
    p->reach[place] = cover->reach;
    for (size_t i = 0; i < cover->loss_count; i++) {
        const struct iv_loss *loss = &cover->losses[i];
        lose(p, loss->cause == IV_LOSS_SEQUENCE ? 0 : place, loss->cause, loss->from, loss->until);
    }
    return IV_OK;
}

static iv_rc ignore(void *ctx, const struct iv_cover *cover, struct iv_err *err)
{
    (void)ctx;
    (void)cover;
    (void)err;
    return IV_OK;
}

static void look(struct picture *p, struct iv_coverage *c)
{
    struct iv_err err = {.text = ""};
    memset(p, 0, sizeof *p);
    must(iv_coverage_report(c, true, paint, p, &err), &err);
}

static struct iv_coverage *begin(const struct history *h, bool short_lists)
{
    struct iv_err err = {.text = ""};
    struct iv_coverage *c = NULL;
    struct iv_coverage_options options = {.key = {1, 2}};
    for (int s = 0; s < IV_STREAMS; s++) {
        options.lateness[s] = h->lateness[s];
    }
    if (short_lists) {
        options.losses_most = 3;
        options.holes_most = 1;
        options.logs_most = 1;
    }
    must(iv_coverage_new(&c, &options, &err), &err);
    return c;
}

static struct iv_coverage *run(const struct history *h, bool short_lists)
{
    struct iv_coverage *c = begin(h, short_lists);
    for (size_t i = 0; i < h->count; i++) {
        tell(c, &h->ops[i]);
    }
    return c;
}

static bool any_lost(const struct picture *p, size_t place, iv_ns t)
{
    bool any = p->lost[0][IV_LOSS_SEQUENCE][t] && place < PARTITIONS;
    for (int cause = 0; cause < IV_LOSS_CAUSES; cause++) {
        any = any || p->lost[place][cause][t];
    }
    return any;
}

/* The laws */

static bool is_as_defined(const struct history *h)
{
    struct picture want;
    struct picture got;
    struct iv_coverage *c = run(h, false);
    define(&want, h, false);
    look(&got, c);
    iv_coverage_free(c);
    return memcmp(want.lost, got.lost, sizeof want.lost) == 0;
}

/* A list that is short bounds what is missing by the times at hand, which only a log that
 * comes in order keeps.
 */
static bool loses_more_when_short(const struct history *h)
{
    struct picture want;
    struct picture got;
    struct iv_coverage *c = run(h, true);
    define(&want, h, true);
    look(&got, c);
    iv_coverage_free(c);
    for (size_t place = 0; place < PLACES; place++) {
        for (iv_ns t = 0; t < HORIZON && t < got.reach[place]; t++) {
            if (any_lost(&want, place, t) && !any_lost(&got, place, t)) {
                return false;
            }
        }
    }
    return true;
}

static bool image_goes_on(const struct history *h, size_t cut, bool short_lists)
{
    struct iv_err err = {.text = ""};
    struct iv_buf bytes[2];
    struct iv_coverage *straight = run(h, short_lists);
    struct iv_coverage *c = begin(h, short_lists);
    struct iv_coverage_options options = {.lateness = {h->lateness[0], h->lateness[1]}};
    options.losses_most = short_lists ? 3 : 0;
    options.holes_most = options.logs_most = short_lists ? 1 : 0;
    iv_buf_init(&bytes[0], 1 << 20);
    iv_buf_init(&bytes[1], 1 << 20);
    for (size_t i = 0; i < h->count; i++) {
        if (i == cut) {
            iv_coverage_image(&bytes[0], c);
            iv_coverage_freep(&c);
            must(iv_coverage_restore(&c, &options, iv_buf_slice(&bytes[0]), &err), &err);
        }
        tell(c, &h->ops[i]);
    }
    iv_buf_clear(&bytes[0]);
    iv_coverage_image(&bytes[0], c);
    iv_coverage_image(&bytes[1], straight);
    bool same = iv_str_eq(iv_buf_slice(&bytes[0]), iv_buf_slice(&bytes[1]));
    iv_buf_deinit(&bytes[0]);
    iv_buf_deinit(&bytes[1]);
    iv_coverage_free(c);
    iv_coverage_free(straight);
    return same;
}

static iv_rc recall(void *ctx, const struct iv_cover *cover, struct iv_err *err)
{
    return iv_coverage_recall(ctx, cover, err);
}

/* What the first run knew of partitions that the second one has read as far again is replaced. */
static bool second_run_comes_to_the_same(const struct history *h, size_t cut)
{
    struct iv_err err = {.text = ""};
    struct picture want;
    struct picture got;
    struct iv_coverage *straight = run(h, false);
    struct iv_coverage *first = begin(h, false);
    struct iv_coverage *second = begin(h, false);
    for (size_t i = 0; i < cut; i++) {
        tell(first, &h->ops[i]);
    }
    must(iv_coverage_report(first, true, recall, second, &err), &err);
    for (size_t i = 0; i < h->count; i++) {
        tell(second, &h->ops[i]);
    }
    look(&want, straight);
    look(&got, second);
    iv_coverage_free(straight);
    iv_coverage_free(first);
    iv_coverage_free(second);
    return memcmp(&want, &got, sizeof want) == 0;
}

/* Back to the bytes of an earlier moment, with what was told at a later one. */
static bool going_back_comes_to_the_same(const struct history *h, size_t cut, size_t later)
{
    struct iv_err err = {.text = ""};
    struct picture want;
    struct picture got;
    struct iv_buf bytes;
    struct iv_coverage *straight = run(h, false);
    struct iv_coverage *c = begin(h, false);
    struct iv_coverage *again = NULL;
    struct iv_coverage_options options = {.lateness = {h->lateness[0], h->lateness[1]}};
    iv_buf_init(&bytes, 1 << 20);
    for (size_t i = 0; i < later; i++) {
        if (i == cut) {
            iv_coverage_image(&bytes, c);
        }
        tell(c, &h->ops[i]);
    }
    must(iv_coverage_restore(&again, &options, iv_buf_slice(&bytes), &err), &err);
    must(iv_coverage_report(c, true, recall, again, &err), &err);
    for (size_t i = cut; i < h->count; i++) {
        tell(again, &h->ops[i]);
    }
    look(&want, straight);
    look(&got, again);
    iv_buf_deinit(&bytes);
    iv_coverage_free(straight);
    iv_coverage_free(c);
    iv_coverage_free(again);
    return memcmp(&want, &got, sizeof want) == 0;
}

/* Refused, or taken for what they say; never the end of the program. */
static void survive_damage(const struct history *h, struct dice *dice)
{
    struct iv_err err = {.text = ""};
    struct iv_buf bytes;
    struct iv_coverage *c = run(h, false);
    struct iv_coverage *damaged = NULL;
    struct iv_coverage_options options = {.lateness = {h->lateness[0], h->lateness[1]}, .logs_most = 2};
    iv_buf_init(&bytes, 1 << 20);
    iv_coverage_image(&bytes, c);
    bytes.p[dice_below(dice, bytes.n)] ^= (char)(1 << dice_below(dice, 8));
    struct iv_str cut = {bytes.p, bytes.n - (dice_one_in(dice, 3) ? dice_below(dice, bytes.n) : 0)};
    if (iv_ok(iv_coverage_restore(&damaged, &options, cut, &err))) {
        for (size_t i = 0; i < h->count; i++) {
            tell(damaged, &h->ops[i]);
        }
        must(iv_coverage_report(damaged, true, ignore, NULL, &err), &err);
    }
    iv_buf_deinit(&bytes);
    iv_coverage_free(c);
    iv_coverage_free(damaged);
}

static const char *broken_law(const struct history *h, struct dice *dice)
{
    size_t cut = (size_t)dice_below(dice, h->count);
    if (!is_as_defined(h)) {
        return "what is lost is what the definition says";
    }
    if (!loses_more_when_short(h)) {
        return "short lists lose more, never less";
    }
    if (!image_goes_on(h, cut, false) || !image_goes_on(h, cut, true)) {
        return "bytes read back go on to the same bytes";
    }
    size_t later = cut + 1 + (size_t)dice_below(dice, h->count - cut);
    if (cut >= PLACES && !going_back_comes_to_the_same(h, cut, later)) {
        return "going back to bytes comes to what going on would have";
    }
    survive_damage(h, dice);
    if (h->whole && !second_run_comes_to_the_same(h, cut)) {
        return "a second run comes to what one run would have";
    }
    return NULL;
}

static void show(const struct history *h)
{
    static const char *const kinds[] = {"begin", "event", "lost", "idle"};
    (void)printf("lateness %lld %lld\n", (long long)h->lateness[0], (long long)h->lateness[1]);
    for (size_t i = 0; i < h->count; i++) {
        const struct op *op = &h->ops[i];
        (void)printf("%s %s/%d time %lld log %llu seq %lld standing %d cause %s whole %d\n", kinds[op->kind],
                     iv_stream_name(op->stream), (int)op->partition, (long long)op->time,
                     (unsigned long long)op->log, (long long)op->seq, (int)op->standing,
                     iv_loss_name(op->cause), (int)op->whole);
    }
}

/* As long as what is left still breaks a law, records are left out. */
static void shrink(struct history *h)
{
    for (size_t i = h->count; i-- > PLACES;) {
        struct history less = *h;
        memmove(&less.ops[i], &less.ops[i + 1], (less.count - i - 1) * sizeof *less.ops);
        less.count--;
        struct dice dice = {1};
        if (broken_law(&less, &dice) != NULL) {
            *h = less;
        }
    }
}

int main(void)
{
    struct iv_clock clock = iv_clock_system();
    const char *from = secure_getenv("IV_SEED");
    const char *most = secure_getenv("IV_SEEDS");
    iv_ns begun = iv_monotonic(&clock);
    uint64_t seed = from != NULL ? strtoull(from, NULL, 10) : (uint64_t)iv_wall(&clock);
    uint64_t seeds = most != NULL ? strtoull(most, NULL, 10) : UINT64_MAX;
    uint64_t tried = 0;
    for (; tried < seeds && (most != NULL || iv_monotonic(&clock) - begun < 5 * IV_NS_PER_S); tried++) {
        struct dice dice = {seed + tried};
        struct history h;
        generate(&h, &dice);
        const char *law = broken_law(&h, &dice);
        if (law != NULL) {
            shrink(&h);
            (void)printf("IV_SEED=%llu IV_SEEDS=1: %s\n", (unsigned long long)(seed + tried), law);
            show(&h);
            return 1;
        }
    }
    (void)printf("%llu histories from seed %llu\n", (unsigned long long)tried, (unsigned long long)seed);
    return 0;
}
