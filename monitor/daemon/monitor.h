/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor as a whole: its parts, started in order and stopped in order.
 * Purpose: what `run` and `demo` have in common.
 * Owner/thread: one thread starts, ticks, reloads and stops it. Signals should be blocked before the start,
 * so that no part's thread takes them. Not here: signals and the end of the process (run.c, demo.c). */
#pragma once

#include "base/err.h"
#include "baseline/baseline.h"
#include "console/metrics.h"
#include "daemon/config.h"

#include <stdbool.h>

struct iv_hand;
struct iv_monitor;
struct iv_playbooks;

/* config and hand outlive the monitor; references to the others are taken. hand NULL: nothing is done on this
 * machine. The store's folder must exist. */
iv_rc iv_monitor_start(struct iv_monitor **out, const struct iv_config *config, struct iv_baseline *baseline,
                       struct iv_playbooks *playbooks, struct iv_hand *hand, struct iv_err *err);

/* What the configuration's reader cannot see, and a start must not get past: topics that are one, properties
 * that would break what is promised, the console's address, certificates, token. */
iv_rc iv_monitor_check(const struct iv_config *config, const struct iv_baseline *baseline,
                       struct iv_err *err);

/* Reads the baseline again. One that is refused leaves that in force as it is; one that is accepted is in
 * force from the next batch on, with the state of the rules that have not changed. Which of them is told by
 * the log, a metric, and the console's status. */
void iv_monitor_reload(struct iv_monitor *monitor);

/* To be called a few times a second: readiness, and the figures that are read off the store. False when a
 * part cannot go on; err says why. */
bool iv_monitor_tick(struct iv_monitor *monitor, struct iv_err *err);

/* Whether each part has done a turn of its work since the last time that this was true; which part has not.
 * NULL: none. */
bool iv_monitor_moved(struct iv_monitor *monitor);
const char *iv_monitor_standing(const struct iv_monitor *monitor);
/* Whether the process calls itself healthy: part NULL; else not, for the sake of this part. */
void iv_monitor_healthy(struct iv_monitor *monitor, const char *part);
/* A baseline that was read again is neither in force nor refused yet. */
bool iv_monitor_reloading(const struct iv_monitor *monitor);

/* Stops reading, makes durable what was read, sends what it can within a few seconds. NULL is fine. */
void iv_monitor_stop(struct iv_monitor *monitor);

/* The console's address, NULL without that role. */
const char *iv_monitor_url(const struct iv_monitor *monitor);
struct iv_metrics *iv_monitor_metrics(struct iv_monitor *monitor);
