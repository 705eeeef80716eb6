/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that reads what other processes found, did, or have read.
 * Purpose: every console shows the findings, executions and coverage of all processes, and a responder of its
 * own answers the findings of the detectors. Owner/thread: started and stopped by one thread;
 * iv_intake_reload and iv_intake_has_read from any. Guarantee: a record, what is planned because of it, and
 * the position behind it are one transaction of the store. A finding that the store has already changes
 * nothing. Of all responders one answers at a time; who takes over begins where the group was told that the
 * one before had got to. What is no finding or action is logged, counted and passed over. Nothing that is
 * read here is sent on. Not here: reading what a message says (evidence/told.h), carrying out (act.h). */
#pragma once

#include "base/err.h"
#include "console/metrics.h"
#include "daemon/config.h"
#include "detect/watch.h"
#include "evidence/store.h"
#include "respond/playbook.h"
#include "stream/source.h"

struct iv_baseline;
struct iv_intake;

enum iv_intake_kind {
    IV_INTAKE_FINDINGS, /* to be shown; this process reads all of them, as of those below */
    IV_INTAKE_ACTIONS,
    IV_INTAKE_COVERAGE,
    IV_INTAKE_ANSWERS /* findings again, to be answered: by one member of a group that all responders share */
};

struct iv_intake_options {
    enum iv_intake_kind kind;
    struct iv_store *store;
    const struct iv_config *config; /* properties and topics; outlives the thread */
    struct iv_baseline *baseline;   /* a reference is taken, as of the playbooks */
    /* Of ANSWERS alone: */
    struct iv_playbooks *playbooks;     /* what findings are answered by */
    const struct iv_alerting *alerting; /* NULL: nobody is told of what is read; else outlives the thread */
    struct iv_intake *actions;          /* what others did is read first; outlives the thread */
    struct iv_metrics *metrics;
    struct iv_turns *turns;       /* NULL: nobody looks */
    void (*committed)(void *ctx); /* after each transaction, from the thread */
    void (*failed)(void *ctx, const struct iv_err *why);
    void *ctx;
};

iv_rc iv_intake_start(struct iv_intake **out, const struct iv_intake_options *options, struct iv_err *err);
/* Nothing is taken any more; the group still counts this process as a member. NULL is fine. */
void iv_intake_end(struct iv_intake *intake);
/* Its member leaves the group, too. NULL is fine. */
void iv_intake_stop(struct iv_intake *intake);
/* From the next batch on; a reference to each is taken. */
void iv_intake_reload(struct iv_intake *intake, struct iv_baseline *baseline, struct iv_playbooks *playbooks);
/* Whether it has taken all that lies before these ends. */
bool iv_intake_has_read(struct iv_intake *intake, const struct iv_cursor *ends, size_t count);
