/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters: the tree, the variables that it gives to expressions, and what overrides may
 * put in its leaves. */
#include "baseline/load.h"

#include "base/guard.h"

/* Each node is a variable; more than this is data that belongs into a list. */
#define PARAMETERS_MAX 8192u

static const struct iv_cel_type list_of_string = {.kind = IV_CEL_LIST, .args = {&iv_cel_string}};
static const struct iv_cel_type list_of_int = {.kind = IV_CEL_LIST, .args = {&iv_cel_int}};
static const struct iv_cel_type list_of_double = {.kind = IV_CEL_LIST, .args = {&iv_cel_double}};
static const struct iv_cel_type list_of_dyn = {.kind = IV_CEL_LIST, .args = {&iv_cel_dyn}};

static bool same_type(const struct iv_cel_type *a, const struct iv_cel_type *b)
{
    if (a == b) {
        return true;
    }
    if (a->kind != b->kind || (a->kind != IV_CEL_LIST && a->kind != IV_CEL_MAP)) {
        return false;
    }
    return same_type(a->args[0], b->args[0]) && (a->kind == IV_CEL_LIST || same_type(a->args[1], b->args[1]));
}

static const struct iv_cel_type *collection(struct iv_load *load, enum iv_cel_tkind kind,
                                            const struct iv_cel_type *item)
{
    if (kind == IV_CEL_LIST) {
        const struct iv_cel_type *ready[] = {&list_of_string, &list_of_int, &list_of_double, &list_of_dyn};
        for (size_t i = 0; i < IV_COUNT(ready); i++) {
            if (ready[i]->args[0] == item) {
                return ready[i];
            }
        }
    }
    struct iv_cel_type *type = iv_load_alloc(load, 1, sizeof *type);
    if (type == NULL) {
        return &iv_cel_dyn;
    }
    type->kind = kind;
    type->args[0] = kind == IV_CEL_MAP ? &iv_cel_string : item;
    type->args[1] = kind == IV_CEL_MAP ? item : NULL;
    return type;
}

const struct iv_cel_type *iv_type_of_value(struct iv_load *load, const struct iv_val *value)
{
    bool map = value->kind == IV_KIND_MAP;
    if (!map && value->kind != IV_KIND_LIST) {
        return iv_cel_type_of_scalar(value);
    }
    const struct iv_cel_type *item = NULL;
    for (uint32_t i = 0; i < value->n && item != &iv_cel_dyn; i++) {
        const struct iv_cel_type *t = iv_type_of_value(load, &value->items[map ? 2 * i + 1 : i]);
        item = item == NULL || same_type(item, t) ? t : &iv_cel_dyn;
    }
    return collection(load, map ? IV_CEL_MAP : IV_CEL_LIST, item == NULL ? &iv_cel_dyn : item);
}

bool iv_types_agree(const struct iv_cel_type *a, const struct iv_cel_type *b)
{
    if (a->kind == IV_CEL_DYN || b->kind == IV_CEL_DYN) {
        return true;
    }
    if (a->kind != b->kind) {
        return false;
    }
    if (a->kind == IV_CEL_LIST) {
        return iv_types_agree(a->args[0], b->args[0]);
    }
    return a->kind != IV_CEL_MAP || iv_types_agree(a->args[1], b->args[1]);
}

static bool is_cel_name(struct iv_str s)
{
    static const char *const reserved[] = {"true", "false", "null", "in"};
    for (size_t i = 0; i < IV_COUNT(reserved); i++) {
        if (iv_str_eq(s, iv_str_of(reserved[i]))) {
            return false;
        }
    }
    return iv_is_word(s);
}

struct growing {
    struct iv_load *load;
    size_t nodes;
    size_t slots;
};

static void grow_leaf(struct growing *g, struct iv_param *out, const struct iv_yaml_node *node)
{
    out->leaf = true;
    out->leaf_index = g->load->body->leaf_count++;
    if (!iv_yaml_value(&out->value, &g->load->body->arena, node)) {
        iv_load_fail(g->load, iv_err_set(g->load->err, IV_E_NOMEM, "cannot hold the parameters in memory"));
        return;
    }
    if (out->value.kind == IV_KIND_NULL) {
        iv_yaml_error(g->load->problems, node, "a parameter must have a value");
    }
    out->type = iv_type_of_value(g->load, &out->value);
}

static const struct iv_cel_type *map_type(struct growing *g, const struct iv_param *map)
{
    const struct iv_cel_type *item = NULL;
    for (size_t i = 0; i < map->child_count && item != &iv_cel_dyn; i++) {
        const struct iv_cel_type *t = map->children[i].type;
        item = item == NULL || same_type(item, t) ? t : &iv_cel_dyn;
    }
    return collection(g->load, IV_CEL_MAP, item == NULL ? &iv_cel_dyn : item);
}

static const struct iv_yaml_node *value_under(const struct iv_yaml_node *map, struct iv_str key)
{
    for (size_t i = 0; map != NULL && map->kind == IV_YAML_MAP && i < map->count; i++) {
        if (iv_str_eq(map->pairs[i].key->text, key)) {
            return map->pairs[i].value;
        }
    }
    return NULL;
}

static void grow(struct growing *g, struct iv_param *out, struct iv_str path, const struct iv_yaml_node *node,
                 const struct iv_yaml_node *over);

static void grow_child(struct growing *g, struct iv_param *parent, struct iv_str path,
                       const struct iv_yaml_pair *pair, const struct iv_yaml_node *over)
{
    struct iv_param *child = &parent->children[parent->child_count++];
    struct iv_str name = pair->key->text;
    struct iv_str child_path = {NULL, 0};
    if (path.p != NULL && is_cel_name(name)) {
        child_path = iv_arena_printf(&g->load->body->arena, IV_STR_FMT "." IV_STR_FMT, IV_STR_ARG(path),
                                     IV_STR_ARG(name));
    }
    child->name = name;
    grow(g, child, child_path, pair->value, over);
}

/* What the one map has, with the other's values where it has some, and then what only the other has. */
static void grow_map(struct growing *g, struct iv_param *out, struct iv_str path,
                     const struct iv_yaml_node *node, const struct iv_yaml_node *over)
{
    struct iv_load *load = g->load;
    size_t further = over == NULL ? 0 : over->count;
    out->children = iv_load_alloc(load, node->count + further, sizeof *out->children);
    for (size_t i = 0; out->children != NULL && i < node->count && !iv_load_failed(load); i++) {
        grow_child(g, out, path, &node->pairs[i], value_under(over, node->pairs[i].key->text));
    }
    for (size_t i = 0; out->children != NULL && i < further && !iv_load_failed(load); i++) {
        if (value_under(node, over->pairs[i].key->text) == NULL) {
            grow_child(g, out, path, &over->pairs[i], NULL);
        }
    }
    out->type = map_type(g, out);
}

/* path is the CEL name of the node, p NULL where it has none; over stands in the node's place, unless it is
 * NULL or both are maps. The document's depth bounds the recursion. */
static void grow(struct growing *g, struct iv_param *out, struct iv_str path, const struct iv_yaml_node *node,
                 const struct iv_yaml_node *over)
{
    struct iv_load *load = g->load;
    out->slot = -1;
    out->type = &iv_cel_dyn;
    if (++g->nodes > PARAMETERS_MAX) {
        if (g->nodes == PARAMETERS_MAX + 1) {
            iv_yaml_error(load->problems, node, "more than %u parameters", PARAMETERS_MAX);
        }
        out->leaf = true;
        return;
    }
    if (over != NULL && (over->kind != IV_YAML_MAP || node->kind != IV_YAML_MAP)) {
        node = over;
        over = NULL;
    }
    if (node->kind != IV_YAML_MAP) {
        grow_leaf(g, out, node);
    } else {
        grow_map(g, out, path, node, over);
    }
    if (path.p != NULL && !iv_load_failed(load)) {
        out->slot = (int32_t)g->slots++;
        struct iv_cel_var var = {path, out->type, IV_BANK_PARAMETERS, (uint16_t)out->slot};
        iv_load_fail(load, iv_cel_env_var(load->parameters, &var, load->err));
    }
}

void iv_load_parameters(struct iv_load *load, const struct iv_yaml_node *node)
{
    struct growing g = {.load = load};
    struct iv_param *root = &load->body->parameters;
    const struct iv_yaml_node *over = load->trial == NULL ? NULL : load->trial->parameters;
    root->slot = -1;
    root->name = IV_STR("baseline");
    root->type = &iv_cel_dyn;
    struct iv_yaml_map map;
    if (iv_yaml_open(&map, node, "parameters", load->problems)) {
        grow(&g, root, IV_STR("baseline"), node, over);
    } else if (node == NULL && over != NULL) {
        grow(&g, root, IV_STR("baseline"), over, NULL);
    }
    load->body->pub.parameter_count = g.slots;
}

static const struct iv_param *child_of(const struct iv_param *param, struct iv_str name)
{
    for (size_t i = 0; i < param->child_count; i++) {
        if (iv_str_eq(param->children[i].name, name)) {
            return &param->children[i];
        }
    }
    return NULL;
}

static struct iv_yaml_hint nearest_child(struct iv_load *load, const struct iv_param *param,
                                         struct iv_str name)
{
    struct iv_str *names = iv_load_alloc(load, param->child_count, sizeof *names);
    for (size_t i = 0; names != NULL && i < param->child_count; i++) {
        names[i] = param->children[i].name;
    }
    return iv_yaml_nearest(name, names, names == NULL ? 0 : param->child_count);
}

static bool is_read(const struct iv_load *load, const struct iv_param *param)
{
    for (const struct iv_owned *o = load->body->owned; param->slot >= 0 && o != NULL; o = o->next) {
        if (o->prog != NULL && iv_cel_prog_uses(o->prog, IV_BANK_PARAMETERS, (uint16_t)param->slot)) {
            return true;
        }
    }
    return false;
}

static void check_read(struct iv_load *load, const struct iv_param *param, const struct iv_yaml_pair *pair)
{
    if (is_read(load, param)) {
        return;
    }
    if (param->leaf) {
        iv_yaml_error(load->problems, pair->key, IV_STR_FMT " reads no parameter '" IV_STR_FMT "'",
                      IV_STR_ARG(load->trial->rule), IV_STR_ARG(param->name));
        return;
    }
    for (size_t i = 0; pair->value->kind == IV_YAML_MAP && i < pair->value->count; i++) {
        check_read(load, child_of(param, pair->value->pairs[i].key->text), &pair->value->pairs[i]);
    }
}

void iv_load_trial_parameters(struct iv_load *load)
{
    const struct iv_yaml_node *given = load->trial->parameters;
    bool sound = given != NULL && given->kind == IV_YAML_MAP &&
                 iv_problems_errors(load->problems) == load->errors_before;
    for (size_t i = 0; sound && i < given->count; i++) {
        check_read(load, child_of(&load->body->parameters, given->pairs[i].key->text), &given->pairs[i]);
    }
}

static size_t scalars_below(const struct iv_yaml_node *node)
{
    size_t n = 1;
    for (size_t i = 0; node->kind == IV_YAML_MAP && i < node->count; i++) {
        n += scalars_below(node->pairs[i].value);
    }
    return n;
}

struct collecting {
    struct iv_load *load;
    struct iv_override_value *values;
    size_t count;
};

static void collect_leaf(struct collecting *c, const struct iv_param *param, const struct iv_yaml_node *node)
{
    struct iv_val value;
    if (!iv_yaml_value(&value, &c->load->body->arena, node)) {
        iv_load_fail(c->load, iv_err_set(c->load->err, IV_E_NOMEM, "cannot hold the overrides in memory"));
        return;
    }
    const struct iv_cel_type *type = iv_type_of_value(c->load, &value);
    if (value.kind == IV_KIND_NULL || !iv_types_agree(param->type, type)) {
        struct iv_buf want;
        iv_buf_init(&want, 256);
        iv_cel_type_format(&want, param->type);
        iv_yaml_error(c->load->problems, node,
                      "an override has its parameter's type: '" IV_STR_FMT "' is of type " IV_STR_FMT,
                      IV_STR_ARG(param->name), IV_STR_ARG(iv_buf_slice(&want)));
        iv_buf_deinit(&want);
        return;
    }
    c->values[c->count++] = (struct iv_override_value){param->leaf_index, value};
}

static void collect(struct collecting *c, const struct iv_param *param, const struct iv_yaml_node *node)
{
    if (param->leaf) {
        collect_leaf(c, param, node);
        return;
    }
    if (node->kind != IV_YAML_MAP) {
        iv_yaml_error(c->load->problems, node, "'" IV_STR_FMT "' is a mapping of parameters, not %s",
                      IV_STR_ARG(param->name), iv_yaml_what(node));
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct iv_yaml_pair *pair = &node->pairs[i];
        const struct iv_param *child = child_of(param, pair->key->text);
        if (child == NULL) {
            iv_yaml_error(c->load->problems, pair->key,
                          "an override adds no parameter: there is no '" IV_STR_FMT "'%s",
                          IV_STR_ARG(pair->key->text), nearest_child(c->load, param, pair->key->text).text);
        } else {
            collect(c, child, pair->value);
        }
    }
}

static void load_override(struct iv_load *load, struct iv_override *out, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    if (!iv_yaml_open(&map, node, "override", load->problems)) {
        return;
    }
    iv_load_match(load, &out->match, iv_yaml_need(&map, "match"));
    const struct iv_yaml_node *parameters = iv_yaml_need(&map, "parameters");
    iv_yaml_close(&map);
    struct iv_yaml_map tree;
    if (!iv_yaml_open(&tree, parameters, "parameters", load->problems)) {
        return;
    }
    struct collecting c = {.load = load};
    c.values = iv_load_alloc(load, scalars_below(parameters), sizeof *c.values);
    if (c.values != NULL) {
        collect(&c, &load->body->parameters, parameters);
        out->values = c.values;
        out->value_count = c.count;
    }
}

void iv_load_overrides(struct iv_load *load, const struct iv_yaml_node *node)
{
    struct iv_yaml_items items;
    (void)iv_yaml_list(&items, node, load->problems);
    struct iv_override *overrides = iv_load_alloc(load, items.count, sizeof *overrides);
    for (size_t i = 0; overrides != NULL && i < items.count; i++) {
        load_override(load, &overrides[i], iv_yaml_item(&items, i));
    }
    load->body->overrides = overrides;
    load->body->override_count = overrides == NULL ? 0 : items.count;
}

static bool name_byte(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

/* Past a string literal, so that what stands in it is not taken for a name. */
static size_t skip_string(struct iv_str s, size_t at)
{
    char quote = s.p[at];
    bool raw = at > 0 && (s.p[at - 1] == 'r' || s.p[at - 1] == 'R');
    size_t width = at + 2 < s.n && s.p[at + 1] == quote && s.p[at + 2] == quote ? 3 : 1;
    for (size_t i = at + width; i + width <= s.n;) {
        if (!raw && s.p[i] == '\\') {
            i += 2;
        } else if (s.p[i] == quote && (width == 1 || (s.p[i + 1] == quote && s.p[i + 2] == quote))) {
            return i + width;
        } else {
            i++;
        }
    }
    return s.n;
}

/* One path that begins with "baseline" at at: reports the first of its names that is not there. Behind it in
 * end. */
static bool check_path(struct iv_load *load, const struct iv_yaml_node *expression, size_t at, size_t *end)
{
    struct iv_str s = expression->text;
    const struct iv_param *param = &load->body->parameters;
    size_t i = at + strlen("baseline");
    while (i + 1 < s.n && s.p[i] == '.' && name_byte(s.p[i + 1], true)) {
        size_t begin = i + 1;
        for (i = begin; i < s.n && name_byte(s.p[i], false); i++) {
        }
        struct iv_str name = {s.p + begin, i - begin};
        if (param->leaf || (i < s.n && s.p[i] == '(')) {
            break; /* a method of its value */
        }
        const struct iv_param *child = child_of(param, name);
        if (child == NULL) {
            iv_yaml_error_inside(load->problems, expression, begin, name.n,
                                 "the baseline has no parameter '" IV_STR_FMT "'%s",
                                 IV_STR_ARG(((struct iv_str){s.p + at + 9, i - at - 9})),
                                 nearest_child(load, param, name).text);
            *end = i;
            return false;
        }
        param = child;
    }
    *end = i;
    return true;
}

size_t iv_param_check_names(struct iv_load *load, const struct iv_yaml_node *expression,
                            struct iv_bad_name *bad, size_t max)
{
    struct iv_str s = expression->text;
    size_t count = 0;
    for (size_t i = 0; i < s.n;) {
        if (s.p[i] == '"' || s.p[i] == '\'') {
            i = skip_string(s, i);
        } else if (name_byte(s.p[i], true)) {
            size_t begin = i;
            while (i < s.n && name_byte(s.p[i], false)) {
                i++;
            }
            bool whole = i - begin == 8 && memcmp(s.p + begin, "baseline", 8) == 0;
            bool field = begin > 0 && s.p[begin - 1] == '.';
            if (whole && !field && i < s.n && s.p[i] == '.' && !check_path(load, expression, begin, &i)) {
                if (count < max) {
                    bad[count] = (struct iv_bad_name){begin, i - begin};
                }
                count++;
            }
        } else {
            i++;
        }
    }
    return count;
}
