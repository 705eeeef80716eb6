/* SPDX-License-Identifier: Apache-2.0 */
/* Recomputes the monitor's own log from what a store holds, by nothing but SQL and SHA-256: each entry's
 * leaf, each kept root, each document's digest, each checkpoint; and each finding and change of state has
 * exactly one entry for what it is now. */
#pragma once

#include <sqlite3.h>
#include <stdint.h>

/* Answers what is wrong, in a text that lasts until the next call; NULL: nothing. size: how many entries
 * there are; may be NULL. */
const char *log_audit(uint64_t *size, const char *path);

/* The same by a connection that is there. */
const char *log_audit_by(uint64_t *size, sqlite3 *db);
