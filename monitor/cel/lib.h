/* SPDX-License-Identifier: Apache-2.0 */
/* What functions and operators are made of. A new function: its implementation in a lib_*.c, a line in
 * functions.def.
 * Guarantee: an implementation sees only arguments of the kinds that its line declares. */
#pragma once

#include "base/guard.h"
#include "cel/cel.h"

#define IV_CEL_UNUSED __attribute__((unused))
/* The head of an implementation: it may leave any of its parameters alone. */
#define IV_CEL_FN(name)                                                                                      \
    iv_rc name(struct iv_val *out, IV_CEL_UNUSED const struct iv_val *args, IV_CEL_UNUSED size_t count,      \
               IV_CEL_UNUSED struct iv_cel_frame *frame, IV_CEL_UNUSED void *ctx,                            \
               IV_CEL_UNUSED struct iv_err *err)

/* IV_E_LIMIT, which nothing absorbs, when the run has cost too much. */
iv_rc iv_cel_spend(struct iv_cel_frame *frame, size_t cost, struct iv_err *err);
/* For walking over so many bytes as fast as memory goes; what looks at each takes more. */
static inline iv_rc iv_cel_spend_memory(struct iv_cel_frame *frame, size_t bytes, struct iv_err *err)
{
    return bytes < 1024 ? IV_OK : iv_cel_spend(frame, bytes >> 10, err);
}
/* From the frame's arena; IV_E_NOMEM, which nothing absorbs, when that is full. */
iv_rc iv_cel_alloc(void *out_pointer, struct iv_cel_frame *frame, size_t bytes, struct iv_err *err);
/* As much of a text as a message shows: a failure must not cost by the length of what it quotes. */
struct iv_str iv_cel_brief(struct iv_str s);
iv_rc iv_cel_fail_overload(const char *what, const struct iv_val *args, size_t count, struct iv_err *err);

/* A string that is built piece by piece in the frame's arena: write freely, the end
 * tells whether it fitted. */
struct iv_cel_text {
    struct iv_cel_frame *frame;
    char *p;
    size_t n;
    size_t capacity;
    bool failed;
};
void iv_cel_text_begin(struct iv_cel_text *text, struct iv_cel_frame *frame, size_t capacity);
void iv_cel_text_add(struct iv_cel_text *text, struct iv_str s);
/* At most 100 characters. */
void iv_cel_text_printf(struct iv_cel_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A number, time, duration, bool or string as string() has it; false for other kinds. */
bool iv_cel_text_scalar(struct iv_cel_text *text, const struct iv_val *v);
iv_rc iv_cel_text_end(struct iv_val *out, struct iv_cel_text *text, struct iv_err *err);

/* Equality and order, at a cost that goes with the size. */
iv_rc iv_cel_equal(bool *out, const struct iv_val *a, const struct iv_val *b, struct iv_cel_frame *frame,
                   struct iv_err *err);
/* -1, 0, 1; 2 where a NaN is concerned; IV_E_EVAL where the two have no order. */
iv_rc iv_cel_compare(int *out, const struct iv_val *a, const struct iv_val *b, struct iv_cel_frame *frame,
                     struct iv_err *err);
/* The value under the key, NULL if there is none. */
iv_rc iv_cel_map_find(const struct iv_val **out, const struct iv_val *map, const struct iv_val *key,
                      struct iv_cel_frame *frame, struct iv_err *err);

/* Operators beyond what the VM does itself; args hold the operands. */
IV_CEL_FN(iv_cel_op_add);
IV_CEL_FN(iv_cel_op_sub);
IV_CEL_FN(iv_cel_op_mul);
IV_CEL_FN(iv_cel_op_div);
IV_CEL_FN(iv_cel_op_mod);
IV_CEL_FN(iv_cel_op_neg);
IV_CEL_FN(iv_cel_op_in);
/* optional: answers an optional instead of failing where nothing is found. */
iv_rc iv_cel_op_index(struct iv_val *out, const struct iv_val *args, bool optional,
                      struct iv_cel_frame *frame, struct iv_err *err);
iv_rc iv_cel_op_select(struct iv_val *out, const struct iv_val *of, const struct iv_val *name, bool optional,
                       struct iv_cel_frame *frame, struct iv_err *err);
iv_rc iv_cel_op_test(bool *out, const struct iv_val *of, const struct iv_val *name,
                     struct iv_cel_frame *frame, struct iv_err *err);
/* Behind a LIST or MAP of n items or pairs; mask, a string with a byte for each, or
 * NULL: which are optional. */
iv_rc iv_cel_op_list(struct iv_val *out, const struct iv_val *items, uint32_t n, const struct iv_val *mask,
                     struct iv_cel_frame *frame, struct iv_err *err);
iv_rc iv_cel_op_map(struct iv_val *out, const struct iv_val *pairs, uint32_t n, const struct iv_val *mask,
                    struct iv_cel_frame *frame, struct iv_err *err);
/* Adds a pair to a map under construction, whose items have room for it; IV_E_EVAL: the key stands there
 * already. */
iv_rc iv_cel_map_put(struct iv_val *map, struct iv_val *items, const struct iv_val *key,
                     const struct iv_val *value, struct iv_cel_frame *frame, struct iv_err *err);
/* An optional that holds the value. */
iv_rc iv_cel_some(struct iv_val *out, const struct iv_val *v, struct iv_cel_frame *frame, struct iv_err *err);

/* Prototypes of all library functions, as functions.def names them. */
#define FN0(name, style, result, fn) IV_CEL_FN(fn);
#define FN1(name, style, result, a, fn) IV_CEL_FN(fn);
#define FN2(name, style, result, a, b, fn) IV_CEL_FN(fn);
#define FN3(name, style, result, a, b, c, fn) IV_CEL_FN(fn);
#define FN4(name, style, result, a, b, c, d, fn) IV_CEL_FN(fn);
#define OPR1(name, result, a)
#define OPR2(name, result, a, b)
#define OPR3(name, result, a, b, c)
#include "cel/functions.def"
#undef OPR1
#undef OPR2
#undef OPR3
#undef FN0
#undef FN1
#undef FN2
#undef FN3
#undef FN4
