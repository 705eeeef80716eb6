/* SPDX-License-Identifier: Apache-2.0 */
/* Writes down what is proven.
 * Purpose: what the streams have decided of steps that were done, in the store, with what follows from it.
 * Owner/thread: the observer's thread.
 * Guarantee: many are one transaction; one whose step somebody has taken back meanwhile changes nothing. What
 * was not committed is still in the set. Not here: what is proven (respond/inquiry.h). */
#pragma once

#include "base/clock.h"
#include "console/metrics.h"
#include "evidence/store.h"
#include "respond/inquiry_set.h"

struct iv_proofs_options {
    struct iv_store *store;
    struct iv_metrics *metrics;
    const struct iv_clock *clock;
};

/* Those of the set that are decided, by the state of their stream, leave it; some may be left for the next
 * call. *moved: so many steps have moved. */
iv_rc iv_proofs_write(const struct iv_proofs_options *options, struct iv_inquiry_set *set,
                      const struct iv_inquiry_state states[IV_STREAMS], size_t *moved, struct iv_err *err);
