/* SPDX-License-Identifier: Apache-2.0 */
/* Logs in a snapshot: the content of its section LOGS (snapshot.h).
 *
 * Form: how many entries are remembered, in order of arrival, and how many others that trees lean on, in the
 * order in which they are come upon; then the entries, which have numbers from 1: key, hash of leaf or peak,
 * time, place, state, whether it is disputed; CLAIMED: the key of its predecessor; WAITING: the number of
 * that; CONNECTED: the latest time, the gap, the numbers of the predecessor and of the entry of the other
 * peaks, or 0.
 */
#pragma once

#include "base/err.h"
#include "engine/image.h"
#include "engine/logs.h"

iv_rc iv_logs_write(const struct iv_logs *logs, struct iv_buf *out, struct iv_err *err);
/* Into fresh logs. False: memory is out. What does not fit sets in->bad, and the logs are worthless. */
bool iv_logs_read(struct iv_logs *logs, struct iv_image *in);
