/* SPDX-License-Identifier: Apache-2.0 */
/* The type checker. Every node gets a type; every call the overloads that may serve it; all errors are
 * reported, and an expression that has one is of type error, which goes with everything. */
#include "base/buf.h"
#include "base/guard.h"
#include "cel/env.h"
#include "cel/regex.h"
#include "cel/unify.h"

#define FIELDS_NEAR_MAX 256

struct checker {
    struct iv_cel_compilation *c;
    struct iv_cel_unifier u;
    size_t failures;
};

static const struct iv_cel_type error_type = {.kind = IV_CEL_ERROR};

static const struct iv_cel_type *check(struct checker *k, struct iv_cel_node *node);

static struct iv_str type_text(struct checker *k, const struct iv_cel_type *type)
{
    struct iv_buf buf;
    iv_buf_init(&buf, 256);
    iv_cel_type_format(&buf, iv_cel_type_settle(&k->u, type));
    struct iv_str text = iv_arena_str(k->c->arena, iv_buf_slice(&buf));
    iv_buf_deinit(&buf);
    return text;
}

static const struct iv_cel_type *literal_type(const struct iv_val *v)
{
    switch ((enum iv_kind)v->kind) {
    case IV_KIND_BOOL:
        return &iv_cel_bool;
    case IV_KIND_INT:
        return &iv_cel_int;
    case IV_KIND_UINT:
        return &iv_cel_uint;
    case IV_KIND_DOUBLE:
        return &iv_cel_double;
    case IV_KIND_STRING:
        return &iv_cel_string;
    case IV_KIND_BYTES:
        return &iv_cel_bytes;
    default:
        return &iv_cel_null;
    }
}

static const struct iv_cel_type *check_ident(struct checker *k, const struct iv_cel_node *node)
{
    switch ((enum iv_cel_ref)node->ref) {
    case IV_CEL_REF_LOCAL:
        return node->owner->var_types[node->second];
    case IV_CEL_REF_VAR:
        return node->test ? &iv_cel_bool : node->var->type;
    case IV_CEL_REF_TYPE:
        return node->test ? &iv_cel_bool : iv_cel_type_make(&k->u, IV_CEL_TYPE, node->type, NULL);
    case IV_CEL_REF_NONE:
        break;
    }
    return &error_type;
}

static const struct iv_cel_type *no_such_field(struct checker *k, const struct iv_cel_node *node,
                                               const struct iv_cel_schema *schema)
{
    struct iv_str names[FIELDS_NEAR_MAX];
    size_t count = schema->field_count < FIELDS_NEAR_MAX ? schema->field_count : FIELDS_NEAR_MAX;
    for (size_t i = 0; i < count; i++) {
        names[i] = schema->fields[i].name;
    }
    struct iv_str near = iv_str_nearest(node->name, names, count);
    k->failures++;
    if (near.p == NULL) {
        iv_cel_report(k->c, node->offset, node->length, "undeclared field '" IV_STR_FMT "' of " IV_STR_FMT,
                      IV_STR_ARG(node->name), IV_STR_ARG(schema->name));
    } else {
        iv_cel_report(k->c, node->offset, node->length,
                      "undeclared field '" IV_STR_FMT "' of " IV_STR_FMT "; did you mean '" IV_STR_FMT "'?",
                      IV_STR_ARG(node->name), IV_STR_ARG(schema->name), IV_STR_ARG(near));
    }
    return &error_type;
}

const struct iv_cel_field *iv_cel_schema_find(const struct iv_cel_schema *schema, struct iv_str name)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (iv_str_eq(schema->fields[i].name, name)) {
            return &schema->fields[i];
        }
    }
    return NULL;
}

static const struct iv_cel_type *field_type(struct checker *k, const struct iv_cel_node *node,
                                            const struct iv_cel_type *of)
{
    const struct iv_cel_field *field = NULL;
    switch (of->kind) {
    case IV_CEL_DYN:
    case IV_CEL_PARAM:
        return &iv_cel_dyn;
    case IV_CEL_ERROR:
        return &error_type;
    case IV_CEL_MAP:
        return iv_cel_type_deref(of->args[1]);
    case IV_CEL_OBJECT:
        field = iv_cel_schema_find(of->schema, node->name);
        return field == NULL ? no_such_field(k, node, of->schema) : field->type;
    default:
        break;
    }
    struct iv_str text = type_text(k, of);
    k->failures++;
    iv_cel_report(k->c, node->offset, node->length, "a value of type " IV_STR_FMT " has no fields",
                  IV_STR_ARG(text));
    return &error_type;
}

static const struct iv_cel_type *check_select(struct checker *k, struct iv_cel_node *node)
{
    const struct iv_cel_type *of = iv_cel_type_deref(check(k, node->target));
    bool in_optional = of->kind == IV_CEL_OPTIONAL;
    const struct iv_cel_type *field = field_type(k, node, in_optional ? iv_cel_type_deref(of->args[0]) : of);
    if (node->test) {
        return &iv_cel_bool;
    }
    return in_optional || node->optional ? iv_cel_type_make(&k->u, IV_CEL_OPTIONAL, field, NULL) : field;
}

/* The function's name as people write it. */
static struct iv_str shown_name(struct iv_str name)
{
    static const struct {
        const char *name;
        const char *shown;
    } special[] = {{"@in", "in"},
                   {"_[_]", "[]"},
                   {"_[?_]", "[?]"},
                   {"_?_:_", "? :"},
                   {"math.@max", "math.greatest"},
                   {"math.@min", "math.least"}};
    for (size_t i = 0; i < IV_COUNT(special); i++) {
        if (iv_str_eq(name, iv_str_of(special[i].name))) {
            return iv_str_of(special[i].shown);
        }
    }
    while (name.n > 1 && name.p[0] == '_') {
        name = (struct iv_str){name.p + 1, name.n - 1};
    }
    while (name.n > 1 && name.p[name.n - 1] == '_') {
        name.n--;
    }
    return name;
}

static void report_no_function(struct checker *k, const struct iv_cel_node *node)
{
    struct iv_str near = iv_cel_env_nearest_function(k->c->env, node->name);
    if (near.p == NULL) {
        iv_cel_report(k->c, node->offset, node->length, "there is no function '" IV_STR_FMT "'",
                      IV_STR_ARG(node->name));
    } else {
        iv_cel_report(k->c, node->offset, node->length,
                      "there is no function '" IV_STR_FMT "'; did you mean '" IV_STR_FMT "'?",
                      IV_STR_ARG(node->name), IV_STR_ARG(near));
    }
}

#define SHOWN_OVERLOADS 4

static void write_overload(struct iv_buf *out, const struct iv_cel_overload *o)
{
    if (o->member) {
        iv_cel_type_format(out, o->args[0]);
        iv_buf_char(out, '.');
    }
    iv_buf_str(out, shown_name(o->function));
    iv_buf_char(out, '(');
    for (uint8_t i = o->member ? 1 : 0; i < o->arg_count; i++) {
        iv_buf_text(out, i > (o->member ? 1 : 0) ? ", " : "");
        iv_cel_type_format(out, o->args[i]);
    }
    iv_buf_char(out, ')');
}

static bool is_time(const struct iv_cel_type *type)
{
    enum iv_cel_tkind kind = iv_cel_type_deref(type)->kind;
    return kind == IV_CEL_DURATION || kind == IV_CEL_TIMESTAMP;
}

/* What would have done: a function's few overloads; times, where a time met something else. */
static void write_expected(struct iv_buf *out, struct checker *k, const struct iv_cel_node *node,
                           const struct iv_cel_type *const *types, uint32_t count)
{
    bool is_operator = node->name.n > 0 && (node->name.p[0] == '_' || node->name.p[0] == '@' ||
                                            node->name.p[node->name.n - 1] == '_');
    if (is_operator && count == 2 && is_time(types[0]) != is_time(types[1])) {
        iv_buf_text(out, "; a length of time is duration(\"5m\"), a time is "
                         "timestamp(\"2026-01-01T00:00:00Z\")");
    }
    struct iv_cel_overload_walk walk = {k->c->env, 0};
    uint32_t shown = 0;
    size_t before = out->n;
    for (const struct iv_cel_overload *o = NULL;
         !is_operator && (o = iv_cel_overload_next(&walk, node->name)) != NULL;) {
        iv_buf_text(out, shown == 0 ? "; there is " : ", ");
        write_overload(out, o);
        if (++shown > SHOWN_OVERLOADS) {
            out->n = before; /* too many to be of help */
            return;
        }
    }
}

static void report_no_overload(struct checker *k, const struct iv_cel_node *node,
                               const struct iv_cel_type *const *types, uint32_t count)
{
    struct iv_buf buf;
    struct iv_buf expected;
    iv_buf_init(&buf, 200);
    iv_buf_init(&expected, 200);
    write_expected(&expected, k, node, types, count);
    for (uint32_t i = node->target == NULL ? 0 : 1; i < count; i++) {
        struct iv_str text = type_text(k, types[i]);
        iv_buf_text(&buf, buf.n == 0 ? "" : ", ");
        iv_buf_str(&buf, text);
    }
    struct iv_str name = shown_name(node->name);
    struct iv_str args = iv_buf_slice(&buf);
    if (node->target == NULL) {
        iv_cel_report(k->c, node->offset, node->length,
                      "'" IV_STR_FMT "' does not go with (" IV_STR_FMT ")" IV_STR_FMT, IV_STR_ARG(name),
                      IV_STR_ARG(args), IV_STR_ARG(iv_buf_slice(&expected)));
    } else {
        struct iv_str of = type_text(k, types[0]);
        iv_cel_report(k->c, node->offset, node->length,
                      "'" IV_STR_FMT "' of " IV_STR_FMT " does not go with (" IV_STR_FMT ")" IV_STR_FMT,
                      IV_STR_ARG(name), IV_STR_ARG(of), IV_STR_ARG(args),
                      IV_STR_ARG(iv_buf_slice(&expected)));
    }
    iv_buf_deinit(&expected);
    iv_buf_deinit(&buf);
}

/* All overloads whose name, style and number of arguments fit; their count. */
static uint32_t overloads_of(struct iv_cel_compilation *c, const struct iv_cel_node *node,
                             const struct iv_cel_overload ***out, bool *named)
{
    uint32_t arg_count = node->count + (node->target != NULL ? 1 : 0);
    const struct iv_cel_overload **list = NULL;
    uint32_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        struct iv_cel_overload_walk walk = {c->env, 0};
        uint32_t n = 0;
        for (const struct iv_cel_overload *o; (o = iv_cel_overload_next(&walk, node->name)) != NULL;) {
            *named = true;
            if (o->member == (node->target != NULL) && o->arg_count == arg_count) {
                if (list != NULL) {
                    list[n] = o;
                }
                n++;
            }
        }
        count = n;
        if (list == NULL) {
            list = iv_arena_alloc(c->arena, (n + 1) * sizeof *list);
            if (list == NULL) {
                c->out_of_memory = true;
                return 0;
            }
        }
    }
    *out = list;
    return count;
}

/* Keeps of the candidates those that the arguments can be assigned to; answers the result's type, NULL if
 * none. */
static const struct iv_cel_type *choose(struct checker *k, struct iv_cel_node *node,
                                        const struct iv_cel_type *const *types)
{
    const struct iv_cel_type *result = NULL;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->candidate_count; i++) {
        const struct iv_cel_overload *o = node->candidates[i];
        struct iv_cel_signature s;
        iv_cel_instantiate(&k->u, &s, o);
        if (!iv_cel_assignable_all(&k->u, types, s.args, o->arg_count)) {
            continue;
        }
        node->candidates[kept++] = o;
        if (result == NULL) {
            result = s.result;
        } else if (result->kind != IV_CEL_DYN && !iv_cel_type_same(result, s.result)) {
            result = &iv_cel_dyn;
        }
    }
    node->candidate_count = kept;
    return result;
}

/* A pattern that stands in the source is looked at now, not when the first event comes. */
static void check_pattern(struct checker *k, const struct iv_cel_node *node)
{
    struct iv_str pattern = iv_cel_literal_pattern(node);
    struct iv_regex *regex = NULL;
    struct iv_err why = {.text = ""};
    if (pattern.p != NULL && !iv_ok(iv_regex_compile(&regex, pattern, k->c->arena, &why))) {
        const struct iv_cel_node *at = node->args[node->count - 1];
        k->failures++;
        iv_cel_report(k->c, at->offset, at->length, "%s", why.text);
    }
}

static const struct iv_cel_type *check_call(struct checker *k, struct iv_cel_node *node)
{
    uint32_t count = node->count + (node->target != NULL ? 1 : 0);
    const struct iv_cel_type **types = iv_arena_alloc(k->c->arena, (count + 1) * sizeof *types);
    if (types == NULL) {
        k->c->out_of_memory = true;
        return &error_type;
    }
    uint32_t n = 0;
    bool wrong = false;
    if (node->target != NULL) {
        types[n++] = check(k, node->target);
    }
    for (uint32_t i = 0; i < node->count; i++) {
        types[n++] = check(k, node->args[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        wrong = wrong || types[i]->kind == IV_CEL_ERROR;
    }
    bool named = false;
    node->candidate_count = overloads_of(k->c, node, &node->candidates, &named);
    if (k->c->no_check) {
        return &iv_cel_dyn;
    }
    if (!named) {
        k->failures++;
        report_no_function(k, node);
        return &error_type;
    }
    const struct iv_cel_type *result = choose(k, node, types);
    if (result == NULL && !wrong) {
        k->failures++;
        report_no_overload(k, node, types, count);
    }
    check_pattern(k, node);
    return result == NULL ? &error_type : result;
}

/* The type inside of an element marked "?". */
static const struct iv_cel_type *unwrap(struct checker *k, const struct iv_cel_node *node,
                                        const struct iv_cel_type *type)
{
    const struct iv_cel_type *t = iv_cel_type_deref(type);
    if (t->kind == IV_CEL_OPTIONAL) {
        return t->args[0];
    }
    if (t->kind != IV_CEL_DYN && t->kind != IV_CEL_ERROR && t->kind != IV_CEL_PARAM) {
        struct iv_str text = type_text(k, t);
        k->failures++;
        iv_cel_report(k->c, node->offset, node->length, "behind '?' stands an optional, not " IV_STR_FMT,
                      IV_STR_ARG(text));
    }
    return &iv_cel_dyn;
}

static const struct iv_cel_type *check_list(struct checker *k, struct iv_cel_node *node)
{
    const struct iv_cel_type *item = NULL;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct iv_cel_type *type = check(k, node->args[i]);
        if (node->optionals != NULL && node->optionals[i]) {
            type = unwrap(k, node->args[i], type);
        }
        item = iv_cel_type_join(&k->u, item, type);
    }
    return iv_cel_type_make(&k->u, IV_CEL_LIST, item == NULL ? iv_cel_hole_new(&k->u) : item, NULL);
}

static const struct iv_cel_type *check_map(struct checker *k, struct iv_cel_node *node)
{
    const struct iv_cel_type *key = NULL;
    const struct iv_cel_type *value = NULL;
    for (uint32_t i = 0; i + 1 < node->count; i += 2) {
        key = iv_cel_type_join(&k->u, key, check(k, node->args[i]));
        const struct iv_cel_type *type = check(k, node->args[i + 1]);
        if (node->optionals != NULL && node->optionals[i]) {
            type = unwrap(k, node->args[i + 1], type);
        }
        value = iv_cel_type_join(&k->u, value, type);
    }
    key = key == NULL ? iv_cel_hole_new(&k->u) : key;
    return iv_cel_type_make(&k->u, IV_CEL_MAP, key, value == NULL ? iv_cel_hole_new(&k->u) : value);
}

static void fold_variables(struct checker *k, struct iv_cel_node *node)
{
    const struct iv_cel_type *range = iv_cel_type_deref(check(k, node->target));
    node->var_types[0] = node->var_types[1] = &iv_cel_dyn;
    switch (range->kind) {
    case IV_CEL_LIST:
        node->var_types[node->two_vars] = range->args[0];
        if (node->two_vars) {
            node->var_types[0] = &iv_cel_int;
        }
        return;
    case IV_CEL_MAP:
        node->var_types[0] = range->args[0];
        node->var_types[1] = range->args[1];
        return;
    case IV_CEL_DYN:
    case IV_CEL_PARAM:
    case IV_CEL_ERROR:
        return;
    default:
        break;
    }
    struct iv_str text = type_text(k, range);
    k->failures++;
    iv_cel_report(k->c, node->offset, node->length,
                  "the macro goes over a list or a map, not over " IV_STR_FMT, IV_STR_ARG(text));
}

static void expect_bool(struct checker *k, const struct iv_cel_node *node, const struct iv_cel_type *type)
{
    if (!iv_cel_assignable(&k->u, type, &iv_cel_bool)) {
        struct iv_str text = type_text(k, type);
        k->failures++;
        iv_cel_report(k->c, node->offset, node->length, "expected a condition, of type bool, not " IV_STR_FMT,
                      IV_STR_ARG(text));
    }
}

static const struct iv_cel_type *check_fold(struct checker *k, struct iv_cel_node *node)
{
    fold_variables(k, node);
    if (node->count > 1) {
        expect_bool(k, node->args[1], check(k, node->args[1]));
    }
    const struct iv_cel_type *body = check(k, node->args[0]);
    switch ((enum iv_cel_fold)node->fold) {
    case IV_CEL_FOLD_ALL:
    case IV_CEL_FOLD_EXISTS:
    case IV_CEL_FOLD_EXISTS_ONE:
        expect_bool(k, node->args[0], body);
        return &iv_cel_bool;
    case IV_CEL_FOLD_FILTER:
        expect_bool(k, node->args[0], body);
        return iv_cel_type_make(&k->u, IV_CEL_LIST, node->var_types[0], NULL);
    case IV_CEL_FOLD_MAP:
        return iv_cel_type_make(&k->u, IV_CEL_LIST, body, NULL);
    case IV_CEL_FOLD_MAP_VALUE:
        return iv_cel_type_make(&k->u, IV_CEL_MAP, node->var_types[0], body);
    case IV_CEL_FOLD_MAP_ENTRY:
        break;
    }
    const struct iv_cel_type *any =
        iv_cel_type_make(&k->u, IV_CEL_MAP, iv_cel_hole_new(&k->u), iv_cel_hole_new(&k->u));
    if (!iv_cel_assignable(&k->u, body, any)) {
        k->failures++;
        iv_cel_report(k->c, node->args[0]->offset, node->args[0]->length, "expected a map, {key: value}");
    }
    return any;
}

static const struct iv_cel_type *check(struct checker *k, struct iv_cel_node *node)
{
    const struct iv_cel_type *type = &error_type;
    switch ((enum iv_cel_node_kind)node->kind) {
    case IV_CEL_NODE_LITERAL:
        type = literal_type(&node->value);
        break;
    case IV_CEL_NODE_IDENT:
        type = check_ident(k, node);
        break;
    case IV_CEL_NODE_SELECT:
        type = check_select(k, node);
        break;
    case IV_CEL_NODE_CALL:
        type = check_call(k, node);
        break;
    case IV_CEL_NODE_LIST:
        type = check_list(k, node);
        break;
    case IV_CEL_NODE_MAP:
        type = check_map(k, node);
        break;
    case IV_CEL_NODE_STRUCT:
        k->failures++;
        iv_cel_report(k->c, node->offset, node->length,
                      "there are no message types here; a map is {'field': value}");
        break;
    case IV_CEL_NODE_FOLD:
        type = check_fold(k, node);
        break;
    case IV_CEL_NODE_BIND:
        node->var_types[0] = check(k, node->target);
        type = check(k, node->args[0]);
        break;
    }
    if (iv_cel_type_deref(type)->kind == IV_CEL_ERROR) {
        type = &error_type;
    }
    node->type = type;
    return type;
}

/* Without the check every type is dyn, but calls still need their candidates and objects their fields. */
static void collect(struct checker *k, struct iv_cel_node *node)
{
    node->var_types[0] = node->var_types[1] = &iv_cel_dyn;
    if (node->target != NULL) {
        collect(k, node->target);
    }
    for (uint32_t i = 0; i < node->count; i++) {
        collect(k, node->args[i]);
    }
    if (node->kind == IV_CEL_NODE_CALL) {
        bool named = false;
        node->candidate_count = overloads_of(k->c, node, &node->candidates, &named);
    }
    node->type = &iv_cel_dyn;
}

bool iv_cel_check(struct iv_cel_compilation *c, struct iv_cel_node *root, const struct iv_cel_type *expect)
{
    struct checker k = {.c = c, .u = {.c = c}};
    if (c->no_check) {
        collect(&k, root);
        return !c->out_of_memory;
    }
    const struct iv_cel_type *type = check(&k, root);
    if (k.failures == 0 && expect != NULL && !iv_cel_assignable(&k.u, type, expect)) {
        struct iv_str is = type_text(&k, type);
        struct iv_str want = type_text(&k, expect);
        k.failures++;
        iv_cel_report(c, root->offset, root->length,
                      "expected a value of type " IV_STR_FMT ", this is " IV_STR_FMT, IV_STR_ARG(want),
                      IV_STR_ARG(is));
    }
    root->type = iv_cel_type_settle(&k.u, type);
    return k.failures == 0 && !c->out_of_memory;
}
