/* SPDX-License-Identifier: Apache-2.0 */
/* Roles apart: what a process reads of the others' findings, actions and coverage.
 *
 *   roles                              findings       actions        coverage, where it is told
 *   detect, with or without respond    no             no             no
 *   console, with any others           all of them    all of them    all of it
 *   respond without detect             all of them    all of them    all of it
 *
 * A process that detects answers what it detects. Of those that respond and do not detect one at a time
 * answers what all detectors found: it reads findings a second time, as the one member of the responders'
 * group that has them. The others know what was found and done, and stand by. Coverage is read for the sake
 * of who is alive. */
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

static iv_rc start(struct iv_monitor *m, struct iv_intake **out, enum iv_intake_kind kind, struct iv_err *err)
{
    struct iv_turns *turns = NULL;
    bool answers = kind == IV_INTAKE_ANSWERS;
    TRY(iv_watch_part(&turns, m->watch, answers ? "answer" : "intake", NULL, err));
    struct iv_intake_options options = {
        .kind = kind,
        .store = m->store,
        .config = m->config,
        .baseline = m->baseline,
        .playbooks = answers ? m->playbooks : NULL,
        .alerting = answers ? iv_monitor_alerting(m) : NULL,
        .actions = answers ? m->actions : NULL,
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
    bool answers = has(m, IV_ROLE_RESPOND) && !has(m, IV_ROLE_DETECT);
    if (!answers && !has(m, IV_ROLE_CONSOLE)) {
        return IV_OK;
    }
    TRY(start(m, &m->findings, IV_INTAKE_FINDINGS, err));
    TRY(start(m, &m->actions, IV_INTAKE_ACTIONS, err));
    if (m->config->topics.coverage.n > 0) {
        TRY(start(m, &m->coverage, IV_INTAKE_COVERAGE, err));
    }
    return answers ? start(m, &m->answers, IV_INTAKE_ANSWERS, err) : IV_OK;
}

void iv_monitor_stop_intakes(struct iv_monitor *m)
{
    iv_intake_end(m->answers); /* it asks the one of actions */
    iv_intake_stop(m->findings);
    iv_intake_stop(m->actions);
    iv_intake_stop(m->coverage);
    m->coverage = NULL;
    m->findings = NULL;
    m->actions = NULL;
}

void iv_monitor_hand_over(struct iv_monitor *m)
{
    iv_intake_stop(m->answers);
    m->answers = NULL;
}

void iv_monitor_reload_intakes(struct iv_monitor *m, struct iv_baseline *baseline,
                               struct iv_playbooks *playbooks)
{
    struct iv_intake *const shown[] = {m->findings, m->actions, m->coverage};
    for (size_t i = 0; i < IV_COUNT(shown); i++) {
        if (shown[i] != NULL) {
            iv_intake_reload(shown[i], baseline, NULL);
        }
    }
    if (m->answers != NULL) {
        iv_intake_reload(m->answers, baseline, playbooks);
    }
}
