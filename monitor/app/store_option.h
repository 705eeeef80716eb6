/* SPDX-License-Identifier: Apache-2.0 */
/* The store that a command works on: of --store, or of the daemon's configuration.
 * Owner/thread: the main thread. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct iv_config;
struct iv_store;

/* store: --store, or NULL; config: --config, or NULL for the usual file. *out lives as long as *holder, which
 * the caller frees. */
iv_rc iv_store_option(struct iv_str *out, struct iv_config **holder, const char *store, const char *config,
                      struct iv_err *err);

/* The store's file must be there: one that was made here nobody would ever look into. */
iv_rc iv_store_option_open(struct iv_store **out, struct iv_str path, struct iv_err *err);

/* Whoever runs this program, for the record. */
struct iv_str iv_store_option_user(void);
