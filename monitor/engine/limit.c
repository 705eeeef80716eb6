/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/figure.h"
#include "engine/lanes.h"
#include "engine/verdict.h"

/* One trigger's window, (after, time], and its maximum. */
struct limit {
    const struct iv_rule_plan *plan;
    struct iv_timeline *line;
    uint32_t stride;
    iv_ns span;
    struct iv_number max;
};

static struct iv_hash128 value_of(const struct iv_mark *mark)
{
    return ((const struct iv_value_mark *)mark)->value;
}

/* A sum's part as it stands in a mark. */
static struct iv_hash128 of_number(struct iv_number n)
{
    struct iv_hash128 value = {0, n.real ? 1 : 0};
    memcpy(&value.lo, n.real ? (const void *)&n.d : (const void *)&n.i, sizeof value.lo);
    return value;
}

static struct iv_number number_of(struct iv_hash128 value)
{
    struct iv_number n = {.real = value.hi != 0};
    memcpy(n.real ? (void *)&n.d : (void *)&n.i, &value.lo, sizeof value.lo);
    return n;
}

/* What the trigger adds to the figure; false where it takes no part. */
static bool part_of(struct iv_engine *e, const struct iv_pair *pair, struct iv_hash128 *out)
{
    const struct iv_rule *rule = pair->rule;
    *out = (struct iv_hash128){0};
    if (rule->limit == IV_LIMIT_COUNT) {
        return true;
    }
    if (rule->limit == IV_LIMIT_DISTINCT) {
        return iv_eval_key(e, pair, &rule->of, false, out);
    }
    struct iv_val value = {0};
    struct iv_number n = {0};
    if (rule->of.count == 0 || !iv_eval_term(e, pair, &rule->of.terms[0], false, &value)) {
        return false;
    }
    if (!iv_number_of(&n, &value) || (n.real ? n.d < 0 : n.i < 0)) {
        iv_eval_complain(e, pair, "what is summed up is not a number of 0 or more");
        return false;
    }
    *out = of_number(n);
    return true;
}

static bool bounds(struct iv_engine *e, const struct iv_pair *pair, struct limit *limit)
{
    return iv_eval_length(e, pair, &limit->plan->span, &limit->span) &&
           iv_eval_amount(e, pair, &limit->plan->max, &limit->max);
}

static bool above(struct iv_number max, uint64_t figure)
{
    return max.real ? (double)figure > max.d : max.i < 0 || figure > (uint64_t)max.i;
}

static iv_ns first_in(const struct limit *l, iv_ns time)
{
    return iv_ns_add(iv_ns_add(time, iv_ns_negate(l->span)), 1);
}

static bool count_exceeds(const struct iv_engine *e, const struct limit *l, iv_ns time)
{
    const struct iv_pool *pool = &e->store.pool;
    struct iv_place from = iv_timeline_lower(l->line, pool, l->stride, first_in(l, time));
    struct iv_place to = iv_timeline_lower(l->line, pool, l->stride, iv_ns_add(time, 1));
    uint64_t low = iv_timeline_rank(l->line, pool, from);
    uint64_t high = iv_timeline_rank(l->line, pool, to);
    return above(l->max, high > low ? high - low : 0);
}

static bool exceeds(struct iv_engine *e, const struct limit *l, iv_ns time)
{
    enum iv_limit_kind kind = l->plan->rule->limit;
    if (kind == IV_LIMIT_COUNT) {
        return count_exceeds(e, l, time);
    }
    struct iv_sum sum = {0};
    iv_distinct_clear(&e->distinct);
    struct iv_place place = iv_timeline_lower(l->line, &e->store.pool, l->stride, first_in(l, time));
    for (;; place.at++) {
        const struct iv_mark *mark = iv_timeline_get(l->line, &e->store.pool, l->stride, &place);
        if (mark == NULL || mark->time > time) {
            break;
        }
        if (kind == IV_LIMIT_SUM) {
            iv_sum_add(&sum, number_of(value_of(mark)));
        } else if (!iv_distinct_add(&e->distinct, value_of(mark))) {
            e->spent = true;
            return false;
        }
    }
    return kind == IV_LIMIT_SUM ? iv_sum_above(&sum, l->max) : above(l->max, e->distinct.count);
}

static void convict(struct iv_engine *e, const struct limit *l, struct iv_mark *mark)
{
    struct iv_witnesses w = {0};
    struct iv_place place = iv_timeline_lower(l->line, &e->store.pool, l->stride, first_in(l, mark->time));
    for (;; place.at++) {
        const struct iv_mark *other = iv_timeline_get(l->line, &e->store.pool, l->stride, &place);
        if (other == NULL || other->time > mark->time) {
            break;
        }
        if (other->rec != mark->rec) {
            iv_witness_add(e, &w, other->rec);
        }
    }
    mark->bits &= ~IV_FIGURE_FREE;
    struct iv_ruling ruling = {
        .kind = IV_VIOLATED, .rule = l->plan->rule, .trigger = mark->rec, .deadline = mark->time};
    iv_emit(e, &ruling, &w);
}

/* Whether the trigger's figure is above its maximum, now that a part at this time has come. */
static void judge(struct iv_engine *e, struct limit *l, struct iv_mark *mark, iv_ns part)
{
    const struct iv_rule *rule = l->plan->rule;
    if (l->plan->span.prog != NULL || l->plan->max.prog != NULL) {
        struct iv_pair pair = {.rule = rule,
                               .on = iv_store_view(&e->store, IV_VIEW_TRIGGERS, mark->rec, IV_NEED_ALL),
                               .params = iv_store_rec(&e->store, mark->rec)->params};
        e->spent = e->spent || pair.on == NULL;
        if (pair.on == NULL || !bounds(e, &pair, l)) {
            return;
        }
    }
    if (part >= first_in(l, mark->time) && exceeds(e, l, mark->time)) {
        convict(e, l, mark);
    }
}

void iv_limit_trigger(struct iv_engine *e, const struct iv_rule_plan *r, uint32_t rec, uint32_t node)
{
    struct iv_pair pair = {.rule = r->rule,
                           .on = iv_store_view(&e->store, IV_VIEW_TRIGGERS, rec, IV_NEED_ALL),
                           .params = iv_store_rec(&e->store, rec)->params};
    struct limit limit = {.plan = r, .stride = e->plan.defs[r->own_def].stride};
    struct iv_hash128 part;
    if (!iv_eval_holds(e, &pair, r->rule->where)) {
        return;
    }
    iv_engine_judged(e, r->rule);
    if (!part_of(e, &pair, &part) || !bounds(e, &pair, &limit)) {
        return;
    }
    struct iv_lane *lane = NULL;
    struct iv_mark *own = iv_lane_join(e, node, r->own_def, rec, &lane);
    if (own == NULL) {
        return;
    }
    own->bits |= IV_FIGURE_FREE;
    if (r->rule->limit != IV_LIMIT_COUNT) {
        ((struct iv_value_mark *)own)->value = part;
    }
    limit.line = &lane->line;
    iv_ns time = own->time;
    iv_ns last = iv_ns_add(time, r->rule->span_max_ns);
    struct iv_place place = iv_timeline_lower(limit.line, &e->store.pool, limit.stride, time);
    for (;; place.at++) {
        struct iv_mark *mark = iv_timeline_get(limit.line, &e->store.pool, limit.stride, &place);
        if (mark == NULL || mark->time > last) {
            return;
        }
        if ((mark->bits & IV_FIGURE_FREE) != 0) {
            judge(e, &limit, mark, time);
        }
    }
}
