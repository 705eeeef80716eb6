/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/occasion.h"

#include "base/guard.h"
#include "baseline/baseline.h"
#include "baseline/criteria.h"
#include "baseline/event_schema.h"
#include "baseline/yaml_fields.h"

#include <string.h>

#define OCCASIONS_MAX 32
#define NAMES_MAX 64
#define RUN_MAX_BYTES (4u << 20)
#define CRITERIA_MAX 128

/* Beside the events and the baseline's parameters. */
enum { BANK_FINDING = IV_BANK_PARAMETERS + 1 };
enum { F_UID, F_RULE, F_TITLE, F_SEVERITY, F_CRITERIA, F_TENANT, F_AGENT, F_TIME, F_MODE, F_SLOTS };

static const struct iv_cel_type list_of_string = {.kind = IV_CEL_LIST, .args = {&iv_cel_string}};

static const struct {
    struct iv_str name;
    const struct iv_cel_type *type;
} finding_vars[F_SLOTS] = {
    [F_UID] = {IV_STR_INIT("finding.uid"), &iv_cel_string},
    [F_RULE] = {IV_STR_INIT("finding.rule"), &iv_cel_string},
    [F_TITLE] = {IV_STR_INIT("finding.title"), &iv_cel_string},
    [F_SEVERITY] = {IV_STR_INIT("finding.severity"), &iv_cel_string},
    [F_CRITERIA] = {IV_STR_INIT("finding.criteria"), &list_of_string},
    [F_TENANT] = {IV_STR_INIT("finding.tenant"), &iv_cel_string},
    [F_AGENT] = {IV_STR_INIT("finding.agent"), &iv_cel_string},
    [F_TIME] = {IV_STR_INIT("finding.time"), &iv_cel_timestamp},
    [F_MODE] = {IV_STR_INIT("finding.mode"), &iv_cel_string},
};

static const char *const severities[] = {[IV_SEV_INFO] = "info",
                                         [IV_SEV_LOW] = "low",
                                         [IV_SEV_MEDIUM] = "medium",
                                         [IV_SEV_HIGH] = "high",
                                         [IV_SEV_CRITICAL] = "critical"};

struct parser {
    struct iv_arena *arena;
    const struct iv_baseline *baseline;
    struct iv_problems *problems;
};

static bool any_glob(const struct iv_str *globs, size_t count, struct iv_str name)
{
    bool any = count == 0;
    for (size_t i = 0; i < count && !any; i++) {
        any = iv_glob(globs[i], name);
    }
    return any;
}

static bool any_of(const struct iv_str *names, size_t count, struct iv_str name)
{
    bool any = false;
    for (size_t i = 0; i < count && !any; i++) {
        any = iv_str_eq(names[i], name);
    }
    return any;
}

static bool covers(const struct iv_occasion *o, const struct iv_rule *rule)
{
    bool evidences = o->criterion_count == 0;
    for (size_t i = 0; i < rule->criteria_count && !evidences; i++) {
        evidences = any_of(o->criteria, o->criterion_count, rule->criteria[i]);
    }
    return evidences && any_glob(o->rules, o->rule_count, rule->id) &&
           (o->severities == 0 || (o->severities >> rule->severity & 1) != 0);
}

bool iv_occasions_cover(const struct iv_occasions *occasions, const struct iv_rule *rule)
{
    bool any = false;
    for (size_t i = 0; i < occasions->count && !any; i++) {
        any = covers(&occasions->items[i], rule);
    }
    return any;
}

/* A playbook may serve baselines that lack the rule: so it is a warning. */
static void check_rule(const struct parser *p, struct iv_str glob, const struct iv_yaml_node *node)
{
    struct iv_str names[NAMES_MAX * 8];
    size_t count = 0;
    for (size_t i = 0; i < p->baseline->rule_count; i++) {
        struct iv_str id = p->baseline->rules[i]->id;
        if (iv_glob(glob, id)) {
            return;
        }
        if (count < IV_COUNT(names)) {
            names[count++] = id;
        }
    }
    iv_yaml_warning(p->problems, node, "no rule of this baseline is called '" IV_STR_FMT "'%s",
                    IV_STR_ARG(glob), iv_yaml_nearest(glob, names, count).text);
}

static void check_criterion(const struct parser *p, struct iv_str id, const struct iv_yaml_node *node)
{
    struct iv_str names[CRITERIA_MAX];
    size_t count = 0;
    while (count < CRITERIA_MAX && iv_criterion_at(count) != NULL) {
        names[count] = iv_str_of(iv_criterion_at(count)->name);
        count++;
    }
    if (!any_of(names, count, id)) {
        iv_yaml_warning(p->problems, node, "'" IV_STR_FMT "' is none of the Trust Services Criteria%s",
                        IV_STR_ARG(id), iv_yaml_nearest(id, names, count).text);
    }
}

static iv_rc parse_names(const struct parser *p, struct iv_str **out, size_t *count,
                         const struct iv_yaml_node *node,
                         void (*check)(const struct parser *, struct iv_str, const struct iv_yaml_node *),
                         struct iv_err *err)
{
    if (node == NULL) {
        return IV_OK;
    }
    struct iv_yaml_items items = iv_yaml_items(node, p->problems);
    if (items.count == 0 || items.count > NAMES_MAX) {
        iv_yaml_error(p->problems, node, "must name 1 to %d", NAMES_MAX);
        return IV_OK;
    }
    *out = iv_arena_zalloc(p->arena, items.count * sizeof **out);
    ENSURE(*out != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
    for (size_t i = 0; i < items.count; i++) {
        struct iv_str name;
        if (iv_yaml_string(&name, iv_yaml_item(&items, i), p->problems)) {
            check(p, name, iv_yaml_item(&items, i));
            ENSURE(iv_arena_keep(p->arena, &name), err, IV_E_NOMEM, "cannot allocate a playbook");
            (*out)[(*count)++] = name;
        }
    }
    return IV_OK;
}

static void parse_severities(const struct parser *p, unsigned *out, const struct iv_yaml_node *node)
{
    if (node == NULL) {
        return;
    }
    struct iv_yaml_items items = iv_yaml_items(node, p->problems);
    if (items.count == 0) {
        iv_yaml_error(p->problems, node, "must name a severity");
    }
    for (size_t i = 0; i < items.count; i++) {
        size_t severity = 0;
        if (iv_yaml_choice(&severity, iv_yaml_item(&items, i), severities, IV_COUNT(severities),
                           p->problems)) {
            *out |= 1U << severity;
        }
    }
}

/* An object with the fields of whatever may trigger the rules that the entry covers. */
static const struct iv_cel_type *trigger_type(const struct parser *p, const struct iv_occasion *o)
{
    const struct iv_catalogue *catalogue = p->baseline->catalogue;
    size_t words = iv_catalogue_types(catalogue) / 64 + 1;
    uint64_t *types = iv_arena_zalloc(p->arena, words * sizeof *types);
    for (size_t i = 0; types != NULL && i < p->baseline->rule_count; i++) {
        const struct iv_rule *rule = p->baseline->rules[i];
        for (size_t w = 0; w < words && covers(o, rule); w++) {
            types[w] |= rule->on.types[w];
        }
    }
    struct iv_selector all = {.types = types};
    return types == NULL ? NULL : iv_event_schema(p->arena, catalogue, &all);
}

static iv_rc declare(const struct parser *p, struct iv_cel_env *env, const struct iv_occasion *o,
                     struct iv_err *err)
{
    const struct iv_cel_type *type = trigger_type(p, o);
    ENSURE(type != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
    struct iv_cel_var trigger = {IV_STR("trigger"), type, IV_BANK_EVENTS, IV_SLOT_TRIGGER};
    TRY(iv_cel_env_var(env, &trigger, err));
    for (uint16_t i = 0; i < F_SLOTS; i++) {
        struct iv_cel_var var = {finding_vars[i].name, finding_vars[i].type, BANK_FINDING, i};
        TRY(iv_cel_env_var(env, &var, err));
    }
    return IV_OK;
}

static bool reads_parameters(const struct iv_cel_prog *prog, const struct iv_baseline *baseline)
{
    bool reads = false;
    for (size_t slot = 0; slot < baseline->parameter_count && !reads; slot++) {
        reads = iv_cel_prog_uses(prog, IV_BANK_PARAMETERS, (uint16_t)slot);
    }
    return reads;
}

static iv_rc compile(const struct parser *p, struct iv_occasion *o, const struct iv_cel_env *env,
                     struct iv_str source, const struct iv_yaml_node *node, struct iv_err *err)
{
    struct iv_cel_options options = {.expect = &iv_cel_bool};
    struct iv_cel_diags diags = {0};
    struct iv_rc_s rc = iv_cel_compile(&o->when, env, source, &options, &diags, err);
    for (size_t i = 0; i < diags.count; i++) {
        const struct iv_cel_diag *d = &diags.items[i];
        (d->warning ? iv_yaml_warning_inside : iv_yaml_error_inside)(p->problems, node, d->offset, d->length,
                                                                     "%s", d->text);
    }
    iv_cel_diags_deinit(&diags);
    o->reads_parameters = iv_ok(rc) && reads_parameters(o->when, p->baseline);
    return rc.code == IV_E_SYNTAX || rc.code == IV_E_TYPE ? IV_OK : rc;
}

static iv_rc parse_when(const struct parser *p, struct iv_occasion *o, const struct iv_yaml_node *node,
                        struct iv_err *err)
{
    struct iv_str source;
    if (node == NULL || !iv_yaml_string(&source, node, p->problems)) {
        return IV_OK;
    }
    IV_AUTO(iv_cel_env_freep) struct iv_cel_env *plain = NULL;
    IV_AUTO(iv_cel_env_freep) struct iv_cel_env *env = NULL;
    const struct iv_cel_env *parent = p->baseline->expressions;
    if (parent == NULL) {
        TRY(iv_cel_env_new(&plain, err));
        parent = plain;
    }
    TRY(iv_cel_env_extend(&env, parent, err));
    TRY(declare(p, env, o, err));
    return compile(p, o, env, source, node, err);
}

static bool covers_any(const struct parser *p, const struct iv_occasion *o)
{
    bool any = false;
    for (size_t i = 0; i < p->baseline->rule_count && !any; i++) {
        any = covers(o, p->baseline->rules[i]);
    }
    return any;
}

static iv_rc parse_occasion(const struct parser *p, struct iv_occasion *o, const struct iv_yaml_node *node,
                            struct iv_err *err)
{
    struct iv_yaml_map map;
    if (!iv_yaml_open(&map, node, "on", p->problems)) {
        return IV_OK;
    }
    if (node->count == 0) {
        iv_yaml_error(p->problems, node, "must have one of rules, severity, criteria and when");
    }
    const struct iv_yaml_node *rules = iv_yaml_get(&map, "rules");
    TRY(parse_names(p, &o->rules, &o->rule_count, rules, check_rule, err));
    parse_severities(p, &o->severities, iv_yaml_get(&map, "severity"));
    const struct iv_yaml_node *criteria = iv_yaml_get(&map, "criteria");
    TRY(parse_names(p, &o->criteria, &o->criterion_count, criteria, check_criterion, err));
    TRY(parse_when(p, o, iv_yaml_get(&map, "when"), err));
    iv_yaml_close(&map);
    if (o->rule_count == 0 && !covers_any(p, o)) {
        iv_yaml_warning(p->problems, node, "covers no rule of this baseline");
    }
    return IV_OK;
}

iv_rc iv_occasions_parse(struct iv_occasions *out, struct iv_arena *arena, const struct iv_yaml_node *node,
                         const struct iv_baseline *baseline, struct iv_problems *problems, struct iv_err *err)
{
    struct parser p = {.arena = arena, .baseline = baseline, .problems = problems};
    struct iv_yaml_items items;
    *out = (struct iv_occasions){NULL, 0};
    if (node == NULL || !iv_yaml_list(&items, node, problems)) {
        return IV_OK;
    }
    if (items.count == 0 || items.count > OCCASIONS_MAX) {
        iv_yaml_error(problems, node, "must hold 1 to %d entries", OCCASIONS_MAX);
        return IV_OK;
    }
    out->items = iv_arena_zalloc(arena, items.count * sizeof *out->items);
    ENSURE(out->items != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
    for (size_t i = 0; i < items.count; i++) {
        TRY(parse_occasion(&p, &out->items[out->count++], iv_yaml_item(&items, i), err));
    }
    return IV_OK;
}

void iv_occasions_deinit(struct iv_occasions *occasions)
{
    for (size_t i = 0; i < occasions->count; i++) {
        iv_cel_prog_free(occasions->items[i].when);
    }
    occasions->count = 0;
}

/* The finding's criteria stand in one text, with spaces between. */
static iv_rc split(struct iv_val *out, struct iv_arena *arena, struct iv_str names, struct iv_err *err)
{
    struct iv_val *items = iv_arena_zalloc(arena, (names.n / 2 + 1) * sizeof *items);
    uint32_t count = 0;
    ENSURE(items != NULL, err, IV_E_NOMEM, "cannot allocate a list of criteria");
    for (size_t i = 0; i < names.n;) {
        const char *space = memchr(names.p + i, ' ', names.n - i);
        size_t n = space == NULL ? names.n - i : (size_t)(space - names.p) - i;
        if (n > 0) {
            items[count++] = iv_val_str((struct iv_str){names.p + i, n});
        }
        i += n + 1;
    }
    *out = (struct iv_val){.kind = IV_KIND_LIST, .n = count, .items = items};
    return IV_OK;
}

static bool concerns(const struct iv_occasion *o, const struct iv_finding *f, const struct iv_val *criteria)
{
    bool evidences = o->criterion_count == 0;
    for (uint32_t i = 0; i < criteria->n && !evidences; i++) {
        evidences = any_of(o->criteria, o->criterion_count, iv_val_slice(criteria->items[i]));
    }
    return evidences && any_glob(o->rules, o->rule_count, f->rule) &&
           (o->severities == 0 || (o->severities >> f->severity & 1) != 0);
}

static iv_rc run(bool *out, const struct iv_occasion *o, struct iv_cel_frame *frame,
                 const struct iv_verdict *verdict, const struct iv_baseline *baseline,
                 struct iv_params **params, struct iv_err *err)
{
    const struct iv_val trigger = {.kind = IV_KIND_OBJECT, .object = &verdict->trigger.object};
    struct iv_val value;
    frame->bank[IV_BANK_EVENTS] = &trigger;
    if (o->reads_parameters) {
        TRY(*params == NULL ? iv_params_new(params, baseline, err) : IV_OK);
        uint32_t set = iv_params_resolve(*params, &verdict->trigger.object);
        ENSURE(set != IV_PARAMS_NONE, err, IV_E_NOMEM, "cannot allocate the parameters");
        frame->bank[IV_BANK_PARAMETERS] = iv_params_bank(*params, set);
    }
    frame->cost = 0;
    TRY(iv_cel_run(o->when, frame, &value, err));
    *out = value.kind == IV_KIND_BOOL && value.b;
    return IV_OK;
}

static iv_rc hold(bool *out, const struct iv_occasions *occasions, struct iv_cel_frame *frame,
                  const struct iv_finding *f, const struct iv_verdict *verdict,
                  const struct iv_baseline *baseline, struct iv_params **params, struct iv_err *err)
{
    struct iv_val slots[F_SLOTS] = {
        [F_UID] = iv_val_str(f->uid),
        [F_RULE] = iv_val_str(f->rule),
        [F_TITLE] = iv_val_str(f->title),
        [F_SEVERITY] = iv_val_str(iv_str_of(iv_severity_name(f->severity))),
        [F_TENANT] = iv_val_str(f->tenant),
        [F_AGENT] = iv_val_str(f->agent),
        [F_TIME] = iv_val_timestamp(iv_instant_of_ns(f->time)),
        [F_MODE] = iv_val_str(iv_str_of(iv_mode_name(f->mode))),
    };
    struct iv_rc_s failed = IV_OK;
    TRY(split(&slots[F_CRITERIA], &frame->arena, f->criteria, err));
    frame->bank[BANK_FINDING] = slots;
    for (size_t i = 0; i < occasions->count && !*out; i++) {
        const struct iv_occasion *o = &occasions->items[i];
        if (!concerns(o, f, &slots[F_CRITERIA])) {
            continue;
        }
        *out = o->when == NULL;
        struct iv_rc_s rc = o->when == NULL ? IV_OK : run(out, o, frame, verdict, baseline, params, err);
        failed = iv_ok(rc) ? failed : rc;
    }
    return *out ? IV_OK : failed;
}

iv_rc iv_occasions_hold(bool *out, const struct iv_occasions *occasions, const struct iv_finding *finding,
                        const struct iv_verdict *verdict, const struct iv_baseline *baseline,
                        struct iv_params **params, struct iv_err *err)
{
    *out = false;
    if (occasions->count == 0) {
        return IV_OK;
    }
    struct iv_cel_frame frame;
    iv_cel_frame_init(&frame, RUN_MAX_BYTES);
    struct iv_rc_s rc = hold(out, occasions, &frame, finding, verdict, baseline, params, err);
    iv_cel_frame_deinit(&frame);
    return rc;
}
