/* SPDX-License-Identifier: Apache-2.0 */
/* What `invigil respond` does with single executions.
 * Owner/thread: the main thread. Not here: whether an approval counts, which the daemon says. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct iv_config;

struct respond_args {
    const char *config;
    const char *store;
    const char *reason;
    const char *key;
    const char *id;
    const char *role;
    const struct iv_config *daemon; /* what --config says, once it is read; NULL: --store says where */
};

/* Executions that wait, one line each. */
iv_rc iv_respond_list(const struct respond_args *a, struct iv_str store, const char *execution,
                      struct iv_err *err);
/* One execution: its steps with every request, and what was said about it. */
iv_rc iv_respond_show(const struct respond_args *a, struct iv_str store, const char *execution,
                      struct iv_err *err);
iv_rc iv_respond_approve(const struct respond_args *a, struct iv_str store, const char *execution,
                         struct iv_err *err);
iv_rc iv_respond_deny(const struct respond_args *a, struct iv_str store, const char *execution,
                      struct iv_err *err);

/* What its playbook takes back later is taken back now. */
iv_rc iv_respond_undo(const struct respond_args *a, struct iv_str store, const char *execution,
                      struct iv_err *err);
