/* SPDX-License-Identifier: Apache-2.0 */
/* How the monitor is doing, in one object: from its counters, the store and the baseline in force. */
#pragma once

#include "base/json_write.h"
#include "console/server.h"

/* Schema Status. */
iv_rc iv_status_write(struct iv_json *j, struct iv_console *console, struct iv_err *err);

/* Brings the metrics up to date that the store knows: the outbox, executions by state. */
iv_rc iv_status_measure(struct iv_console *console, struct iv_err *err);

/* Takes a sample of the events counted so far, for the rate. */
void iv_status_sample(struct iv_console *console, iv_ns now);
