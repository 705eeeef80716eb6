/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage as JSON: what the log is told of it, and what other processes are.
 * Owner/thread: pure functions. Appends fail as iv_buf's do. told.h reads them back. */
#pragma once

#include "base/buf.h"
#include "base/json_write.h"
#include "engine/coverage.h"

#define IV_COVERAGE_TEXT_MAX ((size_t)4 << 20)

/* {topic, partition, stream, state, first, reach, losses: [{cause, from, until, records}]} */
void iv_cover_text(struct iv_buf *out, struct iv_str topic, const struct iv_cover *cover);
/* The members of it that say what went wrong: {state, losses}. */
void iv_cover_standing_text(struct iv_buf *out, const struct iv_cover *cover);
/* {topic, partition, hour, populations: [{rule, since, count}]}; hour IV_NS_MIN: of none. */
struct iv_json iv_population_text_open(struct iv_buf *out, struct iv_str topic, int32_t partition,
                                       iv_ns hour);
void iv_population_text_row(struct iv_json *j, struct iv_str rule, iv_ns since, int64_t count);
void iv_population_text_close(struct iv_json *j);
/* {topic, partition, alive: [{kind, as_of, crowd}]}; a crowd (base/crowd.h) in base64. */
struct iv_json iv_alive_text_open(struct iv_buf *out, struct iv_str topic, int32_t partition);
void iv_alive_text_crowd(struct iv_json *j, struct iv_str kind, iv_ns as_of, struct iv_str crowd);
void iv_alive_text_close(struct iv_json *j);
/* {rule, losses}, of one loss. */
void iv_rule_loss_text(struct iv_buf *out, struct iv_str rule, const struct iv_loss *loss);
