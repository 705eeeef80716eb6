/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions, amounts and terms of rules: compiled, folded where they are constant, problems put in their
 * places. */
#include "baseline/rule_parts.h"

#include "base/guard.h"

static const struct iv_cel_prog *keep(struct iv_load *load, struct iv_cel_prog *prog)
{
    if (prog != NULL && !iv_load_own_prog(load, prog)) {
        iv_cel_prog_free(prog);
        return NULL;
    }
    return prog;
}

static bool calls(struct iv_str source, struct iv_str function)
{
    const char *at = memmem(source.p, source.n, function.p, function.n);
    return at != NULL;
}

static void note_fields(void *ctx, uint16_t name_id)
{
    uint64_t *bits = ctx;
    bits[name_id / 64] |= UINT64_C(1) << (name_id % 64);
}

static void note_reads(struct iv_rule_load *rl, const struct iv_cel_prog *prog)
{
    for (uint16_t slot = 0; slot < IV_EVENT_SLOTS; slot++) {
        bool all = iv_cel_prog_fields(prog, IV_BANK_EVENTS, slot, note_fields, rl->fields[slot]);
        rl->all_fields[slot] = rl->all_fields[slot] || all;
    }
    struct iv_str source = iv_cel_prog_source(prog);
    rl->rule->checks_chain = rl->rule->checks_chain || calls(source, IV_STR("hash_valid"));
    rl->rule->checks_signature = rl->rule->checks_signature || calls(source, IV_STR("receipt_valid"));
}

#define BAD_NAMES_MAX 16

/* What is wrong with a parameter's name was said already, and what follows from it would only confuse: in a
 * copy of the expression a name of the same length, that can be anything, stands in its place. */
static struct iv_str mask_names(struct iv_load *load, const struct iv_cel_env **env, struct iv_str source,
                                const struct iv_bad_name *bad, size_t count)
{
    struct iv_cel_env *masked = NULL;
    struct iv_rc_s rc = iv_cel_env_extend(&masked, *env, load->err);
    char *copy = iv_load_alloc(load, source.n + 1, 1);
    if (!iv_ok(rc) || copy == NULL || !iv_load_own_env(load, masked)) {
        iv_cel_env_free(masked);
        iv_load_fail(load, rc);
        return source;
    }
    memcpy(copy, source.p, source.n);
    for (size_t i = 0; i < count; i++) {
        memset(copy + bad[i].start, '_', bad[i].length);
        struct iv_cel_var any = {{copy + bad[i].start, bad[i].length}, &iv_cel_dyn, IV_BANK_PARAMETERS, 0};
        struct iv_rc_s twice = iv_cel_env_var(masked, &any, NULL); /* two of one length are one */
        (void)twice;
    }
    *env = masked;
    return (struct iv_str){copy, source.n};
}

static const struct iv_cel_prog *compile(struct iv_load *load, const struct iv_cel_env *env,
                                         struct iv_str source, const struct iv_yaml_node *node,
                                         const struct iv_cel_type *expect)
{
    struct iv_cel_options options = {.expect = expect};
    struct iv_cel_diags diags = {0};
    struct iv_cel_prog *prog = NULL;
    struct iv_rc_s rc = iv_cel_compile(&prog, env, source, &options, &diags, load->err);
    bool folded = iv_ok(rc) && expect != &iv_cel_bool && iv_cel_prog_constant(prog); /* which will say it */
    for (size_t i = 0; !folded && i < diags.count; i++) {
        const struct iv_cel_diag *d = &diags.items[i];
        (d->warning ? iv_yaml_warning_inside : iv_yaml_error_inside)(load->problems, node, d->offset,
                                                                     d->length, "%s", d->text);
    }
    iv_cel_diags_deinit(&diags);
    if (rc.code == IV_E_NOMEM) {
        iv_load_fail(load, rc);
    }
    return iv_ok(rc) ? keep(load, prog) : NULL;
}

const struct iv_cel_prog *iv_expr_load(struct iv_rule_load *rl, const struct iv_cel_env *env,
                                       const struct iv_yaml_node *node, const struct iv_cel_type *expect)
{
    struct iv_load *load = rl->load;
    struct iv_str source;
    if (env == NULL || iv_load_failed(load) || !iv_yaml_string(&source, node, load->problems)) {
        return NULL;
    }
    struct iv_bad_name bad[BAD_NAMES_MAX];
    size_t count = iv_param_check_names(load, node, bad, BAD_NAMES_MAX);
    if (count > 0) {
        source = mask_names(load, &env, source, bad, count < BAD_NAMES_MAX ? count : BAD_NAMES_MAX);
    }
    const struct iv_cel_prog *prog = compile(load, env, source, node, expect);
    if (prog == NULL || count > 0) {
        return NULL;
    }
    note_reads(rl, prog);
    return prog;
}

/* The value of a program that reads nothing; false, and a problem, where it has none. */
static bool fold(struct iv_load *load, struct iv_val *out, const struct iv_cel_prog *prog,
                 const struct iv_yaml_node *node)
{
    struct iv_cel_frame frame;
    struct iv_err why = {0};
    iv_cel_frame_init(&frame, 1u << 20);
    bool ok = iv_ok(iv_cel_run(prog, &frame, out, &why));
    if (!ok) {
        iv_yaml_error(load->problems, node, "always fails: %s", why.text);
    }
    iv_cel_frame_deinit(&frame);
    return ok;
}

static void check_constant_length(struct iv_load *load, struct iv_amount *out, struct iv_instant d,
                                  const char *what, bool zero, const struct iv_yaml_node *node)
{
    bool is_zero = d.s == 0 && d.ns == 0;
    if (d.s < 0 || (is_zero && !zero)) {
        iv_yaml_error(load->problems, node, "%s must be above 0, not '" IV_STR_FMT "'", what,
                      IV_STR_ARG(node->text));
    }
    out->i = iv_instant_to_ns_saturated(d);
}

struct iv_amount iv_length_load(struct iv_rule_load *rl, const struct iv_yaml_node *node, const char *what,
                                bool past, bool zero)
{
    struct iv_load *load = rl->load;
    struct iv_amount out = {0};
    struct iv_instant d;
    if (node->kind == IV_YAML_SCALAR && iv_duration_parse(&d, node->text, true) &&
        !iv_str_eq(node->text, IV_STR("0"))) {
        check_constant_length(load, &out, d, what, zero, node);
        return out;
    }
    const struct iv_cel_prog *prog = iv_expr_load(rl, rl->on_env, node, &iv_cel_duration);
    if (prog == NULL) {
        return out;
    }
    if (iv_cel_prog_constant(prog)) {
        struct iv_val v;
        if (fold(load, &v, prog, node) && v.kind == IV_KIND_DURATION) {
            check_constant_length(load, &out, iv_val_instant(v), what, zero, node);
        }
    } else if (past && iv_cel_prog_uses(prog, IV_BANK_EVENTS, IV_SLOT_TRIGGER)) {
        iv_yaml_error(
            load->problems, node,
            "%s reaches into the past, so it may depend on the baseline alone: else its memory had no bound",
            what);
    } else {
        out.prog = prog;
    }
    return out;
}

struct iv_amount iv_number_load(struct iv_rule_load *rl, const struct iv_yaml_node *node, const char *what)
{
    struct iv_load *load = rl->load;
    struct iv_amount out = {0};
    const struct iv_cel_prog *prog = iv_expr_load(rl, rl->on_env, node, NULL);
    if (prog == NULL) {
        return out;
    }
    enum iv_cel_tkind kind = iv_cel_prog_type(prog)->kind;
    if (kind != IV_CEL_INT && kind != IV_CEL_UINT && kind != IV_CEL_DOUBLE && kind != IV_CEL_DYN) {
        struct iv_buf text;
        iv_buf_init(&text, 256);
        iv_cel_type_format(&text, iv_cel_prog_type(prog));
        iv_yaml_error(load->problems, node, "%s must be a number, not of type " IV_STR_FMT, what,
                      IV_STR_ARG(iv_buf_slice(&text)));
        iv_buf_deinit(&text);
        return out;
    }
    struct iv_val v;
    if (!iv_cel_prog_constant(prog)) {
        out.prog = prog;
    } else if (fold(load, &v, prog, node)) {
        out.is_double = v.kind == IV_KIND_DOUBLE;
        out.i = v.kind == IV_KIND_INT || v.kind == IV_KIND_UINT ? v.i : 0;
        out.d = out.is_double ? v.d : (double)out.i;
    }
    return out;
}

/* "use.token_id" is the field itself, without a program. */
static const struct iv_cel_field *named_field(const struct iv_side *side, struct iv_str text)
{
    const struct iv_cel_field *field = iv_side_field(side, text);
    struct iv_str alias = side->alias;
    if (field == NULL && alias.p != NULL && text.n > alias.n + 1 && text.p[alias.n] == '.' &&
        memcmp(text.p, alias.p, alias.n) == 0) {
        field = iv_side_field(side, (struct iv_str){text.p + alias.n + 1, text.n - alias.n - 1});
    }
    return field;
}

static void report_no_field(struct iv_load *load, const struct iv_side *side, const struct iv_yaml_node *node)
{
    size_t count = side->schema->field_count;
    struct iv_str *names = iv_load_alloc(load, count, sizeof *names);
    for (size_t i = 0; names != NULL && i < count; i++) {
        names[i] = side->schema->fields[i].name;
    }
    iv_yaml_error(load->problems, node, "no field '" IV_STR_FMT "' in " IV_STR_FMT "%s",
                  IV_STR_ARG(node->text), IV_STR_ARG(side->schema->name),
                  iv_yaml_nearest(node->text, names, names == NULL ? 0 : count).text);
}

static void load_term(struct iv_rule_load *rl, struct iv_term *out, const struct iv_side *side,
                      const struct iv_cel_env *env, const struct iv_yaml_node *node, const char *what)
{
    struct iv_load *load = rl->load;
    struct iv_str text;
    if (!iv_yaml_string(&text, node, load->problems)) {
        return;
    }
    const struct iv_cel_field *field = named_field(side, text);
    if (field != NULL) {
        out->name_id = field->name_id;
        note_fields(rl->fields[side->slot], field->name_id);
        return;
    }
    if (iv_is_word(text)) {
        report_no_field(load, side, node);
        return;
    }
    if (env == NULL) {
        iv_yaml_error(load->problems, node,
                      "%s here is a field that both sides have; an expression stands in "
                      "{on: …, with: …}, one for each side",
                      what);
        return;
    }
    out->prog = iv_expr_load(rl, env, node, NULL);
    if (out->prog != NULL && iv_cel_prog_type(out->prog)->kind == IV_CEL_OBJECT) {
        iv_yaml_error(load->problems, node, "%s must be a value, not a whole event", what);
    }
}

struct iv_terms iv_terms_load(struct iv_rule_load *rl, const struct iv_side *side,
                              const struct iv_cel_env *env, const struct iv_yaml_node *node, const char *what)
{
    struct iv_terms out = {NULL, 0};
    if (node == NULL || side->schema == NULL) {
        return out;
    }
    struct iv_yaml_items items = iv_yaml_items(node, rl->load->problems);
    if (node->kind == IV_YAML_LIST && (items.count == 0 || items.count > 16)) {
        iv_yaml_error(rl->load->problems, node, "%s must name from 1 to 16 values", what);
        return out;
    }
    struct iv_term *terms = iv_load_alloc(rl->load, items.count, sizeof *terms);
    for (size_t i = 0; terms != NULL && i < items.count; i++) {
        load_term(rl, &terms[i], side, env, iv_yaml_item(&items, i), what);
    }
    out.terms = terms;
    out.count = terms == NULL ? 0 : (uint8_t)items.count;
    return out;
}

const struct iv_cel_type *iv_term_type(const struct iv_side *side, const struct iv_term *term)
{
    if (term->prog != NULL) {
        return iv_cel_prog_type(term->prog);
    }
    for (size_t i = 0; i < side->schema->field_count; i++) {
        if (side->schema->fields[i].name_id == term->name_id) {
            return side->schema->fields[i].type;
        }
    }
    return &iv_cel_dyn;
}
