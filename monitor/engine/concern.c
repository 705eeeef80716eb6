/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/concern.h"

#include "engine/plan_lanes.h"

static const struct iv_admission everything = {0};

static bool admits(const uint64_t *rules, uint16_t rule)
{
    return rules == NULL || (rules[rule / 64] >> (rule % 64) & 1) != 0;
}

static struct iv_answer *answer_for(struct iv_group *g, uint16_t def)
{
    for (uint16_t i = 0; i < g->answer_count; i++) {
        if (g->answers[i].def == def) {
            return &g->answers[i];
        }
    }
    g->answers[g->answer_count] = (struct iv_answer){.def = def};
    return &g->answers[g->answer_count++];
}

static iv_ns longest(iv_ns a, iv_ns b)
{
    return a > b ? a : b;
}

static bool find_answers(struct iv_group *g, struct iv_arena *arena, const struct iv_plan *plan,
                         const struct iv_parts *parts, const struct iv_admission *admission)
{
    size_t n = 0;
    for (uint16_t i = 0; i < parts->partner_of_count; i++) {
        bool mine = admits(admission->partners, parts->partner_of[i]);
        n += mine ? plan->rules[parts->partner_of[i]].wait_count : 0U;
    }
    g->answers = iv_arena_alloc(arena, n * sizeof *g->answers);
    for (uint16_t i = 0; g->answers != NULL && i < parts->partner_of_count; i++) {
        const struct iv_rule_plan *r = &plan->rules[parts->partner_of[i]];
        if (!admits(admission->partners, parts->partner_of[i])) {
            continue;
        }
        for (uint16_t w = 0; w < r->wait_count; w++) {
            struct iv_answer *a = answer_for(g, r->waits[w].def);
            a->bits |= UINT32_C(1) << r->waits[w].bit;
            a->past = longest(a->past, iv_plan_past(r));
            a->future = longest(a->future, iv_plan_future(r));
            a->open = a->open || r->open_window;
        }
    }
    return g->answers != NULL;
}

static bool is_partner(const struct iv_parts *parts, const struct iv_admission *admission)
{
    for (uint16_t i = 0; i < parts->partner_of_count; i++) {
        if (admits(admission->partners, parts->partner_of[i])) {
            return true;
        }
    }
    return false;
}

/* The lanes that some rule needs it in. */
static void find_lanes(struct iv_group *g, const struct iv_plan *plan, const struct iv_parts *parts,
                       const struct iv_admission *admission)
{
    bool partner = is_partner(parts, admission);
    for (uint16_t d = 0; d < parts->def_count; d++) {
        const struct iv_lane_def *def = &plan->defs[parts->first_def + d];
        uint32_t triggers = 0;
        for (uint8_t bit = 0; bit < def->rule_count; bit++) {
            triggers |= admits(admission->triggers, def->rules[bit]) ? UINT32_C(1) << bit : 0;
        }
        if (triggers != 0 || (d == 0 && partner)) {
            g->berths[g->berth_count++] =
                (struct iv_berth){(uint16_t)(parts->first_def + d), triggers, d == 0 && partner};
        }
    }
}

/* Those of the rules that are admitted. */
static uint16_t *pick(uint16_t *count, struct iv_arena *arena, const uint16_t *rules, uint16_t rule_count,
                      const uint64_t *admitted)
{
    uint16_t n = 0;
    for (uint16_t i = 0; i < rule_count; i++) {
        n = (uint16_t)(n + (admits(admitted, rules[i]) ? 1 : 0));
    }
    uint16_t *picked = iv_arena_alloc(arena, n * sizeof *picked);
    for (uint16_t i = 0; picked != NULL && i < rule_count; i++) {
        if (admits(admitted, rules[i])) {
            picked[(*count)++] = rules[i];
        }
    }
    return picked;
}

static bool make_group(struct iv_group *g, struct iv_arena *arena, const struct iv_plan *plan,
                       const struct iv_parts *parts, const struct iv_admission *admission)
{
    g->berths = iv_arena_alloc(arena, parts->def_count * sizeof *g->berths);
    g->figures = pick(&g->figure_count, arena, parts->figures, parts->figure_count, admission->triggers);
    if (g->berths == NULL || g->figures == NULL) {
        return false;
    }
    find_lanes(g, plan, parts, admission);
    return find_answers(g, arena, plan, parts, admission);
}

static bool find_groups(struct iv_concern *out, struct iv_arena *arena, const struct iv_plan *plan,
                        const struct iv_event_type *type, const struct iv_admission *admission)
{
    uint16_t count = 0;
    for (uint16_t t = 0; t < plan->terms_count; t++) {
        const struct iv_parts *p = iv_plan_parts(plan, t, type->index);
        count = (uint16_t)(count + (p->def_count + p->figure_count > 0 ? 1 : 0));
    }
    out->groups = iv_arena_alloc(arena, count * sizeof *out->groups);
    for (uint16_t t = 0; out->groups != NULL && t < plan->terms_count; t++) {
        const struct iv_parts *parts = iv_plan_parts(plan, t, type->index);
        if (parts->def_count + parts->figure_count == 0) {
            continue;
        }
        struct iv_group *g = &out->groups[out->group_count];
        *g = (struct iv_group){.terms = t};
        if (!make_group(g, arena, plan, parts, admission)) {
            return false;
        }
        out->group_count = (uint16_t)(out->group_count + (g->berth_count + g->figure_count > 0 ? 1 : 0));
        out->berth_count = (uint16_t)(out->berth_count + g->berth_count);
        out->waits = out->waits || g->figure_count > 0;
        for (uint16_t s = 0; s < g->berth_count; s++) {
            out->waits = out->waits || g->berths[s].triggers != 0;
        }
    }
    return out->groups != NULL;
}

bool iv_concern_make(struct iv_concern *out, struct iv_arena *arena, const struct iv_plan *plan,
                     const struct iv_event_type *type, const struct iv_admission *admission)
{
    admission = admission == NULL ? &everything : admission;
    const struct iv_type_plan *t = &plan->types[type->index];
    *out = (struct iv_concern){0};
    out->alone = pick(&out->alone_count, arena, t->alone, t->alone_count, admission->triggers);
    return out->alone != NULL && find_groups(out, arena, plan, type, admission);
}
