/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the room: which files a process may open, and which ports it may listen on, by Landlock.
 * Owner/thread: the main thread, before there are others: a thread has the restrictions that it was started
 * with.
 * Guarantee: what the kernel knows of it is used; what it does not is left out, and the caller told by the
 * ABI's number. Not here: who may read a file by its owner and mode, which holds as ever.
 * Source: landlock(7), Linux; ABI 1 files, 2 moves between folders, 3 truncation, 4 TCP, 5 ioctl of devices,
 * 6 signals and abstract sockets. Debian 12's headers end at 2, so the numbers are ours. */
#pragma once

#include "base/err.h"
#include "confine/confine.h"

#define IV_LANDLOCK_ABI_PORTS 4

/* 0: this kernel has none, or was booted without. */
int iv_landlock_abi(void);
/* no_new_privs must be set. Paths that are not there are passed over: nobody can open them either. */
iv_rc iv_landlock(const struct iv_confine_options *options, int abi, struct iv_err *err);
