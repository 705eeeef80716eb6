/* SPDX-License-Identifier: Apache-2.0 */
/* Macros are expanded while parsing, into nodes that know what they are (a fold, a bind) instead of CEL's
 * general comprehension: the checker and the VM then need not find out again. */
#include "base/guard.h"
#include "cel/ast.h"

struct macro {
    struct iv_str name;
    bool member;
    uint32_t least;
    uint32_t most;
    /* NULL where it is used wrongly; the call itself where it is no macro after all. */
    struct iv_cel_node *(*expand)(struct iv_cel_compilation *c, struct iv_cel_node *call,
                                  const struct macro *macro);
    enum iv_cel_fold fold;
};

/* The name that the argument is, if it can be a variable of a macro. */
static bool variable_name(struct iv_str *out, struct iv_cel_compilation *c, const struct iv_cel_node *arg)
{
    if (arg->kind != IV_CEL_NODE_IDENT || arg->absolute) {
        iv_cel_report(c, arg->offset, arg->length, "expected a simple name for the macro's variable");
        return false;
    }
    *out = arg->name;
    return true;
}

static struct iv_cel_node *expand_has(struct iv_cel_compilation *c, struct iv_cel_node *call,
                                      const struct macro *macro)
{
    (void)macro;
    struct iv_cel_node *arg = call->args[0];
    if (arg->kind != IV_CEL_NODE_SELECT || arg->test || arg->optional) {
        iv_cel_report(c, arg->offset, arg->length, "has() asks for a field: has(a.b)");
        return NULL;
    }
    arg->test = true;
    return arg;
}

/* variables: 1 or 2 leading arguments; then a filter if there are two more, then the body. */
static struct iv_cel_node *make_fold(struct iv_cel_compilation *c, struct iv_cel_node *call,
                                     enum iv_cel_fold fold, uint32_t variables)
{
    uint32_t bodies = call->count - variables;
    struct iv_cel_node *node = iv_cel_node_new(c, IV_CEL_NODE_FOLD, call->offset, call->length, bodies);
    if (node == NULL || !variable_name(&node->name, c, call->args[0])) {
        return NULL;
    }
    if (variables == 2) {
        if (!variable_name(&node->name2, c, call->args[1])) {
            return NULL;
        }
        if (iv_str_eq(node->name, node->name2)) {
            iv_cel_report(c, call->args[1]->offset, call->args[1]->length,
                          "the macro's two variables need two names");
            return NULL;
        }
        node->two_vars = true;
    }
    node->fold = (uint8_t)fold;
    node->target = call->target;
    node->args[0] = call->args[call->count - 1];
    if (bodies == 2) {
        node->args[1] = call->args[call->count - 2];
    }
    return iv_cel_node_close(c, node);
}

static struct iv_cel_node *expand_fold(struct iv_cel_compilation *c, struct iv_cel_node *call,
                                       const struct macro *macro)
{
    return make_fold(c, call, macro->fold, call->count - 1);
}

static struct iv_cel_node *expand_map(struct iv_cel_compilation *c, struct iv_cel_node *call,
                                      const struct macro *macro)
{
    return make_fold(c, call, macro->fold, 1);
}

static struct iv_cel_node *expand_transform(struct iv_cel_compilation *c, struct iv_cel_node *call,
                                            const struct macro *macro)
{
    return make_fold(c, call, macro->fold, 2);
}

static struct iv_cel_node *make_bind(struct iv_cel_compilation *c, const struct iv_cel_node *call,
                                     struct iv_str name, struct iv_cel_node *value, struct iv_cel_node *body)
{
    struct iv_cel_node *node = iv_cel_node_new(c, IV_CEL_NODE_BIND, call->offset, call->length, 1);
    if (node == NULL || value == NULL || body == NULL) {
        return NULL;
    }
    node->name = name;
    node->target = value;
    node->args[0] = body;
    return iv_cel_node_close(c, node);
}

static bool is_namespace(const struct iv_cel_node *target, const char *name)
{
    return target->kind == IV_CEL_NODE_IDENT && iv_str_eq(target->name, iv_str_of(name));
}

/* cel.bind(name, value, body) */
static struct iv_cel_node *expand_bind(struct iv_cel_compilation *c, struct iv_cel_node *call,
                                       const struct macro *macro)
{
    (void)macro;
    struct iv_str name;
    if (!is_namespace(call->target, "cel")) {
        return call;
    }
    return variable_name(&name, c, call->args[0]) ? make_bind(c, call, name, call->args[1], call->args[2])
                                                  : NULL;
}

static struct iv_cel_node *make_call(struct iv_cel_compilation *c, const struct iv_cel_node *at,
                                     struct iv_str name, struct iv_cel_node *target, struct iv_cel_node *arg)
{
    struct iv_cel_node *node =
        iv_cel_node_new(c, IV_CEL_NODE_CALL, at->offset, at->length, arg == NULL ? 0 : 1);
    if (node == NULL) {
        return NULL;
    }
    node->name = name;
    node->target = target;
    if (arg != NULL) {
        node->args[0] = arg;
    }
    return iv_cel_node_close(c, node);
}

static struct iv_cel_node *make_ident(struct iv_cel_compilation *c, const struct iv_cel_node *at,
                                      struct iv_str name)
{
    struct iv_cel_node *node = iv_cel_node_new(c, IV_CEL_NODE_IDENT, at->offset, at->length, 0);
    if (node != NULL) {
        node->name = name;
    }
    return node;
}

/* target.optMap(x, body) is: with @opt = target, @opt.hasValue() ? optional.of(with x = @opt.value(), body)
 * : optional.none(). optFlatMap has no optional.of. No source text can spell the name @opt. */
static struct iv_cel_node *expand_opt_map(struct iv_cel_compilation *c, struct iv_cel_node *call,
                                          const struct macro *macro)
{
    static const struct iv_str held = IV_STR_INIT("@opt");
    struct iv_str name;
    if (!variable_name(&name, c, call->args[0])) {
        return NULL;
    }
    struct iv_cel_node *tested = make_ident(c, call, held);
    struct iv_cel_node *opened = make_ident(c, call, held);
    struct iv_cel_node *choice = iv_cel_node_new(c, IV_CEL_NODE_CALL, call->offset, call->length, 3);
    if (tested == NULL || opened == NULL || choice == NULL) {
        return NULL;
    }
    struct iv_cel_node *value = make_call(c, call, IV_STR("value"), opened, NULL);
    struct iv_cel_node *body = make_bind(c, call, name, value, call->args[1]);
    if (body != NULL && macro->fold == IV_CEL_FOLD_ALL) {
        body = make_call(c, call, IV_STR("optional.of"), NULL, body);
    }
    choice->name = IV_STR("_?_:_");
    choice->args[0] = make_call(c, call, IV_STR("hasValue"), tested, NULL);
    choice->args[1] = body;
    choice->args[2] = make_call(c, call, IV_STR("optional.none"), NULL, NULL);
    if (choice->args[0] == NULL || body == NULL || choice->args[2] == NULL ||
        iv_cel_node_close(c, choice) == NULL) {
        return NULL;
    }
    return make_bind(c, call, held, call->target, choice);
}

/* math.greatest(a, b, …): of one or two arguments a function, of more that of their list. */
static struct iv_cel_node *expand_math(struct iv_cel_compilation *c, struct iv_cel_node *call,
                                       const struct macro *macro)
{
    if (!is_namespace(call->target, "math")) {
        return call;
    }
    struct iv_str name = macro->fold == IV_CEL_FOLD_ALL ? IV_STR("math.@max") : IV_STR("math.@min");
    if (call->count <= 2) {
        call->target = NULL;
        call->name = name;
        return call;
    }
    struct iv_cel_node *list = iv_cel_node_new(c, IV_CEL_NODE_LIST, call->offset, call->length, call->count);
    if (list == NULL) {
        return NULL;
    }
    memcpy(list->args, call->args, call->count * sizeof *call->args);
    return iv_cel_node_close(c, list) == NULL ? NULL : make_call(c, call, name, NULL, list);
}

static const struct macro macros[] = {
#define MACRO(name, member, least, most, expand, fold)                                                       \
    {IV_STR_INIT(name), member, least, most, expand, IV_CEL_FOLD_##fold},
#include "cel/macros.def"
#undef MACRO
};

struct iv_cel_node *iv_cel_macro_expand(struct iv_cel_compilation *c, struct iv_cel_node *call)
{
    for (size_t i = 0; i < IV_COUNT(macros); i++) {
        const struct macro *m = &macros[i];
        if (m->member == (call->target != NULL) && call->count >= m->least && call->count <= m->most &&
            iv_str_eq(m->name, call->name)) {
            return m->expand(c, call, m);
        }
    }
    return call;
}
