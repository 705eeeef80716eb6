/* SPDX-License-Identifier: Apache-2.0 */
/* Loading what people write, for commands: what is wrong with it goes to standard error, all of it in one
 * run.
 * Owner/thread: the main thread. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "baseline/baseline.h"

#include <stdbool.h>

struct iv_playbooks;

/* Whether a person reads standard error as it is written. */
bool iv_told_to_a_person(void);

/* Diagnostics as "FILE:LINE:COLUMN: error: …", the line and a caret, to standard error. */
void iv_print_problems(const struct iv_problems *problems);

/* A baseline with its playbooks, both checked. playbooks may be NULL: checked all the same, not kept.
 * IV_E_REFUSED: the problems have been printed, and err sums up. */
iv_rc iv_load_baseline(struct iv_baseline **out, struct iv_playbooks **playbooks, struct iv_str path,
                       struct iv_err *err);
/* The same for a daemon that runs: where nobody sits at standard error, each problem is an event of the log.
 */
iv_rc iv_reload_baseline(struct iv_baseline **out, struct iv_playbooks **playbooks, struct iv_str path,
                         struct iv_err *err);
/* The same for a person who asks whether it would do now: approvers' keys must be valid today. */
iv_rc iv_check_baseline(struct iv_baseline **out, struct iv_str path, struct iv_err *err);
