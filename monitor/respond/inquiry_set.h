/* SPDX-License-Identifier: Apache-2.0 */
/* All steps that are looked for at a time.
 * Purpose: of a thousand of them a record concerns one or none, and that must cost no thousand questions.
 * Owner/thread: one thread. It owns its inquiries.
 * Guarantee: whoever might count an event is shown it. What that costs does not grow with the steps but where
 * their conditions leave no choice: a record's bytes are searched once for each type that somebody waits for;
 * an event of such a type goes to those whose condition names the text that its field has (iv_inquiry_key),
 * and to those of its type that name none. Not here: what counts (inquiry.h), what is read when
 * (daemon/observer.h). */
#pragma once

#include "respond/inquiry.h"

#define IV_INQUIRIES_MAX 1024

/* How far the streams have been read on its behalf. */
enum iv_lane {
    IV_LANE_NEW,     /* not at all */
    IV_LANE_WAITING, /* from some place on; what lies before is still to be read */
    IV_LANE_BACK,    /* what lies before is being read */
    IV_LANE_WHOLE,   /* from before its first call on */
};

struct iv_sought {
    struct iv_inquiry *inquiry;
    enum iv_lane lane;
};

struct iv_inquiry_set;

iv_rc iv_inquiry_set_new(struct iv_inquiry_set **out, struct iv_err *err);
void iv_inquiry_set_free(struct iv_inquiry_set *set);
void iv_inquiry_set_freep(struct iv_inquiry_set **set);

/* Valid until the set changes; lanes may be set. */
struct iv_sought *iv_inquiry_set_items(struct iv_inquiry_set *set, size_t *count);
/* Takes it, as NEW; at most IV_INQUIRIES_MAX. */
void iv_inquiry_set_add(struct iv_inquiry_set *set, struct iv_inquiry *inquiry);
/* The last one takes its place. */
void iv_inquiry_set_drop(struct iv_inquiry_set *set, size_t index);
/* Drops those of other steps than these (execution, position and done tell them); known[i]: it has that of
 * steps[i]. */
void iv_inquiry_set_keep(struct iv_inquiry_set *set, bool *known, const struct iv_step *steps, size_t count);

/* Why is a sentence. back: only those for which is being read what lies before. */
void iv_inquiry_set_missed(struct iv_inquiry_set *set, enum iv_stream stream, bool back, const char *why);
/* Whether a record is to be decoded. */
bool iv_inquiry_set_wants(struct iv_inquiry_set *set, const struct iv_record *record);
/* One that is, decoded; event NULL: it is malformed. back as above. */
iv_rc iv_inquiry_set_show(struct iv_inquiry_set *set, const struct iv_record *record,
                          const struct iv_event *event, bool back, struct iv_err *err);
