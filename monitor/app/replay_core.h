/* SPDX-License-Identifier: Apache-2.0 */
/* One baseline's reading of the records: decoder, engines, output. A replay has one, or two to compare.
 * Owner/thread: one thread; with verifiers, findings are written by theirs, until the end or a failure was
 * settled. */
#pragma once

#include "app/command.h"
#include "app/replay_output.h"
#include "base/arena.h"
#include "event/decode.h"
#include "judge/judge.h"

struct iv_replay_core {
    struct iv_baseline *baseline;   /* NULL: none was given, which is enough to decode */
    struct iv_catalogue *catalogue; /* the built-in one, without a baseline */
    struct iv_decoder *decoder;
    struct iv_judge *judge; /* NULL: nothing is evaluated */
    struct iv_replay_output output;
    struct iv_pending { /* decoded, and judged together with others (engine.h) */
        struct iv_event event;
        struct iv_arena arena;
    } pending[IV_FORESEEN];
    size_t pending_count;
    uint64_t events;
};

struct iv_replay_core_options {
    const char *baseline;       /* NULL: none */
    struct iv_baseline *loaded; /* instead of that; a reference is taken */
    bool evaluate;
    unsigned verifiers;
    enum iv_replay_format format;
    struct iv_replay_paths paths;
    struct iv_replay_modes modes;
};

/* Loads the baseline and opens what is written to. */
iv_rc iv_replay_core_open(struct iv_replay_core *out, const struct iv_replay_core_options *options,
                          struct iv_err *err);
void iv_replay_core_close(struct iv_replay_core *core);

/* Every partition exists before the first record. */
iv_rc iv_replay_core_partitions(struct iv_replay_core *core, const struct iv_words files[IV_STREAMS],
                                struct iv_err *err);

/* *time is the event's; unchanged where the record is malformed. The record stays as it is until the event is
 * judged. */
iv_rc iv_replay_core_record(struct iv_replay_core *core, const struct iv_record *record, iv_ns *time,
                            struct iv_err *err);
/* Judges what was not yet. */
iv_rc iv_replay_core_judge(struct iv_replay_core *core, struct iv_err *err);
/* The end of input. */
iv_rc iv_replay_core_end(struct iv_replay_core *core, struct iv_err *err);
/* After a failure: all that was found before it is out. */
iv_rc iv_replay_core_settle(struct iv_replay_core *core, struct iv_err *err);
