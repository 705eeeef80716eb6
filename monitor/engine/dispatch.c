/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/dispatch.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/concern.h"
#include "engine/gate.h"

#include <string.h>

#define TESTS_MAX 16                      /* fields of one type that are looked at */
#define BUCKETS 256                       /* of a type's concerns */
#define NUMBERS_MAX (UINT64_C(1) << 48)   /* combinations of a type's answers */
#define CONCERNS_BYTES ((size_t)32 << 20) /* beyond it they are forgotten, and worked out again */
#define TEXT_MAX 1024                     /* bytes of a pivot, outline.c */

/* The answers about a field: it is absent, it is no pivot, or which pivot it is. */
enum { ANSWER_ABSENT, ANSWER_OTHER, ANSWERS_FIXED };

/* A field that gates ask, and the pivots of all of them. */
struct test {
    uint16_t name_id;
    uint8_t slot;
    uint32_t answer_count;
    const struct iv_val **pivots; /* answer ANSWERS_FIXED and up */
    uint32_t *table;              /* answers by hash of the pivot; 0: free */
    uint32_t mask;
};

struct type_dispatch {
    struct test *tests;
    uint8_t test_count;
    struct iv_concern **buckets; /* NULL: no gate is held against the type */
    struct iv_concern *last;
};

struct iv_dispatch {
    const struct iv_plan *plan;
    struct iv_arena arena;
    struct iv_arena concerns;
    struct iv_params *params;    /* the pivots that are parameters */
    struct iv_rule_gates *gates; /* by rule of the plan */
    struct type_dispatch *types;
    uint64_t *counted; /* triggers that were not evaluated, by rule */
    uint64_t age;      /* how often concerns were forgotten */
    bool behind;       /* something was counted that the rules' figures do not have yet */
    size_t words;      /* of a bitmap by rule */
    uint64_t *triggers;
    uint64_t *partners;
    uint64_t *idle;
};

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

/* Pivots are the baseline's, so a hash without a key will do: who chooses values fills no table with them. */
static uint64_t hash_of(const struct iv_val *v)
{
    if (v->kind != IV_KIND_STRING) {
        return mix(v->kind, v->kind == IV_KIND_BOOL ? v->b : v->u);
    }
    uint64_t h = v->n;
    uint64_t word = 0;
    uint32_t i = 0;
    for (; i + 8 <= v->n; i += 8) {
        memcpy(&word, v->s + i, 8);
        h = mix(h, word);
    }
    word = 0;
    memcpy(&word, v->s + i, v->n - i);
    return mix(h, word);
}

/* Numbers are ints here where they have an int's value. False: the value equals no pivot. */
static bool normalise(struct iv_val *v)
{
    switch ((enum iv_kind)v->kind) {
    case IV_KIND_STRING:
        return v->n <= TEXT_MAX;
    case IV_KIND_INT:
    case IV_KIND_BOOL:
        return true;
    case IV_KIND_UINT:
        *v = iv_val_int((int64_t)v->u);
        return v->i >= 0;
    case IV_KIND_DOUBLE:
        if (v->d >= -0x1p63 && v->d < 0x1p63 && v->d == (double)(int64_t)v->d) {
            *v = iv_val_int((int64_t)v->d);
            return true;
        }
        return false;
    default:
        return false;
    }
}

static uint32_t answer_of(const struct test *t, const struct iv_val *value)
{
    if (value->kind == IV_KIND_ABSENT) {
        return ANSWER_ABSENT;
    }
    struct iv_val v = *value;
    if (t->answer_count == ANSWERS_FIXED || !normalise(&v)) {
        return ANSWER_OTHER;
    }
    for (uint64_t at = hash_of(&v);; at++) {
        uint32_t answer = t->table[at & t->mask];
        if (answer == 0 || iv_val_eq(t->pivots[answer - ANSWERS_FIXED], &v)) {
            return answer == 0 ? ANSWER_OTHER : answer;
        }
    }
}

static bool selects(const struct iv_selector *select, size_t type)
{
    return (select->types[type / 64] >> (type % 64) & 1) != 0;
}

static const struct iv_event_type *type_at(const struct iv_baseline *b, size_t index)
{
    return index < iv_catalogue_types(b->catalogue) ? iv_catalogue_type(b->catalogue, index)
                                                    : iv_catalogue_unknown(b->catalogue);
}

static bool find_gates(struct iv_dispatch *d, const struct iv_val *parameters)
{
    for (size_t i = 0; i < d->plan->rule_count; i++) {
        if (!iv_rule_gates_find(&d->gates[i], &d->arena, d->plan->rules[i].rule, parameters)) {
            return false;
        }
    }
    return true;
}

/* The gates that a rule holds against events of a type; NULL where it has none. */
static const struct iv_gate *gate_at(const struct iv_dispatch *d, size_t rule, size_t type, bool condition)
{
    const struct iv_rule *r = d->plan->rules[rule].rule;
    const struct iv_gate *gate = condition ? &d->gates[rule].condition : &d->gates[rule].where;
    bool partner = condition && r->has_partner;
    return gate->set && selects(partner ? &r->with.select : &r->on, type) ? gate : NULL;
}

static struct test *test_for(struct type_dispatch *t, uint16_t name_id)
{
    for (uint8_t i = 0; i < t->test_count; i++) {
        if (t->tests[i].name_id == name_id) {
            return &t->tests[i];
        }
    }
    return NULL;
}

static void add_pivot(struct test *t, const struct iv_val *pivot)
{
    if (answer_of(t, pivot) == ANSWER_OTHER) {
        uint64_t at = hash_of(pivot);
        while (t->table[at & t->mask] != 0) {
            at++;
        }
        t->pivots[t->answer_count - ANSWERS_FIXED] = pivot;
        t->table[at & t->mask] = t->answer_count++;
    }
}

/* The pivots of all gates of the type that ask the field. */
static bool fill_test(struct iv_dispatch *d, struct test *t, size_t type)
{
    uint32_t room = 1;
    for (size_t i = 0; i < 2 * d->plan->rule_count; i++) {
        const struct iv_gate *gate = gate_at(d, i / 2, type, i % 2 == 1);
        room += gate != NULL && gate->name_id == t->name_id ? gate->pivot_count : 0;
    }
    uint32_t size = 2;
    while (size < 2 * room) {
        size *= 2;
    }
    t->mask = size - 1;
    t->table = iv_arena_zalloc(&d->arena, size * sizeof *t->table);
    t->pivots = iv_arena_alloc(&d->arena, room * sizeof *t->pivots);
    if (t->table == NULL || t->pivots == NULL) {
        return false;
    }
    t->answer_count = ANSWERS_FIXED;
    for (size_t i = 0; i < 2 * d->plan->rule_count; i++) {
        const struct iv_gate *gate = gate_at(d, i / 2, type, i % 2 == 1);
        for (uint32_t p = 0; gate != NULL && gate->name_id == t->name_id && p < gate->pivot_count; p++) {
            add_pivot(t, gate->pivots[p].value);
        }
    }
    return true;
}

static bool find_tests(struct iv_dispatch *d, size_t type, const struct iv_event_type *event_type)
{
    struct type_dispatch *t = &d->types[type];
    uint64_t numbers = 1;
    bool gated = false;
    t->tests = iv_arena_alloc(&d->arena, TESTS_MAX * sizeof *t->tests);
    for (size_t i = 0; t->tests != NULL && i < 2 * d->plan->rule_count && t->test_count < TESTS_MAX; i++) {
        const struct iv_gate *gate = gate_at(d, i / 2, type, i % 2 == 1);
        uint8_t slot = gate == NULL ? IV_NO_SLOT : event_type->slot_of[gate->name_id];
        gated = gated || gate != NULL;
        if (slot == IV_NO_SLOT || test_for(t, gate->name_id) != NULL) {
            continue;
        }
        struct test *test = &t->tests[t->test_count];
        *test = (struct test){.name_id = gate->name_id, .slot = slot};
        if (!fill_test(d, test, type)) {
            return false;
        }
        if (test->answer_count < NUMBERS_MAX / numbers) {
            numbers *= test->answer_count;
            t->test_count++;
        }
    }
    t->buckets = gated ? iv_arena_zalloc(&d->arena, BUCKETS * sizeof *t->buckets) : NULL;
    return t->tests != NULL && (!gated || t->buckets != NULL);
}

static bool build(struct iv_dispatch *d, const struct iv_baseline *baseline)
{
    const struct iv_plan *plan = d->plan;
    const struct iv_val *parameters = iv_params_fixed(d->params);
    d->words = plan->rule_count / 64 + 1;
    d->gates = iv_arena_zalloc(&d->arena, (plan->rule_count + 1) * sizeof *d->gates);
    d->types = iv_arena_zalloc(&d->arena, plan->type_count * sizeof *d->types);
    d->counted = iv_arena_zalloc(&d->arena, (plan->rule_count + 1) * sizeof *d->counted);
    d->triggers = iv_arena_alloc(&d->arena, d->words * sizeof *d->triggers);
    d->partners = iv_arena_alloc(&d->arena, d->words * sizeof *d->partners);
    d->idle = iv_arena_alloc(&d->arena, d->words * sizeof *d->idle);
    if (parameters == NULL || d->gates == NULL || d->types == NULL || d->counted == NULL ||
        d->triggers == NULL || d->partners == NULL || d->idle == NULL || !find_gates(d, parameters)) {
        return false;
    }
    for (size_t type = 0; type < plan->type_count; type++) {
        if (!find_tests(d, type, type_at(baseline, type))) {
            return false;
        }
    }
    return true;
}

struct iv_rc_s iv_dispatch_new(struct iv_dispatch **out, const struct iv_plan *plan,
                               const struct iv_baseline *baseline, struct iv_err *err)
{
    struct iv_dispatch *d = iv_calloc(1, sizeof *d);
    ENSURE(d != NULL, err, IV_E_NOMEM, "cannot allocate the dispatch of %zu rules", plan->rule_count);
    d->plan = plan;
    iv_arena_init(&d->arena, 0);
    iv_arena_init(&d->concerns, 0);
    struct iv_rc_s rc = iv_params_new(&d->params, baseline, err);
    if (iv_ok(rc) && !build(d, baseline)) {
        rc = iv_err_set(err, IV_E_NOMEM, "cannot allocate the dispatch of %zu rules", plan->rule_count);
    }
    if (!iv_ok(rc)) {
        iv_dispatch_free(d);
        return rc;
    }
    *out = d;
    return IV_OK;
}

void iv_dispatch_free(struct iv_dispatch *dispatch)
{
    if (dispatch != NULL) {
        iv_params_free(dispatch->params);
        iv_arena_deinit(&dispatch->concerns);
        iv_arena_deinit(&dispatch->arena);
        iv_free(dispatch);
    }
}

static void set_bit(uint64_t *bits, size_t rule, bool on)
{
    uint64_t bit = UINT64_C(1) << (rule % 64);
    bits[rule / 64] = on ? bits[rule / 64] | bit : bits[rule / 64] & ~bit;
}

/* Whether the gate admits an event that gave these answers. A field that is not looked at says nothing. */
static bool passes(const struct iv_dispatch *d, const struct iv_gate *gate, const struct iv_event_type *type,
                   const uint32_t *answers)
{
    static const struct iv_val absent = {0};
    if (gate == NULL) {
        return true;
    }
    struct type_dispatch *t = &d->types[type->index];
    const struct test *test = test_for(t, gate->name_id);
    if (test == NULL) {
        return type->slot_of[gate->name_id] != IV_NO_SLOT || iv_gate_admits(gate, &absent);
    }
    uint32_t answer = answers[test - t->tests];
    const struct iv_val *value = answer == ANSWER_ABSENT  ? &absent
                                 : answer == ANSWER_OTHER ? NULL
                                                          : test->pivots[answer - ANSWERS_FIXED];
    return iv_gate_admits(gate, value);
}

static struct iv_concern *make(struct iv_dispatch *d, const struct iv_event_type *type,
                               const uint32_t *answers)
{
    bool idles = false;
    memset(d->idle, 0, d->words * sizeof *d->idle);
    for (size_t i = 0; i < d->plan->rule_count; i++) {
        const struct iv_rule *r = d->plan->rules[i].rule;
        bool where = passes(d, gate_at(d, i, type->index, false), type, answers);
        bool condition = passes(d, gate_at(d, i, type->index, true), type, answers);
        bool idle = !condition && !r->has_partner && selects(&r->on, type->index);
        set_bit(d->triggers, i, where && !idle);
        set_bit(d->partners, i, condition);
        set_bit(d->idle, i, idle);
        idles = idles || idle;
    }
    struct iv_admission admission = {d->triggers, d->partners};
    struct iv_concern *c = iv_arena_alloc(&d->concerns, sizeof *c);
    if (c == NULL || !iv_concern_make(c, &d->concerns, d->plan, type, &admission)) {
        return NULL;
    }
    if (idles) {
        c->idle = iv_arena_alloc(&d->concerns, d->words * sizeof *c->idle);
        if (c->idle == NULL) {
            return NULL;
        }
        memcpy(c->idle, d->idle, d->words * sizeof *c->idle);
    }
    return c;
}

/* Moves what a concern counted to the rules. */
static void collect_one(struct iv_dispatch *d, struct iv_concern *c)
{
    for (size_t r = 0; c->idle != NULL && c->seen > 0 && r < d->plan->rule_count; r++) {
        uint64_t seen = (c->idle[r / 64] >> (r % 64) & 1) != 0 ? c->seen : 0;
        d->counted[r] += seen;
        c->hour[d->plan->rules[r].rule->index] += seen;
    }
    c->seen = 0;
}

static void collect(struct iv_dispatch *d)
{
    for (size_t i = 0; i < d->plan->type_count * BUCKETS; i++) {
        struct iv_concern **buckets = d->types[i / BUCKETS].buckets;
        for (struct iv_concern *c = buckets == NULL ? NULL : buckets[i % BUCKETS]; c != NULL; c = c->next) {
            collect_one(d, c);
        }
    }
}

static void forget(struct iv_dispatch *d)
{
    collect(d);
    for (size_t type = 0; type < d->plan->type_count; type++) {
        if (d->types[type].buckets != NULL) {
            memset(d->types[type].buckets, 0, BUCKETS * sizeof(struct iv_concern *));
        }
        d->types[type].last = NULL;
    }
    iv_arena_deinit(&d->concerns);
    iv_arena_init(&d->concerns, 0);
    d->age++;
}

uint64_t iv_dispatch_age(const struct iv_dispatch *dispatch)
{
    return dispatch->age;
}

static struct iv_concern *look_up(struct iv_dispatch *d, const struct iv_event_type *type,
                                  const uint32_t *answers, uint64_t number)
{
    struct type_dispatch *t = &d->types[type->index];
    struct iv_concern *c = t->buckets[number % BUCKETS];
    while (c != NULL && c->number != number) {
        c = c->next;
    }
    if (c == NULL) {
        if (d->concerns.total_bytes > CONCERNS_BYTES) {
            forget(d);
        }
        c = make(d, type, answers);
        if (c == NULL) {
            return NULL;
        }
        c->number = number;
        c->next = t->buckets[number % BUCKETS];
        t->buckets[number % BUCKETS] = c;
    }
    t->last = c;
    return c;
}

struct iv_concern *iv_dispatch_find(struct iv_dispatch *dispatch, const struct iv_event *event)
{
    struct iv_dispatch *d = dispatch;
    const struct type_dispatch *t = &d->types[event->type->index];
    if (t->buckets == NULL) {
        return &d->plan->types[event->type->index].all;
    }
    uint32_t answers[TESTS_MAX];
    uint64_t number = 0;
    for (uint8_t i = 0; i < t->test_count; i++) {
        answers[i] = answer_of(&t->tests[i], &event->slots[t->tests[i].slot]);
        number = number * t->tests[i].answer_count + answers[i];
    }
    return t->last != NULL && t->last->number == number ? t->last : look_up(d, event->type, answers, number);
}

void iv_dispatch_count(struct iv_dispatch *dispatch, struct iv_concern *concern, uint64_t *hour)
{
    if (concern->idle != NULL) {
        if (concern->hour != hour) {
            collect_one(dispatch, concern);
            concern->hour = hour;
        }
        concern->seen++;
        dispatch->behind = true;
    }
}

void iv_dispatch_settle(struct iv_dispatch *dispatch, struct iv_rule_stats *stats)
{
    if (!dispatch->behind) {
        return; /* it is asked rule by rule */
    }
    collect(dispatch);
    for (size_t i = 0; i < dispatch->plan->rule_count; i++) {
        stats[dispatch->plan->rules[i].rule->index].triggers += dispatch->counted[i];
        dispatch->counted[i] = 0;
    }
    dispatch->behind = false;
}
