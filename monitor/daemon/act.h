/* SPDX-License-Identifier: Apache-2.0 */
/* The acting thread: carries out what was planned.
 * Owner/thread: started and stopped by one thread; iv_act_wake from any.
 * Guarantee: an action's intent is on disk before its call, its outcome after it; both in respond/. What is
 * under way at the stop is taken up again at the next start, with the same idempotency key.
 * Not here: what an action does (respond/). */
#pragma once

#include "base/err.h"
#include "console/metrics.h"
#include "daemon/config.h"
#include "detect/watch.h"
#include "evidence/store.h"

struct iv_act;
struct iv_baseline;
struct iv_playbooks;

struct iv_act_options {
    struct iv_store *store;
    struct iv_baseline *baseline;   /* whose keys may approve; a reference is taken */
    struct iv_playbooks *playbooks; /* of which one may take over from another; a reference is taken */
    const struct iv_config *config; /* endpoints; outlives the thread */
    struct iv_hand *hand;           /* outlives the thread; NULL: none */
    struct iv_metrics *metrics;
    bool (*fresh)(void *ctx, const char **why); /* as iv_responder_options has it */
    struct iv_turns *turns;                     /* NULL: nobody looks */
    void (*changed)(void *ctx);                 /* a state changed, and is durable; from the thread */
    void (*failed)(void *ctx, const struct iv_err *why);
    void *ctx;
};

iv_rc iv_act_start(struct iv_act **out, const struct iv_act_options *options, struct iv_err *err);
void iv_act_stop(struct iv_act *act);
/* From one thread: another baseline is in force. */
void iv_act_reload(struct iv_act *act, struct iv_baseline *baseline, struct iv_playbooks *playbooks);
/* Something was planned, or a command was delivered: look at once. */
void iv_act_wake(struct iv_act *act);
