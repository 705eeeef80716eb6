/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/judge.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "engine/snapshot.h"
#include "judge/verify.h"

#include <string.h>

struct iv_judge {
    struct iv_judge_options options;
    uint64_t *fast; /* the rules of the first engine, a bit for each index */
    uint64_t *slow; /* and those that check signatures */
    struct iv_engine *first;
    struct iv_engine *second; /* NULL: none, or behind verifying threads */
    struct iv_verify *verify; /* NULL: none */
    uint64_t moves;
    /* In order: what the first engine said since the last flush. */
    struct iv_commit *said;
    bool ending;            /* everything was told in order, and what is said now goes straight out */
    struct iv_rc_s failure; /* of the verdict hook, which cannot answer */
    struct iv_err failure_err;
};

static bool is_ordered(const struct iv_judge *j)
{
    return j->verify != NULL && j->options.through == NULL && !j->ending;
}

static void on_verdict(void *ctx, const struct iv_verdict *verdict)
{
    struct iv_judge *j = ctx;
    if (!is_ordered(j)) {
        j->options.verdict(j->options.ctx, verdict);
        return;
    }
    if (iv_ok(j->failure) && j->said == NULL) {
        j->failure = iv_commit_new(&j->said, j->options.baseline, &j->failure_err);
    }
    if (iv_ok(j->failure)) {
        j->said->ordinal = j->moves;
        j->failure = iv_commit_verdict(j->said, verdict, 0, &j->failure_err);
    }
}

static void on_complaint(void *ctx, const struct iv_rule *rule, const struct iv_event *event,
                         const struct iv_err *why)
{
    const struct iv_judge *j = ctx;
    if (j->options.complaint != NULL) {
        j->options.complaint(j->options.ctx, rule, event, why);
    }
}

static void on_evicted(void *ctx, const struct iv_rule *rule, const struct iv_loss *loss)
{
    const struct iv_judge *j = ctx;
    if (j->options.evicted != NULL) {
        j->options.evicted(j->options.ctx, rule, loss);
    }
}

static void on_populated(void *ctx, const struct iv_populated *populated)
{
    const struct iv_judge *j = ctx;
    if (j->options.populated != NULL) {
        j->options.populated(j->options.ctx, populated);
    }
}

/* Tells both engines' verdicts by the order of the events; at one event the first engine's come first. */
static void tell_in_order(const struct iv_judge *j, const struct iv_commit *before,
                          const struct iv_commit *found)
{
    const struct iv_verdict_node *a = before == NULL ? NULL : before->verdicts;
    const struct iv_verdict_node *b = found == NULL ? NULL : found->verdicts;
    while (a != NULL || b != NULL) {
        const struct iv_verdict_node **next = b == NULL || (a != NULL && a->ordinal <= b->ordinal) ? &a : &b;
        j->options.verdict(j->options.ctx, &(*next)->verdict);
        *next = (*next)->next;
    }
}

static void on_through(void *ctx, struct iv_commit *before, struct iv_commit *found)
{
    struct iv_judge *j = ctx;
    if (j->options.through != NULL) {
        j->options.through(j->options.ctx, before, found);
        return;
    }
    tell_in_order(j, before, found);
    iv_commit_free(before);
    iv_commit_free(found);
}

static bool has_rule(const struct iv_judge *j, const struct iv_rule *rule)
{
    return j->options.part == IV_JUDGE_ALL || rule->global == (j->options.part == IV_JUDGE_GLOBAL);
}

/* False where no rule checks signatures. */
static bool split(struct iv_judge *j, const struct iv_baseline *b)
{
    bool any = false;
    for (size_t i = 0; i < b->rule_count; i++) {
        if (!has_rule(j, b->rules[i])) {
            continue;
        }
        uint64_t *of = b->rules[i]->checks_signature ? j->slow : j->fast;
        of[i / 64] |= UINT64_C(1) << (i % 64);
        any = any || b->rules[i]->checks_signature;
    }
    return any;
}

static iv_rc make_engine(struct iv_engine **out, const struct iv_judge *j, struct iv_engine *from,
                         struct iv_str bytes, const struct iv_engine_options *options, struct iv_err *err)
{
    if (from != NULL) {
        return iv_engine_carry_on(out, from, j->options.baseline, options, err);
    }
    return bytes.n > 0 ? iv_engine_restore(out, j->options.baseline, options, bytes, err)
                       : iv_engine_new(out, j->options.baseline, options, err);
}

/* Where rules that check signatures had no engine, the other one knows how far the streams have come. */
static struct iv_engine *second_of(struct iv_judge *from)
{
    if (from == NULL) {
        return NULL;
    }
    struct iv_engine *second = from->verify != NULL ? iv_verify_engine(from->verify) : from->second;
    return second != NULL ? second : from->first;
}

static struct iv_str second_bytes(const struct iv_judge_options *o)
{
    return o->bytes[1].n > 0 ? o->bytes[1] : o->bytes[0];
}

/* Whether the second engine is made from the first one of before, whose work is counted already. */
static bool second_is_first(const struct iv_judge_options *o)
{
    return o->from != NULL ? second_of(o->from) == o->from->first : o->bytes[1].n == 0;
}

static iv_rc open_second(struct iv_judge *j, const struct iv_engine_options *engine, struct iv_err *err)
{
    const struct iv_judge_options *o = &j->options;
    if (o->verifiers == 0) {
        TRY(make_engine(&j->second, j, second_of(o->from), second_bytes(o), engine, err));
        if (second_is_first(o)) {
            iv_engine_begin_work(j->second);
        }
        return IV_OK;
    }
    const struct iv_verify_options verify = {.baseline = o->baseline,
                                             .rules = j->slow,
                                             .from = second_of(o->from),
                                             .bytes = second_bytes(o),
                                             .begins_work = second_is_first(o),
                                             .digests = o->digests,
                                             .hash_key = o->hash_key,
                                             .share = o->share,
                                             .cell = o->cell,
                                             .threads = o->verifiers,
                                             .complaint = on_complaint,
                                             .through = on_through,
                                             .ctx = j};
    return iv_verify_start(&j->verify, &verify, err);
}

static iv_rc open_engines(struct iv_judge *j, struct iv_err *err)
{
    const struct iv_judge_options *o = &j->options;
    struct iv_engine_options engine = {.verdict = on_verdict,
                                       .complaint = on_complaint,
                                       .evicted = on_evicted,
                                       .populated = on_populated,
                                       .ctx = j,
                                       .digests = o->digests,
                                       .hash_key = o->hash_key,
                                       .share = o->share,
                                       .rules = j->fast};
    bool any = split(j, o->baseline);
    TRY(make_engine(&j->first, j, o->from == NULL ? NULL : o->from->first, o->bytes[0], &engine, err));
    /* What was restored has its own: keys that were hashed once cannot be hashed again. */
    engine.hash_key = j->options.hash_key = iv_engine_hash_key(j->first);
    engine.rules = j->slow;
    return any ? open_second(j, &engine, err) : IV_OK;
}

iv_rc iv_judge_new(struct iv_judge **out, const struct iv_judge_options *options, struct iv_err *err)
{
    IV_AUTO(iv_judge_freep) struct iv_judge *j = iv_calloc(1, sizeof *j);
    ENSURE(j != NULL, err, IV_E_NOMEM, "cannot allocate the engines");
    size_t words = options->baseline->rule_count / 64 + 1;
    j->options = *options;
    (void)iv_baseline_ref(j->options.baseline);
    j->fast = iv_calloc(words, sizeof *j->fast);
    j->slow = iv_calloc(words, sizeof *j->slow);
    ENSURE(j->fast != NULL && j->slow != NULL, err, IV_E_NOMEM, "cannot allocate the engines");
    j->moves = options->from == NULL ? 0 : options->from->moves;
    TRY(open_engines(j, err));
    j->options.from = NULL;
    memset(j->options.bytes, 0, sizeof j->options.bytes);
    *out = TAKE(j);
    return IV_OK;
}

void iv_judge_free(struct iv_judge *j)
{
    if (j != NULL) {
        iv_verify_stop(j->verify);
        iv_engine_free(j->second);
        iv_engine_free(j->first);
        iv_commit_free(j->said);
        iv_baseline_unref(j->options.baseline);
        iv_free(j->fast);
        iv_free(j->slow);
        iv_free(j);
    }
}

void iv_judge_freep(struct iv_judge **judge)
{
    iv_judge_free(*judge);
    *judge = NULL;
}

static iv_rc check_hook(const struct iv_judge *j, struct iv_err *err)
{
    if (!iv_ok(j->failure)) {
        *err = j->failure_err;
    }
    return j->failure;
}

bool iv_judge_beside(const struct iv_judge *judge)
{
    return judge->verify != NULL;
}

iv_rc iv_judge_flush(struct iv_judge *judge, struct iv_commit *before, struct iv_err *err)
{
    if (before == NULL) {
        before = judge->said;
        judge->said = NULL;
    }
    return iv_verify_flush(judge->verify, before, err);
}

/* Passes a move on to the verifying threads. */
static iv_rc pass_on(struct iv_judge *j, struct iv_move *move, struct iv_err *err)
{
    move->ordinal = j->moves;
    TRY(check_hook(j, err));
    if (!iv_verify_fits(j->verify, move)) {
        TRY(iv_judge_flush(j, NULL, err));
    }
    return iv_verify_move(j->verify, move, err);
}

iv_rc iv_judge_open(struct iv_judge *judge, enum iv_stream stream, int32_t partition, struct iv_err *err)
{
    struct iv_move move = {.kind = IV_MOVE_OPEN, .stream = (uint8_t)stream, .partition = partition};
    judge->moves++;
    TRY(iv_engine_open(judge->first, stream, partition, err));
    if (judge->verify != NULL) {
        return pass_on(judge, &move, err);
    }
    return judge->second == NULL ? IV_OK : iv_engine_open(judge->second, stream, partition, err);
}

iv_rc iv_judge_joined_midway(struct iv_judge *judge, enum iv_stream stream, struct iv_err *err)
{
    struct iv_move move = {.kind = IV_MOVE_MIDWAY, .stream = (uint8_t)stream};
    judge->moves++;
    iv_engine_joined_midway(judge->first, stream);
    if (judge->second != NULL) {
        iv_engine_joined_midway(judge->second, stream);
    }
    return judge->verify == NULL ? IV_OK : pass_on(judge, &move, err);
}

iv_rc iv_judge_missed(struct iv_judge *judge, const uint64_t *rules, iv_ns until, struct iv_err *err)
{
    TRY(iv_judge_settle(judge, err));
    struct iv_engine *second = judge->verify != NULL ? iv_verify_engine(judge->verify) : judge->second;
    TRY(iv_engine_missed(judge->first, rules, until, err));
    return second == NULL ? IV_OK : iv_engine_missed(second, rules, until, err);
}

iv_rc iv_judge_reached(struct iv_judge *judge, enum iv_stream stream, int32_t partition, iv_ns time,
                       struct iv_err *err)
{
    struct iv_move move = {
        .kind = IV_MOVE_REACHED, .stream = (uint8_t)stream, .partition = partition, .time = time};
    judge->moves++;
    TRY(iv_engine_reached(judge->first, stream, partition, time, err));
    if (judge->verify != NULL) {
        return pass_on(judge, &move, err);
    }
    return judge->second == NULL ? IV_OK : iv_engine_reached(judge->second, stream, partition, time, err);
}

iv_rc iv_judge_idle(struct iv_judge *judge, enum iv_stream stream, int32_t partition, iv_ns wall,
                    struct iv_err *err)
{
    struct iv_move move = {
        .kind = IV_MOVE_IDLE, .stream = (uint8_t)stream, .partition = partition, .time = wall};
    judge->moves++;
    TRY(iv_engine_idle(judge->first, stream, partition, wall, err));
    if (judge->verify != NULL) {
        return pass_on(judge, &move, err);
    }
    return judge->second == NULL ? IV_OK : iv_engine_idle(judge->second, stream, partition, wall, err);
}

static bool is_cut(const struct iv_event *event)
{
    return event->seal != NULL && event->seal->named;
}

static iv_rc pass_event_on(struct iv_judge *j, const struct iv_event *event, bool concerned,
                           struct iv_err *err)
{
    struct iv_move move = {.kind = concerned ? IV_MOVE_EVENT : IV_MOVE_REACHED,
                           .stream = (uint8_t)event->origin.stream,
                           .partition = event->origin.partition,
                           .time = event->time,
                           .written = event->record->written,
                           .record = concerned ? event->record : NULL,
                           .event = concerned && is_cut(event) ? event : NULL};
    return pass_on(j, &move, err);
}

void iv_judge_foresee(struct iv_judge *judge, struct iv_event *const events[], size_t count)
{
    iv_engine_foresee(judge->first, events, count);
}

iv_rc iv_judge_event(struct iv_judge *judge, struct iv_event *event, struct iv_err *err)
{
    judge->moves++;
    TRY(iv_engine_event(judge->first, event, err));
    const struct iv_engine *follower =
        judge->verify != NULL ? iv_verify_engine(judge->verify) : judge->second;
    if (follower == NULL || event->standing == IV_STANDING_NONE) {
        return IV_OK;
    }
    /* What concerns an engine was decided when it was made, so it can be asked while it works. */
    bool concerned = event->standing == IV_STANDING_NEW && iv_engine_concerns(follower, event->type);
    if (judge->verify != NULL) {
        return pass_event_on(judge, event, concerned, err);
    }
    return concerned ? iv_engine_event(judge->second, event, err)
                     : iv_engine_reached(judge->second, event->origin.stream, event->origin.partition,
                                         event->time, err);
}

iv_rc iv_judge_settle(struct iv_judge *judge, struct iv_err *err)
{
    if (judge->verify == NULL) {
        return IV_OK;
    }
    struct iv_rc_s flushed = iv_judge_flush(judge, NULL, err);
    struct iv_rc_s drained = iv_verify_drain(judge->verify, iv_ok(flushed) ? err : NULL);
    TRY(flushed);
    TRY(drained);
    return check_hook(judge, err);
}

size_t iv_judge_engines(struct iv_judge *judge, struct iv_engine *out[IV_JUDGE_ENGINES])
{
    struct iv_engine *second = judge->verify != NULL ? iv_verify_engine(judge->verify) : judge->second;
    out[0] = judge->first;
    out[1] = second;
    return second == NULL ? 1 : 2;
}

struct iv_hash_key iv_judge_hash_key(const struct iv_judge *judge)
{
    return judge->options.hash_key;
}

static iv_rc finish_beside(struct iv_judge *j, struct iv_err *err)
{
    TRY(iv_judge_settle(j, err));
    j->ending = true;
    TRY(iv_engine_finish(j->first, err));
    return iv_verify_finish(j->verify, j->options.verdict, j->options.ctx, err);
}

iv_rc iv_judge_finish(struct iv_judge *judge, struct iv_err *err)
{
    judge->moves++;
    if (judge->verify != NULL) {
        return finish_beside(judge, err);
    }
    TRY(iv_engine_finish(judge->first, err));
    return judge->second == NULL ? IV_OK : iv_engine_finish(judge->second, err);
}

/* Of the rules' work; events, duplicates and lateness are the first engine's to count. */
static void add_stats(struct iv_engine_stats *sum, const struct iv_engine_stats *more)
{
    sum->evaluations += more->evaluations;
    sum->failures += more->failures;
    sum->kept += more->kept;
    sum->live_events += more->live_events;
    sum->armed += more->armed;
    sum->overdue += more->overdue;
    sum->state_bytes += more->state_bytes;
    for (size_t i = 0; i < IV_COUNT(sum->verdicts); i++) {
        sum->verdicts[i] += more->verdicts[i];
    }
}

/* Rules that check signatures look at few events: they have a quarter, and what they leave of it is the
 * others'. */
void iv_judge_limit(struct iv_judge *judge, uint64_t bytes)
{
    struct iv_engine_stats beside = {0};
    uint64_t quarter = bytes / 4;
    if (judge->verify != NULL) {
        iv_verify_stats(judge->verify, &beside);
        iv_verify_limit(judge->verify, quarter);
    } else if (judge->second != NULL) {
        iv_engine_stats(judge->second, &beside);
        iv_engine_limit(judge->second, quarter);
    }
    iv_engine_limit(judge->first, bytes - (beside.state_bytes < quarter ? beside.state_bytes : quarter));
}

void iv_judge_stats(struct iv_judge *judge, struct iv_engine_stats *out)
{
    struct iv_engine_stats more = {0};
    iv_engine_stats(judge->first, out);
    if (judge->verify != NULL) {
        iv_verify_stats(judge->verify, &more);
    } else if (judge->second != NULL) {
        iv_engine_stats(judge->second, &more);
    }
    add_stats(out, &more);
}

void iv_judge_rule_stats(struct iv_judge *judge, uint16_t rule_index, struct iv_rule_stats *out)
{
    bool slow = (judge->slow[rule_index / 64] >> (rule_index % 64) & 1) != 0;
    if (slow && judge->verify != NULL) {
        iv_verify_rule_stats(judge->verify, rule_index, out);
    } else {
        iv_engine_rule_stats(slow ? judge->second : judge->first, rule_index, out);
    }
}

size_t iv_judge_queue(struct iv_judge *judge)
{
    return judge->verify == NULL ? 0 : iv_verify_queue(judge->verify);
}

void iv_judge_populations(struct iv_judge *judge)
{
    iv_engine_populations(judge->first, on_populated, judge);
    if (judge->second != NULL) {
        iv_engine_populations(judge->second, on_populated, judge);
    }
}
