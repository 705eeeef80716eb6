/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting what is still needed, so that the state stays within its limit.
 * Purpose: the kind of lane that holds most loses the older half of it. The rules that look there are from
 * then on as if they had joined the streams at that moment (struct iv_join): what would need the forgotten is
 * inconclusive, and nothing is concluded from its absence. Each is told of, with the event time that its
 * coverage lacks. Owner/thread: one engine. Not here: identities (a repetition would be taken for an event of
 * its own) and the logs of trees, which are never forgotten early. */
#pragma once

#include "engine/core.h"

/* Evicts where the state has grown beyond the limit. Cheap when it has not grown. */
void iv_evict_hold(struct iv_engine *e);
