/* SPDX-License-Identifier: Apache-2.0 */
/* Where the partitions ended, moment by moment, of the last minutes.
 * Purpose: two questions. From where must be read to have all that was written since a moment; and up to
 * which moment all is known to whoever has read so far.
 * Owner/thread: one thread. Pure: the broker is asked by whoever adds a mark. */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "stream/source.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_marks;

iv_rc iv_marks_new(struct iv_marks **out, size_t partitions, size_t keep, struct iv_err *err);
void iv_marks_free(struct iv_marks *marks);
void iv_marks_freep(struct iv_marks **marks);

/* ends: of all partitions, always in the same order, asked for at that moment by the wall clock. One of them
 * that was not told makes it none. */
void iv_marks_add(struct iv_marks *marks, iv_ns wall, const struct iv_cursor *ends);

/* The newest one that is not younger: its ends; NULL: none is so old. */
const struct iv_cursor *iv_marks_before(const struct iv_marks *marks, iv_ns wall);

/* The moment of the newest mark whose ends of these streams all lie behind what was read up to. A partition
 * that is not among `at` has not been read at all. IV_NS_MIN: there is none. */
iv_ns iv_marks_reached(const struct iv_marks *marks, const struct iv_cursor *at, size_t count,
                       enum iv_stream stream);
/* The moment of the newest; IV_NS_MIN: there is none. */
iv_ns iv_marks_newest(const struct iv_marks *marks);
