/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of records that are partitioned as producers must, and by one engine that is told everything.
 * Owner/thread: one thread. */
#pragma once

#include "generate.h"

#include "detect/exchange_front.h"
#include "event/decode.h"
#include "judge/judge.h"

/* Verdicts as lines that two runs can be compared by: what does not depend on when something arrived. */
struct said {
    const struct iv_baseline *baseline;
    const struct arrivals *arrivals; /* evidence is held against them */
    struct iv_str *lines;
    size_t count;
    size_t capacity;
    struct iv_arena arena;
};
void said_deinit(struct said *said);

/* The records as producers keep to the contract: a tenant's on one partition of that many, one event's too.
 * world has the partitions then. */
struct arrivals by_tenant(const struct arrivals *arrivals, struct world *world, int32_t partitions,
                          struct iv_baseline *baseline, struct iv_arena *arena);
/* The record at this offset of a partition; NULL: its end. */
const struct arrival *record_at(const struct arrivals *arrivals, enum iv_stream stream, int32_t partition,
                                int64_t offset);
iv_ns much_later(const struct arrivals *arrivals);

struct iv_judge_options judge_options(struct said *out, struct iv_baseline *baseline);
iv_rc open_decoder(struct iv_decoder **out, const struct iv_baseline *baseline, struct iv_err *err);
/* The judge is told the record, then the front, if there is one. */
iv_rc tell(struct iv_judge *judge, struct iv_decoder *decoder, struct iv_arena *arena,
           const struct arrival *a, int64_t offset, struct iv_front *front, struct iv_err *err);

/* One engine that is told everything; at the end all partitions are silent for long. */
iv_rc run_whole(struct said *out, struct iv_baseline *baseline, const struct world *world,
                struct iv_err *err);
