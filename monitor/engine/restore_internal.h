/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the room: a snapshot while it is being read. restore.c reads what the records refer to,
 * restore_records.c the records.
 * Guarantee: every number that comes from the bytes is checked before it is an index or a count; numbers of
 * rules and lanes are the snapshot's own, and lead to the plan at hand by these tables. */
#pragma once

#include "engine/core.h"
#include "engine/image.h"

#define IV_NO_RULE UINT16_MAX

/* Where an event of a type stands in the plan at hand for the sake of a rule. */
struct iv_restore_seat {
    uint16_t trigger; /* the lane in which it is the rule's trigger; IV_LANE_DEFS: none */
    uint16_t partner; /* the lane in which it is its partner */
    uint8_t bit;      /* the rule's, in the former */
};

/* A kind of lane of the snapshot. */
struct iv_old_lane {
    bool figure;
    bool values;                      /* its marks have one */
    uint16_t triggers[IV_LANE_RULES]; /* by bit: the rule in the plan at hand, IV_NO_RULE where it does not go
                                         on */
    uint8_t trigger_count;
    uint16_t *partners; /* rules of the plan at hand */
    uint16_t partner_count;
    iv_ns reach;
    iv_ns recount;
};

struct iv_old_field {
    uint8_t slot; /* in the type at hand; IV_NO_SLOT: there is no such field */
    enum iv_ftype type;
};

struct iv_old_type {
    struct iv_str name;
    const struct iv_event_type *type; /* at hand; the unknown one where there is none of that name */
    struct iv_old_field *fields;
    size_t field_count;
};

struct iv_old_node {
    struct iv_hash128 key;
    uint32_t node; /* 0: not made yet */
};

/* Of the record at hand, a lane at hand that it goes to. */
struct iv_target {
    uint32_t node; /* number in the snapshot; 0: it does not go there */
    uint32_t bits;
    bool lingers;
    bool same; /* it belongs to a same, whose */
    struct iv_hash128 value;
};

struct iv_restoring {
    struct iv_engine *e;
    struct iv_arena arena;   /* of the tables */
    struct iv_arena scratch; /* of the record at hand */
    iv_ns dedup;             /* the snapshot's */
    uint16_t *rules;         /* the plan's, by number in the snapshot; IV_NO_RULE */
    size_t rule_count;
    uint16_t *joins;               /* the watermark's, by number in the snapshot */
    struct iv_restore_seat *seats; /* by the plan's rule and type */
    struct iv_old_type *types;
    size_t type_count;
    struct iv_old_lane *lanes;
    size_t lane_count;
    struct iv_old_node *nodes; /* by number from 1 */
    uint32_t node_count;
    uint32_t node_capacity;
    /* the record at hand */
    struct iv_val *slots;
    struct iv_target *targets; /* by lane at hand */
    uint16_t *touched;         /* lanes at hand that it goes to */
    uint16_t touched_count;
};

static inline struct iv_restore_seat *iv_seat_of(const struct iv_restoring *r, uint16_t rule, uint16_t type)
{
    return &r->seats[rule * r->e->plan.type_count + type];
}

/* What did not fit; for the sentence: "a record". */
iv_rc iv_restore_damaged(const char *what, struct iv_err *err);
iv_rc iv_restore_records(struct iv_restoring *r, struct iv_image *in, struct iv_err *err);
