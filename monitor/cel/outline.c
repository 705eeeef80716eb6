/* SPDX-License-Identifier: Apache-2.0 */
/* A condition's outline: its tests of fields against constants, and how they are joined. All else in it is
 * one kind of leaf, of which nothing is known but whether it can run out of cost. */
#include "cel/outline.h"

#include "base/guard.h"
#include "cel/env.h"
#include "cel/prog.h"
#include "cel/unify.h"

#define NODES_MAX 256u
#define TEXT_MAX 1024u /* bytes of a pivot */
#define ITEMS_MAX 4096u

struct sketch {
    struct iv_cel_compilation *c;
    struct iv_cel_outline *nodes;
    uint32_t count;
};

static bool is_call(const struct iv_cel_node *n, const char *name, uint32_t count)
{
    return n->kind == IV_CEL_NODE_CALL && n->target == NULL && n->count == count &&
           iv_str_eq(n->name, iv_str_of(name));
}

/* A field of a declared variable, in the way that it is compiled to one instruction. */
static bool place_of(struct iv_cel_place *out, const struct iv_cel_node *n)
{
    const struct iv_cel_node *of = n->target;
    if (n->kind != IV_CEL_NODE_SELECT || n->optional || of->kind != IV_CEL_NODE_IDENT ||
        of->ref != IV_CEL_REF_VAR || of->var->type->kind != IV_CEL_OBJECT) {
        return false;
    }
    const struct iv_cel_field *field = iv_cel_schema_find(of->var->type->schema, n->name);
    if (field != NULL) {
        *out = (struct iv_cel_place){of->var->bank, of->var->slot, field->name_id};
    }
    return field != NULL;
}

static bool is_pivot(const struct iv_val *v)
{
    return (v->kind == IV_KIND_STRING && v->n <= TEXT_MAX) || v->kind == IV_KIND_INT ||
           v->kind == IV_KIND_BOOL;
}

/* A list of pivots, or a map with such keys: a value is in it or not, and no run fails on asking. */
static bool is_range(const struct iv_val *v)
{
    uint32_t step = v->kind == IV_KIND_MAP ? 2 : 1;
    bool range = (v->kind == IV_KIND_LIST || v->kind == IV_KIND_MAP) && v->n <= ITEMS_MAX;
    for (uint32_t i = 0; range && i < v->n; i++) {
        range = is_pivot(&v->items[(size_t)i * step]);
    }
    return range;
}

/* The list that a constant node stands for; absent where it is none. */
static struct iv_val list_of(struct sketch *s, const struct iv_cel_node *n)
{
    struct iv_val list = {.kind = IV_KIND_LIST, .n = n->count};
    if (n->kind != IV_CEL_NODE_LIST || n->optionals != NULL) {
        return (struct iv_val){0};
    }
    struct iv_val *items = iv_arena_alloc(s->c->arena, (n->count + 1) * sizeof *items);
    for (uint32_t i = 0; items != NULL && i < n->count; i++) {
        if (n->args[i]->kind != IV_CEL_NODE_LITERAL) {
            return (struct iv_val){0};
        }
        items[i] = n->args[i]->value;
    }
    s->c->out_of_memory = s->c->out_of_memory || items == NULL;
    list.items = items;
    return items == NULL ? (struct iv_val){0} : list;
}

/* What a field is compared with: a constant, or a variable that the host may know. */
static bool operand_of(struct sketch *s, struct iv_cel_outline *out, const struct iv_cel_node *n)
{
    if (n->kind == IV_CEL_NODE_IDENT && n->ref == IV_CEL_REF_VAR && n->var->type->kind != IV_CEL_OBJECT) {
        out->variable = true;
        out->bank = n->var->bank;
        out->slot = n->var->slot;
        return true;
    }
    out->constant = n->kind == IV_CEL_NODE_LITERAL ? n->value : list_of(s, n);
    return out->constant.kind != IV_KIND_ABSENT;
}

static bool is_scalar(const struct iv_cel_type *type)
{
    if (type == NULL) {
        return false;
    }
    switch (iv_cel_type_deref(type)->kind) {
    case IV_CEL_NULL:
    case IV_CEL_BOOL:
    case IV_CEL_INT:
    case IV_CEL_UINT:
    case IV_CEL_DOUBLE:
    case IV_CEL_STRING:
    case IV_CEL_TIMESTAMP:
    case IV_CEL_DURATION:
        return true;
    default:
        return false;
    }
}

/* Whether it surely ends well within the limits: a few steps over values of no great size. */
static bool is_cheap(const struct iv_cel_node *n)
{
    static const char *const cheap[] = {"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "!_", "_&&_", "_||_"};
    struct iv_cel_place place;
    if (n->kind == IV_CEL_NODE_LITERAL || n->kind == IV_CEL_NODE_IDENT || place_of(&place, n)) {
        return true;
    }
    bool known = false;
    for (size_t i = 0; i < IV_COUNT(cheap); i++) {
        known = known ||
                (n->kind == IV_CEL_NODE_CALL && n->target == NULL && iv_str_eq(n->name, iv_str_of(cheap[i])));
    }
    bool logic = is_call(n, "_&&_", 2) || is_call(n, "_||_", 2);
    for (uint32_t i = 0; known && i < n->count; i++) {
        known = is_cheap(n->args[i]) && (logic || is_scalar(n->args[i]->type));
    }
    return known;
}

static uint32_t sketch(struct sketch *s, const struct iv_cel_node *n);

static void sketch_test(struct sketch *s, struct iv_cel_outline *out, const struct iv_cel_node *n)
{
    bool equal = is_call(n, "_==_", 2);
    if (place_of(&out->place, n)) {
        out->test = n->test ? IV_CEL_TEST_HAS : IV_CEL_TEST_TRUE;
    } else if (equal || is_call(n, "_!=_", 2)) {
        bool right = place_of(&out->place, n->args[0]) && !n->args[0]->test;
        bool left = !right && place_of(&out->place, n->args[1]) && !n->args[1]->test;
        if ((right || left) && operand_of(s, out, n->args[right ? 1 : 0])) {
            out->test = equal ? IV_CEL_TEST_EQUAL : IV_CEL_TEST_DIFFERENT;
        }
    } else if (is_call(n, "@in", 2) && place_of(&out->place, n->args[0]) && !n->args[0]->test &&
               operand_of(s, out, n->args[1])) {
        out->test = IV_CEL_TEST_IN;
    }
    out->cheap = out->test != IV_CEL_TEST_NONE || is_cheap(n);
}

/* Nodes stand behind their operands. What is beyond the limit is a leaf, tested or not. */
static uint32_t sketch(struct sketch *s, const struct iv_cel_node *n)
{
    struct iv_cel_outline node = {.join = IV_CEL_JOIN_TEST};
    bool room = s->count < NODES_MAX;
    if (room && (is_call(n, "_&&_", 2) || is_call(n, "_||_", 2))) {
        node.join = is_call(n, "_&&_", 2) ? IV_CEL_JOIN_AND : IV_CEL_JOIN_OR;
        node.left = sketch(s, n->args[0]);
        node.right = sketch(s, n->args[1]);
    } else if (room && is_call(n, "!_", 1)) {
        node.join = IV_CEL_JOIN_NOT;
        node.left = sketch(s, n->args[0]);
    } else {
        sketch_test(s, &node, n);
    }
    s->nodes[s->count] = node;
    return s->count++;
}

bool iv_cel_outline(struct iv_cel_prog *prog, struct iv_cel_compilation *c, const struct iv_cel_node *root)
{
    /* Beyond the limit each node on the way up may still add itself and a leaf. */
    size_t room = NODES_MAX + 2 * (size_t)IV_CEL_DEPTH_MAX + 2;
    struct sketch s = {.c = c, .nodes = iv_arena_alloc(c->arena, room * sizeof *s.nodes)};
    if (s.nodes == NULL) {
        c->out_of_memory = true;
        return false;
    }
    (void)sketch(&s, root);
    prog->outline = s.nodes;
    prog->outline_count = s.count;
    return !c->out_of_memory;
}

/* What the test's field is compared with, if it is a constant of the kind that the test asks for; else NULL.
 */
static const struct iv_val *constant_of(const struct iv_cel_outline *o, const struct iv_val *const *banks)
{
    const struct iv_val *v = &o->constant;
    if (o->variable) {
        v = banks[o->bank] == NULL ? NULL : &banks[o->bank][o->slot];
    }
    bool fits = v != NULL && (o->test == IV_CEL_TEST_IN ? is_range(v) : is_pivot(v));
    return fits ? v : NULL;
}

static bool equals(const struct iv_val *value, const struct iv_val *constant, bool range)
{
    uint32_t step = constant->kind == IV_KIND_MAP ? 2 : 1;
    if (value == NULL || !range) {
        return value != NULL && iv_val_eq(value, constant);
    }
    for (uint32_t i = 0; i < constant->n; i++) {
        if (iv_val_eq(value, &constant->items[(size_t)i * step])) {
            return true;
        }
    }
    return false;
}

static unsigned test_ends(const struct iv_cel_outline *o, const struct iv_cel_place *place,
                          const struct iv_val *value, const struct iv_val *const *banks)
{
    bool other = o->test == IV_CEL_TEST_NONE || o->place.bank != place->bank ||
                 o->place.slot != place->slot || o->place.name_id != place->name_id;
    bool absent = value != NULL && value->kind == IV_KIND_ABSENT;
    if (!other && o->test == IV_CEL_TEST_HAS) {
        return absent ? IV_CEL_FALSE : IV_CEL_TRUE;
    }
    if (!other && o->test == IV_CEL_TEST_TRUE && value != NULL) {
        return value->kind != IV_KIND_BOOL ? IV_CEL_FAILURE : value->b ? IV_CEL_TRUE : IV_CEL_FALSE;
    }
    bool compares = o->test != IV_CEL_TEST_NONE && o->test != IV_CEL_TEST_HAS && o->test != IV_CEL_TEST_TRUE;
    const struct iv_val *constant = compares ? constant_of(o, banks) : NULL;
    if (!other && constant != NULL) {
        bool equal = !absent && equals(value, constant, o->test == IV_CEL_TEST_IN);
        return absent                                        ? IV_CEL_FAILURE
               : equal == (o->test != IV_CEL_TEST_DIFFERENT) ? IV_CEL_TRUE
                                                             : IV_CEL_FALSE;
    }
    bool bounded = o->test == IV_CEL_TEST_IN ? constant != NULL : o->cheap;
    return bounded ? IV_CEL_ANY_END & ~IV_CEL_SPENT : IV_CEL_ANY_END;
}

/* && where decides is IV_CEL_FALSE, || where it is IV_CEL_TRUE: the left operand first; what it leaves to the
 * right one is a failure only if that does not decide. */
static unsigned join_ends(unsigned left, unsigned right, unsigned decides)
{
    unsigned ends = left & (decides | IV_CEL_SPENT);
    if ((left & (IV_CEL_TRUE | IV_CEL_FALSE) & ~decides) != 0) {
        ends |= right;
    }
    if ((left & IV_CEL_FAILURE) != 0) {
        unsigned neither = (IV_CEL_TRUE | IV_CEL_FALSE | IV_CEL_FAILURE) & ~decides;
        ends |= (right & (decides | IV_CEL_SPENT)) | ((right & neither) != 0 ? IV_CEL_FAILURE : 0);
    }
    return ends;
}

static unsigned swap_ends(unsigned ends)
{
    return (ends & ~(IV_CEL_TRUE | IV_CEL_FALSE)) | ((ends & IV_CEL_TRUE) != 0 ? IV_CEL_FALSE : 0) |
           ((ends & IV_CEL_FALSE) != 0 ? IV_CEL_TRUE : 0);
}

unsigned iv_cel_prog_ends(const struct iv_cel_prog *prog, const struct iv_cel_place *place,
                          const struct iv_val *value, const struct iv_val *const *banks)
{
    unsigned char ends[NODES_MAX + 2 * IV_CEL_DEPTH_MAX + 2];
    for (uint32_t i = 0; i < prog->outline_count; i++) {
        const struct iv_cel_outline *o = &prog->outline[i];
        unsigned all = 0;
        switch (o->join) {
        case IV_CEL_JOIN_TEST:
            all = test_ends(o, place, value, banks);
            break;
        case IV_CEL_JOIN_NOT:
            all = swap_ends(ends[o->left]);
            break;
        case IV_CEL_JOIN_AND:
            all = join_ends(ends[o->left], ends[o->right], IV_CEL_FALSE);
            break;
        case IV_CEL_JOIN_OR:
            all = join_ends(ends[o->left], ends[o->right], IV_CEL_TRUE);
            break;
        }
        ends[i] = (unsigned char)all;
    }
    return ends[prog->outline_count - 1];
}

void iv_cel_prog_pivots(const struct iv_cel_prog *prog, const struct iv_val *const *banks,
                        void (*visit)(void *ctx, const struct iv_cel_place *place,
                                      const struct iv_val *pivot),
                        void *ctx)
{
    static const struct iv_val bools[] = {{.kind = IV_KIND_BOOL, .b = false},
                                          {.kind = IV_KIND_BOOL, .b = true}};
    for (uint32_t i = 0; i < prog->outline_count; i++) {
        const struct iv_cel_outline *o = &prog->outline[i];
        if (o->test == IV_CEL_TEST_NONE) {
            continue;
        }
        visit(ctx, &o->place, NULL);
        if (o->test == IV_CEL_TEST_TRUE) {
            visit(ctx, &o->place, &bools[0]);
            visit(ctx, &o->place, &bools[1]);
        }
        bool compares = o->test != IV_CEL_TEST_TRUE && o->test != IV_CEL_TEST_HAS;
        const struct iv_val *constant = compares ? constant_of(o, banks) : NULL;
        bool range = o->test == IV_CEL_TEST_IN;
        uint32_t step = constant != NULL && constant->kind == IV_KIND_MAP ? 2 : 1;
        for (uint32_t k = 0; constant != NULL && k < (range ? constant->n : 1); k++) {
            visit(ctx, &o->place, range ? &constant->items[(size_t)k * step] : constant);
        }
    }
}
