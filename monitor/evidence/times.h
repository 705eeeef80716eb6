/* SPDX-License-Identifier: Apache-2.0 */
/* How long it took to detect, to act and to contain.
 * Purpose: the times of incidents, from the log of what executions did; no second book.
 * Owner/thread: a reader's, as reader.h has it.
 *
 *   detect    from the event to the finding, which is when its execution was planned
 *   act       from the finding to the first call
 *   contain   from the event to the evidence that it worked, which only a verified execution has */
#pragma once

#include "base/err.h"
#include "evidence/execution.h"

#include <stdint.h>

struct iv_reader;

/* Below 0: it did not come to that (yet). */
struct iv_times {
    iv_ns detect;
    iv_ns act;
    iv_ns contain;
};
struct iv_times iv_times_of(const struct iv_execution *execution);

/* Of each of the own executions that first called something, or was verified, in a change of the log behind
 * after: the one time that became known by it, the others below 0. *last: the newest change there is. */
typedef void (*iv_times_visit)(void *ctx, const struct iv_times *times);
iv_rc iv_reader_times(struct iv_reader *reader, int64_t *last, int64_t after, iv_times_visit visit, void *ctx,
                      struct iv_err *err);
