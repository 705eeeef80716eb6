/* SPDX-License-Identifier: Apache-2.0 */
/* A step as a whole event: the envelope, and on the ledger the hash chain of its log.
 * Source: contract "Events", envelope and hash chain; RFC 8785 for the form that is hashed. */
#pragma once

#include "app/sim/data.h"
#include "base/buf.h"
#include "base/err.h"

struct iv_sim_ledgers; /* where each tenant's log stands */

iv_rc iv_sim_ledgers_new(struct iv_sim_ledgers **out, uint32_t tenants, struct iv_err *err);
void iv_sim_ledgers_free(struct iv_sim_ledgers *ledgers);

/* Appends one structured CloudEvent without a line end, and moves the log of a ledger event on. */
iv_rc iv_sim_write_event(struct iv_buf *out, struct iv_sim_ledgers *ledgers, struct iv_sim_world *world,
                         const struct iv_sim_step *step, struct iv_err *err);
