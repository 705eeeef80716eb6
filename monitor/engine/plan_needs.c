/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan_needs.h"

#include "base/guard.h"

#include <string.h>

/* The name ids that programs read of one side of a rule. */
struct reading {
    uint64_t *names;
    bool all;
};

static void note_name(void *ctx, uint16_t name_id)
{
    uint64_t *names = ctx;
    names[name_id / 64] |= UINT64_C(1) << (name_id % 64);
}

static void note_prog(struct reading *r, const struct iv_cel_prog *prog, uint16_t side)
{
    if (prog != NULL) {
        r->all = iv_cel_prog_fields(prog, IV_BANK_EVENTS, side, note_name, r->names) || r->all;
    }
}

/* Terms of keys are asked of the event at hand alone; those of distinct of every partner. */
static void note_distinct(struct reading *r, const struct iv_rule *rule, uint16_t side)
{
    for (uint8_t i = 0; i < rule->distinct.count; i++) {
        const struct iv_term *term = &rule->distinct.terms[i];
        note_prog(r, term->prog, side);
        if (term->prog == NULL && side == IV_SLOT_PARTNER) {
            note_name(r->names, term->name_id);
        }
    }
}

static void read_side(struct reading *r, const struct iv_rule_plan *plan, uint16_t side)
{
    const struct iv_rule *rule = plan->rule;
    const struct iv_cel_prog *const progs[] = {
        rule->where,       rule->condition,     rule->with.window.until, rule->tree.note,
        plan->length.prog, plan->at_least.prog, plan->span.prog,         plan->max.prog,
    };
    for (size_t i = 0; i < IV_COUNT(progs); i++) {
        note_prog(r, progs[i], side);
    }
    note_distinct(r, rule, side);
    if (rule->tree.note != NULL && side == IV_SLOT_TRIGGER) {
        note_name(r->names, IV_ATTR_LEDGER_ID);
        note_name(r->names, IV_ATTR_LEDGER_SEQ);
        note_name(r->names, IV_ATTR_LEDGER_PREV);
    }
}

static uint16_t name_of(const struct iv_event_type *type, uint8_t slot)
{
    for (size_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].slot == slot) {
            return type->fields[i].name_id;
        }
    }
    return slot; /* an attribute's */
}

static bool reads(const struct reading *r, uint16_t name_id)
{
    return (r->names[name_id / 64] >> (name_id % 64) & 1) != 0;
}

static uint64_t need_of(const struct reading *r, const struct iv_type_plan *t,
                        const struct iv_event_type *type)
{
    uint64_t need = reads(r, IV_ATTR_SOURCE) ? IV_NEED_SOURCE_BIT : 0;
    for (uint16_t i = 0; i < t->kept_count; i++) {
        if (!r->all && !reads(r, name_of(type, t->kept[i]))) {
            continue;
        }
        if (r->all || i >= IV_NEED_SOURCE) {
            return IV_NEED_ALL;
        }
        need |= UINT64_C(1) << i;
    }
    return need;
}

static bool plan_side(struct iv_plan *plan, struct iv_rule_plan *r, uint16_t side, struct reading *reading,
                      const struct iv_baseline *baseline)
{
    const struct iv_selector *select = side == IV_SLOT_TRIGGER ? &r->rule->on : &r->rule->with.select;
    uint64_t *needs = iv_arena_alloc(&plan->arena, plan->type_count * sizeof *needs);
    if (needs == NULL) {
        return false;
    }
    read_side(reading, r, side);
    for (size_t i = 0; i < plan->type_count; i++) {
        const struct iv_event_type *type = i < iv_catalogue_types(baseline->catalogue)
                                               ? iv_catalogue_type(baseline->catalogue, i)
                                               : iv_catalogue_unknown(baseline->catalogue);
        bool selected = (select->types[i / 64] >> (i % 64) & 1) != 0;
        needs[i] = selected ? need_of(reading, &plan->types[i], type) : IV_NEED_ALL;
    }
    r->needs[side] = needs;
    return true;
}

bool iv_plan_needs(struct iv_plan *plan, const struct iv_baseline *baseline)
{
    size_t words = iv_catalogue_names(baseline->catalogue) / 64 + 1;
    struct reading reading = {.names = iv_arena_alloc(&plan->arena, words * sizeof *reading.names)};
    bool memory = reading.names != NULL;
    for (size_t i = 0; memory && i < plan->rule_count; i++) {
        struct iv_rule_plan *r = &plan->rules[i];
        for (uint16_t side = 0; memory && side < IV_EVENT_SLOTS; side++) {
            memset(reading.names, 0, words * sizeof *reading.names);
            reading.all = false;
            memory = (side == IV_SLOT_PARTNER && !r->rule->has_partner) ||
                     plan_side(plan, r, side, &reading, baseline);
        }
    }
    return memory;
}
