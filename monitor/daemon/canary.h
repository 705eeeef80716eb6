/* SPDX-License-Identifier: Apache-2.0 */
/* The canary: violations that the monitor plants itself, to see that they are found.
 * Purpose: nothing to be found and nothing being looked for look alike. A canary goes through the real topic,
 * the consumer, the engine and the store of each partition at a set interval; how long that took, and when it
 * last succeeded there, are metrics, and that it stays away is an alert.
 * Owner/thread: one thread starts, turns and stops it; baselines are told from any.
 * Guarantee: at most one event an interval and partition, of IV_CANARY_TYPE, without tenant or agent, half
 * the stream's lateness in the past, so that it is not late and moves no watermark beyond what silence would;
 * one that the broker does not take within a second is given up, and is not written later. Not here: what
 * makes a finding a canary (the rule: baseline/rule.h), its measuring (keep.h). */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "baseline/baseline.h"
#include "console/metrics.h"
#include "daemon/config.h"

struct iv_canary;

/* config and metrics outlive it. Without an interval in the configuration there is none: *out is NULL. */
iv_rc iv_canary_start(struct iv_canary **out, const struct iv_config *config,
                      const struct iv_baseline *baseline, struct iv_metrics *metrics, struct iv_clock clock,
                      struct iv_err *err);
void iv_canary_stop(struct iv_canary *canary); /* NULL is fine, here and below */

/* IV_E_REFUSED: the baseline has no rule that would find one. */
iv_rc iv_canary_check(const struct iv_config *config, const struct iv_baseline *baseline, struct iv_err *err);
/* Another baseline is in force. */
void iv_canary_reload(struct iv_canary *canary, const struct iv_baseline *baseline);
/* Plants one when it is time. */
void iv_canary_turn(struct iv_canary *canary);

/* One of this partition was found; any thread. */
void iv_canary_succeeded(struct iv_metrics *metrics, int32_t partition, iv_ns wall);
