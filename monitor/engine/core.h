/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's insides, for the room's own files.
 * Owner/thread: one engine, one thread. Memory: whoever finds it out sets `spent`; the call at hand goes on
 * without acting on what it lacks, and answers IV_E_NOMEM at its end. */
#pragma once

#include "base/buf.h"
#include "base/digest.h"
#include "cel/cel.h"
#include "engine/distinct.h"
#include "engine/engine.h"
#include "engine/logs.h"
#include "engine/plan.h"
#include "engine/population.h"
#include "engine/slab.h"
#include "engine/store.h"
#include "engine/table.h"
#include "engine/timers.h"
#include "engine/watermark.h"

#include <stdbool.h>
#include <stdint.h>

/* How long, in event time behind the watermark, a violation of require or an equivocation waits for late
 * events that contradict or extend it; and how many violations may wait. */
#define IV_AFTERMATH_NS (INT64_C(24) * 3600 * IV_NS_PER_S)
#define IV_AFTERMATH_MAX 65536

_Static_assert(IV_LINGERS < IV_MARK_ALONE, "the rules of a lane and the timeline share the bits of a mark");

/* A lane without marks is none. */
struct iv_lane {
    struct iv_timeline line;
    uint32_t next; /* the next that does not stand in its node */
    uint16_t def;
    bool mixed; /* of a same: marks of different values may stand here */
};

/* One key: its lanes in order of their beginning, the first of them in place. Most keys have no more, with
 * one mark each, so all that is known under such a key is one line of the cache. */
#define IV_NODE_LANES 2
struct iv_node {
    struct iv_hash128 key;
    struct iv_lane lanes[IV_NODE_LANES]; /* those in use come first; the next of the first one leads on */
};

enum iv_wait_state {
    IV_WAIT_DONE,      /* its timer is all that is left of it */
    IV_WAIT_REQUIRED,  /* a require, undecided */
    IV_WAIT_FORBIDDEN, /* a forbid whose window is left to the trigger */
    IV_WAIT_VIOLATED,  /* a require that was violated, for late partners */
};

/* A trigger that waits for time to pass. */
struct iv_obligation {
    iv_ns low; /* the window */
    iv_ns high;
    uint32_t rec;
    uint32_t next; /* of the same trigger */
    uint32_t node;
    uint16_t def;
    uint16_t rule;
    uint8_t bit;
    uint8_t state;    /* enum iv_wait_state */
    bool blind;       /* the trigger came so late that partners may have been forgotten */
    uint32_t missing; /* of a tree, VIOLATED: its place in the engine's list */
};

/* A mark that may have to leave its lane at the end of the call. */
struct iv_leaving {
    uint32_t node;
    uint32_t rec;
    uint16_t def;
};

/* Where a rule's expressions have failed: what was told once is not told again. */
#define IV_TOLD_MAX 8
struct iv_told {
    const void *what[IV_TOLD_MAX]; /* a program, or a sentence */
    uint32_t at[IV_TOLD_MAX];      /* the offset of what failed */
    uint8_t count;
};

/* The key of an event under one list of terms. */
struct iv_key_place {
    struct iv_hash128 hash;
    uint32_t guess; /* the node that it seems to have */
    bool present;
};

/* What an entry of a log says of its place there. */
struct iv_tree_claim {
    bool stands; /* it says something */
    struct iv_log_claim claim;
    unsigned char hash[IV_DIGEST_MAX_BYTES];
};

struct iv_engine {
    struct iv_baseline *baseline;
    struct iv_engine_options options;
    struct iv_plan plan;
    struct iv_params *params;
    struct iv_digester *digester;
    struct iv_watermark watermark;
    struct iv_ground ground;
    struct iv_store store;
    struct iv_arena names; /* of topics that a snapshot brought */
    /* correlation */
    struct iv_slab nodes;
    struct iv_slab lanes;
    struct iv_slab obligations;
    struct iv_table node_table;
    struct iv_slab timer_blocks;
    struct iv_timers timers[IV_STREAM_SETS]; /* by the set whose watermark they wait for */
    uint32_t undecided;                      /* obligations of require */
    uint32_t aftermath;                      /* violations that wait for late events */
    uint16_t sweep;                          /* the lane definition whose queue is looked at next */
    struct iv_leaving *leaving;
    uint32_t leaving_count;
    uint32_t leaving_capacity;
    /* trees of logs (tree.h); nothing where no rule asks for one */
    struct iv_logs logs;
    uint32_t *later; /* obligations that wait for the logs to be connected */
    uint32_t later_count;
    uint32_t later_capacity;
    uint32_t *missing; /* obligations that were violated for want of an entry */
    uint32_t missing_count;
    uint32_t missing_capacity;
    uint32_t recheck; /* the first so many are judged again, for a late entry has come */
    /* identities; none are kept by an engine that does not have EVT-001 */
    bool identifies;
    struct iv_table identity_table; /* records */
    struct iv_queue identity_queue;
    struct iv_queue told_queue;
    /* verdicts that were emitted, by uid */
    struct iv_slab emitted;
    struct iv_table emitted_table;
    struct iv_queue emitted_queue;
    /* the call at hand */
    struct iv_cel_frame frame;
    struct iv_val events[IV_EVENT_SLOTS];
    struct iv_buf key;
    struct iv_distinct distinct;
    struct iv_foresight *foresights; /* of events to come, and one for an event that nobody foresaw */
    struct iv_key_place *keys;       /* theirs */
    uint32_t *joined;                /* nodes by group of the event's type; 0: its key is absent */
    struct iv_mark **marks;          /* of the event, in the order of groups and their defs */
    bool quiet;                      /* what is evaluated was evaluated before: failures were told */
    bool spent;
    uint64_t limit;       /* of the state; 0: none */
    uint64_t ground_held; /* what the ground had when the limit was looked at last */
    struct iv_engine_stats stats;
    struct iv_rule_stats *rule_stats;
    struct iv_population population;
    struct iv_told *told; /* by rule */
};

/* The event at hand is a trigger of the rule. */
static inline void iv_engine_judged(struct iv_engine *e, const struct iv_rule *rule)
{
    e->rule_stats[rule->index].triggers++;
    iv_population_count(&e->population, rule->index);
}
