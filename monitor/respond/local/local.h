/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that act on this machine: orders to the hand (hand/hand.h), and what its reports mean for a step.
 * Owner/thread: the responder's thread. */
#pragma once

#include "hand/hand.h"
#include "respond/action.h"

struct iv_local;

/* hand may be NULL: then nothing can be done here, and every call is unsupported. It outlives this. */
iv_rc iv_local_new(struct iv_local **out, struct iv_hand *hand, size_t in_flight, struct iv_err *err);
void iv_local_free(struct iv_local *local);

/* Gives the order that its kind makes of the call. */
iv_rc iv_local_send(struct iv_local *local, struct iv_call *call, const struct iv_action_kind *kind,
                    struct iv_err *err);
/* As far as the order, and no further: *said is what would be done. Finished where nothing could be. */
iv_rc iv_local_rehearse(struct iv_local *local, struct iv_str *said, struct iv_call *call,
                        const struct iv_action_kind *kind, struct iv_err *err);
/* The report, when it comes, is nobody's. */
void iv_local_abandon(struct iv_local *local, struct iv_call *call);
/* IV_E_STATE: the hand has ended. Nobody can start another, so nothing can be done here any more. */
iv_rc iv_local_check(const struct iv_local *local, struct iv_err *err);
int iv_local_fd(const struct iv_local *local); /* readable: there is something to collect; -1: never */
/* Takes the reports that have come, and ends the calls that none can come of; *any: there were some. How long
 * until it has to be asked again. */
iv_ns iv_local_collect(struct iv_local *local, bool *any);

/* For constraints (constraint.h). */
#define IV_MUST_BE_BELOW "be a path below the configured folder: segments, none of them empty, '.' or '..'"
bool iv_local_is_below(const struct iv_val *value, struct iv_str *member);
#define IV_MUST_BE_CONTAINER                                                                                 \
    "be a container's name: letters, digits, '_', and, but at its beginning, '.', '+', '-'"
bool iv_local_is_container(const struct iv_val *value, struct iv_str *member);

/* Of a step that holds something still, and of its undo: the first word of a pair is the default. */
bool iv_local_is_one_of(const struct iv_val *value, const char *const words[2]);
/* Whether a request's `state` is that word. */
bool iv_local_state_is(const struct iv_call *call, const char *word);

/* An order of one word, the request's text of this name. */
iv_rc iv_local_order(struct iv_hand_order *out, struct iv_call *call, enum iv_hand_verb verb,
                     const char *parameter, struct iv_err *err);
