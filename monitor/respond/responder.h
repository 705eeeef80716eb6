/* SPDX-License-Identifier: Apache-2.0 */
/* The responder: carries out planned executions, step by step.
 * Purpose: intent on disk, then the call, then the outcome on disk; retries by rows that survive a restart.
 * Owner/thread: one thread calls iv_responder_turn in a loop; iv_responder_wake may come from any thread.
 * Guarantee: a step is called only after its state CALLING was committed. After a crash in between, it is
 * called again with the same idempotency key, however few attempts were left. Steps of one execution run in
 * order; a message that the broker does not take counts as a call without an answer; a call that hangs holds
 * up its own execution, and those of its playbook whose turn comes after it. Each change of state is logged
 * and posted for the actions topic in the transaction that makes it. Redirects are not followed. While the
 * stop of halt.h holds, or the pause file exists, nothing is begun; nor at an endpoint whose breaker is open
 * (breaker.h), or of a playbook more at a time than its ramp lets (ramp.h). An execution that fails is
 * escalated as its playbook says. Not here: planning (playbook.h). */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "respond/endpoint.h"

#include <stddef.h>
#include <stdint.h>

struct iv_baseline;
struct iv_hand;
struct iv_keyring;
struct iv_playbooks;
struct iv_store;
struct iv_responder;

/* Whose word holds. All of it outlives the responder, or the next call of iv_responder_govern. */
struct iv_government {
    const struct iv_keyring *keyring;     /* whose keys may approve; NULL: nobody's */
    const struct iv_baseline *baseline;   /* of the playbooks that take over from one that failed; */
    const struct iv_playbooks *playbooks; /* NULL: none does */
};

struct iv_responder_options {
    struct iv_store *store;              /* outlives the responder */
    const struct iv_endpoint *endpoints; /* copied */
    size_t endpoint_count;
    struct iv_clock clock;
    struct iv_hand *hand; /* acts on this machine; outlives the responder; NULL: nothing does */
    size_t in_flight;     /* calls at one time; 0: 128 */
    struct iv_government government;
    bool dry_run;             /* every call is withheld */
    struct iv_str pause_file; /* while it exists nothing is called; p NULL: there is none */
    /* Whether what rests on absence may be called; else *why, a constant. NULL: it may. */
    bool (*fresh)(void *ctx, const char **why);
    void (*committed)(void *ctx); /* after each transaction, from the responder's thread; may be NULL */
    void *ctx;
};

/* Takes up what an earlier process left in the state CALLING. */
iv_rc iv_responder_new(struct iv_responder **out, const struct iv_responder_options *options,
                       struct iv_err *err);
/* Drops the calls in flight; the next responder on the store makes them again. */
void iv_responder_free(struct iv_responder *responder);
void iv_responder_freep(struct iv_responder **responder);

/* Waits up to wait for an answer, the next step that is due, or a wake; then writes down what came of calls,
 * and what is called next, in one transaction, and begins those calls. IV_E_BUSY: the store was busy or full;
 * nothing is lost, call again. IV_E_STATE: the hand has ended; the next process takes up what is in flight.
 */
iv_rc iv_responder_turn(struct iv_responder *responder, iv_ns wait, struct iv_err *err);
/* From any thread: from now on this holds, and what did before is not looked at any more. */
void iv_responder_govern(struct iv_responder *responder, const struct iv_government *government);
/* Something was planned, or the outbox was delivered. */
void iv_responder_wake(struct iv_responder *responder);

struct iv_responder_stats {
    uint64_t calls; /* begun */
    uint64_t done;  /* steps, by how they ended */
    uint64_t failed;
    uint64_t unsupported;
    uint64_t retries;
    uint64_t withheld;
    size_t in_flight;
    bool paused;
};
void iv_responder_stats(const struct iv_responder *responder, struct iv_responder_stats *out);
/* Each endpoint, and whether its breaker is open (breaker.h). From the responder's thread. */
void iv_responder_endpoints(const struct iv_responder *responder,
                            void (*visit)(void *ctx, struct iv_str name, bool open), void *ctx);
