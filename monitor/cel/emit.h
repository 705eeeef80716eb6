/* SPDX-License-Identifier: Apache-2.0 */
/* A program while it is made: growing arrays in the compilation's arena. */
#pragma once

#include "cel/prog.h"

struct iv_cel_emitter {
    struct iv_cel_compilation *c;
    struct iv_cel_prog prog; /* its arrays are the ones below, until they are copied */
    struct iv_cel_insn *code;
    uint32_t *offsets;
    struct iv_val *consts;
    struct iv_cel_site *sites;
    struct iv_cel_region *regions;
    struct iv_cel_read *reads;
    uint32_t capacity[6];
    uint32_t depth; /* of the stack at this point */
    uint32_t max_depth;
    struct iv_cel_frame scratch; /* constants are computed in it */
    size_t constant_bytes;       /* of the values that were copied out of it */
    bool said_to_fail;           /* a warning says of a part that it always fails */
};

/* All answer false, with out_of_memory set, where memory is out. The depth is kept up to date. */
bool iv_cel_emit(struct iv_cel_emitter *e, const struct iv_cel_node *at, enum iv_cel_op op, uint8_t a,
                 uint16_t b, uint32_t c);
bool iv_cel_emit_const(struct iv_cel_emitter *e, const struct iv_cel_node *at, enum iv_cel_op op,
                       struct iv_val v);
bool iv_cel_emit_site(struct iv_cel_emitter *e, const struct iv_cel_node *call, uint8_t arg_count);
bool iv_cel_emit_region(struct iv_cel_emitter *e, uint32_t start, uint32_t depth);
bool iv_cel_emit_read(struct iv_cel_emitter *e, const struct iv_cel_read *read);
/* Lets the jump at pc go to the next instruction. */
void iv_cel_emit_land(struct iv_cel_emitter *e, uint32_t pc);
/* Replaces what was emitted since start by its value, if it can be had. */
bool iv_cel_emit_fold(struct iv_cel_emitter *e, const struct iv_cel_node *at, uint32_t start, uint32_t consts,
                      uint32_t regions);
/* The finished program, in its own memory. */
iv_rc iv_cel_emit_finish(struct iv_cel_prog **out, struct iv_cel_emitter *e, const struct iv_cel_type *type,
                         struct iv_err *err);
