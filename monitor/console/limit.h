/* SPDX-License-Identifier: Apache-2.0 */
/* How often somebody may fail: some times freely, then after a second, two, four, … as long as is asked for.
 * Owner/thread: any; time is an argument.
 * Guarantee: bounded memory. Who comes from very many addresses with very many names makes it forget, and has
 * failed once more with each of them; but no wait is forgotten before it ends. Nothing outlives the process.
 * Not here: who is told apart from whom (tries.h). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

struct iv_limit;

iv_rc iv_limit_new(struct iv_limit **out, struct iv_err *err);
void iv_limit_free(struct iv_limit *limit);

struct iv_limit_terms {
    unsigned free; /* with so many failures the waits begin */
    iv_ns longest; /* that they grow to */
};

/* 0: he may try. Else how long he has to wait. */
iv_ns iv_limit_left(struct iv_limit *limit, struct iv_str key, iv_ns now);
/* He has failed. How often by now; 0: there is no place to remember him, as all are taken by who waits. */
unsigned iv_limit_fail(struct iv_limit *limit, struct iv_str key, const struct iv_limit_terms *terms,
                       iv_ns now);
/* His failures so far do not count any more. */
void iv_limit_forgive(struct iv_limit *limit, struct iv_str key);
