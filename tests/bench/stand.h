/* SPDX-License-Identifier: Apache-2.0 */
/* What benchmarks stand on that feed an engine themselves: a baseline, a decoder, an engine that counts its
 * verdicts. Owner/thread: main. Whatever fails ends the program. */
#pragma once

#include "base/buf.h"
#include "engine/engine.h"
#include "event/decode.h"

#define STAND_START_NS (INT64_C(1767225600) * IV_NS_PER_S) /* 2026-01-01T00:00:00Z */

struct stand {
    struct iv_baseline *baseline;
    struct iv_decoder *decoder;
    struct iv_engine *engine;
    struct iv_arena arena; /* of the event at hand */
    uint64_t verdicts;
};

/* The stand stays where it is. */
void stand_open(struct stand *s, const char *folder);
void stand_close(struct stand *s);
/* Of partition 0, into *out and the arena; the bytes have IV_RECORD_PADDING readable ones behind them. */
void stand_decode(struct stand *s, struct iv_event *out, struct iv_record *record, enum iv_stream stream,
                  uint64_t offset, struct iv_str bytes);
/* An event about a token of its own, with its number for a name, instead of what the buffer had. */
void stand_write_token(struct iv_buf *out, const char *type, uint64_t number, iv_ns time, iv_ns expires);
