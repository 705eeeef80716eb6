/* SPDX-License-Identifier: Apache-2.0 */
#include "cel/prog.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/guard.h"

const struct iv_cel_op_info iv_cel_ops[IV_CEL_OPS] = {
#define OP(name, operands, pops, pushes) {#name, IV_CEL_ARG_##operands, pops, pushes},
#include "cel/ops.def"
#undef OP
};

static const char *const fold_names[] = {
    [IV_CEL_FOLD_ALL] = "all",
    [IV_CEL_FOLD_EXISTS] = "exists",
    [IV_CEL_FOLD_EXISTS_ONE] = "exists_one",
    [IV_CEL_FOLD_FILTER] = "filter",
    [IV_CEL_FOLD_MAP] = "map",
    [IV_CEL_FOLD_MAP_VALUE] = "transformMap",
    [IV_CEL_FOLD_MAP_ENTRY] = "transformMapEntry",
};

void iv_cel_prog_free(struct iv_cel_prog *prog)
{
    if (prog != NULL) {
        iv_arena_deinit(&prog->arena);
        iv_free(prog);
    }
}

void iv_cel_prog_freep(struct iv_cel_prog **prog)
{
    iv_cel_prog_free(*prog);
    *prog = NULL;
}

const struct iv_cel_type *iv_cel_prog_type(const struct iv_cel_prog *prog)
{
    return prog->type;
}

struct iv_str iv_cel_prog_source(const struct iv_cel_prog *prog)
{
    return prog->source;
}

bool iv_cel_prog_constant(const struct iv_cel_prog *prog)
{
    return prog->read_count == 0;
}

bool iv_cel_prog_uses(const struct iv_cel_prog *prog, uint8_t bank, uint16_t slot)
{
    for (uint32_t i = 0; i < prog->read_count; i++) {
        if (prog->reads[i].bank == bank && prog->reads[i].slot == slot) {
            return true;
        }
    }
    return false;
}

bool iv_cel_prog_fields(const struct iv_cel_prog *prog, uint8_t bank, uint16_t slot,
                        void (*visit)(void *ctx, uint16_t name_id), void *ctx)
{
    bool whole = false;
    for (uint32_t i = 0; i < prog->read_count; i++) {
        const struct iv_cel_read *r = &prog->reads[i];
        if (r->bank != bank || r->slot != slot) {
            continue;
        }
        if (r->whole) {
            whole = true;
        } else {
            visit(ctx, r->name_id);
        }
    }
    return whole;
}

/* The name that stands in the source where the instruction comes from. */
static struct iv_str name_at(const struct iv_cel_prog *prog, uint32_t offset)
{
    size_t n = 0;
    while (offset + n < prog->source.n &&
           strchr(" .()[]{}!=<>&|+-*/%?:,\"'\t\n\r", prog->source.p[offset + n]) == NULL) {
        n++;
    }
    return (struct iv_str){prog->source.p + offset, n};
}

static void dump_operands(struct iv_buf *out, const struct iv_cel_prog *prog, uint32_t pc)
{
    const struct iv_cel_insn *i = &prog->code[pc];
    struct iv_str name = name_at(prog, prog->offsets[pc]);
    switch (iv_cel_ops[i->op].operands) {
    case IV_CEL_ARG_NONE:
        break;
    case IV_CEL_ARG_CONST:
    case IV_CEL_ARG_NAME:
        iv_buf_char(out, ' ');
        iv_val_json(out, &prog->consts[i->c]);
        break;
    case IV_CEL_ARG_LOCAL:
        iv_buf_printf(out, " %u", i->c);
        break;
    case IV_CEL_ARG_VAR:
        iv_buf_printf(out, " %u:%u", i->a, i->b);
        break;
    case IV_CEL_ARG_VARFIELD:
        iv_buf_printf(out, " %u:%u ." IV_STR_FMT, i->a, i->b, IV_STR_ARG(name));
        break;
    case IV_CEL_ARG_FIELD:
        iv_buf_printf(out, " ." IV_STR_FMT, IV_STR_ARG(name));
        break;
    case IV_CEL_ARG_JUMP:
        iv_buf_printf(out, " -> %u", i->c);
        break;
    case IV_CEL_ARG_ITEMS:
    case IV_CEL_ARG_PAIRS:
        iv_buf_printf(out, " %u%s", i->c, i->b != 0 ? " optional" : "");
        break;
    case IV_CEL_ARG_SITE:
        iv_buf_printf(out, " " IV_STR_FMT "/%u", IV_STR_ARG(prog->sites[i->c].name), i->a);
        break;
    case IV_CEL_ARG_FOLD:
        iv_buf_printf(out, " %s", fold_names[i->a]);
        if (i->op == IV_CEL_OP_NEXT || i->op == IV_CEL_OP_STEP) {
            iv_buf_printf(out, " -> %u", i->c);
        }
        break;
    case IV_CEL_ARG_SLIDE:
        iv_buf_printf(out, " %u", i->b);
        break;
    }
}

void iv_cel_prog_dump(struct iv_buf *out, const struct iv_cel_prog *prog)
{
    for (uint32_t pc = 0; pc < prog->code_count; pc++) {
        iv_buf_printf(out, "%4u  %s", pc, iv_cel_ops[prog->code[pc].op].name);
        dump_operands(out, prog, pc);
        for (uint32_t r = 0; r < prog->region_count; r++) {
            if (prog->regions[r].end == pc) {
                iv_buf_printf(out, "  ; absorbs failures since %u", prog->regions[r].start);
            }
        }
        iv_buf_char(out, '\n');
    }
}
