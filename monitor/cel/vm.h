/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a program, and the parts of the VM that have a file of their own. */
#pragma once

#include "cel/prog.h"

/* A failure that waits on the stack for what the other side of && or || says. n: offset; s: its sentence, or
 * NULL. */
#define IV_CEL_KIND_FAILURE 0xff

struct iv_cel_vm {
    const struct iv_cel_prog *prog;
    struct iv_cel_frame *frame;
    struct iv_err *err;
    struct iv_val *stack;
    bool again; /* the failure on its way was raised before: its offset is set */
};

/* A bool was expected: raises the failure that the value is, or says what it is instead. */
iv_rc iv_cel_not_bool(struct iv_cel_vm *vm, const struct iv_val *v);

/* f: the first of the five values of a fold (enum in prog.h). */
iv_rc iv_cel_fold_begin(struct iv_cel_vm *vm, struct iv_val *f, enum iv_cel_fold fold);
bool iv_cel_fold_next(struct iv_val *f, bool two_vars); /* false at the end */
/* body: the value for this item. *again: go on with the next one. */
iv_rc iv_cel_fold_step(struct iv_cel_vm *vm, bool *again, struct iv_val *f, const struct iv_val *body,
                       enum iv_cel_fold fold);
/* Leaves the result in the first of the five. */
iv_rc iv_cel_fold_end(struct iv_cel_vm *vm, struct iv_val *f, enum iv_cel_fold fold);
