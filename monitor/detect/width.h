/* SPDX-License-Identifier: Apache-2.0 */
/* How many partitions the streams' topics had when a store first knew them.
 * Purpose: Kafka chooses a record's partition by their number. Once that has grown, a tenant's next records
 * stand in another partition than those before, and what a cell does not find it would take for missing.
 * Owner/thread: any; it is one transaction of the store.
 * Not here: that both streams have the same number (stream/topics.c). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "event/event.h"

struct iv_store;

/* Notes it for topics that are new. IV_E_REFUSED: one of them had another number. */
iv_rc iv_width_check(struct iv_store *store, const struct iv_str topics[IV_STREAMS], int32_t width,
                     struct iv_err *err);
