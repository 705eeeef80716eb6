/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/quota.h"

#include <math.h>

/* About when the n-th event happens, in seconds from the beginning: while the agents start one after the
 * other there is the start of each, and ever more of those that have started. */
static double second_of(const struct iv_sim_quota *q, uint64_t n)
{
    double each = (double)n / q->agents;
    double ramp = 1 + IV_QUOTA_PER_SECOND * IV_QUOTA_RAMP / 2;
    if (each > ramp) {
        return IV_QUOTA_RAMP + (each - ramp) / IV_QUOTA_PER_SECOND;
    }
    double a = IV_QUOTA_PER_SECOND / (2 * IV_QUOTA_RAMP);
    double b = 1.0 / IV_QUOTA_RAMP;
    return (sqrt(b * b + 4 * a * each) - b) / (2 * a);
}

static double span_of(enum iv_plant_id id)
{
    return (double)iv_plant_kinds[id].span / (double)IV_NS_PER_S;
}

static bool is_past(const struct iv_sim_quota *q, enum iv_plant_id id)
{
    enum iv_plant_host host = iv_plant_kinds[id].host;
    bool too_short = q->events != 0 && second_of(q, q->events) < 3 * span_of(id);
    return host == IV_HOST_past || (host == IV_HOST_absence && too_short);
}

void iv_sim_quota_init(struct iv_sim_quota *q, double rate, uint64_t events, unsigned agents, bool history)
{
    rate = rate > IV_QUOTA_MAX ? IV_QUOTA_MAX : rate;
    *q = (struct iv_sim_quota){.rate = rate, .events = events, .agents = agents};
    double violations = rate * (double)events;
    uint64_t turns = IV_PLANTS - 1;
    for (unsigned id = 1; id < IV_PLANTS; id++) {
        q->elsewhere[id] = is_past(q, (enum iv_plant_id)id);
        if (q->elsewhere[id] && history) {
            q->past[id] = events == 0 ? 2 : ((uint64_t)violations + turns - id) / turns;
        }
    }
    uint64_t past = iv_sim_quota_past(q);
    if (events > past) {
        q->events = events - past;
        q->rate = past < (uint64_t)violations ? (violations - (double)past) / (double)q->events : 0;
    }
    if (violations < 1 && events != 0) { /* none of it in the past */
        q->rate = rate;
    }
}

uint64_t iv_sim_quota_past(const struct iv_sim_quota *q)
{
    uint64_t sum = 0;
    for (unsigned id = 1; id < IV_PLANTS; id++) {
        sum += q->past[id];
    }
    return sum;
}

static bool fits(enum iv_plant_host host, enum iv_step_kind kind, bool working)
{
    switch (host) {
    case IV_HOST_any:
    case IV_HOST_absence:
        return true;
    case IV_HOST_work:
        return working;
    case IV_HOST_executed:
        return kind == IV_STEP_executed;
    case IV_HOST_created:
        return kind == IV_STEP_created;
    case IV_HOST_terminated:
        return kind == IV_STEP_terminated;
    case IV_HOST_expired:
        return kind == IV_STEP_expired;
    case IV_HOST_revoked:
        return kind == IV_STEP_revoked;
    case IV_HOST_past:
    default:
        return false;
    }
}

/* The least planted of those that fit comes next, and of those that are not planted yet the one that needs
 * most time, unless it is ahead of the others: then the others' hosts are waited for, as long as not too much
 * is due. */
enum iv_plant_id iv_sim_quota_next(struct iv_sim_quota *q, const struct iv_sim_step *host, bool working,
                                   uint64_t used, struct iv_chance *chance)
{
    double due = q->rate * (double)q->happened - (double)q->planted;
    if (due < 0.5) {
        return IV_PLANT_none;
    }
    double left = q->events == 0 ? HUGE_VAL : second_of(q, q->events) - second_of(q, q->happened);
    uint64_t least = UINT64_MAX;
    enum iv_plant_id best = IV_PLANT_none;
    uint64_t ties = 0;
    for (unsigned i = 1; i < IV_PLANTS; i++) {
        enum iv_plant_id id = (enum iv_plant_id)i;
        if (q->elsewhere[i] || span_of(id) >= left) {
            continue;
        }
        least = q->count[id] < least ? q->count[id] : least;
        if ((used >> i & 1) != 0 || !fits(iv_plant_kinds[id].host, (enum iv_step_kind)host->kind, working)) {
            continue;
        }
        if (best == IV_PLANT_none || q->count[id] < q->count[best] ||
            (q->count[id] == 0 && q->count[best] == 0 && span_of(id) > span_of(best))) {
            best = id;
            ties = 1;
        } else if (q->count[id] == q->count[best] && q->count[id] > 0 &&
                   iv_chance_below(chance, ++ties) == 0) {
            best = id;
        }
    }
    if (best == IV_PLANT_none || (double)q->count[best] > (double)least + due / 2) {
        return IV_PLANT_none;
    }
    q->count[best]++;
    q->planted += iv_plant_kinds[best].yield;
    return best;
}
