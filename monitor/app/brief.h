/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict as a brief line: what was violated, by what, and which events prove it.
 * Owner/thread: a pure function.
 * Source: contract "Interfaces", replay. */
#pragma once

#include "base/buf.h"
#include "engine/engine.h"

/* What a line says beyond the verdict itself; zero: nothing. */
struct iv_brief_marks {
    const char *verdict; /* of an undecided obligation: "open", "inconclusive" */
    bool update;         /* more witnesses to a violation that was emitted before */
    bool contradicted;   /* a late event speaks against it */
};

/* One JSON object without a line end. */
void iv_brief(struct iv_buf *out, const struct iv_verdict *verdict, const struct iv_brief_marks *marks);
