/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/shape.h"

#include "base/guard.h"
#include "base/json_write.h"
#include "baseline/yaml_fields.h"
#include "respond/constraint.h"

#include <string.h>
#include <strings.h>

#define SAMPLE_MAX_BYTES (1u << 20)

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

static unsigned hex_digit(char c)
{
    return c >= '0' && c <= '9' ? (unsigned)(c - '0') : ((unsigned)c | 0x20) - 'a' + 10;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Whether a client or a server could take it for another path: a segment is "." or "..", as it stands or once
 * it is decoded. */
static bool walks(struct iv_str path)
{
    size_t n = 0;
    size_t dots = 0;
    for (size_t i = 0; i < path.n && path.p[i] != '?'; i++) {
        unsigned c = (unsigned char)path.p[i];
        if (c == '%' && i + 2 < path.n && is_hex(path.p[i + 1]) && is_hex(path.p[i + 2])) {
            c = hex_digit(path.p[i + 1]) << 4 | hex_digit(path.p[i + 2]);
            i += 2;
        }
        bool ends = c == '/' || c == '\\';
        if (ends && n == dots && (n == 1 || n == 2)) {
            return true;
        }
        dots = ends ? 0 : dots + (c == '.');
        n = ends ? 0 : n + 1;
    }
    return n == dots && (n == 1 || n == 2);
}

/* As it would be rendered with "x" in the place of each reference; of no bytes at all: memory is out. */
static struct iv_val sample_text(const struct iv_shape *shape, struct iv_arena *arena)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, SAMPLE_MAX_BYTES);
    if (shape->kind == CONSTANT) {
        iv_val_json(&text, &shape->constant);
    }
    for (size_t i = 0; shape->kind == TEXT && i < shape->text.count; i++) {
        const struct iv_template_part *part = &shape->text.parts[i];
        iv_buf_str(&text, part->is_reference ? IV_STR("x") : part->literal);
    }
    bool failed = iv_buf_failed(&text);
    return iv_val_str(failed ? (struct iv_str){NULL, 0} : iv_arena_str(arena, iv_buf_slice(&text)));
}

static iv_rc sample(struct iv_val *out, const struct iv_shape *shape, struct iv_arena *arena,
                    struct iv_err *err)
{
    size_t width = shape->kind == MAP ? 2 : 1;
    if (shape->kind == TEXT) {
        *out = sample_text(shape, arena);
    } else if (shape->kind == CONSTANT) {
        *out = shape->constant;
    } else {
        struct iv_val *items = iv_arena_zalloc(arena, (width * shape->count + 1) * sizeof *items);
        ENSURE(items != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
        for (size_t i = 0; i < shape->count; i++) {
            items[width * i] = iv_val_str(shape->members[i].name);
            TRY(sample(&items[width * i + width - 1], shape->members[i].value, arena, err));
        }
        *out = (struct iv_val){.kind = shape->kind == MAP ? IV_KIND_MAP : IV_KIND_LIST,
                               .n = (uint32_t)shape->count,
                               .items = items};
    }
    ENSURE(out->kind != IV_KIND_STRING || iv_val_slice(*out).p != NULL, err, IV_E_NOMEM,
           "cannot allocate a playbook");
    return IV_OK;
}

static const struct iv_yaml_node *place_of(const struct iv_yaml_node *node, struct iv_str member)
{
    for (size_t i = 0; node->kind == IV_YAML_MAP && member.p != NULL && i < node->count; i++) {
        if (iv_str_eq(node->pairs[i].key->text, member)) {
            return node->pairs[i].key;
        }
    }
    return node;
}

/* What no trigger could make good. */
static iv_rc check_value(const struct iv_action_kind *kind, const struct iv_parameter *parameter,
                         const struct iv_shape *shape, const struct iv_yaml_node *node,
                         struct iv_arena *arena, struct iv_problems *problems, struct iv_err *err)
{
    struct iv_val pair[2] = {iv_val_str(iv_str_of(parameter->name))};
    const struct iv_val request = {.kind = IV_KIND_MAP, .n = 1, .items = pair};
    bool is_text = parameter->form != IV_PARAMETER_JSON && parameter->form != IV_PARAMETER_HEADERS;
    if (is_text && shape->kind == CONSTANT && shape->constant.kind == IV_KIND_NULL) {
        iv_yaml_error(problems, node, "must be text, not %s", iv_yaml_what(node));
        return IV_OK;
    }
    if (is_text) {
        pair[1] = sample_text(shape, arena);
        ENSURE(iv_val_slice(pair[1]).p != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
    } else {
        TRY(sample(&pair[1], shape, arena, err));
    }
    if (parameter->form == IV_PARAMETER_PATH && walks(iv_val_slice(pair[1]))) {
        iv_yaml_error(problems, node, "leads elsewhere: no segment of a path may be '.' or '..'");
    }
    for (size_t i = 0; i < kind->constraint_count; i++) {
        struct iv_str member;
        bool concerns = strcmp(kind->constraints[i].parameter, parameter->name) == 0;
        if (concerns && !iv_constraint_holds(&kind->constraints[i], &request, &member)) {
            iv_yaml_error(problems, place_of(node, member), "must %s", kind->constraints[i].must);
        }
    }
    return IV_OK;
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
        size_t errors = iv_problems_errors(problems);
        if (given == NULL || !check_form(given, p->form, problems)) {
            continue;
        }
        TRY(iv_shape_parse(&values[i], arena, given, rules, problems, err));
        if (iv_problems_errors(problems) == errors) {
            TRY(check_value(kind, p, values[i], given, arena, problems, err));
        }
    }
    iv_yaml_close(&map);
    *out = (struct iv_arguments){.kind = kind, .values = values};
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
    ENSURE(rendering != IV_RENDER_PATH || !walks(iv_buf_slice(&text)), err, IV_E_RANGE,
           "the path would be '" IV_STR_FMT "', which leads elsewhere", IV_STR_ARG(iv_buf_slice(&text)));
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
    case IV_PARAMETER_SEGMENTS:
        return render_text(out, shape, IV_RENDER_SEGMENTS, (struct iv_str){NULL, 0}, bindings, err);
    case IV_PARAMETER_PATH:
        return render_text(out, shape, IV_RENDER_PATH, (struct iv_str){NULL, 0}, bindings, err);
    default:
        return render_text(out, shape, IV_RENDER_TEXT, (struct iv_str){NULL, 0}, bindings, err);
    }
}

static void render_address(struct iv_buf *out, struct iv_str address)
{
    iv_buf_text(out, ",\"" IV_REQUEST_ADDRESS "\":");
    if (address.n == 0) {
        iv_buf_text(out, "null");
    } else {
        iv_json_string(out, address);
    }
}

static iv_rc render_arguments(struct iv_buf *out, const struct iv_arguments *arguments,
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
        if (arguments->address.p != NULL && strcmp(kind->parameters[i].name, "endpoint") == 0) {
            render_address(out, arguments->address);
        }
    }
    iv_buf_char(out, '}');
    return IV_OK;
}

iv_rc iv_arguments_render(struct iv_buf *out, const struct iv_arguments *arguments,
                          const struct iv_bindings *bindings, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf request;
    struct iv_err why = {.text = ""};
    iv_buf_init(&request, out->max);
    struct iv_rc_s rc = render_arguments(&request, arguments, bindings, &why);
    if (rc.code == IV_E_RANGE) {
        iv_buf_clear(&request);
        iv_buf_text(&request, "{\"" IV_REQUEST_REFUSED "\":");
        iv_json_string(&request, iv_str_of(why.text));
        iv_buf_char(&request, '}');
    } else if (!iv_ok(rc)) {
        return iv_err_set(err, rc.code, "%s", why.text);
    }
    iv_buf_inherit(out, &request);
    iv_buf_str(out, iv_buf_slice(&request));
    return IV_OK;
}
