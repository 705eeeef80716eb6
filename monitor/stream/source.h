/* SPDX-License-Identifier: Apache-2.0 */
/* Where records come from: the batch that every source fills, and files.
 * Purpose: one shape for what Kafka and files deliver, ready for the decoder (with IV_RECORD_PADDING).
 * Owner/thread: a source belongs to one thread. What a batch points to belongs to its source and is valid
 * until the next call on that source.
 * Not here: Kafka (kafka.h), decoding (event/decode.h), the order in which several files are read (app). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "event/event.h"

#include <stddef.h>
#include <stdint.h>

/* Where one partition of a stream stands: offset is the next record's. */
struct iv_cursor {
    enum iv_stream stream;
    int32_t partition;
    int64_t offset;
};

struct iv_batch {
    const struct iv_record *records; /* of one partition in the order of their offsets */
    size_t count;
    const struct iv_cursor *ends; /* Kafka: partitions that stand at their end after this batch */
    size_t end_count;
};

/* A file of structured events, one a line: plain, gzip (.gz) or zstd (.zst) by its name, "-" for standard
 * input. Guarantees: memory is bounded whatever the file holds. Blank lines (nothing but spaces, tabs and a
 * carriage return) are skipped and counted in the offsets, a carriage return before the line's end is not
 * part of the record, the last line needs no end. A line beyond line_bytes is cut there: that is above the
 * decoder's limit, which refuses it, and the stream goes on behind it. */
struct iv_file_options {
    enum iv_stream stream;
    int32_t partition; /* the file's position among its stream's files */
    size_t line_bytes; /* 0: 16 times the decoder's default record limit; must be above the decoder's limit */
};

struct iv_file;

/* IV_E_IO: the file cannot be opened. */
iv_rc iv_file_open(struct iv_file **out, const char *path, const struct iv_file_options *options,
                   struct iv_err *err);
void iv_file_close(struct iv_file *file);
void iv_file_closep(struct iv_file **file);

/* The next records; a count of 0 is the end of the file, and only that. IV_E_IO: reading or decompression
 * failed; the sentence names the file and the place, and what was read before it has been delivered. */
iv_rc iv_file_next(struct iv_file *file, struct iv_batch *out, struct iv_err *err);

/* Bytes taken from the file so far (compressed ones), and its size; -1 where it has none (a pipe). For
 * progress. */
int64_t iv_file_consumed(const struct iv_file *file);
int64_t iv_file_size(const struct iv_file *file);
