/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of what was admitted and begun, remembered as long as they still bound the next ones: so that a
 * playbook with high limits does not have all its executions counted again for each new one. Internal to the
 * room. */
#pragma once

#include "base/time.h"
#include "evidence/admitted.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IV_COUNTS_MAX 512 /* of 36 for each playbook */

struct iv_count {
    char playbook[64];
    size_t playbook_n; /* 0: this place is free */
    bool observed;
    bool known;
    enum iv_measure measure;
    enum iv_touch touch;
    iv_ns window;
    int64_t count; /* at most so many */
    iv_ns as_of;   /* in the window that ended then */
    int64_t added; /* so many could have come to it by then, since the store was opened */
};

/* Forgotten by a rollback. */
struct iv_counts {
    int64_t admitted; /* at least so many, of whatever playbook, since the store was opened */
    size_t next;      /* the place that is taken next */
    struct iv_count items[IV_COUNTS_MAX];
};

/* What is counted, as SQL. For tests. */
const char *iv_counting_text(enum iv_measure measure, enum iv_touch touch);
