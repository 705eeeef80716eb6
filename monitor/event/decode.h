/* SPDX-License-Identifier: Apache-2.0 */
/* From a record's bytes to a typed event.
 * Purpose: CloudEvents 1.0 in structured and in binary mode, checked against the catalogue.
 * Owner/thread: one decoder per thread.
 * Guarantee: never fails on anything but memory: a record is an event, or malformed with one reason that
 * begins with the name of the field, as in "receipt.key_id: is a number, must be a string".
 * Source: CloudEvents 1.0 and its Kafka binding; contract "Events", envelope and small print. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "event/event.h"

struct iv_decode_limits {
    size_t record_bytes;     /* 1 MiB */
    unsigned depth;          /* 32; the record itself is depth 1 */
    unsigned members;        /* 1,024 in an object */
    size_t identifier_bytes; /* 4 KiB */
};
#define IV_DECODE_LIMITS_DEFAULT ((struct iv_decode_limits){1u << 20, 32, 1024, 4096})

struct iv_decoder;

/* catalogue outlives the decoder. key keys the content hash: the same for all decoders of a process. */
iv_rc iv_decoder_new(struct iv_decoder **out, const struct iv_catalogue *catalogue,
                     const struct iv_decode_limits *limits, struct iv_hash_key key, struct iv_err *err);
void iv_decoder_free(struct iv_decoder *decoder);
void iv_decoder_freep(struct iv_decoder **decoder);

/* IV_OK: *out is filled, in the arena and the record's bytes (also for a type that the catalogue does not
 * have). IV_E_MALFORMED: err->text is the reason, "FIELD: what is wrong". IV_E_NOMEM. */
iv_rc iv_decode(struct iv_decoder *decoder, const struct iv_record *record, struct iv_arena *arena,
                struct iv_event *out, struct iv_err *err);

/* Any JSON text to a value: objects become maps. For configuration, receipts, tests. The same strictness:
 * UTF-8, no member twice (unless lenient_members), the decoder's limits. Integers that fit int64 are INT
 * unless as_doubles. */
struct iv_json_options {
    bool lenient_members; /* of two members of one name the last counts */
    bool as_doubles;      /* numbers are doubles, as CEL has JSON */
};
iv_rc iv_json_parse(struct iv_decoder *decoder, struct iv_str text, const struct iv_json_options *options,
                    struct iv_arena *arena, struct iv_val *out, struct iv_err *err);

/* The dead letter of a malformed record, as one JSON object (contract "Events", small print). */
struct iv_buf;
void iv_dead_letter_json(struct iv_buf *out, const struct iv_record *record, struct iv_str reason);
