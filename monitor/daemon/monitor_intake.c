/* SPDX-License-Identifier: Apache-2.0 */
/* Roles apart: what a process reads of the others' findings, actions and coverage.
 *
 *   roles                              findings       actions        coverage, where it is told
 *   detect, with or without respond    no             no             no
 *   console, with any others           all of them    all of them    all of it
 *   respond alone                      its share      no             all of it
 *
 * A process that detects answers what it detects; one that only responds answers what it reads, and reads of
 * coverage for the sake of who is alive. */
#include "base/guard.h"
#include "daemon/monitor_internal.h"

static bool has(const struct iv_monitor *m, enum iv_role role)
{
    return (m->config->roles & (unsigned)role) != 0;
}

struct iv_playbooks *iv_monitor_answer(const struct iv_monitor *m, struct iv_playbooks *playbooks)
{
    return has(m, IV_ROLE_RESPOND) ? playbooks : NULL;
}

const struct iv_alerting *iv_monitor_alerting(const struct iv_monitor *m)
{
    const struct iv_alerting *alerting = m->config->alerts;
    return has(m, IV_ROLE_RESPOND) && alerting != NULL && alerting->sink_count > 0 ? alerting : NULL;
}

/* What is read here is answered here only where nothing is detected here. */
static struct iv_playbooks *answer_to_others(const struct iv_monitor *m, struct iv_playbooks *playbooks)
{
    return has(m, IV_ROLE_DETECT) ? NULL : iv_monitor_answer(m, playbooks);
}

static iv_rc start(struct iv_monitor *m, struct iv_intake **out, enum iv_intake_kind kind, struct iv_err *err)
{
    struct iv_turns *turns = NULL;
    TRY(iv_watch_part(&turns, m->watch, "intake", NULL, err));
    struct iv_intake_options options = {
        .kind = kind,
        .store = m->store,
        .config = m->config,
        .baseline = m->baseline,
        .playbooks = kind == IV_INTAKE_FINDINGS ? answer_to_others(m, m->playbooks) : NULL,
        .alerting = kind == IV_INTAKE_FINDINGS && !has(m, IV_ROLE_DETECT) ? iv_monitor_alerting(m) : NULL,
        .shared = !has(m, IV_ROLE_CONSOLE) && kind != IV_INTAKE_COVERAGE,
        .metrics = m->metrics,
        .turns = turns,
        .committed = iv_monitor_committed,
        .failed = iv_monitor_failed,
        .ctx = m,
    };
    return iv_intake_start(out, &options, err);
}

iv_rc iv_monitor_start_intakes(struct iv_monitor *m, struct iv_err *err)
{
    bool responds_alone = has(m, IV_ROLE_RESPOND) && !has(m, IV_ROLE_DETECT);
    if (has(m, IV_ROLE_CONSOLE) || responds_alone) {
        TRY(start(m, &m->findings, IV_INTAKE_FINDINGS, err));
    }
    if (has(m, IV_ROLE_CONSOLE)) {
        TRY(start(m, &m->actions, IV_INTAKE_ACTIONS, err));
    }
    return (has(m, IV_ROLE_CONSOLE) || responds_alone) && m->config->topics.coverage.n > 0
               ? start(m, &m->coverage, IV_INTAKE_COVERAGE, err)
               : IV_OK;
}

void iv_monitor_stop_intakes(struct iv_monitor *m)
{
    iv_intake_stop(m->findings);
    iv_intake_stop(m->actions);
    iv_intake_stop(m->coverage);
    m->coverage = NULL;
    m->findings = NULL;
    m->actions = NULL;
}

void iv_monitor_reload_intakes(struct iv_monitor *m, struct iv_baseline *baseline,
                               struct iv_playbooks *playbooks)
{
    if (m->findings != NULL) {
        iv_intake_reload(m->findings, baseline, answer_to_others(m, playbooks));
    }
    if (m->actions != NULL) {
        iv_intake_reload(m->actions, baseline, NULL);
    }
    if (m->coverage != NULL) {
        iv_intake_reload(m->coverage, baseline, NULL);
    }
}
