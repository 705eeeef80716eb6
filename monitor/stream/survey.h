/* SPDX-License-Identifier: Apache-2.0 */
/* Reads partitions of the streams beside the group, from wherever it is asked to, as often as it is asked to.
 * Purpose: who looks for something in what was written since a moment needs all partitions of a stream, and
 * nobody's place in them.
 * Owner/thread: one thread.
 * Guarantee: no group is joined, no offset committed. Committed records only, in the order of their offsets,
 * none left out but for gaps, which are told. A broker that is not there is waited for. What a batch points
 * to is valid until the next call.
 * Not here: what a record means, where partitions end (ends.h). */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "stream/property.h"
#include "stream/source.h"

#include <stdbool.h>

struct iv_survey;

struct iv_survey_options {
    const struct iv_property *properties; /* the user's; group.id is not joined */
    size_t property_count;
    struct iv_str topics[IV_STREAMS]; /* outlive the records' origins */
    /* The broker no longer has what follows this place, and reading goes on at the beginning; or what it has
     * there cannot be read (a wrong checksum), and it goes on behind it. */
    void (*gap)(void *ctx, const struct iv_cursor *at);
    void *ctx;
};

/* Waits for no broker. */
iv_rc iv_survey_open(struct iv_survey **out, const struct iv_survey_options *options, struct iv_err *err);
void iv_survey_close(struct iv_survey *survey);
void iv_survey_closep(struct iv_survey **survey);

/* How many partitions each topic has; others than it was told of last cannot be read. IV_E_BROKER: it was not
 * told within `wait`, or a topic is missing. */
iv_rc iv_survey_widths(struct iv_survey *survey, int32_t widths[IV_STREAMS], iv_ns wait, struct iv_err *err);
/* Sets each offset to that of the first record with the time or a later one; where there is none, to where
 * the committed ones end; where the broker cannot look by time, to the oldest that is left. cut: of some
 * partition of the stream the oldest record that is left is the first, or none is left, so others may have
 * been there. */
iv_rc iv_survey_find(struct iv_survey *survey, struct iv_cursor *at, size_t count, bool cut[IV_STREAMS],
                     iv_ns time, iv_ns wait, struct iv_err *err);

/* Sets each offset to that up to which records are committed: what an open transaction holds back lies behind
 * it. */
iv_rc iv_survey_stable(struct iv_survey *survey, struct iv_cursor *at, size_t count, iv_ns wait,
                       struct iv_err *err);

/* From now on these are read, from these offsets, and no others. count 0: nothing is. */
iv_rc iv_survey_read(struct iv_survey *survey, const struct iv_cursor *from, size_t count,
                     struct iv_err *err);
void iv_survey_rest(struct iv_survey *survey); /* nothing is */
/* What there is, at most 1,024 records; waits for the first. moved: something came, or an end was reached.
 * What goes wrong behind records is told by the next call. IV_E_BROKER: a partition cannot be read; ask
 * again. */
iv_rc iv_survey_poll(struct iv_survey *survey, struct iv_batch *out, bool *moved, iv_ns wait,
                     struct iv_err *err);
/* The next offset of each partition that is read. */
const struct iv_cursor *iv_survey_at(const struct iv_survey *survey, size_t *count);
