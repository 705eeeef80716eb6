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

/* ends: of all partitions, always in the same order; asked for and told at these moments by the wall clock:
 * they lie behind all that was written before the first, and not behind what was written after the second.
 * One of them that was not told makes it no mark. Returned is the first of them that lies before what it was:
 * the log is another one, and the older marks are forgotten. Else NULL. */
const struct iv_cursor *iv_marks_add(struct iv_marks *marks, iv_ns asked, iv_ns told,
                                     const struct iv_cursor *ends);
/* The clock was set: no mark says anything any more. */
void iv_marks_forget(struct iv_marks *marks);

/* The newest one that was told by then: its ends; NULL: none is so old. */
const struct iv_cursor *iv_marks_before(const struct iv_marks *marks, iv_ns wall);

/* When the newest mark was asked for whose ends of these streams all lie behind what was read up to. A
 * partition that is not among `at` has not been read at all. IV_NS_MIN: there is none. */
iv_ns iv_marks_reached(const struct iv_marks *marks, const struct iv_cursor *at, size_t count,
                       enum iv_stream stream);
/* The same of all streams, for whoever reads these partitions alone. IV_NS_MIN also where that is none. */
iv_ns iv_marks_read(const struct iv_marks *marks, const struct iv_cursor *at, size_t count);
bool iv_marks_any(const struct iv_marks *marks);
