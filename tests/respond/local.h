/* SPDX-License-Identifier: Apache-2.0 */
/* A stage with a hand. */
#pragma once

#include "hand/hand.h"
#include "support/stage.h"

/* One step of this action, carried out; its texts are valid until the next. */
struct iv_step local_step(const struct iv_hand_options *options, const char *action);
/* The same for a trigger of this agent. */
struct iv_step local_step_for(const struct iv_hand_options *options, const char *action, const char *agent);
/* What a hand of its own says to an order of one word, which no playbook has looked at; the cause, of 512
 * bytes, is written. */
enum iv_hand_result local_order(const struct iv_hand_options *options, enum iv_hand_verb verb,
                                const char *word, char *cause);
/* The same on a stage of the test's own, with its hand started. */
void local_init(struct stage *s, const struct iv_hand_options *options, const char *action);
void local_deinit(struct stage *s);

/* Whether the process has ended, waited for or not. */
bool process_gone(int pid);
