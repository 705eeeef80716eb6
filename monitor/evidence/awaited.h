/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that were done, and wait for the streams to show it: the reading side of what observes.
 * Purpose: somebody looks every second, and must hold no writer up. First which they are, narrow rows from an
 * index that has no others; then the whole of one that is new.
 * Owner/thread: as the reader. Not here: what is proven (respond/inquiry.h), writing it down (store.h). */
#pragma once

#include "base/arena.h"
#include "evidence/reader.h"

/* Up to limit steps in the arena, of which execution, position and done are set; the one with the nearest
 * deadline first. */
iv_rc iv_reader_awaited(struct iv_reader *reader, struct iv_step **out, size_t *count, size_t limit,
                        struct iv_arena *arena, struct iv_err *err);
/* One of them with its execution; texts in the arena. *found is false where it awaits nothing any more. */
iv_rc iv_reader_awaited_task(struct iv_reader *reader, struct iv_task *out, bool *found,
                             const struct iv_step *step, struct iv_arena *arena, struct iv_err *err);
