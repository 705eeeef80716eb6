/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/guard.h"
#include "baseline/baseline.h"
#include "baseline/yaml_fields.h"
#include "respond/action.h"
#include "respond/playbook_internal.h"

#include <stdio.h>
#include <string.h>

#define ATTEMPTS_MAX 20
#define TIMEOUT_MAX (5 * 60 * IV_NS_PER_S)
#define UNDO_AFTER_MAX (365 * 24 * 3600 * IV_NS_PER_S)
#define BACKOFF_MAX (24 * 3600 * IV_NS_PER_S)
#define DEDUP_DEFAULT (10 * 60 * IV_NS_PER_S)
#define DEDUP_MAX (24 * 3600 * IV_NS_PER_S)

static const struct iv_playbook_step step_defaults = {
    .timeout = 5 * IV_NS_PER_S,
    .attempts = 5,
    .backoff = 500 * IV_NS_PER_MS,
    .backoff_max = 60 * IV_NS_PER_S,
};

struct loader {
    struct iv_playbooks *playbooks;
    const struct iv_baseline *baseline;
    struct iv_problems *problems;
    struct iv_template_rules rules; /* that name the playbook at hand */
    const struct iv_rule **rule_room;
    const struct iv_instant *now; /* approvers' keys must be valid then; NULL: some day */
};

static iv_rc keep_str(struct loader *l, struct iv_str *s, struct iv_err *err)
{
    if (s->p != NULL) {
        *s = iv_arena_str(&l->playbooks->arena, *s);
        ENSURE(s->p != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
    }
    return IV_OK;
}

static void check_range(const struct iv_yaml_node *node, iv_ns value, iv_ns min, iv_ns max, const char *words,
                        struct iv_problems *problems)
{
    if (node != NULL && (value < min || value > max)) {
        iv_yaml_error(problems, node, "must be %s", words);
    }
}

static void parse_times(struct loader *l, struct iv_playbook_step *step, struct iv_yaml_map *map)
{
    const struct iv_yaml_node *timeout = iv_yaml_get(map, "timeout");
    (void)iv_yaml_duration(&step->timeout, timeout, l->problems);
    check_range(timeout, step->timeout, IV_NS_PER_MS, TIMEOUT_MAX, "between 1ms and 5m", l->problems);

    const struct iv_yaml_node *node = iv_yaml_get(map, "retry");
    if (node == NULL) {
        return;
    }
    struct iv_yaml_map retry;
    (void)iv_yaml_open(&retry, node, "retry", l->problems);
    (void)iv_yaml_int(&step->attempts, iv_yaml_get(&retry, "attempts"), 1, ATTEMPTS_MAX, l->problems);
    const struct iv_yaml_node *backoff = iv_yaml_get(&retry, "backoff");
    (void)iv_yaml_duration(&step->backoff, backoff, l->problems);
    check_range(backoff, step->backoff, IV_NS_PER_MS, BACKOFF_MAX, "between 1ms and 1d", l->problems);
    const struct iv_yaml_node *limit = iv_yaml_get(&retry, "max_backoff");
    (void)iv_yaml_duration(&step->backoff_max, limit, l->problems);
    check_range(limit, step->backoff_max, step->backoff, BACKOFF_MAX, "between backoff and 1d", l->problems);
    iv_yaml_close(&retry);
}

/* Exactly one of the keys that kinds of action have. */
static iv_rc parse_action(struct loader *l, struct iv_arguments *out, struct iv_yaml_map *map,
                          struct iv_err *err)
{
    const struct iv_action_kind *kind = NULL;
    const struct iv_yaml_node *found = NULL;
    char names[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < iv_action_kind_count; i++) {
        const struct iv_yaml_node *node = iv_yaml_get(map, iv_action_kinds[i]->name);
        int n = snprintf(names + used, sizeof names - used, "%s'%s'", i == 0 ? "" : ", ",
                         iv_action_kinds[i]->name);
        used += n > 0 && (size_t)n < sizeof names - used ? (size_t)n : 0;
        if (node != NULL && found != NULL) {
            iv_yaml_error(l->problems, node, "a step has one action only, and this one has '%s' already",
                          kind->name);
        } else if (node != NULL) {
            found = node;
            kind = iv_action_kinds[i];
        }
    }
    if (found == NULL) {
        iv_yaml_error(l->problems, map->node, "a step needs an action, one of %s", names);
        return IV_OK;
    }
    return iv_arguments_parse(out, &l->playbooks->arena, kind, found, &l->rules, l->problems, err);
}

/* What follows it when it goes wrong, and whether it is for such a case alone. */
static void parse_order(struct loader *l, struct iv_playbook_step *step, bool is_first,
                        struct iv_yaml_map *map)
{
    static const char *const words[] = {"stop", "continue", "escalate"};
    static const char *const cases[] = {"escalated"};
    size_t chosen = IV_ON_FAILURE_STOP;
    size_t only = 0;
    const struct iv_yaml_node *on_failure = iv_yaml_get(map, "on_failure");
    (void)(on_failure != NULL && iv_yaml_choice(&chosen, on_failure, words, IV_COUNT(words), l->problems));
    step->on_failure = (enum iv_on_failure)chosen;
    const struct iv_yaml_node *node = iv_yaml_get(map, "only");
    step->only_escalated = node != NULL && iv_yaml_choice(&only, node, cases, IV_COUNT(cases), l->problems);
    if (step->only_escalated && is_first) {
        iv_yaml_error(l->problems, node, "the first step has nothing before it that could go wrong");
    }
}

static iv_rc parse_undo(struct loader *l, struct iv_playbook_step *step, const struct iv_yaml_node *node,
                        struct iv_err *err)
{
    struct iv_yaml_map map;
    if (node == NULL || !iv_yaml_open(&map, node, "undo", l->problems)) {
        return IV_OK;
    }
    const struct iv_yaml_node *after = iv_yaml_need(&map, "after");
    (void)iv_yaml_duration(&step->undo_after, after, l->problems);
    check_range(after, step->undo_after, IV_NS_PER_S, UNDO_AFTER_MAX, "between 1s and 365d", l->problems);
    TRY(parse_action(l, &step->undo, &map, err));
    iv_yaml_close(&map);
    return IV_OK;
}

/* A step that is there for the case that something went wrong must have one before it that leads there. */
static void check_escalations(struct loader *l, const struct iv_playbook *playbook,
                              const struct iv_yaml_items *items)
{
    for (size_t i = 0; i < playbook->step_count && playbook->step_count == items->count; i++) {
        bool leads = false;
        for (size_t j = i + 1; j < playbook->step_count; j++) {
            leads = leads || playbook->steps[j].only_escalated;
        }
        if (playbook->steps[i].on_failure == IV_ON_FAILURE_ESCALATE && !leads) {
            iv_yaml_error(l->problems, iv_yaml_item(items, i),
                          "on_failure: escalate needs a later step with 'only: escalated'");
        }
    }
}

static iv_rc parse_step(struct loader *l, struct iv_playbook *playbook, const struct iv_yaml_node *node,
                        struct iv_err *err)
{
    struct iv_playbook_step step = step_defaults;
    struct iv_yaml_map map;
    if (!iv_yaml_open(&map, node, "step", l->problems)) {
        return IV_OK;
    }
    const struct iv_yaml_node *name = iv_yaml_need(&map, "name");
    (void)iv_yaml_string(&step.name, name, l->problems);
    for (size_t i = 0; i < playbook->step_count; i++) {
        if (name != NULL && iv_str_eq(playbook->steps[i].name, step.name)) {
            iv_yaml_error(l->problems, name, "another step of this playbook is called '" IV_STR_FMT "'",
                          IV_STR_ARG(step.name));
        }
    }
    TRY(keep_str(l, &step.name, err));
    const struct iv_yaml_node *expect = iv_yaml_get(&map, "expect");
    if (expect != NULL) {
        TRY(iv_expectation_parse(&step.expect, &l->playbooks->arena, expect, l->baseline, &l->rules,
                                 l->problems, err));
    }
    parse_times(l, &step, &map);
    TRY(parse_action(l, &step.arguments, &map, err));
    parse_order(l, &step, playbook->step_count == 0, &map);
    TRY(parse_undo(l, &step, iv_yaml_get(&map, "undo"), err));
    iv_yaml_close(&map);
    playbook->steps[playbook->step_count++] = step;
    return IV_OK;
}

static iv_rc parse_steps(struct loader *l, struct iv_playbook *playbook, const struct iv_yaml_node *node,
                         struct iv_err *err)
{
    struct iv_yaml_items items;
    if (!iv_yaml_list(&items, node, l->problems)) {
        return IV_OK;
    }
    if (items.count == 0 || items.count > IV_PLAYBOOK_STEPS_MAX) {
        iv_yaml_error(l->problems, node, "must hold 1 to %d steps", IV_PLAYBOOK_STEPS_MAX);
        return IV_OK;
    }
    for (size_t i = 0; i < items.count; i++) {
        TRY(parse_step(l, playbook, iv_yaml_item(&items, i), err));
    }
    check_escalations(l, playbook, &items);
    return IV_OK;
}

static void check_header(struct loader *l, struct iv_yaml_map *map)
{
    static const struct {
        const char *key;
        const char *want;
    } rows[] = {{"apiVersion", "invigil/v1"}, {"kind", "Playbook"}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct iv_yaml_node *node = iv_yaml_need(map, rows[i].key);
        struct iv_str value;
        if (iv_yaml_string(&value, node, l->problems) && !iv_str_eq(value, iv_str_of(rows[i].want))) {
            iv_yaml_error(l->problems, node, "must be '%s'", rows[i].want);
        }
    }
}

static iv_rc parse_names(struct loader *l, struct iv_playbook *playbook, struct iv_yaml_map *map,
                         struct iv_err *err)
{
    struct iv_yaml_map metadata;
    (void)iv_yaml_open(&metadata, iv_yaml_need(map, "metadata"), "metadata", l->problems);
    (void)iv_yaml_string(&playbook->name, iv_yaml_need(&metadata, "name"), l->problems);
    (void)iv_yaml_string(&playbook->title, iv_yaml_need(&metadata, "title"), l->problems);
    iv_yaml_close(&metadata);
    (void)iv_yaml_string(&playbook->description, iv_yaml_get(map, "description"), l->problems);
    TRY(keep_str(l, &playbook->name, err));
    TRY(keep_str(l, &playbook->title, err));
    return keep_str(l, &playbook->description, err);
}

/* The rules whose triggers the templates are checked against. */
static void select_rules(struct loader *l, const struct iv_playbook *playbook)
{
    l->rules = (struct iv_template_rules){.catalogue = l->baseline->catalogue, .rules = l->rule_room};
    for (size_t i = 0; i < l->baseline->rule_count; i++) {
        const struct iv_rule *rule = l->baseline->rules[i];
        bool named = rule->remediate.p != NULL && iv_str_eq(rule->remediate, playbook->name);
        if (named || iv_occasions_cover(&playbook->on, rule)) {
            l->rule_room[l->rules.count++] = rule;
        }
    }
}

/* "{{trigger.FIELD?}}", though no trigger may have the field. */
static iv_rc touch_field(struct loader *l, struct iv_template *out, struct iv_str field, struct iv_err *err)
{
    struct iv_template_part *part = iv_arena_zalloc(&l->playbooks->arena, sizeof *part);
    ENSURE(part != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
    *out = (struct iv_template){part, 0};
    for (size_t id = 0; id < iv_catalogue_names(l->baseline->catalogue); id++) {
        if (iv_str_eq(iv_catalogue_name(l->baseline->catalogue, (uint16_t)id), field)) {
            *part = (struct iv_template_part){
                .is_reference = true,
                .reference = {
                    .scope = IV_SCOPE_TRIGGER, .name = field, .name_id = (uint16_t)id, .optional = true}};
            out->count = 1;
        }
    }
    return IV_OK;
}

/* All that is done would count as done to one, and a guard that counts different ones see no storm. */
static void check_touch(struct loader *l, const struct iv_template *touch, const struct iv_yaml_node *node,
                        const char *what)
{
    bool refers = false;
    for (size_t i = 0; i < touch->count; i++) {
        refers = refers || touch->parts[i].is_reference;
    }
    if (!refers) {
        iv_yaml_warning(l->problems, node,
                        "is the same for every execution, so that guards never see a second %s: "
                        "a template is meant, such as \"{{trigger.%s}}\"",
                        what, strcmp(what, "enclave") == 0 ? "enclave_id" : what);
    }
}

/* What guards count is the trigger's own unless the playbook says otherwise. */
static iv_rc parse_touches(struct loader *l, struct iv_playbook *playbook, const struct iv_yaml_node *node,
                           struct iv_err *err)
{
    const struct {
        const char *key;
        struct iv_template *out;
        struct iv_str field;
    } rows[] = {{"agent", &playbook->touches.agent, IV_STR("agent")},
                {"tenant", &playbook->touches.tenant, IV_STR("tenant")},
                {"enclave", &playbook->touches.enclave, IV_STR("enclave_id")}};
    struct iv_yaml_map map;
    bool open = node != NULL && iv_yaml_open(&map, node, "touches", l->problems);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct iv_yaml_node *given = open ? iv_yaml_get(&map, rows[i].key) : NULL;
        if (given != NULL) {
            size_t errors = iv_problems_errors(l->problems);
            TRY(iv_template_parse(rows[i].out, &l->playbooks->arena, given, &l->rules, l->problems, err));
            if (iv_problems_errors(l->problems) == errors) {
                check_touch(l, rows[i].out, given, rows[i].key);
            }
        } else {
            TRY(touch_field(l, rows[i].out, rows[i].field, err));
        }
    }
    if (open) {
        iv_yaml_close(&map);
    }
    return IV_OK;
}

/* By a rule of this baseline, or by a playbook that fails. */
static bool is_called_for(const struct loader *l, const struct iv_playbook *playbook)
{
    for (size_t i = 0; i < l->baseline->playbook_count; i++) {
        const struct iv_val *document = &l->baseline->playbooks[i].document;
        struct iv_str to = iv_request_text(document, "escalate_to");
        if (to.p != NULL && iv_str_eq(to, playbook->name)) {
            return true;
        }
    }
    return l->rules.count > 0;
}

/* What is never begun waits for nobody: one file serves several baselines. */
static iv_rc parse_approval(struct loader *l, struct iv_playbook *playbook, const struct iv_yaml_node *node,
                            struct iv_err *err)
{
    const struct iv_quorum_keys keys = {
        .keyring = is_called_for(l, playbook) ? l->baseline->keyring : NULL,
        .now = l->now,
    };
    return iv_quorum_parse(&playbook->approval, node, &keys, &l->playbooks->arena, l->problems, err);
}

/* Of those that are loaded already; the last one of a circle finds it closed. */
static bool leads_back(const struct loader *l, struct iv_str from, struct iv_str to)
{
    const struct iv_playbook *at = iv_playbooks_find(l->playbooks, from);
    for (size_t i = 0; at != NULL && i <= l->playbooks->count; i++) {
        if (iv_str_eq(at->name, to)) {
            return true;
        }
        at = at->escalate_to.p == NULL ? NULL : iv_playbooks_find(l->playbooks, at->escalate_to);
    }
    return false;
}

static iv_rc parse_escalation(struct loader *l, struct iv_playbook *playbook, const struct iv_yaml_node *node,
                              struct iv_err *err)
{
    const struct iv_baseline *b = l->baseline;
    struct iv_str to;
    if (node == NULL || !iv_yaml_string(&to, node, l->problems)) {
        return IV_OK;
    }
    struct iv_str *names = iv_arena_zalloc(&l->playbooks->arena, (b->playbook_count + 1) * sizeof *names);
    ENSURE(names != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
    bool known = false;
    for (size_t i = 0; i < b->playbook_count; i++) {
        names[i] = b->playbooks[i].name;
        known = known || iv_str_eq(names[i], to);
    }
    if (!known) {
        iv_yaml_error(l->problems, node, "there is no playbook '" IV_STR_FMT "'%s", IV_STR_ARG(to),
                      iv_yaml_nearest(to, names, b->playbook_count).text);
        return IV_OK;
    }
    if (leads_back(l, to, playbook->name)) {
        iv_yaml_error(l->problems, node,
                      "goes round in a circle: '" IV_STR_FMT "' leads back to '" IV_STR_FMT "'",
                      IV_STR_ARG(to), IV_STR_ARG(playbook->name));
        return IV_OK;
    }
    playbook->escalate_to = to;
    return keep_str(l, &playbook->escalate_to, err);
}

static iv_rc parse_playbook(struct loader *l, struct iv_playbook *playbook, const struct iv_yaml_node *root,
                            struct iv_err *err)
{
    static const char *const tactics[] = {"isolate", "evict", "restore", "harden", "detect"};
    struct iv_yaml_map map;
    if (!iv_yaml_open(&map, root, "playbook", l->problems)) {
        return IV_OK;
    }
    check_header(l, &map);
    TRY(parse_names(l, playbook, &map, err));
    TRY(iv_occasions_parse(&playbook->on, &l->playbooks->arena, iv_yaml_get(&map, "on"), l->baseline,
                           l->problems, err));
    select_rules(l, playbook);
    size_t tactic = IV_TACTIC_EVICT - 1;
    (void)iv_yaml_choice(&tactic, iv_yaml_get(&map, "tactic"), tactics, IV_COUNT(tactics), l->problems);
    playbook->tactic = (enum iv_tactic)(tactic + 1);
    const struct iv_yaml_node *target = iv_yaml_need(&map, "target");
    if (target != NULL) {
        TRY(iv_template_parse(&playbook->target, &l->playbooks->arena, target, &l->rules, l->problems, err));
    }
    static const char *const modes[] = {"enforce", "observe"};
    size_t mode = 0;
    const struct iv_yaml_node *mode_node = iv_yaml_get(&map, "mode");
    (void)(mode_node != NULL && iv_yaml_choice(&mode, mode_node, modes, IV_COUNT(modes), l->problems));
    playbook->observed = mode == 1;
    playbook->dedup = DEDUP_DEFAULT;
    const struct iv_yaml_node *dedup = iv_yaml_get(&map, "dedup");
    (void)iv_yaml_duration(&playbook->dedup, dedup, l->problems);
    check_range(dedup, playbook->dedup, 0, DEDUP_MAX, "between 0s and 1d", l->problems);
    iv_limits_parse(&playbook->limits, iv_yaml_get(&map, "guards"), l->problems);
    TRY(parse_approval(l, playbook, iv_yaml_get(&map, "approval"), err));
    TRY(parse_touches(l, playbook, iv_yaml_get(&map, "touches"), err));
    TRY(parse_escalation(l, playbook, iv_yaml_get(&map, "escalate_to"), err));
    TRY(parse_steps(l, playbook, iv_yaml_need(&map, "steps"), err));
    iv_yaml_close(&map);
    return IV_OK;
}

static iv_rc load_one(struct loader *l, const struct iv_playbook_source *source, struct iv_err *err)
{
    IV_AUTO(iv_yaml_freep) struct iv_yaml *document = NULL;
    struct iv_rc_s rc = iv_yaml_parse(&document, source->file, source->text, NULL, l->problems, err);
    if (!iv_ok(rc)) {
        return rc.code == IV_E_REFUSED ? IV_OK : rc;
    }
    return parse_playbook(l, &l->playbooks->items[l->playbooks->count++], iv_yaml_root(document), err);
}

static iv_rc load(struct iv_playbooks **out, const struct iv_baseline *baseline, const struct iv_instant *now,
                  struct iv_problems *problems, struct iv_err *err)
{
    IV_AUTO(iv_playbooks_unrefp) struct iv_playbooks *playbooks = iv_calloc(1, sizeof *playbooks);
    ENSURE(playbooks != NULL, err, IV_E_NOMEM, "cannot allocate playbooks");
    atomic_init(&playbooks->references, 1);
    iv_arena_init(&playbooks->arena, 0);
    playbooks->baseline = baseline;
    playbooks->params = iv_arena_zalloc(&playbooks->arena, sizeof *playbooks->params);
    ENSURE(playbooks->params != NULL, err, IV_E_NOMEM, "cannot allocate playbooks");
    IV_CHECK(pthread_mutex_init(&playbooks->params->lock, NULL) == 0);
    struct loader l = {.playbooks = playbooks, .baseline = baseline, .problems = problems, .now = now};
    playbooks->items =
        iv_arena_zalloc(&playbooks->arena, (baseline->playbook_count + 1) * sizeof *playbooks->items);
    l.rule_room = iv_arena_zalloc(&playbooks->arena, (baseline->rule_count + 1) * sizeof *l.rule_room);
    ENSURE(playbooks->items != NULL && l.rule_room != NULL, err, IV_E_NOMEM, "cannot allocate playbooks");
    for (size_t i = 0; i < baseline->playbook_count; i++) {
        TRY(load_one(&l, &baseline->playbooks[i], err));
    }
    TRY(iv_problems_done(problems, "the set of playbooks", err));
    *out = TAKE(playbooks);
    return IV_OK;
}

iv_rc iv_playbooks_load(struct iv_playbooks **out, const struct iv_baseline *baseline,
                        struct iv_problems *problems, struct iv_err *err)
{
    return load(out, baseline, NULL, problems, err);
}

iv_rc iv_playbooks_check(const struct iv_baseline *baseline, iv_ns now, struct iv_problems *problems,
                         struct iv_err *err)
{
    IV_AUTO(iv_playbooks_unrefp) struct iv_playbooks *playbooks = NULL;
    const struct iv_instant at = iv_instant_of_ns(now);
    return load(&playbooks, baseline, &at, problems, err);
}

struct iv_playbooks *iv_playbooks_ref(struct iv_playbooks *playbooks)
{
    if (playbooks != NULL) {
        (void)atomic_fetch_add(&playbooks->references, 1);
    }
    return playbooks;
}

void iv_playbooks_unref(struct iv_playbooks *playbooks)
{
    if (playbooks != NULL && atomic_fetch_sub(&playbooks->references, 1) == 1) {
        for (size_t i = 0; i < playbooks->count; i++) {
            iv_occasions_deinit(&playbooks->items[i].on);
        }
        if (playbooks->params != NULL) {
            iv_params_free(playbooks->params->made);
            (void)pthread_mutex_destroy(&playbooks->params->lock);
        }
        iv_arena_deinit(&playbooks->arena);
        iv_free(playbooks);
    }
}

void iv_playbooks_unrefp(struct iv_playbooks **playbooks)
{
    iv_playbooks_unref(*playbooks);
}

const struct iv_playbook *iv_playbooks_find(const struct iv_playbooks *playbooks, struct iv_str name)
{
    for (size_t i = 0; i < playbooks->count; i++) {
        if (iv_str_eq(playbooks->items[i].name, name)) {
            return &playbooks->items[i];
        }
    }
    return NULL;
}

void iv_playbooks_observe(struct iv_playbooks *playbooks)
{
    playbooks->observed = true;
}

static iv_rc locate(struct iv_playbooks *playbooks, struct iv_arguments *arguments,
                    const struct iv_endpoint *endpoints, size_t count, struct iv_err *err)
{
    struct iv_str name = iv_arguments_name(arguments, IV_STR("endpoint"));
    if (name.p == NULL) {
        return IV_OK;
    }
    struct iv_str url = IV_STR("");
    for (size_t i = 0; i < count; i++) {
        url = iv_str_eq(endpoints[i].name, name) ? endpoints[i].url : url;
    }
    arguments->address = iv_arena_str(&playbooks->arena, url);
    ENSURE(arguments->address.p != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
    return IV_OK;
}

iv_rc iv_playbooks_locate(struct iv_playbooks *playbooks, const struct iv_endpoint *endpoints, size_t count,
                          struct iv_err *err)
{
    for (size_t i = 0; i < playbooks->count; i++) {
        struct iv_playbook *playbook = &playbooks->items[i];
        for (size_t s = 0; s < playbook->step_count; s++) {
            TRY(locate(playbooks, &playbook->steps[s].arguments, endpoints, count, err));
            TRY(locate(playbooks, &playbook->steps[s].undo, endpoints, count, err));
        }
    }
    return IV_OK;
}

size_t iv_playbooks_count(const struct iv_playbooks *playbooks)
{
    return playbooks->count;
}
