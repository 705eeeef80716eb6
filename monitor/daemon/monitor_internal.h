/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's insides, shared by monitor.c (its parts), monitor_intake.c (what other processes tell)
 * and monitor_reload.c (another baseline). */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "daemon/act.h"
#include "daemon/alerts.h"
#include "daemon/canary.h"
#include "daemon/input.h"
#include "daemon/intake.h"
#include "daemon/keep.h"
#include "daemon/lookout.h"
#include "daemon/monitor.h"
#include "daemon/observer.h"
#include "daemon/publish.h"
#include "detect/detect.h"
#include "detect/handoff.h"
#include "detect/watch.h"
#include "judge/commit.h"

#include <pthread.h>
#include <stdatomic.h>

struct iv_console;
struct iv_reader;

/* Of a baseline, in a process that alerts nobody. */
enum iv_refusal { IV_REFUSAL_NO_NEWS, IV_REFUSAL_LASTS, IV_REFUSAL_OVER };

struct iv_monitor {
    const struct iv_config *config;
    struct iv_hand *hand; /* NULL: none */
    struct iv_clock clock;
    struct iv_arena names; /* of the topics that are read: they outlive the baseline that they came from */
    struct iv_metrics *metrics;
    int claim; /* on the store, as long as this process has it; -1 */
    struct iv_store *store;
    struct iv_reader *reader;   /* of the ticking thread */
    struct iv_canary *canary;   /* NULL: none is planted */
    struct iv_lookout *lookout; /* outlives every other part */
    struct iv_handoff *commits;
    atomic_uint_fast64_t kept;
    struct iv_watch *watch;
    struct iv_console *console;
    struct iv_publish *publish; /* set before there is a thread that reads it, outlived by none */
    struct iv_alerts *alerts;   /* likewise; NULL: nobody is told of anything */
    struct iv_keep *keep;
    struct iv_courier *courier; /* outlives the detector; NULL: none */
    struct iv_detect *detect;
    struct iv_intake *findings; /* of other processes; NULL: not read */
    struct iv_intake *actions;
    struct iv_intake *coverage;
    struct iv_intake *answers; /* NULL: this process answers nothing that others find */
    iv_ns waiting_told;        /* monotonic: that executions wait; 0: none did */
    iv_ns totals_at;
    struct iv_input input;   /* as the alerts say */
    enum iv_refusal refusal; /* under lock: what is to be told */
    char refused[512];       /* likewise: why */
    atomic_bool reloading;   /* a baseline was read again, and is not in force or refused yet */
    pthread_mutex_t lock;
    struct iv_baseline *baseline; /* in force; under lock once the parts have started */
    struct iv_playbooks *playbooks;
    struct iv_playbooks *coming;  /* of the baseline that is being put in force; NULL: none is. Under lock */
    struct iv_observer *observer; /* begins before the act, and ends after it; NULL: it does not respond */
    iv_ns begun;                  /* wall clock */
    int64_t times_seen;           /* times were taken up to this action */
    struct iv_detect *followed;   /* under lock: whom the observer asks how far it has read; NULL: nobody */
    struct iv_act *act; /* under lock: begins after the publisher, which wakes it, and ends before it */
    bool entered;       /* the log has its start, and will have its end */
    bool failed;        /* under lock */
    struct iv_err why;
};

iv_rc iv_monitor_tell_console(struct iv_monitor *m, const struct iv_baseline *baseline, struct iv_err *err);
/* Whether it is in force, 1 or 0, as a metric. */
void iv_monitor_count_baseline(struct iv_monitor *m, const struct iv_baseline *baseline, double in_force);
/* What answers the findings of this process: NULL unless it has the role. */
struct iv_playbooks *iv_monitor_answer(const struct iv_monitor *m, struct iv_playbooks *playbooks);
/* Who is told of the findings of this process: NULL unless it has the role, and sinks. */
const struct iv_alerting *iv_monitor_alerting(const struct iv_monitor *m);

/* Starts reading what other processes tell, as far as the roles ask for it. */
iv_rc iv_monitor_start_intakes(struct iv_monitor *m, struct iv_err *err);
void iv_monitor_stop_intakes(struct iv_monitor *m);
/* Lets another responder take over, once all that was done here has been told. */
void iv_monitor_hand_over(struct iv_monitor *m);
void iv_monitor_reload_intakes(struct iv_monitor *m, struct iv_baseline *baseline,
                               struct iv_playbooks *playbooks);
/* The names of the streams' topics, as long as the monitor lives. */
iv_rc iv_monitor_name_topics(struct iv_monitor *m, struct iv_str topics[IV_STREAMS], struct iv_err *err);
iv_rc iv_monitor_start_observer(struct iv_monitor *m, struct iv_err *err);
/* Whom the observer asks how far the streams have been read; NULL: nobody, before it is gone. */
void iv_monitor_follow(struct iv_monitor *m, struct iv_detect *detect);
/* A baseline was refused, or, why NULL, none is any more; what of it was not told yet is told. */
void iv_monitor_refusal(struct iv_monitor *m, const char *why);
void iv_monitor_tell_refusal(struct iv_monitor *m);
/* How the input does, of the detector, or else of who responds; false: this process has none. */
bool iv_monitor_input(struct iv_monitor *m, struct iv_consumer_health *out);
/* Of iv_act_options: whether the streams are fresh. */
bool iv_monitor_is_fresh(void *ctx, const char **why);

/* How long it took to act and to contain, of what came since the last look, as metrics. */
void iv_monitor_time(struct iv_monitor *m);

/* Of iv_detect_options and iv_keep_options: whoever wrote to the store; everybody who reads it looks at once.
 */
void iv_monitor_committed(void *ctx);
/* A part cannot go on, and neither can the monitor. */
void iv_monitor_failed(void *ctx, const struct iv_err *why);
/* Of iv_detect_options. */
void iv_monitor_reloaded(void *ctx, struct iv_baseline *baseline, const struct iv_err *why);
