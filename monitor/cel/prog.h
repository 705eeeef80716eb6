/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled program: instructions for a stack machine, and what they refer to.
 * Guarantee: the verifier has followed every path, so the VM checks no bounds: operands are in range, the
 * stack has one depth at each instruction, and never more than max_stack values. Errors: an operand of && or
 * || that fails does not end the run. A region says: what fails in [start, end) leaves a failure on the
 * stack at that depth, and the run goes on at end. Regions stand in the table innermost first. */
#pragma once

#include "cel/ast.h"
#include "cel/outline.h"

#include <stdbool.h>
#include <stdint.h>

enum iv_cel_op {
#define OP(name, operands, pops, pushes) IV_CEL_OP_##name,
#include "cel/ops.def"
#undef OP
    IV_CEL_OPS,
};

enum iv_cel_operands {
    IV_CEL_ARG_NONE,
    IV_CEL_ARG_CONST,
    IV_CEL_ARG_NAME,
    IV_CEL_ARG_LOCAL,
    IV_CEL_ARG_VAR,
    IV_CEL_ARG_VARFIELD,
    IV_CEL_ARG_FIELD,
    IV_CEL_ARG_JUMP,
    IV_CEL_ARG_ITEMS,
    IV_CEL_ARG_PAIRS,
    IV_CEL_ARG_SITE,
    IV_CEL_ARG_FOLD,
    IV_CEL_ARG_SLIDE,
};

struct iv_cel_insn {
    uint8_t op;
    uint8_t a;
    uint16_t b;
    uint32_t c;
};

/* The values of a fold on the stack, from its base on. */
enum {
    IV_CEL_FOLD_RANGE,
    IV_CEL_FOLD_INDEX,
    IV_CEL_FOLD_VAR1,
    IV_CEL_FOLD_VAR2,
    IV_CEL_FOLD_RESULT,
    IV_CEL_FOLD_SLOTS
};

/* An overload without its types: which kinds of values each argument may have. */
struct iv_cel_callee {
    iv_cel_fn call;
    void *ctx;
    uint32_t kinds[4]; /* bits by enum iv_kind */
    uint16_t cost;
};

struct iv_cel_site {
    struct iv_str name;
    struct iv_str pattern; /* of matches(), where it is a literal: compiled once; p NULL: none */
    const struct iv_cel_callee *callees;
    uint32_t count;
};

struct iv_cel_region {
    uint32_t start;
    uint32_t end;
    uint32_t depth;
};

struct iv_cel_read {
    uint8_t bank;
    bool whole; /* the variable itself is read, not a field of it */
    uint16_t slot;
    uint16_t name_id;
};

/* A condition's outline, see outline.h: how two nodes are joined, or what a leaf tests. */
enum iv_cel_join { IV_CEL_JOIN_TEST, IV_CEL_JOIN_NOT, IV_CEL_JOIN_AND, IV_CEL_JOIN_OR };
enum iv_cel_test {
    IV_CEL_TEST_NONE, /* nothing that is known */
    IV_CEL_TEST_HAS,
    IV_CEL_TEST_TRUE, /* the field is the condition */
    IV_CEL_TEST_EQUAL,
    IV_CEL_TEST_DIFFERENT,
    IV_CEL_TEST_IN,
};
struct iv_cel_outline {
    uint8_t join;  /* enum iv_cel_join */
    uint8_t test;  /* enum iv_cel_test */
    bool cheap;    /* it cannot run out of cost */
    bool variable; /* the field is compared with a variable, not with the constant */
    uint8_t bank;
    uint16_t slot;
    struct iv_cel_place place;
    uint32_t left; /* nodes stand behind their operands; the root is the last */
    uint32_t right;
    struct iv_val constant;
};

struct iv_cel_prog {
    struct iv_arena arena; /* owns all of it */
    struct iv_str source;
    const struct iv_cel_type *type;
    const struct iv_cel_insn *code;
    const uint32_t *offsets; /* into the source, by instruction */
    const struct iv_val *consts;
    const struct iv_cel_site *sites;
    const struct iv_cel_region *regions;
    const struct iv_cel_read *reads;
    const struct iv_cel_outline *outline;
    uint32_t outline_count;
    uint32_t code_count;
    uint32_t const_count;
    uint32_t site_count;
    uint32_t region_count;
    uint32_t read_count;
    uint32_t max_stack;
    bool compares; /* all that it does is to compare two operands, each a field, a variable or a constant */
};

struct iv_cel_op_info {
    const char *name;
    enum iv_cel_operands operands;
    uint8_t pops;
    uint8_t pushes;
};
extern const struct iv_cel_op_info iv_cel_ops[IV_CEL_OPS];

/* Computes max_stack. IV_E_STATE: the program is not one that the compiler can have made. */
iv_rc iv_cel_verify(struct iv_cel_prog *prog, struct iv_err *err);

/* Draws the program's outline, in the compilation's arena. False when memory is out. */
bool iv_cel_outline(struct iv_cel_prog *prog, struct iv_cel_compilation *c, const struct iv_cel_node *root);

/* Marks the nodes whose value needs nothing from outside. */
void iv_cel_mark_constants(struct iv_cel_node *root);

/* Runs from an instruction with the stack at a depth: how the compiler finds constants. stack has room for
 * all. */
iv_rc iv_cel_execute(const struct iv_cel_prog *prog, uint32_t pc, uint32_t depth, struct iv_val *stack,
                     struct iv_cel_frame *frame, struct iv_val *out, struct iv_err *err);

/* An overload's argument types as sets of kinds. */
uint32_t iv_cel_kinds_of(const struct iv_cel_type *type);
