/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/evict.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/lanes.h"
#include "engine/obligation.h"
#include "engine/plan_lanes.h"

/* Memory grows by regions, so what is evicted makes room for some time; this much is left for what is not
 * evicted at once. */
#define MARGIN_SHARE 16

/* What an eviction works on, by kind of lane and by rule. */
struct evicting {
    uint64_t *counts;  /* marks that wait for their end, and obligations */
    uint64_t *orders;  /* of obligations: the sum of their triggers' orders of arrival, */
    uint32_t *waiting; /* and their number */
    bool *concerned;   /* the rules that lose */
    uint16_t def;      /* that holds most */
    uint64_t order;    /* up to which in order of arrival it is forgotten */
    iv_ns least;       /* event time of what goes */
    uint64_t records;
};

static void evicting_deinit(struct evicting *v)
{
    iv_free(v->counts);
    iv_free(v->orders);
    iv_free(v->waiting);
    iv_free(v->concerned);
}

static bool evicting_init(struct evicting *v, const struct iv_engine *e)
{
    size_t defs = (size_t)e->plan.def_count + 1;
    v->counts = iv_calloc(defs, sizeof *v->counts);
    v->orders = iv_calloc(defs, sizeof *v->orders);
    v->waiting = iv_calloc(defs, sizeof *v->waiting);
    v->concerned = iv_calloc(e->plan.rule_count + 1, sizeof *v->concerned);
    v->least = IV_NS_MAX;
    return v->counts != NULL && v->orders != NULL && v->waiting != NULL && v->concerned != NULL;
}

static struct iv_obligation *obligation_at(const struct iv_engine *e, uint32_t ref)
{
    return iv_slab_at(&e->obligations, ref);
}

/* Trees are judged by their logs, and their obligations stand in lists of their own. */
static bool can_go(const struct iv_engine *e, const struct iv_obligation *o)
{
    return o->state != IV_WAIT_DONE && e->plan.rules[o->rule].rule->tree.note == NULL;
}

/* Calls for each obligation that can go. False when memory is out. */
static bool each_obligation(struct iv_engine *e, struct evicting *v,
                            void (*visit)(struct iv_engine *e, struct evicting *v, struct iv_obligation *o))
{
    IV_AUTO(iv_freep) uint64_t *taken = iv_slab_taken(&e->obligations);
    uint32_t end = e->obligations.next;
    for (uint32_t ref = 1; taken != NULL && ref < end && !e->spent; ref++) {
        if ((taken[ref / 64] >> (ref % 64) & 1) != 0 && can_go(e, obligation_at(e, ref))) {
            visit(e, v, obligation_at(e, ref));
        }
    }
    return taken != NULL;
}

static void count_obligation(struct iv_engine *e, struct evicting *v, struct iv_obligation *o)
{
    v->counts[o->def]++;
    v->waiting[o->def]++;
    v->orders[o->def] += iv_store_rec(&e->store, o->rec)->order;
}

static uint64_t order_of(const struct iv_engine *e, const struct iv_queued *item)
{
    return iv_store_rec(&e->store, item->rec)->order;
}

/* The lane that holds most, and where the older half of it ends. False where none holds anything. */
static bool choose(struct iv_engine *e, struct evicting *v)
{
    for (uint16_t d = 0; d < e->plan.def_count; d++) {
        v->counts[d] += iv_queue_count(&e->plan.defs[d].queue, &e->store.pool);
        v->def = v->counts[d] > v->counts[v->def] ? d : v->def;
    }
    if (e->plan.def_count == 0 || v->counts[v->def] == 0) {
        return false;
    }
    uint64_t queued = v->counts[v->def] - v->waiting[v->def];
    if (queued < v->waiting[v->def]) {
        v->order = v->orders[v->def] / v->waiting[v->def];
        return true;
    }
    struct iv_queue walk = e->plan.defs[v->def].queue;
    for (uint64_t i = 0; i <= queued / 2; i++) {
        const struct iv_queued *item = iv_queue_walk(&walk, &e->store.pool);
        v->order = item == NULL ? v->order : order_of(e, item);
    }
    return true;
}

/* Calls for each rule that looks at the lane: for triggers, partners, or a figure. */
static void each_rule(const struct iv_engine *e, uint16_t def, void (*visit)(void *ctx, uint16_t rule),
                      void *ctx)
{
    const struct iv_lane_def *d = &e->plan.defs[def];
    const struct iv_parts *parts = iv_plan_lane_parts(&e->plan, def);
    uint16_t figure = iv_plan_figure(&e->plan, def);
    for (uint8_t i = 0; i < d->rule_count; i++) {
        visit(ctx, d->rules[i]);
    }
    for (uint16_t i = 0; parts != NULL && i < parts->partner_of_count; i++) {
        visit(ctx, parts->partner_of[i]);
    }
    if (figure != IV_LANE_DEFS) {
        visit(ctx, figure);
    }
}

static void note_concerned(void *ctx, uint16_t rule)
{
    bool *concerned = ctx;
    concerned[rule] = true;
}

/* Where the first of a stream's events was still to be awaited, it still is. */
static bool awaits_first(const struct iv_engine *e, const struct evicting *v, int stream)
{
    const struct iv_stream_mark *s = &e->watermark.streams[stream];
    bool awaits = s->partial && s->least == IV_NS_MAX;
    for (size_t i = 0; i < e->plan.rule_count; i++) {
        uint16_t join = e->plan.rules[i].join;
        awaits =
            awaits || (v->concerned[i] && join > 0 && e->watermark.joins[join].least[stream] == IV_NS_MAX);
    }
    return awaits;
}

static bool is_used(const struct iv_engine *e, uint16_t join)
{
    for (size_t i = 0; i < e->plan.rule_count; i++) {
        if (e->plan.rules[i].join == join) {
            return true;
        }
    }
    return false;
}

/* Joins that no rule looks from any more are left out, so that there are never more than rules. */
static void drop_joins(struct iv_engine *e)
{
    struct iv_watermark *w = &e->watermark;
    uint16_t kept = 1;
    for (uint16_t j = 1; j < w->join_count; j++) {
        if (!is_used(e, j)) {
            continue;
        }
        for (size_t i = 0; i < e->plan.rule_count; i++) {
            e->plan.rules[i].join = e->plan.rules[i].join == j ? kept : e->plan.rules[i].join;
        }
        w->joins[kept++] = w->joins[j];
    }
    w->join_count = kept;
}

/* The rules join where what is forgotten ends. Behind the greatest event time that had come by then, all is
 * seen. */
static bool join_there(struct iv_engine *e, const struct evicting *v)
{
    struct iv_join join = {.order = v->order};
    for (int s = 0; s < IV_STREAMS; s++) {
        join.before[s] = e->watermark.streams[s].greatest;
        join.least[s] = awaits_first(e, v, s) ? IV_NS_MAX : IV_NS_MIN;
    }
    uint16_t number = iv_watermark_join(&e->watermark, v->order);
    if (number == 0) {
        return false;
    }
    e->watermark.joins[number] = join;
    for (size_t i = 0; i < e->plan.rule_count; i++) {
        if (v->concerned[i]) {
            e->plan.rules[i].join = number;
            e->plan.rules[i].since = v->order;
        }
    }
    drop_joins(e);
    return true;
}

static void drop_obligation(struct iv_engine *e, struct evicting *v, struct iv_obligation *o)
{
    const struct iv_rule_plan *plan = &e->plan.rules[o->rule];
    const struct iv_rec *rec = iv_store_rec(&e->store, o->rec);
    struct iv_mark *mark = rec->order <= plan->since ? iv_mark_find(e, o->node, o->def, o->rec) : NULL;
    if (mark == NULL) {
        return;
    }
    if (v->concerned[o->rule]) {
        v->least = rec->time < v->least ? rec->time : v->least;
        v->records++;
    }
    if (o->state == IV_WAIT_REQUIRED) {
        struct iv_ruling ruling = {.kind = IV_INCONCLUSIVE,
                                   .rule = plan->rule,
                                   .trigger = o->rec,
                                   .deadline = o->high,
                                   .detail = "it was forgotten to stay within the memory limit"};
        iv_emit(e, &ruling, NULL);
    }
    iv_obligation_end(e, o, mark);
}

struct floor {
    const struct iv_engine *e;
    uint64_t order;
    bool any;
};

static void lower_floor(void *ctx, uint16_t rule)
{
    struct floor *f = ctx;
    uint64_t since = f->e->plan.rules[rule].since;
    f->order = !f->any || since < f->order ? since : f->order;
    f->any = true;
}

/* Drops what none of the rules that look there sees any more. */
static void drop_marks(struct iv_engine *e, struct evicting *v)
{
    for (uint16_t d = 0; d < e->plan.def_count && !e->spent; d++) {
        struct floor floor = {.e = e};
        each_rule(e, d, lower_floor, &floor);
        for (const struct iv_queued *first = iv_queue_first(&e->plan.defs[d].queue, &e->store.pool);
             first != NULL && order_of(e, first) <= floor.order;
             first = iv_queue_first(&e->plan.defs[d].queue, &e->store.pool)) {
            iv_ns time = iv_store_rec(&e->store, first->rec)->time;
            v->least = time < v->least ? time : v->least;
            v->records++;
            iv_lane_forget_first(e, d);
        }
    }
}

/* Timers whose obligations are over would keep them until their deadlines. */
static void drop_timers_of(struct iv_engine *e, struct iv_timers *timers)
{
    uint32_t count = 0;
    IV_AUTO(iv_freep) struct iv_timer *left = iv_malloc(((size_t)timers->count + 1) * sizeof *left);
    if (left == NULL) {
        e->spent = true;
        return;
    }
    for (const struct iv_timer *t = iv_timers_first(timers); t != NULL; t = iv_timers_first(timers)) {
        if (obligation_at(e, t->ref)->state == IV_WAIT_DONE) {
            iv_slab_give(&e->obligations, t->ref);
        } else {
            left[count++] = *t;
        }
        iv_timers_pop(timers);
    }
    for (uint32_t i = 0; i < count; i++) {
        e->spent = !iv_timers_push(timers, left[i].deadline, left[i].order, left[i].ref) || e->spent;
    }
}

static void drop_timers(struct iv_engine *e)
{
    for (int set = 0; set < IV_STREAM_SETS && !e->spent; set++) {
        drop_timers_of(e, &e->timers[set]);
    }
}

/* How far from a trigger what it looks at can lie: behind it, and ahead. */
static void reach_of(const struct iv_engine *e, const struct iv_rule_plan *r, iv_ns *past, iv_ns *future)
{
    bool figure = r->rule->form == IV_LIMIT || r->rule->form == IV_SAME;
    *past = figure ? r->rule->span_max_ns : iv_plan_past(r);
    *future = figure ? 0 : iv_plan_future(r);
    for (uint16_t i = 0; i < r->wait_count; i++) {
        iv_ns reach = e->plan.defs[r->waits[i].def].reach;
        *future = reach > *future ? reach : *future;
    }
}

/* Triggers whose window touches what is gone may be judged by less than there was; and whoever still waits,
 * or may still come in time, is doubted. */
static void tell(const struct iv_engine *e, const struct evicting *v)
{
    for (size_t i = 0; e->options.evicted != NULL && i < e->plan.rule_count; i++) {
        const struct iv_rule_plan *r = &e->plan.rules[i];
        iv_ns past = 0;
        iv_ns future = 0;
        if (!v->concerned[i]) {
            continue;
        }
        reach_of(e, r, &past, &future);
        iv_ns passed = e->watermark.passed[r->on_streams | r->with_streams];
        iv_ns least = passed < v->least ? passed : v->least;
        struct iv_loss loss = {.from = iv_ns_add(least, iv_ns_negate(future)),
                               .until = iv_ns_add(iv_ns_add(e->watermark.greatest, past), 1),
                               .records = v->records,
                               .cause = IV_LOSS_EVICTED};
        e->options.evicted(e->options.ctx, r->rule, &loss);
    }
}

/* False where there is nothing that could go. */
static bool evict(struct iv_engine *e)
{
    IV_AUTO(evicting_deinit) struct evicting v = {.counts = NULL};
    if (!evicting_init(&v, e) || !each_obligation(e, &v, count_obligation)) {
        e->spent = true;
        return false;
    }
    if (!choose(e, &v)) {
        return false;
    }
    each_rule(e, v.def, note_concerned, v.concerned);
    for (size_t i = 0; i < e->plan.rule_count; i++) {
        v.concerned[i] = v.concerned[i] && e->plan.rules[i].since < v.order;
    }
    if (!join_there(e, &v) || !each_obligation(e, &v, drop_obligation)) {
        e->spent = true;
        return false;
    }
    drop_marks(e, &v);
    iv_lanes_sweep(e, NULL);
    drop_timers(e);
    tell(e, &v);
    e->stats.evictions++;
    return v.records > 0;
}

/* The whole state is cut from the ground, which grows region by region. */
void iv_evict_hold(struct iv_engine *e)
{
    if (e->ground.bytes <= e->ground_held || e->limit == 0 || e->spent) {
        return;
    }
    e->ground_held = e->ground.bytes;
    if (e->ground.bytes + IV_REGION_BYTES > e->limit - e->limit / MARGIN_SHARE) {
        (void)evict(e);
    }
}

void iv_engine_limit(struct iv_engine *engine, uint64_t bytes)
{
    /* Memory that was given back to the slabs is still held: it is looked at again only where it grows, or
     * where the limit is another one. */
    if (engine->limit == 0 || bytes < engine->limit - engine->limit / MARGIN_SHARE) {
        engine->ground_held = 0;
    }
    engine->limit = bytes;
}

struct iv_rc_s iv_engine_evict(struct iv_engine *engine, bool *any, struct iv_err *err)
{
    ENSURE(!engine->spent, err, IV_E_NOMEM, "the engine is out of memory");
    *any = evict(engine);
    ENSURE(!engine->spent, err, IV_E_NOMEM, "the engine is out of memory");
    return IV_OK;
}
