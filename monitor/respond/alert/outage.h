/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions that are findings of the monitor about itself (evidence/own.h): a sink that stays unreachable,
 * and a baseline that was refused by a process that alerts nobody.
 * Owner/thread: inside a transaction of the caller's. Not here: the alert to the other sinks, or by another
 * process (alert.h). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_store;

/* The sink has failed since then, for longer than it may. Said again it changes nothing. */
iv_rc iv_outage_lasts(struct iv_store *store, struct iv_str sink, struct iv_str why, iv_ns since, iv_ns now,
                      struct iv_err *err);
/* The sink takes notices again. */
iv_rc iv_outage_over(struct iv_store *store, struct iv_str sink, iv_ns now, struct iv_err *err);
/* These are the sinks that there are: of no other one anything is expected any more. */
iv_rc iv_outage_keep(struct iv_store *store, const struct iv_str *sinks, size_t count, iv_ns now,
                     struct iv_err *err);

/* The process of this name has refused a baseline, or is over it. Said again it changes nothing. */
iv_rc iv_refusal_tell(struct iv_store *store, struct iv_str name, bool over, struct iv_str why, iv_ns now,
                      struct iv_err *err);
