/* SPDX-License-Identifier: Apache-2.0 */
/* The fields that events of several types have together, as expressions see them.
 * Owner/thread: the schema lives in the arena that it was made in and is immutable. */
#pragma once

#include "base/arena.h"
#include "baseline/rule.h"
#include "cel/cel.h"
#include "event/catalogue.h"

/* An object that has the attributes and whatever field any of the selected types has; one that they disagree
 * about is dyn. NULL: no memory is left. */
const struct iv_cel_type *iv_event_schema(struct iv_arena *arena, const struct iv_catalogue *catalogue,
                                          const struct iv_selector *select);
