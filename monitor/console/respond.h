/* SPDX-License-Identifier: Apache-2.0 */
/* Whether actions are called at all, as the API tells it. */
#pragma once

#include "console/server.h"

/* Appends schema Respond. */
iv_rc iv_respond_write(struct iv_buf *out, struct iv_console *console, struct iv_err *err);
