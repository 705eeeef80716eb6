/* SPDX-License-Identifier: Apache-2.0 */
/* What was planted before the stream begins: absences whose deadlines are hours or months away, one kind
 * after the other, each so early that its deadline has come at the beginning. */
#pragma once

#include "fleet/quota.h"

struct iv_sim_history {
    const struct iv_sim_quota *quota; /* how many of each */
    iv_ns start;
    uint64_t done;          /* of the plant */
    enum iv_plant_id plant; /* the next one, and its time */
    iv_ns time;
};

/* False: there is nothing, or nothing more. */
bool iv_sim_history_begin(struct iv_sim_history *history, const struct iv_sim_quota *quota, iv_ns start);
bool iv_sim_history_next(struct iv_sim_history *history);
