/* SPDX-License-Identifier: Apache-2.0 */
/* The Trust Services Criteria there are.
 * Owner/thread: constant. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct iv_criterion {
    const char *name; /* "CC6.1" */
    bool shown;       /* a stream of events can show something of it */
    const char *title;
};

/* In their order; NULL behind the last. */
const struct iv_criterion *iv_criterion_at(size_t index);
