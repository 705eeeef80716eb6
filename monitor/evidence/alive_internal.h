/* SPDX-License-Identifier: Apache-2.0 */
/* Who is alive, at the end of a transaction. Internal to the room. */
#pragma once

#include "evidence/alive.h"

/* Adds the cells up, if some have changed since: once for all that a transaction has put. */
iv_rc iv_alive_settle(struct iv_store *store, struct iv_err *err);
