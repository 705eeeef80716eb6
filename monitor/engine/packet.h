/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader of one partition tells the owner of a share of the keys: the messages of the exchange.
 * Purpose: many events in one message, each cut to what the rules there need, and between them how far its
 * partition has been read in time, so that the engine there has for every partition the watermark that it
 * would have had by reading itself.
 * Owner/thread: a writer is one thread's; a packet that was read points into its bytes and its arena.
 * Guarantee: types and fields go by name, so reader and writer may have different baselines. Bytes that are
 * damaged, cut short or of another version are refused with a sentence before anything of them is used, and
 * the work is bounded by their number.
 * Not here: which events go where (route.h), what was taken before (detect/exchange_back.h).
 *
 * Form, version 2, of the elements of a snapshot (snapshot.h):
 * - a frame (frame.h) that begins with "IVPACKET", and in it
 * - section HEAD: the deployment, source partition, share, shares, the baseline's digest, of each global rule
 * the first 8 bytes of its digest; of each stream the topic and from which offset up to which it was read;
 * - section TYPE: the event types of the moves, and of each the slots that follow: attributes by number,
 *   fields by name and type;
 * - section MOVE: the moves, see enum iv_packet_kind; offsets and times as differences to the last. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "event/event.h"

#include <stdbool.h>

#define IV_PACKET_VERSION 2
/* Beyond it a packet is full; what one event adds can be more. */
#define IV_PACKET_FULL_BYTES ((size_t)256 << 10)
#define IV_PACKET_MAX_BYTES ((size_t)32 << 20)

enum iv_packet_kind {
    IV_PACKET_EVENT,
    IV_PACKET_REACHED,   /* a record of that time stood at that offset, and does not concern the share */
    IV_PACKET_IDLE,      /* read to its end, which is before that offset; time is the wall's */
    IV_PACKET_MIDWAY,    /* what stood before that offset, where the partition began, is gone */
    IV_PACKET_GAP,       /* what stood before that offset is gone, and was not read */
    IV_PACKET_OTHER_LOG, /* what was read is gone; another log begins at that offset */
    IV_PACKET_KINDS,
};

static inline bool iv_packet_has_time(enum iv_packet_kind kind)
{
    return kind <= IV_PACKET_IDLE;
}

struct iv_packet_move {
    enum iv_packet_kind kind;
    enum iv_stream stream;
    int64_t offset;
    iv_ns time;
    struct iv_event *event; /* EVENT; with its seal, and a record that has no bytes */
};

struct iv_packet_head {
    struct iv_str deployment; /* whose rules it is for: the group of its processes */
    int32_t source;           /* the partition that was read, of both streams */
    uint32_t share;           /* of whom it is for */
    uint32_t shares;          /* how many there are */
    struct iv_str baseline;   /* its digest in hex */
    struct iv_str rules;      /* of each global rule 8 bytes */
    struct {
        struct iv_str topic; /* n 0: the stream is not read */
        int64_t from;        /* the next record's offset when the packet began, */
        int64_t next;        /* and when it ended */
    } read[IV_STREAMS];
};

/* Collects moves; all zero but for the buffers is empty. */
struct iv_packet_writer {
    struct iv_buf types;
    struct iv_buf moves;
    uint16_t *numbers; /* by type index, from 1; 0: not in the packet yet */
    size_t number_count;
    uint16_t type_count;
    int64_t offsets[IV_STREAMS]; /* of the last move */
    iv_ns time;
    iv_ns written;
    size_t move_count;
    size_t event_count;
};

/* types: of the catalogue, the unknown one included. */
iv_rc iv_packet_writer_init(struct iv_packet_writer *writer, size_t types, struct iv_err *err);
void iv_packet_writer_deinit(struct iv_packet_writer *writer);

/* With its seal. slots: those to send, the same for all events of a type; source, time and topic go by
 * themselves. A failure shows at the end. */
void iv_packet_put_event(struct iv_packet_writer *writer, const struct iv_event *event, const uint8_t *slots,
                         uint16_t slot_count);
/* Any but an event. */
void iv_packet_put_move(struct iv_packet_writer *writer, const struct iv_packet_move *move);
static inline size_t iv_packet_bytes(const struct iv_packet_writer *writer)
{
    return writer->types.n + writer->moves.n;
}
/* The packet in the place of what out held; the writer is empty then. IV_E_NOMEM, IV_E_LIMIT. */
iv_rc iv_packet_finish(struct iv_packet_writer *writer, struct iv_buf *out, const struct iv_packet_head *head,
                       struct iv_err *err);

struct iv_packet {
    struct iv_packet_head head;
    struct iv_packet_move *moves;
    size_t move_count;
};

/* IV_E_MALFORMED, IV_E_NOMEM. Events of types that the catalogue does not have are of the unknown type on the
 * ledger, and left out on telemetry; so are fields that it does not have. */
struct iv_catalogue;
iv_rc iv_packet_read(struct iv_packet *out, struct iv_str bytes, const struct iv_catalogue *catalogue,
                     struct iv_arena *arena, struct iv_err *err);
