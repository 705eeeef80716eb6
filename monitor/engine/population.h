/* SPDX-License-Identifier: Apache-2.0 */
/* The population of rules: how many events each had to judge, by hour of event time.
 * Purpose: that nothing was found says something only where there was something to find it in.
 * Owner/thread: an engine's. Guarantee: counting is an increment; what is held is bounded: the hours that
 * events came from last. Of an hour that has left, and comes again, only what comes then is counted, so that
 * whoever keeps the greatest figure claims no more than there was. Not here: what several engines have in
 * common (evidence/population.h). */
#pragma once

#include "base/time.h"
#include "engine/engine.h"
#include "engine/image.h"

#define IV_POPULATION_HOURS 168

struct iv_population_page {
    iv_ns hour;
    iv_ns end;
    uint64_t *counts; /* by index of the rule */
    bool changed;     /* since it was told */
};

struct iv_population {
    struct iv_population_page pages[IV_POPULATION_HOURS]; /* the one that was counted in last comes first */
    size_t page_count;
    size_t rule_count;
    uint64_t *counts; /* of all pages */
    iv_ns *since; /* by index of the rule: what it judged of this time and behind it was counted; IV_NS_MAX:
                     it is none of the engine's */
    bool since_changed;
};

/* False when memory is out. */
bool iv_population_init(struct iv_population *population, size_t rule_count);
void iv_population_deinit(struct iv_population *population);

/* Whether the hour of this time is the one that is counted in now. */
static inline bool iv_population_at(const struct iv_population *p, iv_ns time)
{
    return p->page_count > 0 && time >= p->pages[0].hour && time < p->pages[0].end;
}
/* The page that has to leave before another hour can be counted; NULL: there is room, or it is known. */
const struct iv_population_page *iv_population_leaver(const struct iv_population *population, iv_ns time);
/* From now on the hour of this time is counted in; the leaver has left. */
void iv_population_turn(struct iv_population *population, iv_ns time);

static inline void iv_population_count(struct iv_population *p, size_t rule)
{
    p->pages[0].counts[rule]++;
}

/* As a section of a snapshot, rules by name. The counts of the page at hand are complete. */
void iv_population_write(const struct iv_population *population, const struct iv_baseline *baseline,
                         struct iv_buf *out);
/* Of rules that are the engine's; what others counted is passed over. */
void iv_population_read(struct iv_population *population, const struct iv_baseline *baseline,
                        struct iv_image *in);
