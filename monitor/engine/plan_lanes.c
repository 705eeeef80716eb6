/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan_lanes.h"

#include "base/guard.h"

#include <string.h>

static bool selects(const struct iv_selector *select, size_t type)
{
    return (select->types[type / 64] >> (type % 64) & 1) != 0;
}

static void add_part(uint16_t *list, uint16_t *count, size_t rule, bool fill)
{
    if (fill) {
        list[*count] = (uint16_t)rule;
    }
    (*count)++;
}

/* The partners of a tree are in its log, not in lanes (tree.h). */
static bool looks_for_partners(const struct iv_rule *rule)
{
    return rule->has_partner && rule->tree.note == NULL;
}

/* Adds each rule to the parts of the types that it concerns, once counting and once filling in. */
static void each_part(struct iv_plan *plan, bool fill)
{
    for (size_t i = 0; i < plan->rule_count; i++) {
        const struct iv_rule_plan *r = &plan->rules[i];
        bool figure = r->rule->form == IV_LIMIT || r->rule->form == IV_SAME;
        for (size_t type = 0; (r->rule->has_partner || figure) && type < plan->type_count; type++) {
            struct iv_parts *on = iv_plan_parts(plan, r->terms_on, type);
            struct iv_parts *with = iv_plan_parts(plan, r->terms_with, type);
            if (selects(&r->rule->on, type)) {
                add_part(figure ? on->figures : on->rules, figure ? &on->figure_count : &on->rule_count, i,
                         fill);
            }
            if (looks_for_partners(r->rule) && selects(&r->rule->with.select, type)) {
                add_part(with->partner_of, &with->partner_of_count, i, fill);
            }
        }
    }
}

static bool find_parts(struct iv_plan *plan)
{
    size_t n = plan->terms_count * plan->type_count;
    plan->parts = iv_arena_zalloc(&plan->arena, (n + 1) * sizeof *plan->parts);
    if (plan->parts == NULL) {
        return false;
    }
    each_part(plan, false);
    for (size_t i = 0; i < n; i++) {
        struct iv_parts *p = &plan->parts[i];
        p->rules = iv_arena_alloc(&plan->arena, p->rule_count * sizeof *p->rules);
        p->partner_of = iv_arena_alloc(&plan->arena, p->partner_of_count * sizeof *p->partner_of);
        p->figures = iv_arena_alloc(&plan->arena, p->figure_count * sizeof *p->figures);
        if (p->rules == NULL || p->partner_of == NULL || p->figures == NULL) {
            return false;
        }
        p->rule_count = p->partner_of_count = p->figure_count = 0;
    }
    each_part(plan, true);
    return true;
}

static bool equal_parts(const struct iv_parts *a, const struct iv_parts *b)
{
    return a->rule_count == b->rule_count && a->partner_of_count == b->partner_of_count &&
           memcmp(a->rules, b->rules, a->rule_count * sizeof *a->rules) == 0 &&
           memcmp(a->partner_of, b->partner_of, a->partner_of_count * sizeof *a->partner_of) == 0;
}

static iv_ns longest(iv_ns a, iv_ns b)
{
    return a > b ? a : b;
}

static bool looks_back(const struct iv_window *w)
{
    return w->kind == IV_WINDOW_BEFORE || w->kind == IV_WINDOW_WITHIN;
}

iv_ns iv_plan_past(const struct iv_rule_plan *r)
{
    return looks_back(&r->rule->with.window) ? r->rule->with.window.past_max_ns : 0;
}

iv_ns iv_plan_future(const struct iv_rule_plan *r)
{
    const struct iv_window *w = &r->rule->with.window;
    return r->open_window || w->kind == IV_WINDOW_BEFORE || w->future_max_ns < 0 ? 0 : w->future_max_ns;
}

/* How long the lane's events are needed: as partners, until no trigger can come whose window holds them; as
 * triggers of a forbid, until no partner can come. Late events can use what is kept `grace` longer. */
static void plan_keep(const struct iv_plan *plan, struct iv_lane_def *def, const struct iv_parts *parts,
                      bool first, iv_ns grace)
{
    for (uint16_t i = 0; i < def->rule_count; i++) {
        const struct iv_rule_plan *r = &plan->rules[def->rules[i]];
        if (r->rule->form == IV_REQUIRE || r->open_window) {
            def->held |= UINT32_C(1) << i;
        } else {
            def->keep = longest(def->keep, iv_plan_future(r));
        }
        def->streams |= r->with_streams;
    }
    for (uint16_t i = 0; first && i < parts->partner_of_count; i++) {
        const struct iv_rule_plan *r = &plan->rules[parts->partner_of[i]];
        def->keep = longest(def->keep, iv_ns_add(iv_plan_past(r), r->several ? iv_plan_future(r) : 0));
        def->streams |= r->on_streams | (r->several ? r->with_streams : 0);
    }
    def->keep = iv_ns_add(def->keep, grace);
}

static void add_defs(struct iv_plan *plan, uint16_t terms, struct iv_parts *parts, iv_ns grace)
{
    parts->first_def = plan->def_count;
    uint16_t done = 0;
    do {
        uint16_t left = (uint16_t)(parts->rule_count - done);
        struct iv_lane_def *def = &plan->defs[plan->def_count++];
        *def = (struct iv_lane_def){.terms = terms,
                                    .rules = parts->rules + done,
                                    .rule_count = (uint8_t)(left < IV_LANE_RULES ? left : IV_LANE_RULES),
                                    .stride = sizeof(struct iv_mark),
                                    .first_end = IV_NS_MIN};
        plan_keep(plan, def, parts, done == 0, grace);
        done = (uint16_t)(done + def->rule_count);
        parts->def_count++;
    } while (done < parts->rule_count);
}

/* Types that play the same parts share their lanes. */
static void assign_defs(struct iv_plan *plan, uint16_t terms, iv_ns grace)
{
    for (size_t type = 0; type < plan->type_count; type++) {
        struct iv_parts *parts = iv_plan_parts(plan, terms, type);
        if (parts->rule_count == 0 && parts->partner_of_count == 0) {
            continue;
        }
        for (size_t other = 0; other < type && parts->def_count == 0; other++) {
            const struct iv_parts *same = iv_plan_parts(plan, terms, other);
            if (same->def_count > 0 && equal_parts(same, parts)) {
                parts->first_def = same->first_def;
                parts->def_count = same->def_count;
            }
        }
        if (parts->def_count == 0) {
            add_defs(plan, terms, parts, grace);
        }
    }
}

static void add_figure_def(struct iv_plan *plan, struct iv_rule_plan *r, iv_ns grace)
{
    bool plain = r->rule->form == IV_LIMIT && r->rule->limit == IV_LIMIT_COUNT;
    r->own_def = plan->def_count;
    plan->defs[plan->def_count++] =
        (struct iv_lane_def){.terms = r->terms_on,
                             .streams = r->on_streams,
                             .keep = iv_ns_add(r->rule->span_max_ns, grace),
                             .stride = plain ? sizeof(struct iv_mark) : sizeof(struct iv_value_mark),
                             .first_end = IV_NS_MIN};
}

/* Which lanes hold a rule's partners, and which its triggers. */
static bool link_rules(struct iv_plan *plan)
{
    for (size_t i = 0; i < plan->rule_count; i++) {
        struct iv_rule_plan *r = &plan->rules[i];
        if (!r->rule->has_partner) {
            continue;
        }
        r->partner_defs = iv_arena_alloc(&plan->arena, plan->type_count * sizeof *r->partner_defs);
        r->waits = iv_arena_alloc(&plan->arena, plan->type_count * sizeof *r->waits);
        if (r->partner_defs == NULL || r->waits == NULL) {
            return false;
        }
        for (uint16_t d = 0; d < plan->def_count; d++) {
            const struct iv_lane_def *def = &plan->defs[d];
            for (uint8_t bit = 0; bit < def->rule_count; bit++) {
                if (def->rules[bit] == i) {
                    r->waits[r->wait_count++] = (struct iv_wait){d, bit};
                }
            }
        }
        for (size_t type = 0; looks_for_partners(r->rule) && type < plan->type_count; type++) {
            const struct iv_parts *parts = iv_plan_parts(plan, r->terms_with, type);
            bool known = !selects(&r->rule->with.select, type);
            for (uint16_t d = 0; d < r->partner_def_count; d++) {
                known = known || r->partner_defs[d] == parts->first_def;
            }
            if (!known) {
                r->partner_defs[r->partner_def_count++] = parts->first_def;
            }
        }
    }
    return true;
}

struct iv_rc_s iv_plan_lanes(struct iv_plan *plan, const struct iv_baseline *baseline, struct iv_err *err)
{
    ENSURE(find_parts(plan), err, IV_E_NOMEM, "cannot allocate the parts of %zu rules", plan->rule_count);
    size_t bound = plan->rule_count;
    for (size_t i = 0; i < plan->terms_count * plan->type_count; i++) {
        const struct iv_parts *p = &plan->parts[i];
        bound += p->rule_count + p->partner_of_count > 0 ? 1U + p->rule_count / IV_LANE_RULES : 0;
    }
    ENSURE(bound < IV_LANE_DEFS, err, IV_E_LIMIT,
           "the baseline's %zu rules need %zu kinds of lanes, at most %d", plan->rule_count, bound,
           IV_LANE_DEFS - 1);
    plan->defs = iv_arena_zalloc(&plan->arena, (bound + 1) * sizeof *plan->defs);
    ENSURE(plan->defs != NULL, err, IV_E_NOMEM, "cannot allocate %zu lanes", bound);
    for (uint16_t t = 0; t < plan->terms_count; t++) {
        assign_defs(plan, t, baseline->dedup);
    }
    for (size_t i = 0; i < plan->rule_count; i++) {
        if (plan->rules[i].rule->form == IV_LIMIT || plan->rules[i].rule->form == IV_SAME) {
            add_figure_def(plan, &plan->rules[i], baseline->dedup);
        }
    }
    ENSURE(link_rules(plan), err, IV_E_NOMEM, "cannot allocate the lanes of %zu rules", plan->rule_count);
    return IV_OK;
}
