/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/guard.h"
#include "baseline/baseline.h"
#include "baseline/field_type.h"
#include "baseline/yaml_fields.h"
#include "respond/expectation_internal.h"

#include <stdio.h>

#define NAME_MAX_BYTES 1024

static const struct {
    const char *name;
    const struct iv_cel_type *type;
    enum iv_fixed kind;
    uint16_t id;
} plain_names[] = {
    {"target", &iv_cel_string, IV_FIXED_TARGET, 0},
    {"finding.uid", &iv_cel_string, IV_FIXED_FINDING, IV_EXPECT_UID},
    {"finding.rule", &iv_cel_string, IV_FIXED_FINDING, IV_EXPECT_RULE},
    {"finding.severity", &iv_cel_string, IV_FIXED_FINDING, IV_EXPECT_SEVERITY},
    {"finding.tenant", &iv_cel_string, IV_FIXED_FINDING, IV_EXPECT_TENANT},
    {"finding.agent", &iv_cel_string, IV_FIXED_FINDING, IV_EXPECT_AGENT},
    {"finding.time", &iv_cel_timestamp, IV_FIXED_FINDING, IV_EXPECT_TIME},
    {"step.called", &iv_cel_timestamp, IV_FIXED_STEP, 0},
    {"step.done", &iv_cel_timestamp, IV_FIXED_STEP, 0},
};

struct parser {
    struct iv_arena *arena;
    const struct iv_baseline *baseline;
    const struct iv_template_rules *rules;
    struct iv_problems *problems;
    struct iv_fixed_name *names; /* all that there are */
    const struct iv_cel_type **types;
    size_t count;
    size_t known; /* of them: those whose value is known before the call */
};

iv_rc iv_expect_event_type(const struct iv_cel_type **out, struct iv_arena *arena,
                           const struct iv_event_type *type, struct iv_err *err)
{
    struct iv_cel_type *made = iv_arena_zalloc(arena, sizeof *made);
    struct iv_cel_schema *schema = iv_arena_zalloc(arena, sizeof *schema);
    size_t count = IV_ATTRS + (size_t)type->field_count;
    struct iv_cel_field *fields = iv_arena_zalloc(arena, count * sizeof *fields);
    ENSURE(made != NULL && schema != NULL && fields != NULL, err, IV_E_NOMEM, "cannot allocate a schema");
    for (uint16_t i = 0; i < IV_ATTRS; i++) {
        fields[i] = (struct iv_cel_field){iv_attr_defs[i].name, iv_field_type(iv_attr_defs[i].type), i};
    }
    for (size_t i = 0; i < type->field_count; i++) {
        const struct iv_field *f = &type->fields[i];
        fields[IV_ATTRS + i] = (struct iv_cel_field){f->name, iv_field_type(f->type), f->name_id};
    }
    *schema = (struct iv_cel_schema){type->name, fields, count};
    *made = (struct iv_cel_type){.kind = IV_CEL_OBJECT, .schema = schema};
    *out = made;
    return IV_OK;
}

static iv_rc add_name(struct parser *p, struct iv_str text, const struct iv_cel_type *type,
                      enum iv_fixed kind, uint16_t id, struct iv_err *err)
{
    p->names[p->count] = (struct iv_fixed_name){iv_arena_str(p->arena, text), kind, id};
    p->types[p->count] = type;
    ENSURE(p->names[p->count].text.p != NULL, err, IV_E_NOMEM, "cannot allocate an expectation");
    p->count++;
    return IV_OK;
}

/* The type that the field has in the triggers of the rule (NULL: in all events); NULL: in none of them. */
static const struct iv_cel_type *type_of_field(const struct parser *p, const struct iv_rule *rule,
                                               uint16_t name_id)
{
    const struct iv_cel_type *found = NULL;
    for (size_t i = 0; i < iv_catalogue_types(p->baseline->catalogue); i++) {
        const struct iv_event_type *type = iv_catalogue_type(p->baseline->catalogue, i);
        uint8_t slot = type->slot_of[name_id];
        if (slot == IV_NO_SLOT || (rule != NULL && !iv_selector_has(&rule->on, type))) {
            continue;
        }
        enum iv_ftype here = slot < IV_ATTRS ? iv_attr_defs[slot].type : type->fields[slot - IV_ATTRS].type;
        const struct iv_cel_type *t = here > IV_F_DURATION ? NULL : iv_field_type(here);
        found = found == NULL || found == t ? t : &iv_cel_dyn;
    }
    return found;
}

static iv_rc add_trigger(struct parser *p, struct iv_err *err)
{
    char text[NAME_MAX_BYTES];
    for (size_t id = 0; id < iv_catalogue_names(p->baseline->catalogue); id++) {
        const struct iv_cel_type *type =
            p->rules->count == 0 ? type_of_field(p, NULL, (uint16_t)id) : &iv_cel_null;
        for (size_t i = 0; i < p->rules->count && type != NULL; i++) {
            const struct iv_cel_type *t = type_of_field(p, p->rules->rules[i], (uint16_t)id);
            type = t == NULL || type == &iv_cel_null || type == t ? t : &iv_cel_dyn;
        }
        struct iv_str field = iv_catalogue_name(p->baseline->catalogue, (uint16_t)id);
        int n = snprintf(text, sizeof text, "trigger." IV_STR_FMT, IV_STR_ARG(field));
        if (type != NULL && n > 0 && (size_t)n < sizeof text) {
            TRY(add_name(p, (struct iv_str){text, (size_t)n}, type, IV_FIXED_TRIGGER, (uint16_t)id, err));
        }
    }
    return IV_OK;
}

static iv_rc add_parameters(struct parser *p, struct iv_err *err)
{
    if (p->baseline->parameter_count == 0) {
        return IV_OK;
    }
    IV_AUTO(iv_params_freep) struct iv_params *params = NULL;
    TRY(iv_params_new(&params, p->baseline, err));
    const struct iv_val *bank = iv_params_bank(params, 0);
    for (size_t slot = 0; slot < p->baseline->parameter_count; slot++) {
        IV_AUTO(iv_buf_deinit) struct iv_buf name;
        iv_buf_init(&name, NAME_MAX_BYTES);
        iv_baseline_parameter_name(&name, p->baseline, slot);
        if (!iv_buf_failed(&name)) {
            TRY(add_name(p, iv_buf_slice(&name), iv_cel_type_of_scalar(&bank[slot]), IV_FIXED_BASELINE,
                         (uint16_t)slot, err));
        }
    }
    return IV_OK;
}

/* Those of the call come last. */
static iv_rc list_names(struct parser *p, struct iv_err *err)
{
    size_t most =
        IV_COUNT(plain_names) + iv_catalogue_names(p->baseline->catalogue) + p->baseline->parameter_count;
    p->names = iv_arena_zalloc(p->arena, most * sizeof *p->names);
    p->types = iv_arena_zalloc(p->arena, most * sizeof(const struct iv_cel_type *));
    ENSURE(p->names != NULL && p->types != NULL, err, IV_E_NOMEM, "cannot allocate an expectation");
    TRY(add_trigger(p, err));
    TRY(add_parameters(p, err));
    for (size_t i = 0; i < IV_COUNT(plain_names); i++) {
        p->known = plain_names[i].kind == IV_FIXED_STEP ? p->known : p->count + 1;
        TRY(add_name(p, iv_str_of(plain_names[i].name), plain_names[i].type, plain_names[i].kind,
                     plain_names[i].id, err));
    }
    return IV_OK;
}

static iv_rc declare(struct iv_cel_env **out, const struct iv_str *names,
                     const struct iv_cel_type *const *types, size_t count, struct iv_str alias,
                     const struct iv_cel_type *event, struct iv_err *err)
{
    IV_AUTO(iv_cel_env_freep) struct iv_cel_env *env = NULL;
    TRY(iv_cel_env_new(&env, err));
    for (size_t i = 0; i < count; i++) {
        const struct iv_cel_type *type = types == NULL ? &iv_cel_dyn : types[i];
        struct iv_cel_var var = {names[i], type, IV_EXPECT_NAME_BANK, (uint16_t)i};
        TRY(iv_cel_env_var(env, &var, err));
    }
    if (event != NULL) {
        struct iv_cel_var var = {alias, event, IV_EXPECT_EVENT_BANK, 0};
        TRY(iv_cel_env_var(env, &var, err));
    }
    *out = TAKE(env);
    return IV_OK;
}

iv_rc iv_expect_compile(struct iv_cel_env **env, struct iv_cel_prog **prog, struct iv_str source,
                        const struct iv_str *names, size_t count, struct iv_str alias,
                        const struct iv_cel_type *event, const struct iv_cel_type *expect, struct iv_err *err)
{
    IV_AUTO(iv_cel_env_freep) struct iv_cel_env *made = NULL;
    IV_AUTO(iv_cel_diags_deinit) struct iv_cel_diags diags = {0};
    struct iv_cel_options options = {.expect = expect};
    TRY(declare(&made, names, NULL, count, alias, event, err));
    TRY(iv_cel_compile(prog, made, source, &options, &diags, err));
    *env = TAKE(made);
    return IV_OK;
}

/* Keeps the text and the names that it reads. */
static iv_rc keep_text(struct parser *p, struct iv_fixed_text *out, const struct iv_cel_prog *prog,
                       struct iv_str source, size_t count, struct iv_err *err)
{
    struct iv_fixed_name *used = iv_arena_zalloc(p->arena, (count + 1) * sizeof *used);
    out->source = iv_arena_str(p->arena, source);
    ENSURE(used != NULL && out->source.p != NULL, err, IV_E_NOMEM, "cannot allocate an expectation");
    for (size_t i = 0; i < count; i++) {
        if (iv_cel_prog_uses(prog, IV_EXPECT_NAME_BANK, (uint16_t)i)) {
            used[out->count++] = p->names[i];
        }
    }
    out->names = used;
    return IV_OK;
}

/* count: of the names, the first so many may be read. */
static iv_rc compile(struct parser *p, struct iv_fixed_text *out, const struct iv_yaml_node *node,
                     size_t count, struct iv_str alias, const struct iv_cel_type *event,
                     const struct iv_cel_type *expect, struct iv_err *err)
{
    struct iv_str source;
    if (!iv_yaml_string(&source, node, p->problems)) {
        return IV_OK;
    }
    IV_AUTO(iv_cel_env_freep) struct iv_cel_env *env = NULL;
    IV_AUTO(iv_cel_prog_freep) struct iv_cel_prog *prog = NULL;
    IV_AUTO(iv_cel_diags_deinit) struct iv_cel_diags diags = {0};
    struct iv_cel_options options = {.expect = expect};
    struct iv_str *names = iv_arena_zalloc(p->arena, (count + 1) * sizeof *names);
    ENSURE(names != NULL, err, IV_E_NOMEM, "cannot allocate an expectation");
    for (size_t i = 0; i < count; i++) {
        names[i] = p->names[i].text;
    }
    TRY(declare(&env, names, p->types, count, alias, event, err));
    struct iv_err why = {0};
    struct iv_rc_s rc = iv_cel_compile(&prog, env, source, &options, &diags, &why);
    ENSURE(rc.code != IV_E_NOMEM, err, IV_E_NOMEM, "%s", why.text);
    for (size_t i = 0; i < diags.count; i++) {
        const struct iv_cel_diag *d = &diags.items[i];
        (d->warning ? iv_yaml_warning_inside : iv_yaml_error_inside)(p->problems, node, d->offset, d->length,
                                                                     "%s", d->text);
    }
    return iv_ok(rc) ? keep_text(p, out, prog, source, count, err) : IV_OK;
}

/* "5s", or an expression over what is known when the step is planned. */
static iv_rc parse_length(struct parser *p, struct iv_fixed_length *out, const struct iv_yaml_node *node,
                          iv_ns min, struct iv_err *err)
{
    struct iv_instant d;
    if (node == NULL) {
        return IV_OK;
    }
    if (node->kind != IV_YAML_SCALAR || !iv_duration_parse(&d, node->text, true)) {
        struct iv_str none = {NULL, 0};
        return compile(p, &out->text, node, p->known, none, NULL, &iv_cel_duration, err);
    }
    out->constant = iv_instant_to_ns_saturated(d);
    if (out->constant < min || out->constant > IV_EXPECT_WITHIN_MAX) {
        iv_yaml_error(p->problems, node, "must be between %s and 1d", min == 0 ? "0s" : "100ms");
    }
    return IV_OK;
}

static const struct iv_event_type *find_type(struct parser *p, const struct iv_yaml_node *node)
{
    struct iv_str candidates[512];
    size_t count = 0;
    struct iv_str name;
    const struct iv_catalogue *catalogue = p->baseline->catalogue;
    if (!iv_yaml_string(&name, node, p->problems)) {
        return NULL;
    }
    const struct iv_event_type *type = iv_catalogue_find(catalogue, name);
    for (size_t i = 0; type == NULL && i < iv_catalogue_types(catalogue) && count < IV_COUNT(candidates);
         i++) {
        candidates[count++] = iv_catalogue_type(catalogue, i)->name;
    }
    if (type == NULL) {
        iv_yaml_error(p->problems, node, "there is no event type '" IV_STR_FMT "'%s", IV_STR_ARG(name),
                      iv_yaml_nearest(name, candidates, count).text);
    }
    return type;
}

static bool is_alias(struct iv_str s)
{
    bool word = s.n > 0 && (s.p[0] < '0' || s.p[0] > '9');
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        word =
            word && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_');
    }
    return word && !iv_str_eq(s, IV_STR("target")) && !iv_str_eq(s, IV_STR("finding")) &&
           !iv_str_eq(s, IV_STR("step")) && !iv_str_eq(s, IV_STR("trigger")) &&
           !iv_str_eq(s, IV_STR("baseline"));
}

static iv_rc parse_event(struct parser *p, struct iv_expectation *x, const struct iv_yaml_node *node,
                         struct iv_err *err)
{
    struct iv_yaml_map map;
    if (!iv_yaml_open(&map, node, x->unseen ? "unseen" : "seen", p->problems)) {
        return IV_OK;
    }
    const struct iv_event_type *type = find_type(p, iv_yaml_need(&map, "event"));
    const struct iv_yaml_node *as = iv_yaml_get(&map, "as");
    const struct iv_yaml_node *where = iv_yaml_need(&map, "where");
    iv_yaml_close(&map);
    struct iv_str alias = IV_STR("e");
    if (as != NULL && iv_yaml_string(&alias, as, p->problems) && !is_alias(alias)) {
        iv_yaml_error(p->problems, as,
                      "must be a word, and none of target, finding, step, trigger, baseline");
        return IV_OK;
    }
    if (type == NULL) {
        return IV_OK;
    }
    const struct iv_stream_policy *policy = &p->baseline->streams[type->stream];
    x->stream = type->stream;
    x->complete = policy->grade == IV_GRADE_COMPLETE;
    x->settle = iv_ns_add(policy->lateness, p->baseline->idle);
    x->event = iv_arena_str(p->arena, type->name);
    x->alias = iv_arena_str(p->arena, alias);
    ENSURE(x->event.p != NULL && x->alias.p != NULL, err, IV_E_NOMEM, "cannot allocate an expectation");
    const struct iv_cel_type *event = NULL;
    TRY(iv_expect_event_type(&event, p->arena, type, err));
    return compile(p, &x->where, where, p->count, x->alias, event, &iv_cel_bool, err);
}

iv_rc iv_expectation_parse(const struct iv_expectation **out, struct iv_arena *arena,
                           const struct iv_yaml_node *node, const struct iv_baseline *baseline,
                           const struct iv_template_rules *rules, struct iv_problems *problems,
                           struct iv_err *err)
{
    struct parser p = {.arena = arena, .baseline = baseline, .rules = rules, .problems = problems};
    struct iv_yaml_map map;
    if (!iv_yaml_open(&map, node, "expect", problems)) {
        return IV_OK;
    }
    struct iv_expectation *x = iv_arena_zalloc(arena, sizeof *x);
    ENSURE(x != NULL, err, IV_E_NOMEM, "cannot allocate an expectation");
    TRY(list_names(&p, err));
    const struct iv_yaml_node *seen = iv_yaml_get(&map, "seen");
    const struct iv_yaml_node *unseen = iv_yaml_get(&map, "unseen");
    if ((seen == NULL) == (unseen == NULL)) {
        iv_yaml_error(problems, node, "needs either 'seen' or 'unseen'");
    } else {
        x->unseen = unseen != NULL;
        TRY(parse_event(&p, x, x->unseen ? unseen : seen, err));
    }
    const struct iv_yaml_node *after = iv_yaml_get(&map, "after");
    const struct iv_yaml_node *earlier = iv_yaml_get(&map, "earlier");
    TRY(parse_length(&p, &x->within, iv_yaml_need(&map, "within"), 100 * IV_NS_PER_MS, err));
    TRY(parse_length(&p, &x->after, after, 0, err));
    TRY(parse_length(&p, &x->earlier, earlier, 0, err));
    if (earlier != NULL && (x->unseen || after != NULL)) {
        iv_yaml_error(problems, earlier,
                      "is for 'seen' without 'after' alone: these are about what comes later");
    }
    bool constant = x->within.text.source.p == NULL && x->after.text.source.p == NULL;
    if (after != NULL && constant && x->within.constant > 0 && x->after.constant >= x->within.constant) {
        iv_yaml_error(problems, after, "must be less than 'within': else no event counts");
    }
    iv_yaml_close(&map);
    *out = x;
    return IV_OK;
}
