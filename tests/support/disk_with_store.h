/* SPDX-License-Identifier: Apache-2.0 */
/* A disk with an empty store on it, as the product makes it.
 * Purpose: most of what a short trial does is to make its store, migration by migration; here that is done
 * once in a process, and copied.
 * Owner/thread: one thread; the disk is the caller's, as of disk_new.
 * Not here: what befalls the making of a store (tests/unit/evidence/test_disk.c). */
#pragma once

#include "support/disk.h"

#include "base/str.h"

/* path: a text that ends in a zero byte. Ends the test program where it cannot be done. */
struct disk *disk_new_with_store(struct iv_str path);
