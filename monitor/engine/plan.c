/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/concern.h"
#include "engine/dispatch.h"
#include "engine/plan_amounts.h"
#include "engine/plan_lanes.h"
#include "engine/plan_needs.h"

#include <string.h>

static const struct iv_event_type *type_at(const struct iv_baseline *b, size_t index)
{
    return index < iv_catalogue_types(b->catalogue) ? iv_catalogue_type(b->catalogue, index)
                                                    : iv_catalogue_unknown(b->catalogue);
}

static unsigned streams_of(const struct iv_selector *select)
{
    unsigned set = 0;
    for (unsigned s = 0; s < IV_STREAMS; s++) {
        set |= select->streams[s] ? 1U << s : 0;
    }
    return set;
}

/* Programs are equal when they say the same over the same side: the same text means the same under other
 * rules only if the same event name stands for the side, which the text repeats. */
static bool same_term(const struct iv_term *a, const struct iv_term *b)
{
    if (a->prog == NULL || b->prog == NULL) {
        return a->prog == NULL && b->prog == NULL && a->name_id == b->name_id;
    }
    return a->prog == b->prog || iv_str_eq(iv_cel_prog_source(a->prog), iv_cel_prog_source(b->prog));
}

static bool has_program(const struct iv_terms *terms)
{
    for (size_t i = 0; i < terms->count; i++) {
        if (terms->terms[i].prog != NULL) {
            return true;
        }
    }
    return false;
}

static bool same_terms(const struct iv_terms_plan *plan, const struct iv_terms *terms, bool partner)
{
    if (plan->terms->count != terms->count || (has_program(terms) && plan->partner != partner)) {
        return false;
    }
    for (size_t i = 0; i < terms->count; i++) {
        if (!same_term(&plan->terms->terms[i], &terms->terms[i])) {
            return false;
        }
    }
    return true;
}

/* The number of these terms; new ones are added. There is room for two of each rule. */
static uint16_t terms_number(struct iv_plan *plan, const struct iv_rule *rule, const struct iv_terms *terms,
                             bool partner)
{
    for (uint16_t i = 0; i < plan->terms_count; i++) {
        if (same_terms(&plan->terms[i], terms, partner)) {
            return i;
        }
    }
    plan->terms[plan->terms_count] = (struct iv_terms_plan){terms, has_program(terms), rule, partner};
    return plan->terms_count++;
}

/* A length that rests on the baseline alone has a bound, under which the trigger's mark can be kept; one that
 * the trigger has a say in is known by its obligation only. */
static bool leaves_window_open(const struct iv_rule *rule)
{
    const struct iv_window *w = &rule->with.window;
    return w->kind == IV_WINDOW_UNTIL ||
           (w->kind != IV_WINDOW_BEFORE && w->length.prog != NULL && w->future_max_ns == 0);
}

static void plan_rule(struct iv_plan *plan, struct iv_rule_plan *out, const struct iv_rule *rule)
{
    *out = (struct iv_rule_plan){.rule = rule, .on_streams = streams_of(&rule->on)};
    if (rule->form == IV_LIMIT || rule->form == IV_SAME) {
        out->terms_on = terms_number(plan, rule, &rule->by, false);
    } else if (rule->has_partner) {
        out->with_streams = streams_of(&rule->with.select);
        out->open_window = leaves_window_open(rule);
        out->several = rule->distinct.count > 0 || rule->at_least.prog != NULL || rule->at_least.is_double ||
                       rule->at_least.i > 1;
        out->terms_on = terms_number(plan, rule, &rule->with.key_on, false);
        out->terms_with = terms_number(plan, rule, &rule->with.key_with, true);
        if (rule->tree.note != NULL) {
            plan->has_trees = true;
            plan->tree_terms = out->terms_with;
        }
    }
}

static bool is_scalar(enum iv_ftype type)
{
    return type < IV_F_LIST_STRING;
}

static bool has_bit(const uint64_t *bits, uint16_t name_id)
{
    return bits != NULL && (bits[name_id / 64] >> (name_id % 64) & 1) != 0;
}

/* Whether some rule reads the field of events of this type that it has stored. */
static bool is_read(const struct iv_plan *plan, const struct iv_event_type *type, uint16_t name_id)
{
    for (size_t i = 0; i < plan->rule_count; i++) {
        const struct iv_rule *r = plan->rules[i].rule;
        bool at_once = r->form == IV_FORBID && !r->has_partner;
        if (!at_once && iv_selector_has(&r->on, type) &&
            (r->all_trigger_fields || has_bit(r->trigger_fields, name_id))) {
            return true;
        }
        if (r->has_partner && iv_selector_has(&r->with.select, type) &&
            (r->all_partner_fields || has_bit(r->partner_fields, name_id))) {
            return true;
        }
    }
    return false;
}

/* Whether a rule asks if the chain hash of such an event is right. */
static bool asks_for_chain(const struct iv_plan *plan, const struct iv_event_type *type)
{
    for (size_t i = 0; i < plan->rule_count; i++) {
        const struct iv_rule *r = plan->rules[i].rule;
        if (r->checks_chain &&
            (iv_selector_has(&r->on, type) || (r->has_partner && iv_selector_has(&r->with.select, type)))) {
            return true;
        }
    }
    return false;
}

/* What evidence shows: the scalar fields; and what rules read later. */
static bool keeps(const struct iv_plan *plan, const struct iv_event_type *type, const struct iv_field *field)
{
    return is_scalar(field->type) || is_read(plan, type, field->name_id);
}

static bool keeps_attribute(const struct iv_event_type *type, uint8_t slot)
{
    return slot != IV_ATTR_SOURCE && slot != IV_ATTR_TIME && slot != IV_ATTR_TOPIC &&
           (slot != IV_ATTR_TYPE || type->name.n == 0);
}

/* The attributes and what else rules read come first, so that the rest need not be passed over for them. */
static bool plan_kept(struct iv_plan *plan, struct iv_type_plan *t, const struct iv_event_type *type)
{
    t->kept = iv_arena_alloc(&plan->arena, (size_t)IV_ATTRS + type->field_count);
    t->cut = iv_arena_alloc(&plan->arena, (size_t)type->field_count + 1);
    if (t->kept == NULL || t->cut == NULL) {
        return false;
    }
    for (uint8_t slot = 0; slot < IV_ATTRS; slot++) {
        if (keeps_attribute(type, slot)) {
            t->kept[t->kept_count++] = slot;
        }
    }
    for (int read = 1; read >= 0; read--) {
        for (size_t i = 0; i < type->field_count; i++) {
            const struct iv_field *field = &type->fields[i];
            if (is_read(plan, type, field->name_id) ? read == 1 : read == 0 && is_scalar(field->type)) {
                t->kept[t->kept_count++] = field->slot;
            }
        }
    }
    for (size_t i = 0; i < type->field_count; i++) {
        if (!keeps(plan, type, &type->fields[i])) {
            t->cut[t->cut_count++] = type->fields[i].slot;
        }
    }
    return true;
}

static bool plan_alone(struct iv_plan *plan, struct iv_type_plan *t, const struct iv_event_type *type)
{
    t->alone = iv_arena_alloc(&plan->arena, plan->rule_count * sizeof *t->alone);
    if (t->alone == NULL) {
        return false;
    }
    for (size_t i = 0; i < plan->rule_count; i++) {
        const struct iv_rule *r = plan->rules[i].rule;
        if (r->form == IV_FORBID && !r->has_partner && iv_selector_has(&r->on, type)) {
            t->alone[t->alone_count++] = (uint16_t)i;
        }
    }
    return true;
}

static bool is_selected(const struct iv_plan *plan, const struct iv_event_type *type)
{
    for (size_t i = 0; i < plan->rule_count; i++) {
        const struct iv_rule *r = plan->rules[i].rule;
        if (iv_selector_has(&r->on, type) || (r->has_partner && iv_selector_has(&r->with.select, type))) {
            return true;
        }
    }
    return false;
}

static bool plan_types(struct iv_plan *plan, const struct iv_baseline *baseline)
{
    for (size_t i = 0; i < plan->type_count; i++) {
        const struct iv_event_type *type = type_at(baseline, i);
        struct iv_type_plan *t = &plan->types[i];
        t->concerned = is_selected(plan, type);
        if (!plan_alone(plan, t, type) || !iv_concern_make(&t->all, &plan->arena, plan, type, NULL)) {
            return false;
        }
        t->waits = t->all.waits;
        plan->group_max = t->all.group_count > plan->group_max ? t->all.group_count : plan->group_max;
        plan->join_max = t->all.berth_count > plan->join_max ? t->all.berth_count : plan->join_max;
        /* An unknown type is an event on the ledger alone. */
        t->needs_chain = (type->stream == IV_LEDGER || type->name.n == 0) && asks_for_chain(plan, type);
        if (!plan_kept(plan, t, type)) {
            return false;
        }
    }
    return true;
}

/* The same for every engine that shares the baseline's rules. */
static iv_ns tree_reach(const struct iv_baseline *baseline)
{
    iv_ns reach = 0;
    for (size_t i = 0; i < baseline->rule_count; i++) {
        const struct iv_rule *rule = baseline->rules[i];
        iv_ns past = rule->with.window.past_max_ns;
        reach = rule->tree.note != NULL && past > reach ? past : reach;
    }
    return reach;
}

struct iv_rc_s iv_plan_init(struct iv_plan *plan, const struct iv_baseline *baseline, const uint64_t *rules,
                            struct iv_err *err)
{
    *plan = (struct iv_plan){0};
    iv_arena_init(&plan->arena, 0);
    plan->type_count = iv_catalogue_types(baseline->catalogue) + 1;
    plan->rules = iv_arena_zalloc(&plan->arena, (baseline->rule_count + 1) * sizeof *plan->rules);
    plan->types = iv_arena_zalloc(&plan->arena, plan->type_count * sizeof *plan->types);
    plan->terms = iv_arena_zalloc(&plan->arena, 2 * (baseline->rule_count + 1) * sizeof *plan->terms);
    plan->tree_reach = tree_reach(baseline);
    bool memory = plan->rules != NULL && plan->types != NULL && plan->terms != NULL;
    for (size_t i = 0; memory && i < baseline->rule_count; i++) {
        /* EVT-001 has no lanes: it is asked of identities (identity.h). */
        if (baseline->rules[i] != baseline->equivocation && iv_rules_have(rules, i)) {
            plan_rule(plan, &plan->rules[plan->rule_count++], baseline->rules[i]);
        }
    }
    if (memory) {
        struct iv_rc_s rc = iv_plan_lanes(plan, baseline, err);
        rc = iv_ok(rc) ? iv_plan_amounts(plan, baseline, err) : rc;
        if (!iv_ok(rc)) {
            iv_plan_deinit(plan);
            return rc;
        }
        memory = plan_types(plan, baseline) && iv_plan_needs(plan, baseline);
    }
    struct iv_rc_s rc =
        memory ? iv_dispatch_new(&plan->dispatch, plan, baseline, err)
               : iv_err_set(err, IV_E_NOMEM, "cannot allocate the plan of a baseline of %zu rules",
                            baseline->rule_count);
    if (!iv_ok(rc)) {
        iv_plan_deinit(plan);
    }
    return rc;
}

uint16_t iv_plan_figure(const struct iv_plan *plan, uint16_t def)
{
    for (size_t i = 0; i < plan->rule_count; i++) {
        const struct iv_rule_plan *r = &plan->rules[i];
        if ((r->rule->form == IV_LIMIT || r->rule->form == IV_SAME) && r->own_def == def) {
            return (uint16_t)i;
        }
    }
    return IV_LANE_DEFS;
}

const struct iv_parts *iv_plan_lane_parts(const struct iv_plan *plan, uint16_t def)
{
    for (size_t i = 0; i < plan->terms_count * plan->type_count; i++) {
        if (plan->parts[i].def_count > 0 && plan->parts[i].first_def == def) {
            return &plan->parts[i];
        }
    }
    return NULL;
}

void iv_plan_deinit(struct iv_plan *plan)
{
    iv_dispatch_free(plan->dispatch);
    iv_arena_deinit(&plan->arena);
    *plan = (struct iv_plan){0};
}

bool iv_plan_cuts(const struct iv_plan *plan, const struct iv_event *event)
{
    const struct iv_type_plan *type = &plan->types[event->type->index];
    bool cut = event->origin.stream == IV_LEDGER;
    for (uint16_t i = 0; i < type->cut_count && !cut; i++) {
        cut = event->slots[type->cut[i]].kind != IV_KIND_ABSENT;
    }
    return cut;
}
