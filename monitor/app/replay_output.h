/* SPDX-License-Identifier: Apache-2.0 */
/* What a replay writes: findings, undecided obligations, dead letters.
 * Owner/thread: verdicts come from one thread at a time, dead letters from one; the rest when both are at
 * rest. The engine calls it in the middle of an event, so failures are kept and told at the end.
 * Source: contract "Interfaces", replay; contract "Events", small print, for dead letters. */
#pragma once

#include "app/replay_lines.h"
#include "base/buf.h"
#include "baseline/baseline.h"
#include "event/event.h"

enum iv_replay_format { IV_REPLAY_OCSF, IV_REPLAY_BRIEF, IV_REPLAY_TABLE };

struct iv_replay_modes {
    bool sort;
    bool compare; /* findings are remembered for iv_replay_changes, the suppressed ones left out */
};

struct iv_replay_output {
    enum iv_replay_format format;
    struct iv_replay_modes modes;
    const struct iv_baseline *baseline;
    struct iv_lines findings;
    struct iv_lines undecided;
    struct iv_lines dead_letters;
    struct iv_buf line;
    struct iv_buf letter;
    bool line_failed; /* a line was larger than any may be, or found no memory */
    bool letter_failed;

    uint64_t violations; /* suppressed ones included */
    uint64_t suppressed;
    uint64_t undecided_count;
    uint64_t dead_letter_count;
};

struct iv_replay_paths {
    const char *findings; /* "-"; NULL: nowhere */
    const char *undecided;
    const char *dead_letters;
};

iv_rc iv_replay_output_open(struct iv_replay_output *out, enum iv_replay_format format,
                            const struct iv_replay_modes *modes, const struct iv_replay_paths *paths,
                            const struct iv_baseline *baseline, struct iv_err *err);
void iv_replay_output_close(struct iv_replay_output *output);

/* An iv_verdict_fn; ctx is the output. */
void iv_replay_output_verdict(void *ctx, const struct iv_verdict *verdict);
void iv_replay_output_dead_letter(struct iv_replay_output *output, const struct iv_record *record,
                                  struct iv_str reason);

/* Writes what is left (but findings to compare), everything sorted that was to be. Also after a failure: what
 * was found before it counts. */
iv_rc iv_replay_output_finish(struct iv_replay_output *output, struct iv_err *err);
