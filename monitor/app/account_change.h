/* SPDX-License-Identifier: Apache-2.0 */
/* A change of users or tokens by a command: in one transaction with the record of who ran it.
 * Owner/thread: the main thread. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct iv_store;

struct iv_account_change {
    const char *what;
    struct iv_str object;
    struct iv_str detail;
    iv_rc (*make)(struct iv_store *store, void *ctx, struct iv_err *err);
    void *ctx;
};
iv_rc iv_account_change(struct iv_str store_path, const struct iv_account_change *change, struct iv_err *err);
