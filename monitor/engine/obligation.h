/* SPDX-License-Identifier: Apache-2.0 */
/* Triggers that wait for time to pass: undecided requires, forbids whose window is left to the trigger, and
 * violated requires that a late partner may contradict. */
#pragma once

#include "engine/correlate.h"

/* Arms one; the trigger's mark then holds the rule's bit until the obligation ends. */
void iv_obligation_arm(struct iv_engine *e, const struct iv_search *s, const struct iv_waiting *at,
                       enum iv_wait_state state);
/* One that was armed before, with all but its place in the lists; the trigger's mark holds the rule's bit. */
void iv_obligation_put(struct iv_engine *e, const struct iv_obligation *o);
/* Of a trigger and rule; NULL if there is none. */
struct iv_obligation *iv_obligation_find(const struct iv_engine *e, uint32_t trigger,
                                         const struct iv_rule *rule);
/* The trigger is no longer held; what remains is the timer. */
void iv_obligation_end(struct iv_engine *e, struct iv_obligation *o, struct iv_mark *mark);
/* A partner was found after all: kept, or the violation is contradicted. */
void iv_obligation_fulfil(struct iv_engine *e, struct iv_obligation *o, struct iv_search *s,
                          struct iv_mark *mark);
/* Decides what the watermarks have passed: a bounded number, the rest with the next call; all of it where
 * `all`. */
void iv_obligation_fire(struct iv_engine *e, bool all);
/* Whether deadlines have passed that calls had no room for yet. */
bool iv_obligation_overdue(const struct iv_engine *e);
/* A violated one whose log a late entry has made whole; late: that entry, or 0. */
void iv_obligation_contradict(struct iv_engine *e, struct iv_obligation *o, uint32_t late);
/* Decides one that was put off (iv_tree_ready). */
void iv_obligation_due(struct iv_engine *e, uint32_t obligation);
/* The end of input: what is undecided is open. */
void iv_obligation_finish(struct iv_engine *e);
