/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage as JSON: what the log is told of it, and what other processes are.
 * Owner/thread: pure functions. Appends fail as iv_buf's do. told.h reads them back. */
#pragma once

#include "base/buf.h"
#include "engine/coverage.h"

#define IV_COVERAGE_TEXT_MAX ((size_t)4 << 20)

/* {topic, partition, stream, state, first, reach, losses: [{cause, from, until, records}]} */
void iv_cover_text(struct iv_buf *out, struct iv_str topic, const struct iv_cover *cover);
/* The members of it that say what went wrong: {state, losses}. */
void iv_cover_standing_text(struct iv_buf *out, const struct iv_cover *cover);
/* {rule, losses}, of one loss. */
void iv_rule_loss_text(struct iv_buf *out, struct iv_str rule, const struct iv_loss *loss);
