/* SPDX-License-Identifier: Apache-2.0 */
#include "cel/unify.h"
#include "base/guard.h"

/* A hole's former binding, so that a refused assignment leaves no trace. */
struct iv_cel_binding {
    struct iv_cel_binding *next;
    struct iv_cel_hole *hole;
    const struct iv_cel_type *before;
};

static struct iv_cel_hole *as_hole(const struct iv_cel_type *type)
{
    struct iv_cel_hole *hole = NULL;
    memcpy(&hole, &type, sizeof hole); /* every PARAM that reaches the unifier is ours to bind */
    return hole;
}

const struct iv_cel_type *iv_cel_hole_new(struct iv_cel_unifier *u)
{
    struct iv_cel_hole *hole = iv_arena_zalloc(u->c->arena, sizeof *hole);
    if (hole == NULL) {
        u->c->out_of_memory = true;
        return &iv_cel_dyn;
    }
    hole->type.kind = IV_CEL_PARAM;
    return &hole->type;
}

const struct iv_cel_type *iv_cel_type_make(struct iv_cel_unifier *u, enum iv_cel_tkind kind,
                                           const struct iv_cel_type *a, const struct iv_cel_type *b)
{
    struct iv_cel_type *type = iv_arena_zalloc(u->c->arena, sizeof *type);
    if (type == NULL) {
        u->c->out_of_memory = true;
        return &iv_cel_dyn;
    }
    type->kind = kind;
    type->args[0] = a;
    type->args[1] = b;
    return type;
}

const struct iv_cel_type *iv_cel_type_deref(const struct iv_cel_type *type)
{
    while (type->kind == IV_CEL_PARAM && as_hole(type)->bound != NULL) {
        type = as_hole(type)->bound;
    }
    return type;
}

/* The type with its arguments passed through fn; the same pointer where it has none. */
static const struct iv_cel_type *
rebuild(struct iv_cel_unifier *u, const struct iv_cel_type *type,
        const struct iv_cel_type *(*fn)(struct iv_cel_unifier *u, const struct iv_cel_type *arg, void *ctx),
        void *ctx)
{
    if (type->args[0] == NULL) {
        return type;
    }
    struct iv_cel_type *copy = iv_arena_alloc(u->c->arena, sizeof *copy);
    if (copy == NULL) {
        u->c->out_of_memory = true;
        return &iv_cel_dyn;
    }
    *copy = *type;
    for (size_t i = 0; i < IV_COUNT(copy->args) && copy->args[i] != NULL; i++) {
        copy->args[i] = fn(u, type->args[i], ctx);
    }
    return copy;
}

static const struct iv_cel_type *settle(struct iv_cel_unifier *u, const struct iv_cel_type *type, void *ctx)
{
    type = iv_cel_type_deref(type);
    return type->kind == IV_CEL_PARAM ? &iv_cel_dyn : rebuild(u, type, settle, ctx);
}

const struct iv_cel_type *iv_cel_type_settle(struct iv_cel_unifier *u, const struct iv_cel_type *type)
{
    return settle(u, type, NULL);
}

static void bind(struct iv_cel_unifier *u, const struct iv_cel_type *hole, const struct iv_cel_type *type)
{
    struct iv_cel_binding *b = iv_arena_alloc(u->c->arena, sizeof *b);
    if (b == NULL) {
        u->c->out_of_memory = true;
        return;
    }
    *b = (struct iv_cel_binding){u->trail, as_hole(hole), as_hole(hole)->bound};
    u->trail = b;
    as_hole(hole)->bound = type;
}

static void undo(struct iv_cel_unifier *u, struct iv_cel_binding *until)
{
    for (; u->trail != until; u->trail = u->trail->next) {
        u->trail->hole->bound = u->trail->before;
    }
}

/* True if the hole stands somewhere inside of the type: binding it to that would make a
 * type without an end. */
static bool occurs(const struct iv_cel_type *hole, const struct iv_cel_type *in)
{
    if (in == hole) {
        return true;
    }
    if (in->kind == IV_CEL_PARAM) {
        return as_hole(in)->bound != NULL && occurs(hole, as_hole(in)->bound);
    }
    for (size_t i = 0; i < IV_COUNT(in->args) && in->args[i] != NULL; i++) {
        if (occurs(hole, in->args[i])) {
            return true;
        }
    }
    return false;
}

static bool assign(struct iv_cel_unifier *u, const struct iv_cel_type *from, const struct iv_cel_type *to);

enum fit { FIT, FIT_NOT, FIT_NOT_BOUND };

/* Tries to let the hole stand for the type; where it stands for something already, for the more general of
 * the two. */
static enum fit fit_hole(struct iv_cel_unifier *u, const struct iv_cel_type *type,
                         const struct iv_cel_type *hole)
{
    if (type == hole) {
        return FIT;
    }
    const struct iv_cel_type *bound = as_hole(hole)->bound;
    if (bound == NULL) {
        if (occurs(hole, type)) {
            return FIT_NOT;
        }
        bind(u, hole, type);
        return FIT;
    }
    if (!assign(u, type, bound)) {
        return FIT_NOT_BOUND;
    }
    const struct iv_cel_type *wider = iv_cel_most_general(type, bound);
    if (wider != bound && !occurs(hole, wider)) {
        bind(u, hole, wider);
    }
    return FIT;
}

static bool takes_null(const struct iv_cel_type *type)
{
    switch (type->kind) {
    case IV_CEL_NULL:
    case IV_CEL_TIMESTAMP:
    case IV_CEL_DURATION:
    case IV_CEL_OBJECT:
    case IV_CEL_OPTIONAL:
    case IV_CEL_OPAQUE:
        return true;
    default:
        return false;
    }
}

static bool same_head(const struct iv_cel_type *a, const struct iv_cel_type *b)
{
    if (a->kind != b->kind || a->schema != b->schema) {
        return false;
    }
    return a->kind != IV_CEL_OPAQUE || strcmp(a->name, b->name) == 0;
}

static bool assign_args(struct iv_cel_unifier *u, const struct iv_cel_type *from,
                        const struct iv_cel_type *to)
{
    for (size_t i = 0; i < IV_COUNT(from->args) && from->args[i] != NULL && to->args[i] != NULL; i++) {
        if (!assign(u, from->args[i], to->args[i])) {
            return false;
        }
    }
    return true;
}

static bool assign(struct iv_cel_unifier *u, const struct iv_cel_type *from, const struct iv_cel_type *to)
{
    if (to->kind == IV_CEL_PARAM) {
        enum fit fit = fit_hole(u, from, to);
        if (fit != FIT_NOT) {
            return fit == FIT;
        }
    }
    if (from->kind == IV_CEL_PARAM) {
        return fit_hole(u, to, from) == FIT;
    }
    if (from->kind == IV_CEL_DYN || to->kind == IV_CEL_DYN || from->kind == IV_CEL_ERROR ||
        to->kind == IV_CEL_ERROR) {
        return true;
    }
    if (from->kind == IV_CEL_NULL || to->kind == IV_CEL_NULL) {
        return takes_null(from->kind == IV_CEL_NULL ? to : from);
    }
    if (from->kind == IV_CEL_TYPE && to->kind == IV_CEL_TYPE) {
        return true;
    }
    return same_head(from, to) && assign_args(u, from, to);
}

bool iv_cel_assignable(struct iv_cel_unifier *u, const struct iv_cel_type *from, const struct iv_cel_type *to)
{
    return iv_cel_assignable_all(u, &from, &to, 1);
}

bool iv_cel_assignable_all(struct iv_cel_unifier *u, const struct iv_cel_type *const *from,
                           const struct iv_cel_type *const *to, uint32_t count)
{
    struct iv_cel_binding *before = u->trail;
    for (uint32_t i = 0; i < count; i++) {
        if (!assign(u, from[i], to[i])) {
            undo(u, before);
            return false;
        }
    }
    return true;
}

bool iv_cel_type_same(const struct iv_cel_type *a, const struct iv_cel_type *b)
{
    a = iv_cel_type_deref(a);
    b = iv_cel_type_deref(b);
    if (a == b) {
        return true;
    }
    if (a->kind == IV_CEL_PARAM || !same_head(a, b)) {
        return false;
    }
    for (size_t i = 0; i < IV_COUNT(a->args) && a->args[i] != NULL && b->args[i] != NULL; i++) {
        if (!iv_cel_type_same(a->args[i], b->args[i])) {
            return false;
        }
    }
    return true;
}

/* True if a says no more about a value than b does. */
static bool at_most_as_specific(const struct iv_cel_type *a, const struct iv_cel_type *b)
{
    if (a->kind == IV_CEL_DYN || a->kind == IV_CEL_ERROR || a->kind == IV_CEL_PARAM) {
        return true;
    }
    if (b->kind == IV_CEL_DYN || b->kind == IV_CEL_ERROR || b->kind == IV_CEL_PARAM) {
        return false;
    }
    if (b->kind == IV_CEL_NULL) {
        return takes_null(a);
    }
    if (!same_head(a, b)) {
        return false;
    }
    for (size_t i = 0; i < IV_COUNT(a->args) && a->args[i] != NULL && b->args[i] != NULL; i++) {
        if (!at_most_as_specific(a->args[i], b->args[i])) {
            return false;
        }
    }
    return true;
}

const struct iv_cel_type *iv_cel_most_general(const struct iv_cel_type *a, const struct iv_cel_type *b)
{
    return at_most_as_specific(a, b) ? a : b;
}

const struct iv_cel_type *iv_cel_type_join(struct iv_cel_unifier *u, const struct iv_cel_type *a,
                                           const struct iv_cel_type *b)
{
    if (a == NULL) {
        return b;
    }
    return iv_cel_assignable(u, a, b) ? iv_cel_most_general(a, b) : &iv_cel_dyn;
}

/* The names met so far in one overload, and their holes. */
struct fresh {
    const char *names[6];
    const struct iv_cel_type *holes[6];
    size_t count;
};

static const struct iv_cel_type *freshen(struct iv_cel_unifier *u, const struct iv_cel_type *type, void *ctx)
{
    struct fresh *f = ctx;
    if (type->kind != IV_CEL_PARAM) {
        return rebuild(u, type, freshen, ctx);
    }
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->names[i], type->name) == 0) {
            return f->holes[i];
        }
    }
    if (f->count == IV_COUNT(f->names)) {
        return &iv_cel_dyn;
    }
    f->names[f->count] = type->name;
    f->holes[f->count] = iv_cel_hole_new(u);
    return f->holes[f->count++];
}

void iv_cel_instantiate(struct iv_cel_unifier *u, struct iv_cel_signature *out,
                        const struct iv_cel_overload *overload)
{
    struct fresh f = {.count = 0};
    for (size_t i = 0; i < overload->arg_count; i++) {
        out->args[i] = freshen(u, overload->args[i], &f);
    }
    out->result = freshen(u, overload->result, &f);
}
