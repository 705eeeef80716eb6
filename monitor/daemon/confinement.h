/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon is confined to: whom it becomes, what it reads and writes, where it listens.
 * Purpose: from the configuration and the baseline to the room confine.
 * Owner/thread: the main thread, before there are others.
 * Guarantee: what the daemon has to do until it ends is among it: reading its baseline and certificates
 * again, and whatever replaces them in their folders; the store; its port. A reload whose baseline names a
 * new folder elsewhere is refused. */
#pragma once

#include "base/err.h"
#include "baseline/baseline.h"
#include "confine/confine.h"
#include "console/metrics.h"
#include "daemon/config.h"

struct iv_confinement;

/* IV_E_REFUSED: there is no such user or group. */
iv_rc iv_confinement_new(struct iv_confinement **out, const struct iv_config *config,
                         const struct iv_baseline *baseline, struct iv_err *err);
void iv_confinement_free(struct iv_confinement *confinement);
void iv_confinement_freep(struct iv_confinement **confinement);

/* To standard output, for a person: what a start here would put in force. */
void iv_confinement_show(const struct iv_confinement *confinement);
/* Puts it in force (IV_E_REFUSED: only root can become another user), and logs what is and what this kernel
 * does not have. */
iv_rc iv_confinement_enter(struct iv_confined *out, const struct iv_confinement *confinement,
                           struct iv_err *err);
void iv_confinement_count(const struct iv_confined *confined, struct iv_metrics *metrics);
