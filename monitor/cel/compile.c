/* SPDX-License-Identifier: Apache-2.0 */
/* From the checked tree to instructions. What is constant is computed here and now. */
#include "base/alloc.h"
#include "base/guard.h"
#include "cel/emit.h"
#include "cel/env.h"
#include "cel/unify.h"

#define CONSTANT_COST_MAX 100000u
#define CONSTANT_BYTES_MAX ((size_t)1 << 20)

static bool emit_node(struct iv_cel_emitter *e, struct iv_cel_node *node);

static bool emit_fail(struct iv_cel_emitter *e, const struct iv_cel_node *at, const char *text,
                      struct iv_str name)
{
    struct iv_str message = iv_arena_printf(e->c->arena, "%s '" IV_STR_FMT "'", text, IV_STR_ARG(name));
    if (message.p == NULL) {
        e->c->out_of_memory = true;
        return false;
    }
    return iv_cel_emit_const(e, at, IV_CEL_OP_FAIL, iv_val_str(message));
}

static bool emit_ident(struct iv_cel_emitter *e, const struct iv_cel_node *node)
{
    struct iv_cel_read read = {.whole = true};
    switch ((enum iv_cel_ref)node->ref) {
    case IV_CEL_REF_LOCAL:
        if (node->owner->kind == IV_CEL_NODE_BIND) {
            return iv_cel_emit(e, node, IV_CEL_OP_LOCAL, 0, 0, node->owner->base);
        }
        return iv_cel_emit(e, node, IV_CEL_OP_LOCAL, 0, 0,
                           node->owner->base + IV_CEL_FOLD_VAR1 + node->second);
    case IV_CEL_REF_VAR:
        read.bank = node->var->bank;
        read.slot = node->var->slot;
        return iv_cel_emit(e, node, node->test ? IV_CEL_OP_HAS_VAR : IV_CEL_OP_VAR, read.bank, read.slot,
                           0) &&
               iv_cel_emit_read(e, &read);
    case IV_CEL_REF_TYPE:
        return iv_cel_emit_const(e, node, IV_CEL_OP_CONST, node->test ? iv_val_bool(true) : node->value);
    case IV_CEL_REF_NONE:
        break;
    }
    return emit_fail(e, node, "undeclared reference to", node->name);
}

static bool emit_field(struct iv_cel_emitter *e, struct iv_cel_node *node, const struct iv_cel_schema *schema)
{
    const struct iv_cel_field *field = iv_cel_schema_find(schema, node->name);
    struct iv_cel_node *of = node->target;
    if (field == NULL) {
        return emit_fail(e, node, "no such field", node->name);
    }
    if (of->kind == IV_CEL_NODE_IDENT && of->ref == IV_CEL_REF_VAR && !node->optional) {
        struct iv_cel_read read = {of->var->bank, false, of->var->slot, field->name_id};
        return iv_cel_emit(e, node, node->test ? IV_CEL_OP_HAS_FIELD : IV_CEL_OP_FIELD, read.bank, read.slot,
                           field->name_id) &&
               iv_cel_emit_read(e, &read);
    }
    enum iv_cel_op op = node->test       ? IV_CEL_OP_TEST_FIELD
                        : node->optional ? IV_CEL_OP_OPT_FIELD
                                         : IV_CEL_OP_GET_FIELD;
    return emit_node(e, of) && iv_cel_emit(e, node, op, 0, 0, field->name_id);
}

/* The schema of what is selected from, also in unchecked programs if it is a declared variable. */
static const struct iv_cel_schema *schema_of(const struct iv_cel_node *of)
{
    const struct iv_cel_type *type =
        of->kind == IV_CEL_NODE_IDENT && of->ref == IV_CEL_REF_VAR ? of->var->type : of->type;
    type = iv_cel_type_deref(type);
    return type->kind == IV_CEL_OBJECT ? type->schema : NULL;
}

static bool emit_select(struct iv_cel_emitter *e, struct iv_cel_node *node)
{
    const struct iv_cel_schema *schema = schema_of(node->target);
    if (schema != NULL) {
        return emit_field(e, node, schema);
    }
    enum iv_cel_op op = node->test       ? IV_CEL_OP_TEST
                        : node->optional ? IV_CEL_OP_OPT_SELECT
                                         : IV_CEL_OP_SELECT;
    return emit_node(e, node->target) && iv_cel_emit_const(e, node, op, iv_val_str(node->name));
}

static const struct {
    const char *name;
    enum iv_cel_op op;
} operators[] = {
    {"_==_", IV_CEL_OP_EQ}, {"_!=_", IV_CEL_OP_NE}, {"_<_", IV_CEL_OP_LT},     {"_<=_", IV_CEL_OP_LE},
    {"_>_", IV_CEL_OP_GT},  {"_>=_", IV_CEL_OP_GE}, {"_+_", IV_CEL_OP_ADD},    {"_-_", IV_CEL_OP_SUB},
    {"_*_", IV_CEL_OP_MUL}, {"_/_", IV_CEL_OP_DIV}, {"_%_", IV_CEL_OP_MOD},    {"@in", IV_CEL_OP_IN},
    {"!_", IV_CEL_OP_NOT},  {"-_", IV_CEL_OP_NEG},  {"_[_]", IV_CEL_OP_INDEX}, {"_[?_]", IV_CEL_OP_OPT_INDEX},
};

/* a && b: a in a region, so that its failure waits for what b says. */
static bool emit_logic(struct iv_cel_emitter *e, struct iv_cel_node *node, enum iv_cel_op left,
                       enum iv_cel_op right)
{
    uint32_t start = e->prog.code_count;
    uint32_t depth = e->depth;
    if (!emit_node(e, node->args[0]) || !iv_cel_emit_region(e, start, depth)) {
        return false;
    }
    uint32_t jump = e->prog.code_count;
    if (!iv_cel_emit(e, node->args[0], left, 0, 0, 0) || !emit_node(e, node->args[1]) ||
        !iv_cel_emit(e, node->args[1], right, 0, 0, 0)) {
        return false;
    }
    iv_cel_emit_land(e, jump);
    return true;
}

static bool emit_choice(struct iv_cel_emitter *e, struct iv_cel_node *node)
{
    if (!emit_node(e, node->args[0])) {
        return false;
    }
    uint32_t branch = e->prog.code_count;
    if (!iv_cel_emit(e, node->args[0], IV_CEL_OP_BRANCH, 0, 0, 0) || !emit_node(e, node->args[1])) {
        return false;
    }
    uint32_t jump = e->prog.code_count;
    if (!iv_cel_emit(e, node, IV_CEL_OP_JUMP, 0, 0, 0)) {
        return false;
    }
    e->depth--; /* the other way has no value yet */
    iv_cel_emit_land(e, branch);
    if (!emit_node(e, node->args[2])) {
        return false;
    }
    iv_cel_emit_land(e, jump);
    return true;
}

static bool emit_call(struct iv_cel_emitter *e, struct iv_cel_node *node)
{
    if (node->target == NULL && iv_str_eq(node->name, IV_STR("_&&_"))) {
        return emit_logic(e, node, IV_CEL_OP_LEFT_AND, IV_CEL_OP_RIGHT_AND);
    }
    if (node->target == NULL && iv_str_eq(node->name, IV_STR("_||_"))) {
        return emit_logic(e, node, IV_CEL_OP_LEFT_OR, IV_CEL_OP_RIGHT_OR);
    }
    if (node->target == NULL && iv_str_eq(node->name, IV_STR("_?_:_"))) {
        return emit_choice(e, node);
    }
    if (node->candidate_count == 0) {
        return emit_fail(e, node, "no such overload of", node->name);
    }
    uint8_t count = 0;
    if (node->target != NULL) {
        if (!emit_node(e, node->target)) {
            return false;
        }
        count++;
    }
    for (uint32_t i = 0; i < node->count; i++, count++) {
        if (!emit_node(e, node->args[i])) {
            return false;
        }
    }
    for (size_t i = 0; node->target == NULL && i < IV_COUNT(operators); i++) {
        if (iv_str_eq(node->name, iv_str_of(operators[i].name))) {
            return iv_cel_emit(e, node, operators[i].op, 0, 0, 0);
        }
    }
    return iv_cel_emit_site(e, node, count);
}

static bool emit_items(struct iv_cel_emitter *e, struct iv_cel_node *node)
{
    bool map = node->kind == IV_CEL_NODE_MAP;
    uint32_t n = map ? node->count / 2 : node->count;
    for (uint32_t i = 0; i < node->count; i++) {
        if (!emit_node(e, node->args[i])) {
            return false;
        }
    }
    uint16_t mask = 0;
    if (node->optionals != NULL) {
        char *bytes = iv_arena_alloc(e->c->arena, n + 1);
        if (bytes == NULL) {
            e->c->out_of_memory = true;
            return false;
        }
        for (uint32_t i = 0; i < n; i++) {
            bytes[i] = node->optionals[map ? 2 * i : i] ? '?' : '.';
        }
        /* The constant's instruction is taken back: only its number is wanted. */
        if (!iv_cel_emit_const(e, node, IV_CEL_OP_CONST, iv_val_str((struct iv_str){bytes, n}))) {
            return false;
        }
        e->prog.code_count--;
        e->depth--;
        mask = (uint16_t)e->prog.const_count;
    }
    return iv_cel_emit(e, node, map ? IV_CEL_OP_MAP : IV_CEL_OP_LIST, 0, mask, n);
}

static bool emit_fold(struct iv_cel_emitter *e, struct iv_cel_node *node)
{
    uint8_t kind = node->fold;
    node->base = e->depth;
    if (!emit_node(e, node->target) || !iv_cel_emit(e, node, IV_CEL_OP_FOLD, kind, node->two_vars, 0)) {
        return false;
    }
    uint32_t next = e->prog.code_count;
    if (!iv_cel_emit(e, node, IV_CEL_OP_NEXT, kind, node->two_vars, 0)) {
        return false;
    }
    if (node->count > 1) { /* a filter: what it refuses goes back to the next item */
        if (!emit_node(e, node->args[1]) || !iv_cel_emit(e, node->args[1], IV_CEL_OP_BRANCH, 0, 0, next)) {
            return false;
        }
    }
    uint32_t start = e->prog.code_count;
    uint32_t depth = e->depth;
    if (!emit_node(e, node->args[0])) {
        return false;
    }
    bool absorbs = kind == IV_CEL_FOLD_ALL || kind == IV_CEL_FOLD_EXISTS;
    if (absorbs && !iv_cel_emit_region(e, start, depth)) {
        return false;
    }
    if (!iv_cel_emit(e, node->args[0], IV_CEL_OP_STEP, kind, node->two_vars, next)) {
        return false;
    }
    iv_cel_emit_land(e, next);
    return iv_cel_emit(e, node, IV_CEL_OP_END, kind, node->two_vars, 0);
}

static bool emit_bind(struct iv_cel_emitter *e, struct iv_cel_node *node)
{
    node->base = e->depth;
    return emit_node(e, node->target) && emit_node(e, node->args[0]) &&
           iv_cel_emit(e, node, IV_CEL_OP_SLIDE, 0, 1, 0);
}

static bool emit_kind(struct iv_cel_emitter *e, struct iv_cel_node *node)
{
    switch ((enum iv_cel_node_kind)node->kind) {
    case IV_CEL_NODE_LITERAL:
        return iv_cel_emit_const(e, node, IV_CEL_OP_CONST, node->value);
    case IV_CEL_NODE_IDENT:
        return emit_ident(e, node);
    case IV_CEL_NODE_SELECT:
        return emit_select(e, node);
    case IV_CEL_NODE_CALL:
        return emit_call(e, node);
    case IV_CEL_NODE_LIST:
    case IV_CEL_NODE_MAP:
        return emit_items(e, node);
    case IV_CEL_NODE_STRUCT:
        return emit_fail(e, node, "no such message type", node->name);
    case IV_CEL_NODE_FOLD:
        return emit_fold(e, node);
    case IV_CEL_NODE_BIND:
        return emit_bind(e, node);
    }
    return false;
}

static bool emit_node(struct iv_cel_emitter *e, struct iv_cel_node *node)
{
    uint32_t start = e->prog.code_count;
    uint32_t consts = e->prog.const_count;
    uint32_t regions = e->prog.region_count;
    if (!emit_kind(e, node)) {
        return false;
    }
    bool simple = node->kind == IV_CEL_NODE_LITERAL || node->kind == IV_CEL_NODE_IDENT;
    return simple || !node->constant || iv_cel_emit_fold(e, node, start, consts, regions);
}

static iv_rc emit_program(struct iv_cel_prog **out, struct iv_cel_compilation *c, struct iv_cel_node *root,
                          struct iv_err *err)
{
    struct iv_cel_emitter e = {.c = c};
    iv_cel_frame_init(&e.scratch, CONSTANT_BYTES_MAX);
    e.scratch.cost_limit = CONSTANT_COST_MAX;
    iv_cel_mark_constants(root);
    struct iv_rc_s rc = {IV_E_NOMEM};
    if (emit_node(&e, root) && iv_cel_emit(&e, root, IV_CEL_OP_RETURN, 0, 0, 0) &&
        iv_cel_outline(&e.prog, c, root)) {
        rc = iv_cel_emit_finish(out, &e, root->type, err);
    }
    iv_cel_frame_deinit(&e.scratch);
    return rc;
}

/* What was reported where memory was out is said of names that could not be held, not of the expression. */
static iv_rc refused(const struct iv_cel_compilation *c, enum iv_code code, struct iv_err *err)
{
    if (c->out_of_memory || c->diags->count == 0) {
        iv_cel_diags_deinit(c->diags);
        return iv_err_set(err, IV_E_NOMEM, "not enough memory to compile the expression");
    }
    return iv_err_set(err, code, "%s", c->diags->items[0].text);
}

static iv_rc compile(struct iv_cel_prog **out, struct iv_cel_compilation *c, const struct iv_cel_type *expect,
                     struct iv_err *err)
{
    if (c->source.n > IV_CEL_SOURCE_MAX) {
        iv_cel_report(c, 0, 0, "the expression is longer than %zu bytes", IV_CEL_SOURCE_MAX);
        return refused(c, IV_E_SYNTAX, err);
    }
    if (!iv_utf8_valid(c->source)) {
        iv_cel_report(c, 0, 0, "the expression is not UTF-8");
        return refused(c, IV_E_SYNTAX, err);
    }
    struct iv_cel_node *root = iv_cel_parse(c);
    if (root == NULL || c->out_of_memory) {
        return refused(c, IV_E_SYNTAX, err);
    }
    bool resolved = iv_cel_resolve(c, root);
    bool checked = iv_cel_check(c, root, expect);
    if (!resolved || !checked || c->out_of_memory) {
        return refused(c, IV_E_TYPE, err);
    }
    return emit_program(out, c, root, err);
}

iv_rc iv_cel_compile(struct iv_cel_prog **out, const struct iv_cel_env *env, struct iv_str source,
                     const struct iv_cel_options *options, struct iv_cel_diags *diags, struct iv_err *err)
{
    struct iv_arena arena;
    iv_arena_init(&arena, 0);
    struct iv_cel_diags own = {NULL, 0};
    struct iv_cel_compilation c = {
        .env = env, .source = source, .diags = diags == NULL ? &own : diags, .arena = &arena};
    c.no_check = options != NULL && options->no_check;
    struct iv_rc_s rc = compile(out, &c, options == NULL ? NULL : options->expect, err);
    if (!iv_ok(rc) && rc.code == IV_E_NOMEM) {
        rc = iv_err_set(err, IV_E_NOMEM, "not enough memory to compile the expression");
    }
    iv_cel_diags_deinit(&own);
    iv_arena_deinit(&arena);
    return rc;
}
