/* SPDX-License-Identifier: Apache-2.0 */
/* What is to happen, by time: a binary heap of steps, those of equal time in the order of their planning. */
#pragma once

#include "app/sim/session.h"
#include "base/err.h"

struct iv_sim_agenda {
    struct iv_sim_step *steps;
    size_t count;
    size_t capacity;
    bool by_arrival; /* instead of by time */
};

void iv_sim_agenda_deinit(struct iv_sim_agenda *agenda);
iv_rc iv_sim_agenda_add(struct iv_sim_agenda *agenda, const struct iv_sim_step *step, struct iv_err *err);
/* The next step without taking it; NULL: none. */
const struct iv_sim_step *iv_sim_agenda_top(const struct iv_sim_agenda *agenda);
/* There must be one. */
struct iv_sim_step iv_sim_agenda_take(struct iv_sim_agenda *agenda);
