/* SPDX-License-Identifier: Apache-2.0 */
/* What a start stands on outside of the process: the store's folder, and what playbooks call.
 * Purpose: `run --check` and a start say it in one sentence, before anything depends on it.
 * Owner/thread: the main thread, before there are others.
 * Guarantee: nothing is made or changed.
 * Not here: what the configuration itself says wrong (config.h, monitor.h). */
#pragma once

#include "base/err.h"
#include "daemon/config.h"

struct iv_playbooks;

/* IV_E_STORE: the folder is not there, or is none; with rights, also where whoever the daemon becomes may not
 * write to it as far as the mode's bits say: access lists and further groups may say otherwise, so a start
 * leaves that to the store. */
iv_rc iv_premises_store(const struct iv_config *config, bool rights, struct iv_err *err);

/* What a responder of this configuration would end as unsupported; nothing without that role. */
typedef void (*iv_premises_fn)(void *ctx, struct iv_str playbook, const char *lack);
void iv_premises_lacks(const struct iv_config *config, const struct iv_playbooks *playbooks,
                       iv_premises_fn fn, void *ctx);
