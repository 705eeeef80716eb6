/* SPDX-License-Identifier: Apache-2.0 */
/* Places where a test can have the process killed: between an intent and its outcome, before a commit.
 * With IV_FAULT_AT=NAME:N in the environment the N-th pass of iv_fault("NAME") is the process's last (N left
 * out: the first): SIGKILL, so that nothing is flushed and no handler runs. Without it a pass costs a load
 * and a comparison. */
#pragma once

void iv_fault(const char *name);
