/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the decoder, for the files of this folder only: decode.c goes from record to tape, envelope.c
 * from tape to attributes, fields.c to the type's fields, canonical.c to the canonical form. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "event/decode.h"
#include "event/event.h"
#include "event/tape.h"

/* A member's name with enough of its front to decide most comparisons. */
struct iv_sort_key {
    uint64_t front;
    uint32_t node;
};

/* What is wrong with a node, as a predicate ("stands twice"); what NULL: nothing. */
struct iv_fault {
    uint32_t node;
    const char *what;
};

struct iv_decoder {
    const struct iv_catalogue *catalogue;
    struct iv_decode_limits limits;
    struct iv_hash_key key;
    struct iv_tape tape;
    struct iv_buf scratch;
    struct iv_arena own;      /* for texts that are read, written and forgotten in one call */
    struct iv_sort_key *keys; /* a stack: the members of the maps that are being written */
    size_t key_count;
    size_t key_capacity;
};

/* One record on its way to an event. */
struct iv_decoding {
    struct iv_decoder *decoder;
    const struct iv_tape *tape;
    const struct iv_record *record;
    struct iv_arena *arena;
    struct iv_event *event;
    struct iv_err *err;
    uint32_t data; /* the node of data; 0: none */
};

/* The reason "PATH: …" for the node, as IV_E_MALFORMED. */
iv_rc iv_malformed(const struct iv_decoding *d, uint32_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Fills the attributes' slots, time, type and data of the event; the tape's root is an object. */
iv_rc iv_envelope_read(struct iv_decoding *d);
/* Fills the type's fields. */
iv_rc iv_fields_read(struct iv_decoding *d);

/* A value of the tape; its strings stay where they are, lists and maps go to the arena. IV_E_SYNTAX with
 * *fault: a member that stands twice, unless the options are lenient; a number beyond every double. */
iv_rc iv_node_value(struct iv_val *out, struct iv_fault *fault, struct iv_decoder *decoder, uint32_t node,
                    const struct iv_json_options *options, struct iv_arena *arena, struct iv_err *err);

/* Marks every name of the map that a later member bears too, as superseded; the node of the first such name,
 * 0 if no member stands twice. */
iv_rc iv_members_supersede(uint32_t *first, struct iv_decoder *decoder, uint32_t map, struct iv_err *err);
