/* SPDX-License-Identifier: Apache-2.0 */
/* Rule packs, and what all rules have whatever their form. */
#include "baseline/rule_parts.h"

#include "base/alloc.h"
#include "base/guard.h"

#define RULES_MAX 20000u

/* [A-Z]{2,8}-[0-9]{1,5} */
static bool is_rule_id(struct iv_str id)
{
    size_t letters = 0;
    while (letters < id.n && id.p[letters] >= 'A' && id.p[letters] <= 'Z') {
        letters++;
    }
    if (letters < 2 || letters > 8 || letters >= id.n || id.p[letters] != '-') {
        return false;
    }
    for (size_t i = letters + 1; i < id.n; i++) {
        if (id.p[i] < '0' || id.p[i] > '9') {
            return false;
        }
    }
    size_t digits = id.n - letters - 1;
    return digits >= 1 && digits <= 5;
}

static void load_id(struct iv_rule_load *rl, const struct iv_yaml_node *node)
{
    struct iv_load *load = rl->load;
    struct iv_str id = IV_STR("");
    if (iv_yaml_string(&id, node, load->problems)) {
        if (!is_rule_id(id)) {
            iv_yaml_error(load->problems, node,
                          "'" IV_STR_FMT "' is no rule id: it is 2 to 8 capital letters, '-', 1 to 5 digits",
                          IV_STR_ARG(id));
        } else if (iv_str_eq(id, IV_STR("EVT-001"))) {
            iv_yaml_error(load->problems, node, "EVT-001 is built in and in force with every baseline");
        }
        for (size_t i = 0; i < load->rule_count; i++) {
            const struct iv_rule *other = load->rules[i];
            if (iv_str_eq(other->id, id)) {
                iv_yaml_error(load->problems, node,
                              "a second rule '" IV_STR_FMT "', the first is at " IV_STR_FMT ":%u",
                              IV_STR_ARG(id), IV_STR_ARG(other->at.file), other->at.line);
                break;
            }
        }
    }
    rl->rule->id = id;
}

static void load_criteria(struct iv_rule_load *rl, const struct iv_yaml_node *node)
{
    struct iv_yaml_items items;
    if (!iv_yaml_list(&items, node, rl->load->problems)) {
        return;
    }
    struct iv_str *criteria = iv_load_alloc(rl->load, items.count, sizeof *criteria);
    for (size_t i = 0; criteria != NULL && i < items.count; i++) {
        criteria[i] = IV_STR("");
        if (iv_yaml_string(&criteria[i], iv_yaml_item(&items, i), rl->load->problems)) {
            iv_load_criterion(rl->load, criteria[i], iv_yaml_item(&items, i));
        }
    }
    if (items.count == 0) {
        iv_yaml_warning(rl->load->problems, node, "the rule evidences no criterion");
    }
    rl->rule->criteria = criteria;
    rl->rule->criteria_count = criteria == NULL ? 0 : items.count;
}

static void load_remediate(struct iv_rule_load *rl, const struct iv_yaml_node *node)
{
    struct iv_load *load = rl->load;
    const struct iv_baseline *pub = &load->body->pub;
    if (!iv_yaml_string(&rl->rule->remediate, node, load->problems) || load->unread) {
        return;
    }
    struct iv_str *names = iv_load_alloc(load, pub->playbook_count, sizeof *names);
    for (size_t i = 0; names != NULL && i < pub->playbook_count; i++) {
        names[i] = pub->playbooks[i].name;
        if (iv_str_eq(names[i], rl->rule->remediate)) {
            return;
        }
    }
    iv_yaml_error(load->problems, node, "there is no playbook '" IV_STR_FMT "'%s",
                  IV_STR_ARG(rl->rule->remediate),
                  iv_yaml_nearest(rl->rule->remediate, names, names == NULL ? 0 : pub->playbook_count).text);
}

static void load_about(struct iv_rule_load *rl, struct iv_yaml_map *map)
{
    static const char *const severities[] = {[IV_SEV_INFO] = "info",
                                             [IV_SEV_LOW] = "low",
                                             [IV_SEV_MEDIUM] = "medium",
                                             [IV_SEV_HIGH] = "high",
                                             [IV_SEV_CRITICAL] = "critical"};
    struct iv_rule *rule = rl->rule;
    struct iv_problems *problems = rl->load->problems;
    rule->title = IV_STR("");
    rule->description = IV_STR("");
    load_id(rl, iv_yaml_need(map, "id"));
    (void)iv_yaml_string(&rule->title, iv_yaml_need(map, "title"), problems);
    (void)iv_yaml_string(&rule->description, iv_yaml_get(map, "description"), problems);
    size_t severity;
    if (iv_yaml_choice(&severity, iv_yaml_need(map, "severity"), severities, IV_COUNT(severities),
                       problems)) {
        rule->severity = (enum iv_severity)severity;
    }
    load_criteria(rl, iv_yaml_need(map, "criteria"));
    rule->mode = rl->load->body->pub.mode;
    iv_load_rule_mode(&rule->mode, iv_yaml_get(map, "mode"), problems);
    load_remediate(rl, iv_yaml_get(map, "remediate"));
}

/* What a test is; what its events are is for whoever runs it. */
static void check_tests(struct iv_load *load, const struct iv_yaml_node *node)
{
    struct iv_yaml_items tests;
    (void)iv_yaml_list(&tests, node, load->problems);
    for (size_t i = 0; i < tests.count; i++) {
        struct iv_yaml_map map;
        struct iv_str name;
        struct iv_yaml_items items;
        (void)iv_yaml_open(&map, iv_yaml_item(&tests, i), "test", load->problems);
        (void)iv_yaml_string(&name, iv_yaml_need(&map, "name"), load->problems);
        (void)iv_yaml_list(&items, iv_yaml_need(&map, "events"), load->problems);
        (void)iv_yaml_list(&items, iv_yaml_need(&map, "violates"), load->problems);
        (void)iv_yaml_list(&items, iv_yaml_get(&map, "open"), load->problems);
        (void)iv_yaml_list(&items, iv_yaml_get(&map, "inconclusive"), load->problems);
        (void)iv_yaml_list(&items, iv_yaml_get(&map, "keys"), load->problems);
        bool boundary;
        (void)iv_yaml_bool(&boundary, iv_yaml_get(&map, "boundary"), load->problems);
        struct iv_yaml_map parameters;
        (void)iv_yaml_open(&parameters, iv_yaml_get(&map, "parameters"), "parameters", load->problems);
        iv_yaml_close(&map);
    }
}

static void declare_trigger(struct iv_rule_load *rl)
{
    struct iv_load *load = rl->load;
    struct iv_cel_env *env = NULL;
    struct iv_rc_s rc = iv_cel_env_extend(&env, load->parameters, load->err);
    if (!iv_ok(rc) || !iv_load_own_env(load, env)) {
        iv_cel_env_free(env);
        iv_load_fail(load, rc);
        return;
    }
    if (rl->on.alias.p != NULL) {
        struct iv_cel_var var = {rl->on.alias, rl->on.type, IV_BANK_EVENTS, IV_SLOT_TRIGGER};
        iv_load_fail(load, iv_cel_env_var(env, &var, load->err));
    }
    rl->on_env = env;
}

static bool start_rule(struct iv_rule_load *rl, const struct iv_yaml_node *node, struct iv_str pack)
{
    struct iv_load *load = rl->load;
    size_t words = iv_catalogue_names(load->body->catalogue) / 64 + 1;
    rl->rule = iv_load_alloc(load, 1, sizeof *rl->rule);
    for (int s = 0; s < IV_EVENT_SLOTS; s++) {
        rl->fields[s] = iv_load_alloc(load, words, sizeof(uint64_t));
    }
    if (iv_load_failed(load)) {
        return false;
    }
    rl->rule->pack = pack;
    rl->rule->at = iv_yaml_position(node);
    rl->rule->source_text = iv_yaml_source(node);
    rl->rule->index = (uint16_t)load->rule_count;
    return true;
}

static bool add_rule(struct iv_load *load, struct iv_rule *rule, const struct iv_yaml_node *node,
                     const struct iv_yaml_node *tests, bool broken)
{
    struct iv_baseline_body *body = load->body;
    if (load->rule_count == load->rule_capacity) {
        size_t capacity = load->rule_capacity == 0 ? 64 : load->rule_capacity * 2;
        struct iv_rule **rules = iv_load_alloc(load, capacity, sizeof *rules);
        const struct iv_yaml_node **nodes = iv_load_alloc(load, capacity, sizeof *nodes);
        const struct iv_yaml_node **all_tests = iv_load_alloc(load, capacity, sizeof *all_tests);
        bool *all_broken = iv_load_alloc(load, capacity, sizeof *all_broken);
        if (rules == NULL || nodes == NULL || all_tests == NULL || all_broken == NULL) {
            return false;
        }
        for (size_t i = 0; i < load->rule_count; i++) {
            rules[i] = load->rules[i];
            nodes[i] = load->rule_nodes[i];
            all_tests[i] = body->tests[i];
            all_broken[i] = load->broken[i];
        }
        load->rules = rules;
        load->rule_nodes = nodes;
        body->tests = all_tests;
        load->broken = all_broken;
        load->rule_capacity = capacity;
    }
    load->rules[load->rule_count] = rule;
    load->rule_nodes[load->rule_count] = node;
    load->broken[load->rule_count] = broken;
    body->tests[load->rule_count++] = tests;
    return true;
}

/* Whoever could have another event taken for a canary could hide a violation in it. */
static void check_canary(struct iv_load *load, const struct iv_rule *rule, const struct iv_yaml_node *node)
{
    const struct iv_catalogue *catalogue = load->body->catalogue;
    const struct iv_event_type *own = iv_catalogue_find(catalogue, IV_STR(IV_CANARY_TYPE));
    bool alone = own != NULL && iv_selector_has(&rule->on, own);
    for (size_t i = 0; alone && i < iv_catalogue_types(catalogue); i++) {
        const struct iv_event_type *type = iv_catalogue_type(catalogue, i);
        alone = type == own || !iv_selector_has(&rule->on, type);
    }
    if (!alone || iv_selector_has(&rule->on, iv_catalogue_unknown(catalogue))) {
        iv_yaml_error(load->problems, iv_yaml_at(node, "mode"),
                      "a canary is triggered by " IV_CANARY_TYPE
                      " alone, which 'events' declares: of anything else it would hide violations");
    }
    if (rule->remediate.p != NULL) {
        iv_yaml_error(load->problems, iv_yaml_at(node, "remediate"), "nothing is to be done about a canary");
    }
}

static void load_rule(struct iv_load *load, const struct iv_yaml_node *node, struct iv_str pack)
{
    struct iv_rule_load rl = {.load = load};
    struct iv_yaml_map map;
    size_t errors = iv_problems_errors(load->problems);
    if (!iv_yaml_open(&map, node, "rule", load->problems) || !start_rule(&rl, node, pack)) {
        return;
    }
    load_about(&rl, &map);
    struct iv_yaml_map on;
    (void)iv_yaml_open(&on, iv_yaml_need(&map, "on"), "on", load->problems);
    bool known = iv_side_load(&rl, &rl.on, &on, IV_SLOT_TRIGGER);
    iv_yaml_close(&on);
    rl.rule->on = rl.on.select;
    if (known) {
        declare_trigger(&rl);
    }
    if (known && !iv_load_failed(load) && rl.rule->mode == IV_MODE_CANARY) {
        check_canary(load, rl.rule, node);
    }
    rl.rule->where = iv_expr_load(&rl, rl.on_env, iv_yaml_get(&map, "where"), &iv_cel_bool);
    iv_form_load(&rl, &map);
    const struct iv_yaml_node *tests = iv_yaml_get(&map, "tests");
    check_tests(load, tests);
    iv_yaml_close(&map);
    if (!iv_load_failed(load)) {
        iv_scope_load(&rl);
        iv_reads_load(&rl);
        (void)add_rule(load, rl.rule, node, tests, iv_problems_errors(load->problems) > errors);
    }
}

static bool is_wanted(const struct iv_load *load, const struct iv_yaml_node *rule)
{
    const struct iv_yaml_node *id = iv_yaml_at(rule, "id");
    return load->trial == NULL ||
           (id != NULL && id->kind == IV_YAML_SCALAR && iv_str_eq(id->text, load->trial->rule));
}

void iv_load_pack(struct iv_load *load, const struct iv_yaml_node *root)
{
    struct iv_yaml_map map;
    if (!iv_yaml_open(&map, root, "rule pack", load->problems)) {
        return;
    }
    struct iv_str name = iv_load_head(load, &map, "RulePack", false, NULL);
    struct iv_yaml_items rules;
    (void)iv_yaml_list(&rules, iv_yaml_need(&map, "rules"), load->problems);
    iv_yaml_close(&map);
    const struct iv_yaml_node **packs = iv_load_alloc(load, load->pack_count + 1, sizeof *packs);
    if (packs == NULL) {
        return;
    }
    for (size_t i = 0; i < load->pack_count; i++) {
        packs[i] = load->packs[i];
    }
    packs[load->pack_count++] = root;
    load->packs = packs;
    for (size_t i = 0; i < rules.count && !iv_load_failed(load); i++) {
        if (load->rule_count == RULES_MAX) {
            iv_yaml_error(load->problems, iv_yaml_item(&rules, i), "more than %u rules", RULES_MAX);
            return;
        }
        if (is_wanted(load, iv_yaml_item(&rules, i))) {
            load_rule(load, iv_yaml_item(&rules, i), name);
        }
    }
}
