/* SPDX-License-Identifier: Apache-2.0 */
/* Says what each name means, before types are looked at, so that checked and unchecked programs agree.
 * Source: CEL language definition, "Name Resolution": the longest prefix of a qualified name that is declared
 * wins, tried in the container first; variables of macros hide all of it, a leading dot hides them. */
#include "base/guard.h"
#include "cel/ast.h"
#include "cel/env.h"

#define NAME_MAX_BYTES 512

struct scope {
    const struct scope *up;
    struct iv_str name;
    struct iv_cel_node *owner;
    bool second;
};

struct resolver {
    struct iv_cel_compilation *c;
    size_t failures;
};

static void resolve(struct resolver *r, struct iv_cel_node *node, const struct scope *scope);

static const struct scope *find_local(const struct scope *scope, const struct iv_cel_node *ident)
{
    for (; scope != NULL && !ident->absolute; scope = scope->up) {
        if (iv_str_eq(scope->name, ident->name)) {
            return scope;
        }
    }
    return NULL;
}

/* The identifier at the root of a.b.c, NULL where it is not that simple. */
static struct iv_cel_node *chain_root(struct iv_cel_node *node)
{
    while (node->kind == IV_CEL_NODE_SELECT && !node->optional && !node->quoted && !node->parenthesised) {
        node = node->target;
    }
    return node->kind == IV_CEL_NODE_IDENT && !node->parenthesised ? node : NULL;
}

struct name {
    char p[NAME_MAX_BYTES];
    size_t n;
    bool too_long;
};

static void name_add(struct name *name, struct iv_str part)
{
    size_t dot = name->n > 0 ? 1 : 0;
    if (part.n + dot > sizeof name->p - name->n) {
        name->too_long = true;
        return;
    }
    if (dot != 0) {
        name->p[name->n++] = '.';
    }
    memcpy(name->p + name->n, part.p, part.n);
    name->n += part.n;
}

static void chain_name(struct name *name, const struct iv_cel_node *node)
{
    if (node->kind == IV_CEL_NODE_SELECT) {
        chain_name(name, node->target);
    }
    name_add(name, node->name);
}

/* Calls visit with the name in the container, in the container's parents, and as it stands, until it answers
 * true. */
static bool each_candidate(const struct resolver *r, struct iv_str name, bool absolute,
                           bool (*visit)(void *ctx, struct iv_str qualified), void *ctx)
{
    struct iv_str container = absolute ? IV_STR("") : iv_cel_env_get_container(r->c->env);
    while (container.n > 0) {
        struct name full = {.n = 0};
        name_add(&full, container);
        name_add(&full, name);
        if (!full.too_long && visit(ctx, (struct iv_str){full.p, full.n})) {
            return true;
        }
        do {
            container.n--;
        } while (container.n > 0 && container.p[container.n] != '.');
    }
    return visit(ctx, name);
}

struct meaning {
    const struct iv_cel_env *env;
    const struct iv_cel_var *var;
    const struct iv_cel_type *type;
    struct iv_str type_name;
    struct iv_arena *arena;
};

static bool is_declared(void *ctx, struct iv_str name)
{
    struct meaning *m = ctx;
    m->var = iv_cel_env_find_var(m->env, name);
    m->type = m->var == NULL ? iv_cel_type_named(name) : NULL;
    if (m->type != NULL) {
        m->type_name = iv_arena_str(m->arena, name);
    }
    return m->var != NULL || m->type != NULL;
}

/* Turns the node into a reference if the whole of its name is declared. */
static bool refer(struct resolver *r, struct iv_cel_node *node, const struct iv_cel_node *root)
{
    struct name name = {.n = 0};
    chain_name(&name, node);
    struct meaning m = {.env = r->c->env, .arena = r->c->arena};
    if (name.too_long ||
        !each_candidate(r, (struct iv_str){name.p, name.n}, root->absolute, is_declared, &m)) {
        return false;
    }
    if (m.type != NULL && m.type_name.p == NULL) {
        r->c->out_of_memory = true;
        return true;
    }
    uint32_t end = node->offset + node->length;
    node->kind = IV_CEL_NODE_IDENT;
    node->offset = root->offset;
    node->length = end - root->offset;
    node->target = NULL;
    node->ref = m.var != NULL ? IV_CEL_REF_VAR : IV_CEL_REF_TYPE;
    node->var = m.var;
    node->type = m.type;
    node->value = (struct iv_val){.kind = IV_KIND_TYPE, .n = (uint32_t)m.type_name.n, .s = m.type_name.p};
    return true;
}

static void report_undeclared(struct resolver *r, const struct iv_cel_node *chain,
                              const struct iv_cel_node *root)
{
    r->failures++;
    struct name name = {.n = 0};
    chain_name(&name, chain);
    struct iv_str full = {name.p, name.n};
    struct iv_str near = iv_cel_env_nearest_var(r->c->env, full);
    uint32_t length = chain->offset + chain->length - root->offset;
    if (near.p == NULL) {
        full = root->name;
        length = root->length;
        near = iv_cel_env_nearest_var(r->c->env, full);
    }
    if (near.p != NULL) {
        iv_cel_report(r->c, root->offset, length,
                      "undeclared reference to '" IV_STR_FMT "'; did you mean '" IV_STR_FMT "'?",
                      IV_STR_ARG(full), IV_STR_ARG(near));
    } else {
        iv_cel_report(r->c, root->offset, length, "undeclared reference to '" IV_STR_FMT "'",
                      IV_STR_ARG(full));
    }
}

static void resolve_chain(struct resolver *r, struct iv_cel_node *node, struct iv_cel_node *root,
                          const struct scope *scope)
{
    const struct scope *local = find_local(scope, root);
    if (local != NULL) {
        root->ref = IV_CEL_REF_LOCAL;
        root->owner = local->owner;
        root->second = local->second;
        return;
    }
    for (struct iv_cel_node *n = node;; n = n->target) {
        if (refer(r, n, root)) {
            return;
        }
        if (n == root) {
            break;
        }
    }
    if (!r->c->no_check) {
        report_undeclared(r, node, root);
    }
}

static bool is_function(void *ctx, struct iv_str name)
{
    struct meaning *m = ctx;
    if (!iv_cel_env_has_function(m->env, name)) {
        return false;
    }
    m->type_name = iv_arena_str(m->arena, name);
    return true;
}

/* a.b.f(x) is a call of the function "a.b.f" if there is one, else of the method f of a.b. */
static void resolve_call(struct resolver *r, struct iv_cel_node *node, const struct scope *scope)
{
    struct iv_cel_node *root = node->target == NULL ? NULL : chain_root(node->target);
    struct meaning m = {.env = r->c->env, .arena = r->c->arena};
    struct name name = {.n = 0};
    bool absolute = node->absolute;
    if (root != NULL && find_local(scope, root) == NULL) {
        chain_name(&name, node->target);
        absolute = root->absolute;
    }
    name_add(&name, node->name);
    bool plain = node->target == NULL;
    if ((plain || root != NULL) && !name.too_long && (plain || name.n > node->name.n) &&
        each_candidate(r, (struct iv_str){name.p, name.n}, absolute, is_function, &m)) {
        node->target = NULL;
        node->name = m.type_name;
        r->c->out_of_memory = r->c->out_of_memory || m.type_name.p == NULL;
    }
    if (node->target != NULL) {
        resolve(r, node->target, scope);
    }
    for (uint32_t i = 0; i < node->count; i++) {
        resolve(r, node->args[i], scope);
    }
}

static void resolve_fold(struct resolver *r, struct iv_cel_node *node, const struct scope *scope)
{
    resolve(r, node->target, scope);
    struct scope second = {scope, node->name2, node, true};
    struct scope first = {node->two_vars ? &second : scope, node->name, node, false};
    for (uint32_t i = 0; i < node->count; i++) {
        resolve(r, node->args[i], &first);
    }
}

static void resolve_select(struct resolver *r, struct iv_cel_node *node, const struct scope *scope)
{
    struct iv_cel_node *root = chain_root(node);
    if (root == NULL) {
        resolve(r, node->target, scope);
        return;
    }
    if (!node->test) {
        resolve_chain(r, node, root, scope);
        return;
    }
    /* has(a.b.c): if the whole is a variable, whether it has a value; else a.b is what is asked. */
    if (find_local(scope, root) != NULL || !refer(r, node, root)) {
        resolve(r, node->target, scope);
    }
}

static void resolve(struct resolver *r, struct iv_cel_node *node, const struct scope *scope)
{
    switch ((enum iv_cel_node_kind)node->kind) {
    case IV_CEL_NODE_LITERAL:
    case IV_CEL_NODE_STRUCT:
        break;
    case IV_CEL_NODE_IDENT:
        resolve_chain(r, node, node, scope);
        break;
    case IV_CEL_NODE_SELECT:
        resolve_select(r, node, scope);
        break;
    case IV_CEL_NODE_CALL:
        resolve_call(r, node, scope);
        break;
    case IV_CEL_NODE_LIST:
    case IV_CEL_NODE_MAP:
        for (uint32_t i = 0; i < node->count; i++) {
            resolve(r, node->args[i], scope);
        }
        break;
    case IV_CEL_NODE_FOLD:
    case IV_CEL_NODE_BIND:
        resolve_fold(r, node, scope);
        break;
    }
}

bool iv_cel_resolve(struct iv_cel_compilation *c, struct iv_cel_node *root)
{
    struct resolver r = {.c = c};
    resolve(&r, root, NULL);
    return r.failures == 0 && !c->out_of_memory;
}
