/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the room: which system calls a process may make, by seccomp.
 * Owner/thread: the main thread, before there are others, which inherit the filter.
 * Guarantee: what is not in syscalls.def fails with ENOSYS, as in a kernel that does not have it; what only
 * an intruder would try ends the process by SIGSYS. Either is logged by the kernel where it has an audit log.
 */
#pragma once

#include "base/err.h"
#include "confine/confine.h"

/* IV_E_ABSENT: this kernel has no filters. no_new_privs must be set. */
iv_rc iv_syscalls_confine(const struct iv_confine_options *options, struct iv_err *err);
bool iv_syscalls_can(void);
