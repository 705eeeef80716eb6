/* SPDX-License-Identifier: Apache-2.0 */
/* An alert for the console to show. */
#pragma once

#include "evidence/store.h"

/* Inside a transaction: one of this rule and tenant, and a sink that waits to be told of it. */
iv_rc console_put_alert(struct iv_store *store, const char *rule, const char *tenant, bool firing, iv_ns now,
                        struct iv_err *err);
