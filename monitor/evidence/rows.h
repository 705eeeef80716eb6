/* SPDX-License-Identifier: Apache-2.0 */
/* Columns to rows: the lists of columns that writer and reader select, and how they are read. Internal to the
 * room. */
#pragma once

#include "evidence/alert.h"
#include "evidence/execution.h"
#include "evidence/finding.h"
#include "evidence/sql.h"
#include "evidence/store.h"

#define IV_COLUMNS_FINDING                                                                                   \
    "f.seq, f.uid, f.kind, f.rule, f.title, f.severity, f.mode, f.suppressed, f.criteria, f.tenant, "        \
    "f.agent, "                                                                                              \
    "f.trigger_source, f.trigger_id, f.trigger_type, f.time, f.detected, f.witnesses, f.ocsf, "              \
    "max(f.state, 3 * f.suppressed), f.assignee"
/* Suppressed is what somebody has suppressed: what came in so, under a waiver of the console's, is not. */
#define IV_COLUMNS_FOOTING                                                                                   \
    "f.uid, f.rule, f.kind, f.mode, f.suppressed, CASE WHEN f.state = 3 AND NOT EXISTS"                      \
    " (SELECT 1 FROM triage t WHERE t.finding = f.uid AND t.verb = 'suppress') THEN 0 ELSE f.state END,"     \
    " f.tenant, f.agent, f.time"
#define IV_COLUMNS_EXECUTION                                                                                 \
    "e.seq, e.key, e.finding, e.playbook, e.title, e.target, e.tactic, e.rule, e.severity, e.tenant, "       \
    "e.agent, "                                                                                              \
    "e.baseline, e.state, e.cause, e.event_time, e.planned, e.started, e.finished, e.findings, "             \
    "e.touched_agent, e.touched_tenant, e.touched_enclave, e.admitted, e.expires, e.observed, e.quorum, "    \
    "e.approvers, e.ramp_start, e.ramp_errors, e.escalate_to, e.absence, e.awaits"
#define IV_COLUMNS_STEP                                                                                      \
    "s.execution, s.position, s.key, s.name, s.kind, s.request, s.timeout, s.attempts, s.backoff, "          \
    "s.backoff_max, "                                                                                        \
    "s.state, s.cause, s.attempt, s.due, s.outbox, s.status, s.answer, s.started, s.finished, "              \
    "s.on_failure, s.escalated, s.undoes, s.undo_after, s.done, s.expectation, s.within, s.evidence"

#define IV_COLUMNS_ALERT                                                                                     \
    "a.fingerprint, a.rule, a.title, a.severity, a.criteria, a.tenant, a.agent, a.subject, a.kind, "         \
    "a.finding, a.detail, a.count, a.open, a.firing, a.started, a.last, a.quiet_at, a.ended, a.cause"
/* In the place of firing: that somebody has taken the alert up. */
#define IV_NOTICE_ACKNOWLEDGED 2
#define IV_COLUMNS_NOTICE                                                                                    \
    "n.id, n.attempt, n.created, n.firing, n.count, n.started, n.ended, n.cause, "                           \
    "n.finding, " IV_COLUMNS_ALERT

/* Behind "made(id, name) AS (SELECT …": all that follow from those, and away with them. */
#define IV_TOKENS_MADE_BY_THEM                                                                               \
    " UNION SELECT t.id, t.name FROM tokens t JOIN made m ON t.creator = 'token:' || m.name || '#' || m.id)" \
    " DELETE FROM tokens WHERE id IN (SELECT id FROM made)"

/* Where a text is looked for: in f, a row of findings, and in i, one of incidents, alike. */
#define IV_SEARCHED(row)                                                                                     \
    row ".title || char(10) || " row ".rule || char(10) || " row ".tenant || char(10) || " row ".agent"
#define IV_SEARCHED_NEWEST 25000 /* findings, at once */

/* As run_states.def has them: those that are not final. */
#define IV_STATES_ON_THE_WAY "'planned', 'waiting', 'running'"

/* Of a playbook's executions: those that are called, may be, or wait for the evidence of what was. As the
 * index has it. */
#define IV_AT_WORK                                                                                           \
    "(state IN ('planned', 'running') OR awaits = 1) AND ramp_start = 0 AND observed = 0 AND told = 0"
/* What those of playbook ?1 touch that began after ?2, here or at a responder that is told of, and, where ?3
 * is 1, of those that may begin at any moment. */
#define IV_BEGUN(column)                                                                                     \
    "(SELECT " column " FROM executions INDEXED BY executions_begun WHERE playbook = ?1 AND started > ?2"    \
    " AND started > 0 AND observed = 0 UNION ALL"                                                            \
    " SELECT " column " FROM executions INDEXED BY executions_at_work WHERE playbook = ?1"                   \
    " AND state = 'planned' AND ?3 AND " IV_AT_WORK ")"

/* Of a step s that is due: a clock that was set ahead does not hold it up, for it takes nothing back, was
 * called before, or somebody asked for it. */
#define IV_NOT_HELD "(s.undoes = 0 OR s.attempt > 0 OR s.cause LIKE '" IV_CAUSE_TAKEN_BACK "%')"
/* So long from now may it be due. */
#define IV_WAITS_MOST                                                                                        \
    "CASE WHEN s.attempt > 0 THEN s.backoff_max WHEN s.undoes > 0 THEN s.undo_after ELSE 0 END"

/* IV_E_STORE: a column holds what this program never writes. */
iv_rc iv_row_finding(struct iv_finding *out, struct iv_sql_row *row, struct iv_err *err);
iv_rc iv_row_execution(struct iv_execution *out, struct iv_sql_row *row, struct iv_err *err);
iv_rc iv_row_step(struct iv_step *out, struct iv_sql_row *row, struct iv_err *err);
iv_rc iv_row_alert(struct iv_alert *out, struct iv_sql_row *row, struct iv_err *err);
iv_rc iv_row_notice(struct iv_notice *out, struct iv_sql_row *row, struct iv_err *err);

/* The order in which a finding's kind may move on, which is how it is stored. */
int64_t iv_kind_rank(enum iv_verdict_kind kind);
/* The mask of ranks for a mask of kinds. */
uint32_t iv_kind_rank_mask(uint32_t kinds);
iv_rc iv_kind_of_rank(enum iv_verdict_kind *out, int64_t rank, struct iv_err *err);
