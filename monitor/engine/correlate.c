/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/correlate.h"

#include "base/guard.h"
#include "engine/lanes.h"
#include "engine/obligation.h"
#include "engine/plan_lanes.h"
#include "engine/tree.h"

/* Whether the event arrived after the rule joined the streams. */
static bool sees(const struct iv_engine *e, const struct iv_rule_plan *plan, uint32_t rec)
{
    return plan->since == 0 || iv_store_rec(&e->store, rec)->order > plan->since;
}

static struct iv_pair pair_of(const struct iv_rule *rule, struct iv_event *on, uint32_t params)
{
    return (struct iv_pair){.rule = rule, .on = on, .params = params};
}

static void convict(struct iv_engine *e, const struct iv_rule *rule, uint32_t trigger, iv_ns end,
                    const struct iv_witnesses *w)
{
    struct iv_ruling ruling = {.kind = IV_VIOLATED, .rule = rule, .trigger = trigger, .deadline = end};
    iv_emit(e, &ruling, w);
}

void iv_correlate_alone(struct iv_engine *e, const struct iv_rule_plan *r, uint32_t rec)
{
    struct iv_event *on = iv_store_view(&e->store, IV_VIEW_TRIGGERS, rec, IV_NEED_ALL);
    struct iv_pair pair = pair_of(r->rule, on, iv_store_rec(&e->store, rec)->params);
    if (!iv_eval_holds(e, &pair, r->rule->where)) {
        return;
    }
    iv_engine_judged(e, r->rule);
    if (iv_eval_holds(e, &pair, r->rule->condition)) {
        convict(e, r->rule, rec, on->time, NULL);
    }
}

/* Whether a partner has the condition, and its distinct value if the rule asks for one. */
static bool counts(struct iv_engine *e, struct iv_search *s, uint32_t partner, struct iv_hash128 *value)
{
    const struct iv_rule *rule = s->pair.rule;
    s->pair.with = iv_store_view(&e->store, IV_VIEW_PARTNERS, partner,
                                 s->plan->needs[IV_SLOT_PARTNER][iv_store_rec(&e->store, partner)->type]);
    if (s->pair.with == NULL) {
        e->spent = true;
        return false;
    }
    return iv_eval_holds(e, &s->pair, rule->condition) &&
           (rule->distinct.count == 0 || iv_eval_key(e, &s->pair, &rule->distinct, true, value));
}

/* Calls for each partner that counts, until told to stop. */
static void each_partner(struct iv_engine *e, struct iv_search *s,
                         bool (*visit)(struct iv_engine *, void *, uint32_t partner, struct iv_hash128 value),
                         void *ctx)
{
    for (uint16_t d = 0; d < s->plan->partner_def_count && s->low <= s->high; d++) {
        uint16_t def = s->plan->partner_defs[d];
        struct iv_lane *lane = iv_lane_find(e, s->node, def);
        if (lane == NULL) {
            continue;
        }
        struct iv_timeline *line = &lane->line;
        uint32_t stride = e->plan.defs[def].stride;
        struct iv_place place = iv_timeline_lower(line, &e->store.pool, stride, s->low);
        for (;; place.at++) {
            const struct iv_mark *mark = iv_timeline_get(line, &e->store.pool, stride, &place);
            if (mark == NULL || mark->time > s->high) {
                break;
            }
            struct iv_hash128 value = {0};
            if (mark->rec != s->trigger && sees(e, s->plan, mark->rec) && counts(e, s, mark->rec, &value) &&
                visit(e, ctx, mark->rec, value)) {
                return;
            }
        }
    }
}

struct tally {
    struct iv_number need;
    uint64_t count;
    bool distinct;
};

static bool tally_one(struct iv_engine *e, void *ctx, uint32_t partner, struct iv_hash128 value)
{
    (void)partner;
    struct tally *t = ctx;
    if (t->distinct) {
        e->spent = !iv_distinct_add(&e->distinct, value) || e->spent;
        t->count = e->distinct.count;
    } else {
        t->count++;
    }
    return iv_number_reached(t->need, t->count);
}

bool iv_search_reached(struct iv_engine *e, struct iv_search *s, bool *absent)
{
    struct tally t = {.distinct = s->pair.rule->distinct.count > 0};
    s->pair.with = NULL;
    *absent = !iv_eval_amount(e, &s->pair, &s->plan->at_least, &t.need);
    if (*absent) {
        return false;
    }
    if (iv_number_reached(t.need, 0)) {
        return true;
    }
    iv_distinct_clear(&e->distinct);
    each_partner(e, s, tally_one, &t);
    return iv_number_reached(t.need, t.count);
}

static bool gather_one(struct iv_engine *e, void *ctx, uint32_t partner, struct iv_hash128 value)
{
    (void)value;
    iv_witness_add(e, ctx, partner);
    return false;
}

void iv_search_gather(struct iv_engine *e, struct iv_search *s, struct iv_witnesses *out)
{
    *out = (struct iv_witnesses){0};
    bool quiet = e->quiet;
    e->quiet = true;
    each_partner(e, s, gather_one, out);
    e->quiet = quiet;
}

bool iv_search_of(struct iv_engine *e, struct iv_search *s, const struct iv_rule_plan *plan, uint32_t trigger,
                  uint32_t node)
{
    struct iv_event *on = iv_store_view(&e->store, IV_VIEW_TRIGGERS, trigger,
                                        plan->needs[IV_SLOT_TRIGGER][iv_store_rec(&e->store, trigger)->type]);
    e->spent = e->spent || on == NULL;
    *s = (struct iv_search){.pair = pair_of(plan->rule, on, iv_store_rec(&e->store, trigger)->params),
                            .plan = plan,
                            .trigger = trigger,
                            .node = node};
    return on != NULL;
}

static void forbid_found(struct iv_engine *e, struct iv_search *s)
{
    struct iv_witnesses w;
    iv_search_gather(e, s, &w);
    convict(e, s->pair.rule, s->trigger, s->high, &w);
}

static void forbid_waits(struct iv_engine *e, const struct iv_search *s, const struct iv_waiting *at)
{
    at->mark->bits |= UINT32_C(1) << at->bit;
    if (s->plan->open_window) {
        iv_obligation_arm(e, s, at, IV_WAIT_FORBIDDEN);
    }
}

static void note_reach(struct iv_engine *e, const struct iv_search *s, uint16_t def)
{
    iv_ns time = s->pair.on->time;
    if (!s->plan->open_window || s->high <= time) {
        return; /* and the difference may be none that a time can be */
    }
    iv_ns reach = time < 0 && s->high > IV_NS_MAX + time ? IV_NS_MAX : s->high - time;
    struct iv_lane_def *d = &e->plan.defs[def];
    d->reach = reach > d->reach ? reach : d->reach;
    for (uint16_t i = 0; s->plan->several && i < s->plan->partner_def_count; i++) {
        d = &e->plan.defs[s->plan->partner_defs[i]];
        d->recount = reach > d->recount ? reach : d->recount;
    }
}

void iv_correlate_trigger(struct iv_engine *e, const struct iv_rule_plan *r, const struct iv_waiting *at)
{
    struct iv_search s;
    if (!iv_search_of(e, &s, r, at->mark->rec, at->node) || !iv_eval_holds(e, &s.pair, r->rule->where)) {
        return;
    }
    iv_engine_judged(e, r->rule);
    bool absent = false;
    if (!iv_eval_window(e, &s.pair, r, &s.low, &s.high)) {
        return;
    }
    if (r->rule->tree.note != NULL) {
        iv_tree_trigger(e, &s, at);
        return;
    }
    bool reached = iv_search_reached(e, &s, &absent);
    if (absent) {
        return;
    }
    note_reach(e, &s, at->def);
    if (r->rule->form == IV_REQUIRE) {
        if (reached) {
            e->stats.kept++;
        } else {
            at->mark->bits |= UINT32_C(1) << at->bit;
            iv_obligation_arm(e, &s, at, IV_WAIT_REQUIRED);
        }
    } else if (reached) {
        forbid_found(e, &s);
    } else if (s.low <= s.high) {
        forbid_waits(e, &s, at);
    }
}

/* The window of a trigger that waits. Where it is constant the mark alone tells; an obligation has it worked
 * out. */
static bool window_of(struct iv_engine *e, struct iv_search *s, const struct iv_obligation *o)
{
    if (o != NULL) {
        s->low = o->low;
        s->high = o->high;
        return true;
    }
    return iv_eval_window(e, &s->pair, s->plan, &s->low, &s->high);
}

/* Whether a partner at this time is out of the window, told without a look at the trigger. */
static bool surely_out(const struct iv_rule_plan *r, iv_ns trigger, iv_ns partner)
{
    if (partner < trigger) {
        return iv_ns_add(partner, iv_plan_past(r)) < trigger;
    }
    return !r->open_window && iv_ns_add(trigger, iv_plan_future(r)) < partner;
}

/* One trigger that waits, one rule, and the partner at hand. */
static void answer(struct iv_engine *e, const struct iv_rule_plan *r, const struct iv_waiting *at,
                   uint32_t partner)
{
    struct iv_mark *mark = at->mark;
    iv_ns time = iv_store_rec(&e->store, partner)->time;
    struct iv_search s;
    if (surely_out(r, mark->time, time) || !iv_search_of(e, &s, r, mark->rec, at->node)) {
        return;
    }
    bool held = (e->plan.defs[at->def].held >> at->bit & 1) != 0;
    struct iv_obligation *o = held ? iv_obligation_find(e, mark->rec, r->rule) : NULL;
    struct iv_hash128 value;
    if (!window_of(e, &s, o) || time < s.low || time > s.high || !counts(e, &s, partner, &value)) {
        return;
    }
    bool absent = false;
    if (r->several && !iv_search_reached(e, &s, &absent)) {
        return;
    }
    if (r->rule->form == IV_REQUIRE) {
        iv_obligation_fulfil(e, o, &s, mark);
    } else {
        forbid_found(e, &s);
        if (o != NULL) {
            iv_obligation_end(e, o, mark);
        } else {
            iv_mark_clear(e, at->node, at->def, mark, at->bit);
        }
    }
}

static void answer_lane(struct iv_engine *e, const struct iv_answer *a, uint32_t node, struct iv_lane *lane,
                        uint32_t rec)
{
    const struct iv_lane_def *def = &e->plan.defs[a->def];
    struct iv_timeline *line = &lane->line;
    iv_ns time = iv_store_rec(&e->store, rec)->time;
    iv_ns reach = a->open && def->reach > a->future ? def->reach : a->future;
    iv_ns last = iv_ns_add(time, a->past);
    struct iv_place place = iv_timeline_lower(line, &e->store.pool, def->stride, iv_ns_add(time, -reach));
    for (;; place.at++) {
        struct iv_mark *mark = iv_timeline_get(line, &e->store.pool, def->stride, &place);
        if (mark == NULL || mark->time > last) {
            return;
        }
        for (uint32_t bits = mark->rec == rec ? 0 : mark->bits & a->bits; bits != 0; bits &= bits - 1) {
            uint8_t bit = (uint8_t)__builtin_ctz(bits);
            struct iv_waiting at = {node, a->def, bit, mark};
            answer(e, &e->plan.rules[def->rules[bit]], &at, rec);
        }
    }
}

void iv_correlate_partner(struct iv_engine *e, const struct iv_group *group, uint32_t node, uint32_t rec)
{
    if (group->answer_count == 0) {
        return;
    }
    for (struct iv_lane *lane = iv_lane_first(e, node); lane != NULL; lane = iv_lane_next(e, node, lane)) {
        for (uint16_t i = 0; i < group->answer_count; i++) {
            if (group->answers[i].def == lane->def) {
                answer_lane(e, &group->answers[i], node, lane, rec);
                break;
            }
        }
    }
}
