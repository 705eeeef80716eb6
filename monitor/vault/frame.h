/* SPDX-License-Identifier: Apache-2.0 */
/* The form of a cell's snapshot: what it is of, how far each partition was read, and its engines' bytes.
 * Purpose: bytes that can be written and read in one go, block by block, as a file or as messages of a topic.
 * Owner/thread: no state beyond what the caller holds.
 * Guarantee: what was damaged, cut short, joined from two snapshots, or written by a newer version is refused
 * with a sentence that says where and what was expected; nothing of it is given out. The work and the memory
 * are bounded by the bytes.
 * Not here: files (folder.h), topics, what an engine's bytes say (engine/snapshot.h).
 *
 * Form, version 2. Numbers are little-endian, texts are 4 bytes length and bytes.
 * - The first block: "IVVAULT\n", 4 bytes version, 4 bytes length of the content, the content, 16 bytes sum.
 * - Every other: 4 bytes length, the content, 16 bytes sum.
 * - The content of the first is the head: when it was taken (8 bytes, nanoseconds since the epoch), 8
 *   bytes records of logs that are gone, the cell's name, the digest of the baseline, 4 bytes count of
 * places, of each the topic's name, 4 bytes partition, 8 bytes next offset; the notes as a text; 4 bytes
 * count of engines.
 * - The contents of the others, one behind the other: of each engine 8 bytes length and its bytes.
 * - The last block, and only that, has no content.
 * A sum is SipHash-1-3 of all of its block before it, under the sum of the block before as its key, the first
 * under zero. So the last sum stands for all of the snapshot: against damage, it is no signature. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define IV_VAULT_VERSION 2
/* Of a block's content: with its key and its head a message stays below the 1 MB that brokers take. */
#define IV_VAULT_BLOCK_BYTES ((size_t)768 << 10)
/* Those of a judge, and the cell's coverage behind them. */
#define IV_VAULT_ENGINES 3
#define IV_VAULT_PLACES 4096

#define IV_VAULT_UNREAD INT64_C(-1)

/* How far one partition was read. */
struct iv_vault_place {
    struct iv_str topic;
    int32_t partition;
    int64_t next; /* the next record's offset; IV_VAULT_UNREAD: none was read */
};

struct iv_vault_head {
    iv_ns taken;   /* wall clock */
    uint64_t gone; /* records that were read of logs whose place another one has taken */
    struct iv_str cell;
    struct iv_str baseline; /* its digest, for people: an engine's bytes know their rules */
    const struct iv_vault_place *places;
    size_t place_count;
    struct iv_str notes; /* what else the cell knows; may be empty */
    size_t engine_count;
};

/* Of two snapshots of a cell the one that has read further: the sum of its offsets, and of those in logs that
 * are gone. A clock may step, and the offsets of a topic that is made anew begin again. */
uint64_t iv_vault_progress(const struct iv_vault_head *head);

/* Is given one whole block after the other. */
typedef iv_rc (*iv_vault_sink_fn)(void *ctx, struct iv_str block, struct iv_err *err);

struct iv_vault_writer {
    iv_vault_sink_fn sink;
    void *ctx;
    struct iv_hash128 chain;
    struct iv_buf block;
    uint64_t blocks; /* given to the sink */
    uint64_t bytes;
};

void iv_vault_writer_init(struct iv_vault_writer *w, iv_vault_sink_fn sink, void *ctx);
void iv_vault_writer_deinit(struct iv_vault_writer *w);
/* In this order: the head, each engine, the end. IV_E_LIMIT: the head is too large. */
iv_rc iv_vault_write_head(struct iv_vault_writer *w, const struct iv_vault_head *head, struct iv_err *err);
iv_rc iv_vault_write_engine(struct iv_vault_writer *w, struct iv_str bytes, struct iv_err *err);
iv_rc iv_vault_write_end(struct iv_vault_writer *w, struct iv_err *err);

struct iv_vault_reader {
    struct iv_hash128 chain;
    uint64_t blocks; /* taken */
    uint64_t bytes;
    bool skims; /* set by the caller: contents are checked and not kept, and there will be no engines */
    bool ended;
    struct iv_buf head_bytes;
    struct iv_buf content;
    struct iv_vault_place *places;
    /* Once it has ended; slices of what the reader holds. */
    struct iv_vault_head head; /* from the first block on */
    struct iv_str engines[IV_VAULT_ENGINES];
};

/* max_bytes bounds what the engines may have together. */
void iv_vault_reader_init(struct iv_vault_reader *r, size_t max_bytes);
void iv_vault_reader_deinit(struct iv_vault_reader *r);
/* So many bytes at the beginning of the next block say how long it is. */
#define IV_VAULT_LEAD_MAX 16
size_t iv_vault_reader_lead(const struct iv_vault_reader *r);
/* How long the next block is with its lead, its content and its sum. IV_E_MALFORMED. */
iv_rc iv_vault_reader_size(const struct iv_vault_reader *r, size_t *out, struct iv_str lead,
                           struct iv_err *err);
/* The next block, whole. IV_E_MALFORMED, IV_E_NOMEM, IV_E_LIMIT: the reader is of no more use. */
iv_rc iv_vault_reader_take(struct iv_vault_reader *r, struct iv_str block, struct iv_err *err);
/* What the bytes end with. IV_E_MALFORMED: they are cut short. */
iv_rc iv_vault_reader_end(const struct iv_vault_reader *r, struct iv_err *err);

/* All of that from bytes at hand. */
iv_rc iv_vault_read(struct iv_vault_reader *r, struct iv_str bytes, struct iv_err *err);
