/* SPDX-License-Identifier: Apache-2.0 */
/* Random baselines and random streams, each a function of a seed.
 * Purpose: everything that the contract lets a rule say, over events that make it matter: few keys, few
 * values, times on a coarse grid so that windows are hit on their edges, fields that are absent, expressions
 * that fail. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "event/catalogue.h"

#include <stdbool.h>
#include <stdint.h>

/* SplitMix64: one number of state, so a seed is all there is to know. */
struct dice {
    uint64_t state;
};
uint64_t dice_next(struct dice *dice);
uint64_t dice_below(struct dice *dice, uint64_t n); /* 0 to n - 1 */
bool dice_one_in(struct dice *dice, uint64_t n);
const char *dice_pick(struct dice *dice, const char *const *items, size_t count);
#define DICE_PICK(dice, ...)                                                                                 \
    dice_pick((dice), (const char *const[]){__VA_ARGS__},                                                    \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

iv_ns dice_time(struct dice *dice, iv_ns most); /* 0 to that, on the grid */

/* What a world of baseline and events agrees on. */
struct world {
    iv_ns lateness[IV_STREAMS];
    int32_t partitions[IV_STREAMS]; /* 0: the stream carries nothing */
    iv_ns length;                   /* of the stream, in event time */
    iv_ns dedup;
    size_t event_count;
    bool trees; /* the ledger has checkpoints, and rules ask for trees */
};
#define WORLD_DEDUP_LONG_NS (60 * IV_NS_PER_S) /* beyond every stream's length: nothing is forgotten */
#define WORLD_GRID_NS (100 * IV_NS_PER_MS)
#define WORLD_EPOCH_S INT64_C(1767225600) /* 2026-01-01T00:00:00Z */

struct world generate_world(struct dice *dice);

/* baseline.yaml of this world, with one pack beside it. */
void generate_baseline(struct iv_buf *baseline, struct dice *dice, const struct world *world);
void generate_pack(struct iv_buf *pack, struct dice *dice, const struct world *world);
/* The same pack after somebody worked on it: some of its rules are others now, some are gone, one may be new.
 */
void generate_changed_pack(struct iv_buf *changed, struct dice *dice, const struct iv_buf *pack);

/* What names an event, and when it was. */
struct identity {
    uint64_t source;
    uint64_t id;
    iv_ns time;
};

/* One record as it stands in a partition; some stand there twice, or in another partition too. */
struct arrival {
    enum iv_stream stream;
    int32_t partition;
    struct iv_str json;
    struct identity identity;
    iv_ns time;     /* of the event */
    iv_ns position; /* its place in the partition: never later than the stream's lateness allows */
};

struct arrivals {
    struct arrival *items;
    size_t count;
};

/* An event of this name, everything else left to the dice; its place is not. */
struct arrival generate_event(struct dice *dice, const struct world *world, struct identity identity,
                              int64_t sequence, struct iv_arena *arena);

/* The attributes of an event's place in a log; places are few, so that chains are often whole, and some of
 * what claims them is forged. */
struct generated_place {
    int log;
    int64_t seq;
    int variant; /* of the hash */
    int before;  /* the variant of the predecessor that it names */
};
struct generated_place generate_place(struct dice *dice, const struct world *world, iv_ns time);
void generate_place_hash(struct iv_buf *out, int log, int64_t seq, int variant); /* hex */
/* A checkpoint at this place, which may be true. */
void generate_note(struct iv_buf *out, struct dice *dice, struct generated_place place);
/* Of baseline.yaml: the keys that sign some of them. */
void generate_note_keys(struct iv_buf *out, const struct world *world);

/* The records of this world, in the arena. */
struct arrivals generate_arrivals(struct dice *dice, const struct world *world, struct iv_arena *arena);
/* The same order with repetitions between: of a record that stood before, in a partition that has been read
 * that far, and as late as dedup allows. */
struct arrivals generate_repetition(struct dice *dice, const struct world *world,
                                    const struct arrivals *arrivals, struct iv_arena *arena);
/* One content of each identity, and where dedup is short once. */
struct arrivals generate_distinct(const struct world *world, const struct arrivals *arrivals,
                                  struct iv_arena *arena);
/* Some records moved behind others, however late that makes them. */
struct arrivals generate_lateness(struct dice *dice, const struct arrivals *arrivals, struct iv_arena *arena);
/* Another order of arrival of the same events that lateness allows: other partitions, delays and
 * interleaving. */
struct arrivals generate_rearrangement(struct dice *dice, const struct world *world,
                                       const struct arrivals *arrivals, struct iv_arena *arena);
