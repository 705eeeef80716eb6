/* SPDX-License-Identifier: Apache-2.0 */
/* What the random worlds were made of, and what came of it: a generator that never reaches a part of the
 * language proves nothing about it. */
#pragma once

#include "trial.h"

/* Counts the rules of the trial by what they say, and the verdicts of the run on each. */
void coverage_note(const struct trial *trial, const struct engine_run *run);
/* Prints the table. False when something that was tried in hundreds of worlds never led to the verdict that
 * it is there for. */
bool coverage_print(void);
