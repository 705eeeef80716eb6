/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON text as a flat list of nodes, checked whole.
 * Purpose: decode once; typed events, canonical form and values are read off the tape, as often as they are
 * needed.
 * Owner/thread: one tape per decoder, reused for every record. Nodes point into the text, and into the arena
 * where a string had escapes.
 * Guarantee: what is on the tape is RFC 8259 JSON in UTF-8 within the limits, without lone surrogates,
 * wherever it stands. What is not there is the last member of two: names are not compared here.
 * Source: RFC 8259; contract "Events", envelope and small print. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct iv_scanner;

enum iv_node_kind {
    IV_NODE_NULL,
    IV_NODE_BOOL,
    IV_NODE_INT,    /* a JSON integer that fits int64 */
    IV_NODE_BIG,    /* a JSON integer that does not; its nearest double is in d */
    IV_NODE_DOUBLE, /* a number with a fraction or an exponent; an infinity if it is beyond every double */
    IV_NODE_STRING,
    IV_NODE_LIST, /* its items follow */
    IV_NODE_MAP,  /* its members follow, name and value in turn; a name is a STRING */
};

struct iv_node {
    uint8_t kind;    /* enum iv_node_kind */
    bool plain;      /* STRING: needs no escapes, so it is canonical as it stands */
    bool superseded; /* a name: a later member of the same map has it too (set by who compares names) */
    uint32_t n;      /* bytes of a string or of a number's text; items of a list; members of a map */
    const char *p;   /* the string, or the number as it is written */
    union {
        bool b;
        int64_t i;
        double d;
        uint32_t end; /* LIST, MAP: the node behind its last */
    };
};

struct iv_tape {
    struct iv_node *nodes;
    uint32_t count;
    uint32_t capacity;
    unsigned max_depth;
    unsigned max_members;
    uint32_t *open; /* the containers around the node at hand, max_depth of them */
    struct iv_scanner *scan;
};

iv_rc iv_tape_init(struct iv_tape *tape, unsigned max_depth, unsigned max_members, struct iv_err *err);
void iv_tape_deinit(struct iv_tape *tape);

/* Appends the text's one value. depth: how many containers stand around it already.
 * IV_E_SYNTAX, IV_E_LIMIT: err->text is a predicate, as in "is not JSON: …". IV_E_NOMEM. */
iv_rc iv_tape_read(struct iv_tape *tape, struct iv_str text, unsigned depth, struct iv_arena *arena,
                   struct iv_err *err);

/* Room for count more nodes. */
iv_rc iv_tape_reserve(struct iv_tape *tape, size_t count, struct iv_err *err);

static inline struct iv_str iv_node_text(const struct iv_node *node)
{
    return (struct iv_str){node->p, node->n};
}

/* The node behind the one at index and everything in it. */
static inline uint32_t iv_tape_next(const struct iv_tape *tape, uint32_t index)
{
    return tape->nodes[index].kind >= IV_NODE_LIST ? tape->nodes[index].end : index + 1;
}

/* "a string", "null", … for messages. */
const char *iv_node_kind_name(enum iv_node_kind kind);

/* The path of a node from the root, as in "receipt.key_id" or "scopes[1]"; a leading "data" is left out, as
 * rules see the fields of an event. Bounded; for messages. */
struct iv_buf;
void iv_tape_path(struct iv_buf *out, const struct iv_tape *tape, uint32_t index);
/* A name for a message: UTF-8, cut at a character where it is long, control characters made visible. */
void iv_tape_put_name(struct iv_buf *out, struct iv_str name);
