/* SPDX-License-Identifier: Apache-2.0 */
/* What playbooks rest on beside themselves: endpoints of the configuration, and what may be done on this
 * machine.
 * Purpose: that the lack of one is said before the night in which it is called.
 * Owner/thread: any; nothing is kept.
 * Not here: what becomes of a step without it (responder.h: it ends as unsupported). */
#pragma once

#include "base/str.h"

struct iv_playbooks;

/* endpoint.p NULL: this machine. */
typedef void (*iv_need_fn)(void *ctx, struct iv_str playbook, struct iv_str endpoint);
/* Each once for a playbook, in the order of its steps; what takes a step back counts as it does. */
void iv_playbooks_needs(const struct iv_playbooks *playbooks, iv_need_fn fn, void *ctx);
