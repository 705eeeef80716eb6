/* SPDX-License-Identifier: Apache-2.0 */
/* The stack machine. The verifier has been over the program, so operands and depths are not checked here;
 * kinds of values are, because dyn is. */
#include "cel/vm.h"
#include "base/guard.h"
#include "cel/env.h"
#include "cel/lib.h"

#define STACK_FAST 48

static struct iv_val failure_value(struct iv_cel_vm *vm)
{
    struct iv_val v = {.kind = IV_CEL_KIND_FAILURE, .n = vm->frame->error_offset};
    if (vm->err != NULL) {
        v.s = iv_arena_str(&vm->frame->arena, iv_str_of(vm->err->text)).p;
    }
    return v;
}

static iv_rc raise_again(struct iv_cel_vm *vm, const struct iv_val *failure)
{
    vm->frame->error_offset = failure->n;
    vm->again = true;
    return iv_err_set(vm->err, IV_E_EVAL, "%s", failure->s == NULL ? "the expression failed" : failure->s);
}

/* True if something catches a failure at *pc: *pc and *top are then where the run goes on. */
static bool catch (struct iv_cel_vm *vm, struct iv_rc_s rc, uint32_t *pc, struct iv_val **top)
{
    if (rc.code == IV_E_LIMIT || rc.code == IV_E_NOMEM) {
        return false;
    }
    for (uint32_t r = 0; r < vm->prog->region_count; r++) {
        const struct iv_cel_region *region = &vm->prog->regions[r];
        if (region->start <= *pc && *pc < region->end) {
            *top = vm->stack + region->depth;
            *(*top)++ = failure_value(vm);
            *pc = region->end;
            return true;
        }
    }
    return false;
}

static struct iv_str field_name(const struct iv_cel_prog *prog, uint32_t pc)
{
    const char *p = prog->source.p + prog->offsets[pc];
    size_t n = 0;
    while (prog->offsets[pc] + n < prog->source.n &&
           (p[n] == '_' || (p[n] >= '0' && p[n] <= '9') || (p[n] >= 'a' && p[n] <= 'z') ||
            (p[n] >= 'A' && p[n] <= 'Z'))) {
        n++;
    }
    return (struct iv_str){p, n};
}

static iv_rc no_such_field(struct iv_cel_vm *vm, uint32_t pc)
{
    struct iv_str name = field_name(vm->prog, pc);
    return iv_err_set(vm->err, IV_E_EVAL, "no such field '" IV_STR_FMT "'", IV_STR_ARG(name));
}

iv_rc iv_cel_not_bool(struct iv_cel_vm *vm, const struct iv_val *v)
{
    if (v->kind == IV_CEL_KIND_FAILURE) {
        return raise_again(vm, v);
    }
    struct iv_str name = iv_cel_kind_name(v);
    return iv_err_set(vm->err, IV_E_EVAL, "no such overload: expected a bool, got " IV_STR_FMT,
                      IV_STR_ARG(name));
}

static const struct iv_val *object_field(const struct iv_val *v, uint32_t name_id)
{
    if (IV_UNLIKELY(v->kind != IV_KIND_OBJECT)) {
        return NULL;
    }
    uint8_t slot = v->object->slot_of[name_id];
    if (slot == IV_NO_SLOT || v->object->slots[slot].kind == IV_KIND_ABSENT) {
        return NULL;
    }
    return &v->object->slots[slot];
}

/* The arguments stand where the result goes. */
static iv_rc call_site(struct iv_cel_vm *vm, const struct iv_cel_site *site, struct iv_val *args,
                       uint8_t count)
{
    for (uint32_t i = 0; i < site->count; i++) {
        const struct iv_cel_callee *callee = &site->callees[i];
        bool fits = true;
        for (uint8_t k = 0; k < count; k++) {
            fits = fits && (callee->kinds[k] >> args[k].kind & 1) != 0;
        }
        if (fits) {
            TRY(iv_cel_spend(vm->frame, callee->cost, vm->err));
            struct iv_val result;
            TRY(callee->call(&result, args, count, vm->frame, callee->ctx, vm->err));
            *args = result;
            return IV_OK;
        }
    }
    return vm->err == NULL
               ? iv_err_set(NULL, IV_E_EVAL, "%s", "")
               : iv_cel_fail_overload(iv_arena_str(&vm->frame->arena, site->name).p, args, count, vm->err);
}

/* left == the value that decides: false for &&, true for ||. top[-2] and top[-1] are the operands. */
static iv_rc join_logic(struct iv_cel_vm *vm, struct iv_val *left, bool decides)
{
    const struct iv_val *right = left + 1;
    if (right->kind == IV_KIND_BOOL && right->b == decides) {
        *left = *right;
        return IV_OK;
    }
    if (left->kind != IV_KIND_BOOL) {
        return iv_cel_not_bool(vm, left);
    }
    if (right->kind != IV_KIND_BOOL) {
        return iv_cel_not_bool(vm, right);
    }
    *left = *right;
    return IV_OK;
}

static iv_rc opt_field(struct iv_cel_vm *vm, struct iv_val *v, uint32_t name_id)
{
    const struct iv_val *field = object_field(v, name_id);
    if (field == NULL) {
        *v = (struct iv_val){.kind = IV_KIND_OPTIONAL};
        return IV_OK;
    }
    return iv_cel_some(v, field, vm->frame, vm->err);
}

static iv_rc order(struct iv_cel_vm *vm, struct iv_val *left, enum iv_cel_op op)
{
    const struct iv_val *right = left + 1;
    int o = 0;
    if (left->kind == IV_KIND_INT && right->kind == IV_KIND_INT) {
        o = left->i < right->i ? -1 : left->i > right->i;
    } else {
        TRY(iv_cel_compare(&o, left, right, vm->frame, vm->err));
    }
    bool holds = false;
    switch (op) {
    case IV_CEL_OP_LT:
        holds = o == -1;
        break;
    case IV_CEL_OP_LE:
        holds = o <= 0;
        break;
    case IV_CEL_OP_GT:
        holds = o == 1;
        break;
    default:
        holds = o == 0 || o == 1;
        break;
    }
    *left = iv_val_bool(holds);
    return IV_OK;
}

static iv_rc equality(struct iv_cel_vm *vm, struct iv_val *left, bool wanted)
{
    const struct iv_val *right = left + 1;
    bool equal = false;
    if (left->kind == IV_KIND_STRING && right->kind == IV_KIND_STRING) {
        equal = left->n == right->n;
        if (equal && left->n > 0) {
            TRY(iv_cel_spend_memory(vm->frame, left->n, vm->err));
            equal = memcmp(left->s, right->s, left->n) == 0;
        }
    } else {
        TRY(iv_cel_equal(&equal, left, right, vm->frame, vm->err));
    }
    *left = iv_val_bool(equal == wanted);
    return IV_OK;
}

static iv_rc arithmetic(struct iv_cel_vm *vm, struct iv_val *left, enum iv_cel_op op)
{
    struct iv_val result;
    switch (op) {
    case IV_CEL_OP_ADD:
        TRY(iv_cel_op_add(&result, left, 2, vm->frame, NULL, vm->err));
        break;
    case IV_CEL_OP_SUB:
        TRY(iv_cel_op_sub(&result, left, 2, vm->frame, NULL, vm->err));
        break;
    case IV_CEL_OP_MUL:
        TRY(iv_cel_op_mul(&result, left, 2, vm->frame, NULL, vm->err));
        break;
    case IV_CEL_OP_DIV:
        TRY(iv_cel_op_div(&result, left, 2, vm->frame, NULL, vm->err));
        break;
    case IV_CEL_OP_MOD:
        TRY(iv_cel_op_mod(&result, left, 2, vm->frame, NULL, vm->err));
        break;
    case IV_CEL_OP_IN:
        TRY(iv_cel_op_in(&result, left, 2, vm->frame, NULL, vm->err));
        break;
    case IV_CEL_OP_NEG:
        TRY(iv_cel_op_neg(&result, left, 1, vm->frame, NULL, vm->err));
        break;
    case IV_CEL_OP_INDEX:
    case IV_CEL_OP_OPT_INDEX:
        TRY(iv_cel_op_index(&result, left, op == IV_CEL_OP_OPT_INDEX, vm->frame, vm->err));
        break;
    default:
        return iv_err_set(vm->err, IV_E_EVAL, "no such operator");
    }
    *left = result;
    return IV_OK;
}

static const struct iv_val *mask_of(const struct iv_cel_vm *vm, const struct iv_cel_insn *i)
{
    return i->b == 0 ? NULL : &vm->prog->consts[i->b - 1];
}

/* What is not worth a place in the loop: instructions on the top of the stack that neither jump nor move it
 * by more than their line in ops.def says. */
static iv_rc perform(struct iv_cel_vm *vm, uint32_t pc, struct iv_val *top)
{
    const struct iv_cel_insn *i = &vm->prog->code[pc];
    const struct iv_val *consts = vm->prog->consts;
    bool found = false;
    switch ((enum iv_cel_op)i->op) {
    case IV_CEL_OP_GET_FIELD: {
        const struct iv_val *field = object_field(&top[-1], i->c);
        if (field == NULL) {
            return no_such_field(vm, pc);
        }
        top[-1] = *field;
        return IV_OK;
    }
    case IV_CEL_OP_TEST_FIELD:
        top[-1] = iv_val_bool(object_field(&top[-1], i->c) != NULL);
        return IV_OK;
    case IV_CEL_OP_OPT_FIELD:
        return opt_field(vm, &top[-1], i->c);
    case IV_CEL_OP_SELECT:
    case IV_CEL_OP_OPT_SELECT:
        return iv_cel_op_select(&top[-1], &top[-1], &consts[i->c], i->op == IV_CEL_OP_OPT_SELECT, vm->frame,
                                vm->err);
    case IV_CEL_OP_TEST:
        TRY(iv_cel_op_test(&found, &top[-1], &consts[i->c], vm->frame, vm->err));
        top[-1] = iv_val_bool(found);
        return IV_OK;
    case IV_CEL_OP_LIST:
        return iv_cel_op_list(&top[-(ptrdiff_t)i->c], top - i->c, i->c, mask_of(vm, i), vm->frame, vm->err);
    case IV_CEL_OP_MAP:
        return iv_cel_op_map(&top[-2 * (ptrdiff_t)i->c], top - 2 * (size_t)i->c, i->c, mask_of(vm, i),
                             vm->frame, vm->err);
    case IV_CEL_OP_FOLD:
        return iv_cel_fold_begin(vm, &top[-1], (enum iv_cel_fold)i->a);
    case IV_CEL_OP_END:
        return iv_cel_fold_end(vm, &top[-IV_CEL_FOLD_SLOTS], (enum iv_cel_fold)i->a);
    case IV_CEL_OP_CALL:
        return call_site(vm, &vm->prog->sites[i->c], top - i->a, i->a);
    case IV_CEL_OP_HAS_VAR:
        *top = iv_val_bool(vm->frame->bank[i->a][i->b].kind != IV_KIND_ABSENT);
        return IV_OK;
    case IV_CEL_OP_RIGHT_AND:
    case IV_CEL_OP_RIGHT_OR:
        return join_logic(vm, top - 2, i->op == IV_CEL_OP_RIGHT_OR);
    case IV_CEL_OP_SLIDE:
        top[-1 - (ptrdiff_t)i->b] = top[-1];
        return IV_OK;
    case IV_CEL_OP_NOT:
        if (top[-1].kind != IV_KIND_BOOL) {
            return iv_cel_not_bool(vm, &top[-1]);
        }
        top[-1].b = !top[-1].b;
        return IV_OK;
    case IV_CEL_OP_NEG:
        return arithmetic(vm, &top[-1], IV_CEL_OP_NEG);
    case IV_CEL_OP_FAIL:
        return iv_err_set(vm->err, IV_E_EVAL, IV_STR_FMT, IV_STR_ARG(iv_val_slice(consts[i->c])));
    default:
        return arithmetic(vm, &top[-2], (enum iv_cel_op)i->op);
    }
}

/* How far a performed instruction moves the top. */
static ptrdiff_t moved(const struct iv_cel_insn *i)
{
    const struct iv_cel_op_info *info = &iv_cel_ops[i->op];
    ptrdiff_t pops = info->pops;
    switch (info->operands) {
    case IV_CEL_ARG_ITEMS:
        pops = (ptrdiff_t)i->c;
        break;
    case IV_CEL_ARG_PAIRS:
        pops = 2 * (ptrdiff_t)i->c;
        break;
    case IV_CEL_ARG_SITE:
        pops = i->a;
        break;
    case IV_CEL_ARG_SLIDE:
        pops = i->b + 1;
        break;
    default:
        break;
    }
    return info->pushes - pops;
}

/* What the operand of && or || says that is no bool is a failure that waits. */
static void settle_operand(struct iv_cel_vm *vm, uint32_t pc, struct iv_val *v)
{
    if (v->kind != IV_KIND_BOOL && v->kind != IV_CEL_KIND_FAILURE) {
        struct iv_rc_s rc = iv_cel_not_bool(vm, v);
        (void)rc;
        vm->frame->error_offset = vm->prog->offsets[pc];
        *v = failure_value(vm);
    }
}

/* Jumps. *pc: the instruction, then the one before the next. */
static iv_rc steer(struct iv_cel_vm *vm, uint32_t *pc, struct iv_val **top)
{
    const struct iv_cel_insn *i = &vm->prog->code[*pc];
    struct iv_val *t = *top;
    bool jump = true;
    switch ((enum iv_cel_op)i->op) {
    case IV_CEL_OP_BRANCH:
        if (t[-1].kind != IV_KIND_BOOL) {
            return iv_cel_not_bool(vm, &t[-1]);
        }
        jump = !t[-1].b;
        (*top)--;
        break;
    case IV_CEL_OP_LEFT_AND:
        settle_operand(vm, *pc, &t[-1]);
        jump = t[-1].kind == IV_KIND_BOOL && !t[-1].b;
        break;
    case IV_CEL_OP_LEFT_OR:
        settle_operand(vm, *pc, &t[-1]);
        jump = t[-1].kind == IV_KIND_BOOL && t[-1].b;
        break;
    case IV_CEL_OP_NEXT:
        TRY(iv_cel_spend(vm->frame, i->c - *pc, vm->err));
        jump = !iv_cel_fold_next(&t[-IV_CEL_FOLD_SLOTS], i->b != 0);
        break;
    case IV_CEL_OP_STEP:
        if (i->a == IV_CEL_FOLD_ALL || i->a == IV_CEL_FOLD_EXISTS) {
            settle_operand(vm, *pc, &t[-1]);
        }
        TRY(iv_cel_fold_step(vm, &jump, &t[-1 - IV_CEL_FOLD_SLOTS], &t[-1], (enum iv_cel_fold)i->a));
        (*top)--;
        break;
    default:
        break;
    }
    *pc = jump ? i->c - 1 : *pc;
    return IV_OK;
}

static inline iv_rc load_var(struct iv_cel_vm *vm, const struct iv_cel_insn *i, uint32_t pc,
                             struct iv_val *to)
{
    *to = vm->frame->bank[i->a][i->b];
    return to->kind == IV_KIND_ABSENT ? no_such_field(vm, pc) : IV_OK;
}

static inline iv_rc load_field(struct iv_cel_vm *vm, const struct iv_cel_insn *i, uint32_t pc,
                               struct iv_val *to)
{
    const struct iv_val *field = object_field(&vm->frame->bank[i->a][i->b], i->c);
    if (IV_UNLIKELY(field == NULL)) {
        return no_such_field(vm, pc);
    }
    *to = *field;
    return IV_OK;
}

/* Until RETURN or a failure: then *at is the instruction that failed. */
static iv_rc run(struct iv_cel_vm *vm, uint32_t *at, struct iv_val **stack_top)
{
    const struct iv_cel_prog *prog = vm->prog;
    struct iv_val *top = *stack_top;
    struct iv_rc_s rc = IV_OK;
    uint32_t pc = *at;
    for (; iv_ok(rc); pc++) {
        const struct iv_cel_insn *i = &prog->code[pc];
        switch ((enum iv_cel_op)i->op) {
        case IV_CEL_OP_CONST:
            *top++ = prog->consts[i->c];
            break;
        case IV_CEL_OP_LOCAL:
            *top++ = vm->stack[i->c];
            break;
        case IV_CEL_OP_VAR:
            rc = load_var(vm, i, pc, top++);
            break;
        case IV_CEL_OP_FIELD:
            rc = load_field(vm, i, pc, top++);
            break;
        case IV_CEL_OP_HAS_FIELD:
            *top++ = iv_val_bool(object_field(&vm->frame->bank[i->a][i->b], i->c) != NULL);
            break;
        case IV_CEL_OP_EQ:
        case IV_CEL_OP_NE:
            rc = equality(vm, --top - 1, i->op == IV_CEL_OP_EQ);
            break;
        case IV_CEL_OP_LT:
        case IV_CEL_OP_LE:
        case IV_CEL_OP_GT:
        case IV_CEL_OP_GE:
            rc = order(vm, --top - 1, (enum iv_cel_op)i->op);
            break;
        case IV_CEL_OP_JUMP:
        case IV_CEL_OP_BRANCH:
        case IV_CEL_OP_LEFT_AND:
        case IV_CEL_OP_LEFT_OR:
        case IV_CEL_OP_NEXT:
        case IV_CEL_OP_STEP:
            rc = steer(vm, &pc, &top);
            break;
        case IV_CEL_OP_RETURN:
            *stack_top = top;
            return IV_OK;
        default:
            rc = perform(vm, pc, top);
            top += moved(i);
            break;
        }
    }
    *at = pc - 1;
    return rc;
}

iv_rc iv_cel_execute(const struct iv_cel_prog *prog, uint32_t pc, uint32_t depth, struct iv_val *stack,
                     struct iv_cel_frame *frame, struct iv_val *out, struct iv_err *err)
{
    struct iv_cel_vm vm = {.prog = prog, .frame = frame, .err = err, .stack = stack};
    struct iv_val *top = stack + depth;
    for (;;) {
        struct iv_rc_s rc = run(&vm, &pc, &top);
        if (iv_ok(rc)) {
            *out = top[-1];
            return IV_OK;
        }
        frame->error_offset = vm.again ? frame->error_offset : prog->offsets[pc];
        vm.again = false;
        if (!catch (&vm, rc, &pc, &top)) {
            return rc;
        }
    }
}

void iv_cel_frame_init(struct iv_cel_frame *frame, size_t max_arena_bytes)
{
    *frame = (struct iv_cel_frame){.cost_limit = 0};
    iv_arena_init(&frame->arena, max_arena_bytes);
}

void iv_cel_frame_deinit(struct iv_cel_frame *frame)
{
    iv_arena_deinit(&frame->arena);
}

iv_rc iv_cel_run(const struct iv_cel_prog *prog, struct iv_cel_frame *frame, struct iv_val *out,
                 struct iv_err *err)
{
    struct iv_val fast[STACK_FAST] IV_UNSET;
    struct iv_val *stack = fast;
    frame->cost = prog->code_count;
    frame->error_offset = 0;
    if (prog->max_stack > STACK_FAST) {
        stack = iv_arena_alloc(&frame->arena, prog->max_stack * sizeof *stack);
        ENSURE(stack != NULL, err, IV_E_EVAL, "the expression needs more memory than it may have");
    }
    struct iv_rc_s rc = iv_cel_execute(prog, 0, 0, stack, frame, out, err);
    if (iv_ok(rc)) {
        return IV_OK;
    }
    if (err != NULL) {
        err->code = IV_E_EVAL;
    }
    return (struct iv_rc_s){IV_E_EVAL};
}

/* The operand that an instruction loads; NULL: it is not there. */
static const struct iv_val *operand_of(const struct iv_cel_prog *prog, const struct iv_cel_frame *frame,
                                       const struct iv_cel_insn *i)
{
    const struct iv_val *v = i->op == IV_CEL_OP_CONST ? &prog->consts[i->c] : &frame->bank[i->a][i->b];
    v = i->op == IV_CEL_OP_FIELD ? object_field(v, i->c) : v;
    return v == NULL || v->kind == IV_KIND_ABSENT ? NULL : v;
}

static bool holds_for(enum iv_cel_op op, int order)
{
    switch (op) {
    case IV_CEL_OP_EQ:
        return order == 0;
    case IV_CEL_OP_NE:
        return order != 0;
    case IV_CEL_OP_LT:
        return order < 0;
    case IV_CEL_OP_LE:
        return order <= 0;
    case IV_CEL_OP_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* What most conditions are, without a stack: two times, two ints or the equality of two texts. False: it is
 * not that simple, and the machine must tell. */
static bool compare_plainly(const struct iv_cel_prog *prog, const struct iv_cel_frame *frame, bool *holds)
{
    enum iv_cel_op op = (enum iv_cel_op)prog->code[2].op;
    const struct iv_val *a = operand_of(prog, frame, &prog->code[0]);
    const struct iv_val *b = operand_of(prog, frame, &prog->code[1]);
    if (a == NULL || b == NULL || a->kind != b->kind) {
        return false;
    }
    if (a->kind == IV_KIND_STRING && (op == IV_CEL_OP_EQ || op == IV_CEL_OP_NE)) {
        bool equal = a->n == b->n && (a->n == 0 || memcmp(a->s, b->s, a->n) == 0);
        *holds = equal == (op == IV_CEL_OP_EQ);
        return true;
    }
    if (a->kind == IV_KIND_TIMESTAMP) {
        *holds = holds_for(op, iv_instant_cmp(iv_val_instant(*a), iv_val_instant(*b)));
        return true;
    }
    *holds = a->kind == IV_KIND_INT && holds_for(op, a->i < b->i ? -1 : a->i > b->i);
    return a->kind == IV_KIND_INT;
}

void iv_cel_test(const struct iv_cel_prog *prog, struct iv_cel_frame *frame, bool *holds, bool *failed,
                 struct iv_err *err)
{
    if (prog->compares && compare_plainly(prog, frame, holds)) {
        *failed = false;
        return;
    }
    struct iv_val v;
    bool ran = iv_ok(iv_cel_run(prog, frame, &v, err));
    if (ran && v.kind != IV_KIND_BOOL) {
        ran = iv_ok(iv_err_set(err, IV_E_EVAL, "the condition's value is no bool"));
    }
    *failed = !ran;
    *holds = ran && v.b;
}
