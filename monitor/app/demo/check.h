/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the demo shows what it promises: every planted violation that is due was found, none was invented,
 * each with a playbook was acted upon, what was done is proven by the fleet's own events, and the console
 * shows it.
 * Owner/thread: one thread. */
#pragma once

#include "app/demo/stage.h"
#include "base/err.h"
#include "base/time.h"
#include "baseline/baseline.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_demo_report {
    size_t due;              /* planted violations that should have been found by now */
    size_t found;            /* of them */
    size_t invented;         /* violations in the store that were not planted */
    size_t to_act;           /* found ones whose rule has a playbook */
    size_t acted;            /* of them: the playbook is done, or proven to have worked */
    size_t to_prove;         /* found ones whose playbook is so old that it must be proven */
    size_t proven;           /* of all: the playbook is verified */
    size_t in_doubt;         /* of those to prove: it is not */
    bool shown;              /* the console's API and page answer, and the API shows a finding */
    char first_missing[192]; /* a planted violation that was not found, for the message */
};

/* Looks at the store and the console now. */
iv_rc iv_demo_check(struct iv_demo_report *out, struct iv_stage *stage, const struct iv_baseline *baseline,
                    const char *console_url, iv_ns wall, struct iv_err *err);
/* All that is due is found, acted upon and shown, and there was something to find. */
bool iv_demo_passed(const struct iv_demo_report *report);
