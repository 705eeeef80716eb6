/* SPDX-License-Identifier: Apache-2.0 */
/* A playbook, parsed. Shared by playbook.c, which makes it, and plan.c, which renders it. */
#pragma once

#include "respond/expectation.h"
#include "respond/guard.h"
#include "respond/occasion.h"
#include "respond/playbook.h"
#include "respond/quorum.h"
#include "respond/shape.h"

#include <pthread.h>
#include <stdatomic.h>

#define IV_PLAYBOOK_STEPS_MAX 16

struct iv_playbook_step {
    struct iv_str name;
    struct iv_arguments arguments;
    iv_ns timeout;
    int64_t attempts;
    iv_ns backoff;
    iv_ns backoff_max;
    enum iv_on_failure on_failure;
    bool only_escalated;
    const struct iv_expectation *expect; /* NULL: nothing is looked for */
    struct iv_arguments undo;            /* kind NULL: it is not taken back */
    iv_ns undo_after;
};

struct iv_playbook {
    struct iv_str name;
    struct iv_str title;
    struct iv_str description;
    enum iv_tactic tactic;
    struct iv_occasions on; /* beside the rules that name it */
    struct iv_template target;
    bool observed; /* its calls are withheld */
    iv_ns dedup;   /* an execution that ended well so long ago still answers a finding of its target */
    struct {       /* what guards count */
        struct iv_template agent;
        struct iv_template tenant;
        struct iv_template enclave;
    } touches;
    struct iv_limits limits;
    struct iv_quorum approval;
    struct iv_playbook_step steps[IV_PLAYBOOK_STEPS_MAX];
    size_t step_count;
    struct iv_str escalate_to; /* p NULL: nothing takes over */
};

/* Of the baseline that the playbooks were loaded for, made when a condition asks for one first. */
struct iv_playbook_params {
    pthread_mutex_t lock;
    struct iv_params *made; /* under lock */
};

struct iv_playbooks {
    atomic_uint references;
    const struct iv_baseline *baseline; /* compared, never looked into: it may be gone */
    struct iv_playbook_params *params;
    struct iv_arena arena; /* owns everything that the playbooks point to */
    struct iv_playbook *items;
    size_t count;
    bool observed; /* all of them */
};

/* One execution. playbook: NULL where there is none of this name. */
struct iv_plan_order {
    const struct iv_playbook *playbook;
    struct iv_str name;
    bool observed;
    bool absence;          /* it takes over from one that rests on what was not seen */
    const char *undecided; /* why nobody can tell whether it is called for; NULL: it is */
    struct iv_str cause;   /* why it is planned, where that is not the finding alone; p NULL: it is */
};
/* What came of it. */
enum iv_planned {
    IV_PLANNED_NOT,    /* the playbook has answered the finding already */
    IV_PLANNED_JOINED, /* another execution of the playbook answers it, for it has the same target */
    IV_PLANNED_NEW,
};
/* Whatever the verdict is: the caller has judged that it calls for it. */
iv_rc iv_plan_one(enum iv_planned *out, const struct iv_plan_order *order, struct iv_store *store,
                  const struct iv_finding *finding, const struct iv_verdict *verdict,
                  const struct iv_baseline *baseline, iv_ns now, struct iv_err *err);

/* NULL: none of this name. */
const struct iv_playbook *iv_playbooks_find(const struct iv_playbooks *playbooks, struct iv_str name);
