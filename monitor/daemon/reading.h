/* SPDX-License-Identifier: Apache-2.0 */
/* From where to where the streams are read on behalf of steps that are to be proven.
 * Purpose: each wants what was written since before its call. What is read for all of them goes ahead, and
 * never goes back: one place for each partition. Where a step wants what lies before that place, a reader of
 * its own goes back for it and for all others that want the same by then, once, up to where the first one
 * was. Owner/thread: one thread. Guarantee: with a step a second that each want the last hour, the hour is
 * read once for all that came while it was read the time before, and what is new is read meanwhile; so
 * nothing is read more than twice as often as it can be, and nobody waits for more than two passes. That is
 * why nothing is kept of what was read: a step mostly wants the last seconds, which are read again in no
 * time; and to keep the last minutes of all types that some step may yet ask for would take as much memory as
 * the streams bring bytes. Not here: who wants what (respond/inquiry_set.h), what it comes to
 * (respond/inquiry.h). */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "detect/watch.h"
#include "stream/property.h"
#include "stream/source.h"

#include <stdbool.h>

struct iv_reading;

struct iv_reading_options {
    const struct iv_property *properties;
    size_t property_count;
    struct iv_str topics[IV_STREAMS]; /* outlive it */
    struct iv_turns *turns;           /* whoever waits for an answer gets on; NULL: nobody looks */
    iv_ns (*now)(void *ctx);          /* wall clock */
    /* Not all of the partition can be had. back: of what lies before. */
    void (*gap)(void *ctx, const struct iv_cursor *at, bool back);
    void *ctx;
};

iv_rc iv_reading_open(struct iv_reading **out, const struct iv_reading_options *options, struct iv_err *err);
void iv_reading_close(struct iv_reading *reading); /* NULL is fine */

/* Asks for the ends of all partitions, and up to where records are committed; before that how many partitions
 * there are, where `recount` or nobody knows. *anew: there are others than before, or other logs: nothing is
 * read any more, and all that is wanted is to be read anew. IV_E_BROKER. */
iv_rc iv_reading_ask(struct iv_reading *reading, bool recount, bool *anew, struct iv_err *err);
/* Of all partitions, as of the last answer; count 0: none came yet. */
const struct iv_cursor *iv_reading_ends(const struct iv_reading *reading, size_t *count);
const struct iv_cursor *iv_reading_stable(const struct iv_reading *reading);
struct iv_marks;
const struct iv_marks *iv_reading_marks(const struct iv_reading *reading); /* NULL: as above */
/* When it was last known how many partitions there are, by the wall clock; IV_NS_MIN: never. */
iv_ns iv_reading_counted(const struct iv_reading *reading);

/* Moments before and after are not to be compared, or nothing is wanted any more: nothing is read. */
void iv_reading_stop(struct iv_reading *reading);
void iv_reading_clock_set(struct iv_reading *reading);
/* Whether the stream is read, and the other reader reads. */
bool iv_reading_is_ahead(const struct iv_reading *reading, enum iv_stream stream);
bool iv_reading_is_back(const struct iv_reading *reading);

/* Reads these streams, which were not, from what was written since on; what is read already goes on. cut: the
 * broker no longer has all of that of the stream. IV_E_BROKER: nothing has changed; ask again. */
iv_rc iv_reading_ahead(struct iv_reading *reading, bool cut[IV_STREAMS], iv_ns since,
                       const bool streams[IV_STREAMS], struct iv_err *err);
/* Reads of these streams, which are, what was written since then and lies before the place of the first. */
iv_rc iv_reading_back(struct iv_reading *reading, bool cut[IV_STREAMS], iv_ns since,
                      const bool streams[IV_STREAMS], struct iv_err *err);
/* The pass is of use to nobody any more. */
void iv_reading_end_back(struct iv_reading *reading);
/* True once, when it has come to its end: what the last batch holds is the last of it. */
bool iv_reading_back_is_over(struct iv_reading *reading);

/* Records of one of the two, *back of which, in turn; waits for the first. *moved: it came on. */
iv_rc iv_reading_poll(struct iv_reading *reading, struct iv_batch *out, bool *back, bool *moved, iv_ns wait,
                      struct iv_err *err);
/* All that was written to the stream by then was read by the one ahead, since it began; IV_NS_MIN: nothing.
 */
iv_ns iv_reading_reached(const struct iv_reading *reading, enum iv_stream stream);
