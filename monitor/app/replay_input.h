/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a replay as one sequence of records.
 * Purpose: read the file whose watermark is the smallest, so that all move through event time together and
 * the engine holds little. No verdict depends on it.
 * Owner/thread: one thread. */
#pragma once

#include "app/command.h"
#include "stream/source.h"

struct iv_replay_input;

/* Opens every file before the first record. lateness is each stream's. */
iv_rc iv_replay_input_open(struct iv_replay_input **out, const struct iv_words files[IV_STREAMS],
                           const iv_ns lateness[IV_STREAMS], struct iv_err *err);
void iv_replay_input_close(struct iv_replay_input *input);
void iv_replay_input_closep(struct iv_replay_input **input);

/* Whether the next record is at hand: reading it leaves those before it as they are. */
bool iv_replay_input_at_hand(struct iv_replay_input *input);
/* The next record, NULL at the end of all; valid until one that was not at hand is
 * asked for. */
iv_rc iv_replay_input_next(struct iv_replay_input *input, const struct iv_record **out, struct iv_err *err);
/* The last record was an event of this time. */
void iv_replay_input_saw(struct iv_replay_input *input, iv_ns time);

/* How far reading has come: 0 to 1, or below 0 where that cannot be known (a pipe). */
double iv_replay_input_share(const struct iv_replay_input *input);
