/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's memory by its own lists, and its allocations by base/alloc.h's count, so that they can be made to
 * fail like all others. It parses its schema at each opening, in thousands of allocations: these lists serve
 * them in a tenth of the time that a sanitizer's allocator takes, and what is freed is still poisoned for the
 * sanitizer. Owner/thread: once, before SQLite is used; by one thread from then on. */
#pragma once

#include <stddef.h>

void sqlite_allocates_by_base(void);

/* How many blocks it holds: what it leaks no sanitizer sees. */
size_t sqlite_blocks(void);
