/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/figure.h"
#include "engine/lanes.h"
#include "engine/verdict.h"

struct same {
    const struct iv_rule_plan *plan;
    struct iv_lane *lane;
};

static const struct iv_value_mark *valued(const struct iv_mark *mark)
{
    return (const struct iv_value_mark *)mark;
}

static bool differ(const struct iv_mark *a, const struct iv_mark *b)
{
    return valued(a)->value.lo != valued(b)->value.lo || valued(a)->value.hi != valued(b)->value.hi;
}

/* By time, source and id; of two that agree in all three neither is earlier. */
static bool earlier(const struct iv_engine *e, const struct iv_mark *a, const struct iv_mark *b)
{
    if (a->time != b->time) {
        return a->time < b->time;
    }
    return iv_store_compare_names(&e->store, a->rec, b->rec) < 0;
}

static struct iv_mark *next_mark(const struct iv_engine *e, const struct same *s, struct iv_place *place)
{
    return iv_timeline_get(&s->lane->line, &e->store.pool, sizeof(struct iv_value_mark), place);
}

static struct iv_place from(const struct iv_engine *e, const struct same *s, iv_ns time)
{
    return iv_timeline_lower(&s->lane->line, &e->store.pool, sizeof(struct iv_value_mark), time);
}

/* How far back the trigger looks; false where that cannot be told. */
static bool span_of(struct iv_engine *e, const struct same *s, uint32_t rec, iv_ns *out)
{
    const struct iv_rule *rule = s->plan->rule;
    if (s->plan->span.prog == NULL) {
        *out = s->plan->span.i;
        return true;
    }
    struct iv_pair pair = {.rule = rule,
                           .on = iv_store_view(&e->store, IV_VIEW_TRIGGERS, rec, IV_NEED_ALL),
                           .params = iv_store_rec(&e->store, rec)->params};
    e->spent = e->spent || pair.on == NULL;
    return pair.on != NULL && iv_eval_length(e, &pair, &s->plan->span, out);
}

/* Convicts the trigger if an earlier one within its span has another value. */
static void judge(struct iv_engine *e, const struct same *s, struct iv_mark *mark)
{
    iv_ns span = 0;
    if ((mark->bits & IV_FIGURE_FREE) == 0 || !span_of(e, s, mark->rec, &span)) {
        return;
    }
    struct iv_witnesses w = {0};
    struct iv_place place = from(e, s, iv_ns_add(mark->time, iv_ns_negate(span)));
    for (struct iv_mark *other = next_mark(e, s, &place); other != NULL && other->time <= mark->time;
         place.at++, other = next_mark(e, s, &place)) {
        if (differ(other, mark) && earlier(e, other, mark)) {
            iv_witness_add(e, &w, other->rec);
        }
    }
    if (w.total > 0) {
        struct iv_ruling ruling = {
            .kind = IV_VIOLATED, .rule = s->plan->rule, .trigger = mark->rec, .deadline = mark->time};
        mark->bits &= ~IV_FIGURE_FREE;
        iv_emit(e, &ruling, &w);
    }
}

/* Whether all of the lane's marks have one value: then no trigger need look at the others. */
static bool is_mixed(const struct iv_engine *e, const struct same *s, const struct iv_mark *own)
{
    struct iv_place place = {0, 0};
    for (const struct iv_mark *other = next_mark(e, s, &place); other != NULL;
         place.at++, other = next_mark(e, s, &place)) {
        if (differ(other, own)) {
            return true;
        }
        if (!s->lane->mixed && other->rec != own->rec) {
            return false;
        }
    }
    return false;
}

void iv_same_trigger(struct iv_engine *e, const struct iv_rule_plan *r, uint32_t rec, uint32_t node)
{
    struct iv_pair pair = {.rule = r->rule,
                           .on = iv_store_view(&e->store, IV_VIEW_TRIGGERS, rec, IV_NEED_ALL),
                           .params = iv_store_rec(&e->store, rec)->params};
    struct same s = {.plan = r};
    struct iv_hash128 value;
    iv_ns span = 0;
    if (!iv_eval_holds(e, &pair, r->rule->where)) {
        return;
    }
    iv_engine_judged(e, r->rule);
    if (!iv_eval_key(e, &pair, &r->rule->of, false, &value) || !span_of(e, &s, rec, &span)) {
        return;
    }
    struct iv_lane *lane = NULL;
    struct iv_mark *own = iv_lane_join(e, node, r->own_def, rec, &lane);
    if (own == NULL) {
        return;
    }
    own->bits |= IV_FIGURE_FREE;
    ((struct iv_value_mark *)own)->value = value;
    s.lane = lane;
    s.lane->mixed = is_mixed(e, &s, own);
    if (!s.lane->mixed) {
        return;
    }
    iv_ns time = own->time;
    iv_ns last = iv_ns_add(time, r->rule->span_max_ns);
    struct iv_place place = from(e, &s, time);
    for (struct iv_mark *mark = next_mark(e, &s, &place); mark != NULL && mark->time <= last;
         place.at++, mark = next_mark(e, &s, &place)) {
        if (mark == own || differ(mark, own)) {
            judge(e, &s, mark);
        }
    }
}
