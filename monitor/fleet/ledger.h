/* SPDX-License-Identifier: Apache-2.0 */
/* A step as a whole event: the envelope, and on the ledger the hash chain of its log.
 * Source: contract "Events", envelope and hash chain; RFC 8785 for the form that is hashed. */
#pragma once

#include "base/err.h"
#include "fleet/data.h"

struct iv_sim_ledgers; /* where each tenant's log stands */

iv_rc iv_sim_ledgers_new(struct iv_sim_ledgers **out, uint32_t tenants, struct iv_err *err);
void iv_sim_ledgers_free(struct iv_sim_ledgers *ledgers);

/* An event is written in two steps: what depends on nothing else, by any thread and in any order; then, in
 * the order of the logs, what does. out has IV_SIM_EVENT_BYTES; the answer is how many of them are written.
 */
size_t iv_sim_write_event(char *out, const struct iv_sim_world *world, const struct iv_sim_step *step);
/* Goes on behind the n bytes that are there, and moves the log of a ledger event on. */
iv_rc iv_sim_finish_event(char *out, size_t *n, struct iv_sim_ledgers *ledgers,
                          const struct iv_sim_world *world, const struct iv_sim_step *step,
                          struct iv_err *err);
