/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the executions that were planned in a period, and how long they took (times.h).
 * Owner/thread: as reader.h has it.
 * Guarantee: reads one index, and of it at most IV_REMEDIATION_MAX rows. */
#pragma once

#include "evidence/reader.h"

#define IV_REMEDIATION_MAX 100000

/* By nearest rank; all 0 where there is none. */
struct iv_lengths {
    int64_t count;
    iv_ns p50;
    iv_ns p90;
    iv_ns max;
};

struct iv_remediation {
    bool whole;                        /* false: only the newest IV_REMEDIATION_MAX of them are counted */
    int64_t executions[IV_RUN_STATES]; /* by enum iv_run_state, where they stand now */
    struct iv_lengths detect;          /* these three: of those that may act */
    struct iv_lengths act;
    struct iv_lengths contain;
};

/* Of from <= planned < until. */
iv_rc iv_reader_remediation(struct iv_reader *reader, struct iv_remediation *out, iv_ns from, iv_ns until,
                            struct iv_err *err);
