/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots between the folder of this machine and a compacted topic.
 * Purpose: any worker on any machine can go on where another one ended.
 * Owner/thread: made and stopped by one thread; sends on a thread of its own; fetches on the caller's.
 * Guarantee: a snapshot is on the topic whole or not at all: its last block follows when all others have been
 * acknowledged, and the sums of its blocks are chained. It is sent when the broker has all findings that were
 * made before it: who goes on from it finds them on the findings topic, not again.
 * Where the broker is away, or would not make the topic, this is told, and the folder is what there is.
 * Form: of a cell's blocks (vault/frame.h) each is a message with the key CELL/PROGRESS-WRITER/BLOCK, all on
 * one partition; what newer ones have replaced is removed by messages without a value.
 * Not here: taking snapshots (saver.h), going on from one (cell.h). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "console/metrics.h"
#include "stream/property.h"

#include <stddef.h>

struct iv_courier;
struct iv_store;

struct iv_courier_options {
    const struct iv_property *kafka; /* with all that follows it outlives the courier */
    size_t kafka_count;
    struct iv_str topic;
    struct iv_str folder;     /* of vault/folder.h */
    size_t keep;              /* of each cell on the topic */
    struct iv_str store_path; /* whose outbox must be empty of what was found before */
    struct iv_store *store;   /* whose positions say what was found here, or is on the findings topic */
    struct iv_metrics *metrics;
};

iv_rc iv_courier_start(struct iv_courier **out, const struct iv_courier_options *options, struct iv_err *err);
/* Sends what waits, if that can be done within `grace`. NULL is fine. */
void iv_courier_stop(struct iv_courier *courier, iv_ns grace);

/* From any thread: the cell's newest snapshot is in the folder. It is sent in a while; one that still waits
 * is left out. */
void iv_courier_send(struct iv_courier *courier, struct iv_str cell);

/* From any thread: brings the cell's newest snapshot from the topic into the folder, where it has read
 * further than those that are there; the store's positions then say that what is before it was found. Waits
 * for the broker within bounds. A snapshot on the topic that is damaged or of a newer version is told, and
 * an older one is taken. */
iv_rc iv_courier_fetch(struct iv_courier *courier, struct iv_str cell, struct iv_err *err);
