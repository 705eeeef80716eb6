/* SPDX-License-Identifier: Apache-2.0 */
/* A decoded event, and the record that it came from.
 * Owner/thread: both are plain data that point into the batch's bytes and arena; whoever keeps one longer
 * copies it. */
#pragma once

#include "base/digest.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/time.h"
#include "base/value.h"
#include "event/catalogue.h"

#include <stdint.h>

/* Where a record stood. In a replay the topic is the stream's name, the partition the file's position among
 * that stream's files, the offset the line's number from 0. */
struct iv_origin {
    enum iv_stream stream;
    int32_t partition;
    int64_t offset;
    struct iv_str topic; /* the broker's name of the topic; outlives the run */
};

/* A Kafka header, or nothing for a file. */
struct iv_header {
    struct iv_str name;
    struct iv_str value;
};

struct iv_record {
    struct iv_origin origin;
    struct iv_str bytes; /* the value as received, IV_RECORD_PADDING readable bytes behind it */
    const struct iv_header *headers;
    size_t header_count;
    iv_ns written; /* the broker's time of the record; 0: none is known (a file) */
};

/* simdjson reads this far behind a record's last byte. Sources allocate with it. */
#define IV_RECORD_PADDING 64

/* What the engine that keeps the identities made of an event. */
enum iv_standing {
    IV_STANDING_NEW,
    IV_STANDING_REPEATED, /* it changes nothing but how far its partition has been read */
    IV_STANDING_NONE,     /* an unknown type of telemetry: no event for any rule */
};

#define IV_CONTENT_ID_BYTES 16

/* What names the whole of an event: worked out where all of it was at hand, for where only a part is. */
struct iv_seal {
    struct iv_digest digest; /* SHA-256 of the record's bytes; n 0: not asked for */
    bool named;              /* there is a content_id (content.h) */
    unsigned char content_id[IV_CONTENT_ID_BYTES];
};

struct iv_foresight;
struct iv_event {
    const struct iv_event_type *type; /* iv_catalogue_unknown() for a type that the catalogue does not have */
    iv_ns time;
    struct iv_origin origin;
    const struct iv_record *record;
    struct iv_val *slots;    /* type->slot_count values: the attributes, then the fields */
    struct iv_object object; /* this event for CEL: object.owner is the event itself */
    /* Equal exactly when two events have the same content (contract "Duplicates"), under the decoder's key:
     * telemetry over attributes and the type's fields; ledger over ledgerhash and the canonical form of all
     * the rest. */
    struct iv_hash128 content;
    /* Of the ledger: the canonical form (RFC 8785) of the structured event without ledgerhash, in the arena;
     * what the chain hash is computed over, and what content covers. p NULL on telemetry. */
    struct iv_str canonical;
    int8_t digest_alg; /* ledger: the enum iv_digest_alg that ledgeralg names, -1: one that nobody knows */
    int8_t hash_valid; /* ledger: 1 or 0 once known, -1 before (see chain.h) */
    uint8_t standing;  /* enum iv_standing, once iv_engine_event has seen it */
    struct iv_foresight *foresight; /* of the engine that it was announced to; NULL: none */
    const struct iv_seal *seal;     /* NULL: the event is whole, and nothing of this was worked out yet */
};

static inline struct iv_str iv_event_attr(const struct iv_event *e, enum iv_attr attr)
{
    return e->slots[attr].kind == IV_KIND_STRING ? iv_val_slice(e->slots[attr]) : (struct iv_str){NULL, 0};
}
