/* SPDX-License-Identifier: Apache-2.0 */
/* What the detector tells its coverage (engine/coverage.h), beside its engines.
 * Owner/thread: the detecting thread.
 * Guarantee: what a commit says of coverage is as of the positions that it brings. */
#pragma once

#include "app/detect_internal.h"

struct iv_reader;

/* From what the store has of these topics. The reader is used during the call. */
iv_rc iv_detect_cover_open(struct iv_detect *d, struct iv_reader *reader, struct iv_err *err);
/* The baseline in force is another. */
void iv_detect_cover_policy(struct iv_detect *d);
/* The partitions that are ours are known. */
iv_rc iv_detect_cover_assigned(struct iv_detect *d, struct iv_err *err);
/* A record, or the end of the log, stands at this offset of the partition. */
iv_rc iv_detect_cover_at(struct iv_detect *d, const struct iv_detect_partition *p, int64_t offset,
                         struct iv_err *err);
/* The broker has dropped what was to be read next, or has another log. */
iv_rc iv_detect_cover_gap(struct iv_detect *d, const struct iv_cursor *at, int64_t next, struct iv_err *err);
/* Whether a partition that is silent at its end only seems to be: an open transaction holds records back, so
 * that time must not pass. Tells when that lasts. */
iv_rc iv_detect_cover_blind(struct iv_detect *d, struct iv_detect_partition *p, bool *blind,
                            struct iv_err *err);
/* What has changed goes with the commit at hand. */
iv_rc iv_detect_cover_take(struct iv_detect *d, struct iv_err *err);
