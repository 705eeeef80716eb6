/* SPDX-License-Identifier: Apache-2.0 */
/* Holds what the engine said against the reference. All answer true where they agree, and else say in why how
 * not. */
#pragma once

#include "run_engine.h"

/* The verdicts of the whole stream. */
bool compare_verdicts(struct iv_buf *why, struct reference *reference, const struct engine_run *run);
/* At each record: what its arrival proves was said by then, and nothing else was. only NULL: of all rules. */
bool compare_moments(struct iv_buf *why, struct reference *reference, const struct iv_baseline *baseline,
                     const struct world *world, const struct engine_run *run, const struct iv_rule *only);
/* Where the streams stand so, everything that is decided by then was said, and nothing else. */
bool compare_settled(struct iv_buf *why, struct reference *reference, const struct engine_run *run,
                     const struct reference_horizon *horizon);
/* Where the streams stand when so many records have arrived. */
struct reference_horizon horizon_after(const struct iv_baseline *baseline, const struct world *world,
                                       const struct engine_run *run, size_t arrived);
/* Two orders of arrival of the same events: the same verdicts under the same uids, none twice. */
bool compare_runs(struct iv_buf *why, const struct engine_run *a, const struct engine_run *b);
/* The same order of arrival: each verdict of both runs was said at the same moment. */
bool compare_when(struct iv_buf *why, const struct engine_run *a, const struct engine_run *b);
/* The same order of arrival, with and without gates: no rule was passed over that had something to count. */
bool compare_figures(struct iv_buf *why, const struct iv_baseline *baseline, const struct engine_run *gated,
                     const struct engine_run *all);
