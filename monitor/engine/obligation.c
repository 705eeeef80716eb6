/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/obligation.h"

#include "base/guard.h"
#include "engine/lanes.h"
#include "engine/tree.h"

/* Timers that one call fires, so that no burst of deadlines stops the stream for long. */
#define FIRE_MAX 512

static struct iv_obligation *obligation_at(const struct iv_engine *e, uint32_t ref)
{
    return iv_slab_at(&e->obligations, ref);
}

static const struct iv_rule_plan *plan_of(const struct iv_engine *e, const struct iv_obligation *o)
{
    return &e->plan.rules[o->rule];
}

static bool is_of_tree(const struct iv_engine *e, const struct iv_obligation *o)
{
    return plan_of(e, o)->rule->tree.note != NULL;
}

/* Whether a partner that was dropped before this trigger came could have mattered. */
static bool is_blind(const struct iv_engine *e, const struct iv_search *s)
{
    return iv_watermark_forgot(&e->watermark, s->plan->on_streams, s->pair.on->time, e->baseline->dedup);
}

/* When it can be decided; late events can use a forbid's trigger, and contradict a violation, for a while
 * longer. */
static iv_ns ends_at(const struct iv_engine *e, const struct iv_obligation *o)
{
    return o->state == IV_WAIT_FORBIDDEN  ? iv_ns_add(o->high, e->baseline->dedup)
           : o->state == IV_WAIT_VIOLATED ? iv_ns_add(o->high, IV_AFTERMATH_NS)
                                          : o->high;
}

void iv_obligation_put(struct iv_engine *e, const struct iv_obligation *o)
{
    struct iv_rec *rec = iv_store_rec(&e->store, o->rec);
    uint32_t ref = iv_slab_take(&e->obligations);
    if (ref == 0 ||
        !iv_timers_push(&e->timers[plan_of(e, o)->with_streams], ends_at(e, o), rec->order, ref)) {
        e->spent = true;
        return;
    }
    *obligation_at(e, ref) = *o;
    obligation_at(e, ref)->next = rec->obligations;
    rec->obligations = ref;
    e->undecided += o->state == IV_WAIT_REQUIRED ? 1 : 0;
    e->aftermath += o->state == IV_WAIT_VIOLATED ? 1 : 0;
    if (o->state == IV_WAIT_VIOLATED && is_of_tree(e, o)) {
        iv_tree_add_missing(e, ref);
    }
}

void iv_obligation_arm(struct iv_engine *e, const struct iv_search *s, const struct iv_waiting *at,
                       enum iv_wait_state state)
{
    iv_obligation_put(e, &(struct iv_obligation){
                             .low = s->low,
                             .high = s->high,
                             .rec = s->trigger,
                             .node = s->node,
                             .def = at->def,
                             .rule = (uint16_t)(s->plan - e->plan.rules),
                             .bit = at->bit,
                             .state = (uint8_t)state,
                             .blind = is_blind(e, s),
                         });
}

struct iv_obligation *iv_obligation_find(const struct iv_engine *e, uint32_t trigger,
                                         const struct iv_rule *rule)
{
    uint32_t ref = iv_store_rec(&e->store, trigger)->obligations;
    while (ref != 0 && plan_of(e, obligation_at(e, ref))->rule != rule) {
        ref = obligation_at(e, ref)->next;
    }
    return ref == 0 ? NULL : obligation_at(e, ref);
}

void iv_obligation_end(struct iv_engine *e, struct iv_obligation *o, struct iv_mark *mark)
{
    uint32_t *link = &iv_store_rec(&e->store, o->rec)->obligations;
    while (obligation_at(e, *link) != o) {
        link = &obligation_at(e, *link)->next;
    }
    *link = o->next;
    if (o->state == IV_WAIT_VIOLATED && is_of_tree(e, o)) {
        iv_tree_remove_missing(e, o);
    }
    e->aftermath -= o->state == IV_WAIT_VIOLATED ? 1 : 0;
    e->undecided -= o->state == IV_WAIT_REQUIRED ? 1 : 0;
    o->state = IV_WAIT_DONE;
    iv_mark_clear(e, o->node, o->def, mark, o->bit);
}

void iv_obligation_fulfil(struct iv_engine *e, struct iv_obligation *o, struct iv_search *s,
                          struct iv_mark *mark)
{
    if (o->state == IV_WAIT_REQUIRED) {
        e->stats.kept++;
    } else {
        struct iv_witnesses w;
        iv_search_gather(e, s, &w);
        struct iv_ruling ruling = {.kind = IV_CONTRADICTED,
                                   .rule = s->pair.rule,
                                   .trigger = s->trigger,
                                   .deadline = o->high,
                                   .detail = "what it requires was found late"};
        iv_emit(e, &ruling, &w);
    }
    iv_obligation_end(e, o, mark);
}

void iv_obligation_contradict(struct iv_engine *e, struct iv_obligation *o, uint32_t late)
{
    struct iv_mark *mark = iv_mark_find(e, o->node, o->def, o->rec);
    struct iv_witnesses w = {0};
    IV_CHECK(mark != NULL);
    if (late != 0) {
        iv_witness_add(e, &w, late);
    }
    struct iv_ruling ruling = {.kind = IV_CONTRADICTED,
                               .rule = plan_of(e, o)->rule,
                               .trigger = o->rec,
                               .deadline = o->high,
                               .detail = "an entry of the log was found late"};
    iv_emit(e, &ruling, &w);
    iv_obligation_end(e, o, mark);
}

/* Why nothing follows from what was not seen; NULL if something does. */
static const char *doubt(const struct iv_engine *e, const struct iv_obligation *o)
{
    const struct iv_rule_plan *plan = plan_of(e, o);
    unsigned streams = plan->with_streams;
    for (unsigned s = 0; s < IV_STREAMS; s++) {
        if ((streams >> s & 1) != 0 && e->baseline->streams[s].grade == IV_GRADE_BEST_EFFORT) {
            return s == IV_LEDGER ? "the ledger is best_effort" : "telemetry is best_effort";
        }
    }
    /* A tree rests on its log's first entry, which may have stood before what was seen. */
    iv_ns low = plan->rule->tree.note != NULL ? IV_NS_MIN : o->low;
    int partial = iv_watermark_begins_behind(&e->watermark, plan->join, streams, low);
    if (partial >= 0 && plan->join > 0) {
        return partial == IV_LEDGER ? "the window reaches behind the moment when the rule joined the ledger"
                                    : "the window reaches behind the moment when the rule joined telemetry";
    }
    if (partial >= 0) {
        return partial == IV_LEDGER ? "the window reaches behind the ledger's first event"
                                    : "the window reaches behind telemetry's first event";
    }
    return o->blind ? "the event came later than the monitor remembers" : NULL;
}

/* What follows where the trigger has not what it requires. */
static void rule_on(const struct iv_engine *e, const struct iv_obligation *o, bool open,
                    enum iv_tree_finding finding, struct iv_ruling *out)
{
    if (open) {
        out->kind = IV_OPEN;
    } else if (finding == IV_TREE_OTHER) {
        out->kind = IV_VIOLATED;
        out->detail = "the root is not that of the log";
    } else if (finding == IV_TREE_FORGOTTEN) {
        out->kind = IV_INCONCLUSIVE;
        out->detail = "the tree ends before the window";
    } else {
        out->detail = doubt(e, o);
        out->kind = out->detail != NULL ? IV_INCONCLUSIVE : IV_VIOLATED;
    }
}

static void decide(struct iv_engine *e, uint32_t ref, bool open)
{
    struct iv_obligation *o = obligation_at(e, ref);
    struct iv_mark *mark = iv_mark_find(e, o->node, o->def, o->rec);
    struct iv_search s;
    IV_CHECK(mark != NULL);
    if (!iv_search_of(e, &s, plan_of(e, o), o->rec, o->node)) {
        return;
    }
    s.low = o->low;
    s.high = o->high;
    struct iv_witnesses w;
    iv_search_gather(e, &s, &w);
    bool tree = is_of_tree(e, o);
    enum iv_tree_finding finding = tree && !open ? iv_tree_judge(e, &s) : IV_TREE_MISSING;
    struct iv_ruling ruling = {.rule = s.pair.rule, .trigger = o->rec, .deadline = o->high};
    if (finding == IV_TREE_KEPT) {
        e->stats.kept++;
    } else {
        rule_on(e, o, open, finding, &ruling);
        iv_emit(e, &ruling, &w);
    }
    if (finding == IV_TREE_MISSING && ruling.kind == IV_VIOLATED && e->aftermath < IV_AFTERMATH_MAX) {
        o->state = IV_WAIT_VIOLATED;
        e->aftermath++;
        e->undecided--;
        uint64_t order = iv_store_rec(&e->store, o->rec)->order;
        if (!iv_timers_push(&e->timers[s.plan->with_streams], ends_at(e, o), order, ref)) {
            e->spent = true;
        }
        if (tree) {
            iv_tree_add_missing(e, ref);
        }
        return;
    }
    iv_obligation_end(e, o, mark);
    iv_slab_give(&e->obligations, ref);
}

/* An empty window ends before it begins. Where history is partial the answer turns on whether the stream's
 * first event lies before the beginning, and that is known for sure only behind it. */
static bool put_off(struct iv_engine *e, uint32_t ref)
{
    const struct iv_obligation *o = obligation_at(e, ref);
    const struct iv_rule_plan *plan = plan_of(e, o);
    unsigned streams = plan->with_streams;
    if (o->low <= o->high || iv_watermark_passed(&e->watermark, streams, o->low) ||
        iv_watermark_begins_behind(&e->watermark, plan->join, streams, o->low) < 0) {
        return false;
    }
    uint64_t order = iv_store_rec(&e->store, o->rec)->order;
    e->spent = !iv_timers_push(&e->timers[streams], o->low, order, ref) || e->spent;
    return true;
}

void iv_obligation_due(struct iv_engine *e, uint32_t obligation)
{
    decide(e, obligation, false);
}

static void fire(struct iv_engine *e, uint32_t ref)
{
    struct iv_obligation *o = obligation_at(e, ref);
    if (o->state == IV_WAIT_REQUIRED) {
        if (!put_off(e, ref) && (!is_of_tree(e, o) || iv_tree_ready(e, ref))) {
            decide(e, ref, false);
        }
        return;
    }
    if (o->state != IV_WAIT_DONE) {
        struct iv_mark *mark = iv_mark_find(e, o->node, o->def, o->rec);
        IV_CHECK(mark != NULL);
        iv_obligation_end(e, o, mark);
    }
    iv_slab_give(&e->obligations, ref);
}

void iv_obligation_fire(struct iv_engine *e, bool all)
{
    uint32_t fired = 0;
    for (unsigned set = 1; set < IV_STREAM_SETS; set++) {
        for (;;) {
            const struct iv_timer *first = iv_timers_first(&e->timers[set]);
            if (first == NULL || e->spent || !iv_watermark_passed(&e->watermark, set, first->deadline) ||
                (!all && fired == FIRE_MAX)) {
                break;
            }
            uint32_t ref = first->ref;
            iv_timers_pop(&e->timers[set]);
            fire(e, ref);
            fired++;
        }
    }
}

bool iv_obligation_overdue(const struct iv_engine *e)
{
    for (unsigned set = 1; set < IV_STREAM_SETS; set++) {
        const struct iv_timer *first = iv_timers_first(&e->timers[set]);
        if (first != NULL && iv_watermark_passed(&e->watermark, set, first->deadline)) {
            return true;
        }
    }
    return false;
}

void iv_obligation_finish(struct iv_engine *e)
{
    iv_obligation_fire(e, true);
    for (unsigned set = 1; set < IV_STREAM_SETS; set++) {
        for (const struct iv_timer *first = iv_timers_first(&e->timers[set]); first != NULL && !e->spent;
             first = iv_timers_first(&e->timers[set])) {
            uint32_t ref = first->ref;
            iv_timers_pop(&e->timers[set]);
            if (obligation_at(e, ref)->state == IV_WAIT_REQUIRED) {
                decide(e, ref, true);
            } else {
                fire(e, ref);
            }
        }
    }
}
