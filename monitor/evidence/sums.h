/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over findings: by rule and time, by incident, by agent.
 * Purpose: what the console asks about a million findings is answered in the time that some rows take.
 * Owner/thread: a store of whoever brings them up to date, beside the one that keeps findings, whose
 * transactions do no more than they did.
 * Guarantee: a step takes a bounded number of findings. Counts (iv_reader_counts) add what
 * is not summed up yet; incidents (incident.h) are as of the last step. */
#pragma once

#include "base/err.h"
#include "evidence/store.h"

#include <stdbool.h>

/* Whether there is anything that the sums do not hold. */
struct iv_reader;
iv_rc iv_sums_behind(struct iv_reader *reader, bool *out, struct iv_err *err);
/* One step, inside a transaction. *more: findings are left for the next one. */
iv_rc iv_sums_take(struct iv_store *store, bool *more, struct iv_err *err);
