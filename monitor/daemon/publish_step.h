/* SPDX-License-Identifier: Apache-2.0 */
/* What the publishing thread does, without the thread: a turn takes entries from the outbox to the producer,
 * and strikes those that the broker has answered for.
 * Owner/thread: one thread makes the turns; publish.h has that thread, a simulation its own.
 * Guarantee: those of publish.h. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "daemon/config.h"
#include "evidence/store.h"

struct iv_publish_step;

struct iv_publish_step_options {
    struct iv_store *store;
    const struct iv_config *config; /* properties and topics; outlives the step */
    struct iv_clock clock;
    void (*delivered)(void *ctx); /* after acknowledgements became durable; may be NULL */
    void *ctx;
};

iv_rc iv_publish_step_new(struct iv_publish_step **out, const struct iv_publish_step_options *options,
                          struct iv_err *err);
/* What is under way stays in the outbox, but for what the broker has answered for by now. */
void iv_publish_step_free(struct iv_publish_step *step);
void iv_publish_step_freep(struct iv_publish_step **step);

/* Waits for the broker's answers for a moment, where some are due. False: nothing is under way and nothing
 * could be sent, so that there is something to do only after a commit, or when time has passed. */
bool iv_publish_turn(struct iv_publish_step *step);
