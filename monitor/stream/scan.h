/* SPDX-License-Identifier: Apache-2.0 */
/* One partition of a topic, read from an offset to its end, as often as wanted.
 * Purpose: a compacted topic is a table of keys: its state is what stands in it, and nobody's place in it is
 * kept.
 * Owner/thread: one thread.
 * Guarantee: no group is joined, no offset committed. What is at the end when it is reached was seen, but for
 * what compaction has removed.
 * Not here: what the records mean. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "stream/property.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iv_scan;

/* Waits for no broker. group.id of the properties is not joined. */
iv_rc iv_scan_open(struct iv_scan **out, const struct iv_property *properties, size_t property_count,
                   struct iv_str topic, int32_t partition, struct iv_err *err);
void iv_scan_close(struct iv_scan *scan);
void iv_scan_closep(struct iv_scan **scan);

/* One record; value.p is NULL where the key was removed. Valid during the call. False: no more is wanted. */
struct iv_scanned {
    int64_t offset;
    struct iv_str key;
    struct iv_str value;
};
typedef bool (*iv_scan_fn)(void *ctx, const struct iv_scanned *record);

/* From the offset, or the first that is there behind it. IV_E_BROKER: the end was not reached, and nothing
 * came, for as long as `patience`. */
iv_rc iv_scan_run(struct iv_scan *scan, int64_t from, iv_scan_fn visit, void *ctx, iv_ns patience,
                  struct iv_err *err);
