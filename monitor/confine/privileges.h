/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the room: what a process may give up for good.
 * Owner/thread: the main thread, before there are others: capabilities belong to threads.
 * Source: capabilities(7), credentials(7), prctl(2), Linux. */
#pragma once

#include "base/err.h"
#include "confine/identity.h"

/* Before all else, and as far as the process may: what it does not have it cannot be given. */
void iv_privileges_bound(void);
/* Becomes this user, with his groups and no others. IV_E_REFUSED: the process is not root. */
iv_rc iv_privileges_become(const struct iv_identity *identity, struct iv_err *err);
/* No capability, none to be had again, no core dump, nothing for debuggers, and no program that this process
 * could start would have more. */
iv_rc iv_privileges_give_up(struct iv_err *err);
