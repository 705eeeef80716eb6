/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/template.h"

#include "base/guard.h"
#include "baseline/yaml_fields.h"
#include "respond/template_names.h"

#include <stdio.h>
#include <string.h>

#define CANDIDATES_MAX 512
#define PARTS_MAX 64

static const struct iv_str scope_names[] = {IV_STR_INIT("trigger"), IV_STR_INIT("finding"),
                                            IV_STR_INIT("rule"), IV_STR_INIT("execution"),
                                            IV_STR_INIT("step")};
static const struct iv_str finding_names[] = {[IV_FINDING_UID] = IV_STR_INIT("uid"),
                                              [IV_FINDING_TIME] = IV_STR_INIT("time"),
                                              [IV_FINDING_SEVERITY] = IV_STR_INIT("severity"),
                                              [IV_FINDING_CRITERIA] = IV_STR_INIT("criteria")};
static const struct iv_str rule_names[] = {[IV_RULE_ID] = IV_STR_INIT("id"),
                                           [IV_RULE_TITLE] = IV_STR_INIT("title"),
                                           [IV_RULE_SEVERITY] = IV_STR_INIT("severity")};
static const struct iv_str execution_names[] = {
    [IV_EXECUTION_KEY] = IV_STR_INIT("key"), [IV_EXECUTION_PLAYBOOK] = IV_STR_INIT("playbook")};
static const struct iv_str step_names[] = {
    [IV_STEP_KEY] = IV_STR_INIT("key"), [IV_STEP_NAME] = IV_STR_INIT("name")};

static const struct {
    const struct iv_str *names;
    size_t count;
} known_names[] = {
    [IV_SCOPE_TRIGGER] = {NULL, 0},
    [IV_SCOPE_FINDING] = {finding_names, IV_COUNT(finding_names)},
    [IV_SCOPE_RULE] = {rule_names, IV_COUNT(rule_names)},
    [IV_SCOPE_EXECUTION] = {execution_names, IV_COUNT(execution_names)},
    [IV_SCOPE_STEP] = {step_names, IV_COUNT(step_names)},
};

struct parser {
    const struct iv_yaml_node *scalar;
    const struct iv_template_rules *rules;
    struct iv_problems *problems;
    struct iv_template_part parts[PARTS_MAX];
    size_t count;
};

static int index_of(const struct iv_str *names, size_t count, struct iv_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (iv_str_eq(names[i], name)) {
            return (int)i;
        }
    }
    return -1;
}

static struct iv_str trim(struct iv_str s)
{
    while (s.n > 0 && s.p[0] == ' ') {
        s = (struct iv_str){s.p + 1, s.n - 1};
    }
    while (s.n > 0 && s.p[s.n - 1] == ' ') {
        s.n--;
    }
    return s;
}

static size_t offset_of(const struct parser *p, struct iv_str part)
{
    return (size_t)(part.p - p->scalar->text.p);
}

enum presence { NOT_THERE, NOT_SCALAR, THERE };

static enum presence field_of_type(const struct iv_event_type *type, uint16_t name_id)
{
    if (name_id < IV_ATTRS) {
        return THERE;
    }
    for (size_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].name_id == name_id) {
            return type->fields[i].type <= IV_F_DURATION ? THERE : NOT_SCALAR;
        }
    }
    return NOT_THERE;
}

/* The best that any of the types which can trigger the rule has to offer. */
static enum presence field_of_rule(const struct iv_catalogue *catalogue, const struct iv_rule *rule,
                                   uint16_t name_id)
{
    enum presence best = NOT_THERE;
    for (size_t i = 0; i < iv_catalogue_types(catalogue); i++) {
        const struct iv_event_type *type = iv_catalogue_type(catalogue, i);
        if (rule == NULL || iv_selector_has(&rule->on, type)) {
            enum presence here = field_of_type(type, name_id);
            best = here > best ? here : best;
        }
    }
    return best;
}

static struct iv_yaml_hint nearest_field(const struct parser *p, const struct iv_rule *rule,
                                         struct iv_str name)
{
    struct iv_str candidates[CANDIDATES_MAX];
    size_t count = 0;
    for (size_t id = 0; id < iv_catalogue_names(p->rules->catalogue) && count < CANDIDATES_MAX; id++) {
        if (field_of_rule(p->rules->catalogue, rule, (uint16_t)id) == THERE) {
            candidates[count++] = iv_catalogue_name(p->rules->catalogue, (uint16_t)id);
        }
    }
    return iv_yaml_nearest(name, candidates, count);
}

/* Reports at the name when the triggers of this rule (NULL: no event at all) do not have the field. */
static bool check_field(struct parser *p, const struct iv_rule *rule, struct iv_str name, bool found,
                        uint16_t name_id)
{
    enum presence there = found ? field_of_rule(p->rules->catalogue, rule, name_id) : NOT_THERE;
    if (there == THERE) {
        return true;
    }
    char whose[128] = "no event has";
    if (rule != NULL) {
        (void)snprintf(whose, sizeof whose, "no trigger of rule " IV_STR_FMT " has", IV_STR_ARG(rule->id));
    }
    if (there == NOT_SCALAR) {
        iv_yaml_error_inside(p->problems, p->scalar, offset_of(p, name), name.n,
                             "'" IV_STR_FMT "' is a list or a map, which a template cannot take",
                             IV_STR_ARG(name));
    } else {
        iv_yaml_error_inside(p->problems, p->scalar, offset_of(p, name), name.n,
                             "%s a field '" IV_STR_FMT "'%s", whose, IV_STR_ARG(name),
                             nearest_field(p, rule, name).text);
    }
    return false;
}

static bool any_rule_has(const struct parser *p, uint16_t name_id)
{
    bool any = false;
    for (size_t i = 0; i < p->rules->count && !any; i++) {
        any = field_of_rule(p->rules->catalogue, p->rules->rules[i], name_id) == THERE;
    }
    return any;
}

/* What may be absent is had by the triggers of one of the rules at least, all else by those of each. */
static bool resolve_field(struct parser *p, struct iv_reference *r)
{
    bool found = false;
    for (size_t id = 0; id < iv_catalogue_names(p->rules->catalogue) && !found; id++) {
        found = iv_str_eq(iv_catalogue_name(p->rules->catalogue, (uint16_t)id), r->name);
        r->name_id = (uint16_t)id;
    }
    if (p->rules->count == 0) {
        return check_field(p, NULL, r->name, found, r->name_id);
    }
    if (r->optional && found && any_rule_has(p, r->name_id)) {
        return true;
    }
    bool ok = true;
    for (size_t i = 0; i < p->rules->count && ok; i++) {
        ok = check_field(p, p->rules->rules[i], r->name, found, r->name_id);
    }
    return ok;
}

static bool resolve_known(struct parser *p, struct iv_reference *r)
{
    r->known = index_of(known_names[r->scope].names, known_names[r->scope].count, r->name);
    if (r->known < 0) {
        iv_yaml_error_inside(
            p->problems, p->scalar, offset_of(p, r->name), r->name.n == 0 ? 1 : r->name.n,
            "there is no '" IV_STR_FMT ".%.*s'%s", IV_STR_ARG(scope_names[r->scope]), (int)r->name.n,
            r->name.p,
            iv_yaml_nearest(r->name, known_names[r->scope].names, known_names[r->scope].count).text);
    }
    return r->known >= 0;
}

/* inner is what stands between the braces. */
static bool parse_reference(struct parser *p, struct iv_reference *r, struct iv_str inner)
{
    struct iv_str text = trim(inner);
    r->optional = text.n > 0 && text.p[text.n - 1] == '?';
    text.n -= r->optional ? 1 : 0;
    const char *dot = text.n == 0 ? NULL : memchr(text.p, '.', text.n);
    struct iv_str scope = {text.p, dot == NULL ? text.n : (size_t)(dot - text.p)};
    int index = index_of(scope_names, IV_COUNT(scope_names), scope);
    if (dot == NULL || index < 0) {
        iv_yaml_error_inside(
            p->problems, p->scalar, offset_of(p, inner), inner.n == 0 ? 1 : inner.n,
            "'" IV_STR_FMT "' is no reference: must be trigger., finding., rule., execution. or "
            "step. and a name%s",
            IV_STR_ARG(text), iv_yaml_nearest(scope, scope_names, IV_COUNT(scope_names)).text);
        return false;
    }
    r->scope = (enum iv_scope)index;
    r->name = (struct iv_str){dot + 1, text.n - scope.n - 1};
    return r->scope == IV_SCOPE_TRIGGER ? resolve_field(p, r) : resolve_known(p, r);
}

static bool add_part(struct parser *p, struct iv_template_part part)
{
    if (p->count == PARTS_MAX) {
        iv_yaml_error(p->problems, p->scalar, "has more than %d parts", PARTS_MAX);
        return false;
    }
    p->parts[p->count++] = part;
    return true;
}

static bool parse_parts(struct parser *p)
{
    struct iv_str rest = p->scalar->text;
    while (rest.n > 0) {
        const char *open = memmem(rest.p, rest.n, "{{", 2);
        struct iv_str literal = {rest.p, open == NULL ? rest.n : (size_t)(open - rest.p)};
        if (literal.n > 0 && !add_part(p, (struct iv_template_part){.literal = literal})) {
            return false;
        }
        if (open == NULL) {
            return true;
        }
        struct iv_str inner = {open + 2, rest.n - literal.n - 2};
        const char *close = memmem(inner.p, inner.n, "}}", 2);
        if (close == NULL) {
            iv_yaml_error_inside(p->problems, p->scalar, literal.n + offset_of(p, rest), 2,
                                 "'{{' is not closed by '}}'");
            return false;
        }
        inner.n = (size_t)(close - inner.p);
        struct iv_template_part part = {.is_reference = true};
        if (!parse_reference(p, &part.reference, inner) || !add_part(p, part)) {
            return false;
        }
        rest = (struct iv_str){close + 2, rest.n - literal.n - 4 - inner.n};
    }
    return true;
}

/* Literals and names are copied: the document does not live as long as the playbooks. */
static bool keep_part(struct iv_arena *arena, struct iv_template_part *part)
{
    struct iv_str *text = part->is_reference ? &part->reference.name : &part->literal;
    *text = iv_arena_str(arena, *text);
    return text->p != NULL;
}

iv_rc iv_template_parse(struct iv_template *out, struct iv_arena *arena, const struct iv_yaml_node *scalar,
                        const struct iv_template_rules *rules, struct iv_problems *problems,
                        struct iv_err *err)
{
    *out = (struct iv_template){NULL, 0};
    struct parser p = {.scalar = scalar, .rules = rules, .problems = problems};
    if (scalar->kind != IV_YAML_SCALAR) {
        iv_yaml_error(problems, scalar, "must be text, not %s", iv_yaml_what(scalar));
        return IV_OK;
    }
    if (!parse_parts(&p)) {
        return IV_OK;
    }
    struct iv_template_part *parts = iv_arena_alloc(arena, (p.count + 1) * sizeof *parts);
    ENSURE(parts != NULL, err, IV_E_NOMEM, "cannot allocate a template");
    for (size_t i = 0; i < p.count; i++) {
        parts[i] = p.parts[i];
        ENSURE(keep_part(arena, &parts[i]), err, IV_E_NOMEM, "cannot allocate a template");
    }
    *out = (struct iv_template){parts, p.count};
    return IV_OK;
}
