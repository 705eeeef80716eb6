/* SPDX-License-Identifier: Apache-2.0 */
/* Findings and actions as OCSF 1.8.0 JSON.
 * Purpose: one JSON object for a verdict (Detection Finding, 2004), one for a state of an execution or of a
 * step (Remediation Activity, 7001).
 * Owner/thread: pure functions that append to the caller's buffer.
 * Guarantee: deterministic: the same verdict under the same baseline gives the same bytes. A finding holds
 * no reading of a clock: its times are those of the events.
 * Not here: keeping (store.h), brief lines (stream/).
 * Source: https://schema.ocsf.io/1.8.0; contract "Interfaces", what it emits.
 *
 * Detection Finding has no attribute "compliance" in 1.8.0; the contract asks for that object of Compliance
 * Finding (2003), so it stands where 2003 has it. Everything else is the class's own. */
#pragma once

#include "base/buf.h"
#include "engine/engine.h"
#include "evidence/execution.h"

#define IV_OCSF_VERSION "1.8.0"

/* The most witnesses that a finding lists, fewer where they are large; unmapped.witness_total tells how many
 * there are. */
#define IV_OCSF_WITNESSES 64

/* One JSON object without a line end. VIOLATED is activity Create; UPDATED and CONTRADICTED are Update;
 * INCONCLUSIVE and OPEN have compliance status Warning and say why in status_detail. A waived one has status
 * Suppressed. */
void iv_ocsf_finding(struct iv_buf *out, const struct iv_baseline *baseline,
                     const struct iv_verdict *verdict);

/* step NULL: the execution itself. now is the wall clock of the change. */
void iv_ocsf_action(struct iv_buf *out, const struct iv_execution *execution, const struct iv_step *step,
                    iv_ns now);
/* The execution as it stands answers one more finding: unmapped.joined is true there. */
void iv_ocsf_joined(struct iv_buf *out, const struct iv_execution *execution, struct iv_str finding,
                    iv_ns now);
