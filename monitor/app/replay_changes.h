/* SPDX-License-Identifier: Apache-2.0 */
/* What changes when another baseline judges the same records: violations gained and lost, by rule.
 * Owner/thread: one thread. */
#pragma once

#include "app/replay_lines.h"

#include <stdbool.h>

/* Both hold the lines of one baseline's violations, not yet finished; they are taken apart. Writes to `out`
 * what is in one of them only, in order of rule, time, source and id; *changes is how many. As a table: a
 * heading for each rule, a row marked + or - for each violation. Else: one JSON object a line with
 * "change":"gained" or "lost" before the rest. */
iv_rc iv_replay_changes(uint64_t *changes, struct iv_lines *before, struct iv_lines *after, bool table,
                        FILE *out, struct iv_err *err);
