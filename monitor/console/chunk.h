/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of the live stream, made once and shared by every client that stands at the same place.
 * Purpose: 200 clients on one stream cost one read of the store and one rendering, and a slow one holds a
 * reference.
 * Owner/thread: any; a chunk is immutable, counted, and freed with its last reference.
 * Guarantee: a chunk holds at most IV_CHUNK_EVENTS of each kind, and ends with the event that fills
 * IV_CHUNK_BYTES, as what a producer names is as long as he likes; its end is its last event's id, or behind
 * it where what follows is not shown, so a client that resumes there misses nothing. A chunk without bytes
 * only moves on. */
#pragma once

#include "base/err.h"
#include "console/place.h"

#include <stddef.h>
#include <stdint.h>

enum { IV_CHUNK_EVENTS = 64, IV_CHUNK_BYTES = 64 * 1024 };

struct iv_readers;

struct iv_chunk {
    struct iv_place from;
    struct iv_place to;
    size_t n;
    int refs; /* atomic */
    char bytes[];
};

/* A copy of the bytes with one reference; NULL when memory is out. */
struct iv_chunk *iv_chunk_new(struct iv_str bytes, struct iv_place from, struct iv_place to);
struct iv_chunk *iv_chunk_ref(struct iv_chunk *chunk);
void iv_chunk_unref(struct iv_chunk *chunk);

struct iv_chunks;
iv_rc iv_chunks_new(struct iv_chunks **out, struct iv_readers *readers, struct iv_err *err);
void iv_chunks_free(struct iv_chunks *chunks);

/* What the store holds behind a place, as events; *out is NULL where it holds nothing more. generation grows
 * whenever the store may have grown: within one generation "nothing more" is asked of the store once. */
iv_rc iv_chunks_get(struct iv_chunks *chunks, struct iv_chunk **out, struct iv_place from,
                    uint64_t generation, struct iv_err *err);
