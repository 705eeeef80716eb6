/* SPDX-License-Identifier: Apache-2.0 */
/* Where simulated events go: two files, or two topics.
 * Owner/thread: one thread. */
#pragma once

#include "base/err.h"
#include "fleet/fleet.h"

struct iv_sim_sink {
    iv_rc (*put)(void *self, const struct iv_fleet_event *event, struct iv_err *err);
    /* All that was put has arrived, or the error says what has not. */
    iv_rc (*finish)(void *self, struct iv_err *err);
    void (*free)(void *self);
    void *self;
};

/* ledger.ndjson and telemetry.ndjson in the folder. IV_E_REFUSED: they are there already. */
iv_rc iv_sim_files(struct iv_sim_sink *out, const char *folder, struct iv_err *err);
/* The topics "ledger" and "telemetry", keyed by the tenant. */
iv_rc iv_sim_topics(struct iv_sim_sink *out, const char *brokers, struct iv_err *err);
