/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/shape.h"

#include "base/guard.h"
#include "base/json_write.h"
#include "baseline/yaml_fields.h"

#include <string.h>
#include <strings.h>

struct member {
    struct iv_str name;
    const struct iv_shape *value;
};

struct iv_shape {
    enum { CONSTANT, TEXT, LIST, MAP } kind;
    struct iv_val constant;
    struct iv_template text;
    size_t count;
    const struct member *members; /* LIST: without names */
};

/* YAML bounds the depth of a document (IV_YAML_DEPTH_MAX), and so the recursion. */
static iv_rc parse(struct iv_shape *out, struct iv_arena *arena, const struct iv_yaml_node *node,
                   const struct iv_template_rules *rules, struct iv_problems *problems, struct iv_err *err);

static iv_rc parse_members(struct iv_shape *out, struct iv_arena *arena, const struct iv_yaml_node *node,
                           const struct iv_template_rules *rules, struct iv_problems *problems,
                           struct iv_err *err)
{
    struct member *members = iv_arena_zalloc(arena, (node->count + 1) * sizeof *members);
    ENSURE(members != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
    for (size_t i = 0; i < node->count; i++) {
        const struct iv_yaml_node *value = node->kind == IV_YAML_MAP ? node->pairs[i].value : node->items[i];
        if (node->kind == IV_YAML_MAP) {
            members[i].name = iv_arena_str(arena, node->pairs[i].key->text);
            ENSURE(members[i].name.p != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
        }
        TRY(iv_shape_parse(&members[i].value, arena, value, rules, problems, err));
    }
    out->count = node->count;
    out->members = members;
    return IV_OK;
}

static iv_rc parse(struct iv_shape *out, struct iv_arena *arena, const struct iv_yaml_node *node,
                   const struct iv_template_rules *rules, struct iv_problems *problems, struct iv_err *err)
{
    if (node->kind != IV_YAML_SCALAR) {
        out->kind = node->kind == IV_YAML_MAP ? MAP : LIST;
        return parse_members(out, arena, node, rules, problems, err);
    }
    ENSURE(iv_yaml_value(&out->constant, arena, node), err, IV_E_NOMEM, "cannot allocate a playbook");
    /* What YAML's scalars may also be, durations and times, is no JSON: it stays the
     * text that was written. */
    out->kind = out->constant.kind <= IV_KIND_DOUBLE ? CONSTANT : TEXT;
    return out->kind == TEXT ? iv_template_parse(&out->text, arena, node, rules, problems, err) : IV_OK;
}

iv_rc iv_shape_parse(const struct iv_shape **out, struct iv_arena *arena, const struct iv_yaml_node *node,
                     const struct iv_template_rules *rules, struct iv_problems *problems, struct iv_err *err)
{
    struct iv_shape *shape = iv_arena_zalloc(arena, sizeof *shape);
    ENSURE(shape != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
    TRY(parse(shape, arena, node, rules, problems, err));
    *out = shape;
    return IV_OK;
}

iv_rc iv_shape_render(struct iv_buf *out, const struct iv_shape *shape, const struct iv_bindings *bindings,
                      struct iv_err *err)
{
    if (shape->kind == CONSTANT) {
        iv_val_json(out, &shape->constant);
        return IV_OK;
    }
    if (shape->kind == TEXT) {
        return iv_template_json(out, &shape->text, bindings, err);
    }
    iv_buf_char(out, shape->kind == MAP ? '{' : '[');
    for (size_t i = 0; i < shape->count; i++) {
        iv_buf_text(out, i == 0 ? "" : ",");
        if (shape->kind == MAP) {
            iv_json_string(out, shape->members[i].name);
            iv_buf_char(out, ':');
        }
        TRY(iv_shape_render(out, shape->members[i].value, bindings, err));
    }
    iv_buf_char(out, shape->kind == MAP ? '}' : ']');
    return IV_OK;
}

static void check_name(const struct iv_yaml_node *node, struct iv_problems *problems)
{
    if (memmem(node->text.p, node->text.n, "{{", 2) != NULL) {
        iv_yaml_error(problems, node, "is a plain name: no template can stand here");
    }
    if (node->text.n == 0) {
        iv_yaml_error(problems, node, "must not be empty");
    }
}

static void check_path(const struct iv_yaml_node *node, struct iv_problems *problems)
{
    if (node->text.n == 0 || node->text.p[0] != '/') {
        iv_yaml_error(problems, node, "must begin with '/': what stands before it is the endpoint's");
    }
    for (size_t i = 0; i < node->text.n; i++) {
        if ((unsigned char)node->text.p[i] < 0x20 || node->text.p[i] == 0x7f || node->text.p[i] == '#') {
            iv_yaml_error_inside(problems, node, i, 1, "cannot stand in a path");
            return;
        }
    }
}

static bool token_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/*= RFC 9110 5.1 "field-name = token" */
static void check_headers(const struct iv_yaml_node *node, struct iv_problems *problems)
{
    static const char *const ours[] = {"content-type", "content-length",    "idempotency-key",
                                       "host",         "transfer-encoding", "invigil-signature",
                                       "expect",       "connection"};
    for (size_t i = 0; i < node->count; i++) {
        const struct iv_yaml_node *key = node->pairs[i].key;
        bool good = key->text.n > 0;
        for (size_t at = 0; at < key->text.n; at++) {
            good = good && token_character(key->text.p[at]);
        }
        if (!good) {
            iv_yaml_error(problems, key, "'" IV_STR_FMT "' is no header's name", IV_STR_ARG(key->text));
        }
        for (size_t o = 0; o < IV_COUNT(ours); o++) {
            if (key->text.n == strlen(ours[o]) && strncasecmp(key->text.p, ours[o], key->text.n) == 0) {
                iv_yaml_error(problems, key, "the header '%s' is set by the action itself", ours[o]);
            }
        }
        if (node->pairs[i].value->kind != IV_YAML_SCALAR) {
            iv_yaml_error(problems, node->pairs[i].value, "must be text, not %s",
                          iv_yaml_what(node->pairs[i].value));
        }
    }
}

static bool check_form(const struct iv_yaml_node *node, enum iv_parameter_form form,
                       struct iv_problems *problems)
{
    bool wants_map = form == IV_PARAMETER_HEADERS;
    if (form != IV_PARAMETER_JSON && (node->kind == IV_YAML_MAP) != wants_map) {
        iv_yaml_error(problems, node, "must be %s, not %s", wants_map ? "a mapping" : "text",
                      iv_yaml_what(node));
        return false;
    }
    if (form != IV_PARAMETER_JSON && node->kind == IV_YAML_LIST) {
        iv_yaml_error(problems, node, "must be text, not %s", iv_yaml_what(node));
        return false;
    }
    if (form == IV_PARAMETER_NAME) {
        check_name(node, problems);
    } else if (form == IV_PARAMETER_PATH) {
        check_path(node, problems);
    } else if (form == IV_PARAMETER_HEADERS) {
        check_headers(node, problems);
    }
    return true;
}

iv_rc iv_arguments_parse(struct iv_arguments *out, struct iv_arena *arena, const struct iv_action_kind *kind,
                         const struct iv_yaml_node *node, const struct iv_template_rules *rules,
                         struct iv_problems *problems, struct iv_err *err)
{
    const struct iv_shape **values = iv_arena_zalloc(arena, (kind->parameter_count + 1) * sizeof *values);
    ENSURE(values != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
    struct iv_yaml_map map;
    (void)iv_yaml_open(&map, node, kind->name, problems);
    for (size_t i = 0; i < kind->parameter_count; i++) {
        const struct iv_parameter *p = &kind->parameters[i];
        const struct iv_yaml_node *given =
            p->required ? iv_yaml_need(&map, p->name) : iv_yaml_get(&map, p->name);
        if (given == NULL || !check_form(given, p->form, problems)) {
            continue;
        }
        TRY(iv_shape_parse(&values[i], arena, given, rules, problems, err));
    }
    iv_yaml_close(&map);
    *out = (struct iv_arguments){kind, values};
    return IV_OK;
}

struct iv_str iv_arguments_name(const struct iv_arguments *arguments, struct iv_str parameter)
{
    const struct iv_action_kind *kind = arguments->kind;
    for (size_t i = 0; kind != NULL && i < kind->parameter_count; i++) {
        const struct iv_parameter *p = &kind->parameters[i];
        const struct iv_shape *value = arguments->values[i];
        if (p->form == IV_PARAMETER_NAME && iv_str_eq(iv_str_of(p->name), parameter) && value != NULL &&
            value->kind == TEXT && value->text.count == 1) {
            return value->text.parts[0].literal;
        }
    }
    return (struct iv_str){NULL, 0};
}

static iv_rc check_rendered_header(struct iv_str name, struct iv_str value, struct iv_err *err)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        ENSURE(c >= 0x20 && c != 0x7f, err, IV_E_RANGE,
               "the header '" IV_STR_FMT "' would hold a control character", IV_STR_ARG(name));
    }
    return IV_OK;
}

/* Text that is a constant to YAML (a number, true) is text all the same where a name or a header is asked
 * for. */
static iv_rc render_text(struct iv_buf *out, const struct iv_shape *shape, enum iv_rendering rendering,
                         struct iv_str header, const struct iv_bindings *bindings, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, out->max);
    if (shape->kind == CONSTANT) {
        iv_val_json(&text, &shape->constant);
    } else {
        TRY(iv_template_text(&text, &shape->text, rendering, bindings, err));
    }
    TRY(iv_buf_check(&text, "a rendered text", err));
    if (header.p != NULL) {
        TRY(check_rendered_header(header, iv_buf_slice(&text), err));
    }
    iv_json_string(out, iv_buf_slice(&text));
    return IV_OK;
}

static iv_rc render_headers(struct iv_buf *out, const struct iv_shape *shape,
                            const struct iv_bindings *bindings, struct iv_err *err)
{
    iv_buf_char(out, '{');
    for (size_t i = 0; i < shape->count; i++) {
        iv_buf_text(out, i == 0 ? "" : ",");
        iv_json_string(out, shape->members[i].name);
        iv_buf_char(out, ':');
        TRY(render_text(out, shape->members[i].value, IV_RENDER_TEXT, shape->members[i].name, bindings, err));
    }
    iv_buf_char(out, '}');
    return IV_OK;
}

static iv_rc render_argument(struct iv_buf *out, const struct iv_shape *shape, enum iv_parameter_form form,
                             const struct iv_bindings *bindings, struct iv_err *err)
{
    switch (form) {
    case IV_PARAMETER_JSON:
        return iv_shape_render(out, shape, bindings, err);
    case IV_PARAMETER_HEADERS:
        return render_headers(out, shape, bindings, err);
    case IV_PARAMETER_PATH:
        return render_text(out, shape, IV_RENDER_PATH, (struct iv_str){NULL, 0}, bindings, err);
    default:
        return render_text(out, shape, IV_RENDER_TEXT, (struct iv_str){NULL, 0}, bindings, err);
    }
}

iv_rc iv_arguments_render(struct iv_buf *out, const struct iv_arguments *arguments,
                          const struct iv_bindings *bindings, struct iv_err *err)
{
    const struct iv_action_kind *kind = arguments->kind;
    bool first = true;
    iv_buf_char(out, '{');
    for (size_t i = 0; i < kind->parameter_count; i++) {
        if (arguments->values[i] == NULL) {
            continue;
        }
        iv_buf_text(out, first ? "" : ",");
        first = false;
        iv_json_string(out, iv_str_of(kind->parameters[i].name));
        iv_buf_char(out, ':');
        TRY(render_argument(out, arguments->values[i], kind->parameters[i].form, bindings, err));
    }
    iv_buf_char(out, '}');
    return IV_OK;
}
