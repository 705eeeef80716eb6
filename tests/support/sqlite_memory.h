/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's memory by base/alloc.h, so that its allocations can be made to fail like all others.
 * Owner/thread: once, before SQLite is used. */
#pragma once

void sqlite_allocates_by_base(void);
