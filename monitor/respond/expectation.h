/* SPDX-License-Identifier: Apache-2.0 */
/* What the streams must show of a step, or must not: "expect:" of a playbook.
 * Purpose: parse and check it with the playbook; render it with the step, so that the row says all that is
 * needed to decide, whatever the baseline is by then.
 * Owner/thread: an expectation lives in the arena that it was parsed into and is immutable.
 * Guarantee: its condition has compiled, and every name in it is one that it can have. Not here: looking for
 * the evidence (inquiry.h). remediations/README.md is the reference.
 *
 * A condition stands over the event, and over names whose values are fixed when the step is planned:
 *
 *   target, trigger.FIELD, baseline.PARAMETER
 *   finding.uid, .rule, .severity, .tenant, .agent, .time
 *   step.called, step.done       fixed by the call
 *
 * Rendered it is an object: sense, event, stream, as, where, after, earlier, settle (nanoseconds), complete,
 * and under names the value of each name that the condition reads, as an expression without names. */
#pragma once

#include "respond/template.h"

struct iv_baseline;
struct iv_expectation;

iv_rc iv_expectation_parse(const struct iv_expectation **out, struct iv_arena *arena,
                           const struct iv_yaml_node *node, const struct iv_baseline *baseline,
                           const struct iv_template_rules *rules, struct iv_problems *problems,
                           struct iv_err *err);

/* Appends the object; *within: so long after the step was done evidence counts. IV_E_ABSENT: a name has no
 * value here; IV_E_EVAL: a length fails, or is none. */
iv_rc iv_expectation_render(struct iv_buf *out, iv_ns *within, const struct iv_expectation *expectation,
                            const struct iv_bindings *bindings, const struct iv_baseline *baseline,
                            struct iv_err *err);
