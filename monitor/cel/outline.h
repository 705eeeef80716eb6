/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of a condition before it is run.
 * Purpose: a host that knows one field of an object learns whether the condition can still hold, so that it
 * need not run what is sure to be false; and which constants it pays to tell apart.
 * Owner/thread: pure questions to an immutable program.
 * Guarantee: the answer names every way in which a run can end. Where it is IV_CEL_FALSE alone, the run ends
 * in false, and does so without a failure: an operand of && that is false absorbs the other's failure (CEL
 * language definition, "Logical Operators"), but not its being out of cost or memory. Not here: running
 * (cel.h). */
#pragma once

#include "cel/cel.h"

/* How a run can end. */
#define IV_CEL_TRUE 1u
#define IV_CEL_FALSE 2u
#define IV_CEL_FAILURE 4u
#define IV_CEL_SPENT 8u /* beyond the limits of cost or memory */
#define IV_CEL_ANY_END (IV_CEL_TRUE | IV_CEL_FALSE | IV_CEL_FAILURE | IV_CEL_SPENT)

/* A field of an object that is a variable. */
struct iv_cel_place {
    uint8_t bank;
    uint16_t slot;
    uint16_t name_id;
};

/* banks: as for a run, of which the program's constants are read; one that is NULL, and a value that is
 * absent, may be anything. The ends of a run that finds this value in the place. Absent: the field is not
 * there. NULL: it is, and equals none of its pivots. */
unsigned iv_cel_prog_ends(const struct iv_cel_prog *prog, const struct iv_cel_place *place,
                          const struct iv_val *value, const struct iv_val *const *banks);

/* Visits the fields that the program tests, and their pivots: the constants that they are compared with.
 * pivot NULL: it is asked whether the field is there. A pivot is a string, an int or a bool; values that
 * equal it are those that iv_val_eq says. It lives as long as the program and the banks. */
void iv_cel_prog_pivots(const struct iv_cel_prog *prog, const struct iv_val *const *banks,
                        void (*visit)(void *ctx, const struct iv_cel_place *place,
                                      const struct iv_val *pivot),
                        void *ctx);
