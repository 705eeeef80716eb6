/* SPDX-License-Identifier: Apache-2.0 */
/* What an event of each type concerns, worked out once from the baseline.
 * Purpose: an event touches only the rules that its type concerns, and one key is hashed and looked up once
 * for all the rules that share its terms.
 * Owner/thread: immutable after iv_plan_init, except the queues and figures that the engine keeps in it.
 *
 * Keys live in one space: a node for each value, whatever field it came from. Events hang off a node in
 * lanes. A lane holds the events of those types that play the same parts in the same rules under the same
 * terms, so that a lane's events are all triggers, or all partners, of each of its rules. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "baseline/baseline.h"
#include "engine/timeline.h"

#include <stdbool.h>
#include <stdint.h>

/* Rules of a lane that can wait on one event. The bit above them marks an event whose time in the lane is
 * over, and which stays for an obligation alone; the one above that is the timeline's. */
#define IV_LANE_RULES 30
#define IV_LINGERS (UINT32_C(1) << IV_LANE_RULES)

/* Events in order of arrival that wait to be dropped; blocks of the pool. */
struct iv_queue {
    uint32_t head;
    uint32_t tail;
    uint32_t head_at;
    uint32_t tail_at;
};

/* What is asked for of a stored event: a bit for each of the first kept slots, one for its source; or all. */
#define IV_NEED_SOURCE 63
#define IV_NEED_SOURCE_BIT (UINT64_C(1) << IV_NEED_SOURCE)
#define IV_NEED_ALL UINT64_MAX

/* The parts that events of one type play under one list of terms. */
struct iv_parts {
    uint16_t *rules; /* they are triggers of */
    uint16_t *partner_of;
    uint16_t *figures; /* limits and sames that count them */
    uint16_t rule_count;
    uint16_t partner_of_count;
    uint16_t figure_count;
    uint16_t first_def; /* one lane for each IV_LANE_RULES rules; partners are looked for in the first */
    uint16_t def_count;
};

struct iv_lane_def {
    uint16_t terms;
    const uint16_t *rules; /* that the lane's events are triggers of; a mark's bits follow this order */
    uint8_t rule_count;
    uint32_t held;    /* rules whose interest in a trigger ends with its obligation */
    unsigned streams; /* whose watermark says when an event can be dropped, */
    iv_ns keep;       /* which is when it has passed the event's time by this much */
    uint32_t stride;  /* of its marks */
    iv_ns reach;      /* of triggers: the longest window into the future met so far that was left to them */
    iv_ns recount;    /* of partners: as long again, until triggers that count several of them are decided */
    struct iv_queue queue;
    iv_ns first_end; /* the queue's first cannot be dropped before this is passed; IV_NS_MIN: look at it */
};

/* The rules of a lane that an event of some type can be partner for. */
struct iv_answer {
    uint16_t def;
    uint32_t bits;
    iv_ns past;   /* a trigger can be this much later than the partner, */
    iv_ns future; /* or this much earlier; */
    bool open;    /* or as much earlier as the lane's reach */
};

/* A lane that an event joins. */
struct iv_berth {
    uint16_t def;
    uint32_t triggers; /* of the lane's rules, those that it may be a trigger of */
    bool partner;      /* others look for it there; else it stands there only while it waits */
};

/* What an event does under one list of terms. */
struct iv_group {
    uint16_t terms;
    struct iv_berth *berths;
    uint16_t berth_count;
    uint16_t *figures; /* limits and sames that count it */
    uint16_t figure_count;
    struct iv_answer *answers;
    uint16_t answer_count;
};

/* What an event concerns (concern.h). */
struct iv_concern {
    uint16_t *alone; /* forbids without a partner */
    uint16_t alone_count;
    uint64_t *idle; /* a bit for each of those whose trigger it is, and whose condition is surely false */
    struct iv_group *groups;
    uint16_t group_count;
    uint16_t berth_count; /* of all groups */
    bool waits;           /* it can be a trigger that waits */
    uint64_t seen;        /* events that the idle rules were not told of yet (dispatch.h), */
    uint64_t *hour;       /* and where they are to be counted */
    uint64_t number;      /* of the answers that it stands for */
    struct iv_concern *next;
};

struct iv_type_plan {
    uint16_t *alone; /* forbids without a partner */
    uint16_t alone_count;
    struct iv_concern all; /* as if there were no gates */
    uint8_t *kept;         /* slots that a stored event keeps; the id is the first */
    uint8_t *cut;          /* the others */
    uint16_t kept_count;
    uint16_t cut_count;
    bool concerned;   /* it is selected by some rule */
    bool waits;       /* it can be a trigger that waits */
    bool needs_chain; /* its chain hash must be known before it is stored */
};

struct iv_terms_plan {
    const struct iv_terms *terms;
    bool programs;               /* one of them is a program, so that it can fail */
    const struct iv_rule *owner; /* that failures are counted for */
    bool partner;                /* programs read the partner's side */
};

struct iv_rule_plan {
    const struct iv_rule *rule;
    unsigned on_streams;
    unsigned with_streams;
    bool open_window; /* its end is left to the trigger */
    bool several;     /* it counts partners, so that one that was found must be there when the next comes */
    uint16_t terms_on;
    uint16_t terms_with;
    uint16_t *partner_defs; /* lanes that can hold its partners */
    uint16_t partner_def_count;
    struct iv_wait {
        uint16_t def;
        uint8_t bit;
    } * waits; /* lanes that hold its triggers */
    uint16_t wait_count;
    uint16_t own_def; /* LIMIT, SAME */
    /* The rule's amounts, constant where every trigger sees the same. */
    struct iv_amount length;
    struct iv_amount at_least;
    struct iv_amount span;
    struct iv_amount max;
    /* Of a trigger, and of a partner, that is stored: the kept slots that programs read, by type (store.h).
     */
    const uint64_t *needs[IV_EVENT_SLOTS];
    uint16_t
        join; /* of the watermark's: since when the rule has seen all of the streams; 0: their beginning */
    uint64_t since; /* events up to this one in order of arrival came before */
};

#define IV_LANE_DEFS UINT16_MAX

struct iv_dispatch;

struct iv_plan {
    struct iv_arena arena;
    struct iv_dispatch *dispatch;
    struct iv_rule_plan *rules;
    size_t rule_count;
    struct iv_type_plan *types; /* iv_catalogue_types() + 1: the last is of unknown types */
    size_t type_count;
    struct iv_terms_plan *terms;
    uint16_t terms_count;
    struct iv_parts *parts; /* terms_count rows of type_count */
    struct iv_lane_def *defs;
    uint16_t def_count;
    uint16_t group_max;  /* of any type */
    uint16_t join_max;   /* lanes that one event joins */
    bool has_trees;      /* some rule asks for the tree of a log */
    uint16_t tree_terms; /* the key of all that do: the log */
    iv_ns tree_reach;    /* how far any rule of the baseline that does looks back */
};

/* Of iv_engine_options. */
static inline bool iv_rules_have(const uint64_t *rules, size_t index)
{
    return rules == NULL || (rules[index / 64] >> (index % 64) & 1) != 0;
}

/* rules: those to plan, a bit for each index; NULL: all. */
iv_rc iv_plan_init(struct iv_plan *plan, const struct iv_baseline *baseline, const uint64_t *rules,
                   struct iv_err *err);
/* Whether what is kept of the event is less than its content. */
bool iv_plan_cuts(const struct iv_plan *plan, const struct iv_event *event);

/* The limit or same that the lane belongs to; IV_LANE_DEFS: none. */
uint16_t iv_plan_figure(const struct iv_plan *plan, uint16_t def);
/* The parts of the events of the lane, where it is the first of theirs; NULL: it is not. */
const struct iv_parts *iv_plan_lane_parts(const struct iv_plan *plan, uint16_t def);
void iv_plan_deinit(struct iv_plan *plan);
