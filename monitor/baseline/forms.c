/* SPDX-License-Identifier: Apache-2.0 */
/* The four forms that a rule can have. */
#include "baseline/rule_parts.h"

#include "base/guard.h"

static bool is_number(const struct iv_cel_type *type)
{
    return type->kind == IV_CEL_INT || type->kind == IV_CEL_UINT || type->kind == IV_CEL_DOUBLE;
}

static bool can_be_equal(const struct iv_cel_type *a, const struct iv_cel_type *b)
{
    return iv_types_agree(a, b) || (is_number(a) && is_number(b));
}

static void check_key_types(struct iv_rule_load *rl, const struct iv_partner *with,
                            const struct iv_yaml_node *by)
{
    for (uint8_t i = 0; i < with->key_on.count && i < with->key_with.count; i++) {
        const struct iv_cel_type *a = iv_term_type(&rl->on, &with->key_on.terms[i]);
        const struct iv_cel_type *b = iv_term_type(&rl->with, &with->key_with.terms[i]);
        if (!can_be_equal(a, b)) {
            struct iv_buf text;
            iv_buf_init(&text, 512);
            iv_cel_type_format(&text, a);
            iv_buf_text(&text, " on the trigger's side, ");
            iv_cel_type_format(&text, b);
            iv_yaml_error(rl->load->problems, by,
                          "the key can never be equal: it is " IV_STR_FMT " on the partner's",
                          IV_STR_ARG(iv_buf_slice(&text)));
            iv_buf_deinit(&text);
        }
    }
}

static void load_key(struct iv_rule_load *rl, struct iv_partner *with, const struct iv_yaml_node *by)
{
    if (by == NULL) {
        return;
    }
    if (by->kind == IV_YAML_MAP) {
        struct iv_yaml_map map;
        (void)iv_yaml_open(&map, by, "by", rl->load->problems);
        with->key_on = iv_terms_load(rl, &rl->on, rl->on_env, iv_yaml_need(&map, "on"), "by");
        with->key_with = iv_terms_load(rl, &rl->with, rl->with_env, iv_yaml_need(&map, "with"), "by");
        iv_yaml_close(&map);
        if (with->key_on.count != with->key_with.count && with->key_on.count > 0 &&
            with->key_with.count > 0) {
            iv_yaml_error(rl->load->problems, by,
                          "the key has %u values on the trigger's side and %u on the partner's",
                          with->key_on.count, with->key_with.count);
        }
    } else {
        with->key_on = iv_terms_load(rl, &rl->on, NULL, by, "by");
        with->key_with = iv_terms_load(rl, &rl->with, NULL, by, "by");
    }
    if (rl->on.schema != NULL && rl->with.schema != NULL) {
        check_key_types(rl, with, by);
    }
}

static void bound_past(struct iv_rule_load *rl, iv_ns *out, const struct iv_amount *length,
                       const struct iv_yaml_node *node)
{
    *out = length->i;
    if (length->prog != NULL && iv_param_max(rl->load, out, length->prog, node)) {
        *out = *out < 0 ? 0 : *out;
    }
}

/* Where it cannot be told nothing is refused: the engine then keeps the window of each trigger. */
static void bound_future(struct iv_rule_load *rl, struct iv_window *window)
{
    const struct iv_cel_prog *prog = window->length.prog;
    if (window->kind == IV_WINDOW_BEFORE) {
        return;
    }
    window->future_max_ns = window->length.i;
    if (prog != NULL && (iv_cel_prog_uses(prog, IV_BANK_EVENTS, IV_SLOT_TRIGGER) ||
                         !iv_param_max(rl->load, &window->future_max_ns, prog, NULL))) {
        window->future_max_ns = 0;
    }
}

static void load_window(struct iv_rule_load *rl, struct iv_window *out, struct iv_yaml_map *map)
{
    static const char *const names[] = {[IV_WINDOW_BEFORE] = "before",
                                        [IV_WINDOW_AFTER] = "after",
                                        [IV_WINDOW_WITHIN] = "within",
                                        [IV_WINDOW_UNTIL] = "until"};
    const struct iv_yaml_node *given[IV_COUNT(names)];
    const struct iv_yaml_node *node = NULL;
    size_t count = 0;
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        given[i] = iv_yaml_get(map, names[i]);
        if (given[i] != NULL) {
            node = given[i];
            out->kind = (enum iv_window_kind)i;
            count++;
        }
    }
    if (map->node == NULL) {
        return;
    }
    if (count != 1) {
        iv_yaml_error(
            rl->load->problems, map->node,
            count == 0 ? "with lacks a window: without before, after, within or until its memory had no bound"
                       : "with has more than one window: it takes one of before, after, within and until");
        return;
    }
    if (out->kind == IV_WINDOW_UNTIL) {
        out->until = iv_expr_load(rl, rl->on_env, node, &iv_cel_timestamp);
        return;
    }
    bool past = out->kind != IV_WINDOW_AFTER;
    out->length = iv_length_load(rl, node, names[out->kind], past, out->kind == IV_WINDOW_BEFORE);
    if (past) {
        bound_past(rl, &out->past_max_ns, &out->length, node);
    }
    bound_future(rl, out);
}

/* The partner's variable, seen beside the trigger's and alone. */
static void declare_partner(struct iv_rule_load *rl)
{
    struct iv_load *load = rl->load;
    const struct iv_cel_env *parents[] = {rl->on_env, load->functions};
    const struct iv_cel_env **outs[] = {&rl->pair_env, &rl->with_env};
    for (size_t i = 0; i < IV_COUNT(parents); i++) {
        struct iv_cel_env *env = NULL;
        struct iv_rc_s rc = iv_cel_env_extend(&env, parents[i], load->err);
        if (!iv_ok(rc) || !iv_load_own_env(load, env)) {
            iv_cel_env_free(env);
            iv_load_fail(load, rc);
            return;
        }
        *outs[i] = env;
        if (rl->with.alias.p != NULL && rl->with.type != NULL) {
            struct iv_cel_var var = {rl->with.alias, rl->with.type, IV_BANK_EVENTS, IV_SLOT_PARTNER};
            iv_load_fail(load, iv_cel_env_var(env, &var, load->err));
        }
    }
}

static void load_partner(struct iv_rule_load *rl, const struct iv_yaml_node *node)
{
    struct iv_partner *with = &rl->rule->with;
    struct iv_yaml_map map;
    rl->rule->has_partner = true;
    (void)iv_yaml_open(&map, node, "with", rl->load->problems);
    bool known = iv_side_load(rl, &rl->with, &map, IV_SLOT_PARTNER);
    with->select = rl->with.select;
    if (known && rl->on_env != NULL) {
        declare_partner(rl);
    }
    load_key(rl, with, iv_yaml_get(&map, "by"));
    load_window(rl, &with->window, &map);
    iv_yaml_close(&map);
}

/* The leaves of a tree are a log's entries, all of them, up to the trigger, and every entry tells its place.
 */
static void check_tree(struct iv_rule_load *rl, const struct iv_yaml_node *node)
{
    const struct iv_rule *rule = rl->rule;
    const struct iv_terms *on = &rule->with.key_on;
    const struct iv_terms *with = &rule->with.key_with;
    struct iv_problems *problems = rl->load->problems;
    if (rl->on.schema == NULL || rl->with.schema == NULL) {
        return;
    }
    if (rule->on.streams[IV_TELEMETRY]) {
        iv_yaml_error(problems, node,
                      "a tree is of the log that the trigger is in: triggers are of the ledger");
    }
    if (!iv_side_is_ledger(rl->load, &rl->with)) {
        iv_yaml_error(problems, node,
                      "a tree has all entries of a log as its leaves: 'with' is of 'stream: ledger'");
    }
    if (on->count != 1 || on->terms[0].prog != NULL || on->terms[0].name_id != IV_ATTR_LEDGER_ID ||
        with->count != 1 || with->terms[0].prog != NULL || with->terms[0].name_id != IV_ATTR_LEDGER_ID) {
        iv_yaml_error(problems, node, "a tree is of one log: 'with' has 'by: ledger_id'");
    }
    if (rule->with.window.kind != IV_WINDOW_BEFORE) {
        iv_yaml_error(problems, node,
                      "a tree is of what came before its trigger: the window of 'with' is 'before'");
    }
}

static void load_tree(struct iv_rule_load *rl, const struct iv_yaml_node *node)
{
    struct iv_tree *tree = &rl->rule->tree;
    struct iv_problems *problems = rl->load->problems;
    if (node->kind != IV_YAML_MAP) {
        tree->note = iv_expr_load(rl, rl->on_env, node, &iv_cel_string);
    } else {
        struct iv_yaml_map map;
        (void)iv_yaml_open(&map, node, "tree", problems);
        tree->note = iv_expr_load(rl, rl->on_env, iv_yaml_need(&map, "note"), &iv_cel_string);
        (void)iv_yaml_string(&tree->role, iv_yaml_get(&map, "role"), problems);
        iv_yaml_close(&map);
    }
    check_tree(rl, node);
}

static void load_matching(struct iv_rule_load *rl, const struct iv_yaml_node *node, const char *form)
{
    struct iv_rule *rule = rl->rule;
    struct iv_problems *problems = rl->load->problems;
    struct iv_yaml_map map;
    (void)iv_yaml_open(&map, node, form, problems);
    const struct iv_yaml_node *with =
        rule->form == IV_REQUIRE ? iv_yaml_need(&map, "with") : iv_yaml_get(&map, "with");
    const struct iv_yaml_node *condition = iv_yaml_get(&map, "if");
    const struct iv_yaml_node *at_least = iv_yaml_get(&map, "at_least");
    const struct iv_yaml_node *distinct = iv_yaml_get(&map, "distinct");
    const struct iv_yaml_node *tree = rule->form == IV_REQUIRE ? iv_yaml_get(&map, "tree") : NULL;
    iv_yaml_close(&map);
    rule->at_least = (struct iv_amount){.i = 1, .d = 1};
    if (with != NULL) {
        load_partner(rl, with);
    }
    rule->condition = iv_expr_load(rl, with != NULL ? rl->pair_env : rl->on_env, condition, &iv_cel_bool);
    if (with == NULL && (at_least != NULL || distinct != NULL)) {
        iv_yaml_error(problems, at_least != NULL ? at_least : distinct,
                      "'at_least' and 'distinct' count partners, but there is no 'with'");
        return;
    }
    if (tree != NULL && (condition != NULL || at_least != NULL || distinct != NULL)) {
        iv_yaml_error(problems, tree,
                      "'tree' asks for all entries of a log: it takes no 'if', 'at_least' or 'distinct'");
        return;
    }
    if (tree != NULL && with != NULL) {
        load_tree(rl, tree);
    }
    if (at_least != NULL) {
        rule->at_least = iv_number_load(rl, at_least, "at_least");
    }
    rule->distinct = iv_terms_load(rl, &rl->with, rl->with_env, distinct, "distinct");
}

static void load_limit_of(struct iv_rule_load *rl, struct iv_yaml_map *map)
{
    static const char *const names[] = {
        [IV_LIMIT_COUNT] = "count", [IV_LIMIT_SUM] = "sum", [IV_LIMIT_DISTINCT] = "distinct"};
    struct iv_rule *rule = rl->rule;
    struct iv_problems *problems = rl->load->problems;
    const struct iv_yaml_node *node = NULL;
    size_t count = 0;
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        const struct iv_yaml_node *given = iv_yaml_get(map, names[i]);
        if (given != NULL) {
            node = given;
            rule->limit = (enum iv_limit_kind)i;
            count++;
        }
    }
    if (count != 1) {
        if (map->node != NULL) {
            iv_yaml_error(problems, map->node, "limit takes one of count, sum and distinct");
        }
        return;
    }
    struct iv_yaml_map figure;
    (void)iv_yaml_open(&figure, node, names[rule->limit], problems);
    const struct iv_yaml_node *max = iv_yaml_need(&figure, "max");
    const struct iv_yaml_node *of = rule->limit == IV_LIMIT_COUNT ? NULL : iv_yaml_need(&figure, "of");
    iv_yaml_close(&figure);
    if (max != NULL) {
        rule->max = iv_number_load(rl, max, "max");
    }
    rule->of = iv_terms_load(rl, &rl->on, rl->on_env, of, "of");
    if (rule->limit != IV_LIMIT_SUM || rule->of.count == 0) {
        return;
    }
    const struct iv_cel_type *type = iv_term_type(&rl->on, &rule->of.terms[0]);
    if (rule->of.count != 1 || !(is_number(type) || type->kind == IV_CEL_DYN)) {
        iv_yaml_error(problems, of, "a sum is of one number");
    }
}

static void load_limit(struct iv_rule_load *rl, const struct iv_yaml_node *node)
{
    struct iv_rule *rule = rl->rule;
    struct iv_yaml_map map;
    (void)iv_yaml_open(&map, node, "limit", rl->load->problems);
    rule->by = iv_terms_load(rl, &rl->on, rl->on_env, iv_yaml_get(&map, "by"), "by");
    const struct iv_yaml_node *window = iv_yaml_need(&map, "window");
    if (window != NULL) {
        rule->span = iv_length_load(rl, window, "window", true, false);
        bound_past(rl, &rule->span_max_ns, &rule->span, window);
    }
    load_limit_of(rl, &map);
    iv_yaml_close(&map);
}

static void load_same(struct iv_rule_load *rl, const struct iv_yaml_node *node)
{
    struct iv_rule *rule = rl->rule;
    struct iv_yaml_map map;
    (void)iv_yaml_open(&map, node, "same", rl->load->problems);
    rule->by = iv_terms_load(rl, &rl->on, rl->on_env, iv_yaml_get(&map, "by"), "by");
    rule->of = iv_terms_load(rl, &rl->on, rl->on_env, iv_yaml_need(&map, "value"), "value");
    const struct iv_yaml_node *within = iv_yaml_need(&map, "within");
    if (within != NULL) {
        rule->span = iv_length_load(rl, within, "within", true, false);
        bound_past(rl, &rule->span_max_ns, &rule->span, within);
    }
    iv_yaml_close(&map);
}

void iv_form_load(struct iv_rule_load *rl, struct iv_yaml_map *map)
{
    static const char *const names[] = {
        [IV_FORBID] = "forbid", [IV_REQUIRE] = "require", [IV_LIMIT] = "limit", [IV_SAME] = "same"};
    const struct iv_yaml_node *forms[IV_COUNT(names)];
    size_t count = 0;
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        forms[i] = iv_yaml_get(map, names[i]);
        count += forms[i] != NULL;
    }
    if (count != 1) {
        iv_yaml_error(rl->load->problems, map->node,
                      count == 0
                          ? "rule has no form: it takes one of forbid, require, limit and same"
                          : "rule has more than one form: it takes one of forbid, require, limit and same");
    }
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        if (forms[i] == NULL) {
            continue;
        }
        rl->rule->form = (enum iv_form)i;
        if (i == IV_LIMIT) {
            load_limit(rl, forms[i]);
        } else if (i == IV_SAME) {
            load_same(rl, forms[i]);
        } else {
            load_matching(rl, forms[i], names[i]);
        }
    }
}
