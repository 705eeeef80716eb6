/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of a monitor's store and of what the world outside has seen, whatever happened to it.
 * Owner/thread: one thread. All answer true where it holds, and else say in why how not. */
#pragma once

#include "machine.h"
#include "scene.h"

/* How far the store ever was, partition by partition. */
struct progress {
    int64_t next[IV_STREAMS][OUTSIDE_PARTITIONS];
};

/* After each transaction, and after each start: no position went back, or beyond what there is. */
bool audit_positions(struct iv_buf *why, struct progress *progress, struct machine *machine);
/* After a crash, before the next start: what was called stands in the store as intended. */
bool audit_intents(struct iv_buf *why, struct iv_str path, const struct outside *outside);
/* When everything has come to rest, and all that can be decided is: the verdicts are those of the reference;
 * each was published under its key with one value, and answered by one execution that has ended; the other
 * side has seen one key for each of its steps. */
bool audit_end(struct iv_buf *why, struct scene *scene, struct iv_str path, const struct outside *outside);
