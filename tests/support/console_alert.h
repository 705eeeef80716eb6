/* SPDX-License-Identifier: Apache-2.0 */
/* An alert for the console to show. */
#pragma once

#include "evidence/store.h"

/* Inside a transaction: one of the rule words[1] and the tenant words[2], "firing" or not by words[3], and a
 * sink that waits to be told of it. */
iv_rc console_put_alert(struct iv_store *store, char *const words[], iv_ns now, struct iv_err *err);
