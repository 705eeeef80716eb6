/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/rows.h"

#include "base/guard.h"

#include <inttypes.h>

static const enum iv_verdict_kind kind_by_rank[] = {IV_OPEN, IV_INCONCLUSIVE, IV_VIOLATED, IV_UPDATED,
                                                    IV_CONTRADICTED};

int64_t iv_kind_rank(enum iv_verdict_kind kind)
{
    for (size_t rank = 0; rank < IV_COUNT(kind_by_rank); rank++) {
        if (kind_by_rank[rank] == kind) {
            return (int64_t)rank;
        }
    }
    return -1;
}

uint32_t iv_kind_rank_mask(uint32_t kinds)
{
    uint32_t mask = 0;
    for (size_t rank = 0; rank < IV_COUNT(kind_by_rank); rank++) {
        if ((kinds >> kind_by_rank[rank] & 1u) != 0) {
            mask |= 1u << rank;
        }
    }
    return mask;
}

iv_rc iv_kind_of_rank(enum iv_verdict_kind *out, int64_t rank, struct iv_err *err)
{
    ENSURE(rank >= 0 && rank < (int64_t)IV_COUNT(kind_by_rank), err, IV_E_STORE,
           "a finding in the store has kind %" PRId64 ", which is none", rank);
    *out = kind_by_rank[rank];
    return IV_OK;
}

static iv_rc severity_of(enum iv_severity *out, int64_t stored, struct iv_err *err)
{
    ENSURE(stored >= IV_SEV_INFO && stored <= IV_SEV_CRITICAL, err, IV_E_STORE,
           "a row in the store has severity %" PRId64 ", which is none", stored);
    *out = (enum iv_severity)stored;
    return IV_OK;
}

iv_rc iv_row_finding(struct iv_finding *out, struct iv_sql_row *row, struct iv_err *err)
{
    struct iv_finding f = {.seq = iv_sql_get_int(row)};
    f.uid = iv_sql_get_str(row);
    TRY(iv_kind_of_rank(&f.kind, iv_sql_get_int(row), err));
    f.rule = iv_sql_get_str(row);
    f.title = iv_sql_get_str(row);
    TRY(severity_of(&f.severity, iv_sql_get_int(row), err));
    f.mode = iv_sql_get_int(row) == 0 ? IV_MODE_ENFORCE : IV_MODE_OBSERVE;
    f.suppressed = iv_sql_get_int(row) != 0;
    f.criteria = iv_sql_get_str(row);
    f.tenant = iv_sql_get_str(row);
    f.agent = iv_sql_get_str(row);
    f.trigger_source = iv_sql_get_str(row);
    f.trigger_id = iv_sql_get_str(row);
    f.trigger_type = iv_sql_get_str(row);
    f.time = iv_sql_get_int(row);
    f.detected = iv_sql_get_int(row);
    f.witnesses = iv_sql_get_int(row);
    f.ocsf = iv_sql_get_str(row);
    int64_t state = iv_sql_get_int(row);
    ENSURE(state >= IV_TRIAGE_NEW && state <= IV_TRIAGE_SUPPRESSED, err, IV_E_STORE,
           "a finding in the store has state %" PRId64 ", which is none", state);
    f.triage = (enum iv_triage_state)state;
    f.assignee = iv_sql_get_str(row);
    *out = f;
    return IV_OK;
}

static iv_rc run_state_of(enum iv_run_state *out, struct iv_str name, struct iv_err *err)
{
    if (iv_run_state_of(out, name)) {
        return IV_OK;
    }
    return iv_err_set(err, IV_E_STORE, "an execution in the store has state '" IV_STR_FMT "', which is none",
                      IV_STR_ARG(name));
}

static iv_rc step_state_of(enum iv_step_state *out, struct iv_str name, struct iv_err *err)
{
#define STATE(id, text, final)                                                                               \
    if (iv_str_eq(name, IV_STR(text))) {                                                                     \
        *out = IV_STEP_##id;                                                                                 \
        return IV_OK;                                                                                        \
    }
#include "evidence/step_states.def"
#undef STATE
    return iv_err_set(err, IV_E_STORE, "a step in the store has state '" IV_STR_FMT "', which is none",
                      IV_STR_ARG(name));
}

iv_rc iv_row_execution(struct iv_execution *out, struct iv_sql_row *row, struct iv_err *err)
{
    struct iv_execution e = {.seq = iv_sql_get_int(row)};
    e.key = iv_sql_get_str(row);
    e.finding = iv_sql_get_str(row);
    e.playbook = iv_sql_get_str(row);
    e.title = iv_sql_get_str(row);
    e.target = iv_sql_get_str(row);
    int64_t tactic = iv_sql_get_int(row);
    ENSURE(tactic >= IV_TACTIC_ISOLATE && tactic <= IV_TACTIC_DETECT, err, IV_E_STORE,
           "an execution in the store has tactic %" PRId64 ", which is none", tactic);
    e.tactic = (enum iv_tactic)tactic;
    e.rule = iv_sql_get_str(row);
    TRY(severity_of(&e.severity, iv_sql_get_int(row), err));
    e.tenant = iv_sql_get_str(row);
    e.agent = iv_sql_get_str(row);
    e.baseline = iv_sql_get_str(row);
    TRY(run_state_of(&e.state, iv_sql_get_str(row), err));
    e.cause = iv_sql_get_str(row);
    e.event_time = iv_sql_get_int(row);
    e.planned = iv_sql_get_int(row);
    e.started = iv_sql_get_int(row);
    e.finished = iv_sql_get_int(row);
    e.findings = iv_sql_get_int(row);
    e.touched.agent = iv_sql_get_str(row);
    e.touched.tenant = iv_sql_get_str(row);
    e.touched.enclave = iv_sql_get_str(row);
    e.admitted = iv_sql_get_int(row);
    e.expires = iv_sql_get_int(row);
    e.observed = iv_sql_get_int(row) != 0;
    e.quorum = iv_sql_get_int(row);
    e.approvers = iv_sql_get_str(row);
    e.ramp.start = iv_sql_get_int(row);
    e.ramp.errors = iv_sql_get_int(row);
    e.escalate_to = iv_sql_get_str(row);
    e.absence = iv_sql_get_int(row) != 0;
    e.awaits = iv_sql_get_int(row) != 0;
    *out = e;
    return IV_OK;
}

iv_rc iv_row_step(struct iv_step *out, struct iv_sql_row *row, struct iv_err *err)
{
    struct iv_step s = {.execution = iv_sql_get_str(row)};
    s.position = iv_sql_get_int(row);
    s.key = iv_sql_get_str(row);
    s.name = iv_sql_get_str(row);
    s.kind = iv_sql_get_str(row);
    s.request = iv_sql_get_str(row);
    s.timeout = iv_sql_get_int(row);
    s.attempts = iv_sql_get_int(row);
    s.backoff = iv_sql_get_int(row);
    s.backoff_max = iv_sql_get_int(row);
    TRY(step_state_of(&s.state, iv_sql_get_str(row), err));
    s.cause = iv_sql_get_str(row);
    s.attempt = iv_sql_get_int(row);
    s.due = iv_sql_get_int(row);
    s.outbox = iv_sql_get_int(row);
    s.status = iv_sql_get_int(row);
    s.answer = iv_sql_get_str(row);
    s.started = iv_sql_get_int(row);
    s.finished = iv_sql_get_int(row);
    int64_t on_failure = iv_sql_get_int(row);
    ENSURE(on_failure >= IV_ON_FAILURE_STOP && on_failure <= IV_ON_FAILURE_ESCALATE, err, IV_E_STORE,
           "a step in the store does %" PRId64 " on failure, which is nothing", on_failure);
    s.on_failure = (enum iv_on_failure)on_failure;
    s.only_escalated = iv_sql_get_int(row) != 0;
    s.undoes = iv_sql_get_int(row);
    s.undo_after = iv_sql_get_int(row);
    s.done = iv_sql_get_int(row);
    s.expectation = iv_sql_get_str(row);
    s.within = iv_sql_get_int(row);
    s.evidence = iv_sql_get_str(row);
    *out = s;
    return IV_OK;
}

iv_rc iv_row_alert(struct iv_alert *out, struct iv_sql_row *row, struct iv_err *err)
{
    struct iv_alert a = {.fingerprint = iv_sql_get_str(row)};
    a.rule = iv_sql_get_str(row);
    a.title = iv_sql_get_str(row);
    TRY(severity_of(&a.severity, iv_sql_get_int(row), err));
    a.criteria = iv_sql_get_str(row);
    a.tenant = iv_sql_get_str(row);
    a.agent = iv_sql_get_str(row);
    a.subject = iv_sql_get_str(row);
    TRY(iv_kind_of_rank(&a.kind, iv_sql_get_int(row), err));
    a.finding = iv_sql_get_str(row);
    a.detail = iv_sql_get_str(row);
    a.count = iv_sql_get_int(row);
    a.open = iv_sql_get_int(row);
    a.firing = iv_sql_get_int(row) != 0;
    a.started = iv_sql_get_int(row);
    a.last = iv_sql_get_int(row);
    a.quiet_at = iv_sql_get_int(row);
    a.ended = iv_sql_get_int(row);
    a.cause = iv_sql_get_str(row);
    *out = a;
    return IV_OK;
}

iv_rc iv_row_notice(struct iv_notice *out, struct iv_sql_row *row, struct iv_err *err)
{
    struct iv_notice n = {.id = iv_sql_get_int(row)};
    n.attempt = iv_sql_get_int(row);
    n.created = iv_sql_get_int(row);
    int64_t tells = iv_sql_get_int(row);
    int64_t count = iv_sql_get_int(row);
    iv_ns started = iv_sql_get_int(row);
    iv_ns ended = iv_sql_get_int(row);
    struct iv_str cause = iv_sql_get_str(row);
    struct iv_str finding = iv_sql_get_str(row);
    TRY(iv_row_alert(&n.alert, row, err));
    n.acknowledged = tells == IV_NOTICE_ACKNOWLEDGED;
    n.alert.firing = tells != 0;
    n.alert.count = count;
    n.alert.started = started;
    n.alert.ended = ended;
    n.alert.cause = cause;
    n.alert.finding = finding;
    *out = n;
    return IV_OK;
}
