/* SPDX-License-Identifier: Apache-2.0 */
#include "cel/emit.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "cel/lib.h"
#include "cel/regex.h"

#define COPIED_BYTES_MAX ((size_t)4 << 20) /* of all constants of an expression together */

enum array { CODE, OFFSETS, CONSTS, SITES, REGIONS, READS };

/* Room for one more item; *array is a pointer to the items. */
static bool grow(struct iv_cel_emitter *e, enum array which, void *array, uint32_t count, size_t size)
{
    if (count < e->capacity[which]) {
        return true;
    }
    uint32_t capacity = e->capacity[which] == 0 ? 16 : e->capacity[which] * 2;
    void *p = iv_arena_alloc(e->c->arena, capacity * size);
    if (p == NULL) {
        e->c->out_of_memory = true;
        return false;
    }
    void *old = NULL;
    memcpy(&old, array, sizeof old);
    if (count > 0) {
        memcpy(p, old, count * size);
    }
    memcpy(array, &p, sizeof p);
    e->capacity[which] = capacity;
    return true;
}

static void adjust_depth(struct iv_cel_emitter *e, const struct iv_cel_insn *i)
{
    const struct iv_cel_op_info *info = &iv_cel_ops[i->op];
    uint32_t pops = info->pops;
    switch (info->operands) {
    case IV_CEL_ARG_ITEMS:
        pops = i->c;
        break;
    case IV_CEL_ARG_PAIRS:
        pops = i->c * 2;
        break;
    case IV_CEL_ARG_SITE:
        pops = i->a;
        break;
    case IV_CEL_ARG_SLIDE:
        pops = i->b;
        e->depth -= pops;
        return;
    default:
        break;
    }
    e->depth = e->depth - pops + info->pushes;
    e->max_depth = e->depth > e->max_depth ? e->depth : e->max_depth;
}

bool iv_cel_emit(struct iv_cel_emitter *e, const struct iv_cel_node *at, enum iv_cel_op op, uint8_t a,
                 uint16_t b, uint32_t c)
{
    uint32_t n = e->prog.code_count;
    if (!grow(e, CODE, &e->code, n, sizeof *e->code) ||
        !grow(e, OFFSETS, &e->offsets, n, sizeof *e->offsets)) {
        return false;
    }
    e->code[n] = (struct iv_cel_insn){(uint8_t)op, a, b, c};
    e->offsets[n] = at->offset;
    e->prog.code_count++;
    adjust_depth(e, &e->code[n]);
    return true;
}

bool iv_cel_emit_const(struct iv_cel_emitter *e, const struct iv_cel_node *at, enum iv_cel_op op,
                       struct iv_val v)
{
    uint32_t n = e->prog.const_count;
    if (!grow(e, CONSTS, &e->consts, n, sizeof *e->consts)) {
        return false;
    }
    e->consts[n] = v;
    e->prog.const_count++;
    return iv_cel_emit(e, at, op, 0, 0, n);
}

uint32_t iv_cel_kinds_of(const struct iv_cel_type *type)
{
    static const uint32_t kinds[] = {
        [IV_CEL_NULL] = 1u << IV_KIND_NULL,         [IV_CEL_BOOL] = 1u << IV_KIND_BOOL,
        [IV_CEL_INT] = 1u << IV_KIND_INT,           [IV_CEL_UINT] = 1u << IV_KIND_UINT,
        [IV_CEL_DOUBLE] = 1u << IV_KIND_DOUBLE,     [IV_CEL_STRING] = 1u << IV_KIND_STRING,
        [IV_CEL_BYTES] = 1u << IV_KIND_BYTES,       [IV_CEL_TIMESTAMP] = 1u << IV_KIND_TIMESTAMP,
        [IV_CEL_DURATION] = 1u << IV_KIND_DURATION, [IV_CEL_LIST] = 1u << IV_KIND_LIST,
        [IV_CEL_MAP] = 1u << IV_KIND_MAP,           [IV_CEL_OBJECT] = 1u << IV_KIND_OBJECT,
        [IV_CEL_TYPE] = 1u << IV_KIND_TYPE,         [IV_CEL_OPTIONAL] = 1u << IV_KIND_OPTIONAL,
        [IV_CEL_OPAQUE] = 1u << IV_KIND_OPAQUE,     [IV_CEL_ERROR] = 0,
    };
    return type->kind == IV_CEL_DYN || type->kind == IV_CEL_PARAM ? UINT32_MAX : kinds[type->kind];
}

static struct iv_cel_callee callee_of(const struct iv_cel_overload *o)
{
    struct iv_cel_callee callee = {.call = o->call, .ctx = o->ctx, .cost = o->cost};
    for (size_t i = 0; i < o->arg_count; i++) {
        callee.kinds[i] = iv_cel_kinds_of(o->args[i]);
    }
    return callee;
}

/* True where overloads of one implementation need not be told apart at run time. */
static bool merge(struct iv_cel_callee *into, const struct iv_cel_callee *other, uint8_t arg_count)
{
    uint8_t differing = 0;
    uint8_t where = 0;
    for (uint8_t i = 0; i < arg_count; i++) {
        if (into->kinds[i] != other->kinds[i]) {
            differing++;
            where = i;
        }
    }
    if (into->call != other->call || into->ctx != other->ctx || differing > 1) {
        return false;
    }
    into->kinds[where] |= other->kinds[where];
    return true;
}

struct iv_str iv_cel_literal_pattern(const struct iv_cel_node *call)
{
    const struct iv_cel_node *last = call->count == 0 ? NULL : call->args[call->count - 1];
    bool literal = last != NULL && last->kind == IV_CEL_NODE_LITERAL && last->value.kind == IV_KIND_STRING;
    bool ours = call->candidate_count == 1 && call->candidates[0]->call == iv_cel_matches;
    return literal && ours ? iv_val_slice(last->value) : (struct iv_str){NULL, 0};
}

bool iv_cel_emit_site(struct iv_cel_emitter *e, const struct iv_cel_node *call, uint8_t arg_count)
{
    uint32_t n = e->prog.site_count;
    struct iv_cel_callee *callees =
        iv_arena_zalloc(e->c->arena, (call->candidate_count + 1) * sizeof *callees);
    if (callees == NULL || !grow(e, SITES, &e->sites, n, sizeof *e->sites)) {
        e->c->out_of_memory = true;
        return false;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < call->candidate_count; i++) {
        struct iv_cel_callee callee = callee_of(call->candidates[i]);
        if (count == 0 || !merge(&callees[count - 1], &callee, arg_count)) {
            callees[count++] = callee;
        }
    }
    e->sites[n] = (struct iv_cel_site){call->name, iv_cel_literal_pattern(call), callees, count};
    e->prog.site_count++;
    return iv_cel_emit(e, call, IV_CEL_OP_CALL, arg_count, 0, n);
}

bool iv_cel_emit_region(struct iv_cel_emitter *e, uint32_t start, uint32_t depth)
{
    uint32_t n = e->prog.region_count;
    if (!grow(e, REGIONS, &e->regions, n, sizeof *e->regions)) {
        return false;
    }
    e->regions[n] = (struct iv_cel_region){start, e->prog.code_count, depth};
    e->prog.region_count++;
    return true;
}

bool iv_cel_emit_read(struct iv_cel_emitter *e, const struct iv_cel_read *read)
{
    uint32_t n = e->prog.read_count;
    for (uint32_t i = 0; i < n; i++) {
        const struct iv_cel_read *r = &e->reads[i];
        if (r->bank == read->bank && r->slot == read->slot && r->whole == read->whole &&
            r->name_id == read->name_id) {
            return true;
        }
    }
    if (!grow(e, READS, &e->reads, n, sizeof *e->reads)) {
        return false;
    }
    e->reads[n] = *read;
    e->prog.read_count++;
    return true;
}

void iv_cel_emit_land(struct iv_cel_emitter *e, uint32_t pc)
{
    e->code[pc].c = e->prog.code_count;
}

/* Points the program at the arrays as they are now. */
static void sync_arrays(struct iv_cel_emitter *e)
{
    e->prog.code = e->code;
    e->prog.offsets = e->offsets;
    e->prog.consts = e->consts;
    e->prog.sites = e->sites;
    e->prog.regions = e->regions;
    e->prog.reads = e->reads;
    e->prog.source = e->c->source;
}

static void warn(struct iv_cel_emitter *e, const struct iv_cel_node *at, const struct iv_err *why)
{
    size_t before = e->c->diags->count;
    iv_cel_report(e->c, at->offset, at->length, "this always fails: %s", why->text);
    if (e->c->diags->count > before) {
        e->c->diags->items[before].warning = true;
    }
    e->said_to_fail = true; /* and so will what it stands in */
}

/* Whether a value fits into what is left for constants. Its parts may be shared, and their copies are not: a
 * short expression can make more than any memory holds. */
static bool spend_bytes(struct iv_cel_emitter *e, const struct iv_val *v)
{
    bool nested = v->kind == IV_KIND_LIST || v->kind == IV_KIND_MAP || v->kind == IV_KIND_OPTIONAL;
    size_t n = v->kind == IV_KIND_MAP ? 2 * (size_t)v->n : v->n;
    size_t own = sizeof *v + (nested ? 0 : n);
    if (e->constant_bytes + own > COPIED_BYTES_MAX) {
        return false;
    }
    e->constant_bytes += own;
    for (size_t i = 0; nested && i < n; i++) {
        if (!spend_bytes(e, &v->items[i])) {
            return false;
        }
    }
    return true;
}

bool iv_cel_emit_fold(struct iv_cel_emitter *e, const struct iv_cel_node *at, uint32_t start, uint32_t consts,
                      uint32_t regions)
{
    uint32_t depth = e->depth - 1;
    struct iv_val *stack = iv_arena_alloc(e->c->arena, (e->max_depth + 1) * sizeof *stack);
    if (stack == NULL || !iv_cel_emit(e, at, IV_CEL_OP_RETURN, 0, 0, 0)) {
        e->c->out_of_memory = true;
        return false;
    }
    sync_arrays(e);
    iv_arena_reset(&e->scratch.arena); /* its cost adds up: the limit is for all constants together */
    struct iv_val v;
    struct iv_val copy;
    struct iv_err why = {0};
    struct iv_rc_s rc = iv_cel_execute(&e->prog, start, depth, stack, &e->scratch, &v, &why);
    e->prog.code_count--; /* the RETURN */
    e->depth = depth + 1;
    if (rc.code == IV_E_EVAL && !e->c->no_check && !e->said_to_fail) {
        warn(e, at, &why);
    }
    if (!iv_ok(rc) || !spend_bytes(e, &v) || !iv_val_dup_into(&copy, e->c->arena, &v)) {
        return true; /* it fails when it is run, or is too large: leave it as it is */
    }
    e->prog.code_count = start;
    e->prog.const_count = consts;
    e->prog.region_count = regions;
    e->depth = depth;
    return iv_cel_emit_const(e, at, IV_CEL_OP_CONST, copy);
}

static const struct iv_cel_type *copy_type(struct iv_arena *arena, const struct iv_cel_type *type)
{
    struct iv_cel_type *copy = iv_arena_alloc(arena, sizeof *copy);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *type;
    for (size_t i = 0; i < IV_COUNT(copy->args) && type->args[i] != NULL; i++) {
        copy->args[i] = copy_type(arena, type->args[i]);
        if (copy->args[i] == NULL) {
            return NULL;
        }
    }
    return copy;
}

static bool copy_array(void *out, struct iv_arena *arena, const void *from, size_t bytes)
{
    void *p = iv_arena_alloc(arena, bytes + 1);
    if (p == NULL) {
        return false;
    }
    if (bytes > 0) {
        memcpy(p, from, bytes);
    }
    memcpy(out, &p, sizeof p);
    return true;
}

static bool copy_consts(struct iv_cel_prog *prog)
{
    struct iv_val *consts = iv_arena_alloc(&prog->arena, (prog->const_count + 1) * sizeof *consts);
    for (uint32_t i = 0; consts != NULL && i < prog->const_count; i++) {
        if (!iv_val_dup_into(&consts[i], &prog->arena, &prog->consts[i])) {
            return false;
        }
    }
    prog->consts = consts;
    return consts != NULL;
}

static bool copy_outline(struct iv_cel_prog *prog)
{
    struct iv_cel_outline *outline =
        iv_arena_alloc(&prog->arena, (prog->outline_count + 1) * sizeof *outline);
    for (uint32_t i = 0; outline != NULL && i < prog->outline_count; i++) {
        outline[i] = prog->outline[i];
        if (!iv_val_dup_into(&outline[i].constant, &prog->arena, &prog->outline[i].constant)) {
            return false;
        }
    }
    prog->outline = outline;
    return outline != NULL;
}

/* With a literal pattern compiled, which the implementation would else do at each call. One that is wrong
 * stays for the run to fail on: the checker refuses it, unless it was told not to look. */
static bool copy_callees(struct iv_cel_site *site, struct iv_arena *arena)
{
    struct iv_cel_callee *callees = iv_arena_alloc(arena, (site->count + 1) * sizeof *callees);
    struct iv_regex *regex = NULL;
    if (callees == NULL) {
        return false;
    }
    if (site->pattern.p != NULL && !iv_ok(iv_regex_compile(&regex, site->pattern, arena, NULL))) {
        regex = NULL;
    }
    for (uint32_t i = 0; i < site->count; i++) {
        callees[i] = site->callees[i];
        callees[i].ctx = site->pattern.p != NULL ? regex : callees[i].ctx;
    }
    site->callees = callees;
    return true;
}

static bool copy_sites(struct iv_cel_prog *prog)
{
    struct iv_cel_site *sites = iv_arena_alloc(&prog->arena, (prog->site_count + 1) * sizeof *sites);
    for (uint32_t i = 0; sites != NULL && i < prog->site_count; i++) {
        sites[i] = prog->sites[i];
        sites[i].name = iv_arena_str(&prog->arena, sites[i].name);
        if (sites[i].name.p == NULL || !copy_callees(&sites[i], &prog->arena)) {
            return false;
        }
    }
    prog->sites = sites;
    return sites != NULL;
}

static bool copy_all(struct iv_cel_prog *prog, const struct iv_cel_type *type)
{
    struct iv_arena *arena = &prog->arena;
    prog->source = iv_arena_str(arena, prog->source);
    prog->type = copy_type(arena, type);
    return prog->source.p != NULL && prog->type != NULL &&
           copy_array(&prog->code, arena, prog->code, prog->code_count * sizeof *prog->code) &&
           copy_array(&prog->offsets, arena, prog->offsets, prog->code_count * sizeof *prog->offsets) &&
           copy_array(&prog->regions, arena, prog->regions, prog->region_count * sizeof *prog->regions) &&
           copy_array(&prog->reads, arena, prog->reads, prog->read_count * sizeof *prog->reads) &&
           copy_consts(prog) && copy_sites(prog) && copy_outline(prog);
}

iv_rc iv_cel_emit_finish(struct iv_cel_prog **out, struct iv_cel_emitter *e, const struct iv_cel_type *type,
                         struct iv_err *err)
{
    sync_arrays(e);
    IV_AUTO(iv_cel_prog_freep) struct iv_cel_prog *prog = iv_calloc(1, sizeof *prog);
    ENSURE(prog != NULL, err, IV_E_NOMEM, "cannot allocate a program");
    *prog = e->prog;
    iv_arena_init(&prog->arena, 0);
    ENSURE(copy_all(prog, type), err, IV_E_NOMEM, "cannot allocate a program");
    TRY(iv_cel_verify(prog, err));
    *out = TAKE(prog);
    return IV_OK;
}
