/* SPDX-License-Identifier: Apache-2.0 */
/* The population of rules in the store: how many events each had to judge, by cell and hour of event time.
 * Purpose: that nothing was found is said together with what there was to find it in.
 * Owner/thread: as store.h and reader.h have it.
 * Guarantee: figures are absolute and only grow, so what is put again, after a crash, by a replay, or by
 * another process, changes nothing; cells add up. Bounded: of a cell the newest IV_POPULATION_KEPT hours;
 * hours that are to come push none of them out, they are not kept before they have come.
 * No figure is greater than what was judged. Where a cell began anew without its snapshot, on topics that had
 * lost their beginning, the hour at hand has the greater part of it only.
 * Not here: counting (engine/population.h). */
#pragma once

#include "base/arena.h"
#include "engine/engine.h"
#include "evidence/covered.h"
#include "evidence/reader.h"
#include "evidence/store.h"

#define IV_POPULATION_KEPT 10000
#define IV_POPULATION_AHEAD (300 * IV_NS_PER_S) /* so far clocks may be apart */

struct iv_population_row {
    struct iv_str rule;
    iv_ns since;   /* what the rule judged of this time and behind it was counted */
    iv_ns hour;    /* of event time, where it begins */
    int64_t count; /* 0: the row tells of `since` alone */
};

/* Inside a transaction. now: the wall clock. ours: other processes are to be told. */
iv_rc iv_store_put_population(struct iv_store *store, struct iv_str topic, int32_t partition,
                              const struct iv_population_row *rows, size_t count, iv_ns now, bool ours,
                              struct iv_err *err);

/* Inside a transaction: calls visit with what other processes are to be told of cells now, a text and the key
 * that a newer one replaces it by, and holds them to be told. Of each cell at most every ten seconds, unless
 * `all`. At most some thousand texts; what is left stays to be told. visit may use the store. */
typedef iv_rc (*iv_population_visit)(void *ctx, struct iv_str key, struct iv_str text, struct iv_err *err);
iv_rc iv_store_tell_populations(struct iv_store *store, iv_ns now, bool all, iv_population_visit visit,
                                void *ctx, struct iv_err *err);

/* What is known of a period, of one rule or of several together. */
struct iv_population_known {
    uint64_t judged; /* in all hours that the period touches */
    uint64_t within; /* in those that lie within it */
    bool kept;       /* figures were kept for all of the period */
};
/* Whether it is known if anything was judged: figures are of whole hours, and what was judged in an hour that
 * lies only partly in the period may have been judged outside. */
static inline bool iv_population_says(const struct iv_population_known *known)
{
    return known->kept && (known->within > 0 || known->judged == 0);
}

static inline void iv_population_add(struct iv_population_known *to, const struct iv_population_known *known)
{
    to->judged += known->judged;
    to->within += known->within;
    to->kept = to->kept && known->kept;
}

struct iv_populations {
    struct iv_population_of {
        struct iv_str rule;
        struct iv_population_known known;
    } * rules;
    size_t rule_count;
    struct iv_arena arena;
};
/* Of from <= time < until. Where the period has all that was read (iv_covered_period), the hours at its ends
 * lie within it. */
iv_rc iv_populations_read(struct iv_populations *out, struct iv_reader *reader,
                          const struct iv_covered *covered, iv_ns from, iv_ns until, struct iv_err *err);
void iv_populations_deinit(struct iv_populations *populations);
/* Of a rule that nobody counted: nothing, and not kept. */
struct iv_population_known iv_population_of(const struct iv_populations *populations, struct iv_str rule);
