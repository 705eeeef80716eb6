/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/history.h"

/* The kind with the longest span below another's; of those that are planted in the past. */
static enum iv_plant_id below(const struct iv_sim_history *h, iv_ns span)
{
    enum iv_plant_id best = IV_PLANT_none;
    for (unsigned i = 1; i < IV_PLANTS; i++) {
        bool longer = best == IV_PLANT_none || iv_plant_kinds[i].span > iv_plant_kinds[best].span;
        if (h->quota->past[i] > 0 && iv_plant_kinds[i].span < span && longer) {
            best = (enum iv_plant_id)i;
        }
    }
    return best;
}

/* They are spread over the quarter of the span before the last moment. */
static bool set_time(struct iv_sim_history *h)
{
    if (h->plant == IV_PLANT_none) {
        return false;
    }
    iv_ns span = iv_plant_kinds[h->plant].span;
    iv_ns apart = span / 4 / (iv_ns)h->quota->past[h->plant] / IV_NS_PER_MS * IV_NS_PER_MS;
    h->time = h->start - span - apart * (iv_ns)(h->quota->past[h->plant] - h->done);
    return true;
}

bool iv_sim_history_begin(struct iv_sim_history *h, const struct iv_sim_quota *quota, iv_ns start)
{
    *h = (struct iv_sim_history){.quota = quota, .start = start};
    h->plant = below(h, IV_NS_MAX);
    return set_time(h);
}

bool iv_sim_history_next(struct iv_sim_history *h)
{
    if (++h->done == h->quota->past[h->plant]) {
        h->plant = below(h, iv_plant_kinds[h->plant].span);
        h->done = 0;
    }
    return set_time(h);
}
