/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/gate.h"

#include "base/guard.h"
#include "baseline/rule.h"

#include <string.h>

/* The pivots of one condition, whatever the field. */
struct sieve {
    struct iv_arena *arena;
    uint16_t slot;
    struct item {
        uint16_t name_id;
        const struct iv_val *value; /* NULL: it is asked whether the field is there */
    } * items;
    uint32_t count;
    uint32_t capacity;
    bool spent;
};

static void collect(void *ctx, const struct iv_cel_place *place, const struct iv_val *pivot)
{
    struct sieve *s = ctx;
    if (place->bank != IV_BANK_EVENTS || place->slot != s->slot || s->spent) {
        return;
    }
    if (s->count == s->capacity) {
        uint32_t capacity = s->capacity == 0 ? 8 : s->capacity * 2;
        struct item *items = iv_arena_alloc(s->arena, capacity * sizeof *items);
        if (items == NULL) {
            s->spent = true;
            return;
        }
        if (s->count > 0) {
            memcpy(items, s->items, s->count * sizeof *items);
        }
        s->items = items;
        s->capacity = capacity;
    }
    s->items[s->count++] = (struct item){place->name_id, pivot};
}

struct question {
    const struct iv_cel_prog *prog;
    const struct iv_val *const *banks;
    struct iv_cel_place place;
};

static bool may_hold(const struct question *q, const struct iv_val *value)
{
    return iv_cel_prog_ends(q->prog, &q->place, value, q->banks) != IV_CEL_FALSE;
}

/* How much the field tells: most where all values but some constants are refused. */
static int weigh(const struct question *q, const struct sieve *s)
{
    static const struct iv_val absent = {0};
    int weight = (may_hold(q, NULL) ? 0 : 4) + (may_hold(q, &absent) ? 0 : 2);
    for (uint32_t i = 0; i < s->count && (weight & 1) == 0; i++) {
        bool asked = s->items[i].name_id == q->place.name_id && s->items[i].value != NULL;
        weight += asked && !may_hold(q, s->items[i].value) ? 1 : 0;
    }
    return weight;
}

static bool make(struct iv_gate *out, const struct question *q, const struct sieve *s)
{
    static const struct iv_val absent = {0};
    *out = (struct iv_gate){.set = true,
                            .name_id = q->place.name_id,
                            .absent = may_hold(q, &absent),
                            .other = may_hold(q, NULL),
                            .pivots = iv_arena_alloc(s->arena, s->count * sizeof *out->pivots)};
    for (uint32_t i = 0; out->pivots != NULL && i < s->count; i++) {
        const struct iv_val *value = s->items[i].value;
        if (s->items[i].name_id == out->name_id && value != NULL) {
            out->pivots[out->pivot_count++] = (struct iv_pivot){value, may_hold(q, value)};
        }
    }
    return out->pivots != NULL;
}

/* By the field that tells most; not set where none tells anything, or prog is NULL. */
static bool find(struct iv_gate *out, struct iv_arena *arena, const struct iv_cel_prog *prog, uint16_t slot,
                 const struct iv_val *parameters)
{
    *out = (struct iv_gate){.set = false};
    if (prog == NULL) {
        return true;
    }
    const struct iv_val *const banks[IV_CEL_BANKS] = {[IV_BANK_PARAMETERS] = parameters};
    struct sieve s = {.arena = arena, .slot = slot};
    iv_cel_prog_pivots(prog, banks, collect, &s);
    struct question best = {.prog = prog, .banks = banks};
    int best_weight = 0;
    for (uint32_t i = 0; i < s.count; i++) {
        bool known = false;
        for (uint32_t k = 0; k < i && !known; k++) {
            known = s.items[k].name_id == s.items[i].name_id;
        }
        struct question q = {prog, banks, {IV_BANK_EVENTS, slot, s.items[i].name_id}};
        int weight = known ? 0 : weigh(&q, &s);
        if (weight > best_weight) {
            best = q;
            best_weight = weight;
        }
    }
    return !s.spent && (best_weight == 0 || make(out, &best, &s));
}

bool iv_rule_gates_find(struct iv_rule_gates *out, struct iv_arena *arena, const struct iv_rule *rule,
                        const struct iv_val *parameters)
{
    bool alone = rule->form == IV_FORBID && !rule->has_partner;
    bool asks = rule->has_partner || (alone && rule->where == NULL);
    return find(&out->where, arena, rule->where, IV_SLOT_TRIGGER, parameters) &&
           find(&out->condition, arena, asks ? rule->condition : NULL,
                alone ? IV_SLOT_TRIGGER : IV_SLOT_PARTNER, parameters);
}

bool iv_gate_admits(const struct iv_gate *gate, const struct iv_val *value)
{
    if (!gate->set || (value != NULL && value->kind == IV_KIND_ABSENT)) {
        return !gate->set || gate->absent;
    }
    for (uint32_t i = 0; value != NULL && i < gate->pivot_count; i++) {
        if (iv_val_eq(gate->pivots[i].value, value)) {
            return gate->pivots[i].admits;
        }
    }
    return gate->other;
}

static void write_pivots(struct iv_buf *out, const struct iv_gate *gate, bool admits)
{
    bool first = true;
    for (uint32_t i = 0; i < gate->pivot_count; i++) {
        if (gate->pivots[i].admits == admits) {
            iv_buf_text(out, first ? "" : " or ");
            iv_val_json(out, gate->pivots[i].value);
            first = false;
        }
    }
}

void iv_gate_write(struct iv_buf *out, const struct iv_gate *gate, const struct iv_catalogue *catalogue)
{
    bool some[2] = {false, false};
    for (uint32_t i = 0; i < gate->pivot_count; i++) {
        some[gate->pivots[i].admits ? 1 : 0] = true;
    }
    iv_buf_str(out, iv_catalogue_name(catalogue, gate->name_id));
    if (gate->other) {
        iv_buf_text(out, some[0] ? " is not " : " is there");
        write_pivots(out, gate, false);
        iv_buf_text(out, some[0] && !gate->absent ? ", and there" : "");
    } else if (some[1]) {
        iv_buf_text(out, " is ");
        write_pivots(out, gate, true);
        iv_buf_text(out, gate->absent ? ", or absent" : "");
    } else {
        iv_buf_text(out, gate->absent ? " is absent" : " is never right");
    }
}
