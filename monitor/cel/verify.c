/* SPDX-License-Identifier: Apache-2.0 */
/* Follows every path of a program once. What passes cannot make the VM read or write
 * outside of its arrays. */
#include "base/alloc.h"
#include "base/guard.h"
#include "cel/prog.h"

#define UNSEEN UINT32_MAX

struct walk {
    const struct iv_cel_prog *prog;
    uint32_t *depth_at; /* by instruction */
    uint32_t *todo;
    uint32_t todo_count;
    uint32_t max_stack;
};

/* The stack has that depth at pc; false if pc is outside or was seen with another. */
static bool reach(struct walk *w, uint32_t pc, uint32_t depth)
{
    if (pc >= w->prog->code_count) {
        return false;
    }
    if (w->depth_at[pc] != UNSEEN) {
        return w->depth_at[pc] == depth;
    }
    w->depth_at[pc] = depth;
    w->todo[w->todo_count++] = pc;
    return true;
}

static bool operands_fit(const struct iv_cel_prog *p, const struct iv_cel_insn *i, uint32_t depth)
{
    switch (iv_cel_ops[i->op].operands) {
    case IV_CEL_ARG_CONST:
        return i->c < p->const_count && (i->op != IV_CEL_OP_FAIL || p->consts[i->c].kind == IV_KIND_STRING);
    case IV_CEL_ARG_NAME:
        return i->c < p->const_count && p->consts[i->c].kind == IV_KIND_STRING;
    case IV_CEL_ARG_LOCAL:
        return i->c < depth;
    case IV_CEL_ARG_VAR:
    case IV_CEL_ARG_VARFIELD:
        return i->a < IV_CEL_BANKS;
    case IV_CEL_ARG_ITEMS:
    case IV_CEL_ARG_PAIRS:
        return i->b == 0 || (i->b <= p->const_count && p->consts[i->b - 1].kind == IV_KIND_STRING &&
                             p->consts[i->b - 1].n == i->c);
    case IV_CEL_ARG_SITE:
        return i->c < p->site_count && i->a <= 4;
    case IV_CEL_ARG_FOLD:
        return i->a <= IV_CEL_FOLD_MAP_ENTRY && i->b <= 1;
    case IV_CEL_ARG_NONE:
    case IV_CEL_ARG_FIELD:
    case IV_CEL_ARG_JUMP:
    case IV_CEL_ARG_SLIDE:
        break;
    }
    return true;
}

static uint64_t popped(const struct iv_cel_insn *i)
{
    switch (iv_cel_ops[i->op].operands) {
    case IV_CEL_ARG_ITEMS:
        return i->c;
    case IV_CEL_ARG_PAIRS:
        return (uint64_t)i->c * 2;
    case IV_CEL_ARG_SITE:
        return i->a;
    case IV_CEL_ARG_SLIDE:
        return (uint64_t)i->b + 1;
    default:
        return iv_cel_ops[i->op].pops;
    }
}

/* Marks the instructions that may follow pc. after: the depth behind it. */
static bool follow(struct walk *w, uint32_t pc, uint32_t after)
{
    const struct iv_cel_insn *i = &w->prog->code[pc];
    switch ((enum iv_cel_op)i->op) {
    case IV_CEL_OP_RETURN:
        return after == 0;
    case IV_CEL_OP_FAIL:
    case IV_CEL_OP_JUMP:
        return i->op == IV_CEL_OP_JUMP ? reach(w, i->c, after) : reach(w, pc + 1, after);
    case IV_CEL_OP_BRANCH:
    case IV_CEL_OP_LEFT_AND:
    case IV_CEL_OP_LEFT_OR:
    case IV_CEL_OP_NEXT:
    case IV_CEL_OP_STEP:
        return reach(w, i->c, after) && reach(w, pc + 1, after);
    default:
        return reach(w, pc + 1, after);
    }
}

static bool visit(struct walk *w, uint32_t pc)
{
    const struct iv_cel_insn *i = &w->prog->code[pc];
    uint32_t depth = w->depth_at[pc];
    if (i->op >= IV_CEL_OPS || !operands_fit(w->prog, i, depth) || popped(i) > depth) {
        return false;
    }
    uint32_t after = depth - (uint32_t)popped(i) + iv_cel_ops[i->op].pushes;
    w->max_stack = after > w->max_stack ? after : w->max_stack;
    for (uint32_t r = 0; r < w->prog->region_count; r++) {
        const struct iv_cel_region *region = &w->prog->regions[r];
        if (region->start == pc && (region->depth != depth || !reach(w, region->end, depth + 1))) {
            return false;
        }
    }
    return follow(w, pc, after);
}

static bool loads(const struct iv_cel_insn *i)
{
    return i->op == IV_CEL_OP_CONST || i->op == IV_CEL_OP_VAR || i->op == IV_CEL_OP_FIELD;
}

static bool only_compares(const struct iv_cel_prog *prog)
{
    const struct iv_cel_insn *code = prog->code;
    bool relation = prog->code_count == 4 && code[2].op >= IV_CEL_OP_EQ && code[2].op <= IV_CEL_OP_GE;
    return relation && loads(&code[0]) && loads(&code[1]) && code[3].op == IV_CEL_OP_RETURN;
}

iv_rc iv_cel_verify(struct iv_cel_prog *prog, struct iv_err *err)
{
    uint32_t n = prog->code_count;
    IV_AUTO(iv_freep) uint32_t *memory = iv_malloc((2 * (size_t)n + 1) * sizeof *memory);
    ENSURE(memory != NULL, err, IV_E_NOMEM, "cannot verify a program");
    struct walk w = {.prog = prog, .depth_at = memory, .todo = memory + n, .max_stack = 1};
    for (uint32_t i = 0; i < n; i++) {
        w.depth_at[i] = UNSEEN;
    }
    bool good = reach(&w, 0, 0);
    while (good && w.todo_count > 0) {
        good = visit(&w, w.todo[--w.todo_count]);
    }
    ENSURE(good, err, IV_E_STATE, "the program for '" IV_STR_FMT "' is damaged", IV_STR_ARG(prog->source));
    prog->max_stack = w.max_stack + 1; /* a failure may be put on top */
    prog->compares = only_compares(prog);
    return IV_OK;
}
